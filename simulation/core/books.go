package core

import (
	"cmp"
	"slices"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

// books are what store keeps in PostgreSQL: orders as they were last written, with everything that their decisions
// noted, and the levels of stock. They refuse what its constraints would refuse.
type books struct {
	folios    []*folio // in the order in which they were placed
	byID      map[string]*folio
	byKey     map[string]*folio // by the idempotency key of the placement
	commands  map[string]bool   // keys of commands that were done
	levels    map[place]*level
	places    []place // every key of levels, sorted
	movements []inventory.Movement
	seen      []unique // of the order that is written: see constraints
}

// folio is one order with its ledgers. Nobody changes a stored order: decisions work on a copy.
type folio struct {
	order     *order.Order
	events    []order.Event
	scans     []order.Scan
	entries   []payment.Entry
	movements []inventory.Movement
}

func newBooks() *books {
	return &books{byID: map[string]*folio{}, byKey: map[string]*folio{}, commands: map[string]bool{}, levels: map[place]*level{}}
}

// written is what became of a decision.
type written struct {
	changed bool
	effects order.Effects
	before  *order.Order // nil: the order is new
	refused *refusal
}

// change runs one decision as store.Change does: on a copy, of which nothing is kept when the decision refuses. With a
// command's key it is asked once.
func (b *books) change(f *folio, key string, act order.Act, decide func(*order.Order) error) (written, error) {
	if key != "" && b.commands[key] {
		return written{}, nil
	}
	o := f.order.Clone()
	if err := decide(o); err != nil {
		return written{}, err
	}
	if key != "" {
		b.commands[key] = true
	}
	return b.save(f, o, act), nil
}

// add writes a new order.
func (b *books) add(o *order.Order, act order.Act) written {
	f := &folio{}
	b.byID[o.ID], b.byKey[o.IdempotencyKey] = f, f
	b.folios = append(b.folios, f)
	return b.save(f, o, act)
}

// save writes what a decision left, if it left anything.
func (b *books) save(f *folio, o *order.Order, act order.Act) written {
	done := written{before: f.order, effects: o.Effects()}
	e := done.effects
	if f.order != nil && len(e.Events)+len(e.Scans)+len(e.Movements)+len(e.Entries) == 0 && f.order.Same(o) {
		return done
	}
	o.Version++
	o.Project(act)
	stored := listed(o) // the decision is over: nobody else has a hand on it
	if done.refused = b.refuse(f, stored, e); done.refused != nil {
		return done
	}
	if done.refused = b.move(e.Movements, act.At); done.refused != nil {
		return done
	}
	done.changed = true
	f.order = stored
	f.events = append(f.events, e.Events...)
	f.scans = append(f.scans, e.Scans...)
	f.entries = append(f.entries, e.Entries...)
	f.movements = append(f.movements, e.Movements...)
	return done
}

// listed puts an order's rows into the order in which store reads them back.
func listed(o *order.Order) *order.Order {
	slices.SortStableFunc(o.Operations, func(a, b order.Operation) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Key, b.Key))
	})
	for _, f := range o.Fulfillments {
		slices.SortFunc(f.Lines, func(a, b order.FulfillmentLine) int {
			return cmp.Or(cmp.Compare(a.LineID, b.LineID), cmp.Compare(a.FirstUnit, b.FirstUnit))
		})
	}
	for _, s := range o.Shipments {
		slices.SortFunc(s.Lines, func(a, b order.ShipmentLine) int {
			return cmp.Or(cmp.Compare(a.LineID, b.LineID), cmp.Compare(a.FirstUnit, b.FirstUnit))
		})
	}
	slices.SortStableFunc(o.ShortPicks, func(a, b order.ShortPick) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	slices.SortStableFunc(o.Credits, func(a, b order.Credit) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	for _, r := range o.Refunds {
		slices.SortFunc(r.Lines, func(a, b order.RefundLine) int { return cmp.Compare(a.LineID, b.LineID) })
	}
	for _, r := range o.Returns {
		slices.SortFunc(r.Lines, func(a, b order.ReturnLine) int {
			return cmp.Or(cmp.Compare(a.LineID, b.LineID), cmp.Compare(a.FirstUnit, b.FirstUnit))
		})
		slices.SortStableFunc(r.Inspections, func(a, b order.Inspection) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.LineID, b.LineID), cmp.Compare(a.FirstUnit, b.FirstUnit))
		})
	}
	return o
}
