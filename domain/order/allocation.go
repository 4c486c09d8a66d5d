package order

import (
	"fmt"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
)

// Generation numbers the attempts to allocate a line. So far every line is allocated once, whole.
const firstGeneration = 1

// Needs is what the order wants of the stock.
func (o *Order) Needs() []inventory.Need {
	var needs []inventory.Need
	for _, l := range o.Lines {
		if open := l.Open(); open > 0 {
			needs = append(needs, inventory.Need{LineID: l.ID, SKU: l.SKU, Quantity: open})
		}
	}
	return needs
}

// Allocate takes a plan: the order is accepted with one fulfillment order per location, or rejected when
// something is short, and what was held for it is let go. An order that does not wait for stock is left as it is.
func (o *Order) Allocate(plan inventory.Plan, act Act) {
	if !o.allocationDue() {
		return
	}
	if len(plan.Short) > 0 {
		o.short(plan.Short, act)
		return
	}
	_ = Accept.Take(&o.Status, "order")
	if o.Decision == Undecided {
		o.Decision = DecisionAccept
	}
	o.note(act, Event{Type: EventAccepted, Amount: &o.Total})
	next := map[string]int64{} // per line: the first unit that is not yet given to a location
	var byLocation = map[string]int{}
	for _, g := range plan.Grants {
		i, ok := byLocation[g.LocationID]
		if !ok {
			i = len(o.Fulfillments)
			byLocation[g.LocationID] = i
			o.Fulfillments = append(o.Fulfillments, Fulfillment{ID: act.NewID(id.Fulfillment), Number: i + 1,
				LocationID: g.LocationID, Status: FulfillmentOpen, CreatedAt: act.At, UpdatedAt: act.At})
		}
		f := &o.Fulfillments[i]
		f.Lines = append(f.Lines, FulfillmentLine{LineID: g.LineID, SKU: g.SKU, FirstUnit: next[g.LineID], Quantity: g.Quantity})
		next[g.LineID] += g.Quantity
		o.Allocations = append(o.Allocations, Allocation{ID: act.NewID(id.Allocation), LineID: g.LineID,
			Generation: firstGeneration, FulfillmentID: f.ID, LocationID: g.LocationID, SKU: g.SKU,
			Quantity: g.Quantity, CreatedAt: act.At})
		o.move(inventory.Movement{SKU: g.SKU, LocationID: g.LocationID, Kind: inventory.Reservation,
			Quantity: g.Quantity, Committed: g.Quantity, LineID: g.LineID, Reference: f.ID})
	}
	for _, f := range o.Fulfillments {
		o.note(act, Event{Type: EventFulfillmentOpened, FulfillmentID: f.ID, Detail: "at " + f.LocationID})
	}
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
	for _, s := range short {
		o.Shortages = append(o.Shortages, fault.Shortage{LineID: s.LineID, SKU: s.SKU, Requested: s.Requested,
			Available: s.Available, Known: s.Known})
	}
	o.close(act)
	o.note(act, Event{Type: EventRejected, Detail: fmt.Sprintf("%d of %d lines are short", len(short), len(o.Lines))})
}

func (o *Order) move(m inventory.Movement) {
	m.OrderID = o.ID
	o.effects.Movements = append(o.effects.Movements, m)
}

// release gives every unit that is still committed back.
func (o *Order) release() {
	for i := range o.Allocations {
		a := &o.Allocations[i]
		if live := a.Live(); live > 0 {
			a.Released += live
			o.move(inventory.Movement{SKU: a.SKU, LocationID: a.LocationID, Kind: inventory.Release,
				Quantity: live, Committed: -live, LineID: a.LineID, Reference: a.FulfillmentID})
		}
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
