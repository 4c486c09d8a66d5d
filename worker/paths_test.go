package worker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

// path is one way through the Order workflow. Its history is recorded once, and replayed for ever after: see
// workflows/testdata/histories.
type path struct {
	name string
	walk func(t *testing.T, a *app) string // returns the order's id
}

// TestPaths walks every path on a real server. WAYBILL_RECORD_HISTORIES=1 records the histories of paths that have
// none yet; it never replaces one.
func TestPaths(t *testing.T) {
	grace := order.DefaultPolicy()
	grace.PaymentGrace = 2 * time.Second
	a := start(t, func(o *worker.Options) { o.Policy = &grace })
	a.stock("nyc", "TEE-M", 1000)
	for _, p := range append(moneyPaths, append(parcelPaths, runPaths...)...) {
		t.Run(p.name, func(t *testing.T) {
			b := *a
			b.t = t
			orderID := p.walk(t, &b)
			record(t, &b, p.name, orderID)
		})
	}
}

func record(t *testing.T, a *app, name, orderID string) {
	file := filepath.Join("..", "workflows", "testdata", "histories", strings.ReplaceAll(name, " ", "-")+".json")
	if _, err := os.Stat(file); err == nil || os.Getenv("WAYBILL_RECORD_HISTORIES") == "" {
		return
	}
	body, err := protojson.Marshal(&historypb.History{Events: a.history(orderID)})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, body, 0o644))
}

// delivered takes an accepted order through the warehouse to the customer.
func (a *app) delivered(o *order.Order) {
	a.t.Helper()
	require.NoError(a.t, a.pick(o))
	require.NoError(a.t, a.pack(o))
	require.NoError(a.t, a.ship(o))
	a.scan(a.order(o.ID), shipping.Delivered)
	require.Equal(a.t, order.Completed, a.settled(o.ID).Status)
}

func (a *app) pay(o *order.Order, token, key string) error {
	c := caller(o, key)
	return a.command(o, workflows.UpdatePayment, key, activities.PaymentCommand{Caller: c, Gateway: "sandbox", Token: token})
}

func (a *app) resume(o *order.Order) error {
	return a.command(o, workflows.UpdateResume, "resume", activities.ResumeCommand{Caller: caller(o, "resume")})
}

func requireCode(t testing.TB, err error, code string) {
	t.Helper()
	require.Error(t, err)
	require.NotNil(t, fault.As(err), "%v", err)
	require.Equal(t, code, fault.As(err).Code)
}

var moneyPaths = []path{
	{"plain", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_ok"))
		a.delivered(o)
		return o.ID
	}},
	{"declined, then another token", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_declined"))
		require.Equal(t, order.DecisionDecline, o.Decision)
		require.Equal(t, order.WaitingPayment, o.WaitingFor)
		require.NoError(t, a.pay(o, "tok_ok", "second"))
		o = a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
		a.delivered(o)
		return o.ID
	}},
	{"action required, then expired", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_action_required"))
		require.Equal(t, order.DecisionAction, o.Decision)
		require.Equal(t, order.WaitingCustomer, o.WaitingFor)
		require.Equal(t, order.Expired, a.settled(o.ID).Status)
		return o.ID
	}},
	{"authorization with a lost answer", func(t *testing.T, a *app) string {
		o := a.write(placement(t.Name(), "tok_timeout_after"))
		_, _ = a.Runs.Place(a.within(20*time.Second), o)
		o = a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
		a.delivered(o)
		return o.ID
	}},
	{"capture with a lost answer", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_capture_timeout_after"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.ship(o), "asked for: the gateway's answer is awaited by a visible activity")
		a.until(o.ID, "shipped", func(o *order.Order) bool { return o.FulfillmentAxis == "shipped" })
		a.scan(a.order(o.ID), shipping.Delivered)
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		return o.ID
	}},
	{"another amount authorized", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_wrong_amount"))
		require.Equal(t, order.AttentionGatewayMismatch, o.AttentionCode)
		a.until(o.ID, "voided", func(o *order.Order) bool { return o.Payments[0].Voided == 4827 })
		require.NoError(t, a.pay(o, "tok_ok", "second"))
		o = a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
		require.Empty(t, o.AttentionCode)
		a.delivered(o)
		return o.ID
	}},
	{"capture refused, then another token", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_capture_refused"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.ship(o))
		o = a.order(o.ID)
		require.Equal(t, order.ShipmentHeld, o.Shipments[0].Status)
		require.Equal(t, order.AttentionCaptureRefused, o.AttentionCode)
		require.NoError(t, a.pay(o, "tok_ok", "second"))
		require.NoError(t, a.command(o, workflows.UpdateShip, "ship again", activities.ShipCommand{
			Caller: caller(o, "ship again"), FulfillmentID: o.Fulfillments[0].ID}))
		o = a.order(o.ID)
		require.Equal(t, "shipped", o.FulfillmentAxis)
		require.EqualValues(t, 4828, o.Payments[0].Voided)
		require.EqualValues(t, 4828, o.Payments[1].Captured)
		a.scan(o, shipping.Delivered)
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		return o.ID
	}},
	{"nothing to pay", func(t *testing.T, a *app) string {
		p := placement(t.Name(), "tok_ok")
		p.Lines[0].UnitPrice, p.Lines[0].Tax, p.Shipping.Amount, p.Total = 0, 0, 0, 0
		o := a.place(p)
		require.Equal(t, order.Accepted, o.Status)
		require.Empty(t, o.Payments)
		a.delivered(o)
		return o.ID
	}},
	{"paid elsewhere", func(t *testing.T, a *app) string {
		p := placement(t.Name(), "paid:elsewhere-1")
		p.Payment.Gateway = "external"
		o := a.place(p)
		require.Equal(t, "paid", o.PaymentAxis)
		a.delivered(o)
		require.Len(t, a.order(o.ID).Operations, 2, "authorize and label: nothing to capture")
		return o.ID
	}},
}

var parcelPaths = []path{
	{"split over two locations", func(t *testing.T, a *app) string {
		a.stock("east", "MUG", 1)
		a.stock("west", "MUG", 1)
		p := placement(t.Name(), "tok_ok")
		p.Lines[0].SKU = "MUG"
		o := a.place(p)
		require.Len(t, o.Fulfillments, 2)
		for i, f := range o.Fulfillments {
			c := func(name string) activities.Caller { return caller(o, name+f.ID) }
			require.NoError(t, a.command(o, workflows.UpdatePick, "pick"+f.ID, activities.PickCommand{Caller: c("pick"), FulfillmentID: f.ID, Lines: units(f)}))
			require.NoError(t, a.command(o, workflows.UpdatePack, "pack"+f.ID, activities.PackCommand{Caller: c("pack"), FulfillmentID: f.ID,
				Parcels: []order.Parcel{{WeightGrams: 300, Lines: units(f)}}}))
			require.NoError(t, a.command(o, workflows.UpdateShip, "ship"+f.ID, activities.ShipCommand{Caller: c("ship"), FulfillmentID: f.ID}))
			require.Equal(t, i+1, len(a.order(o.ID).Shipments))
		}
		o = a.order(o.ID)
		require.EqualValues(t, 2164+500, o.Shipments[0].Amount, "the first parcel carries the shipping")
		require.EqualValues(t, 2164, o.Shipments[1].Amount)
		require.EqualValues(t, 4828, o.Payments[0].Captured)
		for _, s := range o.Shipments {
			at := act()
			_, err := a.Store.Change(t.Context(), o.ID, nil, at, func(o *order.Order) error {
				return o.Scanned(s.ID, shipping.Scan{Status: shipping.Delivered, OccurredAt: at.At}, at)
			})
			require.NoError(t, err)
		}
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		return o.ID
	}},
	{"race for the stock lost", func(t *testing.T, a *app) string {
		a.stock("nyc", "RARE", 2)
		p, q := placement(t.Name()+"/winner", "tok_ok"), placement(t.Name()+"/loser", "tok_ok")
		p.Lines[0].SKU, q.Lines[0].SKU = "RARE", "RARE"
		winner, loser := a.write(p), a.write(q)
		_, err := a.Runs.Place(a.within(20*time.Second), winner)
		require.NoError(t, err)
		_, err = a.Runs.Place(a.within(20*time.Second), loser)
		require.NoError(t, err)
		statuses := []order.Status{a.order(winner.ID).Status, a.order(loser.ID).Status}
		require.ElementsMatch(t, []order.Status{order.Accepted, order.Rejected}, statuses)
		if statuses[0] == order.Rejected { // the sweeper may have been first
			winner, loser = loser, winner
		}
		o := a.settled(loser.ID)
		require.Equal(t, order.DecisionShort, o.Decision)
		require.EqualValues(t, 4828, o.Payments[0].Voided)
		return o.ID
	}},
	{"cancelled when accepted", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_ok"))
		require.NoError(t, a.cancel(o))
		o = a.settled(o.ID)
		require.Equal(t, order.Cancelled, o.Status)
		require.EqualValues(t, 4828, o.Payments[0].Voided)
		return o.ID
	}},
	{"cancelled when packed", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_ok"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.cancel(o))
		o = a.settled(o.ID)
		require.Equal(t, order.ShipmentCancelled, o.Shipments[0].Status)
		require.Len(t, o.Operations, 4, "authorize, label, and both taken back")
		return o.ID
	}},
	{"cancelled when held", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_capture_refused"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.ship(o))
		require.NoError(t, a.cancel(o))
		o = a.settled(o.ID)
		require.EqualValues(t, 4828, o.Payments[0].Voided)
		return o.ID
	}},
	{"cancelled too late", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_ok"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.ship(o))
		requireCode(t, a.cancel(o), "already_shipped")
		a.scan(a.order(o.ID), shipping.Delivered)
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		return o.ID
	}},
	{"label refused, then cancelled", func(t *testing.T, a *app) string {
		p := placement(t.Name(), "tok_ok")
		p.ShipTo.PostalCode = "00001"
		o := a.place(p)
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		o = a.order(o.ID)
		require.Equal(t, order.ShipmentLabelRefused, o.Shipments[0].Status)
		require.Equal(t, order.AttentionLabelRefused, o.AttentionCode)
		requireCode(t, a.ship(o), "nothing_to_ship")
		require.NoError(t, a.resume(o))
		o = a.order(o.ID)
		require.Equal(t, order.AttentionLabelRefused, o.AttentionCode, "asked again under a new key, and refused again")
		require.Len(t, o.Operations, 3)
		require.NoError(t, a.cancel(o))
		require.Equal(t, order.Cancelled, a.settled(o.ID).Status)
		return o.ID
	}},
	{"lost, then found", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_ok"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.ship(o))
		o = a.order(o.ID)
		a.scan(o, shipping.Lost)
		require.Equal(t, order.AttentionParcelLost, a.order(o.ID).AttentionCode)
		a.scan(o, shipping.Delivered)
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		return o.ID
	}},
}

var runPaths = []path{
	{"terminated when packed", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_ok"))
		a.drive(o.ID, 1, 3)
		require.NoError(t, a.client.TerminateWorkflow(t.Context(), "order/"+o.ID, "", "by hand"))
		a.drive(o.ID, 3, len(stages))
		return o.ID
	}},
	{"reset to the first task when shipped", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_ok"))
		a.drive(o.ID, 1, 4)
		a.reset(o.ID, 0)
		a.drive(o.ID, 4, len(stages))
		return o.ID
	}},
	{"cancellation requested in Temporal", func(t *testing.T, a *app) string {
		o := a.place(placement(t.Name(), "tok_ok"))
		require.NoError(t, a.client.CancelWorkflow(t.Context(), "order/"+o.ID, ""))
		require.Equal(t, order.Cancelled, a.settled(o.ID).Status)
		return o.ID
	}},
	{"unknown gateway, given up and resumed", func(t *testing.T, a *app) string {
		p := placement(t.Name(), "tok_ok")
		p.Payment.Gateway = "gone"
		o, _, err := a.Store.Place(t.Context(), p, "ord_"+strings.Repeat("0", 26), "key-gone", act())
		require.NoError(t, err)
		o = a.until(o.ID, "in need of attention", func(o *order.Order) bool { return o.AttentionCode == order.AttentionStepFailed })
		require.NoError(t, a.resume(o))
		a.until(o.ID, "in need of attention again", func(o *order.Order) bool { return o.AttentionCode == order.AttentionStepFailed })
		require.NoError(t, a.client.TerminateWorkflow(t.Context(), "order/"+o.ID, "", "the end of the test"))
		return o.ID
	}},
}
