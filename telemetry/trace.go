package telemetry

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/XSAM/otelsql"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope names the instrumentation that makes our spans.
const scope = "github.com/waybill-oms/waybill"

// w3c is how a trace crosses the borders of processes: traceparent and tracestate. Baggage is left alone: whatever a
// caller puts there would end up in Temporal's histories.
var w3c = propagation.TraceContext{}

func newProvider(ctx context.Context, o Options) (*sdktrace.TracerProvider, error) {
	if o.Endpoint == "" && o.Exporter == nil {
		return nil, nil
	}
	described := resource.NewSchemaless(attribute.String("service.name", o.Service), attribute.String("service.version", version()))
	sampler := sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.Ratio))
	if o.Exporter != nil {
		return sdktrace.NewTracerProvider(sdktrace.WithSyncer(o.Exporter), sdktrace.WithResource(described), sdktrace.WithSampler(sampler)), nil
	}
	exporter, err := newExporter(ctx, o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	log := o.Log
	if log == nil {
		log = slog.Default()
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("telemetry: traces were not delivered", "error", err)
	}))
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(described), sdktrace.WithSampler(sampler)), nil
}

// tracesPath is where a collector takes traces over HTTP.
const tracesPath = "/v1/traces"

func newExporter(ctx context.Context, endpoint string) (sdktrace.SpanExporter, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return nil, errors.New("the endpoint must be of the form http://host:4318, https://host or grpc://host:4317")
	}
	if u.Scheme == "grpc" {
		return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(u.Host), otlptracegrpc.WithInsecure())
	}
	if !strings.HasSuffix(u.Path, tracesPath) {
		u = u.JoinPath(tracesPath)
	}
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()))
}

// version is the build's, as far as it is known.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

func (t *Telemetry) tracing() bool { return t != nil && t.provider != nil }

func (t *Telemetry) tracer() trace.Tracer { return t.provider.Tracer(scope) }

// Request begins the span of a request to the API, under the caller's when it came with one. It has the operation's
// name, and nothing of what the request brought. Ended ends it with the answer's status.
func (t *Telemetry) Request(ctx context.Context, h http.Header, operation, method, route string) (in context.Context, ended func(status int)) {
	if !t.tracing() {
		return ctx, func(int) {}
	}
	ctx = w3c.Extract(ctx, propagation.HeaderCarrier(h))
	ctx, span := t.tracer().Start(ctx, operation, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.String("waybill.request_id", Get(ctx, RequestID))))
	return ctx, func(status int) {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		if orderID := Get(ctx, OrderID); orderID != "" {
			span.SetAttributes(attribute.String("waybill.order_id", orderID))
		}
		span.End()
	}
}

// Within returns ctx as part of what another context is about: what one does for many is told to be of the first.
func Within(ctx, of context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.SpanContextFromContext(of))
}

// OpenDB opens a database whose statements make spans where they are part of something traced; what loops ask for is
// not. Spans have the beginning of a statement, never its arguments, nor what a database says of them.
func (t *Telemetry) OpenDB(c driver.Connector) *sql.DB {
	if !t.tracing() {
		return sql.OpenDB(c)
	}
	return otelsql.OpenDB(c, otelsql.WithTracerProvider(t.provider),
		otelsql.WithAttributes(attribute.String("db.system.name", "postgresql")),
		otelsql.WithSpanNameFormatter(func(_ context.Context, method otelsql.Method, query string) string { return verb(method, query) }),
		otelsql.WithAttributesGetter(func(_ context.Context, _ otelsql.Method, query string, _ []driver.NamedValue) []attribute.KeyValue {
			return text(query)
		}),
		otelsql.WithSpanErrorAttributesGetter(sqlState),
		otelsql.WithSpanOptions(otelsql.SpanOptions{OmitConnResetSession: true, OmitConnPrepare: true, OmitRows: true,
			DisableErrSkip: true, DisableQuery: true, RecordError: func(error) bool { return false },
			SpanFilter: func(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
				return trace.SpanContextFromContext(ctx).IsSampled()
			}}))
}

// verb names a span by what its statement does: SELECT, UPDATE; or by the method where there is none: sql.tx.commit.
func verb(method otelsql.Method, query string) string {
	if words := strings.Fields(query); len(words) > 0 {
		return words[0]
	}
	return string(method)
}

// textMax is how much of a statement a span shows: enough to know which one it is. Some have several kilobytes.
const textMax = 300

// text is the beginning of a statement, without the white space by which it is laid out.
func text(query string) []attribute.KeyValue {
	short := strings.Join(strings.Fields(query), " ")
	if short == "" {
		return nil
	}
	return []attribute.KeyValue{attribute.String("db.query.text", strings.ToValidUTF8(short[:min(len(short), textMax)], ""))}
}

// sqlState is all of a database's error that a span shows: its text may quote a value.
func sqlState(err error) []attribute.KeyValue {
	var known interface{ SQLState() string }
	if errors.As(err, &known) {
		return []attribute.KeyValue{attribute.String("error.type", known.SQLState())}
	}
	return []attribute.KeyValue{attribute.String("error.type", fmt.Sprintf("%T", err))}
}
