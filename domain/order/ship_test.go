package order_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

func TestAPlainOrder(t *testing.T) {
	w := accepted(t, readme())
	require.Equal(t, order.WaitingWarehouse, w.o.WaitingFor)
	w.pick(0)
	require.Equal(t, order.Processing, w.o.Status)
	require.Equal(t, "in_progress", w.o.FulfillmentAxis)
	w.pack(0, w.box(2))
	require.Equal(t, order.ShipmentLabeled, w.o.Shipments[0].Status)
	require.Equal(t, "Sandbox Parcel", w.o.Shipments[0].Carrier)
	w.ship(0)
	require.Equal(t, []string{"capture"}, w.steps())
	require.Equal(t, "capture/"+w.o.Shipments[0].ID, w.due(payment.Capture))
	require.Nil(t, w.o.Shipments[0].HandedOverAt, "no money, no hand-over")
	w.answers(payment.Capture)
	require.Equal(t, order.ShipmentShipped, w.o.Shipments[0].Status)
	require.Equal(t, order.FulfillmentClosed, w.o.Fulfillments[0].Status)
	require.Equal(t, "paid", w.o.PaymentAxis)
	require.Equal(t, "shipped", w.o.FulfillmentAxis)
	require.Equal(t, order.WaitingCarrier, w.o.WaitingFor)
	w.scan(0, shipping.Delivered, time.Hour)
	require.Equal(t, order.Completed, w.o.Status)
	require.True(t, w.o.Settled)
	require.Equal(t, []string{order.EventReceived, order.EventPaymentAuthorized, order.EventAccepted, order.EventFulfillmentOpened,
		order.EventFulfillmentPicked, order.EventProcessing, order.EventFulfillmentPacked, order.EventShipmentLabeled,
		order.EventPaymentCaptured, order.EventShipmentShipped, order.EventFulfillmentClosed,
		order.EventShipmentDelivered, order.EventCompleted}, w.types(0))
}

func tees(n int64) order.Placement {
	return goods(order.PlacedLine{SKU: "TEE-M", Quantity: n, UnitPrice: 1000})
}

func (w *world) tryPick(units ...order.UnitsOf) error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error { return o.Pick(o.Fulfillments[0].ID, picked(units), act) })
}

func TestPicking(t *testing.T) {
	w := accepted(t, goods(order.PlacedLine{SKU: "A", Quantity: 2, UnitPrice: 1}, order.PlacedLine{SKU: "B", Quantity: 3, UnitPrice: 1}))
	a, b := w.o.Lines[0].ID, w.o.Lines[1].ID
	fields := func(err error) []string {
		var list []string
		for _, f := range fault.As(err).Fields {
			list = append(list, f.Pointer+" "+f.Code)
		}
		return list
	}
	for name, c := range map[string]struct {
		units []order.UnitsOf
		want  any
	}{
		"nothing":                {nil, []string{"/lines too_few"}},
		"an unknown line":        {[]order.UnitsOf{{LineID: "lin_x", Quantity: 1}}, []string{"/lines/0/line_id unknown_line"}},
		"too few":                {[]order.UnitsOf{{LineID: a, Quantity: 1}}, []string{"/lines/0/reason reason_required"}},
		"no unit at all":         {[]order.UnitsOf{{LineID: a, Quantity: 0}}, []string{"/lines/0/quantity out_of_range"}},
		"less than nothing":      {[]order.UnitsOf{{LineID: a, Quantity: 3}, {LineID: a, Quantity: -1}}, []string{"/lines/1/quantity out_of_range"}},
		"too many":               {[]order.UnitsOf{{LineID: a, Quantity: 3}}, "too_many"},
		"too many, said twice":   {[]order.UnitsOf{{LineID: a, Quantity: 2}, {LineID: a, Quantity: 1}}, "too_many"},
		"too many to be counted": {[]order.UnitsOf{{LineID: a, Quantity: math.MaxInt64}, {LineID: a, Quantity: math.MaxInt64}}, []string{"/lines/0/quantity out_of_range", "/lines/1/quantity out_of_range"}},
		"every wrong line, where it stands": {[]order.UnitsOf{{LineID: a, Quantity: 1}, {LineID: a, Quantity: 1}, {LineID: "lin_x", Quantity: 1}, {LineID: b, Quantity: 1}},
			[]string{"/lines/2/line_id unknown_line", "/lines/3/reason reason_required"}},
	} {
		t.Run(name, func(t *testing.T) {
			was := w.load()
			err := w.tryPick(c.units...)
			require.Error(t, err)
			if want, refusal := c.want.(string); refusal {
				require.Equal(t, want, code(err))
			} else {
				require.Equal(t, c.want, fields(err))
			}
			require.Equal(t, was, w.o)
		})
	}
	require.NoError(t, w.tryPick(order.UnitsOf{LineID: b, Quantity: 1}, order.UnitsOf{LineID: b, Quantity: 2}), "said twice, summed")
	require.NoError(t, w.tryPick(order.UnitsOf{LineID: a, Quantity: 2}), "lines may come in several calls")
	require.Equal(t, "too_many", code(w.tryPick(order.UnitsOf{LineID: a, Quantity: 1})))
	require.Equal(t, "not_found", code(w.try(func(o *order.Order, act order.Act) error { return o.Pick("ful_x", nil, act) })))
	picks := 0
	for _, m := range w.movements {
		if m.Kind == inventory.Pick {
			picks++
			require.Zero(t, m.OnHand+m.Committed, "a pick moves nothing on hand")
		}
	}
	require.Equal(t, 2, picks)
}

func TestPacking(t *testing.T) {
	w := accepted(t, tees(3))
	line := w.o.Lines[0].ID
	require.Equal(t, "not_picked", code(w.tryPack(0, w.box(1))))
	w.pick(0)
	for name, c := range map[string]struct {
		boxes []order.Parcel
		want  string
	}{
		"no box":                 {nil, "invalid_fields"},
		"an empty box":           {[]order.Parcel{w.box(1), {WeightGrams: 5}}, "invalid_fields"},
		"a box of no units":      {[]order.Parcel{{Lines: []order.UnitsOf{{LineID: line, Quantity: 0}}}}, "invalid_fields"},
		"less than nothing":      {[]order.Parcel{w.box(3), {Lines: []order.UnitsOf{{LineID: line, Quantity: -1}}}}, "invalid_fields"},
		"beyond counting":        {[]order.Parcel{w.box(math.MaxInt64), w.box(math.MaxInt64)}, "invalid_fields"},
		"an unknown line":        {[]order.Parcel{{Lines: []order.UnitsOf{{LineID: "lin_x", Quantity: 1}}}}, "invalid_fields"},
		"more than was picked":   {[]order.Parcel{w.box(4)}, "not_picked"},
		"more, in two boxes":     {[]order.Parcel{w.box(2), w.box(2)}, "not_picked"},
		"more, in one box twice": {[]order.Parcel{{Lines: []order.UnitsOf{{LineID: line, Quantity: 2}, {LineID: line, Quantity: 2}}}}, "not_picked"},
	} {
		t.Run(name, func(t *testing.T) {
			was := w.load()
			require.Equal(t, c.want, code(w.tryPack(0, c.boxes...)))
			require.Equal(t, was, w.o)
		})
	}
	w.pack(0, order.Parcel{Lines: []order.UnitsOf{{LineID: line, Quantity: 1}, {LineID: line, Quantity: 1}}})
	require.Equal(t, []order.ShipmentLine{{LineID: line, SKU: "TEE-M", FirstUnit: 0, Quantity: 2}}, w.o.Shipments[0].Lines)
	w.pack(0, w.box(1))
	require.Equal(t, "not_picked", code(w.tryPack(0, w.box(1))))
}

func TestNothingToShip(t *testing.T) {
	w := accepted(t, tees(2))
	require.Equal(t, "nothing_to_ship", code(w.tryShip(0)))
	w.pick(0)
	require.NoError(t, w.tryPack(0, w.box(1)))
	require.Equal(t, "nothing_to_ship", code(w.tryShip(0)), "not before it has its label")
	w.carrierAnswers(shipping.BuyLabel)
	w.ship(0)
	was := w.load()
	w.ship(0)
	require.Equal(t, was.Operations, w.o.Operations, "asking again while the capture is under way is harmless")
	w.answers(payment.Capture)
	require.Equal(t, "nothing_to_ship", code(w.tryShip(0)))
	w.pack(0, w.box(1)).ship(0)
	w.answers(payment.Capture)
	require.Equal(t, "fulfillment_closed", code(w.tryShip(0)))
}

func TestALabelThatIsRefused(t *testing.T) {
	w := accepted(t, readme())
	w.pick(0)
	require.NoError(t, w.tryPack(0, w.box(2)))
	first := w.carrierAnswers(shipping.BuyLabel, labelRefused("address_rejected"))
	require.Equal(t, order.ShipmentLabelRefused, w.o.Shipments[0].Status)
	require.Equal(t, order.AttentionLabelRefused, w.o.AttentionCode)
	require.Equal(t, order.WaitingOperator, w.o.WaitingFor)
	require.Equal(t, "nothing_to_ship", code(w.tryShip(0)))
	require.NoError(t, w.resume())
	require.Empty(t, w.o.AttentionCode)
	require.Equal(t, first+"/2", w.due(shipping.BuyLabel), "a refusal opens the next key")
	w.carrierAnswers(shipping.BuyLabel, labelRefused("address_rejected"))
	require.NoError(t, w.resume())
	require.Equal(t, first+"/3", w.due(shipping.BuyLabel))
	w.carrierAnswers(shipping.BuyLabel)
	require.Equal(t, order.ShipmentLabeled, w.o.Shipments[0].Status)
}

// A carrier too is believed the first time only.
func TestASecondAnswerOfTheCarrier(t *testing.T) {
	w := accepted(t, readme()).pick(0)
	w.pack(0, w.box(2))
	key, was := "label/"+w.o.Shipments[0].ID, w.load()
	w.carrierAnswer(key, shipping.Answer{Outcome: shipping.Succeeded, Reference: "ref/" + key, Carrier: "Sandbox Parcel", TrackingNumber: "SBX1"})
	require.Equal(t, was, w.o)
	w.carrierAnswer(key, shipping.Answer{Outcome: shipping.Refused, Code: "address_rejected"})
	require.Equal(t, order.AttentionGatewayContradict, w.o.AttentionCode)
	require.Equal(t, order.ShipmentLabeled, w.o.Shipments[0].Status)
	was = w.load()
	w.carrierAnswer("label/shp_x", shipping.Answer{Outcome: shipping.Succeeded})
	require.Equal(t, was, w.o)
}

func TestACaptureThatIsRefused(t *testing.T) {
	w := held(t)
	s := w.o.Shipments[0]
	require.Equal(t, order.AttentionCaptureRefused, w.o.AttentionCode)
	require.Equal(t, "authorized", w.o.PaymentAxis)
	require.Zero(t, w.o.Payments[0].Capturing)
	require.Empty(t, w.steps(), "nobody tries again by himself")

	t.Run("and again, under the next key", func(t *testing.T) {
		w.ship(0)
		require.Equal(t, "capture/"+s.ID+"/2", w.answers(payment.Capture, refused("capture_refused")))
		require.Equal(t, order.ShipmentHeld, w.o.Shipments[0].Status)
	})
	t.Run("then another payment", func(t *testing.T) {
		require.NoError(t, w.pay("tok_2"))
		require.EqualValues(t, 4828, w.o.LatestPayment().Amount)
		w.answers(payment.Authorize)
		require.Empty(t, w.o.AttentionCode)
		w.answers(payment.Void)
		w.ship(0)
		require.Equal(t, "capture/"+s.ID+"/3", w.due(payment.Capture))
		require.Equal(t, w.o.LatestPayment().ID, w.o.Operation(w.due(payment.Capture)).PaymentID)
		w.answers(payment.Capture)
		require.Equal(t, order.ShipmentShipped, w.o.Shipments[0].Status)
		require.Equal(t, s.Amount, w.o.Shipments[0].Amount, "the shipping was charged once")
	})
}

// Two parcels, one captured, the other refused: another payment for the rest lets the rest of the first go, and
// leaves alone what was taken for the parcel that left.
func TestACaptureThatIsRefusedForOneOfTwoParcels(t *testing.T) {
	w := accepted(t, readme())
	w.pick(0).pack(0, w.box(1), w.box(1)).ship(0)
	w.answers(payment.Capture)
	w.answers(payment.Capture, refused("capture_refused"))
	require.Equal(t, []order.ShipmentStatus{order.ShipmentShipped, order.ShipmentHeld}, statuses(w.o))
	require.Equal(t, "partially_shipped", w.o.FulfillmentAxis)
	require.Equal(t, "partially_paid", w.o.PaymentAxis)
	require.Equal(t, "already_shipped", code(w.cancel()))

	require.NoError(t, w.pay("tok_2"))
	require.Equal(t, w.o.Shipments[1].Amount, w.o.LatestPayment().Amount)
	w.answers(payment.Authorize)
	require.Equal(t, []string{"void"}, w.steps(), "the first parcel is not given back its money")
	w.answers(payment.Void)
	w.ship(0)
	w.answers(payment.Capture)
	require.Equal(t, "paid", w.o.PaymentAxis)
	require.Equal(t, "shipped", w.o.FulfillmentAxis)
	w.scan(0, shipping.Delivered, time.Hour).scan(1, shipping.Delivered, time.Hour)
	require.True(t, w.o.Settled)
}

func statuses(o *order.Order) []order.ShipmentStatus {
	var list []order.ShipmentStatus
	for _, s := range o.Shipments {
		list = append(list, s.Status)
	}
	return list
}

// A capture and a new payment are under way at once, and both succeed: what is left of the payments is let go.
func TestACaptureSucceedsWhileAnotherPaymentIsAsked(t *testing.T) {
	for name, answers := range map[string][]payment.Kind{
		"the payment first": {payment.Authorize, payment.Capture},
		"the capture first": {payment.Capture, payment.Authorize},
	} {
		t.Run(name, func(t *testing.T) {
			w := held(t)
			require.NoError(t, w.pay("tok_2"))
			w.ship(0)
			for _, kind := range answers {
				w.answers(kind)
			}
			w.answers(payment.Void)
			w.scan(0, shipping.Delivered, time.Hour)
			require.Equal(t, order.Completed, w.o.Status)
			require.True(t, w.o.Settled)
			require.EqualValues(t, 4828, w.o.Payments[0].Captured)
			require.EqualValues(t, 4828, w.o.Payments[1].Voided)
		})
	}
}

// What is left of the order costs nothing: a declined payment does not keep it.
func TestOnlyFreeGoodsAreLeft(t *testing.T) {
	w := accepted(t, goods(order.PlacedLine{SKU: "TEE", Quantity: 1, UnitPrice: 1000}, order.PlacedLine{SKU: "FLYER", Quantity: 1}))
	w.pick(0).pack(0, w.box(1, 0)).ship(0)
	w.answers(payment.Capture, refused("capture_refused"))
	require.NoError(t, w.pay("tok_2"))
	w.ship(0)
	w.answers(payment.Authorize, refused("card_declined"))
	require.Equal(t, "order_on_hold", code(w.tryPack(0, w.box(0, 1))))
	w.answers(payment.Capture)
	w.pack(0, w.box(0, 1)).ship(0)
	require.Equal(t, "shipped", w.o.FulfillmentAxis)
}

// The money of the second payment was taken elsewhere: it is given back.
func TestACaptureSucceedsWhileAnotherPaymentIsTakenElsewhere(t *testing.T) {
	w := held(t)
	require.NoError(t, w.pay("paid:elsewhere"))
	w.ship(0)
	w.answers(payment.Capture)
	w.answers(payment.Authorize, func(a *payment.Answer) { a.Captured = true })
	require.Equal(t, []string{"refund"}, w.steps())
	w.settle()
	w.scan(0, shipping.Delivered, time.Hour)
	require.True(t, w.o.Settled)
	require.EqualValues(t, 4828, w.o.Payments[0].Refundable())
	require.Zero(t, w.o.Payments[1].Refundable())
}

// A gateway voids the whole rest of a hold: while a capture of it is under way there is no void.
func TestAReplacedPaymentIsNotVoidedUnderItsCapture(t *testing.T) {
	for name, answer := range map[string]func(*payment.Answer){"captured": func(*payment.Answer) {}, "refused": refused("capture_refused")} {
		t.Run(name, func(t *testing.T) {
			w := accepted(t, tees(3))
			w.pick(0).pack(0, w.box(1)).ship(0)
			w.answers(payment.Capture, refused("capture_refused"))
			require.NoError(t, w.pay("tok_2"))
			w.ship(0)
			w.answers(payment.Authorize)
			require.Equal(t, []string{"capture"}, w.steps())
			w.answers(payment.Capture, answer)
			require.Equal(t, []string{"void"}, w.steps())
			require.Equal(t, w.o.Payments[0].ID, w.o.Operation(w.due(payment.Void)).PaymentID)
		})
	}
}

// The same, but the second payment is declined: a shipped and paid order waits for nobody's money.
func TestACaptureSucceedsWhileAnotherPaymentIsDeclined(t *testing.T) {
	for name, answers := range map[string][]payment.Kind{
		"declined first": {payment.Authorize, payment.Capture},
		"captured first": {payment.Capture, payment.Authorize},
	} {
		t.Run(name, func(t *testing.T) {
			w := held(t)
			require.NoError(t, w.pay("tok_2"))
			w.ship(0)
			for _, kind := range answers {
				if kind == payment.Authorize {
					w.answers(kind, refused("card_declined"))
				} else {
					w.answers(kind)
				}
			}
			require.Equal(t, "paid", w.o.PaymentAxis)
			require.Equal(t, order.WaitingCarrier, w.o.WaitingFor)
			require.Empty(t, w.o.AttentionCode)
			w.scan(0, shipping.Delivered, time.Hour)
			require.Equal(t, order.Completed, w.o.Status)
			require.True(t, w.o.Settled)
		})
	}
}

// The gateway took another amount than it was asked for. The parcel stays until a person has looked.
func TestACaptureOfAnotherAmount(t *testing.T) {
	for name, change := range map[string]func(*payment.Answer){
		"less": amounting(4827), "nothing": amounting(0), "more": amounting(5000), "another currency": func(a *payment.Answer) { a.Currency = "EUR" },
	} {
		t.Run(name, func(t *testing.T) {
			w := accepted(t, readme())
			w.odd = true
			w.pick(0).pack(0, w.box(2)).ship(0)
			w.answers(payment.Capture, change)
			require.Equal(t, order.ShipmentHeld, w.o.Shipments[0].Status)
			require.Equal(t, order.AttentionGatewayMismatch, w.o.AttentionCode)
			if err := w.tryShip(0); err != nil {
				require.Equal(t, "gateway_mismatch", code(err))
			}
			if w.o.Shipments[0].Status != order.ShipmentHeld {
				return // the money is there, in another name: an operator who ships it knows
			}
			require.NoError(t, w.cancel(), "it is still in the building")
			for _, step := range w.steps() {
				w.answers(payment.Kind(step))
			}
			require.True(t, w.o.Settled)
			require.Zero(t, w.o.Payments[0].Refundable()+w.o.Payments[0].Open())
		})
	}
}

// There is nothing left to ask for: a payment of nothing would be none.
func TestANewPaymentWhenAllOfItWasTaken(t *testing.T) {
	w := accepted(t, readme())
	w.odd = true
	w.pick(0).pack(0, w.box(2)).ship(0)
	w.answers(payment.Capture, func(a *payment.Answer) { a.Currency = "EUR" })
	require.Equal(t, "nothing_to_pay", code(w.pay("tok_2")))
}

func TestNotEnoughIsHeld(t *testing.T) {
	p := readme()
	p.Total, p.Holds = 4828, nil
	w := accepted(t, p)
	w.pick(0).pack(0, w.box(2))
	w.pass(7 * 24 * time.Hour).look()
	require.Equal(t, "order_on_hold", code(w.tryShip(0)))
	require.NoError(t, w.resume(), "resuming does not release the hold")
	require.Equal(t, "order_on_hold", code(w.tryShip(0)))
}

// An order that was paid elsewhere is shipped without asking anybody for money.
func TestPaidElsewhere(t *testing.T) {
	paidElsewhere := func(a *payment.Answer) { a.Captured, a.CaptureBefore = true, time.Time{} }
	t.Run("ships without a capture", func(t *testing.T) {
		w := place(t, readme())
		w.answers(payment.Authorize, paidElsewhere)
		require.Equal(t, "paid", w.o.PaymentAxis)
		require.Nil(t, w.o.Deadline)
		w.allocate().pick(0).pack(0, w.box(1), w.box(1)).ship(0)
		require.Empty(t, w.steps())
		require.Equal(t, []order.ShipmentStatus{order.ShipmentShipped, order.ShipmentShipped}, statuses(w.o))
		w.scan(0, shipping.Delivered, time.Hour).scan(1, shipping.Delivered, time.Hour)
		require.True(t, w.o.Settled)
	})
	t.Run("is refunded, not voided, when it is cancelled", func(t *testing.T) {
		w := place(t, readme())
		w.answers(payment.Authorize, paidElsewhere)
		w.allocate()
		require.NoError(t, w.cancel())
		require.Equal(t, []string{"refund"}, w.steps())
		require.EqualValues(t, 4828, w.o.Payments[0].Refunding)
		w.answers(payment.Refund)
		require.Equal(t, "refunded", w.o.PaymentAxis)
		require.True(t, w.o.Settled)
	})
	t.Run("and a refund that is refused is for a person", func(t *testing.T) {
		w := place(t, readme())
		w.answers(payment.Authorize, paidElsewhere)
		require.NoError(t, w.cancel())
		w.answers(payment.Refund, refused("refund_elsewhere"))
		require.Equal(t, order.AttentionRefundRefused, w.o.AttentionCode)
		require.EqualValues(t, 4828, w.o.Payments[0].Refunding, "it stays reserved: it is still owed")
		require.Equal(t, w.now.Add(w.policy.RetryRefused), *w.o.Deadline, "and is asked for again")
	})
	t.Run("and one of another amount too", func(t *testing.T) {
		w := place(t, readme())
		w.odd = true
		w.answers(payment.Authorize, paidElsewhere)
		require.NoError(t, w.cancel())
		w.answers(payment.Refund, amounting(4000))
		require.Equal(t, order.AttentionGatewayMismatch, w.o.AttentionCode)
		require.EqualValues(t, 828, w.o.Payments[0].Refundable())
	})
}
