package worker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/worker"
)

// crashesAtOnce bounds how many crashes are under way together. Most of a crash is waiting: a workflow task that
// died with its worker is given to another one after ten seconds.
const crashesAtOnce = 10

// story is an order's whole life, told the same way whoever dies in it.
type story struct {
	name       string
	change     func(*order.Placement) // of the README's order
	grace      time.Duration
	tell       func(c *crash)
	activities []string // at whose points somebody dies
	// What there is at the end, of which a crash must change nothing.
	status     order.Status
	attention  string   // where the story ends without the order being settled
	events     []string // of the timeline
	operations []string // in the gateway's and the carrier's own ledgers
	onHand     int64    // of the ten units
}

var stories = []story{
	{
		name: "plain", tell: func(c *crash) { c.place(); c.pick(); c.pack(); c.ship(); c.deliver() },
		activities: []string{"Authorize", "Allocate", "Pick", "Pack", "BuyLabel", "Ship", "Capture"},
		status:     order.Completed, onHand: 8,
		events:     slices.Concat(accepted, picked, packed, shipped),
		operations: plain.applied,
	},
	{
		name: "cancelled when packed", tell: func(c *crash) { c.place(); c.pick(); c.pack(); c.cancel() },
		activities: []string{"Cancel", "Void", "VoidLabel"},
		status:     order.Cancelled, onHand: 10,
		events:     slices.Concat(accepted, picked, packed, cancelledParcel, []string{"payment.voided", "shipment.label_voided"}),
		operations: []string{"authorize 4828", "void 4828", "label", "void_label"},
	},
	{
		name:   "paid at the second attempt",
		change: func(p *order.Placement) { p.Payment.Token = "tok_declined" },
		tell: func(c *crash) {
			c.place()
			c.pay("tok_ok")
			c.pick()
			c.pack()
			c.ship()
			c.deliver()
		},
		activities: []string{"NewPayment"},
		status:     order.Completed, onHand: 8,
		events:     slices.Concat(declined, []string{"payment.requested", "payment.authorized", "order.hold_released"}, accepted[2:], picked, packed, shipped),
		operations: []string{"authorize refused", "authorize 4828", "capture 4828", "label"},
	},
	{
		name: "never paid", grace: time.Millisecond,
		change:     func(p *order.Placement) { p.Payment.Token = "tok_declined" },
		tell:       func(c *crash) { c.place() },
		activities: []string{"DeadlinePassed"},
		status:     order.Expired, onHand: 10,
		events:     slices.Concat(declined, []string{"order.hold_released", "order.expired"}),
		operations: []string{"authorize refused"},
	},
	{
		name:       "captured wrongly and cancelled",
		change:     func(p *order.Placement) { p.Payment.Token = "tok_capture_wrong_amount" },
		tell:       func(c *crash) { c.place(); c.pick(); c.pack(); c.ship(); c.cancel() },
		activities: []string{"Refund"},
		status:     order.Cancelled, onHand: 10,
		events: slices.Concat(accepted, picked, packed, []string{"payment.captured", "shipment.held", "order.attention_raised",
			"order.attention_cleared"}, cancelledParcel, []string{"payment.voided", "payment.refunded", "shipment.label_voided"}),
		operations: []string{"authorize 4828", "capture 4827", "void 1", "refund 4827", "label", "void_label"},
	},
	{
		name:       "no label, resumed and cancelled",
		change:     func(p *order.Placement) { p.ShipTo.PostalCode = "00001" },
		tell:       func(c *crash) { c.place(); c.pick(); c.pack(); c.resume(); c.cancel() },
		activities: []string{"Resume"},
		status:     order.Cancelled, onHand: 10,
		events: slices.Concat(accepted, picked, []string{"fulfillment.packed", "shipment.label_refused", "order.attention_raised",
			"order.attention_cleared", "shipment.label_refused", "order.attention_raised", "order.attention_cleared"},
			cancelledParcel, []string{"payment.voided"}),
		operations: []string{"authorize 4828", "void 4828", "label refused", "label refused"},
	},
	{
		name:       "paid by a gateway that is gone",
		change:     func(p *order.Placement) { p.Payment.Gateway = "gone" },
		tell:       func(c *crash) { c.place() },
		activities: []string{"StepFailed"},
		status:     order.Received, attention: order.AttentionStepFailed, onHand: 10,
		events: []string{"order.received", "order.attention_raised"},
	},
}

// What happens in the stories, event by event.
var (
	accepted        = []string{"order.received", "payment.authorized", "order.accepted", "fulfillment.opened"}
	declined        = []string{"order.received", "payment.declined", "order.hold_placed"}
	picked          = []string{"fulfillment.picked", "order.processing"}
	packed          = []string{"fulfillment.packed", "shipment.labeled"}
	shipped         = []string{"payment.captured", "shipment.shipped", "fulfillment.closed", "shipment.delivered", "order.completed"}
	cancelledParcel = []string{"order.cancelled", "fulfillment.cancelled", "shipment.cancelled"}
)

// The activities that ask somebody else, and for what.
var asks = map[string]string{"Authorize": "authorize", "Capture": "capture", "Void": "void", "Refund": "refund",
	"BuyLabel": "label", "VoidLabel": "void_label"}

// TestCrash kills a real worker process at every point of every activity at which it could leave something half
// done. Another process takes over, and in the end nobody can tell the difference.
func TestCrash(t *testing.T) {
	t.Parallel() // it mostly waits
	turns := make(chan struct{}, crashesAtOnce)
	var all sync.WaitGroup
	defer all.Wait()
	// A visible activity has no heartbeat: it is given to another worker when its time is up, after 75 s.
	for point, requests := range map[string]string{
		activities.BeforeEffect: "2 1", // met by an error; looked up in vain and applied
		activities.AfterEffect:  "2 2", // met by an error; looked up in vain and applied; looked up and found
		activities.AfterCommit:  "2 1", // the same, and then the facts knew
	} {
		all.Go(func() {
			t.Run("a visible Authorize/"+point, func(t *testing.T) { crashOfVisibleActivity(t, point, requests) })
		})
	}
	all.Go(func() { t.Run("with another alongside", crashAlongside) })
	for _, s := range stories {
		for _, activity := range s.activities {
			for _, point := range []string{activities.BeforeEffect, activities.AfterEffect, activities.AfterCommit} {
				all.Go(func() {
					turns <- struct{}{}
					defer func() { <-turns }()
					t.Run(activity+"/"+point, func(t *testing.T) { s.crashAt(t, activity, point) })
				})
			}
		}
	}
}

// crash is one telling of a story in which a worker process dies.
type crash struct {
	*app
	o         *order.Order
	victim    *devtest.Child
	marker    string
	mu        sync.Mutex
	seen      []string // by the process that took over: this one
	rescued   chan struct{}
	rescueErr error
}

// begin starts a worker process that is going to die, and sees to it that this one takes over.
func begin(t *testing.T, policy order.Policy, activity, point string, visit int64) *crash {
	t.Helper()
	c := &crash{rescued: make(chan struct{}), marker: filepath.Join(t.TempDir(), "died")}
	c.app = bystander(t, devtest.Temporal(t).Address, func(o *worker.Options) {
		o.Policy, o.Reached = &policy, c.reached
		o.InboxEvery, o.SweepEvery = 250*time.Millisecond, 2*time.Second // there are many of us
	})
	c.victim = c.another(death{At: activity + "/" + point, Visit: visit, Marker: c.marker})
	if activity == "Allocate" && point == activities.AfterEffect {
		gate := devtest.CloseGate(t, c.options.DatabaseURL, "stock_ledger")
		go c.killInTransaction(gate)
	}
	go c.takeOver()
	return c
}

func (s story) crashAt(t *testing.T, activity, point string) {
	policy := order.DefaultPolicy()
	if s.grace > 0 {
		policy.PaymentGrace = s.grace
	}
	c := begin(t, policy, activity, point, 1)
	p := placement("1001", "tok_ok")
	if s.change != nil {
		s.change(&p)
	}
	c.write(p)
	s.tell(c)
	if s.attention == "" {
		c.settled(c.o.ID)
		c.ended()
	}
	c.died(activity + "/" + point)
	c.repeated(activity, point)
	c.told(s)
	c.books()
}

// crashOfVisibleActivity: the first attempt met an error 500; the second, which operators see, dies.
func crashOfVisibleActivity(t *testing.T, point, requests string) {
	c := begin(t, order.DefaultPolicy(), "Authorize", point, 2)
	c.write(placement("1001", "tok_error_500"))
	stories[0].tell(c)
	c.settled(c.o.ID)
	c.ended()
	c.died("Authorize/" + point)
	var attempt int32
	undisturbed := true // a machine that is busy enough loses workflow tasks and answers too, and asks more often
	for _, e := range c.history(c.o.ID) {
		if started := e.GetActivityTaskStartedEventAttributes(); started != nil {
			process, _, _ := strings.Cut(started.Identity, "@")
			require.Equal(t, strconv.Itoa(os.Getpid()), process)
			attempt = started.Attempt
		}
		undisturbed = undisturbed && e.GetWorkflowTaskTimedOutEventAttributes() == nil
	}
	require.GreaterOrEqual(t, attempt, int32(2))
	if undisturbed && attempt == 2 {
		require.Equal(t, []string{requests}, c.query(`SELECT attempts, lookups FROM sandbox.requests WHERE kind = 'authorize'`))
	}
	c.told(stories[0])
	c.books()
}

// crashAlongside: a process dies in the middle of many orders, of which each loses its place, while another process
// works beside it.
func crashAlongside(t *testing.T) {
	a := bystander(t, devtest.Temporal(t).Address)
	a.stock("nyc", "TEE-M", 90)
	d := death{At: "Capture/" + activities.AfterEffect, Visit: 1, Marker: filepath.Join(t.TempDir(), "died")}
	victim := a.another(d)
	orders := make([]*order.Order, 12)
	var all sync.WaitGroup
	for i := range orders {
		orders[i] = a.write(placement(strconv.Itoa(i), "tok_ok"))
		all.Go(func() { a.decided(orders[i]) })
	}
	all.Wait() // what the victim decided it goes on with: it has the runs in its cache
	a.another(d)
	for i := range orders {
		all.Go(func() {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				c := &crash{app: a.in(t), o: a.in(t).answered(orders[i])}
				c.pick()
				c.pack()
				c.ship()
				c.deliver()
				c.settled(c.o.ID)
				c.ended()
				require.ElementsMatch(t, plain.applied, c.applied(c.o.ID))
			})
		})
	}
	all.Wait()
	require.True(t, victim.Killed())
	require.Equal(t, []string{"76 0 0"}, a.query(`SELECT on_hand, committed, unavailable FROM stock_levels`))
	a.books()
}

// write stores the order, whatever the API would say of it.
func (c *crash) write(p order.Placement) {
	c.t.Helper()
	var err error
	c.o, _, err = c.Store.Place(c.t.Context(), p.Normalize(), id.New(id.Order), "key", act())
	require.NoError(c.t, err)
}

// ended waits for the end of the run.
func (c *crash) ended() {
	c.t.Helper()
	require.NoError(c.t, c.client.GetWorkflow(c.t.Context(), "order/"+c.o.ID, "").Get(c.within(90*time.Second), nil))
}

// died asserts that the victim killed itself at the point, and waits until this process has taken over.
func (c *crash) died(point string) {
	c.t.Helper()
	marker, err := os.ReadFile(c.marker)
	require.NoError(c.t, err, "nobody died: the order never came to that point")
	require.Equal(c.t, point, string(marker))
	<-c.rescued
	require.NoError(c.t, c.rescueErr)
	require.True(c.t, c.victim.Killed(), "by SIGKILL and nothing else")
}

func (c *crash) reached(point string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, point)
}

// takeOver makes this process a worker once the victim is dead.
func (c *crash) takeOver() {
	defer close(c.rescued)
	<-c.victim.Gone
	p, err := worker.Start(c.t.Context(), c.options)
	if c.rescueErr = err; err == nil {
		c.t.Cleanup(func() { _ = p.Stop() })
	}
}

// killInTransaction kills the victim where no activity is: in the middle of the allocator's transaction, with
// everything written but the stock, and nothing committed.
func (c *crash) killInTransaction(gate *devtest.Gate) {
	for here := 0; here == 0; here, _ = gate.Waiting() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-c.t.Context().Done():
			return
		}
	}
	_ = os.WriteFile(c.marker, []byte("Allocate/"+activities.AfterEffect), 0o600)
	c.victim.Kill()
	gate.Open()
}

// surely sends a command until its outcome is known, and waits until nothing of it is left to be done.
func (c *crash) surely(send func(o *order.Order) error) {
	c.t.Helper()
	require.NoError(c.t, c.insist(func() error { return send(c.o) }))
	c.o = c.answered(c.o)
}

func (c *crash) place() {
	c.surely(func(o *order.Order) error {
		_, err := c.Runs.Place(c.within(30*time.Second), o)
		if err != nil && c.order(o.ID).Settled {
			return nil // its run is over, and is not started again
		}
		return err
	})
}

func (c *crash) pick()   { c.surely(c.app.pick) }
func (c *crash) pack()   { c.surely(c.app.pack) }
func (c *crash) ship()   { c.surely(c.app.ship) }
func (c *crash) cancel() { c.surely(c.app.cancel) }
func (c *crash) resume() { c.surely(c.app.resume) }

func (c *crash) pay(token string) {
	c.surely(func(o *order.Order) error { return c.app.pay(o, token, "second") })
}

func (c *crash) deliver() { c.scan(c.o, shipping.Delivered) }

// repeated asserts that what died was attempted again, by this process, and how far the second attempt went.
func (c *crash) repeated(activity, point string) {
	c.t.Helper()
	lost := c.lostTasks()
	c.mu.Lock()
	defer c.mu.Unlock()
	kind, gateway := asks[activity]
	switch {
	case point != activities.AfterCommit:
		require.Contains(c.t, c.seen, activity+"/"+activities.AfterCommit, "the second attempt did it")
	case gateway, activity == "Allocate":
	case activity == "DeadlinePassed", activity == "StepFailed":
		require.Contains(c.t, c.seen, activity+"/"+activities.BeforeEffect, "looked again")
	default:
		require.Contains(c.t, c.seen, activity+"/"+activities.BeforeEffect, "sent again")
		require.NotContains(c.t, c.seen, activity+"/"+activities.AfterEffect, "and known by its key: nothing was decided again")
	}
	if !gateway {
		return
	}
	asked := c.query(`SELECT r.attempts, o.attempts FROM sandbox.requests r JOIN operations o ON o.key = r.key
		WHERE o.kind = $1 AND o.state = 'succeeded'`, kind)
	if lost > 1 || len(asked) != 1 || !strings.HasSuffix(asked[0], " 0") {
		return // so slow a machine that an answer came too late: how often somebody was asked says nothing
	}
	requests := "1 0"
	switch point {
	case activities.AfterEffect:
		requests = "2 0" // under one key
	case activities.AfterCommit:
		require.NotContains(c.t, c.seen, activity+"/"+activities.BeforeEffect, "the facts knew: nobody was asked again")
	}
	require.Equal(c.t, requests, asked[0])
}

// lostTasks counts the workflow tasks that nobody answered in time: that of the process that died, and what a slow
// machine adds. It asserts that the next attempt was this process's.
func (c *crash) lostTasks() (lost int) {
	c.t.Helper()
	started := map[int64]string{} // by event id: the process that took the task
	victims, again := map[string]bool{}, ""
	for _, e := range c.history(c.o.ID) {
		switch e.EventType {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED:
			again, _, _ = strings.Cut(e.GetWorkflowTaskStartedEventAttributes().Identity, "@")
			started[e.EventId] = again
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			lost++
			again = ""
			victims[started[e.GetWorkflowTaskTimedOutEventAttributes().StartedEventId]] = true
		}
	}
	require.Positive(c.t, lost, "the victim's workflow task was lost")
	// The server does not say who took a task that it made for nothing but an update.
	require.True(c.t, victims[""] || victims[strconv.Itoa(c.victim.PID)], "by the process that died: %v", victims)
	require.Equal(c.t, strconv.Itoa(os.Getpid()), again, "and attempted again by this one")
	return lost
}

// told asserts that the books tell the same story as if nobody had died.
func (c *crash) told(s story) {
	c.t.Helper()
	o := c.order(c.o.ID)
	require.Equal(c.t, s.status, o.Status)
	require.Equal(c.t, s.attention, o.AttentionCode)
	require.ElementsMatch(c.t, s.events, c.query(`SELECT type FROM events`))
	require.ElementsMatch(c.t, s.operations, c.applied(o.ID))
	require.Equal(c.t, []string{fmt.Sprintf("%d 0 0", s.onHand)},
		c.query(`SELECT on_hand, committed, unavailable FROM stock_levels`))
}
