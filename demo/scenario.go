package demo

import (
	"context"
	"slices"

	"github.com/waybill-oms/waybill/api/client"
)

// Scenario is one kind of order.
type Scenario struct {
	Name string `json:"name"`
	What string `json:"what"` // what happens, in one sentence
	Ends string `json:"ends"` // how the order stands in the end, and its return, in the API's own words

	wants []want
	steps []step
}

// Scenarios lists every kind of order, in the order in which they are played.
func Scenarios() []Scenario { return slices.Clone(scenarios) }

// script is every step, and a last look.
func (s *Scenario) script() []step {
	return append(slices.Clone(s.steps), func(ctx context.Context, p *play) error {
		p.at = "end"
		return p.until(ctx, s.Ends, func() bool { return stand(p.order, p.back) == s.Ends })
	})
}

// scenarios begin with orders that go well. -n plays them in turn, so that as many orders as there are scenarios show
// every kind.
var scenarios = slices.Concat(wellServed, payments, shortages, cancellations, holds, carriers, returns)

const completed = "completed, paid, delivered"

var wellServed = []Scenario{
	{Name: "plain", What: "Paid, picked, packed, shipped and delivered.", Ends: completed,
		steps: []step{place, serve, deliver}},
	{Name: "several-parcels", What: "Three goods, each packed into a parcel of its own; the money is taken parcel by parcel.", Ends: completed,
		wants: []want{of(2, 1, 1)},
		steps: []step{place, pick, packLineByLine, ship, deliver, parcels(3)}},
	{Name: "split", What: "No warehouse has all of it: two of them send a parcel each.", Ends: completed,
		wants: []want{scarce(3, 2, 1)},
		steps: []step{place, serve, deliver, parcels(2)}},
	{Name: "second-attempt", What: "Nobody is at home: delivery fails, and works the next day.", Ends: completed,
		steps: []step{place, serve, carry(client.TrackingStatusInTransit, client.TrackingStatusOutForDelivery, client.TrackingStatusDeliveryFailed,
			client.TrackingStatusOutForDelivery, client.TrackingStatusDelivered)}},
	{Name: "nothing-to-pay", What: "A free sample: no gateway is asked for anything.", Ends: completed,
		wants: []want{nothingToPay, of(1)},
		steps: []step{place, serve, deliver}},
	{Name: "new", What: "Accepted just now: the warehouse has not begun.", Ends: "accepted, authorized, unfulfilled, waits for warehouse",
		steps: []step{place}},
	{Name: "on-its-way", What: "Handed over, scanned at the sorting center, not delivered yet.", Ends: "processing, paid, shipped, waits for carrier",
		steps: []step{place, serve, carry(client.TrackingStatusPickedUp, client.TrackingStatusInTransit)}},
}

var payments = []Scenario{
	{Name: "declined-then-paid", What: "The card is declined; the customer pays with another one.", Ends: completed,
		wants: []want{paying("tok_declined")},
		steps: []step{turnedAway("card_declined"), pay("tok_ok"), serve, deliver}},
	{Name: "declined", What: "The card is declined, and the order waits for another one.", Ends: "received, pending, on_hold, waits for payment",
		wants: []want{paying("tok_insufficient_funds")},
		steps: []step{turnedAway("insufficient_funds")}},
	{Name: "action-required", What: "The bank wants the customer to confirm, and he has not yet.", Ends: "received, pending, on_hold, waits for customer",
		wants: []want{paying("tok_action_required")},
		steps: []step{turnedAway("action_required")}},
	{Name: "authorization-lost", What: "The gateway holds the money and its answer is lost: it is looked up, not held twice.", Ends: completed,
		wants: []want{paying("tok_timeout_after")},
		steps: []step{place, serve, deliver}},
	{Name: "wrong-amount", What: "The gateway holds another amount than was asked for: let go, an operator is called.",
		Ends:  "received, voided, on_hold, waits for payment, attention: gateway_mismatch",
		wants: []want{paying("tok_wrong_amount")},
		steps: []step{turnedAway("payment_declined")}},
	{Name: "capture-lost", What: "The money is taken and the answer lost: it is looked up, and the parcel leaves.", Ends: completed,
		wants: []want{paying("tok_capture_timeout_after")},
		steps: []step{place, serve, deliver}},
	{Name: "capture-refused", What: "Packed, and the money cannot be taken: the parcel stays, an operator is called.",
		Ends:  "processing, authorized, in_progress, waits for operator, attention: capture_refused",
		wants: []want{paying("tok_capture_refused")},
		steps: []step{place, pick, pack, shipUnpaid}},
	{Name: "capture-refused-paid", What: "The money cannot be taken; the customer pays with another card, and the parcel leaves.", Ends: completed,
		wants: []want{paying("tok_capture_refused")},
		steps: []step{place, pick, pack, shipUnpaid, pay("tok_ok"), ship, deliver}},
}

var shortages = []Scenario{
	{Name: "out-of-stock", What: "One unit is short: the order is turned away and nothing is held.", Ends: "rejected, pending, unfulfilled",
		wants: []want{scarce(2, 1)},
		steps: []step{turnedAway("out_of_stock")}},
	{Name: "partial", What: "Two of three are there: they ship, the third is cancelled and never charged.", Ends: completed,
		wants: []want{scarce(3, 2), onShortage(client.OnShortagePartial)},
		steps: []step{place, counts("cancelled", cancelled, 1), serve, deliver}},
	{Name: "backordered", What: "Nothing is there: the order waits for stock.", Ends: "accepted, authorized, scheduled, waits for stock",
		wants: []want{scarce(2), onShortage(client.OnShortageBackorder)},
		steps: []step{place, counts("backordered", backordered, 2)}},
	{Name: "backordered-served", What: "Nothing is there; stock arrives, is granted at once, and ships.", Ends: completed,
		wants: []want{scarce(2), onShortage(client.OnShortageBackorder)},
		steps: []step{place, counts("backordered", backordered, 2), stockArrives(1, 5), serve, deliver}},
	{Name: "backordered-in-part", What: "Two of three ship; the third waits for stock.", Ends: "processing, partially_paid, partially_delivered, waits for stock",
		wants: []want{scarce(3, 2), onShortage(client.OnShortageBackorder)},
		steps: []step{place, serve, deliver, counts("backordered", backordered, 1)}},
	{Name: "shipped-twice", What: "Two of three ship; the third follows when its stock has arrived.", Ends: completed,
		wants: []want{scarce(3, 2), onShortage(client.OnShortageBackorder)},
		steps: []step{place, serve, deliver, stockArrives(0, 1), serve, deliver, parcels(2)}},
	{Name: "short-picked-elsewhere", What: "A picker finds one unit fewer: another warehouse serves it.", Ends: completed,
		wants: []want{scarce(2, 2, 2)},
		steps: []step{place, pickShort(1, client.ShortReasonCouldNotLocate), serve, deliver, parcels(2)}},
	{Name: "short-picked-waits", What: "A picker finds one unit fewer: it is backordered, granted from what arrives, and follows.", Ends: completed,
		wants: []want{scarce(2, 2), onShortage(client.OnShortageBackorder)},
		steps: []step{place, pickShort(1, client.ShortReasonStockout), pack, ship, stockArrives(0, 3), serve, deliver, parcels(2)}},
	{Name: "short-picked-cancelled", What: "A picker finds one unit damaged and nobody else has it: it is cancelled and never charged.", Ends: completed,
		wants: []want{scarce(2, 2)},
		steps: []step{place, pickShort(1, client.ShortReasonDamaged), counts("cancelled", cancelled, 1), pack, ship, deliver}},
}

var cancellations = []Scenario{
	{Name: "cancelled-before-pick", What: "Cancelled before anybody picked: the money is let go, the stock given back.", Ends: "cancelled, voided, unfulfilled",
		steps: []step{place, cancel}},
	{Name: "cancelled-after-pick", What: "Cancelled after it was picked: the money is let go, the goods go back on the shelf.", Ends: "cancelled, voided, unfulfilled",
		steps: []step{place, pick, cancel}},
	{Name: "cancelled-packed", What: "Cancelled when packed: its label is voided too.", Ends: "cancelled, voided, unfulfilled",
		steps: []step{place, pick, pack, cancel}},
	{Name: "cancelled-too-late", What: "The carrier has it already: the cancellation is refused, and the order arrives.", Ends: completed,
		steps: []step{place, serve, cancelTooLate, deliver}},
	{Name: "line-cancelled", What: "One of two lines is cancelled, and the other one delivered.", Ends: completed,
		wants: []want{of(2, 1)},
		steps: []step{place, cancelLine, serve, deliver, counts("cancelled", cancelled, 1)}},
	{Name: "units-cancelled", What: "One of three units is cancelled out of a packed parcel, and the rest packed again.", Ends: completed,
		wants: []want{of(3)},
		steps: []step{place, pick, pack, cancelUnits(1), pack, ship, deliver, counts("cancelled", cancelled, 1), parcels(2)}},
	{Name: "rest-cancelled", What: "One warehouse has shipped; what the other one has is cancelled and never charged.", Ends: completed,
		wants: []want{scarce(2, 1, 1)},
		steps: []step{place, first(serve), cancelTooLate, cancelUnits(1), deliver, counts("cancelled", cancelled, 1)}},
}

var holds = []Scenario{
	{Name: "held-then-released", What: "Held for a fraud review: the picker is refused. Released, it is delivered.", Ends: completed,
		steps: []step{place, hold(client.HoldRequest{Reason: "fraud_review", Detail: "The first order of this customer."}), pickOnHold, release, serve, deliver}},
	{Name: "held", What: "On hold: the customer is to confirm the house number.", Ends: "accepted, authorized, on_hold, waits for operator",
		steps: []step{place, hold(client.HoldRequest{Reason: "address_check", Detail: "The customer is to confirm the house number.",
			Owner: client.HoldRequestOwnerCustomer})}},
	{Name: "hold-unanswered", What: "Nobody answers a fraud review in time: the order is cancelled by itself.", Ends: "cancelled, voided, unfulfilled",
		steps: []step{place, holdUntilCancelled}},
}

var carriers = []Scenario{
	{Name: "label-refused", What: "The carrier refuses the address: there is no label, an operator is called.",
		Ends:  "processing, authorized, in_progress, waits for operator, attention: label_refused",
		wants: []want{shippedTo("00001")},
		steps: []step{place, pick, pack}},
	{Name: "lost", What: "The carrier loses the parcel: all of it is refunded, an operator files a claim.",
		Ends:  "completed, refunded, shipped, attention: parcel_lost",
		steps: []step{place, serve, carry(client.TrackingStatusInTransit, client.TrackingStatusLost)}},
	{Name: "undeliverable", What: "Nobody takes the parcel: it comes back, and the goods, not the shipping, are refunded.",
		Ends:  "completed, partially_refunded, shipped; return closed",
		wants: []want{of(2), shippingPaid},
		steps: []step{place, serve, carry(client.TrackingStatusInTransit, client.TrackingStatusDeliveryFailed, client.TrackingStatusReturnToSender),
			broughtBack, receive, inspect(2, client.GradeA, 100)}},
}

// arrived is how every return begins.
var arrived = all(place, serve, deliver)

// sentBack is a return that came as far as our door.
func sentBack(units int64, why client.ReturnReason) step {
	return all(arrived, sendBack(units, why), approve, carryBack(client.TrackingStatusInTransit, client.TrackingStatusDelivered))
}

// How an order ends whose return is over, by what was paid back.
const (
	someRefunded = "completed, partially_refunded, delivered; return closed"
	noneRefunded = "completed, paid, delivered; return closed"
)

var returns = []Scenario{
	{Name: "returned-A", What: "One of two comes back as new: paid back in full, and sold again.", Ends: someRefunded,
		wants: []want{of(2)},
		steps: []step{sentBack(1, client.ReturnReasonDoesNotFit), receive, inspect(1, client.GradeA, 100)}},
	{Name: "returned-B", What: "Both come back opened: 80 % is paid back, they are sold as open box.", Ends: someRefunded,
		wants: []want{of(2)},
		steps: []step{sentBack(2, client.ReturnReasonChangedMind), receive, inspect(2, client.GradeB, 80)}},
	{Name: "returned-C", What: "Both come back to be refurbished: half is paid back, they go to quality control.", Ends: someRefunded,
		wants: []want{of(2)},
		steps: []step{sentBack(2, client.ReturnReasonChangedMind), receive, inspect(2, client.GradeC, 50)}},
	{Name: "returned-D", What: "Both come back as scrap: nothing is paid back.", Ends: noneRefunded,
		wants: []want{of(2)},
		steps: []step{sentBack(2, client.ReturnReasonChangedMind), receive, inspect(2, client.GradeD, 0)}},
	{Name: "returned-X", What: "Two are announced and one comes: the other one is given up, nothing is paid back for it.", Ends: someRefunded,
		wants: []want{of(2)},
		steps: []step{sentBack(2, client.ReturnReasonOther), receiveOne, inspect(1, client.GradeA, 100), giveUp(1)}},
	{Name: "returned-our-fault", What: "It arrived damaged: scrap, and paid back in full all the same.", Ends: someRefunded,
		wants: []want{of(2)},
		steps: []step{sentBack(1, client.ReturnReasonDamaged), receive, inspect(1, client.GradeD, 100)}},
	{Name: "returnless", What: "The customer keeps the goods and is paid back at once.", Ends: someRefunded,
		wants: []want{of(2)},
		steps: []step{arrived, sendBack(1, client.ReturnReasonDefective), waive}},
	{Name: "return-declined", What: "It was worn: the return is declined, with a reason for the customer.",
		Ends:  "completed, paid, delivered; return declined",
		steps: []step{arrived, sendBack(1, client.ReturnReasonChangedMind), decline}},
	{Name: "return-requested", What: "The customer asks to send one back: somebody has to decide.",
		Ends:  "completed, paid, delivered; return requested, waits for operator",
		steps: []step{arrived, sendBack(1, client.ReturnReasonNotAsDescribed)}},
	{Name: "return-under-way", What: "Approved, labeled, and on its way back.",
		Ends:  "completed, paid, delivered; return in_transit, waits for carrier",
		steps: []step{arrived, sendBack(1, client.ReturnReasonDoesNotFit), approve, carryBack(client.TrackingStatusInTransit)}},
	{Name: "return-unexpected", What: "Something that nobody announced is in the parcel too: an operator is called.",
		Ends:  "completed, paid, delivered; return received, waits for operator, attention: unexpected_items",
		steps: []step{sentBack(1, client.ReturnReasonWrongItem), receiveWithMore}},
	{Name: "refund-refused", What: "The gateway refuses the refund: it stays owed, an operator is called.",
		Ends:  "completed, paid, delivered; return inspected, waits for operator, attention: refund_refused",
		wants: []want{of(2), paying("tok_refund_refused")},
		steps: []step{sentBack(1, client.ReturnReasonDefective), receive, inspect(1, client.GradeA, 100)}},
	{Name: "refund-settled", What: "The gateway refuses the refund: somebody pays by bank transfer and says so.", Ends: someRefunded,
		wants: []want{of(2), paying("tok_refund_refused")},
		steps: []step{sentBack(1, client.ReturnReasonDefective), receive, inspect(1, client.GradeA, 100), refundRefused, settle}},
}
