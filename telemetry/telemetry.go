package telemetry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Options say where traces go. The zero value makes none.
type Options struct {
	Service  string  // the process as traces name it: waybill-api, waybill-worker
	Endpoint string  // of an OpenTelemetry collector: http, https or grpc; empty: no traces
	Ratio    float64 // share of the requests that are traced when the caller has not decided
	Log      *slog.Logger
	// Exporter, when set, takes the spans instead of an endpoint, each as it ends. For tests.
	Exporter sdktrace.SpanExporter
}

// Telemetry is a process's traces and metrics. Nil is one that traces nothing and registers nowhere.
type Telemetry struct {
	Registry *prometheus.Registry
	provider *sdktrace.TracerProvider // nil: no traces
	sdk      *sdkMetrics
}

// New makes a process's telemetry. Close it to send the last spans.
func New(ctx context.Context, o Options) (*Telemetry, error) {
	t := &Telemetry{Registry: prometheus.NewRegistry(), sdk: &sdkMetrics{known: map[string]prometheus.Collector{}}}
	for _, c := range []prometheus.Collector{t.sdk, collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		if err := t.Registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	var err error
	t.provider, err = newProvider(ctx, o)
	return t, err
}

// closeLimit is how long a collector may take for the last spans.
const closeLimit = 5 * time.Second

// Close sends what has not been sent yet, as long as the collector takes it.
func (t *Telemetry) Close(ctx context.Context) error {
	if t == nil || t.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return errors.New("the last traces were not delivered: is the OpenTelemetry collector there?")
	}
	return nil
}

// Pool measures a pool of connections to the database, under the name of whom it belongs to. A newer one takes the
// place of one with that name.
func (t *Telemetry) Pool(name string, db *sql.DB) {
	if t != nil {
		replace(t.Registry, collectors.NewDBStatsCollector(db, name))
	}
}

// replace registers a collector in the place of the one that describes the same.
func replace(r *prometheus.Registry, c prometheus.Collector) {
	r.Unregister(c)
	r.MustRegister(c)
}
