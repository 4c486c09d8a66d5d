package order

import (
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// Who started a return.
const (
	OriginCustomer = "customer"
	OriginCarrier  = "carrier" // the parcel could not be delivered
)

// ReturnRequest is what somebody wants to send back.
type ReturnRequest struct {
	Lines []ReturnedUnits `json:"lines"`
}

// ReturnedUnits is some units of an order line, and why they come back.
type ReturnedUnits struct {
	LineID   string         `json:"line_id"`
	Quantity int64          `json:"quantity"`
	Reason   returns.Reason `json:"reason"`
}

// Return finds a return by id, or nil.
func (o *Order) Return(returnID string) *Return {
	for i := range o.Returns {
		if o.Returns[i].ID == returnID {
			return &o.Returns[i]
		}
	}
	return nil
}

func (o *Order) returnOf(returnID string) (*Return, error) {
	if r := o.Return(returnID); r != nil {
		return r, nil
	}
	return nil, fault.NotFoundf("there is no such return")
}

// policy is what was promised when the order was placed.
func (o *Order) policy() returns.Policy {
	if o.ReturnPolicy.Name == "" {
		return returns.Default() // placed before policies were kept
	}
	return o.ReturnPolicy
}

// RequestReturn announces that delivered units come back. Every line is refused or accepted for a reason that the
// caller can tell the customer; one refused line refuses the request. A unit is in one return at a time.
func (o *Order) RequestReturn(r ReturnRequest, act Act) (*Return, error) {
	if err := o.validateReturn(r); err != nil {
		return nil, err
	}
	o.presumeDelivered(act)
	var refused fault.Fields
	ret := Return{ID: act.NewID(id.Return), Number: len(o.Returns) + 1, Status: returns.Requested, Origin: OriginCustomer,
		TrackingStatus: shipping.Pending, CreatedAt: act.At, UpdatedAt: act.At}
	ours := true
	for i, u := range r.Lines {
		lines, why := o.returnable(u, act)
		if why != nil {
			why.Pointer = pointer("lines", i, "line_id")
			refused = append(refused, *why)
		}
		ret.Lines = append(ret.Lines, lines...)
		ours = ours && o.policy().AtOurFault(u.Reason)
	}
	if len(refused) > 0 {
		return nil, &fault.Fault{Kind: fault.Conflict, Code: "not_returnable", Fields: refused,
			Detail: fmt.Sprintf("%d of %s cannot be returned", len(refused), count(int64(len(r.Lines)), "line"))}
	}
	if o.policy().Label && !ours {
		ret.LabelFee = o.policy().LabelFee[o.Currency]
	}
	for _, u := range r.Lines {
		o.line(u.LineID).ReturnRequested += u.Quantity
	}
	o.Returns = append(o.Returns, ret)
	added := &o.Returns[len(o.Returns)-1]
	o.noteReturn(act, added, EventReturnRequested, count(added.units(), "unit"), EventData{Units: added.units()})
	o.effects.WakeReturns = append(o.effects.WakeReturns, added.ID)
	if o.policy().AutoApprove {
		o.approve(added, false, act)
	}
	return added, nil
}

func (o *Order) validateReturn(r ReturnRequest) error {
	var wrong fault.Fields
	seen := map[string]bool{}
	asked := make([]UnitsOf, len(r.Lines))
	for i, u := range r.Lines {
		asked[i] = UnitsOf{LineID: u.LineID, Quantity: u.Quantity}
		switch {
		case o.line(u.LineID) == nil:
			wrong.Add(pointer("lines", i, "line_id"), "unknown_line", "the order has no such line")
		case seen[u.LineID]:
			wrong.Add(pointer("lines", i, "line_id"), "duplicate", "a line is named once")
		}
		seen[u.LineID] = true
		if !slices.Contains(returns.Reasons(), u.Reason) {
			wrong.Add(pointer("lines", i, "reason"), "unknown_value", "one of %v", returns.Reasons())
		}
	}
	countable(&wrong, "/lines", asked)
	return wrong.Err()
}

// presumeDelivered takes parcels for delivered that nobody scanned as such for longer than any takes: who sends
// goods back has them.
func (o *Order) presumeDelivered(act Act) {
	for i := range o.Shipments {
		s := &o.Shipments[i]
		if s.Status != ShipmentShipped {
			continue
		}
		if by := o.policy().PresumedDelivered(*s.HandedOverAt); !act.At.Before(by) {
			s.TrackingStatus, s.TrackingAt, s.DeliveredAt = shipping.Delivered, &by, &by
			o.delivered(act, s)
			o.complete(act)
			o.effects.Wake = true
		}
	}
}

// returnable picks the units that come back, or says why they may not.
func (o *Order) returnable(u ReturnedUnits, act Act) ([]ReturnLine, *fault.Field) {
	l := o.line(u.LineID)
	if l.FinalSale && !o.policy().AtOurFault(u.Reason) {
		return nil, &fault.Field{Code: "final_sale", Detail: "the line was sold for good: only what is our fault comes back"}
	}
	var lines []ReturnLine
	var late, returning int64
	taken := o.returning(l.ID)
	left := u.Quantity
	for _, s := range o.Shipments {
		free := without(s.spans(l.ID), taken)
		returning += units(s.spans(l.ID)) - units(free)
		switch {
		case s.Status != ShipmentDelivered:
		case act.At.After(o.policy().WindowEnds(*s.DeliveredAt)):
			late += units(free)
		default:
			for _, span := range front(free, left) {
				lines = append(lines, o.returnLine(s, l, span, u.Reason))
				left -= span.quantity
			}
		}
	}
	switch {
	case left == 0:
		return lines, nil
	case left <= late:
		return nil, &fault.Field{Code: "window_closed", Detail: fmt.Sprintf("returns are taken for %d days from delivery", o.policy().WindowDays)}
	case left <= late+l.Quantity-l.Cancelled-l.Delivered-l.Lost:
		return nil, &fault.Field{Code: "not_delivered", Detail: fmt.Sprintf("%d of %d to return have not been delivered", left-late, u.Quantity)}
	}
	return nil, &fault.Field{Code: "too_many", Detail: fmt.Sprintf("%d to return: of %d delivered, %d are in a return already", u.Quantity, l.Delivered, returning)}
}

func (o *Order) returnLine(s Shipment, l *Line, units span, reason returns.Reason) ReturnLine {
	return ReturnLine{LineID: l.ID, SKU: l.SKU, FirstUnit: units.first, Quantity: units.quantity, ShipmentID: s.ID,
		LocationID: o.Fulfillment(s.FulfillmentID).LocationID, Reason: reason}
}

// returning are the units of a line that are in a return which counts.
func (o *Order) returning(lineID string) []span {
	var spans []span
	for _, r := range o.Returns {
		if r.counts() {
			spans = append(spans, r.spans(lineID)...)
		}
	}
	return joined(spans)
}

// counts reports whether a return's units are taken: it was not declined, called off, or in vain.
func (r *Return) counts() bool {
	return r.Status != returns.Declined && r.Status != returns.Cancelled && r.Status != returns.Expired
}

func (r *Return) spans(lineID string) []span {
	var spans []span
	for _, l := range r.Lines {
		if l.LineID == lineID {
			spans = append(spans, span{l.FirstUnit, l.Quantity})
		}
	}
	return spans
}

func (r *Return) units() int64 {
	var sum int64
	for _, l := range r.Lines {
		sum += l.Quantity
	}
	return sum
}

// Outstanding is how many units are still expected.
func (l ReturnLine) Outstanding() int64 { return l.Quantity - l.Received - l.Dismissed }

func (r *Return) outstanding() int64 {
	var sum int64
	for _, l := range r.Lines {
		sum += l.Outstanding()
	}
	return sum
}

// noteReturn appends an event about a return, whose order's run hears of it when it still has one.
func (o *Order) noteReturn(act Act, r *Return, event, detail string, data EventData) {
	r.UpdatedAt = act.At
	o.note(act, Event{Type: event, ReturnID: r.ID, Detail: detail, Data: data})
	if !o.Status.Final() {
		o.effects.Wake = true
	}
}

// ApproveReturn lets the goods come. What is worth no parcel, by the policy or because an operator says so, is
// credited and stays with the customer; an operator may still say so while they are expected, as when their parcel
// was lost.
func (o *Order) ApproveReturn(returnID string, returnless bool, act Act) error {
	r, err := o.returnOf(returnID)
	if err != nil {
		return err
	}
	if returnless && !r.Returnless && returns.Waive.Allows(r.Status) {
		_ = returns.Waive.Take(&r.Status, "return")
		o.noteReturn(act, r, EventReturnApproved, "returnless: the goods are no longer expected", EventData{Returnless: true})
		o.voidReturnLabel(act, r)
		o.clearFor(act, r.ID, AttentionParcelLost) // what to do about it has been done
		o.returnless(r, act)
		return nil
	}
	if !returns.Approve.Allows(r.Status) {
		return returns.Approve.Take(&r.Status, "return")
	}
	o.approve(r, returnless, act)
	return nil
}

func (o *Order) approve(r *Return, returnless bool, act Act) {
	_ = returns.Approve.Take(&r.Status, "return")
	at := act.At
	r.ApprovedAt = &at
	upTo, bound := o.policy().ReturnlessUpTo[o.Currency]
	if returnless || bound && o.Estimate(*r).Goods <= upTo {
		o.noteReturn(act, r, EventReturnApproved, "returnless: the customer keeps the goods", EventData{Returnless: true})
		o.returnless(r, act)
		return
	}
	expires := o.policy().Expires(act.At)
	r.ExpiresAt = &expires
	o.noteReturn(act, r, EventReturnApproved, "until "+expires.UTC().Format("2006-01-02"), EventData{ExpiresAt: &expires})
	if o.policy().Label {
		o.begin(act, Operation{Kind: string(shipping.BuyLabel), ReturnID: r.ID})
	}
}

// returnless credits units that need not come back.
func (o *Order) returnless(r *Return, act Act) {
	r.Returnless, r.LabelFee, r.ExpiresAt = true, 0, nil
	var claims []claim
	for i := range r.Lines {
		l := &r.Lines[i]
		l.Dismissed = l.Quantity
		o.line(l.LineID).Dismissed += l.Quantity
		percent := o.policy().Percent(returns.GradeA, l.Reason)
		claims = append(claims, o.credit(act, Credit{Cause: CreditReturned, LineID: l.LineID, ShipmentID: l.ShipmentID, ReturnID: r.ID,
			Reason: "returnless"}, []span{{l.FirstUnit, l.Quantity}}, percent)...)
	}
	o.repay(act, Refund{Cause: CreditReturned, ReturnID: r.ID, ShipmentID: r.Lines[0].ShipmentID}, claims)
	o.closeReturn(act, r)
}

// DeclineReturn refuses a return, and says why.
func (o *Order) DeclineReturn(returnID, reason string, act Act) error {
	r, err := o.returnOf(returnID)
	if err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		var wrong fault.Fields
		wrong.Add("/reason", "required", "the customer is told why")
		return wrong.Err()
	}
	if err := returns.Decline.Take(&r.Status, "return"); err != nil {
		return err
	}
	r.DeclineReason = reason
	o.release(r)
	o.noteReturn(act, r, EventReturnDeclined, reason, EventData{})
	return nil
}

// CancelReturn calls a return off of which nothing has come. Its units may be announced again.
func (o *Order) CancelReturn(returnID, reason string, act Act) error {
	r, err := o.returnOf(returnID)
	if err != nil {
		return err
	}
	if r.Status == returns.Cancelled {
		return nil
	}
	if r.Origin == OriginCarrier {
		return fault.Conflictf("return_undeliverable", "the parcel could not be delivered and is on its way back, whoever wants it: receive it, or waive it with approve and returnless")
	}
	if r.Returnless {
		return fault.Conflictf("return_returnless", "the return needs no goods and is being refunded")
	}
	if err := returns.Cancel.Take(&r.Status, "return"); err != nil {
		return err
	}
	o.release(r)
	o.noteReturn(act, r, EventReturnCancelled, reason, EventData{})
	o.voidReturnLabel(act, r)
	return nil
}

// release gives the units of a return free that ends in vain.
func (o *Order) release(r *Return) {
	for _, l := range r.Lines {
		o.line(l.LineID).ReturnRequested -= l.Quantity
	}
}

func (o *Order) voidReturnLabel(act Act, r *Return) {
	op := o.last(string(shipping.BuyLabel), r.ID)
	if op != nil && op.State == payment.Done && r.TrackingStatus == shipping.Pending {
		o.begin(act, Operation{Kind: string(shipping.VoidLabel), ReturnID: r.ID})
	}
}
