package order_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

func (w *world) settleElsewhere(refundID string) error {
	return w.try(func(o *order.Order, act order.Act) error { return o.SettleRefund(refundID, "transfer 4711", act) })
}

// What its gateway refuses for good, as that of a shop where the order was paid, somebody pays by other means.
func TestARefundSettledElsewhere(t *testing.T) {
	w, r := awaited(t)
	require.NoError(t, w.receive(r, 2))
	require.NoError(t, w.tryInspect(r, graded(w, 2, returns.GradeA)))
	refund := w.o.Refunds[0]
	require.Equal(t, "refund_pending", code(w.settleElsewhere(refund.ID)), "the gateway may still pay it")
	require.Equal(t, "not_found", code(w.settleElsewhere("rfd_x")))
	w.answer(w.stepOf(r), payment.Answer{Outcome: payment.Refused, Code: "refund_elsewhere"})
	require.Equal(t, order.RefundRefused, w.o.Refunds[0].Status)

	require.NoError(t, w.settleElsewhere(refund.ID))
	require.Equal(t, []any{order.RefundSucceeded, returns.Closed, ""}, []any{w.o.Refunds[0].Status, w.o.Return(r).Status, w.o.Return(r).AttentionCode})
	require.EqualValues(t, refund.Amount, w.o.Payments[0].Refunded)
	require.Zero(t, w.o.Payments[0].Refunding)
	op := w.o.Operations[len(w.o.Operations)-1]
	require.Equal(t, []any{"refund/" + refund.ID + "/2", payment.Done, order.SettledElsewhere, "transfer 4711"}, []any{op.Key, op.State, op.Code, op.Reference})
	require.True(t, w.o.Return(r).Settled)

	before := len(w.events)
	require.NoError(t, w.settleElsewhere(refund.ID), "settled is settled")
	require.Len(t, w.events, before)
}

// Nothing can be done about a parcel whose money is another amount than it is worth but to cancel it: the call for a
// person stands until then, whoever resumes the order.
func TestAnotherAmountCapturedIsNotForgotten(t *testing.T) {
	w := accepted(t, readme())
	w.pick(0).pack(0, w.box(2)).ship(0)
	w.odd = true
	w.answers(payment.Capture, amounting(4827))
	require.NoError(t, w.resume())
	require.Equal(t, order.AttentionGatewayMismatch, w.o.AttentionCode)
	require.Contains(t, w.o.AttentionDetail, "48.27 USD where 48.28 USD")
	require.NoError(t, w.cancel())
	require.Empty(t, w.o.AttentionCode)
}

// Goods that nobody announced do not bring a return back to life that was called off.
func TestUnexpectedGoodsOfAReturnThatEnded(t *testing.T) {
	w, r := awaited(t)
	require.NoError(t, w.callOff(r))
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error {
		return o.ReceiveReturn(r, order.ReceivedItems{Unexpected: []order.SKUUnits{{SKU: "MUG", Quantity: 1}}}, act)
	}))
	require.Equal(t, []any{returns.Cancelled, order.AttentionReturnUnexpected}, []any{w.o.Return(r).Status, w.o.Return(r).AttentionCode})
	require.Zero(t, w.o.Lines[0].ReturnRequested)
	_, err := w.asks(returns.ChangedMind, 2)
	require.NoError(t, err, "its units are free")
}

func TestADeclinedReturnSaysWhy(t *testing.T) {
	w := arrived(t)
	r, err := w.asks(returns.ChangedMind, 1)
	require.NoError(t, err)
	for _, reason := range []string{"", " \t\n"} {
		err := w.try(func(o *order.Order, act order.Act) error { return o.DeclineReturn(r, reason, act) })
		require.Equal(t, "/reason", fault.As(err).Fields[0].Pointer)
	}
}

// A call about a hold that nobody answered ends with the hold.
func TestAnAnsweredHoldCallsForNobody(t *testing.T) {
	w := accepted(t, readme())
	until := w.now.Add(time.Hour)
	for range 2 {
		require.NoError(t, w.tryHold("", order.HoldRequest{Reason: "fraud_review", Deadline: &until}))
	}
	w.pass(2 * time.Hour).look()
	require.Equal(t, order.AttentionHoldOverdue, w.o.AttentionCode)
	require.NoError(t, w.tryRelease(0))
	require.Equal(t, order.AttentionHoldOverdue, w.o.AttentionCode, "the other one is still not answered")
	require.NoError(t, w.tryRelease(1))
	require.Empty(t, w.o.AttentionCode)
}

// An open box whose SKU nobody could order stays in quality control.
func TestAnOpenBoxOfALongSKU(t *testing.T) {
	p := goods(order.PlacedLine{SKU: strings.Repeat("X", 60), Quantity: 1, UnitPrice: 1000})
	w := accepted(t, p)
	w.shipped(w.box(1)).scan(0, "delivered", time.Hour)
	r := w.comesBack(returns.ChangedMind, 1)
	w.inspect(r, graded(w, 1, returns.GradeB))
	require.Equal(t, returns.StockQualityControl, w.o.Return(r).Inspections[0].Stock)
}

// What of a parcel that could not be delivered does not come back either is the customer's money.
func TestHalfOfWhatCouldNotBeDeliveredComesBack(t *testing.T) {
	for name, giveUp := range map[string]func(w *world, r string){
		"the time is over":     func(w *world, r string) { w.pass(50 * 24 * time.Hour).lookAt(r) },
		"somebody gives it up": func(w *world, r string) { w.inspect(r, graded(w, 1, returns.GradeX)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := accepted(t, goods(order.PlacedLine{SKU: "TEE-M", Quantity: 2, UnitPrice: 1000}))
			w.shipped(w.box(2)).scan(0, "return_to_sender", time.Hour)
			r := w.o.Returns[0].ID
			require.Equal(t, "return_undeliverable", code(w.callOff(r)), "it comes whoever wants it")
			require.NoError(t, w.receive(r, 1))
			w.inspect(r, graded(w, 1, returns.GradeA))
			giveUp(w, r)
			require.Equal(t, []int64{1000, 1000}, w.refunds())
			w.paysBack(r)
			require.Equal(t, returns.Closed, w.o.Return(r).Status)
		})
	}
}

// A label that is bought when the goods need not come any more is voided.
func TestTheLabelOfAWaivedReturn(t *testing.T) {
	w := arrived(t)
	r, err := w.asks(returns.ChangedMind, 1)
	require.NoError(t, err)
	require.NoError(t, w.approve(r, false))
	label := w.stepOf(r)
	require.NoError(t, w.approve(r, true))
	w.carrierAnswer(label, shipping.Answer{Outcome: shipping.Succeeded, Reference: "ref", Carrier: "C", TrackingNumber: "T"})
	require.NotNil(t, w.o.Operation("void_label/"+r))
}

// One call for a person hides another until he has seen the first.
func TestResumingShowsWhatTheCallHid(t *testing.T) {
	w := accepted(t, goods(order.PlacedLine{SKU: "TEE-M", Quantity: 2, UnitPrice: 1000}))
	w.shipped(w.box(1), w.box(1)).scan(0, "lost", time.Hour).scan(1, "lost", 2*time.Hour)
	require.Contains(t, w.o.AttentionDetail, "parcel 1")
	require.NoError(t, w.resume())
	require.Contains(t, w.o.AttentionDetail, "parcel 2")
	require.NoError(t, w.resume())
	require.Empty(t, w.o.AttentionCode)
}

// A hold on a fulfillment order ends with it.
func TestNobodyAnswersForAFulfillmentOrderThatEnded(t *testing.T) {
	w := accepted(t, goods(order.PlacedLine{SKU: "A", Quantity: 1, UnitPrice: 1000}, order.PlacedLine{SKU: "B", Quantity: 1, UnitPrice: 1000}),
		level("nyc", "A", 1), level("lax", "B", 1))
	until := w.now.Add(time.Hour)
	require.NoError(t, w.tryHold(w.o.Fulfillments[0].ID, order.HoldRequest{Reason: "gift_wrap", Deadline: &until}))
	line := w.o.Fulfillments[0].Lines[0].LineID
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error {
		return o.CancelUnits([]order.UnitsOf{{LineID: line, Quantity: 1}}, "changed my mind", act)
	}))
	require.False(t, w.o.Holds[0].Active())
	w.pass(2 * time.Hour).look()
	require.Empty(t, w.o.AttentionCode)
}
