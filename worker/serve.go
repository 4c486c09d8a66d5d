package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/waybill-oms/waybill/health"
)

// scrapeLimit is over the ten seconds that Prometheus gives a scrape.
const scrapeLimit = 15 * time.Second

// monitor serves a worker's metrics and health. It answers as the API does.
type monitor struct {
	url    string
	server *http.Server
}

// watch serves on listen, host:port, until it is stopped.
func watch(listen string, metrics *prometheus.Registry, checks []health.Check, log *slog.Logger) (*monitor, error) {
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

// ready answers 503 when a check fails.
func ready(w http.ResponseWriter, r *http.Request, checks []health.Check) {
	answer, status := health.Ask(r.Context(), checks), http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	}
	reply(w, status, answer)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked may be gone
}
