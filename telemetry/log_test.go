package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	sdklog "go.temporal.io/sdk/log"

	"github.com/waybill-oms/waybill/telemetry"
	"github.com/waybill-oms/waybill/workflows"
)

// The log of one order, read by its request: what the API did, and what its run did for it.
func TestARequestCanBeFollowedThroughTheLog(t *testing.T) {
	s := open(t, tracetest.NewInMemoryExporter())
	o := s.place("1", "tok_ok", "X-Request-Id", "checkout-4711", "Traceparent", traceparent(callersTrace))
	s.pick(o, "X-Request-Id", "floor-0815")
	s.pack(o, "X-Request-Id", "packing-0816", "Traceparent", traceparent(packersTrace))
	about := []any{"order_id", o["id"], "workflow_id", workflows.WorkflowID(o["id"].(string)), "outcome", "done"}

	placed := s.log.await(t, "request", "request_id", "checkout-4711", "order_id", o["id"], "trace_id", callersTrace)
	require.Len(t, placed, 1)
	require.Equal(t, "placeOrder", placed[0]["operation"])
	for _, name := range []string{"Load", "Authorize", "Allocate"} {
		lines := s.log.await(t, "activity", append(about, "request_id", "checkout-4711", "trace_id", callersTrace, "activity", name)...)
		require.NotEmpty(t, lines[0]["run_id"])
		require.NotEmpty(t, lines[0]["span_id"])
	}
	require.Len(t, s.log.await(t, "request", "request_id", "floor-0815", "order_id", o["id"]), 1)
	s.log.await(t, "activity", append(about, "request_id", "floor-0815", "activity", "Pick")...)
	// The label is a step of the run, and it was this command that made it due.
	for _, name := range []string{"Pack", "BuyLabel"} {
		s.log.await(t, "activity", append(about, "request_id", "packing-0816", "trace_id", packersTrace, "activity", name)...)
	}
	status, _ := s.send("POST", "/v1/orders/"+o["id"].(string)+"/cancel", `{"lines":[{"line_id":"lin_00000000000000000000000000","quantity":1}]}`, "X-Request-Id", "refused-0817")
	require.Less(t, 399, status)
	s.log.await(t, "activity", "request_id", "refused-0817", "outcome", "refused")
	for _, canary := range append(canaries, s.key) {
		require.NotContains(t, s.log.String(), canary)
	}
}

// What a run does by itself, long after, is nobody's request.
func TestARunThatActsByItselfActsOnNoRequest(t *testing.T) {
	s := open(t, nil)
	o := s.place("1", "tok_ok", "X-Request-Id", "checkout-4711")
	stored, err := s.worker.Store.Order(t.Context(), o["id"].(string))
	require.NoError(t, err)
	require.NoError(t, s.worker.Runs.Wake(t.Context(), stored))
	require.Eventually(t, func() bool {
		for _, line := range s.log.read(t, "activity", "order_id", o["id"], "activity", "Load") {
			if line["request_id"] == nil {
				return true
			}
		}
		return false
	}, 20*time.Second, 20*time.Millisecond)
}

func TestALineHasWhatItIsAboutAndNothingThatIsNotListed(t *testing.T) {
	var text bytes.Buffer
	log := telemetry.Logger(slog.New(slog.NewJSONHandler(&text, nil)))
	require.Same(t, log, telemetry.Logger(log), "once is enough")
	read := func() map[string]any {
		var line map[string]any
		require.NoError(t, json.Unmarshal(text.Bytes(), &line))
		text.Reset()
		delete(line, "time")
		delete(line, "level")
		return line
	}
	ctx := telemetry.About(t.Context(), map[telemetry.ID]string{telemetry.RequestID: "req_1", telemetry.RunID: ""})
	telemetry.Note(ctx, telemetry.OrderID, "ord_1")
	log.InfoContext(ctx, "done", "status", 200, "email", "kanarie@example.com", "request_id", "another")
	require.Equal(t, map[string]any{"msg": "done", "request_id": "req_1", "order_id": "ord_1", "status": 200.0}, read())

	deeper := telemetry.About(ctx, map[telemetry.ID]string{telemetry.Activity: "Load"})
	telemetry.Note(deeper, telemetry.ReturnID, "ret_1")
	log.With("loop", "inbox", "email", "kanarie@example.com").InfoContext(deeper, "done", "loop", "sweep")
	require.Equal(t, map[string]any{"msg": "done", "request_id": "req_1", "order_id": "ord_1", "return_id": "ret_1", "activity": "Load", "loop": "inbox"}, read())
	require.Empty(t, telemetry.Get(ctx, telemetry.ReturnID), "what is deeper does not come up")

	telemetry.Note(t.Context(), telemetry.OrderID, "ord_1")
	log.InfoContext(t.Context(), "done")
	require.Equal(t, map[string]any{"msg": "done"}, read())

	// Temporal's SDK has names of its own.
	sdk := sdklog.With(sdklog.NewStructuredLogger(log), "WorkflowID", workflows.ReturnWorkflowID("ret_2"), "RunID", "r", "ActivityType", "Load", "Input", "secret")
	sdk.Warn("failed", "Attempt", 2, "Error", errors.New("away"), "Result", "secret")
	require.Equal(t, map[string]any{"msg": "failed", "workflow_id": "return/ret_2", "return_id": "ret_2", "run_id": "r", "activity": "Load",
		"attempt": 2.0, "error": "away"}, read())
	sdk = sdklog.With(sdk, "WorkflowID", "another")
	sdk.Info("again", "WorkflowID", workflows.WorkflowID("ord_2"))
	require.Equal(t, "return/ret_2", read()["workflow_id"], "the first one stays")
	log.WithGroup("g").Info("flat", "status", 1)
	require.Equal(t, map[string]any{"msg": "flat", "status": 1.0}, read())
}
