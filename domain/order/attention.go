package order

import (
	"fmt"
	"slices"

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

// raise calls for a person. The first cause stays until it is cleared.
func (o *Order) raise(act Act, code, detail string) {
	if o.AttentionCode != "" {
		return
	}
	at := act.At
	o.AttentionCode, o.AttentionDetail, o.AttentionSince = code, detail, &at
	o.note(act, Event{Type: EventAttention, Detail: code + ": " + detail})
}

// clear takes the call back; with codes, only when it was for one of them.
func (o *Order) clear(act Act, codes ...string) {
	if o.AttentionCode == "" || len(codes) > 0 && !slices.Contains(codes, o.AttentionCode) {
		return
	}
	o.note(act, Event{Type: EventAttentionCleared, Detail: o.AttentionCode})
	o.AttentionCode, o.AttentionDetail, o.AttentionSince = "", "", nil
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
	o.note(act, Event{Type: EventReturnAttention, ReturnID: r.ID, Detail: c.code + ": " + c.detail})
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
	o.note(act, Event{Type: EventReturnAttentionCleared, ReturnID: r.ID, Detail: r.AttentionCode})
	r.AttentionCode, r.AttentionDetail, r.AttentionSince = "", "", nil
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
