package verify_test

import (
	"fmt"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// scenario is a legal life of an order. Its name is the order's external id.
type scenario struct {
	name string
	play func(w *world, p order.Placement)
}

var scenarios = []scenario{
	{"received", func(w *world, p order.Placement) { w.place(p) }},
	{"authorized", func(w *world, p order.Placement) { w.ago(time.Minute); w.perform(w.place(p)) }},
	{"accepted", func(w *world, p order.Placement) { w.accept(p) }},
	{"picked", func(w *world, p order.Placement) { w.pick(w.accept(p)) }},
	{"packed", func(w *world, p order.Placement) { w.pack(w.pick(w.accept(p))) }},
	{"capturing", func(w *world, p order.Placement) { w.ship(w.pack(w.pick(w.accept(p))), 0) }},
	{"shipped", func(w *world, p order.Placement) { w.shipped(p) }},
	{"delivered", func(w *world, p order.Placement) {
		w.scan(w.scan(w.shipped(p), shipping.InTransit), shipping.Delivered)
	}},
	{"lost", func(w *world, p order.Placement) { w.scan(w.shipped(p), shipping.Lost) }},
	{"lost-and-found", func(w *world, p order.Placement) { w.scan(w.scan(w.shipped(p), shipping.Lost), shipping.Delivered) }},
	{"returning", func(w *world, p order.Placement) { w.scan(w.shipped(p), shipping.ReturnToSender) }},

	{"declined", func(w *world, p order.Placement) { w.perform(w.place(paidBy(p, "tok_declined"))) }},
	{"challenged", func(w *world, p order.Placement) { w.perform(w.place(paidBy(p, "tok_action_required"))) }},
	{"expired", func(w *world, p order.Placement) {
		w.ago(26 * time.Hour)
		o := w.perform(w.place(paidBy(p, "tok_declined")))
		w.later(25 * time.Hour)
		w.deadlinePassed(o)
	}},
	{"second-token", func(w *world, p order.Placement) {
		w.allocate(w.perform(w.newToken(w.perform(w.place(paidBy(p, "tok_declined"))), "tok_ok")))
	}},
	{"wrong-hold", func(w *world, p order.Placement) { w.perform(w.place(paidBy(p, "tok_wrong_amount"))) }},

	{"turned-away", func(w *world, p order.Placement) { p.Lines[0].SKU = "NEVER-HEARD-OF"; w.place(p) }},
	{"last-one", func(w *world, p order.Placement) { w.shipped(single(p, "LAST")) }},
	{"too-late", func(w *world, p order.Placement) { w.tooLate(p) }},

	{"cancelled", func(w *world, p order.Placement) { w.perform(w.cancel(w.accept(p))) }},
	{"cancelling", func(w *world, p order.Placement) { w.cancel(w.accept(p)) }},
	{"cancelled-packed", func(w *world, p order.Placement) { w.perform(w.cancel(w.pack(w.pick(w.accept(p))))) }},
	{"abandoned", func(w *world, p order.Placement) {
		o := w.cancel(w.place(p))
		w.later(time.Minute)
		w.change(o, func(o *order.Order, act order.Act) error { o.NotFound(o.Operations[0].Key, act); return nil })
	}},

	{"lapsed", func(w *world, p order.Placement) {
		w.ago(2 * time.Hour)
		o := w.accept(paidBy(p, "tok_short_window"))
		w.later(time.Hour)
		w.deadlinePassed(o)
	}},
	{"void-refused", func(w *world, p order.Placement) {
		p.Payment = order.PlacedPayment{Gateway: "external", Token: "authorized:there"}
		o := w.cancel(w.accept(p))
		w.change(o, func(o *order.Order, act order.Act) error {
			o.PaymentAnswered("void/"+o.Payments[0].ID, payment.Answer{Outcome: payment.Refused, Code: "not_today"}, act)
			return nil
		})
	}},

	{"in-doubt", func(w *world, p order.Placement) {
		w.ago(time.Minute)
		o := w.place(paidBy(p, "tok_timeout_after"))
		w.send(o, o.Operations[0])
	}},
	{"in-doubt-for-long", func(w *world, p order.Placement) {
		o := w.place(paidBy(p, "tok_timeout_before"))
		o = w.send(o, o.Operations[0])
		w.later(20 * time.Minute)
		w.change(o, func(o *order.Order, act order.Act) error {
			o.Unanswered(o.Operations[0].Key, "no answer", act)
			return nil
		})
	}},
	{"asked-twice", func(w *world, p order.Placement) { w.shipped(paidBy(p, "tok_capture_timeout_after")) }},

	{"held", func(w *world, p order.Placement) { w.shipped(paidBy(p, "tok_capture_refused")) }},
	{"captured-later", func(w *world, p order.Placement) {
		w.perform(w.ship(w.shipped(paidBy(p, "tok_capture_refused_once")), 0))
	}},
	{"captured-otherwise", func(w *world, p order.Placement) {
		o := w.shipped(paidBy(p, "tok_capture_refused"))
		w.perform(w.ship(w.perform(w.newToken(o, "tok_ok")), 0))
	}},
	{"wrong-capture", func(w *world, p order.Placement) { w.shipped(paidBy(p, "tok_capture_wrong_amount")) }},
	{"refunded", func(w *world, p order.Placement) {
		w.perform(w.cancel(w.shipped(paidBy(p, "tok_capture_wrong_amount"))))
	}},
	{"refunding", func(w *world, p order.Placement) { w.cancel(w.shipped(paidBy(p, "tok_capture_wrong_amount"))) }},

	{"paid-elsewhere", func(w *world, p order.Placement) { w.shipped(elsewhere(p)) }},
	{"refund-elsewhere", func(w *world, p order.Placement) { w.perform(w.cancel(w.accept(elsewhere(p)))) }},
	{"free", func(w *world, p order.Placement) {
		p.Lines[0].UnitPrice, p.Lines[0].Tax, p.Shipping.Amount, p.Total = 0, 0, 0, 0
		w.scan(w.shipped(p), shipping.Delivered)
	}},
	{"free-goods", func(w *world, p order.Placement) {
		p.Lines[0].UnitPrice, p.Lines[0].Tax, p.Total = 0, 0, 500
		w.shipped(p)
	}},
	{"totals-differ", func(w *world, p order.Placement) {
		p.Total = 4800
		p.Holds = []order.PlacedHold{{Reason: order.HoldTotalsDiffer, Detail: "28 too low"}}
		w.perform(w.place(p))
	}},
	{"tax-included", func(w *world, p order.Placement) {
		p.PricesIncludeTax, p.Total = true, 4498
		w.shipped(p)
	}},
	{"odd-amounts", func(w *world, p order.Placement) { w.shipped(oddAmounts(p)) }},
	{"split", func(w *world, p order.Placement) { w.perform(w.ship(w.split(p), 0)) }},
	{"two-parcels", func(w *world, p order.Placement) { w.perform(w.ship(w.twoParcels(oddAmounts(p)), 0)) }},
	{"label-refused", func(w *world, p order.Placement) { p.ShipTo.PostalCode = "00001"; w.pack(w.pick(w.accept(p))) }},
	{"other-channel", func(w *world, p order.Placement) {
		p.Channel, p.ExternalID = "shop", "accepted"
		check(p.Validate("sandbox"))
		w.accept(p)
	}},
	// The last, since every scan of the others empties the inbox.
	{"unheard", func(w *world, p order.Placement) {
		o := w.shipped(p)
		w.ago(time.Minute)
		w.change(o, func(o *order.Order, act order.Act) error {
			return o.Scanned(o.Shipments[0].ID, shipping.Scan{Status: shipping.Delivered, OccurredAt: act.At}, act)
		})
	}},
}

// single is one unit of another SKU.
func single(p order.Placement, sku string) order.Placement {
	p.Lines[0].SKU, p.Lines[0].Quantity, p.Total = sku, 1, 4828-1999
	return p
}

func elsewhere(p order.Placement) order.Placement {
	p.Payment = order.PlacedPayment{Gateway: "external", Token: "paid:" + p.ExternalID}
	return p
}

// oddAmounts is an order whose amounts do not divide by its units, with two lines of one SKU.
func oddAmounts(p order.Placement) order.Placement {
	p.Lines = []order.PlacedLine{
		{ExternalID: "1", SKU: "TEE-M", Quantity: 3, UnitPrice: 19900, Discount: 1, Tax: 1000},
		{ExternalID: "2", SKU: "CAP", Quantity: 7, UnitPrice: 333, Discount: 5, Tax: 17},
		{ExternalID: "3", SKU: "TEE-M", Quantity: 1, UnitPrice: 1, Tax: 0},
	}
	p.Discount, p.Shipping = 1000, order.PlacedShipping{Service: "express", Amount: 707, Tax: 58}
	sum, err := p.Sum()
	check(err)
	p.Total = sum
	return p
}

// split is picked and packed in two places, a parcel in each.
func (w *world) split(p order.Placement) *order.Order {
	p.Lines[0].SKU, p.Lines[0].Quantity, p.Total = "SPLIT", 20, 20*1999+330+500
	w.stock("nyc", "SPLIT", 12)
	w.stock("lax", "SPLIT", 12)
	o := w.pack(w.pick(w.accept(p)))
	if len(o.Fulfillments) != 2 {
		panic(fmt.Sprintf("split into %d", len(o.Fulfillments)))
	}
	return o
}

// twoParcels is packed into two parcels, units of one line in both.
func (w *world) twoParcels(p order.Placement) *order.Order {
	o := w.pick(w.accept(p))
	l := o.Fulfillments[0].Lines
	return w.perform(w.change(o, func(o *order.Order, act order.Act) error {
		return o.Pack(o.Fulfillments[0].ID, []order.Parcel{
			{WeightGrams: 100, Lines: []order.UnitsOf{{LineID: l[0].LineID, Quantity: 1}}},
			{WeightGrams: 200, Lines: []order.UnitsOf{{LineID: l[0].LineID, Quantity: l[0].Quantity - 1},
				{LineID: l[1].LineID, Quantity: l[1].Quantity}, {LineID: l[2].LineID, Quantity: l[2].Quantity}}},
		}, act)
	}))
}

// tooLate loses the last unit to another order after its money was held.
func (w *world) tooLate(p order.Placement) {
	w.stock("nyc", "LATE", 1)
	first := p
	first.ExternalID = "in-time"
	late := w.perform(w.place(single(first, "LATE")))
	p.Lines = append([]order.PlacedLine(nil), p.Lines...)
	second := w.perform(w.place(single(p, "LATE")))
	w.allocate(late)
	w.perform(w.allocate(second))
}
