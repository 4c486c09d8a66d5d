package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// creditedUnits lists what was credited for each unit of the order's first line.
func creditedUnits(w *world) []int64 {
	units := make([]int64, w.o.Lines[0].Quantity)
	for _, c := range w.o.Credits {
		for n := c.FirstUnit; n < c.FirstUnit+c.Quantity; n++ {
			units[n] += c.Amount / c.Quantity
		}
	}
	return units
}

func TestCancellingUnits(t *testing.T) {
	t.Run("the last units go, and each with its own cents", func(t *testing.T) {
		w := accepted(t, uneven(order.OnShortageReject))
		require.NoError(t, w.drop(0, 1))
		require.Equal(t, []int64{0, 0, 1033}, creditedUnits(w))
		require.NoError(t, w.drop(0, 1))
		require.Equal(t, []int64{0, 1033, 1033}, creditedUnits(w))
		require.Empty(t, w.o.Refunds, "nothing was taken yet")
		w.shipped(w.box(1))
		require.EqualValues(t, 1034+500, w.o.Payments[0].Captured)
		w.settle()
		require.EqualValues(t, 2066, w.o.Payments[0].Voided)
	})
	t.Run("paid elsewhere: refunded to the cent", func(t *testing.T) {
		w := prepaid(t, uneven(order.OnShortageReject))
		require.NoError(t, w.drop(0, 2))
		require.Equal(t, []int64{2066}, w.refunds())
		require.Equal(t, "refund/"+w.o.Refunds[0].ID, w.due(payment.Refund))
		require.Equal(t, "paid", w.o.PaymentAxis, "nobody is told of a refund that is under way")
		w.settle()
		require.Equal(t, "partially_refunded", w.o.PaymentAxis)
		require.NoError(t, w.cancel())
		w.settle()
		require.Equal(t, []int64{2066, 1534}, w.refunds(), "the rest, with the shipping")
		require.Equal(t, "refunded", w.o.PaymentAxis)
	})
	t.Run("the last of them cancels the order", func(t *testing.T) {
		w := accepted(t, uneven(order.OnShortageReject))
		require.NoError(t, w.drop(0, 3))
		require.Equal(t, order.Cancelled, w.o.Status)
		require.EqualValues(t, 500, w.o.ShippingCredited)
		require.Equal(t, "order_cancelled", code(w.drop(0, 1)))
	})
	t.Run("the order in which they go: waiting, not picked, picked, packed", func(t *testing.T) {
		p := tees(6)
		p.OnShortage = order.OnShortageBackorder
		w := accepted(t, p, level("nyc", "TEE-M", 3), level("lax", "TEE-M", 2))
		w.pick(0).pack(0, w.box(1))
		at := func() []int64 {
			a, b := w.o.Fulfillments[0].Lines[0], w.o.Fulfillments[1].Lines[0]
			return []int64{w.o.Lines[0].Backordered, b.Due(), a.Due() - a.Packed, a.Packed}
		}
		require.Equal(t, []int64{1, 2, 2, 1}, at())
		for _, want := range [][]int64{{0, 2, 2, 1}, {0, 1, 2, 1}, {0, 0, 2, 1}, {0, 0, 1, 1}, {0, 0, 0, 1}} {
			require.NoError(t, w.drop(0, 1))
			require.Equal(t, want, at())
		}
		require.Equal(t, order.FulfillmentCancelled, w.o.Fulfillments[1].Status)
		require.Equal(t, order.ShipmentLabeled, w.o.Shipments[0].Status, "nothing was unpacked so far")
	})
	t.Run("of what is not decided yet", func(t *testing.T) {
		w := place(t, uneven(order.OnShortageReject))
		require.NoError(t, w.drop(0, 1))
		w.answers(payment.Authorize)
		w.allocate(level("nyc", "TEE", 2))
		require.Equal(t, order.Accepted, w.o.Status)
	})
	t.Run("while the payment is asked for, and it was taken elsewhere", func(t *testing.T) {
		w := place(t, uneven(order.OnShortageReject))
		require.NoError(t, w.drop(0, 1))
		w.answers(payment.Authorize, func(a *payment.Answer) { a.Captured, a.CaptureBefore = true, time.Time{} })
		require.Equal(t, []int64{1033}, w.refunds(), "what is not owed any more is given back at once")
	})
}

// A packed parcel that loses a unit is unpacked, its label voided, and the others packed again.
func TestCancellingAPackedUnit(t *testing.T) {
	w := accepted(t, uneven(order.OnShortageReject)).pick(0)
	w.pack(0, w.box(1), w.box(2))
	require.NoError(t, w.drop(0, 1))
	require.Equal(t, []order.ShipmentStatus{order.ShipmentLabeled, order.ShipmentCancelled}, statuses(w.o), "only the box that has to")
	require.Equal(t, []string{"void_label"}, w.steps())
	require.Equal(t, []int64{0, 0, 1033}, creditedUnits(w))
	w.settle()
	w.pack(0, w.box(1)).ship(0)
	w.answers(payment.Capture)
	w.answers(payment.Capture)
	require.Equal(t, []int64{1534, 2066, 1033}, amounts(w.o))
	require.EqualValues(t, 2567, w.o.Payments[0].Captured)
	require.Equal(t, order.FulfillmentClosed, w.o.Fulfillments[0].Status)
}

func TestCancellingAfterAParcelLeft(t *testing.T) {
	w := accepted(t, uneven(order.OnShortageReject)).pick(0)
	w.pack(0, w.box(1)).ship(0)
	w.pack(0, w.box(1))
	require.Equal(t, "being_shipped", code(w.drop(0, 3)), "one of the three is leaving")
	w.answers(payment.Capture)
	require.Equal(t, "too_many", code(w.drop(0, 3)))
	require.NoError(t, w.drop(0, 2))
	require.Equal(t, order.Processing, w.o.Status)
	require.Equal(t, []order.ShipmentStatus{order.ShipmentShipped, order.ShipmentCancelled}, statuses(w.o))
	w.settle()
	require.EqualValues(t, 2066, w.o.Payments[0].Voided)
	require.Empty(t, w.o.Refunds)
	w.scan(0, shipping.Delivered, time.Hour)
	require.Equal(t, order.Completed, w.o.Status)
	require.Equal(t, "order_completed", code(w.drop(0, 1)))
}

// A label that could not be voided stays a person's affair, also when the rest of the order is cancelled.
func TestARefusedVoidIsNotForgotten(t *testing.T) {
	w := accepted(t, tees(2)).pick(0)
	w.pack(0, w.box(1), w.box(1))
	require.NoError(t, w.drop(0, 1))
	w.carrierAnswers(shipping.VoidLabel, labelRefused("already_scanned"))
	require.NoError(t, w.cancel())
	require.Equal(t, order.AttentionLabelVoidRefused, w.o.AttentionCode)
}

func TestCancellingUnitsThatMakesNoSense(t *testing.T) {
	w := accepted(t, tees(2))
	was := w.load()
	for name, lines := range map[string][]order.UnitsOf{
		"nothing": nil, "no units": {{LineID: w.o.Lines[0].ID}}, "an unknown line": {{LineID: "lin_x", Quantity: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "invalid_fields", code(w.try(func(o *order.Order, act order.Act) error { return o.CancelUnits(lines, "x", act) })))
		})
	}
	require.Equal(t, was, w.o)
}

// A parcel whose money was taken is held, and loses a unit: what was taken for it is given back, the rest pays for
// what is packed again.
func TestCancellingAUnitThatWasCaptured(t *testing.T) {
	w := accepted(t, tees(2)).pick(0)
	w.pack(0, w.box(2)).ship(0)
	require.NoError(t, w.tryHold("", order.HoldRequest{Reason: "recall"}))
	w.answers(payment.Capture)
	require.NoError(t, w.drop(0, 1))
	require.Equal(t, []int64{1000}, w.refunds())
	require.NoError(t, w.tryRelease(0))
	w.settle()
	w.pack(0, w.box(1)).ship(0)
	require.Empty(t, w.steps(), "it is paid for")
	require.EqualValues(t, 1000, w.o.Payments[0].Refundable())
}
