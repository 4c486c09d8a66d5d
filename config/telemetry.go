package config

import (
	"errors"
	"fmt"
	"net/url"
)

// Tracing says where traces go.
type Tracing struct {
	OTLPEndpoint string  `name:"otlp-endpoint" env:"WAYBILL_OTLP_ENDPOINT,OTEL_EXPORTER_OTLP_ENDPOINT" group:"Telemetry:" help:"OpenTelemetry collector that traces are sent to: http://host:4318 or https:// (OTLP over HTTP), grpc://host:4317 (OTLP over gRPC, unencrypted). No traces when not given." placeholder:"URL"`
	TraceRatio   float64 `name:"trace-ratio" env:"WAYBILL_TRACE_RATIO" group:"Telemetry:" help:"Share of the requests that are traced, from 0 to 1, where the caller has not decided it already." default:"1"`
}

// Telemetry says where traces and metrics go.
type Telemetry struct {
	Tracing
	Metrics
}

// Metrics is for a process that has no HTTP server of its own; the API serves its metrics itself.
type Metrics struct {
	MetricsListen string `name:"metrics-listen" env:"WAYBILL_METRICS_LISTEN" group:"Telemetry:" help:"Address, host:port, on which a worker serves /metrics, /healthz and /readyz. None when not given: two workers of one machine need two." placeholder:"ADDRESS"`
}

// Check refuses an endpoint that no exporter could use, and a share that is none.
func (t *Tracing) Check() error {
	return errors.Join(t.checkEndpoint(), t.checkRatio())
}

func (t *Tracing) checkEndpoint() error {
	if t.OTLPEndpoint == "" {
		return nil
	}
	u, err := url.Parse(t.OTLPEndpoint)
	known := err == nil && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "grpc")
	if !known || u.Hostname() == "" || u.User != nil {
		return errors.New("--otlp-endpoint (WAYBILL_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT) must be of the form http://host:4318, https://host or grpc://host:4317, without a password: OTEL_EXPORTER_OTLP_HEADERS is for that")
	}
	return nil
}

func (t *Tracing) checkRatio() error {
	if t.TraceRatio >= 0 && t.TraceRatio <= 1 {
		return nil
	}
	return fmt.Errorf("--trace-ratio (WAYBILL_TRACE_RATIO) must be from 0 to 1, not %v", t.TraceRatio)
}

// Check refuses an address that nobody can listen on.
func (m *Metrics) Check() error {
	if m.MetricsListen == "" {
		return nil
	}
	return checkListen("--metrics-listen (WAYBILL_METRICS_LISTEN)", m.MetricsListen)
}
