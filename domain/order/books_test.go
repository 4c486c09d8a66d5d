package order_test

import (
	"bytes"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/lifecycle"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// verify checks what must hold of an order and its books after every single decision.
func (w *world) verify(before *order.Order) {
	w.verifyMoves(before)
	w.verifyLines()
	w.verifyUnits()
	w.verifyParcels()
	w.verifyStock()
	w.verifyReturns()
	w.verifyPayments()
	w.verifyCredits()
	w.verifyRefunds()
	w.verifyOperations()
	w.verifyWorth()
	w.verifyTimeline()
	w.verifyProjection()
	w.verifyWaiting()
	w.verifyEnd()
	w.verifyPrivacy()
}

// legal asserts that a status stayed or went along so many edges at most, which one decision may take.
func legal[S ~string](w *world, edges []lifecycle.Edge[S], most int, subject string, from, to S) {
	at := map[S]bool{from: true}
	for range most {
		next := map[S]bool{}
		for _, e := range edges {
			for s := range at {
				next[s] = true
				next[e.To] = next[e.To] || e.Allows(s)
			}
		}
		at = next
	}
	require.True(w.t, at[to], "no such edge: %s: %s → %s", subject, from, to)
}

func (w *world) verifyMoves(before *order.Order) {
	if before == nil {
		return
	}
	legal(w, order.Edges(), 1, "order", before.Status, w.o.Status)
	for _, was := range before.Fulfillments {
		legal(w, order.FulfillmentEdges(), 2, was.ID, was.Status, w.o.Fulfillment(was.ID).Status)
	}
	for _, was := range before.Shipments {
		legal(w, order.ShipmentEdges(), 1, was.ID, was.Status, w.o.Shipment(was.ID).Status)
	}
	for _, was := range before.Payments {
		if w.o.Decision == order.DecisionShort && w.o.Status == order.Rejected && len(w.o.Payments) == 0 {
			continue // turned away at once: forgotten
		}
		legal(w, order.PaymentEdges(), 1, was.ID, was.Status, w.o.Payment(was.ID).Status)
	}
	for _, was := range before.Refunds {
		legal(w, order.RefundEdges(), 1, was.ID, was.Status, w.o.Refund(was.ID).Status)
	}
	for _, was := range before.Returns {
		legal(w, returns.Edges(), 3, was.ID, was.Status, w.o.Return(was.ID).Status)
	}
	require.Equal(w.t, before.Total, w.o.Total, "the total never changes")
	if before.Decision != order.Undecided {
		require.Equal(w.t, before.Decision, w.o.Decision, "the decision is given once")
	}
	for i, l := range before.Lines {
		now := w.o.Lines[i]
		require.Equal(w.t, []any{l.ID, l.Quantity, l.UnitPrice, l.Units}, []any{now.ID, now.Quantity, now.UnitPrice, now.Units})
		require.LessOrEqual(w.t, l.Shipped, now.Shipped)
		require.LessOrEqual(w.t, l.Cancelled, now.Cancelled)
		require.LessOrEqual(w.t, l.Delivered, now.Delivered)
		require.LessOrEqual(w.t, l.Returned, now.Returned)
		require.LessOrEqual(w.t, l.Credited, now.Credited)
		require.LessOrEqual(w.t, l.Refunded, now.Refunded)
	}
}

func (w *world) verifyParcels() {
	carrying := 0
	for i, s := range w.o.Shipments {
		require.Equal(w.t, i+1, s.Number)
		require.NotEmpty(w.t, s.Lines)
		left := slices.Contains([]order.ShipmentStatus{order.ShipmentShipped, order.ShipmentDelivered, order.ShipmentLost, order.ShipmentReturning}, s.Status)
		require.Equal(w.t, left, s.HandedOverAt != nil, "handed over when %s", s.Status)
		require.Equal(w.t, s.Status == order.ShipmentDelivered, s.DeliveredAt != nil)
		require.False(w.t, left && s.ShipRequested, "asked for and gone")
		if s.CarriesShipping && s.Status != order.ShipmentCancelled {
			carrying++
		}
		w.verifyAmount(s)
	}
	require.LessOrEqual(w.t, carrying, 1, "the order's shipping is charged once")
}

// verifyAmount adds a parcel up from the stored units in it.
func (w *world) verifyAmount(s order.Shipment) {
	var amount int64
	for _, l := range s.Lines {
		for unit := l.FirstUnit; unit < l.FirstUnit+l.Quantity; unit++ {
			amount += unitWorth(w.o, l.LineID, unit)
		}
	}
	if s.CarriesShipping {
		amount += w.o.ShippingAmount
		if !w.o.PricesIncludeTax {
			amount += w.o.ShippingTax
		}
	}
	require.Equal(w.t, amount, s.Amount)
}

// unitWorth is what one unit of a line is worth, without shipping.
func unitWorth(o *order.Order, lineID string, unit int64) int64 {
	for _, l := range o.Lines {
		for _, b := range l.Units {
			if l.ID == lineID && b.FirstUnit <= unit && unit < b.FirstUnit+b.Quantity {
				worth := b.Price - b.Discount
				if !o.PricesIncludeTax {
					worth += b.Tax
				}
				return worth
			}
		}
	}
	return 0
}

func (w *world) verifyTimeline() {
	for i, e := range w.events {
		require.EqualValues(w.t, i+1, e.Sequence, "the timeline has no gaps")
		require.NotEmpty(w.t, e.Type)
		require.NotEmpty(w.t, e.Actor)
	}
	require.EqualValues(w.t, len(w.events), w.o.Sequence)
	require.Equal(w.t, w.o.Status, w.events[len(w.events)-1].Status, "the last event tells the status")
}

func (w *world) verifyProjection() {
	once := w.load()
	act := w.act()
	act.At = w.o.UpdatedAt
	once.Project(act)
	require.Equal(w.t, string(w.stored), string(encode(w.t, once)), "projecting again changes nothing")
	require.Equal(w.t, order.Effects{}, once.Effects())
	require.Contains(w.t, []string{"pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided", "expired"}, w.o.PaymentAxis)
	require.Contains(w.t, []string{"unfulfilled", "on_hold", "in_progress", "partially_shipped", "shipped", "partially_delivered", "delivered", "scheduled"}, w.o.FulfillmentAxis)
	require.Equal(w.t, w.o.AttentionCode == "", w.o.AttentionSince == nil)
	require.Equal(w.t, w.o.AttentionCode == "", w.o.AttentionDetail == "")
	standing := map[string]bool{}
	for _, h := range w.o.Holds {
		if h.Reason == order.HoldAwaitingPayment && h.Active() {
			require.False(w.t, standing[h.Reason], "held twice for %s", h.Reason)
			standing[h.Reason] = true
		}
	}
}

// verifyWaiting checks that an order which is not over always says what it waits for, and that this is so.
func (w *world) verifyWaiting() {
	o := w.o
	due := len(o.Steps()) > 0
	switch o.WaitingFor {
	case order.WaitingNothing:
		require.True(w.t, o.Status.Final(), "an open order waits for something")
	case order.WaitingGateway:
		require.True(w.t, due, "waiting for a machine, and nothing is due")
	case order.WaitingStock:
		var waiting int64
		for _, l := range o.Lines {
			waiting += l.Backordered
		}
		require.True(w.t, due || waiting > 0 && o.PromisedAt != nil, "waiting for stock without a promise")
	case order.WaitingPayment, order.WaitingCustomer:
		require.True(w.t, o.WaitingUntil != nil || o.AttentionCode != "" || len(w.placed.Holds) > 0, "waiting for a payment without an end")
	case order.WaitingOperator:
		require.True(w.t, o.AttentionCode != "" || slices.ContainsFunc(o.Holds, order.Hold.Active), "waiting for an operator, and nobody was called")
	case order.WaitingWarehouse:
		require.True(w.t, slices.ContainsFunc(o.Lines, func(l order.Line) bool { return l.Open() > 0 }))
	case order.WaitingCarrier:
		require.True(w.t, slices.ContainsFunc(o.Lines, func(l order.Line) bool { return l.Shipped > l.Delivered }))
	default:
		require.FailNow(w.t, "waiting for what?", "%q", o.WaitingFor)
	}
}

// verifyEnd checks that a final order holds nothing back, and a settled one nothing at all.
func (w *world) verifyEnd() {
	o := w.o
	var retry *time.Time
	for _, op := range o.Operations {
		if op.RetryAt != nil && op.ReturnID == "" && (retry == nil || op.RetryAt.Before(*retry)) {
			retry = op.RetryAt
		}
	}
	require.Equal(w.t, o.Status.Final() && len(o.Steps()) == 0 && retry == nil, o.Settled)
	if !o.Status.Final() {
		return
	}
	require.Equal(w.t, retry, o.Deadline)
	for _, a := range o.Allocations {
		require.Zero(w.t, a.Live(), "a final order commits no stock")
	}
	for _, h := range o.Holds {
		require.False(w.t, h.Active(), "a final order is held by nothing")
	}
	for _, l := range o.Lines {
		require.Zero(w.t, l.Open(), "a final order has no open units")
		require.True(w.t, o.Status == order.Completed || l.Shipped == 0, "only completed orders shipped anything")
	}
	if !o.Settled || o.AttentionCode != "" {
		return
	}
	var open, kept int64
	for _, p := range o.Payments {
		open += p.Open() + p.Capturing
		kept += p.Refundable()
	}
	for _, r := range o.Refunds {
		require.True(w.t, r.ReturnID != "" || r.Status == order.RefundSucceeded, "a settled order has refunds under way")
	}
	require.Zero(w.t, open, "a settled order holds no money")
	if o.Status != order.Completed {
		require.Zero(w.t, kept, "an order that shipped nothing keeps no money")
	}
	w.verifyLabels()
}

// verifyLabels checks that no label is left over for a parcel that never leaves.
func (w *world) verifyLabels() {
	for _, s := range w.o.Shipments {
		bought, voided := false, false
		for _, op := range w.o.Operations {
			done := op.ShipmentID == s.ID && op.State == payment.Done
			bought = bought || done && op.Kind == string(shipping.BuyLabel)
			voided = voided || done && op.Kind == string(shipping.VoidLabel)
		}
		require.Equal(w.t, bought && s.Status == order.ShipmentCancelled, voided, "the label of parcel %d", s.Number)
	}
}

// verifyPrivacy checks that what leaves the order for runs, operators and subscribers says nothing of the customer.
func (w *world) verifyPrivacy() {
	require.NotContains(w.t, string(encode(w.t, w.o.Facts())), canary)
	w.verifyDetails(w.o.Facts())
	for _, r := range w.o.Returns {
		require.NotContains(w.t, string(encode(w.t, w.o.ReturnFacts(r.ID))), canary)
		w.verifyDetails(w.o.ReturnFacts(r.ID))
	}
	for _, e := range w.events {
		require.False(w.t, bytes.Contains(encode(w.t, e), []byte(canary)), "%+v", e)
	}
}
