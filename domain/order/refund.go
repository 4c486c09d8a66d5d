package order

import (
	"cmp"
	"slices"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// RefundExcess is the cause of a refund of what was never owed; the other causes are those of credits.
const RefundExcess = "excess"

// Refund finds a refund by id, or nil.
func (o *Order) Refund(refundID string) *Refund {
	for i := range o.Refunds {
		if o.Refunds[i].ID == refundID {
			return &o.Refunds[i]
		}
	}
	return nil
}

// repay gives back what was just credited, as far as it was taken. What was credited and never taken is not refunded:
// its authorization is let go. A refund is for one payment: first for that which paid for the parcel, then the newest.
func (o *Order) repay(act Act, cause Refund, claims []claim) {
	var most int64
	for _, c := range claims {
		most += c.amount
	}
	o.repayAtMost(act, cause, claims, most)
}

func (o *Order) repayAtMost(act Act, cause Refund, claims []claim, most int64) {
	surplus := o.captured() - o.owed()
	if cause.Cause != CreditCancelled {
		surplus = o.beyondShipped() - o.setAside(nil) // these units left, and were paid for, whatever the rest of the order still owes
	}
	left := min(most, surplus)
	for _, p := range o.payers(cause.ShipmentID) {
		if amount := min(left, p.Refundable()); amount > 0 {
			claims = o.refund(act, p, amount, cause, claims)
			left -= amount
		}
	}
}

// payers lists the payments from which something can be given back, in the order in which they are asked.
func (o *Order) payers(shipmentID string) []*Payment {
	var found []*Payment
	for i := range o.Payments {
		if o.Payments[i].Refundable() > 0 {
			found = append(found, &o.Payments[i])
		}
	}
	paid := func(p *Payment) int {
		if op := o.last(string(payment.Capture), shipmentID); op != nil && op.PaymentID == p.ID {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(found, func(a, b *Payment) int {
		return cmp.Or(cmp.Compare(paid(a), paid(b)), cmp.Compare(b.Number, a.Number))
	})
	return found
}

// refund writes down that an amount is to be given back on a payment, for as much of the claims as it covers, and
// returns what is left of them. What no claim covers was never owed.
func (o *Order) refund(act Act, p *Payment, amount int64, cause Refund, claims []claim) []claim {
	r := cause
	r.ID, r.Number, r.PaymentID, r.Amount = act.NewID(id.Refund), len(o.Refunds)+1, p.ID, amount
	r.Status, r.CreatedAt, r.SettledAt, r.Lines = RefundPending, act.At, nil, nil
	left := amount
	var rest []claim
	for _, c := range claims {
		part := min(c.amount, left)
		left -= part
		o.claimed(&r, c, part)
		if part > 0 {
			c.quantity = 0 // its units are counted with the first refund that pays for them
		}
		if c.amount -= part; c.amount > 0 {
			rest = append(rest, c)
		}
	}
	if r.Excess = left; left == amount {
		r.Cause = RefundExcess
	}
	o.Refunds = append(o.Refunds, r)
	op := o.begin(act, Operation{Kind: string(payment.Refund), PaymentID: p.ID, RefundID: r.ID, ReturnID: r.ReturnID, Amount: amount})
	o.post(act, p, op.Key, payment.Refunding, amount)
	return rest
}

// claimed books a part of a claim on a refund.
func (o *Order) claimed(r *Refund, c claim, part int64) {
	switch {
	case part == 0:
	case c.lineID == "":
		r.Shipping += part
		o.ShippingRefunded += part
	default:
		o.line(c.lineID).Refunded += part
		i := slices.IndexFunc(r.Lines, func(l RefundLine) bool { return l.LineID == c.lineID })
		if i < 0 {
			i = len(r.Lines)
			r.Lines = append(r.Lines, RefundLine{LineID: c.lineID})
		}
		r.Lines[i].Quantity += c.quantity
		r.Lines[i].Amount += part
	}
}

// outstanding is everything that was credited and not yet given back.
func (o *Order) outstanding() []claim {
	var claims []claim
	for _, l := range o.Lines {
		if rest := l.Credited - l.Refunded; rest > 0 {
			claims = append(claims, claim{lineID: l.ID, quantity: l.Cancelled, amount: rest})
		}
	}
	if rest := o.ShippingCredited - o.ShippingRefunded; rest > 0 {
		claims = append(claims, claim{amount: rest})
	}
	return claims
}

func (o *Order) refundAnswered(op *Operation, p *Payment, a payment.Answer, act Act) {
	r := o.Refund(op.RefundID)
	if a.Outcome != payment.Succeeded {
		// The amount stays reserved: it is still owed, and asked for again.
		_ = RefuseRefund.Take(&r.Status, "refund")
		o.tryLater(act, op)
		o.callFor(act, r.ReturnID, p.refundRefused(op))
		return
	}
	o.post(act, p, op.Key, payment.Refunding, -op.Amount)
	o.post(act, p, op.Key, payment.Refunded, min(a.Amount, p.Refundable()))
	at := act.At
	_ = SettleRefund.Take(&r.Status, "refund")
	r.SettledAt = &at
	o.note(act, Event{Type: EventPaymentRefunded, PaymentID: p.ID, ShipmentID: r.ShipmentID, ReturnID: r.ReturnID, Amount: &a.Amount, Detail: r.Cause,
		Data: EventData{Reason: r.Cause, RefundID: r.ID}})
	if a.Amount != op.Amount {
		o.callFor(act, r.ReturnID, cause{AttentionGatewayMismatch, p.otherwise("refunded", a, op)})
	} else if !slices.ContainsFunc(o.Refunds, func(other Refund) bool { return other.ReturnID == r.ReturnID && other.Status == RefundRefused }) {
		o.clearFor(act, r.ReturnID, AttentionRefundRefused)
	}
	o.refundSettled(act, r)
}

// SettleRefund notes that somebody paid a refund by other means that its gateway refuses: in the shop where the
// order was paid, by bank transfer. Reference says where to find it. Settling it again changes nothing.
func (o *Order) SettleRefund(refundID, reference string, act Act) error {
	r := o.Refund(refundID)
	switch {
	case r == nil:
		return fault.NotFoundf("the order has no such refund")
	case r.Status == RefundSucceeded:
		return nil
	case r.Status != RefundRefused:
		return fault.Conflictf("refund_"+string(r.Status), "the refund is %s: only one that its gateway refused can be settled elsewhere", r.Status)
	}
	o.retryOne(act, o.last(string(payment.Refund), r.ID))
	op := o.last(string(payment.Refund), r.ID)
	o.PaymentAnswered(op.Key, payment.Answer{Outcome: payment.Succeeded, Reference: reference, Amount: op.Amount,
		Currency: o.Currency, Code: SettledElsewhere}, act)
	return nil
}

// SettledElsewhere is the code of an operation that no gateway performed.
const SettledElsewhere = "settled_elsewhere"

// tryLater sets the time at which a refused operation that lets money go is asked for again by itself: twice as
// late each time, a day at most, and no more than so many times. It is a person's affair all the while.
func (o *Order) tryLater(act Act, op *Operation) {
	epoch := o.epochs(op.Kind, op.subject())
	if epoch > refusedMax || act.Policy.RetryRefused <= 0 {
		return
	}
	at := act.At.Add(min(act.Policy.RetryRefused<<(epoch-1), 24*time.Hour))
	op.RetryAt = &at
}

// refusedMax: after so many refusals, about a week and a half, nothing is asked for again unless somebody resumes.
const refusedMax = 15

// retryDue opens the next epoch of whatever was refused and is to be tried again by now; with all, of whatever was
// refused. Mine tells whose affair an operation is.
func (o *Order) retryDue(act Act, all bool, mine func(*Operation) bool) {
	for i := 0; i < len(o.Operations); i++ {
		op := &o.Operations[i]
		due := op.RetryAt != nil && !act.At.Before(*op.RetryAt)
		if op.State != payment.Denied || !mine(op) || o.last(op.Kind, op.subject()).Key != op.Key || !due && !all {
			continue
		}
		o.retryOne(act, op)
	}
}

// retryOne opens the next epoch of a refused operation.
func (o *Order) retryOne(act Act, op *Operation) {
	op.RetryAt = nil
	o.again(act, op)
}

// again asks once more for what was refused, if it is still to be had.
func (o *Order) again(act Act, op *Operation) {
	next := Operation{Kind: op.Kind, PaymentID: op.PaymentID, ShipmentID: op.ShipmentID, ReturnID: op.ReturnID,
		RefundID: op.RefundID, Amount: op.Amount}
	switch payment.Kind(op.Kind) {
	case payment.Refund:
		_ = RetryRefund.Take(&o.Refund(op.RefundID).Status, "refund")
	case payment.Void:
		if next.Amount = o.Payment(op.PaymentID).Open(); next.Amount == 0 {
			return
		}
	case payment.Kind(shipping.VoidLabel):
	default:
		return
	}
	o.begin(act, next)
}

// epochs counts how often an operation was asked for.
func (o *Order) epochs(kind, subject string) int {
	n := 0
	for _, op := range o.Operations {
		if op.Kind == kind && op.subject() == subject {
			n++
		}
	}
	return n
}
