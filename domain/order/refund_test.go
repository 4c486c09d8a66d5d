package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// A lost parcel is paid back: its units, and the shipping only when nothing of the order arrives.
func TestALostParcelIsPaidBack(t *testing.T) {
	w := accepted(t, uneven(order.OnShortageReject))
	w.shipped(w.box(1), w.box(2))
	w.scan(0, shipping.Lost, time.Hour)
	require.Equal(t, []int64{1034}, w.refunds())
	require.Equal(t, order.CreditLost, w.o.Refunds[0].Cause)
	require.Equal(t, w.o.Shipments[0].ID, w.o.Refunds[0].ShipmentID)
	w.scan(1, shipping.Lost, time.Hour)
	require.Equal(t, []int64{1034, 2566}, w.refunds())
	require.EqualValues(t, 500, w.o.Refunds[1].Shipping)
	require.Equal(t, order.Completed, w.o.Status)
	w.settle()
	require.Equal(t, "refunded", w.o.PaymentAxis)
}

// The rest of the order is still to be paid for by its own hold: what was taken for the lost parcel does not pay for it.
func TestALostParcelIsPaidBackWhileTheRestWaits(t *testing.T) {
	w := accepted(t, uneven(order.OnShortageBackorder), level("nyc", "TEE", 1))
	w.shipped(w.box(1))
	w.scan(0, shipping.Lost, time.Hour)
	require.Equal(t, []int64{1034}, w.refunds())
	w.settle()
	require.Equal(t, order.Processing, w.o.Status)
	w.stock.receive("nyc", "TEE", 2, w.now)
	w.grant().pick(1).pack(1, w.box(2)).ship(1)
	require.EqualValues(t, 2066, w.o.Operation(w.due(payment.Capture)).Amount)
	w.answers(payment.Capture)
	w.scan(1, shipping.Delivered, 2*time.Hour)
	require.EqualValues(t, 2566, w.o.Payments[0].Refundable(), "two units, and the shipping")
	require.Equal(t, "partially_refunded", w.o.PaymentAxis)
}

// Lost, and what was left is cancelled: nothing arrived, so the shipping is owed by nobody, whichever came first.
func TestShippingIsCreditedWhenNothingArrives(t *testing.T) {
	lose := func(w *world) { w.scan(0, shipping.Lost, time.Hour) }
	drop := func(w *world) { require.NoError(t, w.drop(0, 2)) }
	for name, order := range map[string][]func(*world){"lost first": {lose, drop}, "cancelled first": {drop, lose}} {
		t.Run(name, func(t *testing.T) {
			w := accepted(t, uneven("reject"))
			w.shipped(w.box(1))
			for _, f := range order {
				f(w)
			}
			w.settle()
			require.EqualValues(t, 500, w.o.ShippingRefunded)
			require.EqualValues(t, 1534, w.o.Payments[0].Refunded)
			require.EqualValues(t, 2066, w.o.Payments[0].Voided)
			require.True(t, w.o.Settled)
		})
	}
}

// Lost, found, and sent back: it is paid back once.
func TestLostThenFoundPaysNobodyTwice(t *testing.T) {
	w := accepted(t, uneven(order.OnShortageReject))
	w.shipped(w.box(3))
	w.scan(0, shipping.Lost, time.Hour)
	w.settle()
	w.scan(0, shipping.Delivered, 2*time.Hour)
	require.Equal(t, order.AttentionParcelFound, w.o.AttentionCode)
	require.Contains(t, w.o.AttentionDetail, "31.00 USD credited")
	r := w.comesBack(returns.Defective, 3)
	w.inspect(r, order.InspectedUnits{LineID: w.o.Lines[0].ID, Quantity: 3, Grade: returns.GradeA})
	require.Equal(t, []int64{3600}, w.refunds())
	require.Equal(t, returns.Closed, w.o.Return(r).Status)
	require.Zero(t, w.o.Return(r).Inspections[0].Amount)
}

// What is refused stays reserved and is asked for again by itself, later each time, a day at most; all the while it
// is a person's affair.
func TestARefusedRefundIsTriedAgain(t *testing.T) {
	w := accepted(t, uneven(order.OnShortageReject))
	w.shipped(w.box(3))
	w.scan(0, shipping.Lost, time.Hour)
	require.NoError(t, w.resume())
	key := "refund/" + w.o.Refunds[0].ID
	require.Equal(t, key, w.answers(payment.Refund, refused("try_later")))
	for i, hours := range []int{1, 2, 4, 8, 16, 24, 24} {
		later := time.Duration(hours) * time.Hour
		require.Equal(t, order.AttentionRefundRefused, w.o.AttentionCode)
		require.Equal(t, order.RefundRefused, w.o.Refunds[0].Status)
		require.EqualValues(t, 3600, w.o.Payments[0].Refunding)
		require.False(t, w.o.Settled)
		require.Equal(t, w.now.Add(later), *w.o.Deadline)
		w.pass(later - time.Second).look()
		require.Empty(t, w.steps(), "not yet")
		w.pass(time.Second).look()
		require.Equal(t, key+"/"+string(rune('2'+i)), w.answers(payment.Refund, refused("try_later")))
	}
	require.NoError(t, w.resume(), "nor has anybody to wait for it")
	w.answers(payment.Refund)
	require.Empty(t, w.o.AttentionCode)
	require.True(t, w.o.Settled)
	require.EqualValues(t, 3600, w.o.Payments[0].Refunded)
	require.Equal(t, "order_completed", code(w.resume()))
}

// Nobody asks for ever: after enough refusals it is for a person alone.
func TestARefundThatIsAlwaysRefused(t *testing.T) {
	w := accepted(t, tees(1))
	w.shipped(w.box(1))
	w.scan(0, shipping.Lost, time.Hour)
	asked := 0
	for len(w.steps()) > 0 {
		asked++
		w.answers(payment.Refund, refused("account_closed"))
		if w.o.Deadline != nil {
			w.now = *w.o.Deadline
			w.look()
		}
	}
	require.Equal(t, 16, asked)
	require.NotEmpty(t, w.o.AttentionCode)
	require.NoError(t, w.resume())
	require.Equal(t, []string{"refund"}, w.steps())
}

func TestARefusedVoidIsTriedAgain(t *testing.T) {
	w := held(t)
	require.NoError(t, w.pay("tok_2"))
	w.answers(payment.Authorize)
	first := w.answers(payment.Void, refused("try_later"))
	require.Equal(t, w.now.Add(w.policy.RetryRefused), *w.o.Deadline)
	require.NoError(t, w.cancel(), "which asks for it again, at once")
	require.Equal(t, first+"/2", w.due(payment.Void))
	w.settle()
	require.True(t, w.o.Settled)
	require.Nil(t, w.o.Deadline, "what was asked again is not asked a third time")
}

// One refund per payment: what was taken on two is given back on both, first on that which paid for the parcel.
func TestARefundOverTwoPayments(t *testing.T) {
	w := accepted(t, uneven(order.OnShortageReject)).pick(0)
	w.pack(0, w.box(1), w.box(2)).ship(0)
	w.answers(payment.Capture)
	w.answers(payment.Capture, refused("capture_refused"))
	require.NoError(t, w.pay("tok_2"))
	w.answers(payment.Authorize)
	w.ship(0)
	w.answers(payment.Void)
	w.answers(payment.Capture)
	w.scan(0, shipping.Delivered, time.Hour).scan(1, shipping.Delivered, time.Hour)
	r := w.comesBack(returns.WrongItem, 3)
	w.inspect(r, order.InspectedUnits{LineID: w.o.Lines[0].ID, Quantity: 3, Grade: returns.GradeB})
	require.Equal(t, []int64{1534, 1566}, w.refunds(), "31.00: what the first parcel took, shipping and all, then the rest")
	require.Equal(t, []string{w.o.Payments[0].ID, w.o.Payments[1].ID}, []string{w.o.Refunds[0].PaymentID, w.o.Refunds[1].PaymentID})
	require.EqualValues(t, 3100, w.o.Lines[0].Refunded)
}
