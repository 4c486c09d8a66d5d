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

// lookAt does what is due by now of a return.
func (w *world) lookAt(r string) *world {
	w.t.Helper()
	w.do(func(o *order.Order, act order.Act) { o.ReturnDeadlinePassed(r, act) })
	require.True(w.t, w.o.Return(r).Deadline == nil || w.o.Return(r).Deadline.After(w.now), "a deadline that passing does not clear is looked at for ever")
	return w
}

func (w *world) callOff(r string) error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error { return o.CancelReturn(r, "kept", act) })
}

// awaited is a return of two units that may come.
func awaited(t tb) (*world, string) {
	t.Helper()
	w := arrived(t)
	r, err := w.asks(returns.ChangedMind, 2)
	require.NoError(t, err)
	require.NoError(t, w.approve(r, false))
	w.paysBack(r)
	return w, r
}

func TestAReturnThatNeverComes(t *testing.T) {
	w, r := awaited(t)
	w.pass(45*24*time.Hour - time.Second).lookAt(r)
	require.Equal(t, returns.Approved, w.o.Return(r).Status)
	w.pass(time.Second).lookAt(r)
	require.Equal(t, returns.Expired, w.o.Return(r).Status)
	require.Zero(t, w.o.Lines[0].ReturnRequested, "its units are free")
	require.Equal(t, "void_label/"+r, w.stepOf(r), "nobody uses it any more")
	w.paysBack(r)
	require.True(t, w.o.Return(r).Settled)
	require.Equal(t, "failed", w.o.ReturnAxis)
}

func TestHalfAReturnComes(t *testing.T) {
	w, r := awaited(t)
	require.NoError(t, w.receive(r, 1))
	w.inspect(r, graded(w, 1, returns.GradeA))
	require.Equal(t, []int64{1034}, w.refunds(), "for exactly what came")
	require.Equal(t, []any{returns.Received, order.WaitingCustomer}, []any{w.o.Return(r).Status, w.o.Return(r).WaitingFor})
	require.Equal(t, "return_received", code(w.callOff(r)))
	w.pass(45 * 24 * time.Hour).lookAt(r)
	require.Equal(t, returns.Closed, w.o.Return(r).Status)
	require.EqualValues(t, 1, w.o.Lines[0].Dismissed)
}

// A late parcel opens its return again, whatever that had come to meanwhile.
func TestALateParcelReopensItsReturn(t *testing.T) {
	for name, end := range map[string]func(*world, string){
		"expired":   func(w *world, r string) { w.pass(45 * 24 * time.Hour).lookAt(r) },
		"cancelled": func(w *world, r string) { require.NoError(t, w.callOff(r)) },
		"closed": func(w *world, r string) {
			require.NoError(t, w.receive(r, 1))
			w.inspect(r, graded(w, 1, returns.GradeA), graded(w, 1, returns.GradeX))
			require.Equal(t, returns.Closed, w.o.Return(r).Status)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := awaited(t)
			end(w, r)
			require.NoError(t, w.receive(r, 1))
			require.Contains(t, w.types(0), order.EventReturnReopened)
			require.Equal(t, returns.Received, w.o.Return(r).Status)
			w.inspect(r, graded(w, 1, returns.GradeA))
			w.lookAt(r)
			if w.o.Return(r).Status != returns.Closed {
				require.NoError(t, w.receive(r, 1))
				w.inspect(r, graded(w, 1, returns.GradeA))
			}
			require.Equal(t, returns.Closed, w.o.Return(r).Status)
			require.Subset(t, []int64{1034, 1033}, w.refunds())
		})
	}
	t.Run("but not when its units are in another", func(t *testing.T) {
		w, r := awaited(t)
		require.NoError(t, w.callOff(r))
		_, err := w.asks(returns.ChangedMind, 1)
		require.NoError(t, err)
		require.Equal(t, "return_superseded", code(w.receive(r, 1)))
	})
	t.Run("called off before anybody said until when", func(t *testing.T) {
		w := arrived(t)
		r, err := w.asks(returns.ChangedMind, 2)
		require.NoError(t, err)
		require.NoError(t, w.callOff(r))
		require.NoError(t, w.receive(r, 1))
		require.Equal(t, w.now.AddDate(0, 0, 45), *w.o.Return(r).Deadline, "the rest is not waited for without an end")
	})
}

func TestReceivingWhatMakesNoSense(t *testing.T) {
	w, r := awaited(t)
	line := w.o.Lines[0].ID
	receive := func(items order.ReceivedItems) error {
		return w.try(func(o *order.Order, act order.Act) error { return o.ReceiveReturn(r, items, act) })
	}
	require.Equal(t, "invalid_fields", code(receive(order.ReceivedItems{})))
	require.Equal(t, "invalid_fields", code(receive(order.ReceivedItems{Lines: []order.UnitsOf{{LineID: "lin_x", Quantity: 1}}})))
	require.Equal(t, "invalid_fields", code(receive(order.ReceivedItems{Unexpected: []order.SKUUnits{{}}})))
	require.Equal(t, "too_many", code(w.receive(r, 3)))
	require.Equal(t, "not_received", code(func() error {
		require.NoError(t, w.receive(r, 1))
		return w.tryInspect(r, graded(w, 2, returns.GradeA))
	}()))
	require.Equal(t, "too_many", code(w.tryInspect(r, graded(w, 2, returns.GradeX))))
	require.Equal(t, "invalid_fields", code(w.tryInspect(r, graded(w, 1, "E"))))
	require.Equal(t, "received_elsewhere", code(receive(order.ReceivedItems{LocationID: "lax", Lines: []order.UnitsOf{{LineID: line, Quantity: 1}}})))
	w = arrived(t)
	r, err := w.asks(returns.ChangedMind, 1)
	require.NoError(t, err)
	require.Equal(t, "return_requested", code(w.receive(r, 1)))
	require.Equal(t, "return_requested", code(w.tryInspect(r, graded(w, 1, returns.GradeA))))
	require.Equal(t, "return_requested", code(w.try(func(o *order.Order, act order.Act) error { return o.ReturnScanned(r, shipping.Scan{}, act) })))
}

// Goods that nobody announced are kept apart, and somebody is called.
func TestUnexpectedGoods(t *testing.T) {
	w, r := awaited(t)
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error {
		return o.ReceiveReturn(r, order.ReceivedItems{LocationID: "lax", Lines: []order.UnitsOf{{LineID: o.Lines[0].ID, Quantity: 2}},
			Unexpected: []order.SKUUnits{{SKU: "SOCK", Quantity: 3}}}, act)
	}))
	require.Equal(t, order.AttentionReturnUnexpected, w.o.Return(r).AttentionCode)
	require.Empty(t, w.o.AttentionCode, "that is the return's affair")
	require.EqualValues(t, 3, w.stock.at("lax", "SOCK").unavailable)
	w.inspect(r, graded(w, 2, returns.GradeA))
	require.Equal(t, returns.Closed, w.o.Return(r).Status)
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error { return o.ResumeReturn(r, act) }))
	require.Empty(t, w.o.Return(r).AttentionCode)
	require.Equal(t, "return_closed", code(w.try(func(o *order.Order, act order.Act) error { return o.ResumeReturn(r, act) })))
}

// A return is closed only when its money was given back.
func TestARefusedRefundKeepsItsReturnOpen(t *testing.T) {
	w, r := awaited(t)
	require.NoError(t, w.receive(r, 2))
	require.NoError(t, w.tryInspect(r, graded(w, 2, returns.GradeA)))
	no := payment.Answer{Outcome: payment.Refused, Code: "try_later"}
	w.answer(w.stepOf(r), no)
	require.Equal(t, []any{returns.Inspected, order.WaitingOperator}, []any{w.o.Return(r).Status, w.o.Return(r).WaitingFor})
	require.Equal(t, order.AttentionRefundRefused, w.o.Return(r).AttentionCode)
	require.Empty(t, w.o.AttentionCode)
	require.True(t, w.o.Settled, "the order's run has nothing to do with it")
	require.Equal(t, w.now.Add(time.Hour), *w.o.Return(r).Deadline)
	w.pass(time.Hour).lookAt(r)
	w.answer(w.stepOf(r), no)
	require.Equal(t, w.now.Add(2*time.Hour), *w.o.Return(r).Deadline)
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error { return o.ResumeReturn(r, act) }))
	require.Equal(t, "refund/"+w.o.Refunds[0].ID+"/3", w.stepOf(r))
	w.paysBack(r)
	require.Equal(t, returns.Closed, w.o.Return(r).Status)
	require.Empty(t, w.o.Return(r).AttentionCode)
	require.EqualValues(t, 2067, w.o.Payments[0].Refunded)
}

// One of two refunds succeeds: the call for the other stands.
func TestOneOfTwoRefundsIsRefused(t *testing.T) {
	w, r := awaited(t)
	require.NoError(t, w.receive(r, 2))
	require.NoError(t, w.tryInspect(r, graded(w, 1, returns.GradeA)))
	require.NoError(t, w.tryInspect(r, graded(w, 1, returns.GradeA)))
	w.answer(w.stepOf(r), payment.Answer{Outcome: payment.Refused, Code: "try_later"})
	w.paysBack(r)
	require.Equal(t, order.AttentionRefundRefused, w.o.Return(r).AttentionCode)
	require.Equal(t, returns.Inspected, w.o.Return(r).Status)
}

func TestALabelForTheWayBack(t *testing.T) {
	w := arrived(t)
	r, err := w.asks(returns.ChangedMind, 1)
	require.NoError(t, err)
	require.NoError(t, w.approve(r, false))
	w.carrierAnswer(w.stepOf(r), shipping.Answer{Outcome: shipping.Refused, Code: "address_rejected"})
	require.Equal(t, order.AttentionLabelRefused, w.o.Return(r).AttentionCode)
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error { return o.ResumeReturn(r, act) }))
	require.Equal(t, "label/"+r+"/2", w.stepOf(r))
	require.NoError(t, w.callOff(r))
	w.carrierAnswer(w.stepOf(r), shipping.Answer{Outcome: shipping.Succeeded, Reference: "ref", Carrier: "C", TrackingNumber: "T"})
	require.Equal(t, "void_label/"+r, w.stepOf(r), "it comes too late, and is voided")
	w.carrierAnswer(w.stepOf(r), shipping.Answer{Outcome: shipping.Refused, Code: "already_scanned"})
	require.Equal(t, order.AttentionLabelVoidRefused, w.o.Return(r).AttentionCode)
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error { return o.ResumeReturn(r, act) }))
	require.Equal(t, "void_label/"+r+"/2", w.stepOf(r))
}

// A parcel that cannot be delivered comes in as a return of its own, refunded in full.
func TestAParcelThatTurnsBack(t *testing.T) {
	turned := func() (*world, string) {
		w := accepted(t, uneven(order.OnShortageReject))
		w.shipped(w.box(3)).scan(0, shipping.ReturnToSender, time.Hour)
		return w, w.o.Returns[0].ID
	}
	t.Run("received and refunded", func(t *testing.T) {
		w, r := turned()
		require.Equal(t, []any{returns.InTransit, order.OriginCarrier}, []any{w.o.Return(r).Status, w.o.Return(r).Origin})
		require.EqualValues(t, 3, w.o.Lines[0].Undelivered)
		require.Equal(t, order.Completed, w.o.Status)
		require.Equal(t, []string{r}, w.calls)
		require.NoError(t, w.receive(r, 3))
		w.inspect(r, graded(w, 3, returns.GradeB))
		require.Equal(t, []int64{3100}, w.refunds(), "the customer is not at fault")
	})
	t.Run("delivered after all", func(t *testing.T) {
		w, r := turned()
		w.scan(0, shipping.Delivered, 2*time.Hour)
		require.Equal(t, returns.Cancelled, w.o.Return(r).Status)
		require.Equal(t, []string{r, r}, w.calls)
		require.Zero(t, w.o.Lines[0].ReturnRequested)
	})
	t.Run("lost on its way back, and found here", func(t *testing.T) {
		w, r := turned()
		w.scan(0, shipping.Lost, 2*time.Hour)
		require.Equal(t, returns.Cancelled, w.o.Return(r).Status)
		require.Equal(t, []int64{3600}, w.refunds())
		require.NoError(t, w.receive(r, 2))
		require.Equal(t, []int64{0, 3}, []int64{w.o.Lines[0].Lost, w.o.Lines[0].Undelivered})
		w.inspect(r, graded(w, 2, returns.GradeA), graded(w, 1, returns.GradeX))
		require.Equal(t, []int64{3600}, w.refunds(), "it was paid back already")
	})
	t.Run("never seen again, until it is", func(t *testing.T) {
		w, r := turned()
		w.pass(50 * 24 * time.Hour).lookAt(r)
		require.Equal(t, returns.Expired, w.o.Return(r).Status)
		require.Equal(t, []order.ShipmentStatus{order.ShipmentLost}, statuses(w.o))
		require.Equal(t, []any{order.AttentionParcelLost, []int64{3600}}, []any{w.o.AttentionCode, w.refunds()})
		require.NoError(t, w.receive(r, 3))
		require.Equal(t, []int64{0, 3}, []int64{w.o.Lines[0].Lost, w.o.Lines[0].Undelivered})
		w.inspect(r, graded(w, 3, returns.GradeA))
		require.Equal(t, []int64{3600}, w.refunds(), "it was paid back already")
	})
	t.Run("waived: nobody waits for it any more", func(t *testing.T) {
		w, r := turned()
		require.NoError(t, w.approve(r, true))
		require.Equal(t, []int64{3100}, w.refunds())
		require.Nil(t, w.o.Return(r).Deadline)
		w.scan(0, shipping.Delivered, 2*time.Hour).scan(0, shipping.Lost, 3*time.Hour).pass(50 * 24 * time.Hour).lookAt(r)
		require.Equal(t, []any{returns.Approved, order.ShipmentReturning}, []any{w.o.Return(r).Status, w.o.Shipments[0].Status})
		w.paysBack(r)
		require.Equal(t, returns.Closed, w.o.Return(r).Status)
		require.Equal(t, []int64{3100}, w.refunds())
	})
	t.Run("whatever the carrier says of what is here is old news", func(t *testing.T) {
		for _, late := range []shipping.Tracking{shipping.Lost, shipping.Delivered} {
			w, r := turned()
			require.NoError(t, w.receive(r, 1))
			w.scan(0, late, 2*time.Hour)
			require.Equal(t, []order.ShipmentStatus{order.ShipmentReturning}, statuses(w.o))
			require.Empty(t, w.o.Refunds)
		}
	})
}

// The call that a lost parcel makes ends with what it asks for: it must not hide the next one.
func TestALostParcelThatWasWaivedCallsNobody(t *testing.T) {
	w := arrived(t)
	r, err := w.asks(returns.ChangedMind, 1)
	require.NoError(t, err)
	require.NoError(t, w.approve(r, false))
	w.paysBack(r) // the label
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error {
		return o.ReturnScanned(r, shipping.Scan{Status: shipping.Lost, OccurredAt: w.now}, act)
	}))
	require.Equal(t, order.AttentionParcelLost, w.o.Return(r).AttentionCode)
	require.NoError(t, w.approve(r, true))
	require.Empty(t, w.o.Return(r).AttentionCode)
	w.answer(w.stepOf(r), payment.Answer{Outcome: payment.Refused, Code: "refused", Detail: "no"})
	require.Equal(t, order.AttentionRefundRefused, w.o.Return(r).AttentionCode)
}
