package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
)

// short is what a picker says who brings less than he was asked for.
func short(o *order.Order, found int64, reason string) order.PickedUnits {
	return order.PickedUnits{LineID: o.Lines[0].ID, Quantity: found, Reason: reason}
}

var pickPaths = []path{
	{"short pick, had from another location", func(t *testing.T, a *app) []string {
		a.stock("east", skuOf(t), 2)
		a.stock("west", skuOf(t), 2)
		o := a.place(on(t, order.OnShortageReject))
		first := o.Fulfillments[0]
		require.NoError(t, a.pickUnits(o, first.ID, short(o, 1, order.ShortCouldNotLocate)))
		o = a.answered(o)
		require.Len(t, o.Fulfillments, 2, "the command answers when the remedy is known")
		require.NotEqual(t, first.LocationID, o.Fulfillments[1].LocationID)
		a.box(o, first.ID)
		a.dispatch(o, first.ID)
		require.Equal(t, order.FulfillmentIncomplete, a.order(o.ID).Fulfillments[0].Status)
		a.serve(o, o.Fulfillments[1].ID)
		o = a.complete(o)
		require.EqualValues(t, 4828, o.Payments[0].Captured)
		return a.over(run(o))
	}},
	{"short pick, backordered and granted", func(t *testing.T, a *app) []string {
		a.stock("nyc", skuOf(t), 2)
		o := a.place(on(t, order.OnShortageBackorder))
		require.NoError(t, a.pickUnits(o, o.Fulfillments[0].ID, short(o, 1, order.ShortStockout)))
		o = a.answered(o)
		require.EqualValues(t, 1, o.Lines[0].Backordered)
		a.box(o, o.Fulfillments[0].ID)
		a.dispatch(o, o.Fulfillments[0].ID)
		a.stock("nyc", skuOf(t), 1)
		o = a.granted(o, 2)
		a.serve(o, o.Fulfillments[1].ID)
		a.complete(o)
		return a.over(run(o))
	}},
	{"short pick, and the units cancelled", func(t *testing.T, a *app) []string {
		a.stock("nyc", skuOf(t), 2)
		o := a.place(on(t, order.OnShortageReject))
		require.NoError(t, a.pickUnits(o, o.Fulfillments[0].ID, short(o, 1, order.ShortDamaged)))
		o = a.answered(o)
		require.EqualValues(t, 1, o.Lines[0].Cancelled)
		a.box(o, o.Fulfillments[0].ID)
		a.dispatch(o, o.Fulfillments[0].ID)
		o = a.complete(o)
		require.EqualValues(t, 2164+500, o.Payments[0].Captured)
		require.EqualValues(t, 2164, o.Payments[0].Voided)
		return a.over(run(o))
	}},
	{"short pick of everything", func(t *testing.T, a *app) []string {
		a.stock("nyc", skuOf(t), 2)
		o := a.place(on(t, order.OnShortageReject))
		require.NoError(t, a.pickUnits(o, o.Fulfillments[0].ID, short(o, 0, order.ShortStockout)))
		o = a.settled(o.ID)
		require.Equal(t, order.Cancelled, o.Status)
		require.EqualValues(t, 4828, o.Payments[0].Voided)
		return a.over(run(o))
	}},
}
