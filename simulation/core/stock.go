package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

// place is one SKU at one location.
type place struct{ sku, location string }

func (p place) String() string { return p.sku + " at " + p.location }

// level is what there is of it.
type level struct {
	onHand, committed, unavailable, damaged int64
	arrived                                 *time.Time
}

func (l level) available() int64 { return l.onHand - l.committed - l.unavailable }

// refusal is the first constraint that a level does not keep.
func (l level) refusal(p place) *refusal {
	c := &constraints{}
	c.hold("stock_levels_on_hand_not_negative", p.sku, l.onHand >= 0)
	c.hold("stock_levels_committed_not_negative", p.sku, l.committed >= 0)
	c.hold("stock_levels_unavailable_not_negative", p.sku, l.unavailable >= 0)
	c.hold("stock_levels_committed_within_on_hand", p.sku, l.committed+l.unavailable <= l.onHand)
	c.hold("stock_levels_damaged_within_unavailable", p.sku, l.damaged >= 0 && l.damaged <= l.unavailable)
	if c.broken != nil {
		c.broken.detail = fmt.Sprintf("%s: %d on hand, %d committed, %d unavailable, %d damaged", p, l.onHand, l.committed, l.unavailable, l.damaged)
	}
	return c.broken
}

// the places that ship, and what they sell.
var (
	locations = []inventory.Location{{ID: "east", Priority: 1}, {ID: "south", Priority: 3}, {ID: "west", Priority: 2}}
	skus      = []string{"CUP", "MUG", "TEE"}
)

// move changes levels by what is written to the stock ledger, all of it or nothing.
func (b *books) move(movements []inventory.Movement, at time.Time) *refusal {
	after := map[place]level{}
	var touched []place
	for _, m := range movements {
		p := place{m.SKU, m.LocationID}
		l, seen := after[p]
		if !seen {
			stored, known := b.levels[p]
			if known {
				l = *stored
			} else if m.OnHand <= 0 {
				return &refusal{"stock_levels_missing", p.String()}
			}
			touched = append(touched, p)
		}
		l.onHand, l.committed, l.unavailable, l.damaged = l.onHand+m.OnHand, l.committed+m.Committed, l.unavailable+m.Unavailable, l.damaged+m.Damaged
		if m.Kind == inventory.TransferIn || m.Kind == inventory.Disposition && m.Unavailable < 0 || m.Kind == inventory.Receipt {
			l.arrived = &at
		}
		after[p] = l
	}
	for _, p := range touched {
		if refused := after[p].refusal(p); refused != nil {
			return refused
		}
	}
	for _, p := range touched {
		if b.levels[p] == nil {
			i, _ := slices.BinarySearchFunc(b.places, p, byPlace)
			b.places = slices.Insert(b.places, i, p)
		}
		l := after[p]
		b.levels[p] = &l
	}
	b.movements = append(b.movements, movements...)
	return nil
}

func byPlace(a, b place) int {
	return cmp.Or(cmp.Compare(a.sku, b.sku), cmp.Compare(a.location, b.location))
}

// stock reads what is available, as store does for the SKUs that are wanted.
func (b *books) stock(wanted []string) inventory.Stock {
	s := inventory.Stock{Available: map[string]map[string]int64{}, Arrived: map[string]map[string]time.Time{}}
	for _, p := range b.places {
		if !slices.Contains(wanted, p.sku) {
			continue
		}
		if s.Available[p.location] == nil {
			s.Available[p.location], s.Arrived[p.location] = map[string]int64{}, map[string]time.Time{}
			i := slices.IndexFunc(locations, func(l inventory.Location) bool { return l.ID == p.location })
			s.Locations = append(s.Locations, locations[i])
		}
		l := b.levels[p]
		s.Available[p.location][p.sku] = l.available()
		if l.arrived != nil {
			s.Arrived[p.location][p.sku] = *l.arrived
		}
	}
	return s
}

// waiting is how many units of each SKU orders wait for that may be given them, but for one order.
func (b *books) waiting(but string) map[string]int64 {
	units := map[string]int64{}
	for _, f := range b.folios {
		if f.order == nil || f.order.ID == but || !f.order.Grantable {
			continue
		}
		for _, l := range f.order.Lines {
			if l.Backordered > 0 {
				units[l.SKU] += l.Backordered
			}
		}
	}
	return units
}

func wanted(needs []inventory.Need) []string {
	var found []string
	for _, n := range needs {
		found = append(found, n.SKU)
	}
	return found
}

// allocate is what store's allocator does for one order: it decides from what there is, less what others wait for.
func (b *books) allocate(o *order.Order, act order.Act) {
	needs := o.Needs()
	stock := b.stock(wanted(needs)).SetAside(b.waiting(o.ID))
	plan := inventory.AllocateSome(needs, stock)
	if o.AllOrNothing() {
		plan = inventory.Allocate(needs, stock)
	}
	o.Allocate(plan, act)
}

// peek turns an order away at once that wants all or nothing and cannot have it.
func (b *books) peek(o *order.Order, act order.Act) {
	if !o.AllOrNothing() {
		return
	}
	needs := o.Needs()
	if plan := inventory.Allocate(needs, b.stock(wanted(needs)).SetAside(b.waiting(""))); len(plan.Short) > 0 {
		o.TurnAway(plan.Short, act)
	}
}

// queue lists the orders that wait for stock in the order in which they are served.
func (b *books) queue() []*folio {
	var queue []*folio
	for _, f := range b.folios {
		if f.order.Grantable {
			queue = append(queue, f)
		}
	}
	slices.SortStableFunc(queue, func(x, y *folio) int {
		a, b := x.order, y.order
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.PromisedAt.Compare(*b.PromisedAt), a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	})
	return queue
}

// stockUp lets the first goods arrive, fewer than will be wanted, and plans what comes later.
func (w *world) stockUp() {
	for _, l := range locations {
		for _, sku := range skus {
			w.receive(l.ID, sku, int64(4+w.seed.Below(14, "stock", l.ID, sku)))
		}
	}
	for n := range 12 {
		location := locations[w.seed.Below(len(locations), "delivery", n, "to")].ID
		sku, units := skus[w.seed.Below(len(skus), "delivery", n, "of")], int64(1+w.seed.Below(12, "delivery", n, "units"))
		w.in(time.Duration(w.seed.Below(int(troubled/time.Second), "delivery", n, "at"))*time.Second, func() { w.receive(location, sku, units) })
	}
	for n := range 6 {
		w.in(time.Duration(w.seed.Below(int(troubled/time.Second), "count", n, "at"))*time.Second, func() { w.recount(n) })
	}
}

// receive books goods that arrive, and gives them to whoever waits.
func (w *world) receive(location, sku string, units int64) {
	w.moveStock(inventory.Movement{SKU: sku, LocationID: location, Kind: inventory.Receipt, Quantity: units, OnHand: units, Reference: "receipt"})
	w.trace.add(w.now, location, "receive", fmt.Sprintf("%d %s", units, sku))
	w.grant()
}

// recount corrects a level by hand, or decides what becomes of goods that are not for sale. More than is there is
// refused, as by store.
func (w *world) recount(n int) {
	p := w.books.places[w.seed.Below(len(w.books.places), "count", n, "where")]
	l := *w.books.levels[p]
	m := inventory.Movement{SKU: p.sku, LocationID: p.location, Kind: inventory.Adjustment, Quantity: 1, OnHand: -1, Reference: "count", Reason: "cycle count"}
	if free := l.unavailable - l.damaged - w.books.uninspected(p); free > 0 {
		m, _ = inventory.Decided{SKU: p.sku, Quantity: free, From: inventory.QualityControl, To: inventory.Available}.Movement(p.location)
	} else if l.damaged > 0 {
		m, _ = inventory.Decided{SKU: p.sku, Quantity: l.damaged, From: inventory.Damaged, To: inventory.Scrapped}.Movement(p.location)
	} else if l.available() < 1 {
		return
	}
	w.moveStock(m)
	w.trace.add(w.now, p.location, "recount", fmt.Sprintf("%s %d %s", m.Kind, m.Quantity, p.sku))
	w.grant()
}

func (w *world) moveStock(m inventory.Movement) {
	if refused := w.books.move([]inventory.Movement{m}, w.now); refused != nil {
		w.fails(refused.constraint, refused.detail, "refused")
	}
}

// uninspected is what returns brought to a place and nobody graded yet.
func (b *books) uninspected(p place) int64 {
	var units int64
	for _, f := range b.folios {
		for _, r := range f.order.Returns {
			for _, l := range r.Lines {
				if l.SKU == p.sku && l.LocationID == p.location {
					units += l.Received - l.Inspected
				}
			}
		}
	}
	return units
}

// grant gives what there is to the orders that wait for it, each from what the ones before it left.
func (w *world) grant() {
	for _, f := range w.books.queue() {
		l := w.byID[f.order.ID]
		needs := f.order.Needs()
		plan := inventory.AllocateSome(needs, w.books.stock(wanted(needs)))
		if len(plan.Grants) == 0 {
			continue
		}
		_ = l.change("relay", "grant", "", nil, func(o *order.Order, act order.Act) error { o.Grant(plan, act); return nil })
	}
}

// grantSoon lets somebody look for who may be given what became available, as relay does every few seconds.
func (w *world) grantSoon() {
	if w.grants {
		return
	}
	w.grants = true
	w.in(5*time.Second, func() {
		w.grants = false
		w.grant()
	})
}
