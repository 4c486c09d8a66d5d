package order

import (
	"fmt"
	"slices"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
)

// firstGeneration numbers the attempts to allocate the same units at the same fulfillment order: so far there is one.
const firstGeneration = 1

// Needs is what the order wants of the stock: every unit that nobody cancelled and no fulfillment order serves. A
// location whose picker did not find a line is not asked for it again before something arrives there.
func (o *Order) Needs() []inventory.Need {
	var needs []inventory.Need
	for i := range o.Lines {
		l := &o.Lines[i]
		if open := units(o.unallocated(l)); open > 0 {
			needs = append(needs, inventory.Need{LineID: l.ID, SKU: l.SKU, Quantity: open, Except: o.shortAt(l.ID)})
		}
	}
	return needs
}

func (o *Order) shortAt(lineID string) map[string]time.Time {
	missed := map[string]time.Time{}
	for _, p := range o.ShortPicks {
		if p.LineID == lineID && p.At.After(missed[p.LocationID]) {
			missed[p.LocationID] = p.At
		}
	}
	return missed
}

// AllOrNothing reports whether the order is to be turned away when a unit of it is short.
func (o *Order) AllOrNothing() bool { return o.Status == Received && o.OnShortage == OnShortageReject }

func (o *Order) allocationDue() bool {
	if o.Blocked(BlockRelease) {
		return false
	}
	if o.Status == Received {
		return o.owed() == 0 || o.live() != nil
	}
	return !o.Status.Final() && slices.ContainsFunc(o.ShortPicks, func(p ShortPick) bool { return !p.Decided })
}

// Allocate takes a plan. An order that was just placed is accepted with one fulfillment order per location; what is
// short turns it away, waits, or is cancelled, as the order says. Units that a picker did not find get what the plan
// has for them, or the next remedy. An order that does not wait for a decision is left as it is.
func (o *Order) Allocate(plan inventory.Plan, act Act) {
	switch {
	case !o.allocationDue():
	case o.Status != Received:
		o.grant(plan.Grants, act)
		o.remedy(act)
	case o.AllOrNothing() && len(plan.Short) > 0, o.OnShortage == OnShortagePartial && len(plan.Grants) == 0:
		o.short(plan.Short, act)
	default:
		o.accept(plan, act)
	}
}

func (o *Order) accept(plan inventory.Plan, act Act) {
	_ = Accept.Take(&o.Status, "order")
	if o.Decision == Undecided {
		o.Decision = DecisionAccept
	}
	o.note(act, Event{Type: EventAccepted, Amount: &o.Total})
	o.grant(plan.Grants, act)
	if len(plan.Short) == 0 {
		return
	}
	o.Shortages = shortages(plan.Short)
	if o.OnShortage == OnShortageBackorder {
		o.backorder(act)
		return
	}
	for i := range o.Lines {
		o.drop(&o.Lines[i], o.unallocated(&o.Lines[i]), "out_of_stock", act)
	}
	o.paidUp(act) // what is left may cost nothing
}

// grant opens a fulfillment order per location for what a plan grants.
func (o *Order) grant(grants []inventory.Grant, act Act) {
	opened := map[string]int{}
	for _, g := range grants {
		i, ok := opened[g.LocationID]
		if !ok {
			i = len(o.Fulfillments)
			opened[g.LocationID] = i
			o.Fulfillments = append(o.Fulfillments, Fulfillment{ID: act.NewID(id.Fulfillment), Number: i + 1,
				LocationID: g.LocationID, Status: FulfillmentOpen, CreatedAt: act.At, UpdatedAt: act.At})
			o.note(act, Event{Type: EventFulfillmentOpened, FulfillmentID: o.Fulfillments[i].ID, Detail: "at " + g.LocationID,
				Data: EventData{LocationID: g.LocationID}})
		}
		f := &o.Fulfillments[i]
		var lines []FulfillmentLine
		for _, s := range front(o.unallocated(o.line(g.LineID)), g.Quantity) {
			lines = append(lines, FulfillmentLine{LineID: g.LineID, SKU: g.SKU, FirstUnit: s.first, Quantity: s.quantity})
		}
		f.Lines = append(f.Lines, lines...)
		o.Allocations = append(o.Allocations, Allocation{ID: act.NewID(id.Allocation), LineID: g.LineID,
			Generation: firstGeneration, FulfillmentID: f.ID, LocationID: g.LocationID, SKU: g.SKU,
			Quantity: g.Quantity, CreatedAt: act.At})
		o.move(inventory.Movement{SKU: g.SKU, LocationID: g.LocationID, Kind: inventory.Reservation,
			Quantity: g.Quantity, Committed: g.Quantity, LineID: g.LineID, Reference: f.ID})
	}
}

// Grant gives stock that arrived to units that wait for it, in an order that may be given it.
func (o *Order) Grant(plan inventory.Plan, act Act) {
	if !o.waitsForStock() || len(plan.Grants) == 0 {
		return
	}
	var granted int64
	for _, g := range plan.Grants {
		granted += g.Quantity
	}
	o.note(act, Event{Type: EventStockGranted, Detail: count(granted, "unit"), Data: EventData{Units: granted}})
	o.grant(plan.Grants, act)
	if o.backordered() == 0 {
		o.clear(act, AttentionBackorderOverdue)
	}
	o.effects.Wake = true
}

// waitsForStock reports whether units of an accepted order wait for stock and may be given what arrives.
func (o *Order) waitsForStock() bool {
	return (o.Status == Accepted || o.Status == Processing) && !o.Blocked(BlockRelease) && o.backordered() > 0
}

// backordered is how many units wait for stock.
func (o *Order) backordered() int64 {
	var sum int64
	for i := range o.Lines {
		sum += units(o.unallocated(&o.Lines[i]))
	}
	return sum
}

// backorder notes that units wait for stock. The first promise is made once.
func (o *Order) backorder(act Act) {
	if o.PromisedAt == nil {
		by := act.At.Add(act.Policy.BackorderDate)
		o.PromisedAt = &by
	}
	promised := o.PromisedAt.UTC()
	o.note(act, Event{Type: EventBackordered, Detail: count(o.backordered(), "unit") + ", promised by " + promised.Format("2006-01-02"),
		Data: EventData{Units: o.backordered(), PromisedAt: &promised}})
}

// promisePassed calls for a person, once, when units still wait for stock after they were promised.
func (o *Order) promisePassed(act Act) {
	if o.Status == Received || o.PromiseBroken || o.PromisedAt == nil || act.At.Before(*o.PromisedAt) || o.backordered() == 0 {
		return
	}
	o.PromiseBroken = true
	o.call(act, o.promiseBroken())
}

func (o *Order) promiseBroken() cause {
	return cause{AttentionBackorderOverdue, count(o.backordered(), "unit") + " promised by " + o.PromisedAt.UTC().Format("2006-01-02") + " still wait for stock"}
}

// remedy decides what becomes of units that a picker did not find, after other locations were asked: they wait, if
// that is what the order says of shortages, or they are cancelled with their exact money.
func (o *Order) remedy(act Act) {
	for i := range o.ShortPicks {
		p := &o.ShortPicks[i]
		if p.Decided {
			continue
		}
		p.Decided = true
		left := common(o.unallocated(o.line(p.LineID)), []span{{p.FirstUnit, p.Quantity}})
		switch {
		case len(left) == 0:
		case o.OnShortage == OnShortageBackorder:
			o.backorder(act)
		default:
			o.drop(o.line(p.LineID), left, "short_pick: "+p.Reason, act)
		}
	}
	o.wrapUp("short_pick", act)
}

// TurnAway rejects an order before anything was asked for: its payment is forgotten with it.
func (o *Order) TurnAway(short []inventory.Short, act Act) {
	o.Payments, o.Operations = nil, nil
	o.short(short, act)
}

// short rejects an order that cannot be served, line by line.
func (o *Order) short(short []inventory.Short, act Act) {
	if err := Reject.Take(&o.Status, "order"); err != nil {
		return
	}
	if o.Decision == Undecided {
		o.Decision = DecisionShort
	}
	o.Shortages = shortages(short)
	o.close(act, "out_of_stock")
	o.note(act, Event{Type: EventRejected, Detail: fmt.Sprintf("%d of %d lines are short", len(short), len(o.Lines))})
}

func shortages(short []inventory.Short) []fault.Shortage {
	var found []fault.Shortage
	for _, s := range short {
		found = append(found, fault.Shortage{LineID: s.LineID, SKU: s.SKU, Requested: s.Requested,
			Available: s.Available, Known: s.Known})
	}
	return found
}

func (o *Order) move(m inventory.Movement) {
	m.OrderID = o.ID
	o.effects.Movements = append(o.effects.Movements, m)
}

// uncommit closes some units of a fulfillment order's allocation without a parcel. The movement says what becomes
// of the stock.
func (o *Order) uncommit(f *Fulfillment, lineID string, n int64, m inventory.Movement) {
	for i := range o.Allocations {
		a := &o.Allocations[i]
		if a.FulfillmentID != f.ID || a.LineID != lineID || n == 0 {
			continue
		}
		part := min(n, a.Live())
		n -= part
		a.Released += part
		m.SKU, m.LocationID, m.LineID, m.Reference, m.Quantity, m.Committed = a.SKU, a.LocationID, lineID, f.ID, part, -part
		o.move(m)
	}
}

// consume takes units off the shelf for good: they left with a parcel.
func (o *Order) consume(fulfillmentID string, l ShipmentLine, shipmentID string) {
	for i := range o.Allocations {
		a := &o.Allocations[i]
		if a.FulfillmentID != fulfillmentID || a.LineID != l.LineID {
			continue
		}
		a.Consumed += l.Quantity
		o.move(inventory.Movement{SKU: a.SKU, LocationID: a.LocationID, Kind: inventory.Shipment, Quantity: l.Quantity,
			OnHand: -l.Quantity, Committed: -l.Quantity, LineID: l.LineID, Reference: shipmentID})
	}
}
