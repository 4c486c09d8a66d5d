package telemetry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

const (
	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan  = "00f067aa0ba902b7"
	packersTrace = "5bf92f3577b34da6a3ce929d0e0e4736"
)

func traceparent(trace string) string { return "00-" + trace + "-" + callersSpan + "-01" }

// One trace leads from the caller through the request, the run and its activities to the statements.
func TestATraceLeadsFromTheCallerToTheStatements(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	s := open(t, exporter)
	o := s.must(201, "POST", "/v1/orders", orderBody("1", "tok_ok"), "Traceparent", traceparent(callersTrace))
	s.pick(o)
	s.pack(o, "Traceparent", traceparent(packersTrace))

	placed := traced(t, exporter, callersTrace, "placeOrder", "RunActivity:Allocate")
	request := placed.one("placeOrder")
	require.Equal(t, callersSpan, request.Parent.SpanID().String(), "the caller's span is above ours")
	update := placed.one("UpdateWithStartWorkflow:place")
	placed.under(request, update)
	placed.under(update, placed.one("RunWorkflow:Order"))
	placed.under(update, placed.one("HandleUpdate:place"))
	for _, name := range []string{"Load", "Authorize", "Allocate"} {
		placed.under(placed.one("StartActivity:"+name), placed.one("RunActivity:"+name))
	}
	for _, name := range []string{"Load", "Authorize", "Allocate"} {
		placed.under(placed.one("HandleUpdate:place"), placed.one("StartActivity:"+name))
	}
	placed.beneath(request, "INSERT")
	placed.beneath(placed.one("RunActivity:Load"), "SELECT")
	placed.beneath(placed.one("RunActivity:Authorize"), "sql.tx.commit")
	placed.beneath(placed.one("RunActivity:Allocate"), "sql.tx.commit")

	packed := traced(t, exporter, packersTrace, "packFulfillment", "RunActivity:BuyLabel")
	packed.under(packed.one("HandleUpdate:pack"), packed.one("StartActivity:Pack"))
	packed.under(packed.one("HandleUpdate:pack"), packed.one("StartActivity:BuyLabel"))
	for _, span := range exporter.GetSpans() {
		shown := fmt.Sprint(span.Name, span.Attributes, span.Events, span.Status)
		for _, canary := range append(canaries, s.key) {
			require.NotContains(t, shown, canary)
		}
		require.NotContains(t, []string{"getHealth", "getReadiness", "getMetrics"}, span.Name)
	}
}

// spans are those of one trace.
type spans struct {
	t   *testing.T
	all []tracetest.SpanStub
}

// traced waits until the spans of these names are there: a span is told when it ends, and that may be after the answer.
func traced(t *testing.T, exporter *tracetest.InMemoryExporter, trace string, names ...string) (found spans) {
	t.Helper()
	require.Eventually(t, func() bool {
		found = spans{t: t}
		for _, s := range exporter.GetSpans() {
			if s.SpanContext.TraceID().String() == trace {
				found.all = append(found.all, s)
			}
		}
		for _, name := range names {
			if len(found.named(name)) == 0 {
				return false
			}
		}
		return true
	}, 20*time.Second, 20*time.Millisecond, "%v", &found)
	return found
}

// String draws the spans with their parents.
func (s *spans) String() string {
	names := map[string]string{}
	for _, span := range s.all {
		names[span.SpanContext.SpanID().String()] = span.Name
	}
	var b strings.Builder
	for _, span := range s.all {
		fmt.Fprintf(&b, "%s < %s\n", span.Name, names[span.Parent.SpanID().String()])
	}
	return b.String()
}

func (s *spans) named(name string) (found []tracetest.SpanStub) {
	for _, span := range s.all {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

func (s *spans) one(name string) tracetest.SpanStub {
	s.t.Helper()
	found := s.named(name)
	require.Len(s.t, found, 1, "%s in\n%s", name, s)
	return found[0]
}

func (s *spans) under(parent, child tracetest.SpanStub) {
	s.t.Helper()
	require.Equal(s.t, parent.SpanContext.SpanID(), child.Parent.SpanID(), "%s is not under %s in\n%s", child.Name, parent.Name, s)
}

func (s *spans) beneath(parent tracetest.SpanStub, name string) {
	s.t.Helper()
	for _, span := range s.named(name) {
		if span.Parent.SpanID() == parent.SpanContext.SpanID() {
			return
		}
	}
	require.Fail(s.t, "missing", "no %s beneath %s in\n%s", name, parent.Name, s)
}
