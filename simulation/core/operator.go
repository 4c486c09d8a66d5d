package core

import (
	"slices"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// operator sends somebody to an order, or a return, that calls for one.
func (l *life) operator(o *order.Order) {
	if o.AttentionCode != "" || len(l.standing(o)) > 0 || len(l.heldParcels(o)) > 0 {
		l.soon("operator", l.between(20*time.Minute, 30*time.Hour, "operator"), l.operate)
	}
	for i := range o.Returns {
		if r := &o.Returns[i]; r.AttentionCode != "" {
			l.soon("operator "+r.ID, l.between(20*time.Minute, 30*time.Hour, "operator of a return"), func() { l.operateReturn(r.ID) })
		}
	}
}

// standing are the holds that somebody has to answer.
func (l *life) standing(o *order.Order) []order.Hold {
	var found []order.Hold
	for _, h := range o.Holds {
		if h.ReleasedAt == nil && h.Reason != order.HoldAwaitingPayment {
			found = append(found, h)
		}
	}
	return found
}

func (l *life) heldParcels(o *order.Order) []order.Shipment {
	var found []order.Shipment
	for _, s := range o.Shipments {
		if s.Status == order.ShipmentHeld && !s.ShipRequested {
			found = append(found, s)
		}
	}
	return found
}

// hold is somebody who wants an order, or a part of it, to wait.
func (l *life) hold(part bool) {
	o, target := l.order(), ""
	if part {
		if len(o.Fulfillments) == 0 {
			return
		}
		target = o.Fulfillments[l.below(len(o.Fulfillments), "held part")].ID
	}
	r := order.HoldRequest{Reason: "fraud_check"}
	for _, b := range []string{order.BlockCapture, order.BlockRelease, order.BlockShip} {
		if l.chance(500, "blocks") {
			r.Blocks = append(r.Blocks, b)
		}
	}
	if l.chance(600, "deadline") {
		until := l.w.now.Add(l.between(time.Minute, 40*time.Hour, "held until"))
		r.Deadline, r.OnDeadline = &until, oneOf(l, "on deadline", "", order.OnDeadlineRelease, order.OnDeadlineCancel, order.OnDeadlineAttention)
	}
	_ = l.command("api:operator", "hold "+target, l.run, func(o *order.Order, act order.Act) error { return o.PlaceHold(target, r, act) })
}

// stop is somebody who wants parcels not to leave, whatever else goes on.
func (l *life) stop(fulfillmentID string) {
	if l.chance(300, "all of it") {
		fulfillmentID = ""
	}
	r := order.HoldRequest{Reason: "wrong_item", Blocks: []string{order.BlockShip}}
	_ = l.command("api:operator", "stop "+fulfillmentID, l.run, func(o *order.Order, act order.Act) error { return o.PlaceHold(fulfillmentID, r, act) })
}

func (l *life) release(h order.Hold) {
	_ = l.command("api:operator", "release "+h.ID, l.run, func(o *order.Order, act order.Act) error {
		return o.ReleaseHold(h.FulfillmentID, h.ID, act)
	})
}

// operate does what an order's attention asks for, or something near it.
func (l *life) operate() {
	o := l.order()
	for _, h := range l.standing(o) {
		if l.w.calmed() || l.chance(700, "release") {
			l.release(h)
		}
	}
	switch o.AttentionCode {
	case order.AttentionRefundRefused:
		l.settleSome("")
	case order.AttentionLabelRefused:
		if l.fault(250, l.id, "label_given_up") {
			l.dropParcels(func(s order.Shipment) bool { return s.Status == order.ShipmentLabelRefused })
		}
	case order.AttentionPaymentOverdue, order.AttentionBackorderOverdue:
		if l.fault(400, l.id, "rest_cancelled") {
			l.cancelRest()
		}
	}
	l.freeParcels()
	if o := l.order(); o.AttentionCode != "" {
		_ = l.run.resume("resume", l.id+"/"+time.Duration(l.nth("resume")).String())
	}
	if o := l.order(); !o.Settled {
		l.operator(o)
	}
}

// freeParcels does something about parcels that stay in the building because their money could not be taken.
func (l *life) freeParcels() {
	for _, s := range l.heldParcels(l.order()) {
		o := l.order()
		last := lastCapture(o, s.ID)
		latest := o.LatestPayment()
		switch {
		case last != nil && last.State == payment.Done && last.Applied != last.Amount, l.fault(150, s.ID, "parcel_given_up"):
			l.dropParcels(func(other order.Shipment) bool { return other.ID == s.ID })
		case last != nil && last.State == payment.Denied && latest != nil && latest.ID == last.PaymentID && l.chance(600, "another card"):
			_ = l.pay()
		default:
			l.soon("work "+s.FulfillmentID, time.Hour, func() { l.work(s.FulfillmentID) })
		}
	}
}

func lastCapture(o *order.Order, parcel string) *order.Operation {
	for _, op := range slices.Backward(o.Operations) {
		if op.ShipmentID == parcel && op.Kind == string(payment.Capture) {
			return &op
		}
	}
	return nil
}

// dropParcels cancels the units in some parcels.
func (l *life) dropParcels(which func(order.Shipment) bool) {
	for _, s := range l.order().Shipments {
		if !which(s) {
			continue
		}
		var units []order.UnitsOf
		for _, u := range s.Lines {
			units = append(units, order.UnitsOf{LineID: u.LineID, Quantity: u.Quantity})
		}
		l.cancelUnits(units)
	}
}

func (l *life) cancelRest() {
	var units []order.UnitsOf
	for _, line := range l.order().Lines {
		if left := line.Quantity - line.Cancelled - line.Shipped; left > 0 {
			units = append(units, order.UnitsOf{LineID: line.ID, Quantity: left})
		}
	}
	if len(units) > 0 {
		l.cancelUnits(units)
	}
}

// settleSome pays refunds by other means that their gateway refuses, of the order or of a return.
func (l *life) settleSome(returnID string) {
	for _, r := range l.order().Refunds {
		if r.Status == order.RefundRefused && r.ReturnID == returnID && l.fault(400, r.ID, "settled_by_hand") {
			_ = l.command("api:operator", "settle "+r.ID, l.runOf(returnID), func(o *order.Order, act order.Act) error {
				return o.SettleRefund(r.ID, "bank transfer", act)
			})
		}
	}
}

func (l *life) operateReturn(returnID string) {
	l.settleSome(returnID)
	if r := l.order().Return(returnID); r.AttentionCode != "" {
		_ = l.runOf(returnID).resume("resume "+returnID, l.id+"/"+returnID+"/"+time.Duration(l.nth("resume return")).String())
	}
}

// calm is when nothing goes wrong any more: there is stock for everybody, and whoever is stuck is looked after.
func (w *world) calm() {
	w.trace.add(w.now, "world", "calm", "nothing goes wrong any more")
	for _, l := range locations {
		for _, sku := range skus {
			w.receive(l.ID, sku, 200)
		}
	}
	for _, l := range w.lives {
		w.in(time.Hour, l.lookAfter)
	}
}

// lookAfter comes by until the order is over, and does what nobody does by himself.
func (l *life) lookAfter() {
	o := l.order()
	if o == nil || l.over() {
		return
	}
	delete(l.pending, "pay") // whoever did not pay does now
	if o.AttentionCode != "" || len(l.standing(o)) > 0 || len(l.heldParcels(o)) > 0 {
		l.operate()
	}
	for _, s := range o.Shipments {
		if s.Status == order.ShipmentShipped && l.w.now.Sub(*s.HandedOverAt) > 12*day {
			l.scan(s.ID, shipping.Delivered, l.w.now)
		}
	}
	l.react()
	l.w.in(12*time.Hour, l.lookAfter)
}

// over reports whether nothing is left to be done for an order and its returns.
func (l *life) over() bool {
	o := l.order()
	return o.Settled && o.AttentionCode == "" && !slices.ContainsFunc(o.Returns, func(r order.Return) bool { return !r.Settled || r.AttentionCode != "" })
}
