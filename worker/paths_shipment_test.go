package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/workflows"
)

var shipmentPaths = []path{
	{"split over two locations", func(t *testing.T, a *app) []string {
		a.stock("east", "MUG", 1)
		a.stock("west", "MUG", 1)
		p := placement(t.Name(), "tok_ok")
		p.Lines[0].SKU = "MUG"
		o := a.place(p)
		require.Len(t, o.Fulfillments, 2)
		for i, f := range o.Fulfillments {
			c := func(name string) activities.Caller { return caller(o, name+f.ID) }
			require.NoError(t, a.command(o, workflows.UpdatePick, "pick"+f.ID, activities.PickCommand{Caller: c("pick"), FulfillmentID: f.ID, Lines: found(f)}))
			require.NoError(t, a.command(o, workflows.UpdatePack, "pack"+f.ID, activities.PackCommand{Caller: c("pack"), FulfillmentID: f.ID,
				Parcels: []order.Parcel{{WeightGrams: 300, Lines: units(f)}}}))
			require.NoError(t, a.command(o, workflows.UpdateShip, "ship"+f.ID, activities.ShipCommand{Caller: c("ship"), FulfillmentID: f.ID}))
			require.Equal(t, i+1, len(a.order(o.ID).Shipments))
		}
		o = a.order(o.ID)
		require.EqualValues(t, 2164+500, o.Shipments[0].Amount, "the first parcel carries the shipping")
		require.EqualValues(t, 2164, o.Shipments[1].Amount)
		require.EqualValues(t, 4828, o.Payments[0].Captured)
		for _, s := range o.Shipments {
			at := act()
			_, err := a.Store.Change(t.Context(), o.ID, nil, at, func(o *order.Order) error {
				return o.Scanned(s.ID, shipping.Scan{Status: shipping.Delivered, OccurredAt: at.At}, at)
			})
			require.NoError(t, err)
		}
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		return run(o)
	}},
	{"label refused, then cancelled", func(t *testing.T, a *app) []string {
		p := placement(t.Name(), "tok_ok")
		p.ShipTo.PostalCode = "00001"
		o := a.place(p)
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		o = a.order(o.ID)
		require.Equal(t, order.ShipmentLabelRefused, o.Shipments[0].Status)
		require.Equal(t, order.AttentionLabelRefused, o.AttentionCode)
		requireCode(t, a.ship(o), "nothing_to_ship")
		require.NoError(t, a.resume(o))
		o = a.order(o.ID)
		require.Equal(t, order.AttentionLabelRefused, o.AttentionCode, "asked again under a new key, and refused again")
		require.Len(t, o.Operations, 3)
		require.NoError(t, a.cancel(o))
		require.Equal(t, order.Cancelled, a.settled(o.ID).Status)
		return run(o)
	}},
	{"lost, then found", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.ship(o))
		o = a.order(o.ID)
		a.scan(o, shipping.Lost)
		require.Equal(t, order.AttentionParcelLost, a.order(o.ID).AttentionCode)
		a.scan(o, shipping.Delivered)
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		return run(o)
	}},
	{"lost", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		o = a.serve(o, o.Fulfillments[0].ID)
		a.scanAll(o, shipping.Lost)
		o = a.settled(o.ID)
		require.Equal(t, order.Completed, o.Status)
		require.Equal(t, order.AttentionParcelLost, o.AttentionCode, "somebody has to file a claim")
		require.EqualValues(t, 4828, o.Payments[0].Refunded, "with the shipping: nothing of the order arrived")
		return a.over(run(o))
	}},
	{"lost, and looked at when it was over", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		o = a.serve(o, o.Fulfillments[0].ID)
		a.scanAll(o, shipping.Lost)
		a.settled(o.ID)
		a.over(run(o))
		require.NoError(t, a.resume(o))
		require.Empty(t, a.order(o.ID).AttentionCode)
		requireCode(t, a.resume(o), "order_completed")
		return a.over(run(o))
	}},
	{"lost, and the refund refused until it is not", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_refund_refused"))
		o = a.serve(o, o.Fulfillments[0].ID)
		a.scanAll(o, shipping.Lost)
		o = a.until(o.ID, "refused, and asked again", func(o *order.Order) bool {
			op := o.Operation("refund/" + refundOf(o) + "/2")
			return op != nil && op.RetryAt != nil
		})
		require.False(t, o.Settled)
		require.Equal(t, order.RefundRefused, o.Refunds[0].Status)
		a.relent(o.ID)
		o = a.settled(o.ID)
		require.Equal(t, order.RefundSucceeded, o.Refunds[0].Status)
		require.EqualValues(t, 4828, o.Payments[0].Refunded)
		return a.over(run(o))
	}},
	{"lost, the refund settled by other means", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_refund_refused"))
		o = a.serve(o, o.Fulfillments[0].ID)
		a.scanAll(o, shipping.Lost)
		o = a.until(o.ID, "refused", func(o *order.Order) bool { return len(o.Refunds) == 1 && o.Refunds[0].Status == order.RefundRefused })
		require.NoError(t, a.command(o, workflows.UpdateSettleRefund, "settle", activities.RefundCommand{
			Caller: caller(o, "settle"), RefundID: refundOf(o), Reference: "transfer 4711"}))
		o = a.settled(o.ID)
		require.EqualValues(t, 4828, o.Payments[0].Refunded)
		return a.over(run(o))
	}},
	{"lost, and the refund asked for again by a person", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_refund_refused"))
		o = a.serve(o, o.Fulfillments[0].ID)
		a.scanAll(o, shipping.Lost)
		o = a.until(o.ID, "refused twice", func(o *order.Order) bool {
			op := o.Operation("refund/" + refundOf(o) + "/2")
			return op != nil && op.RetryAt != nil
		})
		a.relent(o.ID)
		require.NoError(t, a.resume(o))
		o = a.settled(o.ID)
		require.Equal(t, order.RefundSucceeded, o.Refunds[0].Status)
		return a.over(run(o))
	}},
	{"returned to its sender", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		o = a.serve(o, o.Fulfillments[0].ID)
		o = a.scanAll(o, shipping.ReturnToSender)
		require.Len(t, o.Returns, 1)
		require.Equal(t, order.OriginCarrier, o.Returns[0].Origin)
		b := back{a, o.ID, o.Returns[0].ID}
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		b.receive(2)
		b.inspect(2, returns.GradeA)
		b.settled(returns.Closed)
		require.EqualValues(t, 4328, a.refunded(o.ID))
		return a.over(append(run(o), b.run()...))
	}},
	{"on its way back, then delivered all the same", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		o = a.serve(o, o.Fulfillments[0].ID)
		o = a.scanAll(o, shipping.ReturnToSender)
		b := back{a, o.ID, o.Returns[0].ID}
		b.running()
		a.scan(o, shipping.Delivered)
		b.settled(returns.Cancelled)
		require.EqualValues(t, 2, a.order(o.ID).Lines[0].Delivered)
		return a.over(append(run(o), b.run()...))
	}},
}

// refundOf is the order's first refund, or nothing yet.
func refundOf(o *order.Order) string {
	if len(o.Refunds) == 0 {
		return ""
	}
	return o.Refunds[0].ID
}
