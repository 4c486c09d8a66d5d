package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// The first cause is called out and hides the next. Once it is mended, the next is called out.
func TestAHiddenCauseIsNotForgotten(t *testing.T) {
	t.Run("a refused label behind a refused capture", func(t *testing.T) {
		w := accepted(t, tees(2))
		w.pick(0).pack(0, w.box(1)).ship(0)
		w.answers(payment.Capture, refused("capture_refused"))
		require.NoError(t, w.tryPack(0, w.box(1)))
		w.carrierAnswers(shipping.BuyLabel, labelRefused("address_rejected"))
		require.Equal(t, order.AttentionCaptureRefused, w.o.AttentionCode)
		require.NoError(t, w.pay("tok_2"))
		w.answers(payment.Authorize)
		require.Equal(t, order.AttentionLabelRefused, w.o.AttentionCode)
	})
	t.Run("a refused void behind a parcel that turned back", func(t *testing.T) {
		w := accepted(t, tees(2))
		w.pick(0).pack(0, w.box(1), w.box(1)).ship(0)
		w.answers(payment.Capture)
		w.answers(payment.Capture, refused("capture_refused"))
		require.NoError(t, w.pay("tok_2"))
		w.answers(payment.Authorize)
		w.scan(0, shipping.ReturnToSender, time.Hour)
		w.answers(payment.Void, refused("try_later"))
		require.Equal(t, order.AttentionParcelReturning, w.o.AttentionCode)
		w.scan(0, shipping.Delivered, 2*time.Hour)
		require.Equal(t, order.AttentionVoidRefused, w.o.AttentionCode)
	})
	t.Run("a refused void behind a gateway that gave no answer", func(t *testing.T) {
		w := accepted(t, readme())
		w.pick(0).pack(0, w.box(2))
		require.NoError(t, w.cancel())
		label := w.due(shipping.VoidLabel)
		w.pass(w.policy.AttentionAfter)
		w.do(func(o *order.Order, act order.Act) { o.Unanswered(label, "no answer", act) })
		w.answers(payment.Void, refused("try_later"))
		require.Equal(t, order.AttentionGatewayUnknown, w.o.AttentionCode)
		w.carrierAnswers(shipping.VoidLabel)
		require.False(t, w.o.Settled, "it is tried again")
		require.Equal(t, order.AttentionVoidRefused, w.o.AttentionCode)
	})
	t.Run("a held parcel behind a refused label", func(t *testing.T) {
		w := accepted(t, tees(2))
		w.pick(0).pack(0, w.box(1))
		require.NoError(t, w.tryPack(0, w.box(1)))
		label := w.due(shipping.BuyLabel)
		w.pass(w.policy.AttentionAfter)
		w.do(func(o *order.Order, act order.Act) { o.Unanswered(label, "no answer", act) })
		w.ship(0)
		w.answers(payment.Capture, refused("capture_refused"))
		require.Equal(t, order.AttentionGatewayUnknown, w.o.AttentionCode)
		w.carrierAnswers(shipping.BuyLabel)
		require.Equal(t, order.AttentionCaptureRefused, w.o.AttentionCode)
	})
	t.Run("a label that cannot be voided behind one that gave no answer", func(t *testing.T) {
		w := accepted(t, tees(2))
		w.pick(0).pack(0, w.box(1), w.box(1))
		require.NoError(t, w.cancel())
		void := w.due(payment.Void)
		w.pass(w.policy.AttentionAfter)
		w.do(func(o *order.Order, act order.Act) { o.Unanswered(void, "no answer", act) })
		w.carrierAnswers(shipping.VoidLabel, labelRefused("already_scanned"))
		w.carrierAnswers(shipping.VoidLabel)
		w.answers(payment.Void)
		require.Equal(t, order.AttentionLabelVoidRefused, w.o.AttentionCode)
	})
	t.Run("a refused refund behind a void that gave no answer", func(t *testing.T) {
		w := accepted(t, readme())
		w.odd = true
		w.pick(0).pack(0, w.box(2)).ship(0)
		w.answers(payment.Capture, amounting(4000))
		require.NoError(t, w.cancel())
		w.carrierAnswers(shipping.VoidLabel)
		void := w.due(payment.Void)
		w.pass(w.policy.AttentionAfter)
		w.do(func(o *order.Order, act order.Act) { o.Unanswered(void, "no answer", act) })
		w.answers(payment.Refund, refused("try_later"))
		w.answers(payment.Void)
		require.Equal(t, order.AttentionRefundRefused, w.o.AttentionCode)
	})
}

// What is mended hides nothing.
func TestTheLastCauseLeavesNoCall(t *testing.T) {
	w := held(t)
	w.ship(0)
	w.answers(payment.Capture)
	require.Empty(t, w.o.AttentionCode)
	require.Contains(t, w.types(0), order.EventAttentionCleared)
}
