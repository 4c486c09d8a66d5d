package worker_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/worker"
)

// unanswered is a hold that nobody is going to answer in time.
func unanswered(then string) order.HoldRequest {
	by := act().At.Add(3 * time.Second)
	return order.HoldRequest{Reason: "fraud_review", Deadline: &by, OnDeadline: then}
}

var holdPaths = []path{
	{"held and released", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		hold := a.holdUp(o, "", order.HoldRequest{Reason: "fraud_review"})
		o = a.order(o.ID)
		require.Equal(t, order.WaitingOperator, o.WaitingFor)
		require.Equal(t, "on_hold", o.FulfillmentAxis)
		requireCode(t, a.pick(o), "order_on_hold")
		a.goOn(o, "", hold)
		a.serve(o, o.Fulfillments[0].ID)
		a.complete(o)
		return a.over(run(o))
	}},
	{"held when packed", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		f := o.Fulfillments[0].ID
		a.take(o, f)
		a.box(o, f)
		hold := a.holdUp(o, "", order.HoldRequest{Reason: "address_check", Blocks: []string{order.BlockShip}})
		requireCode(t, a.tryDispatch(o, f), "order_on_hold")
		a.goOn(o, "", hold)
		a.dispatch(o, f)
		a.complete(o)
		return a.over(run(o))
	}},
	{"held until its deadline, then released", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		a.holdUp(o, "", unanswered(order.OnDeadlineRelease))
		a.until(o.ID, "released", func(o *order.Order) bool { return !o.Holds[0].Active() })
		a.serve(o, o.Fulfillments[0].ID)
		a.complete(o)
		return a.over(run(o))
	}},
	{"held until its deadline, then cancelled", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		a.holdUp(o, "", unanswered(order.OnDeadlineCancel))
		o = a.settled(o.ID)
		require.Equal(t, order.Cancelled, o.Status)
		require.EqualValues(t, 4828, o.Payments[0].Voided)
		return a.over(run(o))
	}},
	{"held until its deadline, then a person is called", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		hold := a.holdUp(o, "", unanswered(order.OnDeadlineAttention))
		o = a.until(o.ID, "overdue", func(o *order.Order) bool { return o.AttentionCode != "" })
		require.Equal(t, order.AttentionHoldOverdue, o.AttentionCode)
		require.True(t, o.Holds[0].Active())
		require.NoError(t, a.resume(o))
		a.goOn(o, "", hold)
		require.Empty(t, a.order(o.ID).AttentionCode)
		a.serve(o, o.Fulfillments[0].ID)
		a.complete(o)
		return a.over(run(o))
	}},
	{"held before it is accepted", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_declined"))
		hold := a.holdUp(o, "", order.HoldRequest{Reason: "fraud_review"})
		require.NoError(t, a.pay(o, "tok_ok", "second"))
		o = a.answered(o)
		require.Equal(t, order.Received, o.Status, "paid, and no stock is given to it")
		a.goOn(o, "", hold)
		o = a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
		a.serve(o, o.Fulfillments[0].ID)
		a.complete(o)
		return a.over(run(o))
	}},
	{"held when it was imported", func(t *testing.T, a *app) []string {
		p := placement(t.Name(), "tok_ok")
		p.Holds = []order.PlacedHold{{Reason: order.HoldTotalsDiffer, Detail: "48.28 here, 48.27 there"}}
		o := a.place(p)
		require.Equal(t, order.DecisionHeld, o.Decision)
		require.Equal(t, order.WaitingOperator, o.WaitingFor)
		a.goOn(o, "", o.Holds[0].ID)
		o = a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
		a.serve(o, o.Fulfillments[0].ID)
		a.complete(o)
		return a.over(run(o))
	}},
	{"a fulfillment order held and released", func(t *testing.T, a *app) []string {
		a.stock("east", skuOf(t), 1)
		a.stock("west", skuOf(t), 1)
		o := a.place(on(t, order.OnShortageReject))
		require.Len(t, o.Fulfillments, 2)
		held, free := o.Fulfillments[0].ID, o.Fulfillments[1].ID
		hold := a.holdUp(o, held, order.HoldRequest{Reason: "stock_check"})
		require.Equal(t, order.FulfillmentOnHold, a.fulfillment(o, held).Status)
		a.serve(o, free)
		a.goOn(o, held, hold)
		a.serve(o, held)
		a.complete(o)
		return a.over(run(o))
	}},
	{"a fulfillment order held until its deadline, then cancelled", func(t *testing.T, a *app) []string {
		a.stock("east", skuOf(t), 1)
		a.stock("west", skuOf(t), 1)
		o := a.place(on(t, order.OnShortageReject))
		held, free := o.Fulfillments[0].ID, o.Fulfillments[1].ID
		a.holdUp(o, held, unanswered(order.OnDeadlineCancel))
		a.until(o.ID, "cancelled in part", func(o *order.Order) bool { return o.Lines[0].Cancelled == 1 })
		require.Equal(t, order.FulfillmentCancelled, a.fulfillment(o, held).Status)
		a.serve(o, free)
		o = a.complete(o)
		require.EqualValues(t, 2164, o.Payments[0].Voided)
		return a.over(run(o))
	}},
}

// A hold that comes while the gateway is being asked for the money: it is taken, and the parcel stays. The gate is
// the gateway's, which lets nobody through until the hold stands.
func TestPathsOfAHoldThatComesWhileTheMoneyIsTaken(t *testing.T) {
	t.Parallel()
	gate, shut := make(chan struct{}), atomic.Bool{}
	a := start(t, func(o *worker.Options) {
		o.Reached = func(point string) {
			if point == "Order/Capture/"+activities.BeforeEffect && shut.Load() {
				<-gate
			}
		}
	})
	o := a.place(placement(t.Name(), "tok_ok"))
	f := o.Fulfillments[0].ID
	a.take(o, f)
	a.box(o, f)
	shut.Store(true)
	shipped := make(chan error, 1)
	go func() { shipped <- a.tryDispatch(o, f) }()
	a.until(o.ID, "being shipped", func(o *order.Order) bool { return o.Shipments[0].ShipRequested })
	held := make(chan string, 1)
	go func() { held <- a.holdUp(o, "", order.HoldRequest{Reason: "fraud_review"}) }()
	a.until(o.ID, "held", func(o *order.Order) bool { return len(o.Holds) == 1 })
	shut.Store(false)
	close(gate)
	require.NoError(t, <-shipped)
	hold := <-held
	o = a.answered(o)
	require.EqualValues(t, 4828, o.Payments[0].Captured)
	require.Equal(t, order.ShipmentHeld, o.Shipments[0].Status)
	requireCode(t, a.tryDispatch(o, f), "order_on_hold")
	a.goOn(o, "", hold)
	o = a.dispatch(o, f)
	require.EqualValues(t, 4828, o.Payments[0].Captured, "taken once")
	a.scanAll(o, shipping.Delivered)
	require.Equal(t, order.Completed, a.settled(o.ID).Status)
	a.record("held while the money is taken", a.over(run(o)))
}
