package order

import (
	"fmt"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// UnitsOf is some units of an order line, as commands name them.
type UnitsOf struct {
	LineID   string `json:"line_id"`
	Quantity int64  `json:"quantity"`
}

// Parcel is what somebody put into one box.
type Parcel struct {
	WeightGrams int64     `json:"weight_grams"`
	Lines       []UnitsOf `json:"lines"`
}

// Fulfillment finds a fulfillment order by id, or nil.
func (o *Order) Fulfillment(fulfillmentID string) *Fulfillment {
	for i := range o.Fulfillments {
		if o.Fulfillments[i].ID == fulfillmentID {
			return &o.Fulfillments[i]
		}
	}
	return nil
}

func (f *Fulfillment) line(lineID string) *FulfillmentLine {
	for i := range f.Lines {
		if f.Lines[i].LineID == lineID {
			return &f.Lines[i]
		}
	}
	return nil
}

func (o *Order) line(lineID string) *Line {
	for i := range o.Lines {
		if o.Lines[i].ID == lineID {
			return &o.Lines[i]
		}
	}
	return nil
}

// workable returns a fulfillment order on which the warehouse may work, or says why not.
func (o *Order) workable(fulfillmentID, verb string) (*Fulfillment, error) {
	f := o.Fulfillment(fulfillmentID)
	if f == nil {
		return nil, fault.NotFoundf("the order has no such fulfillment order")
	}
	if f.Status == FulfillmentClosed || f.Status == FulfillmentCancelled {
		return nil, fault.Conflictf("fulfillment_"+string(f.Status), "cannot %s: the fulfillment order is %s", verb, f.Status)
	}
	if o.Blocked(BlockShip) {
		return nil, fault.Conflictf("order_on_hold", "cannot %s: the order is on hold", verb)
	}
	return f, nil
}

// Pick notes units taken off the shelf. Each named line must be picked in full; lines may come in several calls.
// Anything else changes nothing.
func (o *Order) Pick(fulfillmentID string, units []UnitsOf, act Act) error {
	f, err := o.workable(fulfillmentID, "pick")
	if err != nil {
		return err
	}
	var wrong fault.Fields
	countable(&wrong, "/lines", units)
	if err := wrong.Err(); err != nil {
		return err
	}
	whole, at := sum(units)
	for n, u := range whole {
		l, i := f.line(u.LineID), at[n]
		switch {
		case l == nil:
			wrong.Add(pointer("lines", i, "line_id"), "unknown_line", "the fulfillment order has no such line")
		case u.Quantity > l.Quantity-l.Picked:
			return fault.Conflictf("too_many", "line %s: %d picked where %d are left to pick", u.LineID, u.Quantity, l.Quantity-l.Picked)
		case u.Quantity < l.Quantity-l.Picked:
			wrong.Add(pointer("lines", i, "quantity"), "short_pick", "%d picked where %d are left to pick: short picks are not supported yet", u.Quantity, l.Quantity-l.Picked)
		}
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	_ = StartFulfillment.Take(&f.Status, "fulfillment")
	f.UpdatedAt = act.At
	var picked int64
	for _, u := range whole {
		l := f.line(u.LineID)
		l.Picked += u.Quantity
		picked += u.Quantity
		o.move(inventory.Movement{SKU: l.SKU, LocationID: f.LocationID, Kind: inventory.Pick, Quantity: u.Quantity,
			LineID: l.LineID, Reference: f.ID})
	}
	o.note(act, Event{Type: EventFulfillmentPicked, FulfillmentID: f.ID, Detail: count(picked, "unit")})
	if Start.Allows(o.Status) {
		_ = Start.Take(&o.Status, "order")
		o.note(act, Event{Type: EventProcessing})
	}
	return nil
}

// count says how many of a thing.
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// countable notes what is no number of units.
func countable(wrong *fault.Fields, at string, units []UnitsOf) {
	if len(units) == 0 {
		wrong.Add(at, "too_few", "at least one line is named")
	}
	for i, u := range units {
		if u.Quantity < 1 || u.Quantity > quantityMax {
			wrong.Add(fmt.Sprintf("%s/%d/quantity", at, i), "out_of_range", "a quantity is from 1 to %d", quantityMax)
		}
	}
}

// sum adds up what a command says twice of one line, in the order of first mention, and tells where that was.
func sum(units []UnitsOf) (whole []UnitsOf, at []int) {
	seen := map[string]int{}
	for i, u := range units {
		if n, ok := seen[u.LineID]; ok {
			whole[n].Quantity += u.Quantity
			continue
		}
		seen[u.LineID] = len(whole)
		whole, at = append(whole, u), append(at, i)
	}
	return whole, at
}

// Pack puts picked units into parcels and asks for a label for each.
func (o *Order) Pack(fulfillmentID string, parcels []Parcel, act Act) error {
	f, err := o.workable(fulfillmentID, "pack")
	if err != nil {
		return err
	}
	var wrong fault.Fields
	if len(parcels) == 0 {
		wrong.Add("/parcels", "too_few", "at least one parcel is packed")
	}
	for i, p := range parcels {
		countable(&wrong, fmt.Sprintf("/parcels/%d/lines", i), p.Lines)
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	packed := map[string]int64{}
	for i, p := range parcels {
		for j, u := range p.Lines {
			l := f.line(u.LineID)
			if l == nil {
				wrong.Add(fmt.Sprintf("/parcels/%d/lines/%d/line_id", i, j), "unknown_line", "the fulfillment order has no such line")
				continue
			}
			packed[u.LineID] += u.Quantity
			if left := l.Picked - l.Packed; packed[u.LineID] > left {
				return fault.Conflictf("not_picked", "line %s: %d to pack where %d are picked and not packed", u.LineID, packed[u.LineID], left)
			}
		}
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	for _, p := range parcels {
		o.parcel(act, f, p)
	}
	f.UpdatedAt = act.At
	o.note(act, Event{Type: EventFulfillmentPacked, FulfillmentID: f.ID, Detail: count(int64(len(parcels)), "parcel")})
	return nil
}

func (o *Order) parcel(act Act, f *Fulfillment, p Parcel) {
	s := Shipment{ID: act.NewID(id.Shipment), FulfillmentID: f.ID, Number: len(o.Shipments) + 1,
		Status: ShipmentPacked, TrackingStatus: shipping.Pending, WeightGrams: p.WeightGrams, CreatedAt: act.At}
	whole, _ := sum(p.Lines)
	for _, u := range whole {
		l := f.line(u.LineID)
		first := l.FirstUnit + l.Packed
		s.Lines = append(s.Lines, ShipmentLine{LineID: u.LineID, SKU: l.SKU, FirstUnit: first, Quantity: u.Quantity})
		s.Amount += o.value(u.LineID, first, u.Quantity)
		l.Packed += u.Quantity
	}
	o.Shipments = append(o.Shipments, s)
	o.begin(act, Operation{Kind: string(shipping.BuyLabel), ShipmentID: s.ID})
}

// Ship asks to hand every labeled parcel of a fulfillment order over. Each is captured first; a parcel whose
// money is had already leaves at once. One that was held is tried again, under a new key.
func (o *Order) Ship(fulfillmentID string, act Act) error {
	f, err := o.workable(fulfillmentID, "ship")
	if err != nil {
		return err
	}
	ready, requested := 0, 0
	for i := range o.Shipments {
		s := &o.Shipments[i]
		switch {
		case s.FulfillmentID != f.ID:
		case s.ShipRequested:
			requested++
		case s.Status == ShipmentLabeled || s.Status == ShipmentHeld:
			if err := o.requestShip(act, s); err != nil {
				return err
			}
			ready++
		}
	}
	if ready+requested == 0 {
		return fault.Conflictf("nothing_to_ship", "no parcel of this fulfillment order is packed and labeled: pack it first")
	}
	f.UpdatedAt = act.At
	return nil
}

func (o *Order) requestShip(act Act, s *Shipment) error {
	o.chargeShipping(s)
	due := s.Amount - o.prepaid()
	if due <= 0 {
		o.handOver(act, s)
		return nil
	}
	p := o.live()
	if p == nil || p.Open() < due {
		return fault.Conflictf("not_authorized", "parcel %d: %s is not held by any payment: send a new payment token", s.Number, o.format(due))
	}
	s.ShipRequested = true
	op := o.begin(act, Operation{Kind: string(payment.Capture), PaymentID: p.ID, ShipmentID: s.ID, Amount: due})
	if !op.State.Open() {
		return fault.Conflictf("gateway_mismatch", "parcel %d: its capture was answered with another amount; an operator has to look", s.Number)
	}
	o.post(act, p, op.Key, payment.Capturing, due)
	return nil
}

// chargeShipping puts the order's shipping on the first parcel that is to leave.
func (o *Order) chargeShipping(s *Shipment) {
	for _, other := range o.Shipments {
		if other.CarriesShipping && other.Status != ShipmentCancelled {
			return
		}
	}
	s.CarriesShipping = true
	s.Amount += o.shippingCharge()
}

// prepaid is what was, or is being, captured beyond the parcels that it was captured for: all of an order that
// was paid elsewhere, nothing of any other.
func (o *Order) prepaid() int64 {
	rest := o.captured()
	for _, s := range o.Shipments {
		if s.HandedOverAt != nil || s.ShipRequested {
			rest -= s.Amount
		}
	}
	return max(rest, 0)
}
