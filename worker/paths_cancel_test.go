package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

var cancelPaths = []path{
	{"cancelled when accepted", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		require.NoError(t, a.cancel(o))
		o = a.settled(o.ID)
		require.Equal(t, order.Cancelled, o.Status)
		require.EqualValues(t, 4828, o.Payments[0].Voided)
		return run(o)
	}},
	{"cancelled when packed", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.cancel(o))
		o = a.settled(o.ID)
		require.Equal(t, order.ShipmentCancelled, o.Shipments[0].Status)
		require.Len(t, o.Operations, 4, "authorize, label, and both taken back")
		return run(o)
	}},
	{"cancelled when held", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_capture_refused"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.ship(o))
		require.NoError(t, a.cancel(o))
		o = a.settled(o.ID)
		require.EqualValues(t, 4828, o.Payments[0].Voided)
		return run(o)
	}},
	{"cancelled too late", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.ship(o))
		requireCode(t, a.cancel(o), "already_shipped")
		a.scan(a.order(o.ID), shipping.Delivered)
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		return run(o)
	}},
	{"units cancelled before they are picked", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		a.dropUnits(o, order.UnitsOf{LineID: o.Lines[0].ID, Quantity: 1})
		a.serve(o, o.Fulfillments[0].ID)
		o = a.complete(o)
		require.EqualValues(t, 1, o.Lines[0].Cancelled)
		require.EqualValues(t, 2164+500, o.Payments[0].Captured)
		require.EqualValues(t, 2164, o.Payments[0].Voided)
		return a.over(run(o))
	}},
	{"units cancelled out of a packed parcel", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		f := o.Fulfillments[0].ID
		a.take(o, f)
		a.box(o, f)
		a.dropUnits(o, order.UnitsOf{LineID: o.Lines[0].ID, Quantity: 1})
		o = a.answered(o)
		require.Equal(t, order.ShipmentCancelled, o.Shipments[0].Status, "unpacked, and what is left is packed again")
		a.box(o, f)
		a.dispatch(o, f)
		o = a.complete(o)
		require.Len(t, o.Shipments, 2)
		require.EqualValues(t, 2164+500, o.Payments[0].Captured)
		return a.over(run(o))
	}},
	{"units cancelled of what was paid elsewhere", func(t *testing.T, a *app) []string {
		p := placement(t.Name(), "paid:elsewhere-2")
		p.Payment.Gateway = "external"
		o := a.place(p)
		a.dropUnits(o, order.UnitsOf{LineID: o.Lines[0].ID, Quantity: 1})
		o = a.answered(o)
		require.Equal(t, order.AttentionRefundRefused, o.AttentionCode, "what was paid elsewhere is given back there")
		a.serve(o, o.Fulfillments[0].ID)
		a.scanAll(o, shipping.Delivered)
		o = a.until(o.ID, "completed, and asked again in vain", func(o *order.Order) bool {
			again := o.Operation("refund/" + refundOf(o) + "/2")
			return o.Status == order.Completed && again != nil && again.RetryAt != nil
		})
		require.EqualValues(t, "refused", o.Operation("refund/"+o.Refunds[0].ID+"/2").State)
		return run(o)
	}},
	{"cancelled line by line", func(t *testing.T, a *app) []string {
		p := placement(t.Name(), "tok_ok")
		p.Lines = append(p.Lines, order.PlacedLine{ExternalID: "2", SKU: "TEE-M", Quantity: 1, UnitPrice: 1000})
		p.Total += 1000
		o := a.place(p)
		for _, l := range o.Lines {
			require.Equal(t, order.Accepted, a.order(o.ID).Status)
			a.dropUnits(o, order.UnitsOf{LineID: l.ID, Quantity: l.Quantity})
		}
		o = a.settled(o.ID)
		require.Equal(t, order.Cancelled, o.Status)
		require.EqualValues(t, 5828, o.Payments[0].Voided, "with the shipping")
		return a.over(run(o))
	}},
	{"the rest cancelled after a parcel left", func(t *testing.T, a *app) []string {
		a.stock("east", skuOf(t), 1)
		a.stock("west", skuOf(t), 1)
		o := a.place(on(t, order.OnShortageReject))
		require.Len(t, o.Fulfillments, 2)
		a.serve(o, o.Fulfillments[0].ID)
		requireCode(t, a.cancel(o), "already_shipped")
		a.dropUnits(o, order.UnitsOf{LineID: o.Lines[0].ID, Quantity: 1})
		o = a.complete(o)
		require.Equal(t, order.FulfillmentCancelled, o.Fulfillments[1].Status)
		require.EqualValues(t, 2164, o.Payments[0].Voided)
		return a.over(run(o))
	}},
}
