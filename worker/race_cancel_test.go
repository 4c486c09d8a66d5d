package worker_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

// rival is something that the warehouse does while the customer cancels, and what whoever comes second hears. Where
// that is nothing, the second undoes what the first did.
type rival struct {
	name  string
	ready func(a *app, o *order.Order)
	do    func(a *app, o *order.Order) error
	// What whoever comes second hears.
	whole, part         string   // the rival, of a cancellation of everything, or of one unit of two
	wholeLate, partLate []string // the customer; nothing, where what was done is undone
	undone              []string // in the carrier's ledger, by a cancellation that came second
}

var labelUndone = []string{"label", "void_label"}

var rivals = []rival{
	{name: "pick", ready: func(*app, *order.Order) {}, do: (*app).pick, whole: "fulfillment_cancelled", part: "too_many"},
	{name: "pack", ready: func(a *app, o *order.Order) { require.NoError(a.t, a.pick(o)) }, do: (*app).pack,
		whole: "fulfillment_cancelled", part: "not_picked", undone: labelUndone},
	{name: "ship", ready: func(a *app, o *order.Order) { a.boxed(o) }, do: (*app).ship,
		whole: "fulfillment_cancelled", part: "nothing_to_ship", undone: labelUndone,
		wholeLate: []string{"being_shipped", "already_shipped"}, partLate: []string{"being_shipped", "too_many"}},
}

// TestCancelRacing has the customer cancel everything, or a unit of two, at the moment at which the warehouse picks,
// packs or ships. One of the two wins, the other hears why not, and the money says which.
func TestCancelRacing(t *testing.T) {
	t.Parallel()
	a, _ := withAnother(t)
	a.stock("nyc", "TEE-M", 190)
	var all sync.WaitGroup
	for _, r := range rivals {
		for i := range 4 {
			all.Go(func() { t.Run(fmt.Sprint("everything, ", r.name, i), func(t *testing.T) { r.cancelled(a.in(t), i) }) })
			all.Go(func() { t.Run(fmt.Sprint("a unit, ", r.name, i), func(t *testing.T) { r.cancelledInPart(a.in(t), i) }) })
		}
	}
	for i := range 4 {
		all.Go(func() { t.Run(fmt.Sprint("a hold, ship", i), func(t *testing.T) { a.in(t).holdWhileShipping(i) }) })
	}
	all.Wait()
	a.books()
}

// holdWhileShipping: the hold keeps the parcel in the building, even after its money was taken, or comes too late. The
// money is taken once.
func (a *app) holdWhileShipping(turn int) {
	o := a.write(placement(a.t.Name(), "tok_ok"))
	a.decided(o)
	o = a.boxed(a.answered(o))
	shipped, held := a.race(turn, func() error { return a.ship(o) },
		func() error { return a.hold(o, "hold", order.HoldRequest{Reason: "fraud_review"}) })
	require.Empty(a.t, held)
	require.Contains(a.t, []string{"", "order_on_hold"}, shipped)
	o = a.answered(o)
	if s := o.Shipments[0]; s.Status != order.ShipmentShipped {
		requireCode(a.t, a.shipAgain(o), "order_on_hold")
		require.NoError(a.t, a.letGo(o, "release", o.Holds[0].ID))
		require.NoError(a.t, a.command(o, workflows.UpdateShip, "at last", activities.ShipCommand{Caller: caller(o, "at last"), FulfillmentID: s.FulfillmentID}))
	}
	a.arrived(o)
	require.Equal(a.t, order.Completed, a.settled(o.ID).Status)
	require.ElementsMatch(a.t, plain.applied, a.applied(o.ID))
}

// race has two things done at the same moment, in turns the one or the other a little earlier, and returns what came
// of each.
func (a *app) race(turn int, one, other func() error) (string, string) {
	a.t.Helper()
	both := []func() error{one, other}
	codes := a.atOnce(2, func(n int) error { return both[(n+turn)%2]() })
	return codes[turn%2], codes[(1+turn)%2]
}

// placed is an accepted order, brought to where the rival can begin.
func (r rival) placed(a *app) *order.Order {
	a.t.Helper()
	o := a.write(placement(a.t.Name(), "tok_ok"))
	a.decided(o)
	o = a.answered(o)
	r.ready(a, o)
	return a.answered(o)
}

func (r rival) cancelled(a *app, turn int) {
	o := r.placed(a)
	done, cancelled := a.race(turn, func() error { return r.do(a, o) }, func() error { return a.cancel(o) })
	if done == "" && r.wholeLate != nil {
		require.Contains(a.t, r.wholeLate, cancelled)
		a.arrived(o)
		require.Equal(a.t, order.Completed, a.settled(o.ID).Status)
		require.ElementsMatch(a.t, plain.applied, a.applied(o.ID))
		return
	}
	require.Empty(a.t, cancelled)
	require.Equal(a.t, order.Cancelled, a.settled(o.ID).Status)
	require.ElementsMatch(a.t, append(r.left(a, done, r.whole), "authorize 4828", "void 4828"), a.applied(o.ID))
}

func (r rival) cancelledInPart(a *app, turn int) {
	o := r.placed(a)
	done, cancelled := a.race(turn, func() error { return r.do(a, o) }, func() error { return a.cancelUnits(o, "less", 1) })
	want := plain.applied
	if done == "" && r.partLate != nil {
		require.Contains(a.t, r.partLate, cancelled)
	} else {
		require.Empty(a.t, cancelled)
		want = append(r.left(a, done, r.part), "authorize 4828", "capture 2664", "void 2164", "label")
	}
	require.Equal(a.t, order.Completed, a.home(a.answered(o)).Status)
	require.ElementsMatch(a.t, want, a.applied(o.ID))
}

// left is what the ledgers keep of what was undone, when the cancellation won. The rival heard why, or was first.
func (r rival) left(a *app, done, refusal string) []string {
	a.t.Helper()
	if done != "" {
		require.Equal(a.t, refusal, done)
	}
	if done == "" || r.wholeLate != nil {
		return slices.Clone(r.undone)
	}
	return nil
}
