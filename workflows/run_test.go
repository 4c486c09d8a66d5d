package workflows_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
	"github.com/waybill-oms/waybill/workflows/runs"
)

// refusing is a store that refuses, for good, what a deadline would do.
type refusing struct{ *store.Store }

func (r refusing) Change(ctx context.Context, orderID string, cmd *store.Command, act order.Act, decide func(*order.Order) error) (*order.Order, error) {
	if activity.GetInfo(ctx).ActivityType.Name == "DeadlinePassed" {
		return nil, fault.Conflictf("test", "not now")
	}
	return r.Store.Change(ctx, orderID, cmd, act, decide)
}

// A deadline that cannot be kept would fill its run's history with timers, one a second.
func TestADeadlineThatCannotBeKeptIsLookedAtEverMoreRarely(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	c, err := worker.Connect(t.Context(), worker.Connection{Address: devtest.Temporal(t).Address, Namespace: "default", Log: log})
	require.NoError(t, err)
	defer c.Close()
	url := devtest.Database(t)
	s, err := store.Open(t.Context(), url, store.Options{})
	require.NoError(t, err)
	defer func() { _ = s.Close() }()
	box, err := sandbox.Open(t.Context(), url, sandbox.Options{})
	require.NoError(t, err)
	defer func() { _ = box.Close() }()
	policy := order.DefaultPolicy()
	policy.PaymentGrace = time.Second
	w := worker.New(c, t.Name(), &activities.Activities{Orders: refusing{s}, Carrier: box.Carrier(), Policy: policy, NewID: id.New,
		Payments: map[string]activities.PaymentGateway{"sandbox": box.Payments()}}, nil)
	require.NoError(t, w.Start())
	defer w.Stop()

	act := order.Act{At: time.Now().UTC().Truncate(time.Microsecond), Actor: "test", NewID: id.New, Policy: policy}
	_, err = s.PutLocation(t.Context(), store.Location{ID: "nyc", Name: "nyc", Country: "US", Priority: 1}, act)
	require.NoError(t, err)
	require.NoError(t, s.ChangeStock(t.Context(), &store.Command{Key: id.New("rcp"), Name: "receipt", Subject: "nyc"},
		inventory.Receipt, "nyc", []store.StockChange{{SKU: "TEE-M", Quantity: 1}}, "", act))
	o, _, err := s.Place(t.Context(), order.Placement{ExternalID: "1", Channel: "web", Currency: "USD",
		Customer: order.Customer{ID: "c-17", Name: "Ada", Email: "ada@example.com"},
		ShipTo:   shipping.Address{Name: "Ada", Line1: "1 Main St", City: "San Francisco", Region: "CA", PostalCode: "94107", Country: "US"},
		Lines:    []order.PlacedLine{{SKU: "TEE-M", Quantity: 1, UnitPrice: 1999}},
		Shipping: order.PlacedShipping{Service: "standard"},
		Payment:  order.PlacedPayment{Gateway: "sandbox", Token: "tok_action_required"}, Total: 1999,
	}.Normalize(), id.New(id.Order), "key", act)
	require.NoError(t, err)
	require.NoError(t, runs.New(c, t.Name()).Ensure(t.Context(), o))

	var timers []time.Duration
	require.Eventually(t, func() bool {
		timers = timersOf(t, c, workflows.WorkflowID(o.ID))
		return len(timers) >= 3
	}, 30*time.Second, 50*time.Millisecond)
	require.LessOrEqual(t, timers[0], time.Second, "the grace")
	require.Equal(t, []time.Duration{2 * time.Second, 4 * time.Second}, timers[1:3])
	require.NoError(t, c.TerminateWorkflow(t.Context(), workflows.WorkflowID(o.ID), "", "the end of the test"))
}

func timersOf(t *testing.T, c client.Client, runID string) []time.Duration {
	t.Helper()
	var timers []time.Duration
	history := c.GetWorkflowHistory(t.Context(), runID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		e, err := history.Next()
		require.NoError(t, err)
		if started := e.GetTimerStartedEventAttributes(); started != nil {
			timers = append(timers, started.StartToFireTimeout.AsDuration())
		}
	}
	return timers
}
