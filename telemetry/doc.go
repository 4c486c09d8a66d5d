// Package telemetry is how a process tells what it is doing: logs, traces and metrics.
//
// It owns the process's tracer provider and where spans go, the log handler that adds the ids of what a line is about
// and lets no field through that is not in its list, the interceptor that carries a request's id and span through
// Temporal, and the registry of metrics with the catalog of all that Waybill measures. It does not own what is
// measured or when: those who do the work say so. It imports nothing of the rest of Waybill, though its catalog names
// what is measured there, and without an endpoint for traces it costs nothing.
package telemetry
