package order

import (
	"fmt"
	"slices"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// Shipment finds a parcel by id, or nil.
func (o *Order) Shipment(shipmentID string) *Shipment {
	for i := range o.Shipments {
		if o.Shipments[i].ID == shipmentID {
			return &o.Shipments[i]
		}
	}
	return nil
}

// CarrierAnswered writes a carrier's terminal answer on the operation with this key.
func (o *Order) CarrierAnswered(key string, a shipping.Answer, act Act) {
	op := o.Operation(key)
	if op == nil {
		return
	}
	state := payment.Denied
	if a.Outcome == shipping.Succeeded {
		state = payment.Done
	}
	defer o.recall(act, o.AttentionCode)
	if !o.conclude(op, act, state, a.Reference, a.Code, a.Detail, 0) {
		return
	}
	if r := o.Return(op.ReturnID); r != nil {
		o.returnLabelAnswered(op, r, a, act)
		return
	}
	s := o.Shipment(op.ShipmentID)
	if op.Kind == string(shipping.VoidLabel) {
		o.labelVoided(act, s, a)
		return
	}
	if state == payment.Done {
		s.Carrier, s.TrackingNumber, s.LabelReference = a.Carrier, a.TrackingNumber, a.Reference
	}
	switch {
	case s.Status == ShipmentCancelled && state == payment.Done:
		o.begin(act, Operation{Kind: string(shipping.VoidLabel), ShipmentID: s.ID})
	case s.Status == ShipmentCancelled:
	case state == payment.Done:
		_ = LabelShipment.Take(&s.Status, "shipment")
		o.note(act, Event{Type: EventShipmentLabeled, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID, Detail: a.Carrier + " " + a.TrackingNumber,
			Data: EventData{Carrier: a.Carrier, TrackingNumber: a.TrackingNumber}})
	default:
		_ = RefuseLabel.Take(&s.Status, "shipment")
		o.note(act, Event{Type: EventLabelRefused, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID, Detail: a.Code, Data: EventData{Code: a.Code}})
		o.call(act, s.labelRefused(a.Code))
	}
}

func (o *Order) labelVoided(act Act, s *Shipment, a shipping.Answer) {
	if a.Outcome != shipping.Succeeded {
		o.call(act, s.labelVoidRefused(a.Code))
		return
	}
	o.note(act, Event{Type: EventLabelVoided, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID})
}

// holdParcel keeps a parcel in the building.
func (o *Order) holdParcel(act Act, s *Shipment, why cause) {
	if s.Status != ShipmentHeld {
		_ = HoldShipment.Take(&s.Status, "shipment")
		o.note(act, Event{Type: EventShipmentHeld, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID, Detail: why.code, Data: EventData{Code: why.code}})
	}
	o.call(act, why)
}

// handOver gives a parcel to the carrier: the stock leaves, the counters move, and from now on nothing of it can
// be cancelled. Once no parcel of the fulfillment order is left, it closes.
func (o *Order) handOver(act Act, s *Shipment) {
	if err := HandOver.Take(&s.Status, "shipment"); err != nil {
		return
	}
	at := act.At
	s.HandedOverAt, s.TrackingAt, s.ShipRequested = &at, &at, false
	f := o.Fulfillment(s.FulfillmentID)
	for _, l := range s.Lines {
		o.consume(f.ID, l, s.ID)
		o.line(l.LineID).Shipped += l.Quantity
	}
	o.tally(f)
	o.note(act, Event{Type: EventShipmentShipped, FulfillmentID: f.ID, ShipmentID: s.ID, Amount: &s.Amount,
		Data: EventData{Carrier: s.Carrier, TrackingNumber: s.TrackingNumber}})
	f.UpdatedAt = act.At
	if !slices.ContainsFunc(o.Shipments, func(s Shipment) bool { return s.Status == ShipmentHeld }) {
		o.clear(act, AttentionCaptureRefused)
	}
	o.finish(act, f)
	o.paidUp(act)
}

// Scanned notes a carrier's scan. It never moves a parcel backwards: late and out-of-order scans are kept and
// change nothing. The first one that shows that the carrier has the parcel counts as its first scan.
func (o *Order) Scanned(shipmentID string, scan shipping.Scan, act Act) error {
	s := o.Shipment(shipmentID)
	if s == nil {
		return fault.NotFoundf("there is no such shipment")
	}
	if s.HandedOverAt == nil {
		return fault.Conflictf("not_shipped", "parcel %d has not been handed to a carrier: it is %s", s.Number, s.Status)
	}
	defer o.recall(act, o.AttentionCode)
	moved := s.TrackingStatus.Advances(*s.TrackingAt, scan) && !o.cameBack(s)
	o.effects.Scans = append(o.effects.Scans, Scan{ShipmentID: s.ID, Status: scan.Status, OccurredAt: scan.OccurredAt,
		Location: scan.Location, Moved: moved, At: act.At})
	seen := scan.OccurredAt
	if scan.Status != shipping.Pending && scan.Status != shipping.Unknown {
		s.FirstScanAt = earlier(s.FirstScanAt, &seen)
	}
	if scan.Status == shipping.Delivered && !o.cameBack(s) {
		s.DeliveredAt = earlier(s.DeliveredAt, &seen)
	}
	if !moved {
		if scan.Status == s.TrackingStatus && seen.After(*s.TrackingAt) {
			s.TrackingAt = &seen // it was still so then: what happened before it is old news
		}
		return nil
	}
	s.TrackingStatus, s.TrackingAt, s.Acknowledged = scan.Status, &seen, false
	if scan.Status == shipping.Delivered || scan.Status.Exception() {
		o.effects.Wake = true
	}
	found := s.Status == ShipmentLost && scan.Status == shipping.Delivered && o.creditedFor(s) > 0
	switch scan.Status {
	case shipping.Delivered:
		o.delivered(act, s)
	case shipping.Lost:
		o.lost(act, s)
	case shipping.ReturnToSender:
		o.turnedBack(act, s)
	default:
		o.note(act, Event{Type: EventShipmentMoved, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID, Detail: string(scan.Status),
			Data: EventData{TrackingStatus: string(scan.Status)}})
	}
	o.heed(act, s)
	if found {
		o.raise(act, AttentionParcelFound, fmt.Sprintf("parcel %d was given up as lost and %s credited for it; it arrived after all, and nothing more is ever paid back for it", s.Number, o.format(o.creditedFor(s))))
	}
	o.complete(act)
	return nil
}

func (o *Order) delivered(act Act, s *Shipment) {
	o.undo(act, s)
	_ = DeliverShipment.Take(&s.Status, "shipment")
	for _, l := range s.Lines {
		o.line(l.LineID).Delivered += l.Quantity
	}
	o.note(act, Event{Type: EventShipmentDelivered, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID})
}

// lost credits the units of a parcel that the carrier lost, and gives back what was paid for them.
func (o *Order) lost(act Act, s *Shipment) {
	o.undo(act, s)
	_ = LoseShipment.Take(&s.Status, "shipment")
	o.note(act, Event{Type: EventShipmentLost, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID})
	var claims []claim
	for _, l := range s.Lines {
		o.line(l.LineID).Lost += l.Quantity
		claims = append(claims, o.credit(act, Credit{Cause: CreditLost, LineID: l.LineID, ShipmentID: s.ID, Reason: "lost by the carrier"},
			[]span{{l.FirstUnit, l.Quantity}}, 100)...)
	}
	claims = append(claims, o.creditShipping(act, "lost by the carrier")...)
	o.repay(act, Refund{Cause: CreditLost, ShipmentID: s.ID}, claims)
}

// turnedBack expects a parcel back that could not be delivered: it comes in as a return.
func (o *Order) turnedBack(act Act, s *Shipment) {
	o.undo(act, s)
	_ = TurnBack.Take(&s.Status, "shipment")
	for _, l := range s.Lines {
		o.line(l.LineID).Undelivered += l.Quantity
	}
	o.note(act, Event{Type: EventShipmentReturning, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID})
	o.expectBack(act, s)
}

// cameBack reports whether goods of a parcel that could not be delivered are here again, or were waived: whatever a carrier says of
// the parcel after that is old news.
func (o *Order) cameBack(s *Shipment) bool {
	return slices.ContainsFunc(o.Returns, func(r Return) bool {
		return r.Origin == OriginCarrier && r.Lines[0].ShipmentID == s.ID && r.counts() &&
			(r.Returnless || r.Status != returns.Approved && r.Status != returns.InTransit)
	})
}

// turnedUp corrects what is said of a parcel that was given up as lost, and whose goods are here.
func (o *Order) turnedUp(act Act, s *Shipment) {
	if s.Status != ShipmentLost {
		return
	}
	at := act.At
	o.undo(act, s)
	_ = TurnBack.Take(&s.Status, "shipment")
	for _, l := range s.Lines {
		o.line(l.LineID).Undelivered += l.Quantity
	}
	s.TrackingStatus, s.TrackingAt, s.Acknowledged = shipping.ReturnToSender, &at, true
	o.note(act, Event{Type: EventShipmentReturning, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID, Detail: "it is here"})
	o.heed(act, s)
}

// undo takes back what was counted of a parcel that turns out to be somewhere else. What was credited stays credited:
// nothing is ever paid for its units again.
func (o *Order) undo(act Act, s *Shipment) {
	for _, l := range s.Lines {
		switch s.Status {
		case ShipmentLost:
			o.line(l.LineID).Lost -= l.Quantity
		case ShipmentReturning:
			o.line(l.LineID).Undelivered -= l.Quantity
		}
	}
	if s.Status == ShipmentReturning {
		o.noLongerExpected(act, s)
	}
}

// creditedFor is what was credited for a parcel as lost.
func (o *Order) creditedFor(s *Shipment) int64 {
	var sum int64
	for _, c := range o.Credits {
		if c.Cause == CreditLost && c.ShipmentID == s.ID {
			sum += c.Amount
		}
	}
	return sum
}

// complete ends an order whose every unit arrived, was cancelled, lost, or is on its way back undelivered.
func (o *Order) complete(act Act) {
	for _, l := range o.Lines {
		if l.Delivered+l.Cancelled+l.Lost+l.Undelivered < l.Quantity {
			return
		}
	}
	if Complete.Take(&o.Status, "order") == nil {
		o.releaseHolds(act)
		o.note(act, Event{Type: EventCompleted})
	}
}
