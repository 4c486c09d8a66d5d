package order_test

import (
	"cmp"
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

// verifyPayments compares the balances with the ledger, and both with what may be.
func (w *world) verifyPayments() {
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
			if op.PaymentID == p.ID && op.State.Open() && op.Kind == string(payment.Capture) {
				capturing += op.Amount
			}
		}
		var refunded int64
		for _, r := range w.o.Refunds {
			switch {
			case r.PaymentID != p.ID:
			case r.Status == order.RefundSucceeded:
				refunded += r.Amount
			default:
				refunding += r.Amount
			}
		}
		if !w.odd {
			require.Equal(w.t, refunded, p.Refunded, "what was given back is refunded")
		}
		require.Equal(w.t, capturing, p.Capturing, "what is being captured is reserved")
		require.Equal(w.t, refunding, p.Refunding, "what is being refunded is reserved")
	}
	require.Len(w.t, sums, len(w.o.Payments))
}

func (w *world) possible(b payment.Balances) {
	for _, amount := range []int64{b.Authorized, b.Capturing, b.Captured, b.Voided, b.Expired, b.Refunding, b.Refunded, b.Open(), b.Refundable()} {
		require.GreaterOrEqual(w.t, amount, int64(0), "%+v", b)
	}
}

// verifyOperations checks the rule of the keys: a next one is opened by a refusal only.
func (w *world) verifyOperations() {
	live, epochs := map[string]int{}, map[string]int{}
	for _, op := range w.o.Operations {
		subject := op.Kind + "/" + cmp.Or(op.RefundID, op.ShipmentID, op.ReturnID, op.PaymentID)
		epochs[subject]++
		key := subject
		if epochs[subject] > 1 {
			key = fmt.Sprintf("%s/%d", subject, epochs[subject])
		}
		require.Equal(w.t, key, op.Key)
		if op.State != payment.Denied {
			live[subject]++
			require.Nil(w.t, op.RetryAt)
		}
		require.LessOrEqual(w.t, live[subject], 1, "two live operations: %s", subject)
	}
}

// verifyCredits adds up what the customer no longer owes, unit by unit: never more for one than it is worth.
func (w *world) verifyCredits() {
	sums, shipping := map[string]int64{}, int64(0)
	per, dropped := map[string]map[int64]int64{}, map[string]unitsOf{}
	for _, c := range w.o.Credits {
		if c.Cause == order.CreditShipping {
			require.True(w.t, c.LineID == "" && c.Quantity == 0)
			shipping += c.Amount
			continue
		}
		require.Positive(w.t, c.Quantity)
		require.Zero(w.t, c.Amount%c.Quantity, "every unit of a credit gets the same")
		if per[c.LineID] == nil {
			per[c.LineID], dropped[c.LineID] = map[int64]int64{}, unitsOf{}
		}
		for unit := c.FirstUnit; unit < c.FirstUnit+c.Quantity; unit++ {
			per[c.LineID][unit] += c.Amount / c.Quantity
			require.LessOrEqual(w.t, per[c.LineID][unit], unitWorth(w.o, c.LineID, unit), "unit %d is credited with more than it is worth", unit)
			if c.Cause == order.CreditCancelled {
				require.False(w.t, dropped[c.LineID][unit], "unit %d is cancelled twice", unit)
				dropped[c.LineID][unit] = true
				require.Equal(w.t, unitWorth(w.o, c.LineID, unit), per[c.LineID][unit], "what never leaves is credited whole")
			}
		}
		sums[c.LineID] += c.Amount
	}
	for _, l := range w.o.Lines {
		require.Equal(w.t, sums[l.ID], l.Credited)
	}
	require.Equal(w.t, shipping, w.o.ShippingCredited)
	require.LessOrEqual(w.t, shipping, w.charge())
}

func (w *world) charge() int64 {
	if w.o.PricesIncludeTax {
		return w.o.ShippingAmount
	}
	return w.o.ShippingAmount + w.o.ShippingTax
}

// verifyRefunds adds up what is given back: within what was credited, and told only when the gateway did it.
func (w *world) verifyRefunds() {
	lines, shipping, succeeded := map[string]int64{}, int64(0), 0
	for i, r := range w.o.Refunds {
		require.Equal(w.t, i+1, r.Number)
		sum := r.Shipping + r.Excess
		for _, l := range r.Lines {
			require.Positive(w.t, l.Amount)
			lines[l.LineID] += l.Amount
			sum += l.Amount
		}
		shipping += r.Shipping
		require.Positive(w.t, r.Amount)
		require.Equal(w.t, r.Amount, sum, "lines, shipping and excess are all of it")
		require.Equal(w.t, r.Excess == r.Amount, r.Cause == order.RefundExcess)
		w.verifyRefundState(r)
		if r.Status == order.RefundSucceeded {
			succeeded++
		}
	}
	for _, l := range w.o.Lines {
		require.Equal(w.t, lines[l.ID], l.Refunded)
		require.LessOrEqual(w.t, l.Refunded, l.Credited)
	}
	require.Equal(w.t, shipping, w.o.ShippingRefunded)
	require.LessOrEqual(w.t, shipping, w.o.ShippingCredited)
	told := 0
	for _, e := range w.events {
		if e.Type == order.EventPaymentRefunded {
			told++
		}
	}
	require.Equal(w.t, succeeded, told, "nobody is told of a refund that did not settle")
}

func (w *world) verifyRefundState(r order.Refund) {
	var last order.Operation
	for _, op := range w.o.Operations {
		if op.RefundID == r.ID {
			last = op
			require.Equal(w.t, r.Amount, op.Amount)
			require.Equal(w.t, r.ReturnID, op.ReturnID)
		}
	}
	state := map[order.RefundStatus]bool{order.RefundPending: last.State.Open(), order.RefundRefused: last.State == payment.Denied,
		order.RefundSucceeded: last.State == payment.Done}
	require.True(w.t, state[r.Status], "refund %s, operation %s", r.Status, last.State)
	require.Equal(w.t, r.Status == order.RefundSucceeded, r.SettledAt != nil)
}

// verifyWorth holds what left the building, and was not credited, against the money that was taken and not given
// back: never a parcel without its money, and while the gateways do as they are asked, never more.
func (w *world) verifyWorth() {
	var kept, waiting, capturing int64
	for _, p := range w.o.Payments {
		kept += p.Refundable()
		capturing += p.Capturing
	}
	for _, s := range w.o.Shipments {
		if s.ShipRequested {
			waiting++
		}
		for _, op := range w.o.Operations {
			w.early = w.early || s.Status == order.ShipmentHeld && op.ShipmentID == s.ID && op.Kind == string(payment.Capture) && op.State == payment.Done
		}
	}
	require.Equal(w.t, waiting > 0, capturing > 0, "a parcel waits for money that is being taken")
	if w.odd {
		return
	}
	left := w.owedForWhatLeft()
	require.GreaterOrEqual(w.t, kept, left, "a parcel left without its money")
	if !w.early && !w.external() || w.o.Settled {
		require.Equal(w.t, left, kept, "what is kept is what is owed for what left")
	}
}

// owedForWhatLeft is what the parcels that left are worth, less what was credited for them, and the fees of returns.
func (w *world) owedForWhatLeft() int64 {
	var left int64
	carried := false
	for _, s := range w.o.Shipments {
		if s.HandedOverAt != nil {
			left += s.Amount
			carried = carried || s.CarriesShipping
		}
	}
	for _, c := range w.o.Credits {
		if c.Cause == order.CreditLost || c.Cause == order.CreditReturned || c.Cause == order.CreditShipping && carried {
			left -= c.Amount
		}
	}
	for _, r := range w.o.Returns {
		left += r.FeeCharged
	}
	return left
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
