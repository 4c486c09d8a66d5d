package order_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/lifecycle"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// verify checks what must hold of an order and its books after every single decision.
func (w *world) verify(before *order.Order) {
	w.t.Helper()
	w.verifyMoves(before)
	w.verifyLines()
	w.verifyFulfillments()
	w.verifyParcels()
	w.verifyStock()
	w.verifyPayments()
	w.verifyOperations()
	w.verifyWorth()
	w.verifyTimeline()
	w.verifyProjection()
	w.verifyWaiting()
	w.verifyEnd()
	w.verifyPrivacy()
}

// legal asserts that a status stayed or went along an edge.
func legal[S ~string](w *world, edges []lifecycle.Edge[S], subject string, from, to S) {
	w.t.Helper()
	if from == to {
		return
	}
	for _, e := range edges {
		if e.Allows(from) && e.To == to {
			return
		}
	}
	require.FailNow(w.t, "no such edge", "%s: %s → %s", subject, from, to)
}

func (w *world) verifyMoves(before *order.Order) {
	w.t.Helper()
	if before == nil {
		return
	}
	legal(w, order.Edges(), "order", before.Status, w.o.Status)
	for _, was := range before.Fulfillments {
		legal(w, order.FulfillmentEdges(), was.ID, was.Status, w.o.Fulfillment(was.ID).Status)
	}
	for _, was := range before.Shipments {
		legal(w, order.ShipmentEdges(), was.ID, was.Status, w.o.Shipment(was.ID).Status)
	}
	for _, was := range before.Payments {
		if w.o.Decision == order.DecisionShort && w.o.Status == order.Rejected && len(w.o.Payments) == 0 {
			continue // turned away at once: forgotten
		}
		legal(w, order.PaymentEdges(), was.ID, was.Status, w.o.Payment(was.ID).Status)
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
	}
}

// verifyLines compares each line's counters with the parcels that its units are in.
func (w *world) verifyLines() {
	w.t.Helper()
	shipped, delivered, lost := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, s := range w.o.Shipments {
		for _, l := range s.Lines {
			if s.HandedOverAt != nil {
				shipped[l.LineID] += l.Quantity
			}
			switch s.Status {
			case order.ShipmentDelivered:
				delivered[l.LineID] += l.Quantity
			case order.ShipmentLost:
				lost[l.LineID] += l.Quantity
			}
		}
	}
	for _, l := range w.o.Lines {
		require.Equal(w.t, l.Quantity, l.Cancelled+l.Open()+(l.Shipped-l.Delivered-l.Lost)+l.Delivered+l.Lost)
		require.GreaterOrEqual(w.t, l.Open(), int64(0))
		require.GreaterOrEqual(w.t, l.Cancelled, int64(0))
		require.LessOrEqual(w.t, l.Delivered+l.Lost, l.Shipped)
		require.Equal(w.t, shipped[l.ID], l.Shipped, "shipped")
		require.Equal(w.t, delivered[l.ID], l.Delivered, "delivered")
		require.Equal(w.t, lost[l.ID], l.Lost, "lost")
	}
}

// span is the units [first, first+quantity) of a line.
type span struct{ first, quantity int64 }

// disjoint asserts that spans do not overlap, and with a whole, that they fill [0, whole).
func (w *world) disjoint(spans []span, whole int64, what string) {
	w.t.Helper()
	slices.SortFunc(spans, func(a, b span) int { return int(a.first - b.first) })
	at := int64(0)
	for _, s := range spans {
		require.Positive(w.t, s.quantity, what)
		require.GreaterOrEqual(w.t, s.first, at, "%s overlap", what)
		if whole > 0 {
			require.Equal(w.t, at, s.first, "%s leave a gap", what)
		}
		at = s.first + s.quantity
	}
	if whole > 0 {
		require.Equal(w.t, whole, at, "%s do not cover the line", what)
	}
}

// verifyFulfillments checks that the fulfillment orders share each line out whole, and count right.
func (w *world) verifyFulfillments() {
	w.t.Helper()
	byLine := map[string][]span{}
	for _, f := range w.o.Fulfillments {
		require.NotEmpty(w.t, f.Lines)
		for _, l := range f.Lines {
			byLine[l.LineID] = append(byLine[l.LineID], span{l.FirstUnit, l.Quantity})
			require.True(w.t, 0 <= l.Shipped && l.Shipped <= l.Packed && l.Packed <= l.Picked && l.Picked <= l.Quantity, "%+v", l)
			var packed, shipped int64
			for _, s := range w.o.Shipments {
				for _, in := range s.Lines {
					if s.FulfillmentID != f.ID || in.LineID != l.LineID {
						continue
					}
					require.True(w.t, in.FirstUnit >= l.FirstUnit && in.FirstUnit+in.Quantity <= l.FirstUnit+l.Quantity, "units of another location")
					packed += in.Quantity
					if s.HandedOverAt != nil {
						shipped += in.Quantity
					}
				}
			}
			require.Equal(w.t, []int64{l.Packed, l.Shipped}, []int64{packed, shipped})
		}
	}
	if len(w.o.Fulfillments) == 0 {
		return
	}
	for _, l := range w.o.Lines {
		w.disjoint(byLine[l.ID], l.Quantity, "fulfillment orders")
	}
}

func (w *world) verifyParcels() {
	w.t.Helper()
	byLine := map[string][]span{}
	carrying := 0
	for i, s := range w.o.Shipments {
		require.Equal(w.t, i+1, s.Number)
		require.NotEmpty(w.t, s.Lines)
		for _, l := range s.Lines {
			byLine[l.LineID] = append(byLine[l.LineID], span{l.FirstUnit, l.Quantity})
		}
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
	for _, spans := range byLine {
		w.disjoint(spans, 0, "parcels")
	}
}

// verifyAmount adds a parcel up from the stored units in it.
func (w *world) verifyAmount(s order.Shipment) {
	w.t.Helper()
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

// verifyStock compares the allocations with the movements that were written for them.
func (w *world) verifyStock() {
	w.t.Helper()
	committed, onHand, live, consumed := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, m := range w.movements {
		at := m.LocationID + "/" + m.SKU
		committed[at] += m.Committed
		onHand[at] -= m.OnHand
		require.Equal(w.t, w.o.ID, m.OrderID)
		require.Positive(w.t, m.Quantity)
		require.Zero(w.t, m.Unavailable)
		require.GreaterOrEqual(w.t, committed[at], int64(0), "more released than was committed")
		require.Contains(w.t, []inventory.Kind{inventory.Reservation, inventory.Release, inventory.Pick, inventory.Shipment}, m.Kind)
	}
	for _, a := range w.o.Allocations {
		at := a.LocationID + "/" + a.SKU
		require.True(w.t, a.Released >= 0 && a.Consumed >= 0 && a.Live() >= 0, "%+v", a)
		live[at] += a.Live()
		consumed[at] += a.Consumed
	}
	for at := range committed {
		require.Equal(w.t, live[at], committed[at], "committed at %s", at)
		require.Equal(w.t, consumed[at], onHand[at], "taken at %s", at)
	}
	require.Len(w.t, live, len(committed), "an allocation that no movement knows")
	for _, l := range w.o.Lines {
		var open int64
		for _, a := range w.o.Allocations {
			if a.LineID == l.ID {
				open += a.Live()
			}
		}
		if len(w.o.Allocations) > 0 {
			require.Equal(w.t, l.Open(), open, "each open unit is committed once")
		}
	}
}

// verifyPayments compares the balances with the ledger, and both with what may be.
func (w *world) verifyPayments() {
	w.t.Helper()
	sums := map[string]*payment.Balances{}
	for _, e := range w.entries {
		require.NotZero(w.t, e.Amount)
		require.Equal(w.t, w.o.ID, e.OrderID)
		if sums[e.PaymentID] == nil {
			sums[e.PaymentID] = &payment.Balances{}
		}
		sums[e.PaymentID].Post(e.Account, e.Amount)
		w.possible(*sums[e.PaymentID])
	}
	for i, p := range w.o.Payments {
		require.Equal(w.t, i+1, p.Number)
		require.Positive(w.t, p.Amount)
		if sums[p.ID] == nil {
			sums[p.ID] = &payment.Balances{}
		}
		require.Equal(w.t, *sums[p.ID], p.Balances, "Σ ledger = balances of payment %d", p.Number)
		var capturing, refunding int64
		for _, op := range w.o.Operations {
			if op.PaymentID == p.ID && op.State.Open() {
				switch payment.Kind(op.Kind) {
				case payment.Capture:
					capturing += op.Amount
				case payment.Refund:
					refunding += op.Amount
				}
			}
		}
		require.Equal(w.t, capturing, p.Capturing, "what is being captured is reserved")
		require.Equal(w.t, refunding, p.Refunding, "what is being refunded is reserved")
	}
	require.Len(w.t, sums, len(w.o.Payments))
}

func (w *world) possible(b payment.Balances) {
	w.t.Helper()
	for _, amount := range []int64{b.Authorized, b.Capturing, b.Captured, b.Voided, b.Expired, b.Refunding, b.Refunded, b.Open(), b.Refundable()} {
		require.GreaterOrEqual(w.t, amount, int64(0), "%+v", b)
	}
}

// verifyOperations checks the rule of the keys: a next one is opened by a refusal only.
func (w *world) verifyOperations() {
	w.t.Helper()
	live, epochs := map[string]int{}, map[string]int{}
	for _, op := range w.o.Operations {
		subject := op.Kind + "/" + op.PaymentID
		if op.ShipmentID != "" {
			subject = op.Kind + "/" + op.ShipmentID
		}
		epochs[subject]++
		key := subject
		if epochs[subject] > 1 {
			key = fmt.Sprintf("%s/%d", subject, epochs[subject])
		}
		require.Equal(w.t, key, op.Key)
		if op.State != payment.Denied {
			live[subject]++
		}
		require.LessOrEqual(w.t, live[subject], 1, "two live operations: %s", subject)
	}
}

// verifyWorth holds what left the building against the money that was taken: never a parcel without its money, and
// while the gateways do as they are asked, never more.
func (w *world) verifyWorth() {
	w.t.Helper()
	var shipped, kept, captured int64
	all := true
	for _, s := range w.o.Shipments {
		if s.HandedOverAt != nil {
			shipped += s.Amount
		}
	}
	for _, l := range w.o.Lines {
		all = all && l.Shipped == l.Quantity
	}
	for _, p := range w.o.Payments {
		kept += p.Refundable()
		captured += p.Captured
	}
	require.GreaterOrEqual(w.t, kept, shipped, "a parcel left without its money")
	if w.odd || w.external() {
		return
	}
	require.Equal(w.t, shipped, captured, "captured is what the shipped parcels are worth")
	if all && len(w.placed.Holds) == 0 {
		require.Equal(w.t, w.o.Total, captured, "everything shipped: everything is paid")
	}
}

// external reports whether some payment was captured elsewhere, before anything was shipped.
func (w *world) external() bool {
	for _, e := range w.entries {
		if op := w.o.Operation(e.OperationKey); op != nil && op.Kind == string(payment.Authorize) && e.Account == payment.Captured {
			return true
		}
	}
	return false
}

func (w *world) verifyTimeline() {
	w.t.Helper()
	for i, e := range w.events {
		require.EqualValues(w.t, i+1, e.Sequence, "the timeline has no gaps")
		require.NotEmpty(w.t, e.Type)
		require.NotEmpty(w.t, e.Actor)
	}
	require.EqualValues(w.t, len(w.events), w.o.Sequence)
	require.Equal(w.t, w.o.Status, w.events[len(w.events)-1].Status, "the last event tells the status")
}

func (w *world) verifyProjection() {
	w.t.Helper()
	once := duplicate(w.t, w.o)
	act := w.act()
	act.At = w.o.UpdatedAt
	once.Project(act)
	require.Equal(w.t, string(encode(w.t, w.o)), string(encode(w.t, once)), "projecting again changes nothing")
	require.Equal(w.t, order.Effects{}, once.Effects())
	require.Contains(w.t, []string{"pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided", "expired"}, w.o.PaymentAxis)
	require.Contains(w.t, []string{"unfulfilled", "on_hold", "in_progress", "partially_shipped", "shipped", "partially_delivered", "delivered"}, w.o.FulfillmentAxis)
	require.Equal(w.t, w.o.AttentionCode == "", w.o.AttentionSince == nil)
	require.Equal(w.t, w.o.AttentionCode == "", w.o.AttentionDetail == "")
	standing := map[string]bool{}
	for _, h := range w.o.Holds {
		require.False(w.t, h.Active() && standing[h.Reason], "held twice for %s", h.Reason)
		standing[h.Reason] = standing[h.Reason] || h.Active()
	}
}

// verifyWaiting checks that an order which is not over always says what it waits for, and that this is so.
func (w *world) verifyWaiting() {
	w.t.Helper()
	o := w.o
	due := len(o.Steps()) > 0
	switch o.WaitingFor {
	case order.WaitingNothing:
		require.True(w.t, o.Status.Final(), "an open order waits for something")
	case order.WaitingGateway, order.WaitingStock:
		require.True(w.t, due, "waiting for a machine, and nothing is due")
	case order.WaitingPayment, order.WaitingCustomer:
		require.True(w.t, o.WaitingUntil != nil || o.AttentionCode != "" || len(w.placed.Holds) > 0, "waiting for a payment without an end")
	case order.WaitingOperator:
		require.True(w.t, o.AttentionCode != "" || o.Blocked(order.BlockShip), "waiting for an operator, and nobody was called")
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
	w.t.Helper()
	o := w.o
	require.Equal(w.t, o.Status.Final() && len(o.Steps()) == 0, o.Settled)
	if !o.Status.Final() {
		return
	}
	require.Nil(w.t, o.Deadline)
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
		open += p.Open() + p.Capturing + p.Refunding
		kept += p.Refundable()
	}
	require.Zero(w.t, open, "a settled order holds no money")
	if o.Status != order.Completed {
		require.Zero(w.t, kept, "an order that shipped nothing keeps no money")
	}
	w.verifyLabels()
}

// verifyLabels checks that no label is left over for a parcel that never leaves.
func (w *world) verifyLabels() {
	w.t.Helper()
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
	w.t.Helper()
	require.NotContains(w.t, string(encode(w.t, w.o.Facts())), canary)
	for _, e := range w.events {
		require.False(w.t, strings.Contains(string(encode(w.t, e)), canary), "%+v", e)
	}
}
