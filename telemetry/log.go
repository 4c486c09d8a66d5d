package telemetry

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/trace"
)

// ID names something that a line of the log, or a span, is about.
type ID string

// The ids that every line has that is written inside a request, a workflow or an activity, as far as they are known.
const (
	RequestID  ID = "request_id"
	OrderID    ID = "order_id"
	ReturnID   ID = "return_id"
	WorkflowID ID = "workflow_id"
	RunID      ID = "run_id"
	Activity   ID = "activity"
	traceID    ID = "trace_id"
	spanID     ID = "span_id"
)

// idOrder is the order in which lines show them.
var idOrder = []ID{RequestID, OrderID, ReturnID, WorkflowID, RunID, Activity}

// about is what a context's lines are about. It grows while a request is read: its order is not known at its start.
type about struct {
	mu  sync.Mutex
	ids map[ID]string
}

type aboutKey struct{}

// About returns a context whose lines have these ids. What is noted on it later its parent does not have.
func About(ctx context.Context, ids map[ID]string) context.Context {
	a := &about{ids: map[ID]string{}}
	if before, ok := ctx.Value(aboutKey{}).(*about); ok {
		before.each(func(id ID, value string) { a.ids[id] = value })
	}
	for id, value := range ids {
		if value != "" {
			a.ids[id] = value
		}
	}
	return context.WithValue(ctx, aboutKey{}, a)
}

// Note adds an id that became known. Without About it does nothing.
func Note(ctx context.Context, id ID, value string) {
	if a, ok := ctx.Value(aboutKey{}).(*about); ok && value != "" {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.ids[id] = value
	}
}

// Get returns an id of the context, or nothing.
func Get(ctx context.Context, id ID) (value string) {
	if a, ok := ctx.Value(aboutKey{}).(*about); ok {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.ids[id]
	}
	return ""
}

// each calls f for every id, in the order of idOrder.
func (a *about) each(f func(ID, string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range idOrder {
		if value := a.ids[id]; value != "" {
			f(id, value)
		}
	}
}

// Logger returns a logger that adds the ids of the context to every line, and lets no field through that is not in
// Fields. A logger that does so already comes back as it is.
func Logger(log *slog.Logger) *slog.Logger {
	if _, does := log.Handler().(*handler); does {
		return log
	}
	return slog.New(&handler{next: log.Handler()})
}

type handler struct {
	next  slog.Handler
	given map[string]bool // fields that every line has already
}

// Enabled is slog.Handler's.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle is slog.Handler's. The ids come first.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	line := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	has := map[string]bool{}
	add := func(a slog.Attr) {
		if !has[a.Key] && !h.given[a.Key] {
			has[a.Key] = true
			line.AddAttrs(a)
		}
	}
	if a, ok := ctx.Value(aboutKey{}).(*about); ok {
		a.each(func(id ID, value string) { add(slog.String(string(id), value)) })
	}
	if s := trace.SpanContextFromContext(ctx); s.IsSampled() {
		add(slog.String(string(traceID), s.TraceID().String()))
		add(slog.String(string(spanID), s.SpanID().String()))
	}
	r.Attrs(func(a slog.Attr) bool {
		for _, a := range admit(a) {
			add(a)
		}
		return true
	})
	return h.next.Handle(ctx, line)
}

// WithAttrs is slog.Handler's.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	given := map[string]bool{}
	for key := range h.given {
		given[key] = true
	}
	var admitted []slog.Attr
	for _, a := range attrs {
		for _, a := range admit(a) {
			if !given[a.Key] {
				given[a.Key] = true
				admitted = append(admitted, a)
			}
		}
	}
	return &handler{next: h.next.WithAttrs(admitted), given: given}
}

// WithGroup is slog.Handler's. Our lines are flat: a field is found by its name alone.
func (h *handler) WithGroup(string) slog.Handler { return h }

// admit returns a field as our lines have it, or nothing when it may not be logged. A workflow's id tells whose it is.
func admit(a slog.Attr) []slog.Attr {
	if ours, known := temporals[a.Key]; known {
		a.Key = ours
	}
	if _, known := fields[a.Key]; !known {
		return nil
	}
	if a.Key != string(WorkflowID) {
		return []slog.Attr{a}
	}
	admitted := []slog.Attr{a}
	for id, value := range subject(a.Value.String()) {
		admitted = append(admitted, slog.String(string(id), value))
	}
	return admitted
}

// subject reads whom a run drives from its workflow id: order/<order_id> or return/<return_id>.
func subject(workflowID string) map[ID]string {
	switch kind, id, _ := strings.Cut(workflowID, "/"); kind {
	case "order":
		return map[ID]string{OrderID: id}
	case "return":
		return map[ID]string{ReturnID: id}
	}
	return nil
}
