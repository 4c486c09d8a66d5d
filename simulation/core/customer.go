package core

import (
	"fmt"
	"slices"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// placement draws what a customer orders: few SKUs, so that orders meet; odd amounts, so that nothing divides.
func (l *life) placement() order.Placement {
	p := order.Placement{ExternalID: fmt.Sprint(1000 + l.n), Channel: "web", Currency: "USD", PricesIncludeTax: l.chance(300, "gross"),
		OnShortage: oneOf(l, "on shortage", order.OnShortageReject, order.OnShortageBackorder, order.OnShortageBackorder, order.OnShortagePartial),
		Priority:   l.below(3, "priority"),
		Customer:   order.Customer{ID: fmt.Sprint("c-", l.n), Name: "Ada", Email: "ada@example.com"},
		ShipTo:     shipping.Address{Name: "Ada", Line1: "1 Main St", City: "Reno", PostalCode: "89501", Country: "US"},
		Payment:    order.PlacedPayment{Gateway: "sandbox", Token: "tok_1"}}
	var net int64
	for range 1 + l.below(3, "lines") {
		line := order.PlacedLine{SKU: oneOf(l, "sku", skus...), Quantity: int64(1 + l.below(4, "quantity")), UnitPrice: oneOf[int64](l, "price", 0, 999, 1001, 1999, 4995),
			Tax: int64(l.below(900, "tax")), FinalSale: l.chance(80, "final sale")}
		if l.chance(250, "discounted") {
			line.Discount = min(int64(l.below(700, "discount")), line.UnitPrice*line.Quantity)
		}
		net += line.UnitPrice*line.Quantity - line.Discount
		p.Lines = append(p.Lines, line)
	}
	if l.chance(300, "voucher") {
		p.Discount = min(int64(l.below(1500, "voucher worth")), net)
	}
	p.Shipping = order.PlacedShipping{Service: "standard", Amount: oneOf[int64](l, "shipping", 0, 500, 799), Tax: int64(l.below(70, "shipping tax"))}
	if l.fault(60, l.id, "paid_elsewhere") {
		p.Payment.Gateway = "external"
	}
	if l.chance(150, "promised") {
		by := began.Add(l.between(2*day, 20*day, "promised by"))
		p.PromisedAt = &by
	}
	p = p.Normalize()
	p.Total, _ = p.Sum()
	if l.fault(50, l.id, "imported_under_hold") {
		p.Holds = []order.PlacedHold{{Reason: order.HoldAddressIncomplete, Detail: "no street"}}
	}
	return p
}

// returnPolicy is the default, or one with fees, refunds without goods, no labels …
func (l *life) returnPolicy() returns.Policy {
	p := house.Returns
	p.AutoApprove, p.Label = l.chance(300, "auto approve"), !l.chance(250, "no labels")
	if l.chance(300, "label fee") {
		p.LabelFee = map[string]int64{"USD": int64(l.below(900, "label fee"))}
	}
	if l.chance(300, "restocking") {
		p.RestockingPercent = int64(l.below(40, "restocking"))
	}
	if l.chance(200, "returnless") {
		p.ReturnlessUpTo = map[string]int64{"USD": int64(l.below(3000, "returnless"))}
	}
	return p
}

// place sends the order, at times twice: the second time it is the one that is there.
func (l *life) place() {
	w, key := l.w, "place/"+l.id
	if w.books.byKey[key] != nil {
		l.tell("place", "placed before")
		return
	}
	act := w.act(l, "api:checkout")
	if err := l.placed.Validate("sandbox", "external"); err != nil {
		w.fails("placement_refused", l.id, "%v", err)
		return
	}
	o := order.Place(l.placed, l.id, act)
	o.IdempotencyKey = key
	if o.Decision == order.Undecided {
		w.books.peek(o, act)
	}
	done := w.books.add(o, act)
	if done.refused != nil {
		w.fails(done.refused.constraint, done.refused.detail, "a placement was refused by the books")
		return
	}
	if l.fault(30, l.id, "placed_twice") {
		w.in(l.between(time.Second, day, "placed again"), l.place)
	}
	if l.fault(20, l.id, "run_started_late") { // the process died between the commit and the start
		l.follow("place", nil, done)
		w.in(l.between(time.Minute, 4*time.Minute, "swept"), l.run.learn)
	} else {
		l.follow("place", l.run, done)
	}
	l.plans()
}

// plans is what people have in mind for an order from the beginning.
func (l *life) plans() {
	later := func(permille int, kind string, most time.Duration, do func()) {
		if l.fault(permille, l.id, kind) {
			l.w.in(l.between(time.Second, most, kind), do)
		}
	}
	later(90, "cancelled", 5*day, func() { l.cancel() })
	later(60, "cancelled_at_once", 5*time.Second, func() { l.cancel() })
	later(130, "units_cancelled", 5*day, l.cancelSome)
	later(60, "more_units_cancelled", 8*day, l.cancelSome)
	later(80, "held", 4*day, func() { l.hold(false) })
	later(80, "fulfillment_held", 4*day, func() { l.hold(true) })
	later(40, "resumed_for_nothing", 6*day, func() { _ = l.run.resume("resume", "") })
	later(50, "token_for_nothing", 6*day, func() { _ = l.pay() })
}

func (l *life) cancel() {
	_ = l.command("api:customer", "cancel", l.run, func(o *order.Order, act order.Act) error { return o.CancelWhole("changed my mind", act) })
}

func (l *life) cancelSome() {
	o := l.order()
	line := o.Lines[l.below(len(o.Lines), "line to cancel")]
	n := 1 + int64(l.below(int(line.Quantity), "units to cancel"))
	l.cancelUnits([]order.UnitsOf{{LineID: line.ID, Quantity: n}})
}

func (l *life) cancelUnits(units []order.UnitsOf) {
	_ = l.command("api:customer", "cancel units", l.run, func(o *order.Order, act order.Act) error {
		return o.CancelUnits(units, "changed my mind", act)
	})
}

// pay sends another way to pay.
func (l *life) pay() error {
	token := fmt.Sprint("tok_", l.nth("token")+1)
	return l.command("api:customer", "pay", l.run, func(o *order.Order, act order.Act) error { return o.NewToken("sandbox", token, act) })
}

// customer looks whether the order wants something of whoever placed it.
func (l *life) customer(o *order.Order) {
	if awaitsPayment(o) && !l.pending["pay"] {
		if !l.fault(200, l.id, "does_not_pay") {
			l.soon("pay", l.between(5*time.Minute, 30*time.Hour, "pay"), func() { _ = l.pay() })
		} else {
			l.pending["pay"] = true // never comes
		}
	}
	for _, s := range o.Shipments {
		if s.Status == order.ShipmentDelivered && l.counts[drawn{"considered", s.ID}] == 0 {
			l.count(drawn{"considered", s.ID})
			if l.fault(350, s.ID, "sent_back") {
				l.w.in(l.between(time.Hour, 34*day, "sends back"), func() { l.requestReturn() })
			}
		}
	}
}

// awaitsPayment reports whether the order waits for somebody to pay.
func awaitsPayment(o *order.Order) bool {
	return !ended[o.Status] && slices.ContainsFunc(o.Holds, func(h order.Hold) bool { return h.ReleasedAt == nil && h.Reason == order.HoldAwaitingPayment })
}

// requestReturn announces some units, perhaps more than there are, or too late.
func (l *life) requestReturn() {
	o := l.order()
	var asked []order.ReturnedUnits
	for _, line := range o.Lines {
		if line.Delivered > 0 && l.chance(650, "returned line") {
			asked = append(asked, order.ReturnedUnits{LineID: line.ID, Quantity: 1 + int64(l.below(int(line.Quantity), "returned units")), Reason: oneOf(l, "reason", returns.Reasons()...)})
		}
	}
	if len(asked) == 0 {
		return
	}
	_ = l.command("api:customer", "request return", nil, func(o *order.Order, act order.Act) error {
		_, err := o.RequestReturn(order.ReturnRequest{Lines: asked}, act)
		return err
	})
}
