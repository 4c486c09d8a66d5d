package worker_test

import (
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

// PostgreSQL is put back to an earlier time; the gateways and Temporal are not. Once the runs that know more than the
// facts are replaced, whatever had been written down before is found under its key, and whatever had not is done at
// most once: docs/how-to/back-up-and-restore.md builds on this.
func TestFactsOfAnEarlierTime(t *testing.T) {
	a := start(t)
	packed, accepted, unwanted := a.write(placement("restored-packed", "tok_ok")), a.write(placement("restored-accepted", "tok_ok")),
		a.write(placement("restored-unwanted", "tok_ok"))
	a.drive(packed.ID, 0, 3)
	a.drive(accepted.ID, 0, 1)
	a.drive(unwanted.ID, 0, 1)
	require.NoError(t, a.Stop())
	earlier := copyOf(t, a.options.DatabaseURL)

	b := startOn(t, a.address, func(o *worker.Options) { o.DatabaseURL = a.options.DatabaseURL })
	b.drive(packed.ID, 3, 4)
	b.drive(accepted.ID, 1, 4)
	require.NoError(t, b.cancel(unwanted))
	late := b.place(placement("restored-late", "tok_ok"))
	charged := b.order(accepted.ID).Shipments[0]
	taken := b.order(accepted.ID).Operation("capture/" + charged.ID).Reference
	require.NoError(t, b.Stop())

	c := startOn(t, a.address, func(o *worker.Options) { o.DatabaseURL, o.SandboxURL = earlier, a.options.DatabaseURL })
	for _, o := range []*order.Order{packed, accepted, unwanted, late} {
		err := c.client.TerminateWorkflow(t.Context(), "order/"+o.ID, "", "PostgreSQL was restored")
		require.True(t, err == nil || errors.As(err, new(*serviceerror.NotFound)), "%v", err)
	}
	// A run that has ended goes on answering what it was asked before: only a new one hears a command that comes again.
	for _, o := range []*order.Order{packed, accepted, unwanted} {
		require.Eventually(t, func() bool {
			running, err := c.Runs.Running(t.Context(), o.ID)
			return err == nil && running
		}, 20*time.Second, 20*time.Millisecond, "the sweeper starts a new run")
	}
	_, err := c.Store.Order(t.Context(), late.ID)
	requireCode(t, err, "not_found")

	// The same commands come again under their old keys, as from a caller who never had an answer.
	c.drive(packed.ID, 3, len(stages))
	c.whole(packed.ID)
	require.NoError(t, c.cancel(c.order(unwanted.ID)))
	require.Equal(t, "voided", c.settled(unwanted.ID).PaymentAxis)

	// What was packed afterwards is packed again as another parcel. Its money is not taken again, and so it stays here
	// until somebody says that it was.
	c.drive(accepted.ID, 1, 3)
	require.NoError(t, c.ship(c.order(accepted.ID)))
	require.Equal(t, order.AttentionCaptureRefused, c.order(accepted.ID).AttentionCode)
	require.Nil(t, c.order(accepted.ID).Shipments[0].HandedOverAt)
	require.NotEqual(t, charged.ID, c.order(accepted.ID).Shipments[0].ID)
	require.NoError(t, c.command(accepted, workflows.UpdatePayment, "paid", activities.PaymentCommand{
		Caller: caller(accepted, "paid"), Gateway: "external", Token: "paid:" + taken}))
	o := c.order(accepted.ID)
	require.NoError(t, c.command(o, workflows.UpdateShip, "ship again", activities.ShipCommand{
		Caller: caller(o, "ship again"), FulfillmentID: o.Fulfillments[0].ID}))
	require.NotNil(t, c.order(accepted.ID).Shipments[0].HandedOverAt)

	for _, o := range []*order.Order{packed, accepted} {
		require.Len(t, a.query(`SELECT key FROM sandbox.payment_ledger WHERE order_id = $1 AND kind = 'capture' AND outcome = 'succeeded'`, o.ID), 1,
			"%s: charged once", o.ExternalID)
	}
	require.Len(t, a.query(`SELECT key FROM sandbox.payment_ledger WHERE order_id = $1 AND kind = 'void'`, unwanted.ID), 1)
}

// The same, and nobody replaced the run: it hears of facts that are older than what it knew, and goes on from them.
func TestARunWhoseFactsWentBack(t *testing.T) {
	a := start(t)
	o := a.write(placement("went-back", "tok_ok"))
	a.drive(o.ID, 0, 2)
	require.NoError(t, a.Stop())
	earlier := copyOf(t, a.options.DatabaseURL)

	b := startOn(t, a.address, func(opts *worker.Options) { opts.DatabaseURL = a.options.DatabaseURL })
	b.drive(o.ID, 2, 4)
	require.NotNil(t, b.order(o.ID).Shipments[0].HandedOverAt)
	require.NoError(t, b.Stop())

	c := startOn(t, a.address, func(opts *worker.Options) { opts.DatabaseURL, opts.SandboxURL = earlier, a.options.DatabaseURL })
	require.Empty(t, c.order(o.ID).Shipments)
	was, _, err := c.Runs.Progress(c.within(30*time.Second), o.ID)
	require.NoError(t, err)
	require.Greater(t, was.Facts.Version, c.order(o.ID).Version, "the run knows more than the facts")

	// A command under a key of its own is decided by the facts, and what they say is due then is done.
	boxed := c.box(c.order(o.ID), c.order(o.ID).Fulfillments[0].ID)
	require.Equal(t, order.ShipmentLabeled, boxed.Shipments[0].Status)
	is, _, err := c.Runs.Progress(c.within(30*time.Second), o.ID)
	require.NoError(t, err)
	require.Equal(t, boxed.Version, is.Facts.Version)
}

// copyOf makes a copy of a database on which nothing is under way, as a backup that was restored.
func copyOf(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	require.NoError(t, err)
	name := strings.TrimPrefix(u.Path, "/")
	earlier := name + "_earlier"
	admin, err := sql.Open("postgres", devtest.AdminURL(t))
	require.NoError(t, err)
	run := func(statement string, args ...any) {
		_, err := admin.Exec(statement, args...)
		require.NoError(t, err, statement)
	}
	run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name) // idle ones: a template has no clients
	run(`CREATE DATABASE ` + earlier + ` TEMPLATE ` + name + ` OWNER ` + u.User.Username())
	t.Cleanup(func() {
		run(`DROP DATABASE ` + earlier + ` WITH (FORCE)`)
		require.NoError(t, admin.Close())
	})
	u.Path = "/" + earlier
	return u.String()
}
