package relay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	workflowpb "go.temporal.io/api/workflow/v1"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

// A return that is written down gets a run by the inbox, buys its label, takes the goods, and pays back.
func TestAReturnIsDrivenToItsEnd(t *testing.T) {
	s := open(t, func(o *worker.Options) { o.SweepEvery = time.Hour })
	o, ret := s.sendBack(s.delivered("tok_ok"))
	info := s.run(ret, "waiting for approval", func(info *workflowpb.WorkflowExecutionInfo) bool {
		return running(info) && s.shows(info, "WaitingFor") != ""
	})
	require.Equal(t, "requested", s.shows(info, "ReturnStatus"))
	require.Equal(t, "web", s.shows(info, "Channel"))

	facts := s.approve(o, ret)
	require.Equal(t, returns.Approved, facts.ReturnStatus)
	require.NotEmpty(t, s.order(o.ID).Return(ret.ID).TrackingNumber, "the label is bought before the command answers")
	require.Equal(t, returns.Received, s.goods(o, ret).ReturnStatus)
	require.Equal(t, returns.Closed, s.inspect(o, ret).ReturnStatus)
	o = s.until(o.ID, "refunded", func(o *order.Order) bool { return o.Return(ret.ID).Settled })
	require.Len(t, o.Refunds, 1)
	require.Equal(t, order.RefundSucceeded, o.Refunds[0].Status)
	require.EqualValues(t, 4328, o.Payments[0].Refunded, "the goods, not the shipping")
	info = s.run(ret, "over", func(info *workflowpb.WorkflowExecutionInfo) bool { return !running(info) })
	require.Equal(t, "closed", s.shows(info, "ReturnStatus"))
	var end returns.Status
	require.NoError(t, s.client.GetWorkflow(t.Context(), workflows.ReturnWorkflowID(ret.ID), "").Get(t.Context(), &end))
	require.Equal(t, returns.Closed, end)
}

// Whatever happens to a return's run, the sweeper starts another, which goes on from the facts.
func TestAReturnWhoseRunIsLostGetsAnother(t *testing.T) {
	s := open(t, func(o *worker.Options) { o.InboxEvery = time.Hour })
	_, ret := s.sendBack(s.delivered("tok_ok"))
	first := s.run(ret, "running", running)
	require.NoError(t, s.client.TerminateWorkflow(t.Context(), workflows.ReturnWorkflowID(ret.ID), "", "by hand"))
	s.run(ret, "running again", func(info *workflowpb.WorkflowExecutionInfo) bool {
		return running(info) && info.GetExecution().GetRunId() != first.GetExecution().GetRunId()
	})
}

// Goods of a return that was called off arrive all the same: its run is over, and begins again.
func TestGoodsThatNobodyExpectsAnyMoreBeginAReturnAgain(t *testing.T) {
	s := open(t)
	o, ret := s.sendBack(s.delivered("tok_ok"))
	s.approve(o, ret)
	s.run(ret, "running", running)
	require.NoError(t, s.client.CancelWorkflow(t.Context(), workflows.ReturnWorkflowID(ret.ID), ""))
	s.until(o.ID, "settled again", func(o *order.Order) bool { return o.Return(ret.ID).Settled })
	require.Equal(t, returns.Cancelled, s.order(o.ID).Return(ret.ID).Status, "Request Cancellation is the business cancel")
	s.run(ret, "over", func(info *workflowpb.WorkflowExecutionInfo) bool { return !running(info) })
	require.Equal(t, returns.Received, s.goods(o, ret).ReturnStatus)
	require.Equal(t, returns.Closed, s.inspect(o, ret).ReturnStatus)
}

// A return's run has a timer of its own. When the goods do not come in time it is over, until they come late.
func TestAReturnExpiresAndItsGoodsComeLate(t *testing.T) {
	s := open(t)
	o, ret := s.sendBack(s.delivered("tok_ok"))
	s.approve(o, ret)
	at := act()
	soon := at.At.Add(time.Second)
	o, err := s.Store.Change(t.Context(), o.ID, nil, at, func(o *order.Order) error {
		o.Return(ret.ID).ExpiresAt = &soon
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, s.Runs.WakeReturn(t.Context(), o, ret.ID))
	s.until(o.ID, "expired", func(o *order.Order) bool { return o.Return(ret.ID).Status == returns.Expired })
	s.until(o.ID, "settled", func(o *order.Order) bool { return o.Return(ret.ID).Settled })
	s.run(ret, "over", func(info *workflowpb.WorkflowExecutionInfo) bool { return !running(info) })
	require.Equal(t, returns.Received, s.goods(o, ret).ReturnStatus)
	s.run(ret, "running", running)
}

// A refund that was refused is tried again by the return's run, under another key.
func TestARefusedRefundIsTriedAgain(t *testing.T) {
	policy := order.DefaultPolicy()
	policy.RetryRefused = time.Second
	s := open(t, func(o *worker.Options) { o.Policy = &policy })
	o, ret := s.sendBack(s.delivered("tok_refund_refused"))
	s.approve(o, ret)
	s.goods(o, ret)
	facts := s.inspect(o, ret)
	require.Equal(t, order.AttentionRefundRefused, facts.Attention)
	s.until(o.ID, "asked again", func(o *order.Order) bool {
		again := o.Operation("refund/" + o.Refunds[0].ID + "/2")
		return again != nil && !again.State.Open()
	})
	require.Empty(t, s.order(o.ID).AttentionCode, "it is the return's trouble, not the order's")
}

// Stock that is freed goes to who waits for it, and the run of that order hears of it.
func TestFreedStockIsGranted(t *testing.T) {
	s := open(t)
	first, second := s.place("1001", "tok_ok"), s.place("1002", "tok_ok")
	require.EqualValues(t, 2, second.Lines[0].Backordered)
	s.command(first, workflows.UpdateCancel, func(c activities.Caller) any {
		return activities.CancelCommand{Caller: c, Reason: "changed my mind"}
	})
	second = s.until(second.ID, "granted", func(o *order.Order) bool { return o.Lines[0].Backordered == 0 })
	require.Len(t, second.Fulfillments, 1)
	require.Eventually(t, func() bool {
		p, _, err := s.Runs.Progress(t.Context(), second.ID)
		return err == nil && p.Facts.WaitingFor == second.WaitingFor && len(p.Facts.Locations) == 1
	}, 20*time.Second, 20*time.Millisecond, "the run never heard of it")
}
