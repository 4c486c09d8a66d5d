package order

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
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

// of adds up a line's rows: what of them is still to be served, and how far that has come.
func (f *Fulfillment) of(lineID string) (sum FulfillmentLine, known bool) {
	for _, l := range f.Lines {
		if l.LineID == lineID {
			sum.LineID, sum.SKU, known = l.LineID, l.SKU, true
			sum.Quantity += l.Quantity
			sum.Cancelled += l.Cancelled
			sum.Short += l.Short
			sum.Picked += l.Picked
			sum.Packed += l.Packed
			sum.Shipped += l.Shipped
		}
	}
	return sum, known
}

// Due is how many units are to be served: those of the line that were neither cancelled nor found missing.
func (l FulfillmentLine) Due() int64 { return l.Quantity - l.Cancelled - l.Short }

func (f *Fulfillment) unpicked(lineID string) int64 {
	l, _ := f.of(lineID)
	return l.Due() - l.Picked
}

// tally counts a fulfillment order's rows again by what is cancelled, missing, boxed and gone. Picked units are
// alike: those that are in no parcel count for the first rows.
func (o *Order) tally(f *Fulfillment) {
	picked := map[string]int64{}
	for _, l := range f.Lines {
		picked[l.LineID] += l.Picked
	}
	for i := range f.Lines {
		l := &f.Lines[i]
		row := []span{{l.FirstUnit, l.Quantity}}
		present := without(row, o.missing(f, l.LineID))
		l.Short = l.Quantity - units(present)
		l.Cancelled = units(common(present, o.cancelled(l.LineID)))
		l.Packed = units(common(row, o.boxed(f, l.LineID)))
		l.Shipped = units(common(row, o.gone(f, l.LineID)))
		l.Picked = l.Packed
		picked[l.LineID] -= l.Packed
	}
	for i := range f.Lines {
		l := &f.Lines[i]
		more := min(max(picked[l.LineID], 0), l.Due()-l.Picked)
		l.Picked += more
		picked[l.LineID] -= more
	}
}

// finish closes a fulfillment order of which nothing is left to be done.
func (o *Order) finish(act Act, f *Fulfillment) {
	var due, shipped, short int64
	for _, l := range f.Lines {
		due, shipped, short = due+l.Due(), shipped+l.Shipped, short+l.Short
	}
	switch {
	case f.Status.Ended() || shipped < due:
	case shipped == 0 && short == 0:
		o.stopFulfillment(act, f)
	case short > 0:
		_ = CloseIncomplete.Take(&f.Status, "fulfillment")
		o.letGoHoldsOf(act, f)
		o.note(act, Event{Type: EventFulfillmentPartial, FulfillmentID: f.ID, Detail: count(short, "unit") + " not found", Data: EventData{Units: short}})
	default:
		_ = CloseFulfillment.Take(&f.Status, "fulfillment")
		o.letGoHoldsOf(act, f)
		o.note(act, Event{Type: EventFulfillmentClosed, FulfillmentID: f.ID})
	}
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
func (o *Order) workable(fulfillmentID, verb string, blocks ...string) (*Fulfillment, error) {
	f := o.Fulfillment(fulfillmentID)
	if f == nil {
		return nil, fault.NotFoundf("the order has no such fulfillment order")
	}
	if f.Status.Ended() {
		return nil, fault.Conflictf("fulfillment_"+string(f.Status), "cannot %s: the fulfillment order is %s", verb, f.Status)
	}
	for _, h := range o.Holds {
		if !h.Active() || h.FulfillmentID != "" && h.FulfillmentID != f.ID ||
			!slices.ContainsFunc(blocks, func(b string) bool { return slices.Contains(h.Blocks, b) }) {
			continue
		}
		if h.FulfillmentID != "" {
			return nil, fault.Conflictf("fulfillment_on_hold", "cannot %s: the fulfillment order is on hold: %s", verb, h.Reason)
		}
		return nil, fault.Conflictf("order_on_hold", "cannot %s: the order is on hold: %s", verb, h.Reason)
	}
	return f, nil
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
	f, err := o.workable(fulfillmentID, "pack", BlockRelease)
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
			l, known := f.of(u.LineID)
			if !known {
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
	o.note(act, Event{Type: EventFulfillmentPacked, FulfillmentID: f.ID, Detail: count(int64(len(parcels)), "parcel"),
		Data: EventData{Parcels: int64(len(parcels))}})
	return nil
}

func (o *Order) parcel(act Act, f *Fulfillment, p Parcel) {
	s := Shipment{ID: act.NewID(id.Shipment), FulfillmentID: f.ID, Number: len(o.Shipments) + 1,
		Status: ShipmentPacked, TrackingStatus: shipping.Pending, WeightGrams: p.WeightGrams, CreatedAt: act.At}
	whole, _ := sum(p.Lines)
	for _, u := range whole {
		for _, span := range front(o.unpacked(f, u.LineID), u.Quantity) {
			s.Lines = append(s.Lines, ShipmentLine{LineID: u.LineID, SKU: o.line(u.LineID).SKU, FirstUnit: span.first, Quantity: span.quantity})
			s.Amount += o.value(u.LineID, span.first, span.quantity)
		}
	}
	o.Shipments = append(o.Shipments, s)
	o.tally(f)
	o.begin(act, Operation{Kind: string(shipping.BuyLabel), ShipmentID: s.ID})
}

// Ship asks to hand every labeled parcel of a fulfillment order over. Each is captured first; a parcel whose
// money is had already leaves at once. One that was held is tried again, under a new key.
func (o *Order) Ship(fulfillmentID string, act Act) error {
	f, err := o.workable(fulfillmentID, "ship", BlockShip)
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
	due := s.Amount - max(o.prepaid()-o.setAside(s), 0)
	if due <= 0 {
		o.handOver(act, s)
		return nil
	}
	if _, err := o.workable(s.FulfillmentID, "take the money for parcel "+strconv.Itoa(s.Number), BlockCapture); err != nil {
		return err
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

// prepaid is what was, or is being, captured beyond what is owed for the parcels that left or are leaving: all of an
// order that was paid elsewhere, nothing of any other.
func (o *Order) prepaid() int64 { return max(o.beyondShipped(), 0) }

// beyondShipped is prepaid, and less than nothing while what left is not paid for.
func (o *Order) beyondShipped() int64 {
	rest := o.captured()
	for _, s := range o.Shipments {
		if s.HandedOverAt != nil || s.ShipRequested {
			rest -= s.Amount
		}
	}
	for _, c := range o.Credits {
		if c.Cause != CreditCancelled && (c.Cause != CreditShipping || o.shippingLeft()) {
			rest += c.Amount
		}
	}
	for _, r := range o.Returns {
		rest -= r.FeeCharged
	}
	return rest
}

// setAside is what was captured for parcels that are still here, but for this one: a hold came while the money was
// being taken. It is theirs, and nobody else's.
func (o *Order) setAside(but *Shipment) int64 {
	var sum int64
	for i := range o.Shipments {
		s := &o.Shipments[i]
		if op := o.last(string(payment.Capture), s.ID); s != but && s.Status == ShipmentHeld && op.State == payment.Done {
			sum += op.Applied
		}
	}
	return sum
}

// shippingLeft reports whether the parcel that carries the order's shipping was handed over.
func (o *Order) shippingLeft() bool {
	return slices.ContainsFunc(o.Shipments, func(s Shipment) bool { return s.CarriesShipping && s.HandedOverAt != nil })
}
