package worker_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/workflows"
)

// returnRaces are what may happen to the returns of one delivered order at the same moment.
var returnRaces = map[string]func(a *app, o *order.Order, turn int){
	"three returns of two units": raceOfReturns,
	"goods and their deadline":   raceWithDeadline,
	"goods and a change of mind": raceWithCancel,
	"two inspections":            raceOfInspections,
	"yes and no":                 raceOfDecisions,
}

// TestReturnRaces has two things happen to returns at once, in all the orders in which they can. Nobody is ever paid
// back twice, no unit comes back twice, and whoever loses hears why.
func TestReturnRaces(t *testing.T) {
	t.Parallel()
	a, _ := withAnother(t)
	a.stock("nyc", "TEE-M", 190)
	var all sync.WaitGroup
	for name, race := range returnRaces {
		for i := range 4 {
			all.Go(func() {
				t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
					a := a.in(t)
					o := a.write(placement(t.Name(), "tok_ok"))
					a.decided(o)
					race(a, a.home(a.answered(o)), i)
				})
			})
		}
	}
	for i := range 4 {
		all.Go(func() { t.Run(fmt.Sprint("lost and delivered ", i), func(t *testing.T) { a.in(t).raceOfScans(i) }) })
	}
	all.Wait()
	a.books()
}

// paidBack asserts that all that was given back for an order is this, once it and its returns are settled.
func (a *app) paidBack(o *order.Order, amount int64) *order.Order {
	a.t.Helper()
	o = a.until(o.ID, "settled, with its returns", func(o *order.Order) bool {
		for _, r := range o.Returns {
			if !r.Settled {
				return false
			}
		}
		return o.Settled
	})
	require.Equal(a.t, amount, a.refunded(o.ID))
	return o
}

func raceOfReturns(a *app, o *order.Order, _ int) {
	returned := make([]string, 3)
	codes := a.atOnce(3, func(i int) (err error) {
		returned[i], err = a.announce(o, fmt.Sprint("back", i), 1)
		return err
	})
	require.ElementsMatch(a.t, []string{"", "", "not_returnable"}, codes)
	o = a.order(o.ID)
	require.Len(a.t, o.Returns, 2)
	require.EqualValues(a.t, 2, o.Lines[0].ReturnRequested)
	one := func(name string, build func(activities.Caller) any) []string {
		return a.atOnce(2, func(i int) error { return a.ofReturn(o, o.Returns[i].ID, name, name, name, build) })
	}
	both := []string{"", ""}
	require.Equal(a.t, both, one(workflows.UpdateApprove, func(c activities.Caller) any { return activities.ReturnApproval{Caller: c} }))
	require.Equal(a.t, both, one(workflows.UpdateReceive, func(c activities.Caller) any {
		return activities.ReturnReceipt{Caller: c, ReceivedItems: order.ReceivedItems{Lines: some(o, 1)}}
	}))
	require.Equal(a.t, both, one(workflows.UpdateInspect, func(c activities.Caller) any {
		return activities.ReturnInspection{Caller: c, Lines: []order.InspectedUnits{{LineID: o.Lines[0].ID, Quantity: 1, Grade: returns.GradeA}}}
	}))
	a.paidBack(o, 4328)
	require.ElementsMatch(a.t, append([]string{"label", "label", "refund 2164", "refund 2164"}, plain.applied...), a.applied(o.ID))
}

// The goods come at the moment at which they are no longer expected. Both happen; which was first only the timeline
// tells.
func raceWithDeadline(a *app, o *order.Order, turn int) {
	returnID := a.announced(o).ID
	o = a.order(o.ID)
	a.through(o, returnID, workflows.UpdateApprove)
	received, expired := a.race(turn, func() error { return a.tell(o, returnID, workflows.UpdateReceive) }, func() error {
		by := act()
		_, err := a.Store.Change(a.t.Context(), o.ID, nil, by, func(o *order.Order) error {
			o.Return(returnID).ExpiresAt = &by.At
			o.ReturnDeadlinePassed(returnID, by)
			return nil
		})
		return err
	})
	require.Empty(a.t, received+expired)
	a.through(o, returnID, workflows.UpdateInspect)
	o = a.paidBack(o, 4328)
	require.Equal(a.t, returns.Closed, o.Return(returnID).Status)
	reopened := a.happened(o, order.EventReturnReopened)
	require.Equal(a.t, a.happened(o, order.EventReturnExpired), reopened)
	want := append([]string{"label", "refund 4328"}, plain.applied...)
	if reopened > 0 {
		want = append(want, "void_label")
	}
	require.ElementsMatch(a.t, want, a.applied(o.ID))
}

func raceWithCancel(a *app, o *order.Order, turn int) {
	returnID := a.announced(o).ID
	o = a.order(o.ID)
	a.through(o, returnID, workflows.UpdateApprove)
	received, cancelled := a.race(turn, func() error { return a.tell(o, returnID, workflows.UpdateReceive) },
		func() error { return a.tell(o, returnID, workflows.UpdateCancel) })
	require.Empty(a.t, received, "goods that came are here")
	want := append([]string{"label", "refund 4328"}, plain.applied...)
	if cancelled == "" {
		want = append(want, "void_label")
	} else {
		require.Equal(a.t, "return_received", cancelled)
	}
	a.through(o, returnID, workflows.UpdateInspect)
	o = a.paidBack(o, 4328)
	require.ElementsMatch(a.t, want, a.applied(o.ID))
}

// Two inspectors grade the same units, and differently. The first is believed.
func raceOfInspections(a *app, o *order.Order, turn int) {
	returnID := a.announced(o).ID
	o = a.order(o.ID)
	a.through(o, returnID, workflows.UpdateApprove, workflows.UpdateReceive)
	grade := func(grade returns.Grade) func() error {
		return func() error {
			return a.ofReturn(o, returnID, workflows.UpdateInspect, string(grade), string(grade), func(c activities.Caller) any {
				return activities.ReturnInspection{Caller: c, Lines: []order.InspectedUnits{{LineID: o.Lines[0].ID, Quantity: 2, Grade: grade}}}
			})
		}
	}
	asNew, scrap := a.race(turn, grade(returns.GradeA), grade(returns.GradeD))
	refunded, loser := int64(4328), scrap
	if scrap == "" {
		refunded, loser = 0, asNew
	}
	require.Contains(a.t, []string{"return_inspected", "return_closed"}, loser)
	o = a.paidBack(o, refunded)
	require.Len(a.t, o.Return(returnID).Inspections, 1)
}

func raceOfDecisions(a *app, o *order.Order, turn int) {
	returnID := a.announced(o).ID
	o = a.order(o.ID)
	yes, no := a.race(turn, func() error { return a.tell(o, returnID, workflows.UpdateApprove) },
		func() error { return a.tell(o, returnID, workflows.UpdateDecline) })
	if no == "" {
		require.Equal(a.t, "return_declined", yes)
		a.paidBack(o, 0)
		require.ElementsMatch(a.t, plain.applied, a.applied(o.ID))
		return
	}
	require.Equal(a.t, "return_approved", no)
	require.Empty(a.t, yes)
	a.through(o, returnID, workflows.UpdateReceive, workflows.UpdateInspect)
	a.paidBack(o, 4328)
}

// raceOfScans has the carrier say at once that a parcel is lost and that it arrived. The customer keeps the goods and
// what was given back for them; when he sends them back, nothing more is.
func (a *app) raceOfScans(turn int) {
	o := a.write(placement(a.t.Name(), "tok_ok"))
	a.decided(o)
	o = a.answered(o)
	a.workOff(o, "work")
	parcel, at := a.order(o.ID).Shipments[0].ID, time.Now()
	lost, delivered := a.race(turn, func() error { return a.seen(o.ID, parcel, shipping.Lost, at) },
		func() error { return a.seen(o.ID, parcel, shipping.Delivered, at) })
	require.Empty(a.t, lost+delivered)
	o = a.settled(o.ID)
	require.Equal(a.t, order.Completed, o.Status)
	require.EqualValues(a.t, 2, o.Lines[0].Delivered)
	want := plain.applied
	if a.happened(o, order.EventShipmentLost) > 0 {
		want = append([]string{"refund 4828"}, plain.applied...)
	}
	require.ElementsMatch(a.t, want, a.applied(o.ID))
	returnID := a.announced(o).ID
	a.through(a.order(o.ID), returnID, workflows.UpdateApprove, workflows.UpdateReceive, workflows.UpdateInspect)
	refunded := int64(4328)
	if len(want) > len(plain.applied) {
		refunded = 4828
	}
	a.paidBack(o, refunded)
}
