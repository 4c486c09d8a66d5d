package telemetry_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/telemetry"
	"github.com/waybill-oms/waybill/workflows"
)

// What was recorded without traces replays with them, and to replay it tells nobody that it happened again.
func TestAReplayMakesNoSpans(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	told, err := telemetry.New(t.Context(), telemetry.Options{Ratio: 1, Exporter: exporter})
	require.NoError(t, err)
	quiet := slog.New(slog.DiscardHandler)
	carried, err := told.Interceptors(quiet)
	require.NoError(t, err)
	var options sdkworker.WorkflowReplayerOptions
	for _, i := range carried {
		options.Interceptors = append(options.Interceptors, i.(interceptor.WorkerInterceptor))
	}
	replayer, err := sdkworker.NewWorkflowReplayerWithOptions(options)
	require.NoError(t, err)
	replayer.RegisterWorkflowWithOptions(workflows.Order, workflow.RegisterOptions{Name: "Order"})
	replayer.RegisterWorkflowWithOptions(workflows.Return, workflow.RegisterOptions{Name: "Return"})
	files, err := filepath.Glob(filepath.Join("..", "workflows", "testdata", "histories", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(sdklog.NewStructuredLogger(quiet), file), file)
	}
	var names []string
	for _, span := range exporter.GetSpans() {
		names = append(names, span.Name)
	}
	require.Empty(t, names)
}

// Traces add headers to what is in a history, and no event.
func TestTracesAddNoEventToAHistory(t *testing.T) {
	plain, traced := open(t, nil), open(t, tracetest.NewInMemoryExporter())
	var without, with []enumspb.EventType
	// On a busy machine a gateway's first attempt may be too slow, which costs more: one of three pairs is quiet.
	for i := range 3 {
		if without, with = plain.lived(i), traced.lived(i); fmt.Sprint(without) == fmt.Sprint(with) {
			break
		}
	}
	require.Equal(t, without, with)
}

// lived is the history of an order that was placed, picked and packed.
func (s *shop) lived(i int) (events []enumspb.EventType) {
	s.t.Helper()
	o := s.place(fmt.Sprint("lived-", i), "tok_ok")
	s.pick(o)
	s.pack(o)
	history := s.client.GetWorkflowHistory(s.t.Context(), workflows.WorkflowID(o["id"].(string)), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		e, err := history.Next()
		require.NoError(s.t, err)
		events = append(events, e.EventType)
	}
	return events
}
