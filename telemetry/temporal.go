package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Interceptors are what a connection to Temporal carries: the ids of requests always, spans where there are traces.
// They change nothing of a history but headers.
func (t *Telemetry) Interceptors(log *slog.Logger) ([]interceptor.ClientInterceptor, error) {
	carried := &carrier{log: Logger(log)}
	if !t.tracing() {
		return []interceptor.ClientInterceptor{carried}, nil
	}
	traced, err := newTraced(t.tracer())
	if err != nil {
		return nil, fmt.Errorf("trace Temporal: %w", err)
	}
	// The order matters: a command's span has to be there when the carrier remembers its command, and what an
	// activity belongs to has to be known before its span begins.
	return []interceptor.ClientInterceptor{traced, carried}, nil
}

// spanKey is where the spans of workflows are in their contexts.
type spanKey struct{}

// traced makes the spans of runs, commands and activities. Of a run that is replayed they were made before.
type traced struct {
	interceptor.Interceptor
	replayed interceptor.Interceptor
}

func newTraced(tracer trace.Tracer) (*traced, error) {
	options := opentelemetry.TracerOptions{Tracer: tracer, SpanContextKey: spanKey{}, TextMapPropagator: w3c,
		DisableBaggage: true, AllowInvalidParentSpans: true, SpanStarter: begin}
	live, err := opentelemetry.NewTracingInterceptor(options)
	if err != nil {
		return nil, err
	}
	options.SpanStarter = goOn
	replayed, err := opentelemetry.NewTracingInterceptor(options)
	return &traced{live, replayed}, err
}

func begin(ctx context.Context, tracer trace.Tracer, name string, opts ...trace.SpanStartOption) trace.Span {
	_, span := tracer.Start(ctx, name, opts...)
	if strings.HasPrefix(name, runSpan) {
		return &beginning{discreet{span}}
	}
	return discreet{span}
}

// goOn makes no span: what a replayed run does from here on is under the span of whoever asked for it then.
func goOn(ctx context.Context, _ trace.Tracer, _ string, _ ...trace.SpanStartOption) trace.Span {
	return discreet{trace.SpanFromContext(ctx)}
}

// discreet is a span that shows of an error what kind it is: its text may quote what somebody wrote.
type discreet struct{ trace.Span }

// RecordError notes the kind of an error.
func (s discreet) RecordError(err error, _ ...trace.EventOption) {
	if err == nil {
		return
	}
	s.SetAttributes(attribute.String("error.type", kindOf(err)))
}

// SetStatus leaves the description out.
func (s discreet) SetStatus(code codes.Code, _ string) { s.Span.SetStatus(code, "") }

func kindOf(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() != "" {
		return app.Type()
	}
	return fmt.Sprintf("%T", err)
}

// runSpan begins the name of a run's span.
const runSpan = "RunWorkflow:"

// beginning is the span of a run from when it was asked for until a worker took it up. A run lives for weeks: one that
// only ended with it would be missing from every trace until then. Its attributes are set once, right at its start.
type beginning struct{ discreet }

// SetAttributes sets them and ends the span.
func (s *beginning) SetAttributes(kv ...attribute.KeyValue) {
	s.Span.SetAttributes(kv...)
	s.End()
}

// InterceptWorkflow is interceptor.WorkerInterceptor's.
func (t *traced) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	r := &tracedRun{replayed: t.replayed.InterceptWorkflow(ctx, next)}
	r.Next = t.Interceptor.InterceptWorkflow(ctx, next)
	return r
}

type tracedRun struct {
	interceptor.WorkflowInboundInterceptorBase
	replayed interceptor.WorkflowInboundInterceptor
}

func (r *tracedRun) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	if workflow.IsReplaying(ctx) {
		return r.replayed.ExecuteWorkflow(ctx, in)
	}
	return r.Next.ExecuteWorkflow(ctx, in)
}

func (r *tracedRun) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	if workflow.IsReplaying(ctx) {
		return r.replayed.ExecuteUpdate(ctx, in)
	}
	return r.Next.ExecuteUpdate(ctx, in)
}

// attempt is one execution of an activity, and the line that it leaves in the log.
func (c *carrier) attempt(ctx context.Context, in *interceptor.ExecuteActivityInput, next interceptor.ActivityInboundInterceptor) (any, error) {
	info := activity.GetInfo(ctx)
	ids := subject(info.WorkflowExecution.ID)
	if ids == nil {
		ids = map[ID]string{}
	}
	if len(in.Args) > 0 {
		if on, ok := in.Args[0].(interface {
			Subject() (orderID, returnID string)
		}); ok {
			ids[OrderID], ids[ReturnID] = on.Subject()
		}
	}
	ids[WorkflowID], ids[RunID], ids[Activity] = info.WorkflowExecution.ID, info.WorkflowExecution.RunID, info.ActivityType.Name
	ids[RequestID] = readRequest(interceptor.Header(ctx))
	ctx = About(ctx, ids)
	span := trace.SpanFromContext(ctx)
	for _, id := range []ID{RequestID, OrderID, ReturnID} {
		if ids[id] != "" {
			span.SetAttributes(attribute.String("waybill."+string(id), ids[id]))
		}
	}
	began := time.Now()
	result, err := next.ExecuteActivity(ctx, in)
	level, outcome, code := judge(err)
	c.log.LogAttrs(ctx, level, "activity", slog.Int("attempt", int(info.Attempt)), slog.Bool("local", info.IsLocalActivity),
		slog.String("outcome", outcome), slog.String("code", code), slog.Float64("duration_ms", float64(time.Since(began).Microseconds())/1000))
	return result, err
}

// judge says what became of an activity. A refusal is an answer, and nobody's fault.
func judge(err error) (level slog.Level, outcome, code string) {
	var app *temporal.ApplicationError
	switch {
	case err == nil:
		return slog.LevelInfo, "done", ""
	case errors.As(err, &app) && app.Category() == temporal.ApplicationErrorCategoryBenign:
		return slog.LevelInfo, "refused", app.Type()
	}
	return slog.LevelWarn, "failed", kindOf(err)
}
