package worker_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/workflows"
)

// A run that has grown too long goes on as another with an empty history, in the middle of whatever it waits for. A
// server that thinks little of long histories makes it happen every few commands.
func TestPathsOfRunsThatGrowTooLong(t *testing.T) {
	t.Parallel()
	forgetful, err := devstack.StartTemporal(context.WithoutCancel(t.Context()), devstack.TemporalOptions{Ephemeral: true, Headless: true,
		SearchAttributes: workflows.SearchAttributes(), DynamicConfig: map[string]string{"limit.historyCount.suggestContinueAsNew": "20"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, forgetful.Stop()) })
	a := startOn(t, forgetful.Address)
	a.stock("nyc", "TEE-M", 100)

	o := a.place(placement(t.Name(), "tok_ok"))
	first := a.runID(o.ID)
	for range 3 {
		a.goOn(o, "", a.holdUp(o, "", order.HoldRequest{Reason: "fraud_review"}))
	}
	require.NotEqual(t, first, a.runID(o.ID), "another run goes on")
	a.serve(o, o.Fulfillments[0].ID)
	o = a.complete(o)
	require.Len(t, o.Operations, 3, "nothing was asked for twice: authorize, label, capture")
	a.renewed("grown too long", workflows.WorkflowID(o.ID), first)

	b := a.sendBack(o, 2, returns.ChangedMind)
	b.approve()
	b.labeled()
	first = b.runID()
	for i := range 5 {
		b.receive(0, order.SKUUnits{SKU: "SOCKS", Quantity: int64(i) + 1})
		b.resume()
	}
	require.NotEqual(t, first, b.runID(), "another run goes on")
	b.scan(shipping.Delivered)
	b.receive(2)
	b.inspect(2, returns.GradeA)
	b.settled(returns.Closed)
	require.EqualValues(t, 4328, a.refunded(o.ID))
	a.renewed("grown too long return", workflows.ReturnWorkflowID(b.id), first)
	a.books()
}

// renewed records the run that ended because it had grown too long, and the newest that went on.
func (a *app) renewed(title, workflowID, first string) {
	a.t.Helper()
	a.over([]string{workflowID})
	var events []*historypb.HistoryEvent
	it := a.client.GetWorkflowHistory(a.within(20*time.Second), workflowID, first, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		require.NoError(a.t, err)
		events = append(events, e)
	}
	require.Equal(a.t, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, events[len(events)-1].EventType)
	a.keep(title, func() []*historypb.HistoryEvent { return events })
	a.keep(title+", gone on", func() []*historypb.HistoryEvent { return a.historyOf(workflowID) })
}
