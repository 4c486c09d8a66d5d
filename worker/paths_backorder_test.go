package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// granted waits until an order has so many fulfillment orders, and returns it.
func (a *app) granted(o *order.Order, fulfillments int) *order.Order {
	a.t.Helper()
	return a.until(o.ID, "granted", func(o *order.Order) bool { return len(o.Fulfillments) == fulfillments && o.Lines[0].Backordered == 0 })
}

var backorderPaths = []path{
	{"backordered, then granted", func(t *testing.T, a *app) []string {
		o := a.place(on(t, order.OnShortageBackorder))
		require.Equal(t, order.Accepted, o.Status)
		require.Equal(t, order.WaitingStock, o.WaitingFor)
		require.Equal(t, "scheduled", o.FulfillmentAxis)
		require.EqualValues(t, 2, o.Lines[0].Backordered)
		a.stock("nyc", skuOf(t), 5)
		o = a.granted(o, 1)
		require.Equal(t, order.WaitingWarehouse, o.WaitingFor)
		a.serve(o, o.Fulfillments[0].ID)
		o = a.complete(o)
		require.EqualValues(t, 4828, o.Payments[0].Captured)
		return a.over(run(o))
	}},
	{"backordered in part, shipped twice", func(t *testing.T, a *app) []string {
		a.stock("nyc", skuOf(t), 1)
		o := a.place(on(t, order.OnShortageBackorder))
		require.Len(t, o.Fulfillments, 1)
		require.EqualValues(t, 1, o.Lines[0].Backordered)
		o = a.serve(o, o.Fulfillments[0].ID)
		require.EqualValues(t, 2164+500, o.Payments[0].Captured)
		require.Equal(t, order.WaitingStock, o.WaitingFor)
		a.scanAll(o, shipping.Delivered)
		a.stock("nyc", skuOf(t), 1)
		o = a.granted(o, 2)
		o = a.serve(o, o.Fulfillments[1].ID)
		require.EqualValues(t, 4828, o.Payments[0].Captured, "one capture per parcel, on one hold")
		a.complete(o)
		return a.over(run(o))
	}},
	{"backordered in part, the rest cancelled", func(t *testing.T, a *app) []string {
		a.stock("nyc", skuOf(t), 1)
		o := a.place(on(t, order.OnShortageBackorder))
		a.serve(o, o.Fulfillments[0].ID)
		a.dropUnits(o, order.UnitsOf{LineID: o.Lines[0].ID, Quantity: 1})
		o = a.complete(o)
		require.EqualValues(t, 2164+500, o.Payments[0].Captured)
		require.EqualValues(t, 2164, o.Payments[0].Voided)
		return a.over(run(o))
	}},
	{"backordered, and cancelled", func(t *testing.T, a *app) []string {
		o := a.place(on(t, order.OnShortageBackorder))
		require.NoError(t, a.cancel(o))
		require.Equal(t, order.Cancelled, a.settled(o.ID).Status)
		a.stock("nyc", skuOf(t), 2)
		require.Empty(t, a.order(o.ID).Fulfillments)
		return a.over(run(o))
	}},
	{"backordered, and the promise is broken", func(t *testing.T, a *app) []string {
		p, by := on(t, order.OnShortageBackorder), act().At.Add(3*time.Second)
		p.PromisedAt = &by
		o := a.place(p)
		require.Equal(t, order.WaitingStock, o.WaitingFor)
		o = a.until(o.ID, "overdue", func(o *order.Order) bool { return o.AttentionCode != "" })
		require.Equal(t, order.AttentionBackorderOverdue, o.AttentionCode)
		a.stock("nyc", skuOf(t), 2)
		o = a.granted(o, 1)
		require.Empty(t, o.AttentionCode, "nobody has to ask any more")
		a.serve(o, o.Fulfillments[0].ID)
		a.complete(o)
		return a.over(run(o))
	}},
	{"in part", func(t *testing.T, a *app) []string {
		a.stock("nyc", skuOf(t), 1)
		o := a.place(on(t, order.OnShortagePartial))
		require.Equal(t, order.Accepted, o.Status)
		require.EqualValues(t, 1, o.Lines[0].Cancelled)
		a.serve(o, o.Fulfillments[0].ID)
		o = a.complete(o)
		require.EqualValues(t, 2164+500, o.Payments[0].Captured)
		require.EqualValues(t, 2164, o.Payments[0].Voided)
		return a.over(run(o))
	}},
}
