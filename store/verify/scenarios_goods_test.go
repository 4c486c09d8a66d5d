package verify_test

import (
	"time"

	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/store"
)

// What is short: ordered of a SKU of its own, of which nyc has a few and lax perhaps one.
var shortScenarios = []scenario{
	{"backordered", func(w *world, p order.Placement) { w.accept(w.scarce(p, order.OnShortageBackorder, 1, 0)) }},
	{"granted", func(w *world, p order.Placement) {
		p = w.scarce(p, order.OnShortageBackorder, 1, 0)
		o := w.accept(p)
		w.later(time.Minute)
		w.stock("nyc", p.Lines[0].SKU, 3)
		o = w.reload(o)
		w.perform(w.ship(w.pack(w.pick(o)), 0))
	}},
	{"promise-broken", func(w *world, p order.Placement) {
		w.ago(31 * 24 * time.Hour)
		o := w.accept(w.scarce(elsewhere(p), order.OnShortageBackorder, 0, 0))
		w.later(30*24*time.Hour + time.Minute)
		w.change(w.deadlinePassed(o), func(o *order.Order, act order.Act) error { return o.Resume(act) })
	}},
	{"partial", func(w *world, p order.Placement) {
		o := w.accept(w.scarce(p, order.OnShortagePartial, 1, 0))
		w.scan(w.perform(w.ship(w.pack(w.pick(o)), 0)), shipping.Delivered)
	}},
	{"short-elsewhere", func(w *world, p order.Placement) {
		w.allocate(w.short(w.accept(w.scarce(p, order.OnShortageReject, 2, 1)), order.ShortStockout))
	}},
	{"short-backordered", func(w *world, p order.Placement) {
		w.allocate(w.short(w.accept(w.scarce(p, order.OnShortageBackorder, 2, 0)), order.ShortDamaged))
	}},
	{"short-cancelled", func(w *world, p order.Placement) {
		w.pack(w.allocate(w.short(w.accept(w.scarce(p, order.OnShortageReject, 2, 0)), order.ShortCouldNotLocate)))
	}},
	{"short-undecided", func(w *world, p order.Placement) {
		w.ago(time.Minute)
		w.short(w.accept(w.scarce(p, order.OnShortageReject, 2, 0)), order.ShortExpired)
	}},
	{"short-and-held", func(w *world, p order.Placement) {
		w.hold(w.short(w.accept(w.scarce(p, order.OnShortageReject, 2, 0)), order.ShortStockout), "", nil)
	}},
	{"unit-cancelled", func(w *world, p order.Placement) {
		o := w.cancelUnit(w.pack(w.pick(w.accept(p))))
		w.perform(w.ship(w.pack(w.perform(o)), 0))
	}},
	{"unit-cancelled-prepaid", func(w *world, p order.Placement) { w.perform(w.cancelUnit(w.accept(elsewhere(p)))) }},
	{"totals-differ-shipped", func(w *world, p order.Placement) {
		p.Total = 4800
		p.Holds = []order.PlacedHold{{Reason: order.HoldTotalsDiffer, Detail: "28 too low"}}
		o := w.perform(w.place(p))
		o = w.change(o, func(o *order.Order, act order.Act) error { return o.ReleaseHold("", o.Holds[0].ID, act) })
		o = w.pick(w.allocate(w.perform(o)))
		line := o.Fulfillments[0].Lines[0]
		o = w.perform(w.change(o, func(o *order.Order, act order.Act) error {
			return o.Pack(o.Fulfillments[0].ID, []order.Parcel{{WeightGrams: 100, Lines: []order.UnitsOf{{LineID: line.LineID, Quantity: 1}}}}, act)
		}))
		w.perform(w.cancelUnit(w.perform(w.ship(o, 0))))
	}},
	{"on-hold", func(w *world, p order.Placement) { w.hold(w.accept(p), "", until(24*time.Hour)) }},
	{"fulfillment-on-hold", func(w *world, p order.Placement) {
		o := w.accept(p)
		w.hold(o, o.Fulfillments[0].ID, nil)
	}},
	{"hold-overdue", func(w *world, p order.Placement) {
		w.ago(26 * time.Hour)
		o := w.hold(w.accept(p), "", until(-time.Hour))
		w.ago(time.Minute)
		w.deadlinePassed(o)
	}},
}

// What comes back: of a delivered order of two units, worth 2164 each.
var returnScenarios = []scenario{
	{"lost-refunded", func(w *world, p order.Placement) { w.perform(w.scan(w.shipped(p), shipping.Lost)) }},
	{"lost-refund-refused", func(w *world, p order.Placement) {
		w.perform(w.scan(w.shipped(paidBy(p, "tok_refund_refused")), shipping.Lost))
	}},
	{"return-requested", func(w *world, p order.Placement) { w.requested(w.delivered(p), 1) }},
	{"return-labeling", func(w *world, p order.Placement) { w.approve(w.requested(w.delivered(p), 1), false) }},
	{"return-approved", func(w *world, p order.Placement) { w.approved(w.delivered(p), 1) }},
	{"return-label-refused", func(w *world, p order.Placement) {
		o := w.approve(w.requested(w.delivered(p), 1), false)
		key := o.Operations[len(o.Operations)-1].Key
		request := o.CarrierRequest(*o.Operation(key))
		request.To.PostalCode = "00001"
		answer, err := w.box.Carrier().Perform(w.ctx, request)
		check(err)
		w.change(o, func(o *order.Order, act order.Act) error { o.CarrierAnswered(key, answer, act); return nil })
	}},
	{"return-in-transit", func(w *world, p order.Placement) {
		w.later(-time.Minute)
		o := w.approved(w.delivered(p), 1)
		w.later(2 * time.Minute)
		w.change(o, func(o *order.Order, act order.Act) error {
			return o.ReturnScanned(o.Returns[0].ID, shipping.Scan{Status: shipping.InTransit, OccurredAt: act.At}, act)
		})
	}},
	{"return-received", func(w *world, p order.Placement) { w.receive(w.approved(w.delivered(p), 2), 1) }},
	{"return-half-graded", func(w *world, p order.Placement) {
		w.finish(w.inspect(w.receive(w.approved(w.delivered(p), 2), 1), grades{returns.GradeA, 1}))
	}},
	{"return-graded", func(w *world, p order.Placement) {
		w.inspect(w.receive(w.approved(w.delivered(p), 1), 1), grades{returns.GradeA, 1})
	}},
	{"return-closed", func(w *world, p order.Placement) {
		w.finish(w.inspect(w.receive(w.approved(w.delivered(p), 2), 2), grades{returns.GradeA, 1}, grades{returns.GradeB, 1}))
	}},
	{"return-scrapped", func(w *world, p order.Placement) {
		w.finish(w.inspect(w.receive(w.approved(w.delivered(p), 2), 2), grades{returns.GradeC, 1}, grades{returns.GradeD, 1}))
	}},
	{"return-missing", func(w *world, p order.Placement) {
		w.finish(w.inspect(w.receive(w.approved(w.delivered(p), 2), 1), grades{returns.GradeA, 1}, grades{returns.GradeX, 1}))
	}},
	{"return-refund-refused", func(w *world, p order.Placement) {
		w.finish(w.inspect(w.receive(w.approved(w.delivered(paidBy(p, "tok_refund_refused")), 1), 1), grades{returns.GradeA, 1}))
	}},
	{"return-in-doubt", func(w *world, p order.Placement) {
		w.ago(time.Minute)
		o := w.inspect(w.receive(w.approved(w.delivered(paidBy(p, "tok_refund_timeout_after")), 1), 1), grades{returns.GradeA, 1})
		w.send(o, o.Operations[len(o.Operations)-1])
	}},
	{"return-in-doubt-for-long", func(w *world, p order.Placement) {
		o := w.inspect(w.receive(w.approved(w.delivered(paidBy(p, "tok_refund_timeout_after")), 1), 1), grades{returns.GradeA, 1})
		key := o.Operations[len(o.Operations)-1].Key
		o = w.send(o, *o.Operation(key))
		w.later(20 * time.Minute)
		w.change(o, func(o *order.Order, act order.Act) error { o.Unanswered(key, "no answer", act); return nil })
	}},
	{"return-declined", func(w *world, p order.Placement) {
		w.change(w.requested(w.delivered(p), 1), func(o *order.Order, act order.Act) error {
			return o.DeclineReturn(o.Returns[0].ID, "worn", act)
		})
	}},
	{"return-again", func(w *world, p order.Placement) {
		o := w.finish(w.callOff(w.approved(w.delivered(p), 2)))
		w.requested(w.requested(o, 1), 1)
	}},
	{"return-expired", func(w *world, p order.Placement) { w.expired(p) }},
	{"return-late", func(w *world, p order.Placement) { w.receive(w.expired(p), 1) }},
	{"returnless", func(w *world, p order.Placement) { w.finish(w.approve(w.requested(w.delivered(p), 1), true)) }},
	{"returnless-came", func(w *world, p order.Placement) {
		o := w.finish(w.approve(w.requested(w.delivered(p), 1), true))
		w.finish(w.inspect(w.receive(o, 1), grades{returns.GradeC, 1}))
	}},
	{"return-fee", func(w *world, p order.Placement) {
		w.policy = returns.Default()
		w.policy.LabelFee = map[string]int64{"USD": 300}
		o := w.delivered(p)
		w.policy = returns.Policy{}
		w.finish(w.inspect(w.receive(w.approved(o, 1), 1), grades{returns.GradeB, 1}))
	}},
	{"return-unexpected", func(w *world, p order.Placement) {
		w.change(w.approved(w.delivered(p), 1), func(o *order.Order, act order.Act) error {
			return o.ReceiveReturn(o.Returns[0].ID, order.ReceivedItems{Unexpected: []order.SKUUnits{{SKU: "SOCK", Quantity: 3}}}, act)
		})
	}},
	{"return-settled-elsewhere", func(w *world, p order.Placement) {
		o := w.finish(w.inspect(w.receive(w.approved(w.delivered(paidBy(p, "tok_refund_refused")), 1), 1), grades{returns.GradeA, 1}))
		w.finish(w.change(o, func(o *order.Order, act order.Act) error {
			return o.SettleRefund(o.Refunds[0].ID, "bank transfer", act)
		}))
	}},
	{"disposed", func(w *world, p order.Placement) {
		w.change(w.approved(w.delivered(p), 1), func(o *order.Order, act order.Act) error {
			return o.ReceiveReturn(o.Returns[0].ID, order.ReceivedItems{Unexpected: []order.SKUUnits{{SKU: "GLOVE", Quantity: 5}}}, act)
		})
		decided := func(from, to inventory.State) inventory.Decided {
			return inventory.Decided{SKU: "GLOVE", Quantity: 1, From: from, To: to}
		}
		check(w.store.Dispose(w.ctx, &store.Command{Key: id.New("dis"), Name: "disposition", Subject: "nyc"}, "nyc", []inventory.Decided{
			decided(inventory.QualityControl, inventory.Available), decided(inventory.QualityControl, inventory.Scrapped),
			decided(inventory.QualityControl, inventory.Damaged)}, "", w.act()))
		check(w.store.Dispose(w.ctx, &store.Command{Key: id.New("dis"), Name: "disposition", Subject: "nyc"}, "nyc",
			[]inventory.Decided{decided(inventory.Damaged, inventory.Available)}, "", w.act()))
	}},
	{"return-undelivered", func(w *world, p order.Placement) {
		w.finish(w.inspect(w.receive(w.scan(w.shipped(p), shipping.ReturnToSender), 2), grades{returns.GradeA, 2}))
	}},
	{"return-found", func(w *world, p order.Placement) {
		o := w.scan(w.perform(w.scan(w.shipped(p), shipping.Lost)), shipping.Delivered)
		w.finish(w.inspect(w.receive(w.approved(o, 2), 2), grades{returns.GradeA, 2}))
	}},
	{"return-odd", func(w *world, p order.Placement) {
		o := w.delivered(oddAmounts(p))
		w.finish(w.inspect(w.receive(w.approved(o, 3), 3), grades{returns.GradeB, 1}, grades{returns.GradeC, 1}, grades{returns.GradeA, 1}))
	}},
}

// until is that far from now.
func until(d time.Duration) *time.Time {
	at := time.Now().Add(d).UTC().Truncate(time.Microsecond)
	return &at
}

// scarce orders two units of a SKU that nobody else wants.
func (w *world) scarce(p order.Placement, onShortage string, nyc, lax int64) order.Placement {
	p.Lines[0].SKU, p.OnShortage = "ONLY-"+p.ExternalID, onShortage
	for location, quantity := range map[string]int64{"nyc": nyc, "lax": lax} {
		if quantity > 0 {
			w.stock(location, p.Lines[0].SKU, quantity)
		}
	}
	return p
}

// short picks one unit and does not find the other, at nyc.
func (w *world) short(o *order.Order, reason string) *order.Order {
	f := o.Fulfillments[0]
	return w.change(o, func(o *order.Order, act order.Act) error {
		return o.Pick(f.ID, []order.PickedUnits{{LineID: f.Lines[0].LineID, Quantity: 1, Reason: reason}}, act)
	})
}

func (w *world) cancelUnit(o *order.Order) *order.Order {
	return w.change(o, func(o *order.Order, act order.Act) error {
		return o.CancelUnits([]order.UnitsOf{{LineID: o.Lines[0].ID, Quantity: 1}}, "one too many", act)
	})
}

func (w *world) hold(o *order.Order, fulfillmentID string, deadline *time.Time) *order.Order {
	return w.change(o, func(o *order.Order, act order.Act) error {
		return o.PlaceHold(fulfillmentID, order.HoldRequest{Reason: "fraud", Detail: "looks odd", Deadline: deadline}, act)
	})
}

func (w *world) reload(o *order.Order) *order.Order {
	o, err := w.store.Order(w.ctx, o.ID)
	check(err)
	return o
}

func (w *world) delivered(p order.Placement) *order.Order {
	return w.scan(w.shipped(p), shipping.Delivered)
}

// requested announces that units of the first line come back.
func (w *world) requested(o *order.Order, quantity int64) *order.Order {
	return w.change(o, func(o *order.Order, act order.Act) error {
		_, err := o.RequestReturn(order.ReturnRequest{Lines: []order.ReturnedUnits{
			{LineID: o.Lines[0].ID, Quantity: quantity, Reason: returns.ChangedMind}}}, act)
		return err
	})
}

func (w *world) approve(o *order.Order, returnless bool) *order.Order {
	return w.change(o, func(o *order.Order, act order.Act) error {
		return o.ApproveReturn(o.Returns[0].ID, returnless, act)
	})
}

// approved takes a return as far as to have its label.
func (w *world) approved(o *order.Order, quantity int64) *order.Order {
	return w.finish(w.approve(w.requested(o, quantity), false))
}

func (w *world) receive(o *order.Order, quantity int64) *order.Order {
	return w.change(o, func(o *order.Order, act order.Act) error {
		return o.ReceiveReturn(o.Returns[0].ID, order.ReceivedItems{Lines: []order.UnitsOf{{LineID: o.Lines[0].ID, Quantity: quantity}}}, act)
	})
}

type grades struct {
	grade returns.Grade
	units int64
}

func (w *world) inspect(o *order.Order, found ...grades) *order.Order {
	var units []order.InspectedUnits
	for _, g := range found {
		units = append(units, order.InspectedUnits{LineID: o.Lines[0].ID, Quantity: g.units, Grade: g.grade})
	}
	return w.change(o, func(o *order.Order, act order.Act) error { return o.InspectReturn(o.Returns[0].ID, units, act) })
}

func (w *world) callOff(o *order.Order) *order.Order {
	return w.change(o, func(o *order.Order, act order.Act) error {
		return o.CancelReturn(o.Returns[0].ID, "keeps it", act)
	})
}

// expired is a return of which nothing came in time.
func (w *world) expired(p order.Placement) *order.Order {
	w.ago(50 * 24 * time.Hour)
	o := w.approved(w.delivered(p), 1)
	w.ago(time.Hour)
	return w.finish(w.change(o, func(o *order.Order, act order.Act) error {
		o.ReturnDeadlinePassed(o.Returns[0].ID, act)
		return nil
	}))
}

// finish performs what is due of an order and of its returns.
func (w *world) finish(o *order.Order) *order.Order {
	o = w.perform(o)
	for _, r := range o.Returns {
		for due := o.ReturnFacts(r.ID).Steps; len(due) > 0; due = o.ReturnFacts(r.ID).Steps {
			o = w.send(o, *o.Operation(due[0].Key))
		}
	}
	return o
}
