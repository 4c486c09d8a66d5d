package order

import (
	"fmt"
	"slices"

	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

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
		if p.Refundable() > 0 && o.refused(string(payment.Refund), p.ID) {
			found = append(found, p.refundRefused(o.last(string(payment.Refund), p.ID).Code))
		}
	}
	return found
}

func (o *Order) parcelCause(s Shipment) cause {
	label, capture := o.last(string(shipping.BuyLabel), s.ID), o.last(string(payment.Capture), s.ID)
	switch {
	case s.Status == ShipmentLabelRefused:
		return s.labelRefused(label.Code)
	case s.Status == ShipmentHeld && capture.State == payment.Denied && o.live() != nil && o.live().ID == capture.PaymentID:
		return o.captureRefused(s, capture)
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

func (p Payment) refundRefused(code string) cause {
	return cause{AttentionRefundRefused, fmt.Sprintf("%s will not refund %s: %s", p.Gateway, p.format(p.Refundable()), code)}
}

// trouble says why somebody has to look at a parcel on its way, or nothing.
func (s Shipment) trouble() cause {
	switch s.TrackingStatus {
	case shipping.Lost:
		return cause{AttentionParcelLost, fmt.Sprintf("the carrier lost parcel %d", s.Number)}
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
