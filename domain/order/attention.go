package order

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// The causes of attention.
const (
	AttentionGatewayUnknown    = "gateway_unknown"     // a gateway has left an operation unanswered for too long
	AttentionGatewayMismatch   = "gateway_mismatch"    // a gateway did something other than it was asked
	AttentionGatewayContradict = "gateway_contradicts" // two different terminal answers under one key
	AttentionCaptureRefused    = "capture_refused"     // packed, and the money cannot be had
	AttentionVoidRefused       = "void_refused"        // held money that will not be let go
	AttentionRefundRefused     = "refund_refused"      // captured money that cannot be given back here
	AttentionLabelRefused      = "label_refused"       // the carrier will not carry a parcel
	AttentionLabelVoidRefused  = "label_void_refused"  // a label of a cancelled parcel cannot be voided
	AttentionAuthExpired       = "authorization_expired"
	AttentionPaymentOverdue    = "payment_overdue" // the grace is over and something was shipped already
	AttentionHoldOverdue       = "hold_overdue"    // nobody answered a hold in time
	AttentionBackorderOverdue  = "backorder_overdue"
	AttentionParcelLost        = "parcel_lost"
	AttentionParcelFound       = "parcel_found" // refunded as lost, and it arrived
	AttentionParcelReturning   = "parcel_returning"
	AttentionParcelCancelled   = "parcel_cancelled" // handed over, and the carrier says that it is cancelled
	AttentionReturnUnexpected  = "unexpected_items" // a return brought what nobody announced
	AttentionStepFailed        = "step_failed"      // a step of the run failed in a way that repeating will not mend
)

// Guide says what a cause of attention means and what an operator does about it.
type Guide struct {
	Code    string
	Meaning string // what happened, and what Waybill does about it by itself
	Action  string // for the operator; {order} and {return} stand for ids, {resume} for the request that resumes either
	Return  string // instead of Action, when a return calls
}

// For returns the guide's advice with the ids in it. Without a return's id it is that for the order.
func (g Guide) For(orderID, returnID string) string {
	advice, resume := g.Action, "POST /v1/orders/"+orderID+"/resume"
	if returnID != "" {
		advice, resume = cmp.Or(g.Return, g.Action), "POST /v1/returns/"+returnID+"/resume"
	}
	return strings.NewReplacer("{order}", orderID, "{return}", returnID, "{resume}", resume).Replace(advice)
}

// GuideTo finds the guide of a cause; of one that is not known, an empty one.
func GuideTo(code string) Guide {
	for _, g := range Guides() {
		if g.Code == code {
			return g
		}
	}
	return Guide{Code: code}
}

// Guides lists every cause of attention with what it means and what to do: for the details of a run and for docs.
func Guides() []Guide {
	return append(moneyGuides(), goodsGuides()...)
}

func moneyGuides() []Guide {
	return []Guide{
		{Code: AttentionGatewayUnknown,
			Meaning: "A gateway or carrier has left a request unanswered for too long. It is looked up and asked again under the same key, at least once a minute: nothing is done twice.",
			Action:  "See under Pending Activities what its last failure was, and find out whether that system is down or cannot be reached from here. When it answers, this call ends by itself. Until then do not charge, refund or buy a label by hand."},
		{Code: AttentionGatewayMismatch,
			Meaning: "A gateway did something other than it was asked, such as taking another amount. What it did is in the books; a parcel that was paid for wrongly stays in the building.",
			Action:  "Compare with the gateway's own records. If a parcel is held, cancel its units (`POST /v1/orders/{order}/cancel` with their lines): what was taken for them is given back. If the order waits for a payment, it takes another one: `POST /v1/orders/{order}/payment`. Settle any other difference with the gateway, then `{resume}`.",
			Return:  "Compare with the gateway's own records and settle the difference there, then `{resume}`."},
		{Code: AttentionGatewayContradict,
			Meaning: "A gateway gave two different final answers under one key. The first one counts.",
			Action:  "Ask the gateway which one is true, by the key in the detail. If it is the second, put it right at the gateway: Waybill's books keep the first. Then `{resume}`."},
		{Code: AttentionCaptureRefused,
			Meaning: "A parcel is packed and the money for it cannot be taken. It stays in the building: nothing ships unpaid.",
			Action:  "Ask the customer for another way to pay and send it: `POST /v1/orders/{order}/payment`. Then ship the parcel again: `POST /v1/fulfillments/{fulfillment_id}/ship`. That alone tries the same payment once more. Or cancel: `POST /v1/orders/{order}/cancel`."},
		{Code: AttentionVoidRefused,
			Meaning: "A gateway will not let go of money that it holds for this order and nobody wants any more. It is asked again by itself: after an hour, then twice as late each time.",
			Action:  "Nothing is lost: at the latest the hold lapses. To have the customer's money free sooner, mend the cause at the gateway and `{resume}`, which asks at once."},
		{Code: AttentionRefundRefused,
			Meaning: "A gateway will not give money back that is owed to the customer. It stays owed and is asked for again by itself: after an hour, then twice as late each time.",
			Action:  "Mend the cause at the gateway and `{resume}`, which asks at once. Or pay the customer by other means and say so: `POST /v1/orders/{order}/refunds/{refund_id}/settle`."},
		{Code: AttentionAuthExpired,
			Meaning: "The authorization lapsed before the goods were shipped. Nothing more ships on it; the order waits for a payment until its grace ends, and then expires.",
			Action:  "Ask the customer for another way to pay and send it: `POST /v1/orders/{order}/payment`. Or do nothing: the order expires and lets everything go."},
		{Code: AttentionPaymentOverdue,
			Meaning: "The grace for a new payment is over. A part of the order was shipped, or is being shipped, so that it cannot simply expire.",
			Action:  "Send another way to pay (`POST /v1/orders/{order}/payment`), or cancel what has not left (`POST /v1/orders/{order}/cancel` with its lines). `{resume}` starts the grace once more."},
		{Code: AttentionHoldOverdue,
			Meaning: "Nobody answered a hold until its deadline. It still stands, and blocks what it says.",
			Action:  "Decide: release it (`POST /v1/orders/{order}/holds/{hold_id}/release`; of a fulfillment order `POST /v1/fulfillments/{id}/holds/{hold_id}/release`), or cancel the order."},
	}
}

func goodsGuides() []Guide {
	return []Guide{
		{Code: AttentionLabelRefused,
			Meaning: "The carrier sells no label for a parcel, most often because of its address or its weight.",
			Action:  "Mend the cause with the carrier and `{resume}`, which asks for the label again. If it cannot be mended, cancel the parcel's units: `POST /v1/orders/{order}/cancel` with their lines.",
			Return:  "Mend the cause with the carrier and `{resume}`, which asks for the label again. Or let the customer send it in his own way: the return goes on when it is received."},
		{Code: AttentionLabelVoidRefused,
			Meaning: "The label of a parcel that will not travel cannot be given back, so that the carrier may charge for it. Order, money and stock are as they should be.",
			Action:  "Make sure that the parcel is still here, and ask the carrier for the label's price. `{resume}` asks once more to void it."},
		{Code: AttentionBackorderOverdue,
			Meaning: "The date that was promised for units that wait for stock has passed. They go on waiting, and are given what arrives.",
			Action:  "Get stock in (`POST /v1/inventory/receipts`), or tell the customer and cancel these units (`POST /v1/orders/{order}/cancel` with their lines). `{resume}` says that somebody has seen it."},
		{Code: AttentionParcelLost,
			Meaning: "The carrier lost a parcel. What was paid for one on its way to the customer is refunded by itself.",
			Action:  "File a claim with the carrier, and offer the customer a new order. `{resume}` says that somebody has seen it.",
			Return:  "File a claim with the carrier. Refund without the goods: `POST /v1/returns/{return}/approve` with `{\"returnless\":true}`."},
		{Code: AttentionParcelFound,
			Meaning: "A parcel that had been refunded as lost arrived after all: the customer has the goods and his money. Nothing more is ever paid back for it.",
			Action:  "Agree with the customer who keeps what, and tell the carrier if a claim was filed. `{resume}` says that somebody has seen it."},
		{Code: AttentionParcelReturning,
			Meaning: "A parcel could not be delivered and is on its way back. A return for it was opened by itself.",
			Action:  "Find out from the customer what went wrong. Receive and inspect the return when the parcel is here: that pays him back. `{resume}` says that somebody has seen it."},
		{Code: AttentionParcelCancelled,
			Meaning: "A parcel was handed over, and the carrier says that it was cancelled. Nobody knows yet where it is.",
			Action:  "Ask the carrier, and write down what is so: `POST /v1/shipments/{shipment_id}/tracking` with `lost`, `return_to_sender` or where it is. `{resume}` says that somebody has seen it."},
		{Code: AttentionReturnUnexpected,
			Meaning: "A parcel that came back held goods that nobody announced. They are in quality control, and nobody is paid for them.",
			Action:  "Find out whose they are, and decide what becomes of them: `POST /v1/inventory/dispositions` with their location and SKU, from `quality_control` to `available`, `damaged` or `scrapped`. Then `{resume}`."},
		{Code: AttentionStepFailed,
			Meaning: "A step failed in a way that repeating will not mend. It is given up until somebody resumes; the rest goes on.",
			Action:  "The detail says why, for example that a gateway is not configured on a worker. Mend that, then `{resume}`, which tries the step again."},
	}
}

// raise calls for a person. The first cause stays until it is cleared.
func (o *Order) raise(act Act, code, detail string) {
	if o.AttentionCode != "" {
		return
	}
	at := act.At
	o.AttentionCode, o.AttentionDetail, o.AttentionSince = code, detail, &at
	o.note(act, Event{Type: EventAttention, Detail: code + ": " + detail, Data: EventData{Code: code}})
}

// clear takes the call back; with codes, only when it was for one of them.
func (o *Order) clear(act Act, codes ...string) {
	if o.AttentionCode == "" || len(codes) > 0 && !slices.Contains(codes, o.AttentionCode) {
		return
	}
	o.note(act, Event{Type: EventAttentionCleared, Detail: o.AttentionCode, Data: EventData{Code: o.AttentionCode}})
	o.AttentionCode, o.AttentionDetail, o.AttentionSince = "", "", nil
	o.stillGivenUp(act, "")
}

// callFor calls for a person on a return, or, without one, on the order.
func (o *Order) callFor(act Act, returnID string, c cause) {
	r := o.Return(returnID)
	if r == nil {
		o.call(act, c)
		return
	}
	if r.AttentionCode != "" {
		return
	}
	at := act.At
	r.AttentionCode, r.AttentionDetail, r.AttentionSince = c.code, c.detail, &at
	o.note(act, Event{Type: EventReturnAttention, ReturnID: r.ID, Detail: c.code + ": " + c.detail, Data: EventData{Code: c.code}})
}

// clearFor takes a call back on a return, or, without one, on the order.
func (o *Order) clearFor(act Act, returnID string, codes ...string) {
	r := o.Return(returnID)
	if r == nil {
		o.clear(act, codes...)
		return
	}
	if r.AttentionCode == "" || len(codes) > 0 && !slices.Contains(codes, r.AttentionCode) {
		return
	}
	o.note(act, Event{Type: EventReturnAttentionCleared, ReturnID: r.ID, Detail: r.AttentionCode, Data: EventData{Code: r.AttentionCode}})
	r.AttentionCode, r.AttentionDetail, r.AttentionSince = "", "", nil
	o.stillGivenUp(act, r.ID)
}

// giveUp notes that the run performs an operation no more until somebody resumes, and calls for him. Another call may
// stand, or this one be taken back with the order's end: as long as the operation is open, it is called for again.
func (o *Order) giveUp(act Act, returnID, step, detail string) {
	if op := o.Operation(step); op != nil && op.State.Open() {
		op.Code, op.Detail = AttentionStepFailed, detail
	}
	o.callFor(act, returnID, cause{AttentionStepFailed, step + ": " + detail})
}

func (op Operation) givenUp(returnID string) bool {
	return op.ReturnID == returnID && op.State.Open() && op.Code == AttentionStepFailed
}

// stillGivenUp calls for a person when a call that was taken back had hidden an operation that was given up.
func (o *Order) stillGivenUp(act Act, returnID string) {
	for _, op := range o.Operations {
		if op.givenUp(returnID) {
			o.callFor(act, returnID, cause{AttentionStepFailed, op.Key + ": " + op.Detail})
		}
	}
}

// takeOn lets the run take on again what it has given up.
func (o *Order) takeOn(returnID string) {
	for i := range o.Operations {
		if op := &o.Operations[i]; op.givenUp(returnID) {
			op.Code = ""
		}
	}
}

// recall calls for a person when the call that stood before a decision was taken back and the facts show another
// cause, which it had hidden. Decisions that take calls back defer it.
func (o *Order) recall(act Act, before string) {
	if before == "" || o.AttentionCode != "" {
		return
	}
	if found := o.causes(); len(found) > 0 {
		o.call(act, found[0])
	}
}

// reconsider takes a call back whose cause is gone, and makes the next one that there is.
func (o *Order) reconsider(act Act) {
	gone := []string{AttentionCaptureRefused, AttentionGatewayMismatch, AttentionLabelRefused, AttentionVoidRefused, AttentionRefundRefused}
	standing := o.AttentionCode
	if slices.Contains(gone, standing) && !slices.ContainsFunc(o.causes(), func(c cause) bool { return c.code == standing }) {
		o.clear(act)
	}
	o.recall(act, standing)
}

// cause is a reason to call for a person.
type cause struct{ code, detail string }

func (o *Order) call(act Act, c cause) { o.raise(act, c.code, c.detail) }

// causes lists what the facts themselves show to be stuck until a person has looked.
func (o *Order) causes() []cause {
	var found []cause
	for _, s := range o.Shipments {
		if c := o.parcelCause(s); c.code != "" {
			found = append(found, c)
		}
	}
	for _, p := range o.Payments {
		if p.Open() > 0 && o.refused(string(payment.Void), p.ID) {
			found = append(found, p.voidRefused(o.last(string(payment.Void), p.ID).Code))
		}
	}
	for _, h := range o.Holds {
		if h.overdue() && h.OnDeadline != OnDeadlineExpire {
			found = append(found, h.unanswered())
		}
	}
	if o.PromiseBroken && o.backordered() > 0 {
		found = append(found, o.promiseBroken())
	}
	for _, r := range o.Refunds {
		if r.Status == RefundRefused && r.ReturnID == "" {
			found = append(found, o.Payment(r.PaymentID).refundRefused(o.last(string(payment.Refund), r.ID)))
		}
	}
	return found
}

func (o *Order) parcelCause(s Shipment) cause {
	label, capture := o.last(string(shipping.BuyLabel), s.ID), o.last(string(payment.Capture), s.ID)
	switch {
	case s.Status == ShipmentLabelRefused:
		return s.labelRefused(label.Code)
	case s.Status == ShipmentHeld && capture != nil && capture.State == payment.Denied && o.live() != nil && o.live().ID == capture.PaymentID:
		return o.captureRefused(s, capture)
	case s.Status == ShipmentHeld && capture != nil && capture.State == payment.Done && capture.Applied != capture.Amount:
		p := o.Payment(capture.PaymentID)
		return cause{AttentionGatewayMismatch, fmt.Sprintf("parcel %d: %s captured %s where %s was asked for: it cannot ship; cancel its units", s.Number,
			p.Gateway, p.format(capture.Applied), p.format(capture.Amount))}
	case s.Status == ShipmentCancelled && o.refused(string(shipping.VoidLabel), s.ID):
		return s.labelVoidRefused(o.last(string(shipping.VoidLabel), s.ID).Code)
	case s.HandedOverAt != nil:
		return s.trouble()
	}
	return cause{}
}

func (s Shipment) labelRefused(code string) cause {
	return cause{AttentionLabelRefused, fmt.Sprintf("no label for parcel %d: %s; mend the cause, then resume the order", s.Number, code)}
}

func (s Shipment) labelVoidRefused(code string) cause {
	return cause{AttentionLabelVoidRefused, fmt.Sprintf("the label of parcel %d cannot be voided: %s", s.Number, code)}
}

func (o *Order) captureRefused(s Shipment, op *Operation) cause {
	return cause{AttentionCaptureRefused, fmt.Sprintf("capture of %s for parcel %d was refused: %s", o.format(op.Amount), s.Number, op.Code)}
}

func (p Payment) voidRefused(code string) cause {
	return cause{AttentionVoidRefused, fmt.Sprintf("%s will not void %s: %s", p.Gateway, p.format(p.Open()), code)}
}

func (p Payment) refundRefused(op *Operation) cause {
	return cause{AttentionRefundRefused, fmt.Sprintf("%s will not refund %s: %s", p.Gateway, p.format(op.Amount), op.Code)}
}

// trouble says why somebody has to look at a parcel on its way, or nothing.
func (s Shipment) trouble() cause {
	if s.Acknowledged {
		return cause{}
	}
	switch s.TrackingStatus {
	case shipping.Lost:
		return cause{AttentionParcelLost, fmt.Sprintf("the carrier lost parcel %d: what was paid for it is refunded; file a claim", s.Number)}
	case shipping.ReturnToSender:
		return cause{AttentionParcelReturning, fmt.Sprintf("parcel %d is on its way back to us", s.Number)}
	case shipping.TrackingCancelled:
		return cause{AttentionParcelCancelled, fmt.Sprintf("the carrier says that parcel %d was cancelled", s.Number)}
	}
	return cause{}
}

// heed calls for a person when the parcel that just moved is in trouble, and takes a call back that is about a
// parcel which no longer is.
func (o *Order) heed(act Act, s *Shipment) {
	standing := cause{o.AttentionCode, o.AttentionDetail}
	parcel := slices.Contains([]string{AttentionParcelLost, AttentionParcelReturning, AttentionParcelCancelled}, standing.code)
	if parcel && !slices.ContainsFunc(o.Shipments, func(other Shipment) bool { return other.trouble() == standing }) {
		o.clear(act)
	}
	if c := s.trouble(); c.code != "" {
		o.call(act, c)
	}
}
