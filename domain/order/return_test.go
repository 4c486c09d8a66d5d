package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// arrived is an order of three units, worth 10.34, 10.33 and 10.33, in two parcels that were delivered, under a policy.
func arrived(t tb, change ...func(*returns.Policy)) *world {
	t.Helper()
	policy := order.DefaultPolicy()
	for _, f := range change {
		f(&policy.Returns)
	}
	w := placeUnder(t, uneven(order.OnShortageReject), policy)
	w.answers(payment.Authorize)
	w.allocate().shipped(w.box(2), w.box(1))
	return w.scan(0, shipping.Delivered, time.Hour).scan(1, shipping.Delivered, time.Hour)
}

// asks announces units of the first line, and returns the id of the return.
func (w *world) asks(reason returns.Reason, units int64) (string, error) {
	w.t.Helper()
	var made string
	err := w.try(func(o *order.Order, act order.Act) error {
		r, err := o.RequestReturn(order.ReturnRequest{Lines: []order.ReturnedUnits{{LineID: o.Lines[0].ID, Quantity: units, Reason: reason}}}, act)
		if err == nil {
			made = r.ID
		}
		return err
	})
	return made, err
}

func (w *world) approve(r string, returnless bool) error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error { return o.ApproveReturn(r, returnless, act) })
}

func (w *world) receive(r string, units int64) error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error {
		return o.ReceiveReturn(r, order.ReceivedItems{Lines: []order.UnitsOf{{LineID: o.Lines[0].ID, Quantity: units}}}, act)
	})
}

func (w *world) tryInspect(r string, found ...order.InspectedUnits) error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error { return o.InspectReturn(r, found, act) })
}

// inspect grades units, and lets the gateway give back what is to be given back.
func (w *world) inspect(r string, found ...order.InspectedUnits) {
	w.t.Helper()
	require.NoError(w.t, w.tryInspect(r, found...))
	w.paysBack(r)
}

// step is the key of the first step of a return's run.
func (w *world) stepOf(r string) string {
	w.t.Helper()
	steps := w.o.ReturnFacts(r).Steps
	require.NotEmpty(w.t, steps)
	return steps[0].Key
}

func (w *world) paysBack(r string) {
	w.t.Helper()
	for len(w.o.ReturnFacts(r).Steps) > 0 {
		op := w.o.Operation(w.stepOf(r))
		if op.Kind == string(payment.Refund) {
			w.answer(op.Key, payment.Answer{Outcome: payment.Succeeded, Reference: "ref/" + op.Key, Amount: op.Amount, Currency: "USD"})
			continue
		}
		w.carrierAnswer(op.Key, shipping.Answer{Outcome: shipping.Succeeded, Reference: "ref/" + op.Key, Carrier: "Sandbox Parcel", TrackingNumber: "SBX2"})
	}
}

// comesBack announces, approves and receives units of the first line.
func (w *world) comesBack(reason returns.Reason, units int64) string {
	w.t.Helper()
	r, err := w.asks(reason, units)
	require.NoError(w.t, err)
	require.NoError(w.t, w.approve(r, false))
	w.paysBack(r)
	require.NoError(w.t, w.receive(r, units))
	return r
}

func graded(w *world, units int64, grade returns.Grade) order.InspectedUnits {
	return order.InspectedUnits{LineID: w.o.Lines[0].ID, Quantity: units, Grade: grade}
}

// From the request to the money: who waits for whom, and nobody is told too early.
func TestAPlainReturn(t *testing.T) {
	w := arrived(t)
	r, err := w.asks(returns.ChangedMind, 1)
	require.NoError(t, err)
	is := func(status returns.Status, waits order.WaitingFor) {
		t.Helper()
		f := w.o.ReturnFacts(r)
		require.Equal(t, []any{status, waits}, []any{f.ReturnStatus, f.WaitingFor})
	}
	is(returns.Requested, order.WaitingOperator)
	require.Equal(t, []string{r}, w.calls, "its run is started")
	require.Equal(t, "requested", w.o.ReturnAxis)
	require.NoError(t, w.approve(r, false))
	is(returns.Approved, order.WaitingGateway)
	require.Equal(t, "label/"+r, w.stepOf(r))
	require.Empty(t, w.steps(), "the order's run has nothing to do with it")
	require.True(t, w.o.CarrierRequest(*w.o.Operation("label/" + r)).Return)
	w.paysBack(r)
	is(returns.Approved, order.WaitingCustomer)
	require.Equal(t, w.now.AddDate(0, 0, 45), *w.o.Return(r).Deadline)
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error {
		return o.ReturnScanned(r, shipping.Scan{Status: shipping.InTransit, OccurredAt: w.now.Add(time.Hour)}, act)
	}))
	is(returns.InTransit, order.WaitingCarrier)
	require.NoError(t, w.receive(r, 1))
	is(returns.Received, order.WaitingWarehouse)
	require.EqualValues(t, 1, w.stock.at("nyc", "TEE").unavailable)
	require.NoError(t, w.tryInspect(r, graded(w, 1, returns.GradeA)))
	is(returns.Inspected, order.WaitingGateway)
	require.Equal(t, []int64{1034}, w.refunds())
	require.Equal(t, "refund/"+w.o.Refunds[0].ID, w.stepOf(r))
	require.NotContains(t, w.types(0), order.EventPaymentRefunded)
	w.paysBack(r)
	is(returns.Closed, order.WaitingNothing)
	require.True(t, w.o.Return(r).Settled)
	require.Equal(t, "returned", w.o.ReturnAxis)
	require.Equal(t, "partially_refunded", w.o.PaymentAxis)
	require.Zero(t, w.stock.at("nyc", "TEE").unavailable)
}

// Each grade: what becomes of the goods, and apart from that, what of 10.34 is given back, the cent rounded down.
func TestGrades(t *testing.T) {
	for _, c := range []struct {
		grade  returns.Grade
		reason returns.Reason
		amount int64
		shelf  shelf
		sku    string
	}{
		{returns.GradeA, returns.ChangedMind, 1034, shelf{onHand: 1}, "TEE"},
		{returns.GradeB, returns.ChangedMind, 827, shelf{onHand: 1}, "TEE-OPENBOX"},
		{returns.GradeC, returns.ChangedMind, 517, shelf{onHand: 1, unavailable: 1}, "TEE"},
		{returns.GradeD, returns.ChangedMind, 0, shelf{onHand: 1, unavailable: 1, damaged: 1}, "TEE"},
		{returns.GradeB, returns.Defective, 1034, shelf{onHand: 1}, "TEE-OPENBOX"},
		{returns.GradeD, returns.Damaged, 1034, shelf{onHand: 1, unavailable: 1, damaged: 1}, "TEE"},
	} {
		t.Run(string(c.grade)+" "+string(c.reason), func(t *testing.T) {
			w := arrived(t)
			w.stock.set(level("nyc", "TEE", 0))
			r := w.comesBack(c.reason, 1)
			w.inspect(r, graded(w, 1, c.grade))
			require.Equal(t, c.amount, w.o.Return(r).Inspections[0].Amount)
			require.Equal(t, c.amount, w.o.Lines[0].Refunded)
			got := *w.stock.at("nyc", c.sku)
			got.place = 0
			require.Equal(t, c.shelf, got)
			require.Equal(t, returns.Closed, w.o.Return(r).Status)
		})
	}
	t.Run("X gives nothing back, whoever is at fault", func(t *testing.T) {
		w := arrived(t)
		r := w.comesBack(returns.Defective, 1)
		r2, err := w.asks(returns.Defective, 2)
		require.NoError(t, err)
		require.NoError(t, w.approve(r2, false))
		require.NoError(t, w.receive(r2, 1))
		w.inspect(r2, graded(w, 1, returns.GradeA), graded(w, 1, returns.GradeX))
		require.Equal(t, []int64{1033}, w.refunds())
		require.EqualValues(t, 1, w.o.Lines[0].Dismissed)
		require.Equal(t, returns.Closed, w.o.Return(r2).Status)
		require.Equal(t, returns.Received, w.o.Return(r).Status)
	})
	t.Run("no refund, and the stock is decided all the same", func(t *testing.T) {
		w := arrived(t)
		r := w.comesBack(returns.ChangedMind, 1)
		found := graded(w, 1, returns.GradeA)
		found.NoRefund = true
		w.inspect(r, found)
		require.Empty(t, w.o.Refunds)
		require.Equal(t, returns.Closed, w.o.Return(r).Status)
	})
}

// Fees are taken off: the restocking of each unit, the label once; nothing for what is our fault.
func TestFees(t *testing.T) {
	fees := func(p *returns.Policy) { p.RestockingPercent, p.LabelFee = 10, map[string]int64{"USD": 300} }
	w := arrived(t, fees)
	r := w.comesBack(returns.DoesNotFit, 3)
	require.Equal(t, order.Estimate{Goods: 3100, RestockingFee: 3100 - 930 - 929 - 929, LabelFee: 300, Refund: 2488}, w.o.Estimate(*w.o.Return(r)))
	w.inspect(r, graded(w, 1, returns.GradeA))
	require.Equal(t, []int64{930 - 300}, w.refunds())
	w.inspect(r, graded(w, 1, returns.GradeB), graded(w, 1, returns.GradeA))
	require.Equal(t, []int64{630, 723 + 929}, w.refunds(), "70 % of one, 90 % of the other, and no second fee")
	require.EqualValues(t, 300, w.o.Return(r).FeeCharged)
	w = arrived(t, fees)
	r = w.comesBack(returns.WrongItem, 3)
	w.inspect(r, graded(w, 3, returns.GradeC))
	require.Equal(t, []int64{3100}, w.refunds())
	w = arrived(t, fees)
	r = w.comesBack(returns.ChangedMind, 1)
	w.inspect(r, graded(w, 1, returns.GradeD))
	require.Empty(t, w.o.Refunds)
	require.Zero(t, w.o.Return(r).FeeCharged, "a fee is taken off a refund, and there is none")
}

func TestReturnless(t *testing.T) {
	t.Run("by the policy", func(t *testing.T) {
		w := arrived(t, func(p *returns.Policy) { p.AutoApprove, p.ReturnlessUpTo = true, map[string]int64{"USD": 2067} })
		r, err := w.asks(returns.ChangedMind, 2)
		require.NoError(t, err)
		require.Equal(t, []int64{2067}, w.refunds())
		require.Equal(t, returns.Approved, w.o.Return(r).Status, "not closed before it is paid")
		require.Equal(t, "return_returnless", code(w.try(func(o *order.Order, act order.Act) error { return o.CancelReturn(r, "x", act) })))
		w.paysBack(r)
		require.Equal(t, returns.Closed, w.o.Return(r).Status)
		require.EqualValues(t, 2, w.o.Lines[0].Dismissed)
		require.NoError(t, w.receive(r, 1), "he sends it all the same")
		w.inspect(r, graded(w, 1, returns.GradeA))
		require.Equal(t, []int64{2067}, w.refunds(), "it was paid back already")
		require.Equal(t, returns.Closed, w.o.Return(r).Status)
	})
	t.Run("worth a parcel", func(t *testing.T) {
		w := arrived(t, func(p *returns.Policy) { p.AutoApprove, p.ReturnlessUpTo = true, map[string]int64{"USD": 2066} })
		r, err := w.asks(returns.ChangedMind, 2)
		require.NoError(t, err)
		require.False(t, w.o.Return(r).Returnless)
		require.Equal(t, "label/"+r, w.stepOf(r))
	})
	t.Run("because an operator says so, and without fees", func(t *testing.T) {
		w := arrived(t, func(p *returns.Policy) { p.LabelFee = map[string]int64{"USD": 300} })
		r, err := w.asks(returns.ChangedMind, 1)
		require.NoError(t, err)
		require.NoError(t, w.approve(r, true))
		require.Equal(t, []int64{1034}, w.refunds())
		require.Equal(t, "return_approved", code(w.approve(r, true)))
	})
}

// What cannot be returned is refused line by line, for a reason that the customer can be told.
func TestWhatCannotBeReturned(t *testing.T) {
	why := func(err error) []string {
		f := fault.As(err)
		require.NotNil(t, f)
		list := []string{f.Code}
		for _, field := range f.Fields {
			list = append(list, field.Pointer+" "+field.Code+": "+field.Detail)
		}
		return list
	}
	w := arrived(t)
	_, err := w.asks(returns.ChangedMind, 4)
	require.Equal(t, []string{"not_returnable", "/lines/0/line_id too_many: 4 to return: of 3 delivered, 0 are in a return already"}, why(err))
	_, err = w.asks(returns.ChangedMind, 2)
	require.NoError(t, err)
	_, err = w.asks(returns.ChangedMind, 2)
	require.Equal(t, []string{"not_returnable", "/lines/0/line_id too_many: 2 to return: of 3 delivered, 2 are in a return already"}, why(err))
	w.pass(30*24*time.Hour + time.Hour)
	r, err := w.asks(returns.ChangedMind, 1)
	require.NoError(t, err, "the last moment of the window")
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error { return o.DeclineReturn(r, "worn", act) }))
	require.Equal(t, "worn", w.o.Return(r).DeclineReason)
	w.pass(time.Second)
	_, err = w.asks(returns.ChangedMind, 1)
	require.Equal(t, []string{"not_returnable", "/lines/0/line_id window_closed: returns are taken for 30 days from delivery"}, why(err))

	w = accepted(t, uneven(order.OnShortageReject))
	w.shipped(w.box(2), w.box(1)).scan(1, shipping.Delivered, time.Hour)
	_, err = w.asks(returns.ChangedMind, 2)
	require.Equal(t, []string{"not_returnable", "/lines/0/line_id not_delivered: 1 of 2 to return have not been delivered"}, why(err))
	w.pass(10 * 24 * time.Hour)
	_, err = w.asks(returns.ChangedMind, 2)
	require.NoError(t, err, "under way for longer than any parcel: it counts as delivered")
	require.Equal(t, order.ShipmentDelivered, w.o.Shipments[0].Status)
	require.Equal(t, order.Completed, w.o.Status)

	p := uneven(order.OnShortageReject)
	p.Lines[0].FinalSale = true
	w = accepted(t, p)
	w.shipped(w.box(3)).scan(0, shipping.Delivered, time.Hour)
	_, err = w.asks(returns.ChangedMind, 1)
	require.Equal(t, []string{"not_returnable", "/lines/0/line_id final_sale: the line was sold for good: only what is our fault comes back"}, why(err))
	_, err = w.asks(returns.Defective, 1)
	require.NoError(t, err)

	line := w.o.Lines[0].ID
	err = w.try(func(o *order.Order, act order.Act) error {
		_, err := o.RequestReturn(order.ReturnRequest{Lines: []order.ReturnedUnits{{LineID: line, Quantity: 1, Reason: returns.Undeliverable},
			{LineID: line, Quantity: 0, Reason: returns.Other}, {LineID: "lin_x", Quantity: 1, Reason: returns.Other}}}, act)
		return err
	})
	var fields []string
	for _, f := range fault.As(err).Fields {
		fields = append(fields, f.Pointer+" "+f.Code)
	}
	require.Equal(t, []string{"/lines/0/reason unknown_value", "/lines/1/line_id duplicate", "/lines/2/line_id unknown_line", "/lines/1/quantity out_of_range"}, fields)
}

// Two returns on one line never share a unit, and each unit is paid back what it is worth.
func TestTwoReturnsOnOneLine(t *testing.T) {
	w := arrived(t)
	first, second := w.comesBack(returns.ChangedMind, 1), w.comesBack(returns.ChangedMind, 2)
	w.inspect(second, graded(w, 2, returns.GradeA))
	w.inspect(first, graded(w, 1, returns.GradeA))
	require.Equal(t, []int64{2066, 1034}, w.refunds())
	require.EqualValues(t, 3100, w.o.Lines[0].Refunded, "the shipping is not given back: it arrived")
	require.Equal(t, "not_found", code(w.receive("ret_x", 1)))
}
