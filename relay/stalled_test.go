package relay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

// When Temporal and its worker die between an activity's commit and the end of the workflow task, the facts know of a
// step that the run has never heard of: it sleeps until its next deadline, days away. Here the facts change without
// a word to the run.
func TestARunThatMissedWhatItDidIsWoken(t *testing.T) {
	s := open(t, func(o *worker.Options) { o.StalledAfter = 300 * time.Millisecond })
	o := s.place("1001", "tok_ok")
	require.Equal(t, order.Accepted, o.Status)
	at := act()
	_, err := s.Store.Change(t.Context(), o.ID, nil, at, func(o *order.Order) error { return o.CancelWhole("changed my mind", at) })
	require.NoError(t, err)
	o = s.until(o.ID, "settled", func(o *order.Order) bool { return o.Settled })
	require.EqualValues(t, 4828, o.Payments[0].Voided)
}

// The same of a return: its approval makes a label due.
func TestAReturnThatMissedWhatItDidIsWoken(t *testing.T) {
	s := open(t, func(o *worker.Options) { o.StalledAfter = 300 * time.Millisecond })
	o, r := s.sendBack(s.delivered("tok_ok"))
	s.run(r, "running", func(info *workflowpb.WorkflowExecutionInfo) bool {
		return info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	})
	at := act()
	_, err := s.Store.Change(t.Context(), o.ID, nil, at, func(o *order.Order) error { return o.ApproveReturn(r.ID, false, at) })
	require.NoError(t, err)
	s.until(o.ID, "labeled", func(o *order.Order) bool { return o.Return(r.ID).TrackingNumber != "" })
}

// A run may miss its own end, too: nothing is due then, and nothing would ever tell it.
func TestARunThatMissedItsOwnEndIsWoken(t *testing.T) {
	s := open(t, func(o *worker.Options) { o.StalledAfter = 300 * time.Millisecond })
	o, r := s.sendBack(s.delivered("tok_ok"))
	require.Eventually(t, func() bool { // it knows its facts
		var p workflows.Progress
		answer, err := s.client.QueryWorkflow(t.Context(), workflows.ReturnWorkflowID(r.ID), "", workflows.QueryProgress)
		return err == nil && answer.Get(&p) == nil && p.Facts.ReturnStatus == returns.Requested
	}, 30*time.Second, 20*time.Millisecond)
	at := act()
	o, err := s.Store.Change(t.Context(), o.ID, nil, at, func(o *order.Order) error { return o.DeclineReturn(r.ID, "worn", at) })
	require.NoError(t, err)
	require.True(t, o.Return(r.ID).Settled)
	s.run(r, "over", func(info *workflowpb.WorkflowExecutionInfo) bool {
		return info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	})
}

// What nobody has touched for less than a while is left alone: a run may be at it.
func TestWhatIsBeingDoneIsNotStalled(t *testing.T) {
	s := open(t, func(o *worker.Options) { o.StalledAfter = time.Hour })
	o := s.place("1001", "tok_ok")
	at := act()
	_, err := s.Store.Change(t.Context(), o.ID, nil, at, func(o *order.Order) error { return o.CancelWhole("changed my mind", at) })
	require.NoError(t, err)
	for patience, stalled := range map[time.Duration]int{time.Hour: 0, time.Minute: 0, time.Nanosecond: 1} {
		found, err := s.Store.Stalled(t.Context(), time.Now(), patience, 10)
		require.NoError(t, err)
		require.Len(t, found, stalled, patience)
	}
	found, err := s.Store.Stalled(t.Context(), time.Now().Add(-time.Hour), time.Nanosecond, 10)
	require.NoError(t, err)
	require.Empty(t, found, "an hour ago nothing was due")
}
