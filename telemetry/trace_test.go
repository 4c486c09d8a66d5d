package telemetry_test

import (
	"fmt"
	"slices"
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
	o := s.place("1", "tok_ok", "Traceparent", traceparent(callersTrace))
	s.pick(o)
	s.pack(o, "Traceparent", traceparent(packersTrace))

	steps := []string{"Load", "Authorize", "Allocate"}
	expected := []string{"placeOrder", "UpdateWithStartWorkflow:place", "RunWorkflow:Order", "HandleUpdate:place", "WITH"}
	for _, name := range steps {
		expected = append(expected, "StartActivity:"+name, "RunActivity:"+name)
	}
	placed := traced(t, exporter, callersTrace, expected...)
	requests := placed.named("placeOrder")
	require.Len(t, requests, 1)
	require.Equal(t, callersSpan, requests[0].Parent.SpanID().String(), "the caller's span is above ours")
	placed.under("placeOrder", "UpdateWithStartWorkflow:place")
	placed.under("UpdateWithStartWorkflow:place", "RunWorkflow:Order")
	placed.under("UpdateWithStartWorkflow:place", "HandleUpdate:place")
	for _, name := range steps {
		placed.under("HandleUpdate:place", "StartActivity:"+name)
		placed.under("StartActivity:"+name, "RunActivity:"+name)
	}
	placed.beneath("placeOrder", "WITH")
	placed.beneath("RunActivity:Load", "SELECT")
	placed.beneath("RunActivity:Authorize", "WITH")
	placed.beneath("RunActivity:Allocate", "sql.tx.commit")

	packed := traced(t, exporter, packersTrace, "packFulfillment", "HandleUpdate:pack", "StartActivity:Pack", "StartActivity:BuyLabel", "RunActivity:BuyLabel")
	packed.under("HandleUpdate:pack", "StartActivity:Pack")
	packed.under("HandleUpdate:pack", "StartActivity:BuyLabel")
	packed.under("StartActivity:BuyLabel", "RunActivity:BuyLabel")
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

// traced waits until the spans of these names are there, and what is above each of the trace's: a span is told when it
// ends, and that may be after the answer.
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
		return found.whole()
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

// whole says whether every span's parent is there, but for the caller's.
func (s *spans) whole() bool {
	there := map[string]bool{callersSpan: true}
	for _, span := range s.all {
		there[span.SpanContext.SpanID().String()] = true
	}
	return !slices.ContainsFunc(s.all, func(span tracetest.SpanStub) bool { return !there[span.Parent.SpanID().String()] })
}

// under requires that each span of a name is right under one of another name. There may be several of a step: on a busy
// machine its first attempt is given up, and a visible one takes over.
func (s *spans) under(parent, child string) {
	s.t.Helper()
	for _, span := range s.named(child) {
		require.True(s.t, s.has(parent, span), "%s is not under %s in\n%s", child, parent, s)
	}
}

// beneath requires that a span of a name is right under one of another name.
func (s *spans) beneath(parent, child string) {
	s.t.Helper()
	require.True(s.t, slices.ContainsFunc(s.named(child), func(span tracetest.SpanStub) bool { return s.has(parent, span) }),
		"no %s beneath %s in\n%s", child, parent, s)
}

// has says whether a span is right under one of this name.
func (s *spans) has(parent string, child tracetest.SpanStub) bool {
	return slices.ContainsFunc(s.named(parent), func(span tracetest.SpanStub) bool { return span.SpanContext.SpanID() == child.Parent.SpanID() })
}
