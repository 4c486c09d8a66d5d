package worker_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

// withAnother is an app on whose orders two processes work: this one and a child, whose pid it returns.
func withAnother(t *testing.T, change ...func(*worker.Options)) (a *app, pid string) {
	t.Helper()
	a = start(t, change...)
	pid = strconv.Itoa(a.another(death{}).PID)
	require.Eventually(t, func() bool {
		d, err := a.client.DescribeTaskQueue(t.Context(), a.options.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
		return err == nil && slices.ContainsFunc(d.GetPollers(), func(p *taskqueuepb.PollerInfo) bool {
			return strings.HasPrefix(p.GetIdentity(), pid+"@")
		})
	}, time.Minute, 20*time.Millisecond, "the other process never asked for work")
	return a, pid
}

// insist sends a command until its outcome is known, as a client does: the same one under the same key.
func (a *app) insist(send func() error) error {
	a.t.Helper()
	give := time.Now().Add(2 * time.Minute)
	for {
		err := send()
		f := fault.As(err)
		if f == nil || f.Kind != fault.Unavailable {
			return err
		}
		require.True(a.t, time.Now().Before(give), "%v", err)
		select {
		case <-time.After(f.RetryAfter):
		case <-a.t.Context().Done():
			return a.t.Context().Err()
		}
	}
}

// atOnce does n things at the same moment and returns what came of each: "", or the code of its refusal.
func (a *app) atOnce(n int, do func(i int) error) []string {
	a.t.Helper()
	errs := make([]error, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			errs[i] = a.insist(func() error { return do(i) })
		})
	}
	close(begin)
	all.Wait()
	codes := make([]string, n)
	for i, err := range errs {
		if f := fault.As(err); f != nil {
			require.Equal(a.t, fault.Conflict, f.Kind, "%v", f)
			codes[i] = f.Code
		} else {
			require.NoError(a.t, err)
		}
	}
	return codes
}

// happened counts the events of one type.
func (a *app) happened(o *order.Order, event string) int {
	a.t.Helper()
	return len(a.query(`SELECT sequence FROM events WHERE order_id = $1 AND type = $2`, o.ID, event))
}

// Many buyers want the last unit, each through a run of his own; two worker processes serve them.
func TestManyOrdersForOneUnit(t *testing.T) {
	t.Parallel()
	a, other := withAnother(t, func(o *worker.Options) { o.SweepEvery = time.Minute }) // they are to start together
	a.stock("nyc", "RARE", 1)
	const buyers = 48
	orders := make([]*order.Order, buyers)
	for i := range orders {
		p := placement(fmt.Sprint("buyer-", i), "tok_ok")
		p.Lines[0] = order.PlacedLine{ExternalID: "1", SKU: "RARE", Quantity: 1, UnitPrice: 1999, Tax: 330}
		p.Total = 1999 + 330 + 500
		orders[i] = a.write(p)
	}
	var all sync.WaitGroup
	for _, o := range orders {
		all.Go(func() { a.decided(o) })
	}
	all.Wait()
	served, processes := 0, map[string]bool{}
	for _, o := range orders {
		switch o = a.answered(o); o.Status {
		case order.Accepted:
			served++
			require.NoError(t, a.cancel(o))
			require.Equal(t, order.Cancelled, a.settled(o.ID).Status)
		default:
			require.Equal(t, order.Rejected, o.Status)
			require.Equal(t, order.DecisionShort, o.Decision)
		}
		if len(o.Payments) == 0 {
			continue // turned away at the door: the machine is slow
		}
		require.ElementsMatch(t, []string{"authorize 2829", "void 2829"}, a.applied(o.ID))
		for _, e := range a.history(o.ID) {
			process, _, _ := strings.Cut(e.GetWorkflowTaskStartedEventAttributes().GetIdentity(), "@")
			processes[process] = true
		}
	}
	require.Equal(t, 1, served)
	require.True(t, processes[other], "the other process took part")
	a.books()
}

// Two locations hand their parcels of one order over at the same moment, twice each, from one payment.
func TestParcelsOfOnePayment(t *testing.T) {
	t.Parallel()
	a, _ := withAnother(t)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() { t.Run(strconv.Itoa(i), func(t *testing.T) { a.in(t).shipTwoParcels(fmt.Sprint("MUG-", i)) }) })
	}
	all.Wait()
	a.books()
}

func (a *app) shipTwoParcels(sku string) {
	a.stock("east", sku, 1)
	a.stock("west", sku, 1)
	p := placement(sku, "tok_ok")
	p.Lines[0].SKU = sku
	o := a.write(p)
	a.decided(o)
	o = a.answered(o)
	require.Len(a.t, o.Fulfillments, 2)
	for _, f := range o.Fulfillments {
		c := func(name string) activities.Caller { return caller(o, name+f.ID) }
		require.NoError(a.t, a.command(o, workflows.UpdatePick, "pick"+f.ID, activities.PickCommand{
			Caller: c("pick"), FulfillmentID: f.ID, Lines: found(f)}))
		require.NoError(a.t, a.command(o, workflows.UpdatePack, "pack"+f.ID, activities.PackCommand{
			Caller: c("pack"), FulfillmentID: f.ID, Parcels: []order.Parcel{{WeightGrams: 300, Lines: units(f)}}}))
	}
	o = a.answered(o)
	for _, code := range a.atOnce(4, func(i int) error {
		key := fmt.Sprint("ship", i)
		return a.command(o, workflows.UpdateShip, key, activities.ShipCommand{Caller: caller(o, key), FulfillmentID: o.Fulfillments[i%2].ID})
	}) {
		require.Contains(a.t, []string{"", "fulfillment_closed"}, code)
	}
	o = a.answered(o)
	require.Equal(a.t, "shipped", o.FulfillmentAxis)
	require.ElementsMatch(a.t, []string{"authorize 4828", "capture 2664", "capture 2164", "label", "label"}, a.applied(o.ID))
	for _, s := range o.Shipments {
		at := act()
		_, err := a.Store.Change(a.t.Context(), o.ID, nil, at, func(o *order.Order) error {
			return o.Scanned(s.ID, shipping.Scan{Status: shipping.Delivered, OccurredAt: at.At}, at)
		})
		require.NoError(a.t, err)
	}
	require.Equal(a.t, order.Completed, a.settled(o.ID).Status)
}

// The gateway's late answer comes in while a cancel lets everything go: the command is answered, and the run ends
// when nobody works for it any more. (A run that ends with something unheard is refused by the server, and the command
// that ended it is lost.)
func TestLateAnswerWhileCancelling(t *testing.T) {
	t.Parallel()
	var visits atomic.Int64
	var once sync.Once
	written, release, unheard := make(chan struct{}), make(chan struct{}), make(chan func() bool, 1)
	a := start(t, func(o *worker.Options) {
		o.Reached = func(point string) {
			switch point {
			case "Order/Authorize/" + activities.AfterCommit:
				if visits.Add(1) == 2 { // the first, local attempt met an error 500; this is the visible one
					close(written)
					<-release
				}
			case "Order/Void/" + activities.BeforeEffect: // in the workflow task that cancels
				once.Do(func() {
					close(release)
					for reported := <-unheard; !reported(); <-time.After(5 * time.Millisecond) {
					}
				})
			}
		}
	})
	o := a.write(placement("late", "tok_error_500"))
	unheard <- func() bool {
		d, err := a.client.DescribeWorkflowExecution(t.Context(), "order/"+o.ID, "")
		return t.Context().Err() != nil || err == nil && len(d.GetPendingActivities()) == 0
	}
	require.NoError(t, a.Runs.Ensure(t.Context(), o))
	select {
	case <-written:
	case <-time.After(time.Minute):
		require.Fail(t, "the visible activity never wrote its answer")
	}
	require.NoError(t, a.cancel(o))
	require.Equal(t, order.Cancelled, a.settled(o.ID).Status)
	require.NoError(t, a.client.GetWorkflow(t.Context(), "order/"+o.ID, "").Get(a.within(time.Minute), nil))
	for _, e := range a.history(o.ID) {
		require.NotEqual(t, enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, e.EventType, "%v", e)
	}
	require.ElementsMatch(t, []string{"authorize 4828", "void 4828"}, a.applied(o.ID))
	a.books()
}
