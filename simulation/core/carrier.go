package core

import (
	"slices"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// carrier sells labels, each key once, and scans parcels.
type carrier struct {
	w       *world
	answers map[string]shipping.Answer // by key
	ledger  []shipping.Request         // what was really done, once for every time
}

func newCarrier(w *world) *carrier { return &carrier{w: w, answers: map[string]shipping.Answer{}} }

func (c *carrier) ask(l *life, r shipping.Request, _ bool) (answer, error) {
	a, done := c.answers[r.Key]
	if !done {
		a = shipping.Answer{Outcome: shipping.Succeeded, Reference: "label/" + r.Key, Carrier: "Parcel", TrackingNumber: "P" + r.ShipmentID}
		switch {
		case r.Kind == shipping.BuyLabel && l.fault(50, r.Key, "label_refused"):
			a.Outcome, a.Code = shipping.Refused, "address_rejected"
		case r.Kind == shipping.VoidLabel && l.fault(60, r.Key, "label_void_refused"):
			a.Outcome, a.Code = shipping.Refused, "already_scanned"
		default:
			c.ledger = append(c.ledger, r)
		}
		c.answers[r.Key] = a
		c.w.trace.add(c.w.now, "carrier", r.Key, string(a.Outcome)+" "+a.Code)
	}
	return func(o *order.Order, act order.Act) { o.CarrierAnswered(r.Key, a, act) }, nil
}

// stop is one scan on a parcel's way: when it happens, and how much later we hear of it.
type stop struct {
	status      shipping.Tracking
	after, late time.Duration
}

// track sends every parcel on its way that was handed over.
func (l *life) track(o *order.Order) {
	for i := range o.Shipments {
		s := &o.Shipments[i]
		if s.HandedOverAt == nil || l.counts[drawn{"way of", s.ID}] > 0 {
			continue
		}
		l.count(drawn{"way of", s.ID})
		parcel, from := s.ID, *s.HandedOverAt
		for _, stop := range l.way(parcel) {
			at := from.Add(stop.after)
			l.w.in(at.Sub(l.w.now)+stop.late, func() { l.scan(parcel, stop.status, at) })
		}
	}
	for i := range o.Returns {
		l.trackBack(&o.Returns[i])
	}
}

// way draws what becomes of a parcel: most arrive; others are lost, turned back, found again, or never scanned.
func (l *life) way(parcel string) []stop {
	hours := func(least, most int, what string) time.Duration {
		return l.between(time.Duration(least)*time.Hour, time.Duration(most)*time.Hour, what)
	}
	picked, arrives := hours(1, 12, "picked up"), hours(24, 96, "arrives")
	way := []stop{{status: shipping.PickedUp, after: picked}, {status: shipping.InTransit, after: picked + 2*time.Hour}, {status: shipping.OutForDelivery, after: arrives - 4*time.Hour}}
	end := []stop{{status: shipping.Delivered, after: arrives}}
	switch {
	case l.fault(40, parcel, "lost"):
		end = []stop{{status: shipping.Lost, after: arrives}}
		if l.fault(350, parcel, "found") {
			end = append(end, stop{status: oneOf(l, "found", shipping.Delivered, shipping.ReturnToSender), after: arrives + hours(10, 200, "found after")})
		}
	case l.fault(50, parcel, "returned_to_sender"):
		end = []stop{{status: shipping.ReturnToSender, after: arrives}}
		switch {
		case l.fault(150, parcel, "delivered_after_all"):
			end = append(end, stop{status: shipping.Delivered, after: arrives + hours(1, 60, "after all")})
		case l.fault(100, parcel, "lost_on_the_way_back"):
			end = append(end, stop{status: shipping.Lost, after: arrives + hours(20, 100, "lost back")})
		}
	case l.fault(15, parcel, "cancelled_by_carrier"):
		way = append(way, stop{status: shipping.TrackingCancelled, after: arrives - time.Hour})
	case l.fault(30, parcel, "never_scanned"):
		return nil
	}
	way = append(way, end...)
	var heard []stop
	for _, s := range way {
		if l.fault(60, parcel, "late_scan") {
			s.late = hours(1, 90, "late scan")
		}
		if l.fault(20, parcel, "missing_scan") && s.status != shipping.Delivered {
			continue
		}
		heard = append(heard, s)
		if l.fault(60, parcel, "repeated_scan") {
			s.late += hours(0, 40, "repeated scan")
			heard = append(heard, s)
		}
	}
	if l.fault(30, parcel, "odd_scan") {
		heard = append(heard, stop{status: oneOf(l, "odd", shipping.Statuses()...), after: hours(0, 120, "odd after"), late: hours(0, 50, "odd late")})
	}
	return heard
}

// scan tells us where a parcel was seen.
func (l *life) scan(parcel string, status shipping.Tracking, at time.Time) {
	_ = l.change("carrier", "scan "+parcel+" "+string(status), "", nil, func(o *order.Order, act order.Act) error {
		return o.Scanned(parcel, shipping.Scan{Status: status, OccurredAt: at}, act)
	})
}

// trackBack scans a parcel of a return once its customer has handed it in.
func (l *life) trackBack(r *order.Return) {
	if r.ApprovedAt == nil || r.Returnless || r.Status != returns.Approved || l.counts[drawn{"back", r.ID}] > 0 {
		return
	}
	l.count(drawn{"back", r.ID})
	if l.fault(120, r.ID, "never_sent") {
		return
	}
	sent := l.between(6*time.Hour, 8*day, "sent back")
	steps := []stop{{status: shipping.PickedUp, after: sent}, {status: shipping.InTransit, after: sent + 5*time.Hour}}
	lost := l.fault(60, r.ID, "lost_on_the_way_back")
	if lost {
		steps = append(steps, stop{status: shipping.Lost, after: sent + 30*time.Hour})
	} else {
		steps = append(steps, stop{status: shipping.Delivered, after: sent + 30*time.Hour})
	}
	if l.fault(100, r.ID, "reordered_scans") {
		slices.Reverse(steps)
		steps[0].late, steps[2].late = -steps[0].after/2, 20*time.Hour
	}
	for _, s := range steps {
		at := l.w.now.Add(s.after)
		l.w.in(s.after+s.late, func() {
			_ = l.change("carrier", "return scan "+r.ID+" "+string(s.status), "", nil, func(o *order.Order, act order.Act) error {
				return o.ReturnScanned(r.ID, shipping.Scan{Status: s.status, OccurredAt: at}, act)
			})
		})
	}
	if !lost {
		l.w.in(sent+30*time.Hour+l.between(time.Hour, 30*time.Hour, "unpacked"), func() { l.receive(r.ID) })
	}
}
