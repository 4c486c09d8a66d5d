package worker_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
	"github.com/waybill-oms/waybill/workflows/runs"
)

func TestMain(m *testing.M) {
	childMain()
	devtest.Migrate = store.Migrate
	devtest.SearchAttributes = workflows.SearchAttributes()
	devtest.NeedTemporal()
	os.Exit(devtest.Run(m))
}

// app is a whole Waybill without its API: the real database, the real Temporal, a worker.
type app struct {
	*worker.Process
	t       testing.TB
	client  client.Client
	address string // of Temporal
	options worker.Options
}

func start(t testing.TB, change ...func(*worker.Options)) *app {
	t.Helper()
	return startOn(t, devtest.Temporal(t).Address, change...)
}

// startOn starts an app on a Temporal server of the test's own.
func startOn(t testing.TB, address string, change ...func(*worker.Options)) *app {
	t.Helper()
	a := bystander(t, address, change...)
	a.work()
	return a
}

// bystander is an app on whose orders this process does not work: it places them, commands them and looks.
func bystander(t testing.TB, address string, change ...func(*worker.Options)) *app {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	c, err := worker.Connect(t.Context(), worker.Connection{Address: address, Namespace: "default", Log: log})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	o := worker.Options{Temporal: c, TaskQueue: t.Name(), Log: log,
		InboxEvery: 20 * time.Millisecond, SweepEvery: 200 * time.Millisecond}
	for _, f := range change {
		f(&o)
	}
	if o.DatabaseURL == "" {
		o.DatabaseURL = devtest.Database(t)
	}
	s, err := store.Open(t.Context(), o.DatabaseURL, store.Options{MaxConns: 4})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	a := &app{Process: &worker.Process{Store: s, Runs: runs.New(c, o.TaskQueue)}, t: t, client: c, address: address, options: o}
	a.stock("nyc", "TEE-M", 10)
	return a
}

// work makes this process a worker too.
func (a *app) work() {
	a.t.Helper()
	p, err := worker.Start(a.t.Context(), a.options)
	require.NoError(a.t, err)
	a.t.Cleanup(func() { _ = p.Stop() })
	a.Process = p
}

func act() order.Act {
	return order.Act{At: time.Now().UTC().Truncate(time.Microsecond), Actor: "test", NewID: id.New, Policy: order.DefaultPolicy()}
}

func (a *app) stock(location, sku string, quantity int64) {
	a.t.Helper()
	_, err := a.Store.PutLocation(a.t.Context(), store.Location{ID: location, Name: location, Country: "US", Priority: 1}, act())
	require.NoError(a.t, err)
	require.NoError(a.t, a.Store.ChangeStock(a.t.Context(), &store.Command{Key: id.New("rcp"), Name: "receipt", Subject: location},
		inventory.Receipt, location, []store.StockChange{{SKU: sku, Quantity: quantity}}, "", act()))
}

// placement is the order of the README: two units for 48.28 USD.
func placement(externalID, token string) order.Placement {
	return order.Placement{
		ExternalID: externalID, Channel: "web", Currency: "USD",
		Customer: order.Customer{ID: "c-17", Name: "Ada", Email: "ada@example.com"},
		ShipTo:   shipping.Address{Name: "Ada", Line1: "1 Main St", City: "San Francisco", Region: "CA", PostalCode: "94107", Country: "US"},
		Lines:    []order.PlacedLine{{SKU: "TEE-M", Quantity: 2, UnitPrice: 1999, Tax: 330}},
		Shipping: order.PlacedShipping{Service: "standard", Amount: 500},
		Payment:  order.PlacedPayment{Gateway: "sandbox", Token: token}, Total: 4828,
	}.Normalize()
}

// store writes an order down without starting a run.
func (a *app) write(p order.Placement) *order.Order {
	a.t.Helper()
	require.NoError(a.t, p.Validate(worker.Gateways()...))
	o, _, err := a.Store.Place(a.t.Context(), p, id.New(id.Order), "key-"+p.ExternalID, act())
	require.NoError(a.t, err)
	return o
}

// place writes an order down and waits for its decision.
func (a *app) place(p order.Placement) *order.Order {
	a.t.Helper()
	o := a.write(p)
	_, err := a.Runs.Place(a.within(20*time.Second), o)
	require.NoError(a.t, err)
	return a.order(o.ID)
}

func (a *app) order(orderID string) *order.Order {
	a.t.Helper()
	o, err := a.Store.Order(context.Background(), orderID)
	require.NoError(a.t, err)
	return o
}

func (a *app) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(a.t.Context(), d)
	a.t.Cleanup(cancel)
	return ctx
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

func (a *app) settled(orderID string) *order.Order {
	a.t.Helper()
	return a.until(orderID, "settled", func(o *order.Order) bool { return o.Settled })
}

// command sends a command under a key of its own.
func (a *app) command(o *order.Order, name, key string, command any) error {
	a.t.Helper()
	_, err := a.Runs.Command(a.within(30*time.Second), order.ReturnRef{OrderID: o.ID}, name, key+"/"+o.ID, command, a.load(o.ID))
	return err
}

// load reads the order for a run that has to be started.
func (a *app) load(orderID string) runs.Load {
	return func(ctx context.Context) (*order.Order, error) { return a.Store.Order(ctx, orderID) }
}

func caller(o *order.Order, name string) activities.Caller {
	return activities.Caller{On: activities.On{OrderID: o.ID}, Key: name + "/" + o.ID, Fingerprint: name, Actor: "test"}
}

func (a *app) pick(o *order.Order) error {
	f := o.Fulfillments[0]
	return a.command(o, workflows.UpdatePick, "pick", activities.PickCommand{Caller: caller(o, "pick"), FulfillmentID: f.ID, Lines: found(f)})
}

func (a *app) pack(o *order.Order) error {
	f := o.Fulfillments[0]
	return a.command(o, workflows.UpdatePack, "pack", activities.PackCommand{Caller: caller(o, "pack"), FulfillmentID: f.ID,
		Parcels: []order.Parcel{{WeightGrams: 500, Lines: units(f)}}})
}

func (a *app) ship(o *order.Order) error {
	return a.command(o, workflows.UpdateShip, "ship", activities.ShipCommand{Caller: caller(o, "ship"), FulfillmentID: o.Fulfillments[0].ID})
}

func (a *app) cancel(o *order.Order) error {
	return a.command(o, workflows.UpdateCancel, "cancel", activities.CancelCommand{Caller: caller(o, "cancel"), Reason: "changed my mind"})
}

func (a *app) scan(o *order.Order, status shipping.Tracking) {
	a.t.Helper()
	at := act()
	_, err := a.Store.Change(a.t.Context(), o.ID, nil, at, func(o *order.Order) error {
		return o.Scanned(o.Shipments[0].ID, shipping.Scan{Status: status, OccurredAt: at.At}, at)
	})
	require.NoError(a.t, err)
}

func found(f order.Fulfillment) []order.PickedUnits {
	var out []order.PickedUnits
	for _, l := range f.Lines {
		out = append(out, order.PickedUnits{LineID: l.LineID, Quantity: l.Quantity})
	}
	return out
}

func units(f order.Fulfillment) []order.UnitsOf {
	var out []order.UnitsOf
	for _, l := range f.Lines {
		out = append(out, order.UnitsOf{LineID: l.LineID, Quantity: l.Quantity})
	}
	return out
}
