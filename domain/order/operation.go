package order

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// begin writes an operation down before anybody sends it. While one of the same kind and subject is open, or has
// succeeded, there is no second; only a refusal opens the next epoch of the key.
func (o *Order) begin(act Act, op Operation) *Operation {
	op.Key = op.Kind + "/" + op.subject()
	epoch := 1
	for i := range o.Operations {
		earlier := &o.Operations[i]
		if earlier.Kind != op.Kind || earlier.subject() != op.subject() {
			continue
		}
		if earlier.State != payment.Denied {
			return earlier
		}
		earlier.RetryAt = nil // its time has come
		epoch++
	}
	if epoch > 1 {
		op.Key = fmt.Sprintf("%s/%d", op.Key, epoch)
	}
	op.State, op.CreatedAt, op.UpdatedAt = payment.Pending, act.At, act.At
	o.Operations = append(o.Operations, op)
	return &o.Operations[len(o.Operations)-1]
}

// subject is what the operation is about, and what its key names.
func (op Operation) subject() string {
	return cmp.Or(op.RefundID, op.ShipmentID, op.ReturnID, op.PaymentID)
}

// Operation finds an operation by its key, or nil.
func (o *Order) Operation(key string) *Operation {
	for i := range o.Operations {
		if o.Operations[i].Key == key {
			return &o.Operations[i]
		}
	}
	return nil
}

// last is the newest operation of this kind and subject, or nil.
func (o *Order) last(kind, subject string) *Operation {
	for i := len(o.Operations) - 1; i >= 0; i-- {
		if o.Operations[i].Kind == kind && o.Operations[i].subject() == subject {
			return &o.Operations[i]
		}
	}
	return nil
}

// PaymentRequest is what to send for an operation on a payment.
func (o *Order) PaymentRequest(op Operation) payment.Request {
	p := o.Payment(op.PaymentID)
	return payment.Request{Key: op.Key, Kind: payment.Kind(op.Kind), OrderID: o.ID, Amount: op.Amount,
		Currency: p.Currency, Token: p.Token, Authorization: p.Reference}
}

// CarrierRequest is what to send for an operation on a parcel.
func (o *Order) CarrierRequest(op Operation) shipping.Request {
	if r := o.Return(op.ReturnID); r != nil {
		return shipping.Request{Key: op.Key, Kind: shipping.Kind(op.Kind), OrderID: o.ID, ShipmentID: r.ID,
			Service: returnService, To: o.ShipTo, Return: true, Label: r.LabelReference}
	}
	s := o.Shipment(op.ShipmentID)
	return shipping.Request{Key: op.Key, Kind: shipping.Kind(op.Kind), OrderID: o.ID, ShipmentID: s.ID,
		Service: o.ShippingService, WeightGrams: s.WeightGrams, To: o.ShipTo, Label: s.LabelReference}
}

// returnService is how goods come back: nobody pays for speed.
const returnService = "standard"

// Unanswered notes that an operation was sent and its answer lost. It stays due; after a while somebody is called.
func (o *Order) Unanswered(key, detail string, act Act) {
	op := o.Operation(key)
	if op == nil || !op.State.Open() {
		return
	}
	op.State, op.Detail, op.UpdatedAt = payment.Unsettled, detail, act.At
	op.Attempts++
	o.Delayed(key, act)
}

// Delayed notes that a gateway puts an operation off: it was not applied this time, which says nothing of an earlier
// time. After a while somebody is called, and the run has to hear of that: the attempt that found out fails, and brings
// no facts back.
func (o *Order) Delayed(key string, act Act) {
	op := o.Operation(key)
	if op == nil || !op.overdue(act) {
		return
	}
	before := o.Sequence
	o.callFor(act, op.ReturnID, cause{AttentionGatewayUnknown, fmt.Sprintf("%s has had no answer since %s", op.Key,
		op.CreatedAt.UTC().Format("2006-01-02 15:04 MST"))})
	switch {
	case o.Sequence == before:
	case op.ReturnID != "":
		o.effects.WakeReturns = append(o.effects.WakeReturns, op.ReturnID)
	default:
		o.effects.Wake = true
	}
}

// overdue reports whether an operation has had no answer for too long.
func (op Operation) overdue(act Act) bool {
	return op.State.Open() && act.At.Sub(op.CreatedAt) >= act.Policy.AttentionAfter
}

// doubtEnds takes the call about a silent gateway back once none is silent for too long.
func (o *Order) doubtEnds(act Act, returnID string) {
	if !slices.ContainsFunc(o.Operations, func(op Operation) bool { return op.ReturnID == returnID && op.overdue(act) }) {
		o.clearFor(act, returnID, AttentionGatewayUnknown)
	}
}

// conclude writes the first terminal answer on an operation and reports whether the caller is to act on it. The
// same answer again changes nothing; another one calls for a person. Only an abandoned operation may still turn
// out to have been applied: its late effect is then undone.
func (o *Order) conclude(op *Operation, act Act, state payment.State, reference, code, detail string, applied int64) bool {
	if op.State.Open() || op.State == payment.Abandoned && state == payment.Done {
		op.State, op.Reference, op.Code, op.Detail = state, reference, code, detail
		op.Applied, op.UpdatedAt = applied, act.At
		o.doubtEnds(act, op.ReturnID)
		return true
	}
	if op.State != payment.Abandoned && (op.State != state || op.Reference != reference || op.Applied != applied) {
		o.callFor(act, op.ReturnID, cause{AttentionGatewayContradict, fmt.Sprintf("%s was %s and is now said to be %s", op.Key, op.State, state)})
	}
	return false
}

// Step is something that is due and that a machine can do: an operation that is open, or the allocation.
type Step struct {
	Name    string `json:"name"` // authorize, capture, void, refund, label, void_label, allocate
	Key     string `json:"key"`  // the operation's key; what tells two steps apart
	Summary string `json:"summary"`
}

// StepAllocate is the one step that is no operation of a gateway.
const StepAllocate = "allocate"

// Steps lists what is due now for the order's run. The order of the list is stable.
func (o *Order) Steps() []Step {
	steps := o.operationsDue("")
	if o.allocationDue() {
		steps = append(steps, Step{Name: StepAllocate, Key: "allocate/" + o.ID,
			Summary: "allocate stock for " + count(int64(len(o.Lines)), "line")})
	}
	return steps
}

// operationsDue lists the open operations that a return's run performs, or, without one, the order's.
func (o *Order) operationsDue(returnID string) []Step {
	var steps []Step
	for _, op := range o.Operations {
		if op.State.Open() && op.ReturnID == returnID {
			steps = append(steps, Step{Name: op.Kind, Key: op.Key, Summary: o.describe(op)})
		}
	}
	return steps
}

// ReturnSteps lists what is due now for a return's run.
func (o *Order) ReturnSteps(returnID string) []Step { return o.operationsDue(returnID) }

// retry is when a refused operation is tried again by itself, the earliest of them.
func (o *Order) retry(returnID string) alarm {
	var next alarm
	for _, op := range o.Operations {
		if op.ReturnID == returnID && op.State == payment.Denied {
			next = next.or(op.RetryAt, "next try: "+o.describe(op))
		}
	}
	return next
}

// earlier returns the earlier of two times of which either may be nil.
func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// describe says what an operation is for, in the words of summaries and details: numbers, not ids, since it has to
// fit a line.
func (o *Order) describe(op Operation) string {
	what := map[string]string{string(shipping.BuyLabel): "buy the label", string(shipping.VoidLabel): "void the label"}[op.Kind]
	if p := o.Payment(op.PaymentID); p != nil {
		what = fmt.Sprintf("%s %s on %s", op.Kind, o.format(op.Amount), p.Gateway)
	}
	if s := o.Shipment(op.ShipmentID); s != nil {
		what += fmt.Sprintf(" for parcel %d", s.Number)
	}
	if f := o.Refund(op.RefundID); f != nil {
		what += fmt.Sprintf(", refund %d", f.Number)
	}
	if r := o.Return(op.ReturnID); r != nil {
		what += fmt.Sprintf(", return %d", r.Number)
	}
	return what
}
