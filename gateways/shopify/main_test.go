package shopify_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/gateways/shopify"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/store/verify"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

func TestMain(m *testing.M) {
	devtest.Migrate = store.Migrate
	devtest.SearchAttributes = workflows.SearchAttributes()
	devtest.NeedTemporal()
	os.Exit(devtest.Run(m))
}

// app is a whole Waybill without its API, and what an import needs of it.
type app struct {
	*worker.Process
	shopify.Deps
	t   testing.TB
	url string // of the database
}

func start(t testing.TB) *app {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	c, err := worker.Connect(t.Context(), worker.Connection{Address: devtest.Temporal(t).Address, Namespace: "default", Log: log})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	url := devtest.Database(t)
	p, err := worker.Start(t.Context(), worker.Options{DatabaseURL: url, Temporal: c, TaskQueue: t.Name(), Log: log,
		InboxEvery: 20 * time.Millisecond, SweepEvery: 200 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Stop() })
	return &app{Process: p, t: t, url: url, Deps: shopify.Deps{Orders: p.Store, Runs: p.Runs, Act: act,
		NewID: func() string { return id.New(id.Order) }}}
}

func act() order.Act {
	return order.Act{At: time.Now().UTC().Truncate(time.Microsecond), Actor: "import", NewID: id.New, Policy: order.DefaultPolicy()}
}

func (a *app) stock(sku string, quantity int64) {
	a.t.Helper()
	_, err := a.Store.PutLocation(a.t.Context(), store.Location{ID: "nyc", Name: "New York", Country: "US", Priority: 1}, act())
	require.NoError(a.t, err)
	require.NoError(a.t, a.Store.ChangeStock(a.t.Context(), &store.Command{Key: id.New("rcp"), Name: "receipt", Subject: "nyc"},
		inventory.Receipt, "nyc", []store.StockChange{{SKU: sku, Quantity: quantity}}, "", act()))
}

func (a *app) run(files ...string) []shopify.Outcome {
	a.t.Helper()
	outcomes, err := shopify.Import(a.t.Context(), a.Deps, files, nil)
	require.NoError(a.t, err)
	return outcomes
}

func (a *app) order(orderID string) *order.Order {
	a.t.Helper()
	o, err := a.Store.Order(context.Background(), orderID)
	require.NoError(a.t, err)
	return o
}

// command sends a command to the run of an order.
func (a *app) command(ctx context.Context, orderID, name, key string, command any) error {
	_, err := a.Process.Runs.Command(ctx, order.ReturnRef{OrderID: orderID}, name, key, command,
		func(ctx context.Context) (*order.Order, error) { return a.Store.Order(ctx, orderID) })
	return err
}

// clean checks every invariant.
func (a *app) clean() {
	a.t.Helper()
	findings, err := verify.Run(a.t.Context(), verify.Options{DatabaseURL: a.url})
	require.NoError(a.t, err)
	for _, f := range findings {
		require.Zero(a.t, f.Count, "%s %v", f.ID, f.Violations)
	}
}

// until waits for the order to be as wanted.
func (a *app) until(orderID, wanted string, is func(*order.Order) bool) *order.Order {
	a.t.Helper()
	var last *order.Order
	require.Eventually(a.t, func() bool {
		last = a.order(orderID)
		return is(last)
	}, 40*time.Second, 20*time.Millisecond, "never became %s", wanted)
	return last
}
