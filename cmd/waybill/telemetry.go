package main

import (
	"context"
	"log/slog"

	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/telemetry"
)

// startTelemetry makes the traces and metrics of a process, which traces know as service.
func startTelemetry(ctx context.Context, service string, c config.Tracing, log *slog.Logger) (*telemetry.Telemetry, error) {
	return telemetry.New(ctx, telemetry.Options{Service: service, Endpoint: c.OTLPEndpoint, Ratio: c.TraceRatio, Log: log})
}

// stopTelemetry sends the last spans. That they cannot be sent is no reason to fail.
func stopTelemetry(ctx context.Context, t *telemetry.Telemetry, log *slog.Logger) {
	if err := t.Close(ctx); err != nil {
		log.Warn("telemetry: stopping", "error", err)
	}
}
