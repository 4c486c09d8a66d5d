package order

import (
	"slices"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
)

// PickedUnits is what a picker took of a line. With a reason, that is all there is: what is left to pick of the
// line was not found, or is not fit for sale. Quantity may be 0 then.
type PickedUnits struct {
	LineID   string `json:"line_id"`
	Quantity int64  `json:"quantity"`
	Reason   string `json:"reason,omitempty"`
}

// Why a picker brings less than he was asked for.
const (
	ShortStockout       = "stockout"         // the shelf is empty
	ShortCouldNotLocate = "could_not_locate" // it is not where it should be
	ShortDamaged        = "damaged"          // it is there, and not fit for sale
	ShortExpired        = "expired"          // it is there, and too old
)

// ShortReasons lists them.
func ShortReasons() []string {
	return []string{ShortStockout, ShortCouldNotLocate, ShortDamaged, ShortExpired}
}

// Pick notes units taken off the shelf. Each named line must be picked in full, or say why it is not; lines may come
// in several calls. Anything else changes nothing. What was not found is taken off the books of the location, and is
// to be had from another one, waits, or is cancelled: see remedy.
func (o *Order) Pick(fulfillmentID string, taken []PickedUnits, act Act) error {
	f, err := o.workable(fulfillmentID, "pick", BlockRelease)
	if err != nil {
		return err
	}
	whole, err := f.pickable(taken)
	if err != nil {
		return err
	}
	_ = StartFulfillment.Take(&f.Status, "fulfillment")
	f.UpdatedAt = act.At
	var picked int64
	for _, u := range whole {
		if u.Quantity > 0 {
			o.pickUnits(f, u)
			picked += u.Quantity
		}
		if left := f.unpicked(u.LineID); left > 0 {
			o.shortPick(act, f, u, left)
		}
	}
	if picked > 0 {
		o.note(act, Event{Type: EventFulfillmentPicked, FulfillmentID: f.ID, Detail: count(picked, "unit"), Data: EventData{Units: picked}})
	}
	if Start.Allows(o.Status) {
		_ = Start.Take(&o.Status, "order")
		o.note(act, Event{Type: EventProcessing})
	}
	o.finish(act, f)
	return nil
}

// pickable adds up what was taken, line by line, or says what is wrong with it.
func (f *Fulfillment) pickable(taken []PickedUnits) ([]PickedUnits, error) {
	var wrong fault.Fields
	if len(taken) == 0 {
		wrong.Add("/lines", "too_few", "at least one line is named")
	}
	for i, u := range taken {
		if u.Quantity < 0 || u.Quantity > quantityMax {
			wrong.Add(pointer("lines", i, "quantity"), "out_of_range", "a quantity is from 0 to %d", quantityMax)
		}
		if u.Reason != "" && !slices.Contains(ShortReasons(), u.Reason) {
			wrong.Add(pointer("lines", i, "reason"), "unknown_value", "stockout, could_not_locate, damaged or expired")
		}
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	whole, at := sumPicked(taken)
	for n, u := range whole {
		l, known := f.of(u.LineID)
		left := l.Due() - l.Picked
		switch {
		case !known:
			wrong.Add(pointer("lines", at[n], "line_id"), "unknown_line", "the fulfillment order has no such line")
		case u.Quantity > left:
			return nil, fault.Conflictf("too_many", "line %s: %d picked where %d are left to pick", u.LineID, u.Quantity, left)
		case u.Reason == "" && u.Quantity == 0:
			wrong.Add(pointer("lines", at[n], "quantity"), "out_of_range", "a quantity is 1 or more, unless a reason says why nothing was found")
		case u.Reason == "" && u.Quantity < left:
			wrong.Add(pointer("lines", at[n], "reason"), "reason_required", "%d picked where %d are left to pick: say why, with reason", u.Quantity, left)
		}
	}
	return whole, wrong.Err()
}

// sumPicked adds up what is said twice of one line, in the order of first mention, and tells where that was.
func sumPicked(taken []PickedUnits) (whole []PickedUnits, at []int) {
	seen := map[string]int{}
	for i, u := range taken {
		n, ok := seen[u.LineID]
		if !ok {
			seen[u.LineID] = len(whole)
			whole, at = append(whole, u), append(at, i)
			continue
		}
		whole[n].Quantity += u.Quantity
		if whole[n].Reason == "" {
			whole[n].Reason = u.Reason
		}
	}
	return whole, at
}

func (o *Order) pickUnits(f *Fulfillment, u PickedUnits) {
	left := u.Quantity
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.LineID == u.LineID {
			part := min(left, l.Due()-l.Picked)
			l.Picked += part
			left -= part
		}
	}
	o.move(inventory.Movement{SKU: o.line(u.LineID).SKU, LocationID: f.LocationID, Kind: inventory.Pick, Quantity: u.Quantity,
		LineID: u.LineID, Reference: f.ID})
}

// shortPick takes units off the fulfillment order that its picker did not find, and corrects the books of the
// location: what is not there is no longer on hand, what is not fit for sale is damaged.
func (o *Order) shortPick(act Act, f *Fulfillment, u PickedUnits, n int64) {
	missing := back(o.unpacked(f, u.LineID), n)
	for _, s := range missing {
		o.ShortPicks = append(o.ShortPicks, ShortPick{ID: act.NewID(id.ShortPick), FulfillmentID: f.ID, LineID: u.LineID,
			SKU: o.line(u.LineID).SKU, LocationID: f.LocationID, FirstUnit: s.first, Quantity: s.quantity, Reason: u.Reason, At: act.At})
	}
	m := inventory.Movement{Kind: inventory.Count, Reason: u.Reason}
	if u.Reason == ShortDamaged || u.Reason == ShortExpired {
		m.Unavailable, m.Damaged = n, n
	} else {
		m.OnHand = -n
	}
	o.uncommit(f, u.LineID, n, m)
	o.tally(f)
	o.note(act, Event{Type: EventFulfillmentShort, FulfillmentID: f.ID, Detail: count(n, "unit") + " of " + o.line(u.LineID).SKU + ": " + u.Reason,
		Data: EventData{Units: n, SKU: o.line(u.LineID).SKU, Reason: u.Reason}})
}
