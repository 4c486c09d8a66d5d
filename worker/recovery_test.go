package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/worker"
)

// stages are the steps of a plain order. Each is repeated under its key until its outcome is known, as a client
// would.
var stages = []struct {
	name string
	do   func(a *app, o *order.Order) error
}{
	{"placed", func(a *app, o *order.Order) error { _, err := a.Runs.Place(a.within(20*time.Second), o); return err }},
	{"picked", (*app).pick},
	{"packed", (*app).pack},
	{"shipped", (*app).ship},
	{"delivered", func(a *app, o *order.Order) error { a.scan(o, shipping.Delivered); return nil }},
}

// drive takes an order through stages [from, to).
func (a *app) drive(orderID string, from, to int) {
	a.t.Helper()
	for _, stage := range stages[from:to] {
		require.Eventually(a.t, func() bool {
			o := a.order(orderID)
			err := stage.do(a, o)
			f := fault.As(err)
			require.True(a.t, err == nil || f != nil && f.Kind == fault.Unavailable, "%s: %v", stage.name, err)
			return err == nil
		}, 60*time.Second, 20*time.Millisecond, stage.name)
		if stage.name == "placed" {
			a.until(orderID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
		}
		if stage.name == "delivered" {
			a.settled(orderID)
		}
	}
}

// whole asserts that an order went through everything exactly once.
func (a *app) whole(orderID string) {
	a.t.Helper()
	o := a.settled(orderID)
	require.Equal(a.t, order.Completed, o.Status)
	require.Len(a.t, o.Payments, 1)
	require.EqualValues(a.t, 4828, o.Payments[0].Captured)
	require.EqualValues(a.t, 0, o.Payments[0].Open())
	require.Len(a.t, o.Shipments, 1)
	require.Len(a.t, o.Operations, 3, "authorize, label, capture")
	for _, op := range o.Operations {
		require.EqualValues(a.t, "succeeded", op.State, op.Key)
	}
	events, err := a.Store.Timeline(a.t.Context(), orderID, 0, 100)
	require.NoError(a.t, err)
	require.EqualValues(a.t, o.Sequence, len(events))
	require.Eventually(a.t, func() bool {
		running, err := a.Runs.Running(context.Background(), orderID)
		return err == nil && !running
	}, 20*time.Second, 20*time.Millisecond, "the run never ended")
}

func (a *app) runID(orderID string) string {
	a.t.Helper()
	d, err := a.client.DescribeWorkflowExecution(a.t.Context(), "order/"+orderID, "")
	require.NoError(a.t, err)
	return d.WorkflowExecutionInfo.Execution.RunId
}

func TestTerminatedAtEveryStage(t *testing.T) {
	a := start(t)
	a.stock("nyc", "TEE-M", 1000)
	for done := 1; done < len(stages); done++ {
		t.Run("after "+stages[done-1].name, func(t *testing.T) {
			o := a.write(placement("terminated-"+stages[done-1].name, "tok_ok"))
			a.drive(o.ID, 0, done)
			before := a.runID(o.ID)
			require.NoError(t, a.client.TerminateWorkflow(t.Context(), "order/"+o.ID, "", "by hand"))
			require.Eventually(t, func() bool { return a.runID(o.ID) != before }, 20*time.Second, 20*time.Millisecond,
				"the sweeper starts a new run")
			a.drive(o.ID, done, len(stages))
			a.whole(o.ID)
		})
	}
}

// A run that nobody ever started: the API died between its commit and its call.
func TestNeverStarted(t *testing.T) {
	a := start(t)
	a.stock("nyc", "TEE-M", 1000)
	o := a.write(placement("never-started", "tok_ok"))
	a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
	a.drive(o.ID, 1, len(stages))
	a.whole(o.ID)
}

func TestResetAtEveryTask(t *testing.T) {
	a := start(t)
	a.stock("nyc", "TEE-M", 1000)
	for done := 1; done <= len(stages); done++ {
		for task := 0; task < done; task++ {
			t.Run(fmt.Sprintf("after %s to task %d", stages[done-1].name, task+1), func(t *testing.T) {
				o := a.write(placement(fmt.Sprintf("reset-%d-%d", done, task), "tok_ok"))
				a.drive(o.ID, 0, done)
				a.reset(o.ID, task)
				a.drive(o.ID, done, len(stages))
				a.whole(o.ID)
			})
		}
	}
}

// reset takes the order's run back to the end of its n-th workflow task, as an operator would in the UI.
func (a *app) reset(orderID string, n int) {
	a.t.Helper()
	a.resetRun("order/"+orderID, n)
}

func (a *app) resetRun(workflowID string, n int) {
	a.t.Helper()
	var tasks []int64
	var runID string
	require.Eventually(a.t, func() bool {
		tasks = nil
		for _, e := range a.historyOf(workflowID) {
			if started := e.GetWorkflowExecutionStartedEventAttributes(); started != nil {
				runID = started.OriginalExecutionRunId
			}
			if e.EventType == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
				tasks = append(tasks, e.EventId)
			}
		}
		return len(tasks) > n
	}, 20*time.Second, 20*time.Millisecond)
	_, err := a.client.ResetWorkflowExecution(a.t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "default", Reason: "test", RequestId: id.New("rst"), WorkflowTaskFinishEventId: tasks[n],
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: runID},
	})
	require.NoError(a.t, err)
}

// Temporal's database is lost with every run in it; a new, empty one takes its place.
func TestTemporalDatabaseLost(t *testing.T) {
	first := devtest.NewTemporal(t)
	a := startOn(t, first.Address)
	a.stock("nyc", "TEE-M", 90)
	var orders []*order.Order
	for done := 1; done < len(stages); done++ {
		o := a.write(placement("lost-"+stages[done-1].name, "tok_ok"))
		a.drive(o.ID, 0, done)
		orders = append(orders, o)
	}
	returns := make([]string, len(returnStages))
	ofReturns := make([]*order.Order, len(returnStages))
	for told := range returnStages {
		ofReturns[told], returns[told] = a.sentBack("lost with a return "+returnStages[told], told)
	}
	require.NoError(t, a.Stop())
	require.NoError(t, first.Stop())

	b := startOn(t, devtest.NewTemporal(t).Address, func(o *worker.Options) { o.DatabaseURL = a.options.DatabaseURL })
	for i, o := range orders {
		b.drive(o.ID, i+1, len(stages))
		b.whole(o.ID)
	}
	for told, o := range ofReturns {
		require.Eventually(t, func() bool {
			running, err := b.Runs.RunningReturn(context.Background(), returns[told])
			return err == nil && running
		}, 20*time.Second, 20*time.Millisecond, "the sweeper starts a new run")
		b.through(o, returns[told], returnStages[told:]...)
		b.wholeReturn(o, returns[told])
	}
	b.books()
}
