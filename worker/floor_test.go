package worker_test

import (
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/workflows"
)

// The floor works on one fulfillment order, as it stands, and says everything once: every command has a new key.

func (a *app) fulfillment(o *order.Order, fulfillmentID string) *order.Fulfillment {
	a.t.Helper()
	f := a.order(o.ID).Fulfillment(fulfillmentID)
	require.NotNil(a.t, f)
	return f
}

// take picks what is left to pick.
func (a *app) take(o *order.Order, fulfillmentID string) {
	a.t.Helper()
	var lines []order.PickedUnits
	for _, l := range a.fulfillment(o, fulfillmentID).Lines {
		if n := l.Due() - l.Picked; n > 0 {
			lines = append(lines, order.PickedUnits{LineID: l.LineID, Quantity: n})
		}
	}
	require.NoError(a.t, a.pickUnits(o, fulfillmentID, lines...))
}

func (a *app) pickUnits(o *order.Order, fulfillmentID string, lines ...order.PickedUnits) error {
	a.t.Helper()
	key := id.New("pick")
	return a.command(o, workflows.UpdatePick, key, activities.PickCommand{Caller: caller(o, key), FulfillmentID: fulfillmentID, Lines: lines})
}

// box packs what is picked into one parcel, and waits for its label.
func (a *app) box(o *order.Order, fulfillmentID string) *order.Order {
	a.t.Helper()
	parcel, key := order.Parcel{WeightGrams: 500}, id.New("pack")
	for _, l := range a.fulfillment(o, fulfillmentID).Lines {
		if n := l.Picked - l.Packed; n > 0 {
			parcel.Lines = append(parcel.Lines, order.UnitsOf{LineID: l.LineID, Quantity: n})
		}
	}
	require.NoError(a.t, a.command(o, workflows.UpdatePack, key,
		activities.PackCommand{Caller: caller(o, key), FulfillmentID: fulfillmentID, Parcels: []order.Parcel{parcel}}))
	return a.answered(o)
}

// dispatch ships what is packed, and waits until somebody has it or said no.
func (a *app) dispatch(o *order.Order, fulfillmentID string) *order.Order {
	a.t.Helper()
	require.NoError(a.t, a.tryDispatch(o, fulfillmentID))
	return a.answered(o)
}

func (a *app) tryDispatch(o *order.Order, fulfillmentID string) error {
	a.t.Helper()
	key := id.New("ship")
	return a.command(o, workflows.UpdateShip, key, activities.ShipCommand{Caller: caller(o, key), FulfillmentID: fulfillmentID})
}

// serve takes a fulfillment order from its shelf to the carrier.
func (a *app) serve(o *order.Order, fulfillmentID string) *order.Order {
	a.t.Helper()
	a.take(o, fulfillmentID)
	a.box(o, fulfillmentID)
	return a.dispatch(o, fulfillmentID)
}

// scanAll is a scan of every parcel that is on its way.
func (a *app) scanAll(o *order.Order, status shipping.Tracking) *order.Order {
	a.t.Helper()
	at := act()
	o, err := a.Store.Change(a.t.Context(), o.ID, nil, at, func(o *order.Order) error {
		for _, s := range o.Shipments {
			if s.Status != order.ShipmentShipped {
				continue
			}
			if err := o.Scanned(s.ID, shipping.Scan{Status: status, OccurredAt: at.At}, at); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(a.t, err)
	return o
}

// complete delivers what is on its way and waits for the end.
func (a *app) complete(o *order.Order) *order.Order {
	a.t.Helper()
	a.scanAll(o, shipping.Delivered)
	o = a.settled(o.ID)
	require.Equal(a.t, order.Completed, o.Status)
	return o
}

func (a *app) dropUnits(o *order.Order, units ...order.UnitsOf) {
	a.t.Helper()
	key := id.New("cancel")
	require.NoError(a.t, a.command(o, workflows.UpdateCancel, key,
		activities.CancelCommand{Caller: caller(o, key), Reason: "not wanted", Lines: units}))
}

// holdUp holds an order, or with an id one of its fulfillment orders, and returns the hold's id.
func (a *app) holdUp(o *order.Order, fulfillmentID string, r order.HoldRequest) string {
	a.t.Helper()
	key := id.New("hold")
	require.NoError(a.t, a.command(o, workflows.UpdateHold, key,
		activities.HoldCommand{Caller: caller(o, key), FulfillmentID: fulfillmentID, HoldRequest: r}))
	holds := a.order(o.ID).Holds
	return holds[len(holds)-1].ID
}

func (a *app) goOn(o *order.Order, fulfillmentID, holdID string) {
	a.t.Helper()
	require.NoError(a.t, a.command(o, workflows.UpdateReleaseHold, "release "+holdID,
		activities.ReleaseHoldCommand{Caller: caller(o, "release "+holdID), FulfillmentID: fulfillmentID, HoldID: holdID}))
}
