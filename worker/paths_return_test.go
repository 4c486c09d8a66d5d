package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// livesAt makes a postal code the customer's, for what is bought from now on. The code decides what the carrier says.
func (a *app) livesAt(orderID, postalCode string) {
	a.t.Helper()
	a.query(`UPDATE orders SET ship_to = jsonb_set(ship_to, '{postal_code}', to_jsonb($2::text)), version = version + 1 WHERE id = $1`, orderID, postalCode)
}

var returnPaths = []path{
	{"returned", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		require.NotEmpty(t, b.labeled().TrackingNumber)
		b.scan(shipping.InTransit)
		require.Equal(t, returns.InTransit, b.now().Status)
		b.scan(shipping.Delivered)
		b.receive(2)
		require.Equal(t, order.WaitingWarehouse, b.now().WaitingFor)
		b.inspect(2, returns.GradeA)
		b.settled(returns.Closed)
		require.EqualValues(t, 4328, a.refunded(o.ID), "the goods, not the shipping")
		return a.over(b.run())
	}},
	{"returned in two parcels, one unit missing, and something else in them", func(t *testing.T, a *app) []string {
		p := placement(t.Name(), "tok_ok")
		p.Lines[0].Quantity, p.Total = 3, p.Total+1999
		o := a.bought(p)
		b := a.sendBack(o, 3, returns.DoesNotFit)
		b.approve()
		b.receive(1, order.SKUUnits{SKU: "SOCKS", Quantity: 1})
		require.Equal(t, order.AttentionReturnUnexpected, b.now().AttentionCode)
		b.inspect(1, returns.GradeA)
		require.Equal(t, returns.Received, b.now().Status, "the rest is expected")
		b.resume()
		require.Empty(t, b.now().AttentionCode)
		b.receive(1)
		b.inspectUnits(order.InspectedUnits{LineID: b.line(), Quantity: 1, Grade: returns.GradeA},
			order.InspectedUnits{LineID: b.line(), Quantity: 1, Grade: returns.GradeX})
		r := b.settled(returns.Closed)
		require.EqualValues(t, 1, r.Lines[0].Dismissed)
		require.EqualValues(t, 2, a.order(o.ID).Lines[0].Returned)
		require.Len(t, a.order(o.ID).Refunds, 2)
		return a.over(b.run())
	}},
	{"returned, one unit in each of two returns", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b, c := a.sendBack(o, 1, returns.ChangedMind), a.sendBack(o, 1, returns.ChangedMind)
		for _, r := range []back{b, c} {
			r.approve()
			r.receive(1)
		}
		for _, r := range []back{c, b} {
			r.inspect(1, returns.GradeA)
			r.settled(returns.Closed)
		}
		require.EqualValues(t, 4328, a.refunded(o.ID))
		return a.over(append(b.run(), c.run()...))
	}},
	{"returned before the rest was shipped", func(t *testing.T, a *app) []string {
		a.stock("nyc", skuOf(t), 1)
		o := a.place(on(t, order.OnShortageBackorder))
		a.serve(o, o.Fulfillments[0].ID)
		o = a.scanAll(o, shipping.Delivered)
		b := a.sendBack(o, 1, returns.Defective)
		b.approve()
		b.receive(1)
		b.inspect(1, returns.GradeD)
		b.settled(returns.Closed)
		require.EqualValues(t, 2164, a.refunded(o.ID), "our fault: in full, whatever the grade")
		a.stock("nyc", skuOf(t), 1)
		o = a.granted(o, 2)
		a.serve(o, o.Fulfillments[1].ID)
		o = a.complete(o)
		require.EqualValues(t, 4828, o.Payments[0].Captured)
		return a.over(append(run(o), b.run()...))
	}},
	{"returned, declined", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.decline("worn")
		b.settled(returns.Declined)
		require.Zero(t, a.order(o.ID).Lines[0].ReturnRequested)
		return a.over(b.run())
	}},
	{"returned, cancelled", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.labeled()
		b.cancel()
		b.settled(returns.Cancelled)
		require.EqualValues(t, "succeeded", a.order(o.ID).Operation("void_label/"+b.id).State)
		return a.over(b.run())
	}},
	{"returned, cancelled, and the label cannot be voided", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		a.livesAt(o.ID, "00011")
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.labeled()
		b.cancel()
		r := b.settled(returns.Cancelled)
		require.Equal(t, order.AttentionLabelVoidRefused, r.AttentionCode)
		a.over(b.run())
		b.resume()
		b.until("refused again", func(r *order.Return) bool { return r.Settled && r.AttentionCode != "" })
		require.EqualValues(t, "refused", a.order(o.ID).Operation("void_label/"+b.id+"/2").State)
		return a.over(b.run())
	}},
	{"returned, the label's answer lost", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		a.livesAt(o.ID, "00003")
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.labeled()
		b.receive(2)
		b.inspect(2, returns.GradeA)
		b.settled(returns.Closed)
		return a.over(b.run())
	}},
	{"returned, the label refused, then resumed", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		a.livesAt(o.ID, "00001")
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		r := b.until("refused its label", func(r *order.Return) bool { return r.LabelCode != "" })
		require.Equal(t, order.AttentionLabelRefused, r.AttentionCode)
		require.Empty(t, a.order(o.ID).AttentionCode, "the return's trouble, not the order's")
		a.livesAt(o.ID, "94107")
		b.resume()
		require.Empty(t, b.labeled().AttentionCode)
		b.receive(2)
		b.inspect(2, returns.GradeA)
		b.settled(returns.Closed)
		return a.over(b.run())
	}},
	{"returned, returnless", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.Damaged)
		b.approveReturnless()
		b.settled(returns.Closed)
		require.EqualValues(t, 4328, a.refunded(o.ID))
		require.Zero(t, a.order(o.ID).Lines[0].Returned, "the customer keeps the goods")
		return a.over(b.run())
	}},
	{"returned, auto-approved", func(t *testing.T, a *app) []string {
		o := a.promised(placement(t.Name(), "tok_ok"), func(p *returns.Policy) { p.AutoApprove = true })
		a.delivered(o)
		b := a.sendBack(a.order(o.ID), 2, returns.ChangedMind)
		b.labeled()
		b.receive(2)
		b.inspect(2, returns.GradeA)
		b.settled(returns.Closed)
		return a.over(b.run())
	}},
	{"returned, auto-approved and returnless", func(t *testing.T, a *app) []string {
		o := a.promised(placement(t.Name(), "tok_ok"), func(p *returns.Policy) {
			p.AutoApprove, p.ReturnlessUpTo = true, map[string]int64{"USD": 5000}
		})
		a.delivered(o)
		b := a.sendBack(a.order(o.ID), 2, returns.ChangedMind)
		b.settled(returns.Closed)
		require.EqualValues(t, 4328, a.refunded(o.ID))
		return a.over(b.run())
	}},
	{"returned, lost on its way back", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.labeled()
		b.scan(shipping.Lost)
		require.Equal(t, order.AttentionParcelLost, b.now().AttentionCode)
		b.resume()
		b.overdue()
		b.settled(returns.Expired)
		return a.over(b.run())
	}},
}
