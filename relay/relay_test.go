package relay_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
	"github.com/waybill-oms/waybill/workflows/runs"
)

func TestMain(m *testing.M) {
	devtest.Migrate = store.Migrate
	devtest.SearchAttributes = workflows.SearchAttributes()
	devtest.NeedTemporal()
	os.Exit(devtest.Run(m))
}

// shop is a worker process with its relay, and stock for one order.
type shop struct {
	*worker.Process
	t      *testing.T
	client client.Client
}

func open(t *testing.T, change ...func(*worker.Options)) *shop {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	c, err := worker.Connect(t.Context(), worker.Connection{Address: devtest.Temporal(t).Address, Namespace: "default", Log: log})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	o := worker.Options{DatabaseURL: devtest.Database(t), Temporal: c, TaskQueue: t.Name(), Log: log,
		InboxEvery: 20 * time.Millisecond, SweepEvery: 200 * time.Millisecond, GrantEvery: 20 * time.Millisecond}
	for _, f := range change {
		f(&o)
	}
	p, err := worker.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Stop() })
	s := &shop{Process: p, t: t, client: c}
	_, err = p.Store.PutLocation(t.Context(), store.Location{ID: "nyc", Name: "nyc", Country: "US", Priority: 1}, act())
	require.NoError(t, err)
	s.receive(2)
	return s
}

func act() order.Act {
	return order.Act{At: time.Now().UTC().Truncate(time.Microsecond), Actor: "test", NewID: id.New, Policy: order.DefaultPolicy()}
}

func (s *shop) receive(quantity int64) {
	s.t.Helper()
	require.NoError(s.t, s.Store.ChangeStock(s.t.Context(), &store.Command{Key: id.New("rcp"), Name: "receipt", Subject: "nyc"},
		inventory.Receipt, "nyc", []store.StockChange{{SKU: "TEE-M", Quantity: quantity}}, "", act()))
}

func (s *shop) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), d)
	s.t.Cleanup(cancel)
	return ctx
}

// place has an order for two units decided.
func (s *shop) place(externalID, token string) *order.Order {
	s.t.Helper()
	p := order.Placement{ExternalID: externalID, Channel: "web", Currency: "USD", OnShortage: "backorder",
		Customer: order.Customer{ID: "c-17", Name: "Ada", Email: "ada@example.com"},
		ShipTo:   shipping.Address{Name: "Ada", Line1: "1 Main St", City: "San Francisco", Region: "CA", PostalCode: "94107", Country: "US"},
		Lines:    []order.PlacedLine{{SKU: "TEE-M", Quantity: 2, UnitPrice: 1999, Tax: 330}},
		Shipping: order.PlacedShipping{Service: "standard", Amount: 500},
		Payment:  order.PlacedPayment{Gateway: "sandbox", Token: token}, Total: 4828}.Normalize()
	require.NoError(s.t, p.Validate(worker.Gateways()...))
	o, _, err := s.Store.Place(s.t.Context(), p, id.New(id.Order), "key-"+externalID, act())
	require.NoError(s.t, err)
	_, err = s.Runs.Place(s.within(20*time.Second), o)
	require.NoError(s.t, err)
	return s.order(o.ID)
}

func (s *shop) order(orderID string) *order.Order {
	s.t.Helper()
	o, err := s.Store.Order(s.t.Context(), orderID)
	require.NoError(s.t, err)
	return o
}

func (s *shop) until(orderID, wanted string, is func(*order.Order) bool) *order.Order {
	s.t.Helper()
	var last *order.Order
	require.Eventually(s.t, func() bool {
		last = s.order(orderID)
		return is(last)
	}, 40*time.Second, 20*time.Millisecond, "never became %s", wanted)
	return last
}

func (s *shop) command(o *order.Order, name string, build func(activities.Caller) any) {
	s.t.Helper()
	c := activities.Caller{Key: name + o.ID, Fingerprint: name, Actor: "test"}
	_, err := s.Runs.Command(s.within(30*time.Second), order.ReturnRef{OrderID: o.ID}, name, c.Key, build(c), s.load(o))
	require.NoError(s.t, err)
}

// load reads the order for a run that has to be started.
func (s *shop) load(o *order.Order) runs.Load {
	return func(ctx context.Context) (*order.Order, error) { return s.Store.Order(ctx, o.ID) }
}

// delivered takes a new order to its customer.
func (s *shop) delivered(token string) *order.Order {
	s.t.Helper()
	o := s.place("1001", token)
	f, line := o.Fulfillments[0].ID, o.Lines[0].ID
	s.command(o, workflows.UpdatePick, func(c activities.Caller) any {
		return activities.PickCommand{Caller: c, FulfillmentID: f, Lines: []order.PickedUnits{{LineID: line, Quantity: 2}}}
	})
	s.command(o, workflows.UpdatePack, func(c activities.Caller) any {
		return activities.PackCommand{Caller: c, FulfillmentID: f,
			Parcels: []order.Parcel{{WeightGrams: 500, Lines: []order.UnitsOf{{LineID: line, Quantity: 2}}}}}
	})
	s.command(o, workflows.UpdateShip, func(c activities.Caller) any { return activities.ShipCommand{Caller: c, FulfillmentID: f} })
	at := act()
	o, err := s.Store.Change(s.t.Context(), o.ID, nil, at, func(o *order.Order) error {
		return o.Scanned(o.Shipments[0].ID, shipping.Scan{Status: shipping.Delivered, OccurredAt: at.At}, at)
	})
	require.NoError(s.t, err)
	return s.until(o.ID, "settled", func(o *order.Order) bool { return o.Settled })
}

// sendBack announces that the order's units come back.
func (s *shop) sendBack(o *order.Order) (*order.Order, *order.Return) {
	s.t.Helper()
	var returnID string
	at := act()
	o, err := s.Store.Change(s.t.Context(), o.ID, nil, at, func(o *order.Order) error {
		ret, err := o.RequestReturn(order.ReturnRequest{Lines: []order.ReturnedUnits{
			{LineID: o.Lines[0].ID, Quantity: 2, Reason: returns.ChangedMind}}}, at)
		if err == nil {
			returnID = ret.ID
		}
		return err
	})
	require.NoError(s.t, err)
	return o, o.Return(returnID)
}

func (s *shop) commandReturn(o *order.Order, ret *order.Return, name string, build func(activities.Caller) any) order.Facts {
	s.t.Helper()
	c := activities.Caller{Key: name + ret.ID, Fingerprint: name, Actor: "test"}
	facts, err := s.Runs.Command(s.within(30*time.Second), order.ReturnRef{OrderID: o.ID, ReturnID: ret.ID}, name, c.Key, build(c), s.load(o))
	require.NoError(s.t, err)
	require.Equal(s.t, ret.ID, facts.ReturnID)
	return facts
}

func (s *shop) approve(o *order.Order, ret *order.Return) order.Facts {
	s.t.Helper()
	return s.commandReturn(o, ret, workflows.UpdateApprove, func(c activities.Caller) any { return activities.ReturnApproval{Caller: c} })
}

func (s *shop) goods(o *order.Order, ret *order.Return) order.Facts {
	s.t.Helper()
	return s.commandReturn(o, ret, workflows.UpdateReceive, func(c activities.Caller) any {
		return activities.ReturnReceipt{Caller: c, ReceivedItems: order.ReceivedItems{LocationID: "nyc",
			Lines: []order.UnitsOf{{LineID: o.Lines[0].ID, Quantity: 2}}}}
	})
}

func (s *shop) inspect(o *order.Order, ret *order.Return) order.Facts {
	s.t.Helper()
	return s.commandReturn(o, ret, workflows.UpdateInspect, func(c activities.Caller) any {
		return activities.ReturnInspection{Caller: c, Lines: []order.InspectedUnits{
			{LineID: o.Lines[0].ID, Quantity: 2, Grade: returns.GradeA}}}
	})
}

// run describes the return's run, once there is one as wanted.
func (s *shop) run(ret *order.Return, wanted string, is func(*workflowpb.WorkflowExecutionInfo) bool) *workflowpb.WorkflowExecutionInfo {
	s.t.Helper()
	var info *workflowpb.WorkflowExecutionInfo
	require.Eventually(s.t, func() bool {
		d, err := s.client.DescribeWorkflowExecution(s.t.Context(), workflows.ReturnWorkflowID(ret.ID), "")
		info = d.GetWorkflowExecutionInfo()
		return err == nil && is(info)
	}, 20*time.Second, 20*time.Millisecond, "the return's run never was %s", wanted)
	return info
}

func running(info *workflowpb.WorkflowExecutionInfo) bool {
	return info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}

func (s *shop) shows(info *workflowpb.WorkflowExecutionInfo, attribute string) string {
	s.t.Helper()
	var value string
	if p := info.GetSearchAttributes().GetIndexedFields()[attribute]; p != nil {
		require.NoError(s.t, converter.GetDefaultDataConverter().FromPayload(p, &value))
	}
	return value
}
