package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/workflows"
)

// labeled waits for the label of the way back.
func (b back) labeled() *order.Return {
	b.a.t.Helper()
	return b.until("labeled", func(r *order.Return) bool { return r.TrackingNumber != "" })
}

// running waits for the return's run.
func (b back) running() {
	b.a.t.Helper()
	require.Eventually(b.a.t, func() bool {
		running, err := b.a.Runs.RunningReturn(context.Background(), b.id)
		return err == nil && running
	}, 20*time.Second, 20*time.Millisecond, "the return has no run")
}

// runID is the newest run of the return.
func (b back) runID() string {
	b.a.t.Helper()
	d, err := b.a.client.DescribeWorkflowExecution(b.a.t.Context(), workflows.ReturnWorkflowID(b.id), "")
	require.NoError(b.a.t, err)
	return d.WorkflowExecutionInfo.Execution.RunId
}

var returnRunPaths = []path{
	{"returned, expired", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.labeled()
		b.overdue()
		b.settled(returns.Expired)
		require.EqualValues(t, "succeeded", a.order(o.ID).Operation("void_label/"+b.id).State)
		require.Zero(t, a.order(o.ID).Lines[0].ReturnRequested, "its units may be announced again")
		return a.over(b.run())
	}},
	{"returned, expired, and it came late", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.labeled()
		b.overdue()
		b.settled(returns.Expired)
		a.over(b.run())
		b.receive(2)
		require.Equal(t, returns.Received, b.now().Status)
		b.inspect(2, returns.GradeA)
		b.settled(returns.Closed)
		require.EqualValues(t, 4328, a.refunded(o.ID))
		return a.over(b.run())
	}},
	{"returned in part, and the rest never came", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(1)
		b.inspect(1, returns.GradeA)
		b.overdue()
		r := b.settled(returns.Closed)
		require.EqualValues(t, 1, r.Lines[0].Dismissed)
		require.EqualValues(t, 2164, a.refunded(o.ID))
		return a.over(b.run())
	}},
	{"returned, the refund's answer lost", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_refund_timeout_after"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(2)
		b.inspect(2, returns.GradeA)
		require.Contains(t, []returns.Status{returns.Inspected, returns.Closed}, b.now().Status)
		b.settled(returns.Closed)
		require.EqualValues(t, 4328, a.refunded(o.ID))
		return a.over(b.run())
	}},
	{"returned, the refund refused until it is not", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_refund_refused"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(2)
		b.inspect(2, returns.GradeA)
		o = a.until(o.ID, "refused, and asked again", func(o *order.Order) bool {
			op := o.Operation("refund/" + refundOf(o) + "/2")
			return op != nil && op.RetryAt != nil
		})
		require.Equal(t, order.AttentionRefundRefused, b.now().AttentionCode)
		require.Equal(t, returns.Inspected, b.now().Status, "nobody is told of a refund that did not settle")
		require.Empty(t, o.AttentionCode)
		a.relent(o.ID)
		require.Empty(t, b.settled(returns.Closed).AttentionCode)
		require.EqualValues(t, 4328, a.refunded(o.ID))
		return a.over(b.run())
	}},
	{"returned, the refund refused, then resumed", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_refund_refused"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(2)
		b.inspect(2, returns.GradeA)
		b.until("refused", func(r *order.Return) bool { return r.AttentionCode != "" })
		a.relent(o.ID)
		b.resume()
		require.Empty(t, b.settled(returns.Closed).AttentionCode)
		return a.over(b.run())
	}},
	{"returned, the refund settled by other means", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_refund_refused"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(2)
		b.inspect(2, returns.GradeA)
		b.until("refused", func(r *order.Return) bool { return r.AttentionCode != "" })
		require.NoError(t, b.command(workflows.UpdateSettleRefund, func(c activities.Caller) any {
			return activities.RefundCommand{Caller: c, RefundID: refundOf(a.order(o.ID)), Reference: "transfer 4711"}
		}))
		require.Empty(t, b.settled(returns.Closed).AttentionCode)
		require.EqualValues(t, 4328, a.refunded(o.ID))
		return a.over(b.run())
	}},
	{"returned, lost on its way and waived", func(t *testing.T, a *app) []string {
		b := a.sendBack(a.bought(placement(t.Name(), "tok_ok")), 2, returns.ChangedMind)
		b.approve()
		b.scan(shipping.Lost)
		b.approveReturnless()
		b.settled(returns.Closed)
		require.EqualValues(t, 4328, a.refunded(b.orderID))
		return a.over(b.run())
	}},
	{"returned, terminated when received", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(2)
		before := b.runID()
		require.NoError(t, a.client.TerminateWorkflow(t.Context(), workflows.ReturnWorkflowID(b.id), "", "by hand"))
		require.Eventually(t, func() bool { return b.runID() != before }, 20*time.Second, 20*time.Millisecond,
			"the sweeper starts a new run")
		b.inspect(2, returns.GradeA)
		b.settled(returns.Closed)
		return a.over(b.run())
	}},
	{"returned, cancellation requested in Temporal", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.labeled()
		require.NoError(t, a.client.CancelWorkflow(t.Context(), workflows.ReturnWorkflowID(b.id), ""))
		b.settled(returns.Cancelled)
		return a.over(b.run())
	}},
	{"returned, cancellation requested in Temporal too late", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(2)
		require.NoError(t, a.client.CancelWorkflow(t.Context(), workflows.ReturnWorkflowID(b.id), ""))
		b.inspect(2, returns.GradeA)
		b.settled(returns.Closed)
		return a.over(b.run())
	}},
	{"returned, reset to the first task when received", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(2)
		a.resetRun(workflows.ReturnWorkflowID(b.id), 0)
		b.inspect(2, returns.GradeA)
		b.settled(returns.Closed)
		require.EqualValues(t, 4328, a.refunded(o.ID))
		require.EqualValues(t, 2, a.order(o.ID).Lines[0].Returned, "what was received is not received again")
		return a.over(b.run())
	}},
	{"returned, the refund given up, then resumed", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(2)
		a.query(`WITH p AS (UPDATE payments SET gateway = 'gone' WHERE order_id = $1) UPDATE orders SET version = version + 1 WHERE id = $1`, o.ID) // a worker that is configured otherwise
		b.inspect(2, returns.GradeA)
		r := b.until("in need of attention", func(r *order.Return) bool { return r.AttentionCode != "" })
		require.Equal(t, order.AttentionStepFailed, r.AttentionCode)
		require.Empty(t, a.order(o.ID).AttentionCode, "the return's trouble, not the order's")
		a.query(`WITH p AS (UPDATE payments SET gateway = 'sandbox' WHERE order_id = $1) UPDATE orders SET version = version + 1 WHERE id = $1`, o.ID)
		b.resume()
		require.Empty(t, b.settled(returns.Closed).AttentionCode)
		require.EqualValues(t, 4328, a.refunded(o.ID))
		return a.over(b.run())
	}},
}
