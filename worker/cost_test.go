package worker_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"github.com/waybill-oms/waybill/bench"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// history reads the newest run of an order.
func (a *app) history(orderID string) []*historypb.HistoryEvent {
	a.t.Helper()
	return a.historyOf("order/" + orderID)
}

// historyOf reads the newest run under a workflow id.
func (a *app) historyOf(runID string) []*historypb.HistoryEvent {
	a.t.Helper()
	var events []*historypb.HistoryEvent
	it := a.client.GetWorkflowHistory(context.Background(), runID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		require.NoError(a.t, err)
		events = append(events, e)
	}
	return events
}

// The cost of the README's order, with everything on: search attributes, timer, four scans, the defaults. State
// transitions are what Temporal costs on one's own machines, actions what it costs in the cloud. Change this table
// knowingly: it is a promise.
func TestCostOfAPlainOrder(t *testing.T) {
	want := cost{Actions: 15, Transitions: 7, Events: map[string]int{
		"WorkflowExecutionStarted":         1,
		"WorkflowTaskScheduled":            5, // place, pick, pack, ship, delivered
		"WorkflowTaskStarted":              5,
		"WorkflowTaskCompleted":            5,
		"WorkflowExecutionUpdateAccepted":  5, // place, pick, pack, ship, delivered
		"WorkflowExecutionUpdateCompleted": 5,
		"MarkerRecorded":                   9, // load, authorize, allocate; pick; pack, label; ship, capture; load
		"UpsertWorkflowSearchAttributes":   3, // decided, shipped, over
		"TimerStarted":                     1, // the authorization's end
		"WorkflowExecutionCompleted":       1,
	}}
	a := start(t)
	// A machine that is busy enough makes a gateway's first, local attempt fail, which costs more. It never costs
	// less, so one quiet order of three shows the figure.
	var got cost
	for i := range 3 {
		got = a.costOf(fmt.Sprintf("cost-%d", i))
		if want.Bytes = got.Bytes; reflect.DeepEqual(want, got) {
			break
		}
	}
	require.Equal(t, want, got)
	require.Less(t, got.Bytes, int64(20_000), "facts are in every marker: their words belong into order.Facts.Page")
}

type cost struct {
	Events      map[string]int
	Actions     int
	Transitions int64
	Bytes       int64 // of its history
}

func (a *app) costOf(externalID string) cost {
	a.t.Helper()
	o := a.place(placement(externalID, "tok_ok"))
	require.NoError(a.t, a.pick(o))
	require.NoError(a.t, a.pack(o))
	require.NoError(a.t, a.ship(o))
	o = a.order(o.ID)
	for _, s := range []shipping.Tracking{shipping.PickedUp, shipping.InTransit, shipping.OutForDelivery, shipping.Delivered} {
		a.scan(o, s)
	}
	require.Equal(a.t, order.Completed, a.settled(o.ID).Status)
	return a.costOfRun("order/" + o.ID)
}

// costOfRun is what a run cost from its start to its end.
func (a *app) costOfRun(runID string) cost {
	a.t.Helper()
	a.over([]string{runID})
	events := a.historyOf(runID)
	got := cost{Events: map[string]int{}, Actions: bench.Actions(events)}
	for _, e := range events {
		got.Events[e.EventType.String()]++
	}
	d, err := a.client.DescribeWorkflowExecution(a.t.Context(), runID, "")
	require.NoError(a.t, err)
	got.Transitions, got.Bytes = d.WorkflowExecutionInfo.StateTransitionCount, d.WorkflowExecutionInfo.HistorySizeBytes
	return got
}

// What a return costs on top of its order, with everything on: asked for, approved, labeled, seen by the carrier
// four times, received, graded, paid back. It is a bound, and not a figure: the relay tells the run of the request, too,
// at its start or a moment later. Change it knowingly: it is a promise.
func TestCostOfAReturn(t *testing.T) {
	const events, actions, transitions = 46, 19, 10
	a := start(t)
	var got cost
	for i := range 3 {
		o := a.bought(placement(fmt.Sprintf("cost-of-return-%d", i), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		require.NoError(t, a.Runs.EnsureReturn(t.Context(), a.order(o.ID), b.id)) // as the API does, whatever the inbox does
		b.heard()
		b.approve()
		for _, s := range []shipping.Tracking{shipping.PickedUp, shipping.InTransit, shipping.OutForDelivery, shipping.Delivered} {
			b.scan(s)
			b.heard()
		}
		b.receive(2)
		b.inspect(2, returns.GradeA)
		b.settled(returns.Closed)
		got = a.costOfRun(b.run()[0])
		t.Logf("%d events, %d actions, %d transitions", got.sum(), got.Actions, got.Transitions)
		if got.sum() <= events && got.Actions <= actions && got.Transitions <= transitions {
			return
		}
	}
	t.Fatalf("%d events, %d actions, %d transitions: %v", got.sum(), got.Actions, got.Transitions, got.Events)
}

// heard waits until every news of the return has reached its run.
func (b back) heard() {
	b.a.t.Helper()
	require.Eventually(b.a.t, func() bool {
		return len(b.a.query(`SELECT 1 FROM inbox WHERE heard_at IS NULL AND order_id = $1`, b.orderID)) == 0
	}, 20*time.Second, 20*time.Millisecond)
}

func (c cost) sum() (events int) {
	for _, n := range c.Events {
		events += n
	}
	return events
}
