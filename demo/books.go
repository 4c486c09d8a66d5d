package demo

import (
	"fmt"
	"maps"
	"slices"

	"github.com/waybill-oms/waybill/api/client"
)

// Money is what became of the money of all orders in one currency, in minor units of it.
type Money struct {
	Currency   string `json:"currency"`
	Decimals   int    `json:"decimals"` // how many of the digits are behind the point
	Orders     int    `json:"orders"`
	Ordered    int64  `json:"ordered"`    // the totals
	Authorized int64  `json:"authorized"` // ever held
	Held       int64  `json:"held"`       // held still, for orders that are not over
	Captured   int64  `json:"captured"`
	Voided     int64  `json:"voided"`
	Refunded   int64  `json:"refunded"`
	Kept       int64  `json:"kept"` // captured and not refunded

	// Differences say what does not foot. Held is not what is left over: it is counted payment by payment.
	Differences []string `json:"differences"`
}

func moneyOf(tales []tale) []Money {
	byCurrency := map[string][]tale{}
	for _, t := range tales {
		byCurrency[t.order.Currency] = append(byCurrency[t.order.Currency], t)
	}
	list := []Money{}
	for _, currency := range slices.Sorted(maps.Keys(byCurrency)) {
		list = append(list, moneyIn(currency, byCurrency[currency]))
	}
	return list
}

// moneyIn adds up what payments say, and compares it with what orders, refunds and timelines do.
func moneyIn(currency string, tales []tale) Money {
	m := Money{Currency: currency, Decimals: decimals(currency), Orders: len(tales), Differences: []string{}}
	var amounts client.Amounts
	var refunds int64
	events := map[string]int64{}
	for _, t := range tales {
		m.Ordered += t.order.Total
		for _, p := range t.order.Payments {
			m.Authorized += p.Authorized
			m.Captured += p.Captured
			m.Voided += p.Voided
			m.Refunded += p.Refunded
			if p.Status == client.PaymentAttemptStatusAuthorized && !final(t.order.Status) {
				m.Held += p.Authorized - p.Captured - p.Voided
			}
		}
		amounts.Authorized += t.order.Amounts.Authorized
		amounts.Captured += t.order.Amounts.Captured
		amounts.Voided += t.order.Amounts.Voided
		amounts.Refunded += t.order.Amounts.Refunded
		for _, r := range t.order.Refunds {
			if r.Status == client.RefundStatusSucceeded {
				refunds += r.Amount
			}
		}
		for _, e := range t.timeline {
			if e.Amount != nil {
				events[e.Type] += *e.Amount
			}
		}
	}
	m.Kept = m.Captured - m.Refunded
	m.foots("held, captured and voided come to what was authorized", m.Held+m.Captured+m.Voided, m.Authorized)
	m.foots("orders and payments: authorized", amounts.Authorized, m.Authorized)
	m.foots("orders and payments: captured", amounts.Captured, m.Captured)
	m.foots("orders and payments: voided", amounts.Voided, m.Voided)
	m.foots("orders and payments: refunded", amounts.Refunded, m.Refunded)
	m.foots("refunds that succeeded, and payments", refunds, m.Refunded)
	m.foots("timelines and payments: captured", events["payment.captured"], m.Captured)
	m.foots("timelines and payments: voided", events["payment.voided"], m.Voided)
	m.foots("timelines and payments: refunded", events["payment.refunded"], m.Refunded)
	return m
}

func (m *Money) foots(what string, one, other int64) {
	if one != other {
		m.Differences = append(m.Differences, fmt.Sprintf("%s: %s %s, %s %s", what, m.Currency, minor(one, m.Decimals), m.Currency, minor(other, m.Decimals)))
	}
}

func final(s client.OrderStatus) bool {
	return slices.Contains([]client.OrderStatus{client.OrderStatusCompleted, client.OrderStatusRejected, client.OrderStatusCancelled,
		client.OrderStatusExpired}, s)
}

// Units are what became of everything that was ordered and taken in.
type Units struct {
	TurnedAway  int64    `json:"turned_away"` // of orders that were rejected or expired; in none of the others
	Ordered     int64    `json:"ordered"`
	Cancelled   int64    `json:"cancelled"`
	Open        int64    `json:"open"`
	Backordered int64    `json:"backordered"` // of the open ones
	Shipped     int64    `json:"shipped"`
	OnTheWay    int64    `json:"on_the_way"` // of the shipped ones, as are the next three
	Delivered   int64    `json:"delivered"`
	Lost        int64    `json:"lost"`
	Undelivered int64    `json:"undelivered"`
	Returned    int64    `json:"returned"` // of the delivered and the undelivered ones
	Differences []string `json:"differences"`
}

func unitsOf(tales []tale) Units {
	u := Units{Differences: []string{}}
	for _, t := range tales {
		o := t.order
		if o.Status == client.OrderStatusRejected || o.Status == client.OrderStatusExpired {
			u.TurnedAway += count(o, ordered)
			continue
		}
		u.Ordered += count(o, ordered)
		u.Cancelled += count(o, cancelled)
		u.Open += count(o, open)
		u.Backordered += count(o, backordered)
		u.Shipped += count(o, shipped)
		u.Delivered += count(o, delivered)
		u.Lost += count(o, lost)
		u.Undelivered += count(o, undelivered)
		u.Returned += count(o, returned)
		for _, s := range o.Shipments {
			for _, l := range s.Lines {
				if s.Status == client.ShipmentStatusShipped {
					u.OnTheWay += l.Quantity
				}
			}
		}
	}
	if sum := u.Cancelled + u.Open + u.Shipped; sum != u.Ordered {
		u.Differences = append(u.Differences, fmt.Sprintf("cancelled, open and shipped come to %d units, ordered were %d", sum, u.Ordered))
	}
	if sum := u.OnTheWay + u.Delivered + u.Lost + u.Undelivered; sum != u.Shipped {
		u.Differences = append(u.Differences, fmt.Sprintf("on the way, delivered, lost and undelivered come to %d units, shipped were %d", sum, u.Shipped))
	}
	return u
}
