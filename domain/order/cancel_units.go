package order

import (
	"fmt"
	"slices"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
)

// CancelUnits cancels units of lines that have not been handed over, also after other parcels left. Units that wait
// for stock go first, then those that nobody picked, then picked ones, and last those in parcels: a parcel that loses
// a unit is unpacked, its label voided, and what is left of it packed again. All of it or, refused, nothing. When no
// unit of the order is left, that cancels the order.
func (o *Order) CancelUnits(wanted []UnitsOf, reason string, act Act) error {
	if o.Status.Final() {
		return Cancel.Take(&o.Status, "order")
	}
	whole, err := o.cancellable(wanted)
	if err != nil {
		return err
	}
	if o.nothingLeftBut(whole) {
		return o.CancelWhole(reason, act)
	}
	var claims []claim
	var cancelled int64
	for _, u := range whole {
		claims = append(claims, o.cancelUnits(o.line(u.LineID), u.Quantity, reason, act)...)
		cancelled += u.Quantity
	}
	o.dropped(act, claims, cancelled, count(cancelled, "unit")+": "+reason, reason)
	o.wrapUp(reason, act)
	return nil
}

// dropped tells of cancelled units and gives back what was taken for them; with the last of them, first of all for the
// shipping: that left with a parcel, and they never did.
func (o *Order) dropped(act Act, claims []claim, units int64, detail, reason string) {
	var value int64
	for _, c := range claims {
		value += c.amount
	}
	o.note(act, Event{Type: EventUnitsCancelled, Amount: &value, Detail: detail, Data: EventData{Units: units}})
	o.repay(act, Refund{Cause: CreditCancelled}, append(o.creditShipping(act, reason), claims...))
}

// cancellable adds up what is to be cancelled, or says why some of it cannot be.
func (o *Order) cancellable(wanted []UnitsOf) ([]UnitsOf, error) {
	var wrong fault.Fields
	countable(&wrong, "/lines", wanted)
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	whole, at := sum(wanted)
	for n, u := range whole {
		l := o.line(u.LineID)
		if l == nil {
			wrong.Add(pointer("lines", at[n], "line_id"), "unknown_line", "the order has no such line")
			continue
		}
		open, leaving := l.Open(), o.leaving(l.ID)
		switch {
		case u.Quantity > open:
			return nil, fault.Conflictf("too_many", "line %s: %d to cancel where %d are neither shipped nor cancelled: what was shipped is a return", l.ID, u.Quantity, open)
		case u.Quantity > open-leaving:
			return nil, fault.Conflictf("being_shipped", "line %s: %d to cancel, and %d of the %d that are left are being shipped: their capture has not been answered yet", l.ID, u.Quantity, leaving, open)
		}
	}
	return whole, wrong.Err()
}

// leaving is how many units of a line are in parcels that are being shipped at this moment.
func (o *Order) leaving(lineID string) int64 {
	var sum int64
	for _, s := range o.Shipments {
		if s.ShipRequested {
			sum += units(s.spans(lineID))
		}
	}
	return sum
}

// nothingLeftBut reports whether nothing would be left of an order, of which nothing was handed over, without these.
func (o *Order) nothingLeftBut(whole []UnitsOf) bool {
	for _, l := range o.Lines {
		i := slices.IndexFunc(whole, func(u UnitsOf) bool { return u.LineID == l.ID })
		if l.Shipped > 0 || l.Open() > 0 && (i < 0 || whole[i].Quantity < l.Open()) {
			return false
		}
	}
	return true
}

// cancelUnits takes n units of a line from wherever the least work was done on them.
func (o *Order) cancelUnits(l *Line, n int64, reason string, act Act) []claim {
	gone := back(o.unallocated(l), n)
	claims := o.dropUnits(l, gone, reason, act)
	n -= units(gone)
	for _, pass := range []func(*Fulfillment) []span{
		func(f *Fulfillment) []span { return back(o.unpacked(f, l.ID), f.unpicked(l.ID)) },
		func(f *Fulfillment) []span { return o.unpacked(f, l.ID) },
		func(f *Fulfillment) []span { o.unpack(act, f, l.ID, n); return o.unpacked(f, l.ID) },
	} {
		for i := len(o.Fulfillments) - 1; i >= 0 && n > 0; i-- {
			if f := &o.Fulfillments[i]; !f.Status.Ended() {
				gone := back(pass(f), n)
				claims = append(claims, o.dropUnits(l, gone, reason, act)...)
				n -= units(gone)
			}
		}
	}
	return claims
}

// cancelServed cancels what a fulfillment order has not handed over, its own units and no others.
func (o *Order) cancelServed(f *Fulfillment, reason string, act Act) {
	for i := range o.Shipments {
		if o.Shipments[i].FulfillmentID == f.ID {
			o.cancelParcel(act, &o.Shipments[i])
		}
	}
	o.tally(f)
	var claims []claim
	var cancelled int64
	for i := range o.Lines {
		l := &o.Lines[i]
		gone := o.unpacked(f, l.ID)
		cancelled += units(gone)
		claims = append(claims, o.dropUnits(l, gone, reason, act)...)
	}
	if cancelled > 0 {
		o.dropped(act, claims, cancelled, count(cancelled, "unit")+": "+reason, reason)
	}
	o.wrapUp(reason, act)
}

// unpack takes parcels that have not left apart until n units of a line are in none.
func (o *Order) unpack(act Act, f *Fulfillment, lineID string, n int64) {
	for i := len(o.Shipments) - 1; i >= 0; i-- {
		s := &o.Shipments[i]
		if s.FulfillmentID == f.ID && !s.ShipRequested && s.HandedOverAt == nil && units(s.spans(lineID)) > 0 && units(o.unpacked(f, lineID)) < n {
			o.cancelParcel(act, s)
			o.tally(f)
		}
	}
}

// drop cancels units that no fulfillment order serves, with their money.
func (o *Order) drop(l *Line, gone []span, reason string, act Act) {
	claims := o.dropUnits(l, gone, reason, act)
	if len(claims) == 0 {
		return
	}
	o.dropped(act, claims, units(gone), fmt.Sprintf("%s of %s: %s", count(units(gone), "unit"), l.SKU, reason), reason)
}

// dropUnits cancels units: the customer no longer owes them, the warehouse no longer works on them, and their stock
// is released.
func (o *Order) dropUnits(l *Line, gone []span, reason string, act Act) []claim {
	if len(gone) == 0 {
		return nil
	}
	served := make([]int64, len(o.Fulfillments))
	for i := range o.Fulfillments {
		served[i] = units(common(o.held(&o.Fulfillments[i], l.ID), gone))
	}
	l.Cancelled += units(gone)
	claims := o.credit(act, Credit{Cause: CreditCancelled, LineID: l.ID, Reason: reason}, gone, 100)
	for i, n := range served {
		if n > 0 {
			f := &o.Fulfillments[i]
			o.uncommit(f, l.ID, n, inventory.Movement{Kind: inventory.Release})
			o.tally(f)
			f.UpdatedAt = act.At
		}
	}
	return claims
}

// wrapUp ends what a cancellation left without work: fulfillment orders, and the order when no unit of it is open.
func (o *Order) wrapUp(reason string, act Act) {
	for i := range o.Fulfillments {
		o.finish(act, &o.Fulfillments[i])
	}
	if o.backordered() == 0 {
		o.clear(act, AttentionBackorderOverdue)
	}
	o.reconsider(act)
	if slices.ContainsFunc(o.Lines, func(l Line) bool { return l.Open() > 0 }) {
		o.paidUp(act)
		return
	}
	if !slices.ContainsFunc(o.Lines, func(l Line) bool { return l.Shipped > 0 }) {
		if Cancel.Take(&o.Status, "order") == nil {
			o.close(act, reason)
			o.note(act, Event{Type: EventCancelled, Detail: reason})
		}
		return
	}
	o.repay(act, Refund{Cause: CreditLost}, o.creditShipping(act, reason))
	o.paidUp(act)
	o.complete(act)
}
