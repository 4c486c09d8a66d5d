package worker_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/worker"
)

// TestWhoWaitedIsServed has stock become free at the moment at which somebody new orders it, while another order has
// been waiting for it. The one who waited gets it, whether it arrives or is let go.
func TestWhoWaitedIsServed(t *testing.T) {
	t.Parallel()
	a, _ := withAnother(t, func(o *worker.Options) { o.GrantEvery = 50 * time.Millisecond })
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() { t.Run(fmt.Sprint("a receipt ", i), func(t *testing.T) { a.in(t).raceForReceipt(i) }) })
		all.Go(func() { t.Run(fmt.Sprint("a cancellation ", i), func(t *testing.T) { a.in(t).raceForCancelled(i) }) })
		all.Go(func() { t.Run(fmt.Sprint("nobody ", i), func(t *testing.T) { a.in(t).raceWithWaiting(i) }) })
	}
	all.Wait()
	a.books()
}

// wants is an order of two units of a SKU that is the test's alone.
func (a *app) wants(name, onShortage string) *order.Order {
	a.t.Helper()
	p := placement(a.t.Name()+name, "tok_ok")
	p.Lines[0].SKU, p.OnShortage = a.t.Name(), onShortage
	o := a.write(p)
	a.decided(o)
	return a.answered(o)
}

// raceForReceipt: what arrives is the waiting order's, though a new one asks for it in the same moment.
func (a *app) raceForReceipt(turn int) {
	first := a.wants("waiting", order.OnShortageBackorder)
	require.EqualValues(a.t, 2, first.Lines[0].Backordered)
	a.freed(turn, first, func() error {
		a.stock("nyc", a.t.Name(), 2)
		return nil
	})
}

// raceForCancelled: what an order lets go is the waiting order's, though nobody gave it that yet.
func (a *app) raceForCancelled(turn int) {
	a.stock("nyc", a.t.Name(), 2)
	holder := a.wants("holder", order.OnShortageReject)
	require.Equal(a.t, order.Accepted, holder.Status)
	first := a.wants("waiting", order.OnShortageBackorder)
	require.EqualValues(a.t, 2, first.Lines[0].Backordered)
	a.freed(turn, first, func() error { return a.cancel(holder) })
	require.Equal(a.t, order.Cancelled, a.settled(holder.ID).Status)
}

// freed frees two units while two others want them: one who takes nothing less, and one who is content to wait.
func (a *app) freed(turn int, first *order.Order, free func() error) {
	a.t.Helper()
	var second, third *order.Order
	do := []func() error{free,
		func() error { second = a.wants("all or nothing", order.OnShortageReject); return nil },
		func() error { third = a.wants("waiting too", order.OnShortageBackorder); return nil }}
	require.Equal(a.t, []string{"", "", ""}, a.atOnce(3, func(n int) error { return do[(n+turn)%3]() }))
	first = a.until(first.ID, "served", func(o *order.Order) bool { return o.Lines[0].Backordered == 0 })
	require.Equal(a.t, 1, a.happened(first, order.EventStockGranted))
	require.Equal(a.t, order.Rejected, a.order(second.ID).Status)
	third = a.order(third.ID)
	require.EqualValues(a.t, 2, third.Lines[0].Backordered)
	require.Empty(a.t, third.Fulfillments)
	a.home(first)
	require.NoError(a.t, a.cancel(third))
	a.settled(third.ID)
	require.ElementsMatch(a.t, plain.applied, a.applied(first.ID))
}

// raceWithWaiting: who waits gives up at the moment at which his units arrive. They are there for somebody else.
func (a *app) raceWithWaiting(turn int) {
	first := a.wants("waiting", order.OnShortageBackorder)
	arrived, cancelled := a.race(turn, func() error {
		a.stock("nyc", a.t.Name(), 2)
		return nil
	}, func() error { return a.cancel(first) })
	require.Empty(a.t, arrived+cancelled)
	require.Equal(a.t, order.Cancelled, a.settled(first.ID).Status)
	require.ElementsMatch(a.t, []string{"authorize 4828", "void 4828"}, a.applied(first.ID))
	second := a.wants("somebody else", order.OnShortageReject)
	require.Equal(a.t, order.Accepted, second.Status)
	a.home(second)
}
