package order

import (
	"slices"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/payment"
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
		o.note(act, Event{Type: EventShipmentLabeled, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID, Detail: a.Carrier + " " + a.TrackingNumber})
	default:
		_ = RefuseLabel.Take(&s.Status, "shipment")
		o.note(act, Event{Type: EventLabelRefused, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID, Detail: a.Code})
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
		o.note(act, Event{Type: EventShipmentHeld, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID, Detail: why.code})
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
		f.line(l.LineID).Shipped += l.Quantity
	}
	o.note(act, Event{Type: EventShipmentShipped, FulfillmentID: f.ID, ShipmentID: s.ID, Amount: &s.Amount})
	f.UpdatedAt = act.At
	if !slices.ContainsFunc(o.Shipments, func(s Shipment) bool { return s.Status == ShipmentHeld }) {
		o.clear(act, AttentionCaptureRefused)
	}
	if !slices.ContainsFunc(f.Lines, func(l FulfillmentLine) bool { return l.Shipped < l.Quantity }) {
		_ = CloseFulfillment.Take(&f.Status, "fulfillment")
		o.note(act, Event{Type: EventFulfillmentClosed, FulfillmentID: f.ID})
	}
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
	moved := s.TrackingStatus.Advances(*s.TrackingAt, scan)
	o.effects.Scans = append(o.effects.Scans, Scan{ShipmentID: s.ID, Status: scan.Status, OccurredAt: scan.OccurredAt,
		Location: scan.Location, Moved: moved, At: act.At})
	seen := scan.OccurredAt
	if scan.Status != shipping.Pending && scan.Status != shipping.Unknown {
		s.FirstScanAt = earlier(s.FirstScanAt, &seen)
	}
	if scan.Status == shipping.Delivered {
		s.DeliveredAt = earlier(s.DeliveredAt, &seen)
	}
	if !moved {
		if scan.Status == s.TrackingStatus && seen.After(*s.TrackingAt) {
			s.TrackingAt = &seen // it was still so then: what happened before it is old news
		}
		return nil
	}
	s.TrackingStatus, s.TrackingAt = scan.Status, &seen
	if scan.Status == shipping.Delivered || scan.Status.Exception() {
		o.effects.Wake = true
	}
	switch scan.Status {
	case shipping.Delivered:
		o.delivered(act, s)
	case shipping.Lost:
		o.lost(act, s)
	case shipping.ReturnToSender:
		o.unlose(s)
		_ = TurnBack.Take(&s.Status, "shipment")
		o.note(act, Event{Type: EventShipmentReturning, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID})
	default:
		o.note(act, Event{Type: EventShipmentMoved, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID, Detail: string(scan.Status)})
	}
	o.heed(act, s)
	if scan.Status == shipping.Delivered {
		o.complete(act)
	}
	return nil
}

func (o *Order) delivered(act Act, s *Shipment) {
	o.unlose(s)
	_ = DeliverShipment.Take(&s.Status, "shipment")
	for _, l := range s.Lines {
		o.line(l.LineID).Delivered += l.Quantity
	}
	o.note(act, Event{Type: EventShipmentDelivered, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID})
}

// complete ends an order of which every unit that was not cancelled arrived.
func (o *Order) complete(act Act) {
	for _, l := range o.Lines {
		if l.Delivered+l.Cancelled < l.Quantity {
			return
		}
	}
	if Complete.Take(&o.Status, "order") == nil {
		o.note(act, Event{Type: EventCompleted})
	}
}

func (o *Order) lost(act Act, s *Shipment) {
	_ = LoseShipment.Take(&s.Status, "shipment")
	for _, l := range s.Lines {
		o.line(l.LineID).Lost += l.Quantity
	}
	o.note(act, Event{Type: EventShipmentLost, FulfillmentID: s.FulfillmentID, ShipmentID: s.ID})
}

// unlose takes the loss back of a parcel that turned up.
func (o *Order) unlose(s *Shipment) {
	if s.Status != ShipmentLost {
		return
	}
	for _, l := range s.Lines {
		o.line(l.LineID).Lost -= l.Quantity
	}
}
