package order_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// Cancel works at any moment before a carrier has a parcel, and lets go of whatever is held at that moment: money
// by a void, stock at once, labels by voiding them.
func TestCancelAtEveryPoint(t *testing.T) {
	for _, c := range []struct {
		name     string
		until    func() *world
		due      []string // what is to be performed afterwards
		released int64    // units given back
	}{
		{"while the payment is asked", func() *world { return place(t, readme()) }, []string{"authorize"}, 0},
		{"while the answer is in doubt", func() *world {
			w := place(t, readme())
			w.do(func(o *order.Order, act order.Act) { o.Unanswered(o.Operations[0].Key, "no answer", act) })
			return w
		}, []string{"authorize"}, 0},
		{"declined", func() *world {
			w := place(t, readme())
			w.answers(payment.Authorize, refused("card_declined"))
			return w
		}, nil, 0},
		{"authorized", func() *world {
			w := place(t, readme())
			w.answers(payment.Authorize)
			return w
		}, []string{"void"}, 0},
		{"accepted", func() *world { return accepted(t, readme()) }, []string{"void"}, 2},
		{"picked", func() *world { return accepted(t, readme()).pick(0) }, []string{"void"}, 2},
		{"packed, the label not answered", func() *world {
			w := accepted(t, readme()).pick(0)
			require.NoError(t, w.tryPack(0, w.box(2)))
			return w
		}, []string{"label", "void"}, 2},
		{"labeled", func() *world {
			w := accepted(t, readme()).pick(0)
			return w.pack(0, w.box(1), w.box(1))
		}, []string{"void", "void_label", "void_label"}, 2},
		{"label refused", func() *world {
			w := accepted(t, readme()).pick(0)
			require.NoError(t, w.tryPack(0, w.box(2)))
			w.carrierAnswers(shipping.BuyLabel, labelRefused("address_rejected"))
			return w
		}, []string{"void"}, 2},
		{"held", func() *world { return held(t) }, []string{"void", "void_label"}, 2},
		{"with a new payment under way", func() *world {
			w := held(t)
			require.NoError(t, w.pay("tok_2"))
			return w
		}, []string{"authorize", "void", "void_label"}, 2},
		{"the hold lapsed", func() *world { return accepted(t, readme()).pass(7 * 24 * time.Hour).look() }, nil, 2},
		{"nothing to pay", func() *world { return accepted(t, goods(order.PlacedLine{SKU: "A", Quantity: 3})) }, nil, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.until()
			moved := len(w.movements)
			require.NoError(t, w.cancel())
			require.Equal(t, order.Cancelled, w.o.Status)
			steps := w.steps()
			slices.Sort(steps)
			require.Equal(t, append([]string{}, c.due...), steps)
			var released int64
			for _, m := range w.movements[moved:] {
				require.Equal(t, inventory.Release, m.Kind)
				released += m.Quantity
			}
			require.Equal(t, c.released, released)
			require.Empty(t, w.o.AttentionCode)
			was := w.load()
			require.NoError(t, w.pass(time.Hour).cancel())
			require.Equal(t, was, w.o, "cancelling again changes nothing")
			w.settle()
			require.True(t, w.o.Settled)
			require.Equal(t, "order_cancelled", code(w.pay("tok")))
			require.Equal(t, "order_cancelled", code(w.resume()))
		})
	}
}

// settle performs whatever is due, as it is asked.
func (w *world) settle() {
	w.t.Helper()
	for range 50 {
		steps := w.o.Steps()
		if len(steps) == 0 {
			return
		}
		switch name := steps[0].Name; name {
		case string(shipping.BuyLabel), string(shipping.VoidLabel):
			w.carrierAnswers(shipping.Kind(name))
		case order.StepAllocate:
			w.allocate()
		default:
			w.answers(payment.Kind(name))
		}
	}
	require.FailNow(w.t, "it never settles")
}

func TestTooLateToCancel(t *testing.T) {
	w := accepted(t, readme())
	w.pick(0).pack(0, w.box(1), w.box(1)).ship(0)
	require.Equal(t, "being_shipped", code(w.cancel()), "while a capture is under way nobody knows")
	w.answers(payment.Capture)
	w.answers(payment.Capture, refused("capture_refused"))
	require.Equal(t, "already_shipped", code(w.cancel()))
	w.ship(0)
	w.answers(payment.Capture)
	w.scan(0, shipping.Delivered, time.Hour).scan(1, shipping.Delivered, time.Hour)
	require.Equal(t, "order_completed", code(w.cancel()))
}

func TestCancelAfterARefusedCapture(t *testing.T) {
	w := accepted(t, readme())
	w.pick(0).pack(0, w.box(2)).ship(0)
	require.Equal(t, "being_shipped", code(w.cancel()))
	w.answers(payment.Capture, refused("capture_refused"))
	require.NoError(t, w.cancel(), "the parcel stayed in the building")
}

// A label that is bought after the cancel is voided all the same.
func TestALabelThatComesAfterTheCancel(t *testing.T) {
	w := accepted(t, readme()).pick(0)
	require.NoError(t, w.tryPack(0, w.box(2)))
	require.NoError(t, w.cancel())
	w.carrierAnswers(shipping.BuyLabel)
	require.Equal(t, order.ShipmentCancelled, w.o.Shipments[0].Status)
	require.Contains(t, w.steps(), "void_label")
	require.NotEmpty(t, w.o.Shipments[0].LabelReference, "a void names the label")
	w.settle()
	require.True(t, w.o.Settled)
}

func TestALabelThatIsRefusedAfterTheCancel(t *testing.T) {
	w := accepted(t, readme()).pick(0)
	require.NoError(t, w.tryPack(0, w.box(2)))
	require.NoError(t, w.cancel())
	w.carrierAnswers(shipping.BuyLabel, labelRefused("address_rejected"))
	require.Empty(t, w.o.AttentionCode, "nobody wants it any more")
	require.Equal(t, []string{"void"}, w.steps())
}

func TestALabelThatCannotBeVoided(t *testing.T) {
	w := accepted(t, readme()).pick(0)
	w.pack(0, w.box(2))
	require.NoError(t, w.cancel())
	first := w.carrierAnswers(shipping.VoidLabel, labelRefused("already_scanned"))
	require.Equal(t, order.AttentionLabelVoidRefused, w.o.AttentionCode)
	require.NoError(t, w.resume(), "the money is still to be let go")
	require.Equal(t, first+"/2", w.due(shipping.VoidLabel))
	w.settle()
	require.True(t, w.o.Settled)
	require.Empty(t, w.o.AttentionCode)
}

// A hold that lapses ends the order with everything that it holds, as a cancel does.
func TestExpiryLetsEverythingGo(t *testing.T) {
	w := accepted(t, readme()).pick(0)
	w.pack(0, w.box(2))
	w.pass(7 * 24 * time.Hour).look()
	w.pass(w.policy.PaymentGrace).look()
	require.Equal(t, order.Expired, w.o.Status)
	require.Equal(t, []string{"void_label"}, w.steps())
	require.Equal(t, []order.ShipmentStatus{order.ShipmentCancelled}, statuses(w.o))
	w.settle()
	require.True(t, w.o.Settled)
}

func TestAStepThatFailed(t *testing.T) {
	w := place(t, readme())
	failed := func(step string) {
		w.do(func(o *order.Order, act order.Act) { o.StepFailed(step, "no such gateway", act) })
	}
	failed("authorize/pay_1")
	require.Equal(t, order.AttentionStepFailed, w.o.AttentionCode)
	require.Equal(t, "authorize/pay_1: no such gateway", w.o.AttentionDetail)
	n := len(w.events)
	failed("authorize/pay_2")
	require.Len(t, w.events, n, "the first cause stays until it is cleared")
	require.NoError(t, w.resume())
	require.Empty(t, w.o.AttentionCode)
	require.Equal(t, []string{order.EventAttentionCleared}, w.types(n))
	require.NoError(t, w.resume(), "resuming what is not stuck changes nothing")
	require.Len(t, w.events, n+1)
}

// What a run has given up stays open, and stays somebody's affair: it may be a hold on a customer's card.
func TestAStepThatWasGivenUpIsNotForgotten(t *testing.T) {
	giveUp := func(w *world, step string) {
		w.do(func(o *order.Order, act order.Act) { o.StepFailed(step, "no such gateway", act) })
	}
	t.Run("when the order ends", func(t *testing.T) {
		w := place(t, readme())
		step := w.o.Operations[0].Key
		giveUp(w, step)
		require.NoError(t, w.cancel())
		require.Equal(t, order.AttentionStepFailed, w.o.AttentionCode)
		require.Equal(t, step+": no such gateway", w.o.AttentionDetail)
		require.NoError(t, w.resume())
		require.Empty(t, w.o.AttentionCode, "the run takes it on again")
	})
	t.Run("when another call hid it", func(t *testing.T) {
		w := place(t, readme())
		w.do(func(o *order.Order, act order.Act) { o.StepFailed("another step", "no such gateway", act) })
		giveUp(w, w.o.Operations[0].Key)
		w.do(func(o *order.Order, act order.Act) { _ = o.CancelWhole("changed my mind", act) })
		require.Equal(t, w.o.Operations[0].Key+": no such gateway", w.o.AttentionDetail)
	})
	t.Run("until it is answered", func(t *testing.T) {
		w := place(t, readme())
		step := w.o.Operations[0].Key
		giveUp(w, step)
		w.answer(step, payment.Answer{Outcome: payment.Refused, Reference: "no", Code: "card_declined"})
		require.NoError(t, w.cancel())
		require.Empty(t, w.o.AttentionCode)
	})
}
