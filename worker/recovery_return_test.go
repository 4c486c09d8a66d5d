package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/workflows"
)

// returnStages are the commands of a plain return, in their order.
var returnStages = []string{workflows.UpdateApprove, workflows.UpdateReceive, workflows.UpdateInspect}

// sentBack is a delivered order with a return, taken through the first so many of these.
func (a *app) sentBack(externalID string, told int) (*order.Order, string) {
	a.t.Helper()
	o := a.write(placement(externalID, "tok_ok"))
	a.drive(o.ID, 0, len(stages))
	returnID := a.announced(a.order(o.ID)).ID
	o = a.order(o.ID)
	a.through(o, returnID, returnStages[:told]...)
	return o, returnID
}

// wholeReturn asserts that a return went through everything exactly once.
func (a *app) wholeReturn(o *order.Order, returnID string) {
	a.t.Helper()
	r := a.returned(o, returnID)
	require.Equal(a.t, returns.Closed, r.Status)
	require.ElementsMatch(a.t, append([]string{"label", "refund 4328"}, plain.applied...), a.applied(o.ID))
	for _, event := range []string{order.EventReturnApproved, order.EventReturnReceived, order.EventReturnInspected, order.EventPaymentRefunded, order.EventReturnClosed} {
		require.Equal(a.t, 1, a.happened(o, event), event)
	}
	require.Eventually(a.t, func() bool {
		running, err := a.Runs.RunningReturn(context.Background(), returnID)
		return err == nil && !running
	}, 20*time.Second, 20*time.Millisecond, "the run never ended")
}

func TestReturnTerminatedAtEveryStage(t *testing.T) {
	a := start(t)
	a.stock("nyc", "TEE-M", 90)
	runID := func(returnID string) string {
		d, err := a.client.DescribeWorkflowExecution(t.Context(), workflows.ReturnWorkflowID(returnID), "")
		if err != nil {
			return ""
		}
		return d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	}
	for stage := range returnStages {
		t.Run("before "+returnStages[stage], func(t *testing.T) {
			a := a.in(t)
			o, returnID := a.sentBack("terminated before "+returnStages[stage], stage)
			var before string
			require.Eventually(t, func() bool { before = runID(returnID); return before != "" }, 20*time.Second, 20*time.Millisecond)
			require.NoError(t, a.client.TerminateWorkflow(t.Context(), workflows.ReturnWorkflowID(returnID), before, "by hand"))
			require.Eventually(t, func() bool { return runID(returnID) != before }, 20*time.Second, 20*time.Millisecond, "the sweeper starts a new run")
			a.through(o, returnID, returnStages[stage:]...)
			a.wholeReturn(o, returnID)
		})
	}
	a.books()
}
