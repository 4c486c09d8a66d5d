package order

import (
	"fmt"
	"slices"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/payment"
)

// Payment finds a payment by id, or nil.
func (o *Order) Payment(paymentID string) *Payment {
	for i := range o.Payments {
		if o.Payments[i].ID == paymentID {
			return &o.Payments[i]
		}
	}
	return nil
}

// LatestPayment is the newest attempt to be paid, or nil.
func (o *Order) LatestPayment() *Payment {
	if len(o.Payments) == 0 {
		return nil
	}
	return &o.Payments[len(o.Payments)-1]
}

// live is the newest payment that holds or has money for this order, or nil.
func (o *Order) live() *Payment {
	for i := len(o.Payments) - 1; i >= 0; i-- {
		p := &o.Payments[i]
		if p.Status == PaymentAuthorized && !p.Unwanted && p.Open()+p.Capturing+p.Refundable() > 0 {
			return p
		}
	}
	return nil
}

func (o *Order) format(amount int64) string {
	return money.Format(amount, o.Currency) + " " + o.Currency
}

func (p Payment) format(amount int64) string {
	return money.Format(amount, p.Currency) + " " + p.Currency
}

// otherwise says that a gateway did another amount than it was asked.
func (p Payment) otherwise(did string, a payment.Answer, op *Operation) string {
	return fmt.Sprintf("%s %s %s %s where %s was asked for", p.Gateway, did, money.Format(a.Amount, a.Currency), a.Currency, p.format(op.Amount))
}

// post changes a balance and notes its ledger row.
func (o *Order) post(act Act, p *Payment, key string, account payment.Account, amount int64) {
	if amount == 0 {
		return
	}
	p.Post(account, amount)
	o.effects.Entries = append(o.effects.Entries, payment.Entry{OrderID: o.ID, PaymentID: p.ID, OperationKey: key,
		Account: account, Amount: amount, At: act.At})
}

// captured is what was, or is being, taken for this order and not given back.
func (o *Order) captured() int64 {
	var sum int64
	for _, p := range o.Payments {
		sum += p.Capturing + p.Refundable()
	}
	return sum
}

// NewToken asks for what is still to be paid on another token. It is refused unless the order waits for a payment.
func (o *Order) NewToken(gateway, token string, act Act) error {
	if o.Status.Final() {
		return fault.Conflictf("order_"+string(o.Status), "the order is %s", o.Status)
	}
	if latest := o.LatestPayment(); latest != nil && latest.Status == PaymentPending {
		return fault.Conflictf("payment_in_progress", "payment %d has not been answered yet", latest.Number)
	}
	held := false
	for _, s := range o.Shipments {
		if s.ShipRequested {
			return fault.Conflictf("capture_in_progress", "a capture for parcel %d has not been answered yet", s.Number)
		}
		held = held || s.Status == ShipmentHeld
	}
	if o.activeHold(HoldAwaitingPayment) == nil && !held {
		return fault.Conflictf("payment_not_awaited", "the order does not wait for a payment")
	}
	missing := o.owed() - o.captured()
	if missing <= 0 {
		return fault.Conflictf("nothing_to_pay", "all of %s was taken already: an operator has to look", o.format(o.owed()))
	}
	p := o.ask(act, gateway, token, missing)
	o.note(act, Event{Type: EventPaymentRequested, PaymentID: p.ID, Amount: &p.Amount})
	return nil
}

// PaymentAnswered writes a gateway's terminal answer on the operation with this key.
func (o *Order) PaymentAnswered(key string, a payment.Answer, act Act) {
	op := o.Operation(key)
	if op == nil {
		return
	}
	p := o.Payment(op.PaymentID)
	state, applied := payment.Denied, int64(0)
	if a.Outcome == payment.Succeeded {
		state, applied = payment.Done, a.Amount
	}
	defer o.recall(act, o.AttentionCode)
	if !o.conclude(op, act, state, a.Reference, a.Code, a.Detail, applied) {
		return
	}
	switch payment.Kind(op.Kind) {
	case payment.Authorize:
		o.authorizeAnswered(op, p, a, act)
	case payment.Capture:
		o.captureAnswered(op, p, a, act)
	case payment.Void:
		o.voidAnswered(op, p, a, act)
	case payment.Refund:
		o.refundAnswered(op, p, a, act)
	}
}

func (o *Order) authorizeAnswered(op *Operation, p *Payment, a payment.Answer, act Act) {
	switch a.Outcome {
	case payment.Refused:
		_ = DeclinePayment.Take(&p.Status, "payment")
		p.RefusalCode = a.Code
		o.note(act, Event{Type: EventPaymentDeclined, PaymentID: p.ID, Amount: &op.Amount, Detail: a.Code, Data: EventData{Code: a.Code}})
		o.declined(act, p, OwnerCustomer, "the payment was declined: "+a.Code, DecisionDecline)
	case payment.ActionRequired:
		_ = AskCustomer.Take(&p.Status, "payment")
		p.NextURL, p.RefusalCode = a.NextURL, a.Code
		o.note(act, Event{Type: EventPaymentAction, PaymentID: p.ID, Amount: &op.Amount})
		o.declined(act, p, OwnerCustomer, "the bank wants the customer to confirm the payment", DecisionAction)
	case payment.Succeeded:
		o.authorized(op, p, a, act)
	}
}

func (o *Order) authorized(op *Operation, p *Payment, a payment.Answer, act Act) {
	_ = AuthorizePayment.Take(&p.Status, "payment")
	p.Reference = a.Reference
	if !a.CaptureBefore.IsZero() {
		before := a.CaptureBefore
		p.CaptureBefore = &before
	}
	o.post(act, p, op.Key, payment.Authorized, a.Amount)
	o.note(act, Event{Type: EventPaymentAuthorized, PaymentID: p.ID, Amount: &a.Amount})
	if a.Captured {
		o.post(act, p, op.Key, payment.Captured, a.Amount)
		o.note(act, Event{Type: EventPaymentCaptured, PaymentID: p.ID, Amount: &a.Amount, Detail: "captured elsewhere"})
	}
	if a.Amount != op.Amount || a.Currency != p.Currency {
		o.raise(act, AttentionGatewayMismatch, p.otherwise("authorized", a, op))
		o.declined(act, p, OwnerOperator, "the gateway authorized another amount", DecisionDecline)
		o.letGo(act, p)
		return
	}
	if o.Status.Final() || p.Unwanted {
		o.letGo(act, p)
		return
	}
	o.voidReplaced(act)
	o.repaySurplus(act)
	o.releaseHolds(act, HoldAwaitingPayment)
	o.clear(act, AttentionCaptureRefused, AttentionAuthExpired, AttentionGatewayMismatch, AttentionPaymentOverdue)
}

// voidReplaced lets go of what payments hold that a newer one replaces. What was taken of them for parcels that
// left stays taken. While a capture is under way nothing is voided: a gateway lets go of the whole rest.
func (o *Order) voidReplaced(act Act) {
	newest := o.live()
	for i := range o.Payments {
		if p := &o.Payments[i]; newest != nil && p.ID != newest.ID && p.Open() > 0 && p.Capturing == 0 {
			o.voidRest(act, p)
		}
	}
}

// declined holds an order that was not paid; one that has ended meanwhile, or is paid, wants no payment any more.
func (o *Order) declined(act Act, p *Payment, owner, detail string, decision Decision) {
	if o.Status.Final() || p.Unwanted {
		return
	}
	if o.Decision == Undecided {
		o.Decision = decision
	}
	o.awaitPayment(act, owner, detail)
}

func (o *Order) captureAnswered(op *Operation, p *Payment, a payment.Answer, act Act) {
	s := o.Shipment(op.ShipmentID)
	s.ShipRequested = false
	o.post(act, p, op.Key, payment.Capturing, -op.Amount)
	defer o.voidReplaced(act)
	if a.Outcome != payment.Succeeded {
		o.note(act, Event{Type: EventCaptureRefused, PaymentID: p.ID, ShipmentID: s.ID, Amount: &op.Amount, Detail: a.Code,
			Data: EventData{Code: a.Code}})
		o.holdParcel(act, s, o.captureRefused(*s, op))
		return
	}
	taken := min(a.Amount, p.Open())
	o.post(act, p, op.Key, payment.Captured, taken)
	o.note(act, Event{Type: EventPaymentCaptured, PaymentID: p.ID, ShipmentID: s.ID, Amount: &a.Amount})
	if a.Amount != op.Amount || a.Currency != p.Currency {
		o.holdParcel(act, s, cause{AttentionGatewayMismatch, p.otherwise("captured", a, op)})
		return
	}
	if o.toStay(s) {
		_ = HoldShipment.Take(&s.Status, "shipment")
		o.note(act, Event{Type: EventShipmentHeld, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID, Detail: "on hold",
			Data: EventData{Code: "on_hold"}})
		o.paidUp(act)
		return
	}
	o.handOver(act, s)
}

// toStay reports whether somebody held a parcel while the money for it was being taken. That the rest of the order
// waits for a payment is no reason: this parcel is paid for.
func (o *Order) toStay(s *Shipment) bool {
	return slices.ContainsFunc(o.Holds, func(h Hold) bool {
		return h.Active() && h.Reason != HoldAwaitingPayment && slices.Contains(h.Blocks, BlockShip) &&
			(h.FulfillmentID == "" || h.FulfillmentID == s.FulfillmentID)
	})
}

func (o *Order) voidAnswered(op *Operation, p *Payment, a payment.Answer, act Act) {
	if a.Outcome != payment.Succeeded {
		if p.lapsed(act.At) {
			o.writeOff(act, p)
			return
		}
		o.tryLater(act, op)
		o.call(act, p.voidRefused(a.Code))
		return
	}
	o.clear(act, AttentionVoidRefused)
	o.post(act, p, op.Key, payment.Voided, min(a.Amount, p.Open()))
	o.note(act, Event{Type: EventPaymentVoided, PaymentID: p.ID, Amount: &a.Amount})
	if a.Amount != op.Amount {
		o.raise(act, AttentionGatewayMismatch, p.otherwise("voided", a, op))
	}
}

// letGo gives back whatever a payment holds or took, and marks it so that what it comes to hold later, by an
// answer that is still on its way, is given back too. What was never captured is voided, never refunded.
func (o *Order) letGo(act Act, p *Payment) {
	o.voidRest(act, p)
	o.refundAll(act, p)
}

// voidRest is letGo without what was taken: that has been shipped for.
func (o *Order) voidRest(act Act, p *Payment) {
	p.Unwanted = true
	if op := o.last(string(payment.Authorize), p.ID); op != nil && op.State.Open() {
		op.UpdatedAt = act.At // from now on nobody sends it any more: its life can be counted down
	}
	if open := p.Open(); open > 0 {
		o.begin(act, Operation{Kind: string(payment.Void), PaymentID: p.ID, Amount: open})
	}
}

// refundAll gives back everything that a payment took. Of an order that ended unshipped that is for what was
// credited; of any other it was never owed.
func (o *Order) refundAll(act Act, p *Payment) {
	back := p.Refundable()
	if back <= 0 {
		return
	}
	var claims []claim
	if o.Status.Final() && o.Status != Completed {
		claims = o.outstanding()
	}
	o.refund(act, p, back, Refund{Cause: CreditCancelled}, claims)
}

// paidUp lets go of whatever would still pay for an order that is paid, or of which every unit has left: what
// payments hold or come to hold, and the wait for one.
func (o *Order) paidUp(act Act) {
	var taken int64
	for _, p := range o.Payments {
		taken += p.Refundable()
	}
	open := slices.ContainsFunc(o.Lines, func(l Line) bool { return l.Open() > 0 })
	if open && taken < o.owed() {
		return
	}
	for i := range o.Payments {
		if p := &o.Payments[i]; p.Open() > 0 || p.Status == PaymentPending {
			o.voidRest(act, p)
		}
	}
	o.repaySurplus(act)
	o.releaseHolds(act, HoldAwaitingPayment)
	o.clear(act, AttentionAuthExpired, AttentionPaymentOverdue)
}

// repaySurplus gives back what was taken beyond what is owed: units may be cancelled while the payment for them is
// still being asked for, and it may turn out to be taken already.
func (o *Order) repaySurplus(act Act) {
	surplus := -o.owed()
	for _, p := range o.Payments {
		surplus += p.Refundable()
	}
	o.repayAtMost(act, Refund{Cause: CreditCancelled}, o.outstanding(), surplus)
}

// Settling reports whether an open authorization must no longer be sent, only found out: its order ended, or its
// payment is not wanted any more.
func (o *Order) Settling(op Operation) bool {
	p := o.Payment(op.PaymentID)
	return op.Kind == string(payment.Authorize) && (p.Unwanted || o.Status.Final())
}

// NotFound notes that a gateway knows nothing of an authorization that nobody wants any more. That proves nothing
// while a request may still be on its way; later it is abandoned. It reports whether it is now.
func (o *Order) NotFound(key string, act Act) bool {
	op := o.Operation(key)
	if op == nil || !op.State.Open() || !o.Settling(*op) {
		return true
	}
	if act.At.Sub(op.UpdatedAt) < act.Policy.AbandonAfter {
		return false
	}
	op.State, op.UpdatedAt = payment.Abandoned, act.At
	p := o.Payment(op.PaymentID)
	_ = AbandonPayment.Take(&p.Status, "payment")
	o.note(act, Event{Type: EventPaymentAbandoned, PaymentID: p.ID, Amount: &op.Amount})
	o.doubtEnds(act, op.ReturnID)
	return true
}

// expireAuthorizations writes off holds that have lapsed. The order waits for another payment, unless what was taken
// is all that is owed.
func (o *Order) expireAuthorizations(act Act) {
	for i := range o.Payments {
		p := &o.Payments[i]
		if p.Unwanted || p.Open() == 0 || p.Capturing > 0 || !p.lapsed(act.At) {
			continue
		}
		lapsed := o.writeOff(act, p)
		if o.captured() >= o.owed() {
			continue
		}
		o.awaitPayment(act, OwnerCustomer, "the authorization lapsed before the goods were shipped")
		o.raise(act, AttentionAuthExpired, fmt.Sprintf("%s held by %s lapsed; a new payment is needed", o.format(lapsed), p.Gateway))
	}
}

// lapsed reports whether the gateway holds nothing for this payment any more.
func (p Payment) lapsed(at time.Time) bool {
	return p.CaptureBefore != nil && !at.Before(*p.CaptureBefore)
}

// writeOff books what a payment held as lapsed.
func (o *Order) writeOff(act Act, p *Payment) int64 {
	lapsed := p.Open()
	o.post(act, p, "", payment.Expired, lapsed)
	o.note(act, Event{Type: EventPaymentExpired, PaymentID: p.ID, Amount: &lapsed})
	return lapsed
}
