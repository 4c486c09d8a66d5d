package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

func (a *app) history(orderID string) []*historypb.HistoryEvent {
	a.t.Helper()
	var events []*historypb.HistoryEvent
	it := a.client.GetWorkflowHistory(a.t.Context(), "order/"+orderID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		require.NoError(a.t, err)
		events = append(events, e)
	}
	return events
}

func printHistory(t *testing.T, a *app, orderID string) {
	for _, e := range a.history(orderID) {
		t.Log(e.EventId, e.EventType, e.GetMarkerRecordedEventAttributes().GetDetails()["data"])
	}
	d, err := a.client.DescribeWorkflowExecution(t.Context(), "order/"+orderID, "")
	require.NoError(t, err)
	t.Log(d.WorkflowExecutionInfo.HistoryLength, d.WorkflowExecutionInfo.StateTransitionCount, d.WorkflowExecutionInfo.HistorySizeBytes)
}
