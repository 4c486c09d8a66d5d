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
	historypb "go.temporal.io/api/history/v1"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

// crashesAtOnce bounds how many crashes are under way together. Most of a crash is waiting: a workflow task that
// died with its worker is given to another one after ten seconds.
const crashesAtOnce = 16

// TestCrash kills a real worker process at every point of every activity at which it could leave something half
// done. Another process takes over, and in the end nobody can tell the difference.
func TestCrash(t *testing.T) {
	t.Parallel() // it mostly waits
	turns := make(chan struct{}, crashesAtOnce)
	var all sync.WaitGroup
	defer all.Wait()
	// A visible activity is given to another worker when its heartbeat is missing, after 15 s.
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
		for _, d := range s.deaths() {
			all.Go(func() {
				turns <- struct{}{}
				defer func() { <-turns }()
				t.Run(s.name+"/"+d.At, func(t *testing.T) { s.crashAt(t, d) })
			})
		}
	}
}

// crash is one telling of a story in which a worker process dies.
type crash struct {
	*app
	policy    order.Policy
	o         *order.Order
	returnID  string      // of the newest return
	met       [][2]string // runs: workflow id, run id
	victim    *devtest.Child
	marker    string
	mu        sync.Mutex
	seen      []string // by the process that took over: this one
	rescued   chan struct{}
	rescueErr error
}

// begin starts a worker process that is going to die, and sees to it that this one takes over.
func begin(t *testing.T, policy order.Policy, d death) *crash {
	t.Helper()
	d.Marker = filepath.Join(t.TempDir(), "died")
	c := &crash{rescued: make(chan struct{}), marker: d.Marker, policy: policy}
	c.app = bystander(t, devtest.Temporal(t).Address, func(o *worker.Options) {
		o.Policy, o.Reached = &policy, c.reached
		o.InboxEvery, o.SweepEvery = 250*time.Millisecond, 2*time.Second // there are many of us
		o.GrantEvery = time.Hour                                         // what nobody found is the run's to replace, however late it is
	})
	c.victim = c.another(d)
	go c.takeOver()
	return c
}

func (s story) crashAt(t *testing.T, d death) {
	policy := order.DefaultPolicy()
	if s.policy != nil {
		s.policy(&policy)
	}
	c := begin(t, policy, d)
	if strings.HasSuffix(d.At, "Allocate/"+activities.AfterEffect) {
		go c.killInTransaction(d.At, c.gateOfAllocation(d.Visit))
	}
	p := placement("1001", "tok_ok")
	if s.change != nil {
		s.change(&p)
	}
	for location := range s.more {
		c.stock(location, "TEE-M", 10)
	}
	c.write(p)
	s.tell(c)
	if s.attention == "" {
		c.over()
	}
	c.died(d.At)
	c.repeated(s, d)
	c.told(s)
	c.books()
}

// crashOfVisibleActivity: the first attempt met an error 500; the second, which operators see, dies.
func crashOfVisibleActivity(t *testing.T, point, requests string) {
	at := "Order/Authorize/" + point
	c := begin(t, order.DefaultPolicy(), death{At: at, Visit: 2})
	c.write(placement("1001", "tok_error_500"))
	stories[0].tell(c)
	c.over()
	c.died(at)
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
	d := death{At: "Order/Capture/" + activities.AfterEffect, Visit: 1, Marker: filepath.Join(t.TempDir(), "died")}
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
				c.over()
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
	by := act()
	by.Policy = c.policy
	var err error
	c.o, _, err = c.Store.Place(c.t.Context(), p.Normalize(), id.New(id.Order), "key", by)
	require.NoError(c.t, err)
}

// over waits until nothing is left to be done for the order and its returns, and for the end of their runs.
func (c *crash) over() {
	c.t.Helper()
	c.until(c.o.ID, "settled, with its returns", func(o *order.Order) bool {
		return o.Settled && !slices.ContainsFunc(o.Returns, func(r order.Return) bool { return !r.Settled })
	})
	for _, run := range c.runs() {
		require.NoError(c.t, c.client.GetWorkflow(c.t.Context(), run, "").Get(c.within(90*time.Second), nil), run)
	}
}

// runs are the ids of the runs of the order and of its returns.
func (c *crash) runs() []string {
	c.t.Helper()
	ids := []string{workflows.WorkflowID(c.o.ID)}
	for _, r := range c.order(c.o.ID).Returns {
		ids = append(ids, workflows.ReturnWorkflowID(r.ID))
	}
	return ids
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

// gateOfAllocation closes a gate in the middle of the allocator's transaction, with everything written but the stock.
// Where an order is allocated once more, what comes then is its second fulfillment order.
func (c *crash) gateOfAllocation(visit int64) *devtest.Gate {
	c.t.Helper()
	if visit == 1 {
		return devtest.CloseGate(c.t, c.options.DatabaseURL, "stock_ledger")
	}
	gate := devtest.CloseGate(c.t, c.options.DatabaseURL, "fulfillments")
	c.query(fmt.Sprintf(`DROP TRIGGER devtest_gate ON fulfillments;
		CREATE TRIGGER devtest_gate AFTER INSERT ON fulfillments FOR EACH ROW WHEN (NEW.number = %d) EXECUTE FUNCTION devtest_gate()`, visit))
	return gate
}

// killInTransaction kills the victim where no activity is: in the middle of a transaction, with nothing committed.
func (c *crash) killInTransaction(at string, gate *devtest.Gate) {
	if !waitAt(c.t, gate) {
		return
	}
	_ = os.WriteFile(c.marker, []byte(at), 0o600)
	c.victim.Kill()
	gate.Open()
}

// waitAt waits until somebody stands in front of the gate, and reports whether the test goes on.
func waitAt(t testing.TB, gate *devtest.Gate) bool {
	for here := 0; here == 0; here, _ = gate.Waiting() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
			return false
		}
	}
	return true
}

// surely sends a command until its outcome is known, and waits until nothing of it is left to be done.
func (c *crash) surely(send func(o *order.Order) error) {
	c.t.Helper()
	require.NoError(c.t, c.insist(func() error { return send(c.o) }))
	c.meet(workflows.WorkflowID(c.o.ID))
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

// home does what is left for the warehouse, and has every parcel delivered.
func (c *crash) home() {
	c.workOff(c.o, "home")
	c.arrive(c.o.ID)
	c.o = c.settled(c.o.ID)
}

// announce begins a return of two units, and waits until it has a run.
func (c *crash) announce(key string) {
	c.t.Helper()
	var err error
	c.returnID, err = c.app.announce(c.o, key, 2)
	require.NoError(c.t, err)
	c.o = c.order(c.o.ID)
}

// tell sends the newest return a command, and waits until nothing of it is left to be done.
func (c *crash) tell(name string) {
	c.t.Helper()
	require.NoError(c.t, c.app.tell(c.o, c.returnID, name), name)
	c.meet(workflows.ReturnWorkflowID(c.returnID))
	c.o = c.until(c.o.ID, "answered", func(o *order.Order) bool {
		return len(o.ReturnFacts(c.returnID).Steps) == 0 || o.Return(c.returnID).AttentionCode == order.AttentionStepFailed
	})
}

// repeated asserts that what died was attempted again, by this process, and how far the second attempt went.
func (c *crash) repeated(s story, d death) {
	c.t.Helper()
	lost := c.lostTasks()
	c.mu.Lock()
	defer c.mu.Unlock()
	run, activity, point := parts(d.At)
	at := func(point string) string { return run + "/" + activity + "/" + point }
	kind, gateway := asks[activity]
	switch {
	case activity == "Load":
		require.Contains(c.t, c.seen, at(activities.BeforeEffect), "looked again")
	case point != activities.AfterCommit:
		require.Contains(c.t, c.seen, at(activities.AfterCommit), "the second attempt did it")
	case gateway, activity == "Allocate":
	case activity == "DeadlinePassed", activity == "StepFailed":
		require.Contains(c.t, c.seen, at(activities.BeforeEffect), "looked again")
	default:
		require.Contains(c.t, c.seen, at(activities.BeforeEffect), "sent again")
		decided := 0
		for _, p := range c.seen {
			if p == at(activities.AfterEffect) {
				decided++
			}
		}
		// It may be decided on what was last seen before its key is met, which writes nothing: the books tell.
		require.LessOrEqual(c.t, decided, s.others[run+"/"+activity]+1, "and known by its key")
	}
	if !gateway {
		return
	}
	asked := c.query(`SELECT r.attempts, o.attempts FROM sandbox.requests r JOIN operations o ON o.key = r.key
		WHERE o.kind = $1 AND o.state = 'succeeded' AND (o.return_id <> '') = $2`, kind, run == "Return")
	if lost > 1 || len(asked) != 1 || !strings.HasSuffix(asked[0], " 0") {
		return // so slow a machine that an answer came too late: how often somebody was asked says nothing
	}
	requests := "1 0"
	switch point {
	case activities.AfterEffect:
		requests = "2 0" // under one key
	case activities.AfterCommit:
		require.NotContains(c.t, c.seen, at(activities.BeforeEffect), "the facts knew: nobody was asked again")
	}
	require.Equal(c.t, requests, asked[0])
}

// parts are those of the name of a point: whose run, which activity, where in it.
func parts(at string) (run, activity, point string) {
	run, rest, _ := strings.Cut(at, "/")
	activity, point, _ = strings.Cut(rest, "/")
	return run, activity, point
}

// lostTasks counts the workflow tasks that nobody answered in time: that of the process that died, and what a slow
// machine adds, be it before the death. It asserts that each was attempted again.
func (c *crash) lostTasks() (lost int) {
	c.t.Helper()
	victims := map[string]bool{}
	for _, history := range c.histories() {
		started := map[int64]string{} // by event id: the process that took the task
		here, again := 0, ""
		for _, e := range history {
			switch e.EventType {
			case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED:
				again, _, _ = strings.Cut(e.GetWorkflowTaskStartedEventAttributes().Identity, "@")
				started[e.EventId] = again
			case enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
				here++
				again = ""
				victims[started[e.GetWorkflowTaskTimedOutEventAttributes().StartedEventId]] = true
			}
		}
		if here > 0 {
			require.NotEmpty(c.t, again, "and attempted again")
		}
		lost += here
	}
	require.Positive(c.t, lost, "the victim's workflow task was lost")
	// The server does not say who took a task that it made for nothing but an update.
	require.True(c.t, victims[""] || victims[strconv.Itoa(c.victim.PID)], "by the process that died: %v", victims)
	return lost
}

// meet remembers the run under an id, if there is one. One that is woken when it is over is followed by another, which
// finds nothing to do.
func (c *crash) meet(id string) {
	c.t.Helper()
	d, err := c.client.DescribeWorkflowExecution(c.t.Context(), id, "")
	if run := d.GetWorkflowExecutionInfo().GetExecution(); err == nil && !slices.Contains(c.met, [2]string{id, run.GetRunId()}) {
		c.met = append(c.met, [2]string{id, run.GetRunId()})
	}
}

// histories are those of every run that was met.
func (c *crash) histories() (found [][]*historypb.HistoryEvent) {
	c.t.Helper()
	for _, run := range c.met {
		var events []*historypb.HistoryEvent
		it := c.client.GetWorkflowHistory(c.t.Context(), run[0], run[1], false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for it.HasNext() {
			e, err := it.Next()
			require.NoError(c.t, err)
			events = append(events, e)
		}
		found = append(found, events)
	}
	return found
}

// told asserts that the books tell the same story as if nobody had died.
func (c *crash) told(s story) {
	c.t.Helper()
	o := c.order(c.o.ID)
	require.Equal(c.t, s.status, o.Status)
	require.Equal(c.t, s.attention, o.AttentionCode)
	// While nobody drives the run, a relay may give the order what its allocation would have given it.
	require.ElementsMatch(c.t, s.events, c.query(`SELECT type FROM events WHERE type <> $1`, order.EventStockGranted))
	require.ElementsMatch(c.t, s.operations, c.applied(o.ID))
	levels := []string{fmt.Sprintf("nyc %d 0 0", s.onHand)}
	for location, onHand := range s.more {
		levels = append(levels, fmt.Sprintf("%s %d 0 0", location, onHand))
	}
	require.ElementsMatch(c.t, levels, c.query(`SELECT location_id, on_hand, committed, unavailable FROM stock_levels`))
}
