package worker_test

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
)

// some is a number of units of the order's first line.
func some(o *order.Order, quantity int64) []order.UnitsOf {
	return []order.UnitsOf{{LineID: o.Lines[0].ID, Quantity: quantity}}
}

func (a *app) cancelUnits(o *order.Order, key string, quantity int64) error {
	return a.command(o, workflows.UpdateCancel, key, activities.CancelCommand{Caller: caller(o, key), Reason: "one is enough",
		Lines: some(o, quantity)})
}

func (a *app) hold(o *order.Order, key string, r order.HoldRequest) error {
	return a.command(o, workflows.UpdateHold, key, activities.HoldCommand{Caller: caller(o, key), HoldRequest: r})
}

// letGo releases a hold on the whole order.
func (a *app) letGo(o *order.Order, key, holdID string) error {
	return a.command(o, workflows.UpdateReleaseHold, key, activities.ReleaseHoldCommand{Caller: caller(o, key), HoldID: holdID})
}

// findOne picks one unit for the order's first fulfillment order, and finds no other.
func (a *app) findOne(o *order.Order, key string) error {
	f := o.Fulfillments[0]
	return a.command(o, workflows.UpdatePick, key, activities.PickCommand{Caller: caller(o, key), FulfillmentID: f.ID,
		Lines: []order.PickedUnits{{LineID: f.Lines[0].LineID, Quantity: 1, Reason: order.ShortStockout}}})
}

// workOff does what is left for the warehouse to do for an order, under keys that begin with this one, until every unit
// of it has left or been cancelled. Who repeats it sends the same commands again.
func (a *app) workOff(o *order.Order, key string) {
	a.t.Helper()
	send := func(f order.Fulfillment, name string, build func(activities.Caller) any) {
		k := fmt.Sprint(key, name, f.Number)
		require.NoError(a.t, a.insist(func() error { return a.command(o, name, k, build(caller(o, k))) }), k)
		o = a.answered(o)
	}
	for i := range o.Fulfillments {
		if f := o.Fulfillments[i]; f.Status.Ended() {
			continue
		}
		if pick := left(o.Fulfillments[i], func(l order.FulfillmentLine) int64 { return l.Due() - l.Picked }); len(pick) > 0 {
			send(o.Fulfillments[i], workflows.UpdatePick, func(c activities.Caller) any {
				var taken []order.PickedUnits
				for _, u := range pick {
					taken = append(taken, order.PickedUnits{LineID: u.LineID, Quantity: u.Quantity})
				}
				return activities.PickCommand{Caller: c, FulfillmentID: o.Fulfillments[i].ID, Lines: taken}
			})
		}
		if box := left(o.Fulfillments[i], func(l order.FulfillmentLine) int64 { return l.Picked - l.Packed }); len(box) > 0 {
			send(o.Fulfillments[i], workflows.UpdatePack, func(c activities.Caller) any {
				return activities.PackCommand{Caller: c, FulfillmentID: o.Fulfillments[i].ID, Parcels: []order.Parcel{{WeightGrams: 500, Lines: box}}}
			})
		}
		if !o.Fulfillments[i].Status.Ended() {
			send(o.Fulfillments[i], workflows.UpdateShip, func(c activities.Caller) any {
				return activities.ShipCommand{Caller: c, FulfillmentID: o.Fulfillments[i].ID}
			})
		}
	}
}

// left is what is left of a fulfillment order's lines by some measure.
func left(f order.Fulfillment, of func(order.FulfillmentLine) int64) []order.UnitsOf {
	var found []order.UnitsOf
	for _, l := range f.Lines {
		if n := of(l); n > 0 {
			found = append(found, order.UnitsOf{LineID: l.LineID, Quantity: n})
		}
	}
	return found
}

// arrive has the carrier deliver every parcel that is on its way.
func (a *app) arrive(orderID string) {
	a.t.Helper()
	for _, s := range a.order(orderID).Shipments {
		if s.Status == order.ShipmentShipped {
			require.NoError(a.t, a.seen(orderID, s.ID, shipping.Delivered, time.Now()))
		}
	}
}

// seen notes a carrier's scan of a parcel.
func (a *app) seen(orderID, shipmentID string, status shipping.Tracking, at time.Time) error {
	by := act()
	_, err := a.Store.Change(a.t.Context(), orderID, nil, by, func(o *order.Order) error {
		return o.Scanned(shipmentID, shipping.Scan{Status: status, OccurredAt: at.UTC().Truncate(time.Microsecond)}, by)
	})
	return err
}

// home takes an accepted order to the customer.
func (a *app) home(o *order.Order) *order.Order {
	a.t.Helper()
	a.workOff(o, "work")
	a.arrive(o.ID)
	return a.settled(o.ID)
}

// announce says that units of the order's first line come back, under a key, as the API does: by a command of the store, which
// names the return. It returns the id of the key's return.
func (a *app) announce(o *order.Order, key string, quantity int64) (returnID string, err error) {
	key += "/" + o.ID
	by := act()
	cmd := &store.Command{Key: key, Name: "request_return", Subject: id.New(id.Return), Fingerprint: key}
	by.NewID = func(prefix string) string {
		if prefix == id.Return {
			return cmd.Subject
		}
		return id.New(prefix)
	}
	if _, err = a.Store.Change(a.t.Context(), o.ID, cmd, by, func(o *order.Order) error {
		_, err := o.RequestReturn(order.ReturnRequest{Lines: []order.ReturnedUnits{
			{LineID: o.Lines[0].ID, Quantity: quantity, Reason: returns.ChangedMind}}}, by)
		return err
	}); err != nil {
		return "", err
	}
	done, found, err := a.Store.CommandDone(a.t.Context(), key)
	if err == nil && !found {
		err = fault.NotFoundf("the command was forgotten")
	}
	return done.Subject, err
}

// announced announces two units as coming back.
func (a *app) announced(o *order.Order) *order.Return {
	a.t.Helper()
	returnID, err := a.announce(o, "back", 2)
	require.NoError(a.t, err)
	return a.order(o.ID).Return(returnID)
}

// ofReturn sends a command to a return under a key of its own. Update tells apart what shares a key.
func (a *app) ofReturn(o *order.Order, returnID, name, update, key string, build func(activities.Caller) any) error {
	c := activities.Caller{On: activities.On{OrderID: o.ID, ReturnID: returnID}, Key: key + "/" + returnID, Fingerprint: key, Actor: "test"}
	_, err := a.Runs.Command(a.within(30*time.Second), order.ReturnRef{OrderID: o.ID, ReturnID: returnID}, name, update+"/"+returnID, build(c), a.load(o.ID))
	return err
}

// The commands of a return, by the name under which a run takes them.
var onReturn = map[string]func(o *order.Order, c activities.Caller) any{
	workflows.UpdateApprove: func(_ *order.Order, c activities.Caller) any { return activities.ReturnApproval{Caller: c} },
	workflows.UpdateDecline: func(_ *order.Order, c activities.Caller) any {
		return activities.ReturnRefusal{Caller: c, Reason: "worn"}
	},
	workflows.UpdateCancel: func(_ *order.Order, c activities.Caller) any {
		return activities.ReturnCancellation{Caller: c, Reason: "kept after all"}
	},
	workflows.UpdateReceive: func(o *order.Order, c activities.Caller) any {
		return activities.ReturnReceipt{Caller: c, ReceivedItems: order.ReceivedItems{Lines: some(o, 2)}}
	},
	workflows.UpdateInspect: func(o *order.Order, c activities.Caller) any {
		return activities.ReturnInspection{Caller: c, Lines: []order.InspectedUnits{
			{LineID: o.Lines[0].ID, Quantity: 2, Grade: returns.GradeA}}}
	},
	workflows.UpdateResume: func(_ *order.Order, c activities.Caller) any { return activities.ResumeCommand{Caller: c} },
	workflows.UpdateSettleRefund: func(o *order.Order, c activities.Caller) any {
		return activities.RefundCommand{Caller: c, RefundID: o.Refunds[0].ID, Reference: "transfer 4711"}
	},
}

// tell sends one of the commands of a return and insists on its answer.
func (a *app) tell(o *order.Order, returnID, name string) error {
	a.t.Helper()
	return a.insist(func() error {
		return a.ofReturn(o, returnID, name, name, name, func(c activities.Caller) any { return onReturn[name](o, c) })
	})
}

// through takes a return through some commands.
func (a *app) through(o *order.Order, returnID string, names ...string) {
	a.t.Helper()
	for _, name := range names {
		require.NoError(a.t, a.tell(o, returnID, name), name)
	}
}

// returned waits until nothing is left to be done for a return.
func (a *app) returned(o *order.Order, returnID string) *order.Return {
	a.t.Helper()
	return a.until(o.ID, "settled, with its return", func(o *order.Order) bool {
		return o.Settled && o.Return(returnID).Settled
	}).Return(returnID)
}
