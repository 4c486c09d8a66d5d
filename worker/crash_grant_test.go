package worker_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/worker"
)

// waiting is an app with an order that waits for two units that nobody has, and whoever has them instead.
func waiting(t *testing.T, units int64) (a *app, holder, o *order.Order) {
	t.Helper()
	a = start(t, func(o *worker.Options) { o.GrantEvery = time.Hour }) // who grants is the test's affair
	holder = a.place(backordering("holder", units))
	require.Zero(t, holder.Lines[0].Backordered)
	o = a.place(backordering("waiting", 2))
	require.EqualValues(t, 2, o.Lines[0].Backordered)
	require.True(t, o.Grantable)
	return a, holder, o
}

// backordering is an order that waits for what is short.
func backordering(externalID string, units int64) order.Placement {
	p := placement(externalID, "tok_ok")
	p.OnShortage = order.OnShortageBackorder
	p.Lines[0].Quantity, p.Lines[0].Tax = units, 165*units
	p.Total = 2164*units + 500
	return p.Normalize()
}

// served asserts that the order was given its units once, and takes it to its customer.
func (a *app) served(o *order.Order) {
	a.t.Helper()
	o = a.until(o.ID, "granted", func(o *order.Order) bool { return o.Lines[0].Backordered == 0 })
	require.Len(a.t, o.Fulfillments, 1)
	require.Equal(a.t, 1, a.happened(o, order.EventStockGranted))
	require.Empty(a.t, o.AttentionCode)
	a.home(o)
	require.ElementsMatch(a.t, plain.applied, a.applied(o.ID))
	a.whole(o.ID)
}

// killAt kills a process that stands in front of a gate, in the middle of a transaction that grants stock.
func (a *app) killAt(gate *devtest.Gate, victim *devtest.Child) {
	a.t.Helper()
	require.True(a.t, waitAt(a.t, gate))
	victim.Kill()
	<-victim.Gone
	gate.Open()
	require.Equal(a.t, []string{"0"}, a.query(`SELECT count(*) FROM events WHERE type = $1`, order.EventStockGranted), "nothing of it was kept")
}

// TestCrashWhileReceiving kills a process in the middle of a receipt that an order waits for, and after it, before
// anybody heard of it. The receipt is sent again, twice at once. The goods are there once, and the order has them.
func TestCrashWhileReceiving(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"before its commit", "after its commit"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			a, _, o := waiting(t, 10)
			r, d := receipt{Key: "receipt-1", Quantity: 2}, death{Marker: filepath.Join(t.TempDir(), "died")}
			if point == "before its commit" {
				gate := devtest.CloseGate(t, a.options.DatabaseURL, "stock_ledger")
				a.killAt(gate, a.another(d, func(as *assignment) { as.Receipt = &r }))
			} else {
				d.At, d.Visit = booked, 1
				victim := a.another(d, func(as *assignment) { as.Receipt = &r })
				<-victim.Gone
				require.True(t, victim.Killed())
			}
			require.Equal(t, []string{"", ""}, a.atOnce(2, func(int) error { return r.book(t.Context(), a.Store) }))
			require.Equal(t, []string{"12"}, a.query(`SELECT on_hand FROM stock_levels`))
			a.served(o)
			a.books()
		})
	}
}

// TestCrashWhileGranting kills the process whose relay gives freed stock to who waits for it, in the middle of that,
// and after it, before the order's run heard of it. Another relay goes on.
func TestCrashWhileGranting(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"before its commit", "after its commit"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			a, holder, o := waiting(t, 10)
			require.NoError(t, a.cancel(holder))
			a.settled(holder.ID)
			require.NoError(t, a.Stop())
			granting := func(as *assignment) { as.GrantEvery, as.InboxEvery = 50*time.Millisecond, time.Hour }
			if point == "before its commit" {
				gate := devtest.CloseGate(t, a.options.DatabaseURL, "stock_ledger")
				a.killAt(gate, a.another(death{}, granting))
			} else {
				// It looked into its inbox when it started: what it grants after that it has told nobody.
				gate := devtest.CloseGate(t, a.options.DatabaseURL, "stock_ledger")
				victim := a.another(death{}, granting)
				require.True(t, waitAt(t, gate))
				gate.Open()
				require.Eventually(t, func() bool {
					return len(a.query(`SELECT id FROM orders WHERE id = $1 AND grantable`, o.ID)) == 0
				}, time.Minute, 10*time.Millisecond, "never granted")
				victim.Kill()
				<-victim.Gone
				require.Equal(t, []string{"1"}, a.query(`SELECT count(*) FROM inbox WHERE order_id = $1 AND heard_at IS NULL`, o.ID))
			}
			a.options.GrantEvery = 50 * time.Millisecond
			a.work()
			a.served(o)
			a.books()
		})
	}
}
