package order

import (
	"slices"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// CancelWhole ends an order of which nothing was handed over. Stock is released at once; money and labels are
// let go by operations that are written down here and performed afterwards. Cancelling again changes nothing.
func (o *Order) CancelWhole(reason string, act Act) error {
	if o.Status == Cancelled {
		return nil
	}
	if o.Status.Final() {
		return Cancel.Take(&o.Status, "order")
	}
	if err := o.stillHere(); err != nil {
		return err
	}
	if err := Cancel.Take(&o.Status, "order"); err != nil {
		return err
	}
	o.close(act, reason)
	o.note(act, Event{Type: EventCancelled, Detail: reason})
	return nil
}

// stillHere refuses when a parcel has left, or may be leaving at this moment.
func (o *Order) stillHere() error {
	for _, s := range o.Shipments {
		switch {
		case s.HandedOverAt != nil:
			return fault.Conflictf("already_shipped", "parcel %d was handed to the carrier: what is left is a return", s.Number)
		case s.ShipRequested:
			return fault.Conflictf("being_shipped", "parcel %d is being shipped: its capture has not been answered yet", s.Number)
		}
	}
	return nil
}

// close lets everything go that the order holds. The caller has set the final status.
func (o *Order) close(act Act, reason string) {
	for i := range o.Shipments {
		o.cancelParcel(act, &o.Shipments[i])
	}
	for i := range o.Lines {
		l := &o.Lines[i]
		o.dropUnits(l, without([]span{{0, l.Quantity}}, o.cancelled(l.ID)), reason, act)
	}
	o.creditShipping(act, reason)
	for i := range o.Fulfillments {
		o.stopFulfillment(act, &o.Fulfillments[i])
	}
	for i := range o.Payments {
		o.letGo(act, &o.Payments[i])
	}
	o.releaseHolds(act)
	before := o.AttentionCode
	o.clear(act)
	o.recall(act, before) // what was refused earlier, of units that were cancelled earlier
}

// stopFulfillment ends what the warehouse was to do for a fulfillment order of which nothing is left.
func (o *Order) stopFulfillment(act Act, f *Fulfillment) {
	if CancelFulfillment.Take(&f.Status, "fulfillment") == nil {
		o.letGoHoldsOf(act, f)
		f.UpdatedAt = act.At
		o.note(act, Event{Type: EventFulfillmentCanceled, FulfillmentID: f.ID})
	}
}

func (o *Order) cancelParcel(act Act, s *Shipment) {
	if !CancelShipment.Allows(s.Status) {
		return
	}
	_ = CancelShipment.Take(&s.Status, "shipment")
	o.note(act, Event{Type: EventShipmentCancelled, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID})
	if op := o.last(string(shipping.BuyLabel), s.ID); op != nil && op.State == payment.Done {
		o.begin(act, Operation{Kind: string(shipping.VoidLabel), ShipmentID: s.ID})
	}
}

// DeadlinePassed does what is due by now: what was refused is tried again, holds that nobody answered do what they
// say, an authorization that lapsed is written off, a promise that was not kept calls for a person.
func (o *Order) DeadlinePassed(act Act) {
	o.retryDue(act, false, mine)
	if o.Status.Final() {
		return
	}
	o.expireAuthorizations(act)
	o.promisePassed(act)
	o.holdsLapse(act)
}

// mine tells the operations that the order's own run performs from those of its returns.
func mine(op *Operation) bool { return op.ReturnID == "" }

// expire ends an order that nobody paid in time.
func (o *Order) expire(act Act, h *Hold) {
	if o.stillHere() != nil {
		h.Deadline = nil
		o.raise(act, AttentionPaymentOverdue, "the grace for a new payment is over, and something was shipped already")
		return
	}
	_ = Expire.Take(&o.Status, "order")
	o.close(act, "nobody paid in time")
	o.note(act, Event{Type: EventExpired, Detail: "nobody paid in time"})
}

// Resume takes a call for a person back and tries again what was refused, also of an order that has ended.
func (o *Order) Resume(act Act) error {
	if o.Settled && o.AttentionCode == "" {
		return fault.Conflictf("order_"+string(o.Status), "the order is %s and nothing is left to be done", o.Status)
	}
	standing := cause{o.AttentionCode, o.AttentionDetail}
	o.takeOn("")
	o.clear(act)
	if h := o.activeHold(HoldAwaitingPayment); h != nil && h.Deadline == nil && o.stillHere() != nil {
		until := act.At.Add(act.Policy.PaymentGrace) // nothing ends the wait for the rest: it is called for again
		h.Deadline = &until
	}
	for i := range o.Shipments {
		s := &o.Shipments[i]
		s.Acknowledged = s.Acknowledged || s.trouble() == standing && standing.code != ""
		if RetryLabel.Allows(s.Status) {
			_ = RetryLabel.Take(&s.Status, "shipment")
			o.begin(act, Operation{Kind: string(shipping.BuyLabel), ShipmentID: s.ID})
		}
	}
	o.retryDue(act, true, mine)
	for _, c := range o.causes() {
		if c.code == AttentionGatewayMismatch || c != standing && slices.Contains(unseen, c.code) {
			o.call(act, c) // nothing that can be tried again, or nothing that anybody has seen: the other call hid it
		}
	}
	return nil
}

// unseen are the causes that somebody has to see, and that resuming does nothing about.
var unseen = []string{AttentionParcelLost, AttentionParcelReturning, AttentionParcelCancelled, AttentionBackorderOverdue, AttentionHoldOverdue}

// refused reports whether the last operation of this kind and subject was refused.
func (o *Order) refused(kind, subject string) bool {
	op := o.last(kind, subject)
	return op != nil && op.State == payment.Denied
}

// StepFailed calls for a person when a step failed in a way that repeating will not mend.
func (o *Order) StepFailed(step, detail string, act Act) {
	o.giveUp(act, "", step, detail)
}
