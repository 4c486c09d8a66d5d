package core

import (
	"slices"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// count looks at every unit: what it is worth, and where the books have it.
func (a *audit) count() {
	units := a.w.units[:0]
	for _, l := range a.o.Lines {
		first := len(units)
		for _, b := range l.Units {
			worth := b.Price - b.Discount
			if !a.o.PricesIncludeTax {
				worth += b.Tax
			}
			for range b.Quantity {
				units = append(units, unit{worth: worth})
			}
		}
		a.lines = append(a.lines, counted{l.ID, first, len(units)})
	}
	a.units, a.w.units = units, units
	each := func(lineID string, first, quantity int64, do func(*unit)) {
		for n := first; n < first+quantity; n++ {
			do(&a.of(lineID)[n])
		}
	}
	for _, c := range a.o.Credits {
		each(c.LineID, c.FirstUnit, c.Quantity, func(u *unit) {
			u.credited += c.Amount / c.Quantity
			if c.Cause == "cancelled" {
				u.cancelled++
			}
		})
	}
	for _, s := range a.o.Shipments {
		for _, l := range s.Lines {
			each(l.LineID, l.FirstUnit, l.Quantity, func(u *unit) {
				if s.Status != "cancelled" {
					u.boxed++
				}
				if s.HandedOverAt != nil {
					u.gone++
					u.lost = u.lost || a.wasLost(s)
				}
			})
		}
	}
	for _, r := range a.o.Returns {
		for _, l := range r.Lines {
			each(l.LineID, l.FirstUnit, l.Quantity, func(u *unit) {
				if r.Status != "declined" && r.Status != "cancelled" && r.Status != "expired" {
					u.returned++
				}
				u.waived = u.waived || r.Returnless
			})
		}
		for _, i := range r.Inspections {
			each(i.LineID, i.FirstUnit, i.Quantity, func(u *unit) { u.graded = true })
		}
	}
}

// of are the units of a line.
func (a *audit) of(lineID string) []unit {
	for _, l := range a.lines {
		if l.line == lineID {
			return a.units[l.first:l.end]
		}
	}
	return nil
}

// wasLost reports whether a parcel was ever given up as lost, or sent back.
func (a *audit) wasLost(s order.Shipment) bool {
	return s.Status == "lost" || slices.ContainsFunc(a.f.scans, func(c order.Scan) bool { return c.ShipmentID == s.ID && c.Status == "lost" && c.Moved }) ||
		slices.ContainsFunc(a.o.Returns, func(r order.Return) bool {
			return r.Origin == "carrier" && slices.ContainsFunc(r.Lines, func(l order.ReturnLine) bool { return l.ShipmentID == s.ID })
		})
}

// tallied is what becomes of a line's units, counted from parcels, allocations and the stock ledger.
type tallied struct {
	held, shipped, delivered, lost, undelivered int64
}

// goods: V-S4, V-S6, V-S7, V-S8, V-S9, V-S10.
func (a *audit) goods() {
	lines := make([]tallied, len(a.o.Lines))
	of := func(lineID string) *tallied {
		return &lines[slices.IndexFunc(a.o.Lines, func(l order.Line) bool { return l.ID == lineID })]
	}
	for _, s := range a.o.Shipments {
		for _, l := range s.Lines {
			t := of(l.LineID)
			if s.HandedOverAt != nil {
				t.shipped += l.Quantity
			}
			switch s.Status {
			case "delivered":
				t.delivered += l.Quantity
			case "lost":
				t.lost += l.Quantity
			case "returning":
				t.undelivered += l.Quantity
			}
		}
	}
	for _, al := range a.o.Allocations {
		of(al.LineID).held += al.Quantity - al.Released - al.Consumed
	}
	for i, l := range a.o.Lines {
		a.line(l, lines[i])
	}
	a.allocations()
	a.fulfillments()
}

func (a *audit) line(l order.Line, t tallied) {
	if (tallied{t.held, l.Shipped, l.Delivered, l.Lost, l.Undelivered}) != t {
		a.fails("V-S6", l.ID, "%d shipped, %d delivered, %d lost, %d undelivered; by its parcels %+v", l.Shipped, l.Delivered, l.Lost, l.Undelivered, t)
	}
	sum := l.Shipped + l.Cancelled + t.held
	if active := a.o.Status == "accepted" || a.o.Status == "processing"; active && sum+l.Backordered != l.Quantity || !active && (sum > l.Quantity || l.Backordered != 0) {
		a.fails("V-S6", l.ID, "%d ordered, and %d shipped, %d cancelled, %d held, %d waiting", l.Quantity, l.Shipped, l.Cancelled, t.held, l.Backordered)
	}
	if ended[a.o.Status] && (t.held != 0 || l.Cancelled+l.Shipped != l.Quantity) {
		a.fails("V-S7", a.o.ID, "it is %s: of line %s %d were ordered, %d cancelled, %d shipped, and %d are held", a.o.Status, l.ID, l.Quantity, l.Cancelled, l.Shipped, t.held)
	}
	var cancelled int64
	for n, u := range a.of(l.ID) {
		cancelled += int64(u.cancelled)
		if u.cancelled > 1 || u.cancelled > 0 && u.boxed > 0 {
			a.fails("V-S8", l.ID, "unit %d was cancelled %d times, and is in %d parcels", n, u.cancelled, u.boxed)
		}
		if u.boxed > 1 || u.gone > 1 {
			a.fails("V-S10", l.ID, "unit %d is in %d parcels, and left %d times", n, u.boxed, u.gone)
		}
		if u.returned > 1 || u.returned > 0 && u.gone == 0 {
			a.fails("V-R1", l.ID, "unit %d is in %d returns, and left %d times", n, u.returned, u.gone)
		}
	}
	if cancelled != l.Cancelled {
		a.fails("V-S8", l.ID, "%d cancelled, and its credits name %d units", l.Cancelled, cancelled)
	}
}

// allocations: V-S4. What was reserved, given back and taken, by the allocations, the stock ledger and the parcels.
func (a *audit) allocations() {
	type key struct{ line, location string }
	type sums struct{ reserved, released, consumed int64 }
	allocated, moved, left := map[key]sums{}, map[key]sums{}, map[key]int64{}
	for _, al := range a.o.Allocations {
		k := key{al.LineID, al.LocationID}
		s := allocated[k]
		allocated[k] = sums{s.reserved + al.Quantity, s.released + al.Released, s.consumed + al.Consumed}
	}
	for _, m := range a.f.movements {
		k := key{m.LineID, m.LocationID}
		s := moved[k]
		switch m.Kind {
		case inventory.Reservation:
			s.reserved += m.Quantity
		case inventory.Release, inventory.Count:
			s.released += m.Quantity
		case inventory.Shipment:
			s.consumed += m.Quantity
		default:
			continue
		}
		moved[k] = s
	}
	for _, s := range a.o.Shipments {
		if s.HandedOverAt == nil {
			continue
		}
		for _, l := range s.Lines {
			left[key{l.LineID, a.o.Fulfillment(s.FulfillmentID).LocationID}] += l.Quantity
		}
	}
	for _, al := range a.o.Allocations {
		if k := (key{al.LineID, al.LocationID}); allocated[k] != moved[k] || allocated[k].consumed != left[k] {
			a.fails("V-S4", al.LineID, "at %s by allocations %+v, by the ledger %+v, %d in parcels that left", al.LocationID, allocated[k], moved[k], left[k])
			return
		}
	}
	if len(moved) != len(allocated) {
		a.fails("V-S4", a.o.ID, "the ledger moved units for it that nobody allocated")
	}
}

// fulfillments: V-S9, V-S10. Each counts what its short picks, credits and parcels say, and no unit is served twice.
func (a *audit) fulfillments() {
	for _, f := range a.o.Fulfillments {
		if f.Status == "cancelled" {
			continue
		}
		var due, shipped, short int64
		for _, l := range f.Lines {
			var is order.FulfillmentLine
			for n := l.FirstUnit; n < l.FirstUnit+l.Quantity; n++ {
				a.serve(f, l, n, &is)
			}
			if l.Short != is.Short || l.Cancelled != is.Cancelled || l.Packed != is.Packed || l.Shipped != is.Shipped {
				a.fails("V-S9", f.ID, "of line %s %d short, %d cancelled, %d packed, %d shipped; it is %d, %d, %d, %d", l.LineID, l.Short, l.Cancelled, l.Packed, l.Shipped,
					is.Short, is.Cancelled, is.Packed, is.Shipped)
			}
			due, shipped, short = due+l.Quantity-is.Short-is.Cancelled, shipped+is.Shipped, short+is.Short
		}
		over := map[order.FulfillmentStatus]bool{"closed": shipped == due && short == 0, "incomplete": shipped == due && short > 0}
		if is, known := over[f.Status]; known && !is || !known && shipped >= due {
			a.fails("V-S9", f.ID, "it is %s, and %d of %d are shipped, %d were not found", f.Status, shipped, due, short)
		}
	}
	for _, l := range a.o.Lines {
		for n, u := range a.of(l.ID) {
			if u.served > 1 || u.boxed > 0 && u.served != 1 {
				a.fails("V-S10", l.ID, "unit %d is served by %d fulfillment orders, and in %d parcels", n, u.served, u.boxed)
			}
		}
	}
}

// serve counts one unit of a fulfillment order's row.
func (a *audit) serve(f order.Fulfillment, l order.FulfillmentLine, n int64, is *order.FulfillmentLine) {
	u := &a.of(l.LineID)[n]
	within := func(line string, first, quantity int64) bool {
		return line == l.LineID && first <= n && n < first+quantity
	}
	if slices.ContainsFunc(a.o.ShortPicks, func(p order.ShortPick) bool {
		return p.FulfillmentID == f.ID && within(p.LineID, p.FirstUnit, p.Quantity)
	}) {
		is.Short++
		return
	}
	if u.cancelled > 0 {
		is.Cancelled++
		return
	}
	u.served++
	for _, s := range a.o.Shipments {
		if s.FulfillmentID != f.ID || s.Status == "cancelled" {
			continue
		}
		for _, b := range s.Lines {
			if within(b.LineID, b.FirstUnit, b.Quantity) {
				is.Packed++
				if s.HandedOverAt != nil {
					is.Shipped++
				}
			}
		}
	}
}

// returned: V-R2, V-R3, V-R4, V-R6.
func (a *audit) returned() {
	type sums struct{ requested, received, dismissed int64 }
	byLine := map[string]sums{}
	for _, r := range a.o.Returns {
		counts := r.Status != "declined" && r.Status != "cancelled" && r.Status != "expired"
		var quantity, received, inspected, dismissed int64
		for _, l := range r.Lines {
			s := byLine[l.LineID]
			if counts {
				s.requested += l.Quantity
			}
			byLine[l.LineID] = sums{s.requested, s.received + l.Received, s.dismissed + l.Dismissed}
			quantity, received, inspected, dismissed = quantity+l.Quantity, received+l.Received, inspected+l.Inspected, dismissed+l.Dismissed
		}
		a.grades(r, inspected)
		a.closed(r, quantity, received, inspected, dismissed)
	}
	for _, l := range a.o.Lines {
		if s := byLine[l.ID]; (sums{l.ReturnRequested, l.Returned, l.Dismissed}) != s || l.ReturnRequested > l.Delivered+l.Undelivered {
			a.fails("V-R2", l.ID, "%d to come back, %d returned, %d dismissed, of %d; by its returns %+v", l.ReturnRequested, l.Returned, l.Dismissed, l.Delivered+l.Undelivered, s)
		}
	}
}

// grades: every graded unit is credited at most what its grade gives, and graded once.
func (a *audit) grades(r order.Return, inspected int64) {
	policy := a.w.byID[a.o.ID].policy
	seen := map[string]map[int64]bool{}
	var units int64
	for _, i := range r.Inspections {
		units += i.Quantity
		if seen[i.LineID] == nil {
			seen[i.LineID] = map[int64]bool{}
		}
		percent := policy.Grades[i.Grade].RefundPercent
		for n := i.FirstUnit; n < i.FirstUnit+i.Quantity; n++ {
			if seen[i.LineID][n] {
				a.fails("V-R3", r.ID, "unit %d of line %s was graded twice", n, i.LineID)
			}
			seen[i.LineID][n] = true
		}
		at := slices.IndexFunc(r.Lines, func(l order.ReturnLine) bool {
			return l.LineID == i.LineID && l.FirstUnit <= i.FirstUnit && i.FirstUnit < l.FirstUnit+l.Quantity
		})
		if at < 0 {
			a.fails("V-R3", r.ID, "units of line %s were graded that are not in the return", i.LineID)
			continue
		}
		if ours := slices.Contains(policy.OurFault, r.Lines[at].Reason); ours {
			percent = 100
		} else {
			percent = max(percent-policy.RestockingPercent, 0)
		}
		var most int64
		for n := i.FirstUnit; n < i.FirstUnit+i.Quantity; n++ {
			most += a.of(i.LineID)[n].worth * percent / 100
		}
		if i.Amount > most {
			a.fails("V-R3", r.ID, "an inspection gives %d where %d percent of its units are %d", i.Amount, percent, most)
		}
	}
	if units != inspected {
		a.fails("V-R3", r.ID, "%d units are graded, and its inspections name %d", inspected, units)
	}
}

func (a *audit) closed(r order.Return, quantity, received, inspected, dismissed int64) {
	var credited, refunded, refunds, unpaid int64
	for _, c := range a.o.Credits {
		if c.ReturnID == r.ID {
			credited += c.Amount
		}
	}
	for _, f := range a.o.Refunds {
		if f.ReturnID == r.ID {
			refunds++
			refunded += f.Amount
			if f.Status != "succeeded" {
				unpaid++
			}
		}
	}
	if refunded > credited-r.FeeCharged {
		a.fails("V-R6", r.ID, "%d given back, %d credited, a fee of %d", refunded, credited, r.FeeCharged)
	}
	over := received == inspected && received+dismissed == quantity
	legal := true
	switch r.Status {
	case returns.Closed:
		legal = over && unpaid == 0
	case returns.Inspected:
		legal = over && unpaid > 0
	case returns.Requested, returns.InTransit, returns.Declined, returns.Cancelled, returns.Expired:
		legal = received+dismissed == 0 && refunds == 0
	}
	if !legal || (r.ClosedAt != nil) != (r.Status == returns.Closed) {
		a.fails("V-R4", r.ID, "the return is %s; of %d units %d are here, %d graded, %d given up; of %d refunds %d are not paid", r.Status, quantity, received, inspected, dismissed, refunds, unpaid)
	}
}
