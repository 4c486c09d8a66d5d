package order_test

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

// shelves are the books of the warehouses, by "location/SKU": what the ledger's movements make of them.
type shelves map[string]*shelf

type shelf struct {
	place                                   int // in the order in which they were first stocked
	onHand, committed, unavailable, damaged int64
	arrived                                 time.Time // when something last came in
}

func (b *shelf) available() int64 { return b.onHand - b.committed - b.unavailable }

func (s shelves) at(location, sku string) *shelf {
	key := location + "/" + sku
	if s[key] == nil {
		s[key] = &shelf{place: len(s)}
	}
	return s[key]
}

// set makes so many units available.
func (s shelves) set(levels ...inventory.Grant) {
	for _, l := range levels {
		b := s.at(l.LocationID, l.SKU)
		b.onHand = b.committed + b.unavailable + max(l.Quantity, 0)
	}
}

// receive adds units that came in.
func (s shelves) receive(location, sku string, units int64, at time.Time) {
	b := s.at(location, sku)
	b.onHand, b.arrived = b.onHand+units, at
}

// move books a movement. No level may ever fall below nothing, nor promise more than there is.
func (s shelves) move(t tb, m inventory.Movement) {
	b := s.at(m.LocationID, m.SKU)
	b.onHand, b.committed = b.onHand+m.OnHand, b.committed+m.Committed
	b.unavailable, b.damaged = b.unavailable+m.Unavailable, b.damaged+m.Damaged
	require.True(t, b.committed >= 0 && b.damaged >= 0 && b.damaged <= b.unavailable && b.committed+b.unavailable <= b.onHand, "%+v after %+v", b, m)
}

// offer is what the allocation may take.
func (s shelves) offer() inventory.Stock {
	keys := make([]string, 0, len(s))
	for key := range s {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return s[a].place - s[b].place })
	stock := inventory.Stock{Available: map[string]map[string]int64{}, Arrived: map[string]map[string]time.Time{}}
	for _, key := range keys {
		location, sku, _ := strings.Cut(key, "/")
		if stock.Available[location] == nil {
			stock.Available[location], stock.Arrived[location] = map[string]int64{}, map[string]time.Time{}
			stock.Locations = append(stock.Locations, inventory.Location{ID: location, Priority: len(stock.Locations)})
		}
		stock.Available[location][sku], stock.Arrived[location][sku] = s[key].available(), s[key].arrived
	}
	return stock
}

// grant gives what there is to an order that waits for stock.
func (w *world) grant() *world {
	w.do(func(o *order.Order, act order.Act) { o.Grant(inventory.AllocateSome(o.Needs(), w.stock.offer()), act) })
	return w
}

// verifyStock compares the allocations with the movements that were written for them.
func (w *world) verifyStock() {
	committed, live, consumed, shipped := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	back, graded := map[string]int64{}, map[string]int64{} // by return and line
	for _, m := range w.movements {
		at := m.LocationID + "/" + m.SKU
		committed[at] += m.Committed
		require.Equal(w.t, w.o.ID, m.OrderID)
		require.Positive(w.t, m.Quantity)
		switch m.Kind {
		case inventory.Shipment:
			shipped[at] -= m.OnHand
		case inventory.ReturnReceipt:
			back[m.ReturnID+"/"+m.LineID] += m.Quantity
		case inventory.Disposition, inventory.TransferOut:
			graded[m.ReturnID+"/"+m.LineID] += m.Quantity
		}
	}
	for _, a := range w.o.Allocations {
		at := a.LocationID + "/" + a.SKU
		require.True(w.t, a.Released >= 0 && a.Consumed >= 0 && a.Live() >= 0, "%+v", a)
		live[at] += a.Live()
		consumed[at] += a.Consumed
	}
	for at := range committed {
		require.Equal(w.t, live[at], committed[at], "committed at %s", at)
		require.Equal(w.t, consumed[at], shipped[at], "taken at %s", at)
	}
	for _, r := range w.o.Returns {
		received, inspected := map[string]int64{}, map[string]int64{}
		for _, l := range r.Lines {
			received[l.LineID] += l.Received
			inspected[l.LineID] += l.Inspected
		}
		for _, u := range r.Unexpected {
			received[""] += u.Quantity
		}
		for line, units := range received {
			require.Equal(w.t, units, back[r.ID+"/"+line], "what came with return %d is booked once", r.Number)
			require.Equal(w.t, inspected[line], graded[r.ID+"/"+line], "what was graded of return %d is booked once", r.Number)
		}
	}
}
