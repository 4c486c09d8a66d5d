package life

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/simulation"
)

// seen is one scan: after so many hours on the way.
type seen struct {
	status shipping.Tracking
	hours  int
}

// ways are what may become of a parcel. Most arrive.
var ways = [][]seen{
	{{shipping.PickedUp, 4}, {shipping.InTransit, 12}, {shipping.OutForDelivery, 44}, {shipping.Delivered, 48}},
	{{shipping.PickedUp, 4}, {shipping.InTransit, 12}, {shipping.OutForDelivery, 44}, {shipping.Delivered, 48}},
	{{shipping.PickedUp, 4}, {shipping.InTransit, 12}, {shipping.OutForDelivery, 44}, {shipping.Delivered, 48}},
	{{shipping.Delivered, 30}},
	{{shipping.InTransit, 12}, {shipping.Delayed, 48}, {shipping.InTransit, 216}, {shipping.Delivered, 240}},
	{{shipping.OutForDelivery, 44}, {shipping.DeliveryFailed, 48}, {shipping.OutForDelivery, 68}, {shipping.Delivered, 72}},
	{{shipping.InTransit, 12}, {shipping.DeliveryFailed, 48}, {shipping.ReturnToSender, 72}},
	{{shipping.InTransit, 12}, {shipping.Lost, 240}},
	{{shipping.InTransit, 12}, {shipping.Lost, 240}, {shipping.Delivered, 400}},
	{{shipping.InTransit, 12}, {shipping.ReturnToSender, 60}, {shipping.Delivered, 300}},
	{{shipping.Lost, 100}, {shipping.ReturnToSender, 200}},
	{{shipping.InTransit, 12}, {shipping.TrackingCancelled, 90}, {shipping.Lost, 400}},
	{{shipping.InTransit, 12}, {shipping.Unknown, 30}}, // and never seen again
}

// carry takes parcels on their way that were handed over since somebody looked.
func (l *life) carry(ctx workflow.Context, o *order.Order) {
	for _, s := range o.Shipments {
		if s.HandedOverAt == nil || l.carried[s.ID] {
			continue
		}
		l.carried[s.ID] = true
		way := ways[l.seed.Below(len(ways), "way", s.ID)]
		for i, scan := range way {
			at := s.HandedOverAt.Add(time.Duration(scan.hours) * time.Hour).Add(l.between(0, time.Hour, "scan", s.ID, i))
			l.scan(ctx, s.ID, i+1, shipping.Scan{Status: scan.status, OccurredAt: at})
		}
	}
}

// scan has word of a scan come: in time, late and so out of order, and perhaps twice.
func (l *life) scan(ctx workflow.Context, shipmentID string, n int, scan shipping.Scan) {
	write := func(workflow.Context) {
		l.tell("carrier", "scan "+string(scan.Status)+" of "+shipmentID, outcomeOf(l.scanned(shipmentID, scan)))
	}
	after := max(scan.OccurredAt.Sub(l.now()), 0) + time.Minute
	if l.faulty(l.wild, shipmentID, n, "late_scan") {
		after += l.between(time.Hour, 10*24*time.Hour, "late scan", shipmentID, n)
	}
	if l.faulty(l.wild, shipmentID, n, "scan_lost") {
		return // somebody will miss it
	}
	l.soon(ctx, after, write)
	if l.faulty(l.wild, shipmentID, n, "scan_twice") {
		l.soon(ctx, after+l.between(0, 4*24*time.Hour, "second scan", shipmentID, n), write)
	}
}

// scanned writes a scan down as the API does.
func (l *life) scanned(shipmentID string, scan shipping.Scan) error {
	act := l.act("carrier", scopeOf(l.orderID))
	_, err := l.change("tracking", act, func(o *order.Order) error { return o.Scanned(shipmentID, scan, act) })
	return err
}

// missed is what an operator finds out about a parcel of which nobody has heard for long.
func (l *life) missed(o *order.Order) []deed {
	const long = 12 * 24 * time.Hour
	var deeds []deed
	for _, s := range o.Shipments {
		if s.Status != order.ShipmentShipped || l.now().Sub(*s.TrackingAt) < long || l.coming > 0 {
			continue
		}
		status := []shipping.Tracking{shipping.Delivered, shipping.Delivered, shipping.Lost}[l.seed.Below(3, "found out", s.ID)]
		deeds = append(deeds, deed{"operator", fmt.Sprintf("find out that %s is %s", s.ID, status), func(workflow.Context) error {
			return l.scanned(s.ID, shipping.Scan{Status: status, OccurredAt: l.now()})
		}})
	}
	return deeds
}

// interfere has people change their minds, and runs be terminated, at times that have nothing to do with anything.
func (l *life) interfere(ctx workflow.Context) {
	for i := range 4 {
		if !l.seed.Chance(220, "interferes", l.n, i) {
			continue
		}
		after := l.between(time.Second, 5*24*time.Hour, "interferes after", l.n, i)
		if l.seed.Chance(300, "interferes late", l.n, i) {
			after *= 6
		}
		l.soon(ctx, after, func(ctx workflow.Context) { l.interference(ctx, i) })
	}
	if id := simulation.FaultID("run/"+l.orderID, 1, "terminated"); l.wild > 0 && l.seed.Chance(300, id) {
		l.soon(ctx, l.between(time.Second, 12*24*time.Hour, id), func(workflow.Context) { l.terminate(id) })
	}
}

// terminate ends whatever runs of the order there are.
func (l *life) terminate(id string) {
	for _, r := range l.runsOf() {
		if l.happens(id) {
			l.kill(r)
		}
	}
}

// runsOf lists the runs that go on, in the order in which they began.
func (l *life) runsOf() []*run {
	var found []*run
	o := l.look(l.orderID)
	if r := l.running("order/" + o.ID); r != nil && r.started {
		found = append(found, r)
	}
	for _, ret := range o.Returns {
		if r := l.running("return/" + ret.ID); r != nil && r.started {
			found = append(found, r)
		}
	}
	return found
}
