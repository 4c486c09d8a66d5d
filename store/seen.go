package store

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/waybill-oms/waybill/domain/order"
)

const (
	// seenMax bounds how many orders a process remembers.
	seenMax = 1024
	// seenFor is how long: the steps of an order come in bursts. It also bounds for how long a process could take an
	// order for what it was before the database was put back to an earlier time.
	seenFor = 5 * time.Second
)

// seen remembers orders as they were last read or written by this process. That is a guess, never a fact: whatever is
// decided on it is written only if the order's version has not moved.
type seen struct{ orders *lru.Cache[string, sighting] }

type sighting struct {
	order *order.Order
	at    time.Time
}

func newSeen() seen {
	orders, err := lru.New[string, sighting](seenMax)
	if err != nil {
		panic(err) // only a size below one can fail
	}
	return seen{orders}
}

// keep remembers copies.
func (s seen) keep(orders ...*order.Order) {
	for _, o := range orders {
		s.orders.Add(o.ID, sighting{o.Clone(), time.Now()})
	}
}

// order is a copy of what is remembered, or nil.
func (s seen) order(orderID string) *order.Order {
	if found, ok := s.orders.Get(orderID); ok && time.Since(found.at) < seenFor {
		return found.order.Clone()
	}
	return nil
}

func (s seen) forget(orderID string) { s.orders.Remove(orderID) }
