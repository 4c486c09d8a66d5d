package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// check is one thing that a worker needs to do its work.
type check struct {
	name string
	run  func(context.Context) error
	down string // what is wrong when it fails: the text of an error may show something of the inside
}

const (
	// checkLimit is how long one check may take, as in the API: whoever probes gives up soon after.
	checkLimit = 2 * time.Second
	// scrapeLimit is over the ten seconds that Prometheus gives a scrape.
	scrapeLimit = 15 * time.Second
)

// monitor serves a worker's metrics and health. It answers as the API does.
type monitor struct {
	url    string
	server *http.Server
}

// watch serves on listen, host:port, until it is stopped.
func watch(listen string, metrics *prometheus.Registry, checks []check, log *slog.Logger) (*monitor, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s for metrics: %w", listen, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { ready(w, r, checks) })
	m := &monitor{url: "http://" + listener.Addr().String(), server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout: 5 * time.Second, WriteTimeout: scrapeLimit, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}}
	go func() {
		if err := m.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("worker: its metrics are not served any more", "error", err)
		}
	}()
	return m, nil
}

func (m *monitor) stop() error {
	if m == nil {
		return nil
	}
	return m.server.Close()
}

// checked is what came of a check, as the API's readiness shows it.
type checked struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// ready runs all checks at once and answers 503 when one fails.
func ready(w http.ResponseWriter, r *http.Request, checks []check) {
	ctx, cancel := context.WithTimeout(r.Context(), checkLimit)
	defer cancel()
	results, all := make([]checked, len(checks)), true
	var wait sync.WaitGroup
	for i, c := range checks {
		wait.Go(func() {
			results[i] = checked{Name: c.name, OK: true, Detail: "ok"}
			if err := c.run(ctx); err != nil {
				results[i] = checked{Name: c.name, Detail: c.down}
			}
		})
	}
	wait.Wait()
	for _, c := range results {
		all = all && c.OK
	}
	status := http.StatusOK
	if !all {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	}
	reply(w, status, map[string]any{"ready": all, "checks": results})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked may be gone
}
