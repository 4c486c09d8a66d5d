package order_test

import (
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// unitsOf is a set of units of one line.
type unitsOf map[int64]bool

func (u unitsOf) add(first, quantity int64) {
	for unit := first; unit < first+quantity; unit++ {
		u[unit] = true
	}
}

func (u unitsOf) among(first, quantity int64) int64 {
	var n int64
	for unit := first; unit < first+quantity; unit++ {
		if u[unit] {
			n++
		}
	}
	return n
}

// cancelled are the units of a line that were cancelled, and missing those that a picker did not find.
func cancelled(o *order.Order, lineID string) unitsOf {
	u := unitsOf{}
	for _, c := range o.Credits {
		if c.Cause == order.CreditCancelled && c.LineID == lineID {
			u.add(c.FirstUnit, c.Quantity)
		}
	}
	return u
}

func missing(o *order.Order, fulfillmentID, lineID string) unitsOf {
	u := unitsOf{}
	for _, p := range o.ShortPicks {
		if p.FulfillmentID == fulfillmentID && p.LineID == lineID {
			u.add(p.FirstUnit, p.Quantity)
		}
	}
	return u
}

// parceled are the units of a line in parcels of a fulfillment order, and gone those of them that left.
func parceled(o *order.Order, fulfillmentID, lineID string) (boxed, gone unitsOf) {
	boxed, gone = unitsOf{}, unitsOf{}
	for _, s := range o.Shipments {
		for _, l := range s.Lines {
			if s.FulfillmentID != fulfillmentID || l.LineID != lineID || s.Status == order.ShipmentCancelled {
				continue
			}
			boxed.add(l.FirstUnit, l.Quantity)
			if s.HandedOverAt != nil {
				gone.add(l.FirstUnit, l.Quantity)
			}
		}
	}
	return boxed, gone
}

// verifyLines compares each line's counters with the parcels that its units are in, and with its returns.
func (w *world) verifyLines() {
	count := map[string]map[order.ShipmentStatus]int64{}
	for _, s := range w.o.Shipments {
		for _, l := range s.Lines {
			if count[l.LineID] == nil {
				count[l.LineID] = map[order.ShipmentStatus]int64{}
			}
			count[l.LineID][s.Status] += l.Quantity
		}
	}
	for _, l := range w.o.Lines {
		at := count[l.ID]
		require.Equal(w.t, l.Quantity, l.Cancelled+l.Open()+(l.Shipped-l.Delivered-l.Lost-l.Undelivered)+l.Delivered+l.Lost+l.Undelivered)
		for _, n := range []int64{l.Open(), l.Cancelled, l.Shipped - l.Delivered - l.Lost - l.Undelivered, l.ReturnRequested, l.Returned, l.Dismissed} {
			require.GreaterOrEqual(w.t, n, int64(0))
		}
		require.Equal(w.t, []int64{at[order.ShipmentDelivered], at[order.ShipmentLost], at[order.ShipmentReturning]}, []int64{l.Delivered, l.Lost, l.Undelivered})
		require.Equal(w.t, at[order.ShipmentShipped]+l.Delivered+l.Lost+l.Undelivered, l.Shipped)
		require.LessOrEqual(w.t, l.ReturnRequested, l.Delivered+l.Undelivered, "more in returns than arrived or turned back")
		require.LessOrEqual(w.t, l.Returned+l.Dismissed, l.ReturnRequested)
	}
}

// verifyUnits checks that every unit of a line is in exactly one place: cancelled, served by one fulfillment order, or
// by none yet; and that everybody counts them right.
func (w *world) verifyUnits() {
	waits := w.o.Status == order.Accepted || w.o.Status == order.Processing
	for _, line := range w.o.Lines {
		gone := cancelled(w.o, line.ID)
		require.EqualValues(w.t, len(gone), line.Cancelled)
		served := map[int64]int{}
		for _, f := range w.o.Fulfillments {
			w.verifyServed(f, line.ID, gone, served)
		}
		var waiting int64
		for unit := range line.Quantity {
			require.LessOrEqual(w.t, served[unit], 1, "unit %d is served twice", unit)
			if served[unit] == 0 && !gone[unit] {
				waiting++
			}
		}
		if !waits {
			waiting = 0
		}
		require.Equal(w.t, waiting, line.Backordered)
	}
	for _, f := range w.o.Fulfillments {
		require.NotEmpty(w.t, f.Lines)
		for _, l := range f.Lines {
			w.verifyRow(f, l)
		}
		w.verifyFulfillmentEnd(f)
	}
}

func (w *world) verifyServed(f order.Fulfillment, lineID string, gone unitsOf, served map[int64]int) {
	lost := missing(w.o, f.ID, lineID)
	boxed, left := parceled(w.o, f.ID, lineID)
	mine := unitsOf{}
	for _, l := range f.Lines {
		if l.LineID != lineID {
			continue
		}
		for unit := l.FirstUnit; unit < l.FirstUnit+l.Quantity; unit++ {
			if f.Status != order.FulfillmentCancelled && !lost[unit] && !gone[unit] {
				served[unit]++
				mine[unit] = true
			}
		}
	}
	for unit := range boxed {
		require.True(w.t, mine[unit], "unit %d of another location, or none, is in a parcel", unit)
	}
	var live int64
	for _, a := range w.o.Allocations {
		if a.FulfillmentID == f.ID && a.LineID == lineID {
			live += a.Live()
		}
	}
	require.EqualValues(w.t, len(mine)-len(left), live, "each unit that is served and has not left is committed once")
}

// verifyRow compares a row's counters with what became of its units.
func (w *world) verifyRow(f order.Fulfillment, l order.FulfillmentLine) {
	lost, gone := missing(w.o, f.ID, l.LineID), cancelled(w.o, l.LineID)
	for unit := range lost {
		delete(gone, unit)
	}
	boxed, left := parceled(w.o, f.ID, l.LineID)
	require.Equal(w.t, []int64{lost.among(l.FirstUnit, l.Quantity), gone.among(l.FirstUnit, l.Quantity), boxed.among(l.FirstUnit, l.Quantity),
		left.among(l.FirstUnit, l.Quantity)}, []int64{l.Short, l.Cancelled, l.Packed, l.Shipped}, "short, cancelled, packed, shipped of %+v", l)
	require.True(w.t, 0 <= l.Shipped && l.Shipped <= l.Packed && l.Packed <= l.Picked && l.Picked <= l.Due(), "%+v", l)
}

func (w *world) verifyFulfillmentEnd(f order.Fulfillment) {
	var due, shipped, short int64
	for _, l := range f.Lines {
		due, shipped, short = due+l.Due(), shipped+l.Shipped, short+l.Short
	}
	switch f.Status {
	case order.FulfillmentClosed:
		require.True(w.t, due == shipped && shipped > 0 && short == 0, "closed: %+v", f.Lines)
	case order.FulfillmentIncomplete:
		require.True(w.t, due == shipped && short > 0, "incomplete: %+v", f.Lines)
	case order.FulfillmentCancelled:
		require.True(w.t, due == 0 && shipped == 0, "cancelled: %+v", f.Lines)
	default:
		require.Greater(w.t, due, shipped, "%s, and nothing is left to do", f.Status)
	}
	held := false
	for _, h := range w.o.Holds {
		for _, b := range h.Blocks {
			held = held || h.Active() && h.FulfillmentID == f.ID && b == order.BlockRelease
		}
	}
	if f.Status == order.FulfillmentOnHold || !f.Status.Ended() {
		require.Equal(w.t, held, f.Status == order.FulfillmentOnHold, "on hold when a hold says so")
	}
}

// verifyReturns checks each return's rows, that no unit is in two returns, and the lines' sums of them.
func (w *world) verifyReturns() {
	requested, returned, dismissed := map[string]int64{}, map[string]int64{}, map[string]int64{}
	taken := map[string]unitsOf{}
	for i, r := range w.o.Returns {
		require.Equal(w.t, i+1, r.Number)
		require.NotEmpty(w.t, r.Lines)
		counts := r.Status != returns.Declined && r.Status != returns.Cancelled && r.Status != returns.Expired
		for _, l := range r.Lines {
			require.True(w.t, 0 <= l.Inspected && l.Inspected <= l.Received && l.Dismissed >= 0 && l.Outstanding() >= 0, "%+v", l)
			w.verifyCame(l, counts)
			returned[l.LineID] += l.Received
			dismissed[l.LineID] += l.Dismissed
			if !counts {
				require.Zero(w.t, l.Received+l.Dismissed)
				continue
			}
			requested[l.LineID] += l.Quantity
			if taken[l.LineID] == nil {
				taken[l.LineID] = unitsOf{}
			}
			require.Zero(w.t, taken[l.LineID].among(l.FirstUnit, l.Quantity), "a unit is in two returns")
			taken[l.LineID].add(l.FirstUnit, l.Quantity)
		}
		w.verifyReturn(r)
	}
	for _, l := range w.o.Lines {
		require.Equal(w.t, []int64{requested[l.ID], returned[l.ID], dismissed[l.ID]}, []int64{l.ReturnRequested, l.Returned, l.Dismissed})
	}
}

// verifyCame checks that a return's units went out in the parcel that it names.
func (w *world) verifyCame(l order.ReturnLine, counts bool) {
	s := w.o.Shipment(l.ShipmentID)
	in := unitsOf{}
	for _, sl := range s.Lines {
		if sl.LineID == l.LineID {
			in.add(sl.FirstUnit, sl.Quantity)
		}
	}
	require.Equal(w.t, l.Quantity, in.among(l.FirstUnit, l.Quantity), "not in that parcel")
	if counts {
		require.Contains(w.t, []order.ShipmentStatus{order.ShipmentDelivered, order.ShipmentReturning}, s.Status)
	}
}

// verifyReturn checks that a return's status says what is so, and that one which is open waits for somebody.
func (w *world) verifyReturn(r order.Return) {
	var outstanding, ungraded, came, graded, inspections int64
	for _, l := range r.Lines {
		outstanding, ungraded = outstanding+l.Outstanding(), ungraded+l.Received-l.Inspected
		came, graded = came+l.Received, graded+l.Inspected
	}
	for _, i := range r.Inspections {
		inspections += i.Quantity
	}
	require.Equal(w.t, graded, inspections)
	require.True(w.t, 0 <= r.FeeCharged && r.FeeCharged <= r.LabelFee)
	due := len(w.o.ReturnFacts(r.ID).Steps) > 0
	switch r.Status {
	case returns.Received:
		require.Positive(w.t, outstanding+ungraded)
	case returns.Inspected, returns.Closed:
		require.Zero(w.t, outstanding+ungraded)
	default:
		require.Zero(w.t, came)
	}
	require.Equal(w.t, r.Status == returns.Closed, r.ClosedAt != nil)
	pending := false
	for _, f := range w.o.Refunds {
		pending = pending || f.ReturnID == r.ID && f.Status != order.RefundSucceeded
	}
	if r.Status == returns.Closed {
		require.False(w.t, pending, "closed before everything was paid back")
	}
	if r.Status == returns.Inspected {
		require.True(w.t, pending, "nothing keeps it from being closed")
	}
	require.Equal(w.t, r.WaitingFor == order.WaitingNothing, r.Status.Final() && !due, "%s waits for %q", r.Status, r.WaitingFor)
	require.True(w.t, !r.Settled || r.Status.Final() && !due)
	if r.Status == returns.Approved || r.Status == returns.InTransit || r.Status == returns.Received && outstanding > 0 {
		require.True(w.t, r.Deadline != nil || r.Returnless, "goods are expected for ever")
	}
	require.Equal(w.t, r.AttentionCode == "", r.AttentionSince == nil)
}
