package life

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/relay"
	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/store"
	orderworker "github.com/waybill-oms/waybill/worker"
)

// morning is when every world begins.
var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

const (
	// patience is how long an order may take from its first day on. Whoever has not ended by then never will.
	patience = 200 * 24 * time.Hour
	// stuck is how long nothing may happen at all, in real time, before the world counts as broken.
	stuck = 20 * time.Second
)

// world is one seed at work. Everything in it happens on one goroutine at a time: that of the environment.
type world struct {
	ctx         context.Context
	scope       simulation.Scope
	seed        simulation.Seed
	store       *store.Store
	databaseURL string
	box         *sandbox.Sandbox
	wild        int // faults in a thousand requests

	env   *testsuite.TestWorkflowEnvironment
	desk  *testsuite.TestActivityEnvironment // performs activities
	task  *task                              // the activity that is being performed
	base  activities.Activities
	relay *relay.Relay

	runs     map[string]*run // the newest under each workflow id
	begun    int             // runs, ever
	toBegin  []*run
	dirty    bool // the relay has something to carry
	orphans  bool // a run was lost, and a sweeper has to start another
	people   int  // who has something left to do
	ids      map[string]int
	attempts map[string]int

	lines      []string
	faults     []string
	outcomes   map[string]int
	violations []simulation.Violation
	ended      time.Time
}

func newWorld(ctx context.Context, scope simulation.Scope, facts *store.Store) *world {
	w := &world{ctx: ctx, scope: scope, seed: scope.Seed, store: facts, ended: morning,
		runs: map[string]*run{}, ids: map[string]int{}, attempts: map[string]int{}, outcomes: map[string]int{},
		faults: []string{}, violations: []simulation.Violation{}}
	w.wild = []int{0, 20, 60, 150, 300}[w.seed.Below(5, "weather")]
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(silence{})
	w.env, w.desk = suite.NewTestWorkflowEnvironment(), suite.NewTestActivityEnvironment()
	w.env.SetStartTime(morning)
	w.env.SetTestTimeout(stuck)
	w.desk.SetTestTimeout(time.Hour)
	options := worker.Options{DeadlockDetectionTimeout: time.Hour, BackgroundActivityContext: ctx,
		Interceptors: []interceptor.WorkerInterceptor{&stage{world: w}}}
	w.env.SetWorkerOptions(options)
	w.desk.SetWorkerOptions(options)
	return w
}

// inhabit puts everything in place that Waybill needs.
func (w *world) inhabit(box *sandbox.Sandbox, orders func(activities.Orders) activities.Orders,
	payments func(activities.PaymentGateway) activities.PaymentGateway) {
	w.box = box
	w.base = activities.Activities{Orders: w.store, Policy: order.DefaultPolicy(), Carrier: carrier{w, box.Carrier()}, Reached: w.reached}
	var gateway activities.PaymentGateway = box.Payments()
	if payments != nil {
		gateway = payments(gateway)
	}
	w.base.Payments = map[string]activities.PaymentGateway{gatewayName: till{w, gateway}}
	if orders != nil {
		w.base.Orders = orders(w.base.Orders)
	}
	w.base.Orders = books{w, w.base.Orders}
	w.relay = &relay.Relay{Facts: w.store, Runs: w, Log: quiet, SweepEvery: 30 * time.Second, StalledAfter: time.Minute,
		Act: func() order.Act { return w.act("relay", "relay") }, Measure: unmeasured{}}
	orderworker.Register(registry{w.env}, &w.base)
	w.env.RegisterWorkflowWithOptions(w.live, workflow.RegisterOptions{Name: worldName})
}

const gatewayName = "sandbox"

// sandboxOptions give the sandbox the world's time, and no real one: nobody is to wait.
func (w *world) sandboxOptions() sandbox.Options {
	return sandbox.Options{Clock: w.now, RequestTimeout: time.Minute, Hang: time.Nanosecond, Slow: time.Nanosecond}
}

// now is the world's time as databases keep it.
func (w *world) now() time.Time { return w.env.Now().UTC().Truncate(time.Microsecond) }

// act is somebody acting now. Ids that come of it have his name in them.
func (w *world) act(actor, scope string) order.Act {
	return order.Act{At: w.now(), Actor: actor, NewID: w.naming(scope), Policy: w.base.Policy}
}

// naming numbers ids within a scope, such as an order: what others do does not change them.
func (w *world) naming(scope string) func(prefix string) string {
	return func(prefix string) string {
		name := prefix + "_" + scope
		w.ids[name]++
		return fmt.Sprintf("%s_%02d", name, w.ids[name])
	}
}

// orderID names an order of the scope.
func orderID(n int) string { return fmt.Sprintf("ord_%03d", n) }

// scopeOf is the part of an order's id by which everything that is made for it is named.
func scopeOf(orderID string) string { return strings.TrimPrefix(orderID, "ord_") }

// tell adds a line to the trace.
func (w *world) tell(who, what, outcome string) {
	w.lines = append(w.lines, w.now().Format("2006-01-02T15:04:05.000000Z")+" "+who+" "+what+": "+outcome)
}

func (w *world) violated(id, subject, detail string) {
	w.violations = append(w.violations, simulation.Violation{ID: id, Subject: subject, Detail: detail})
}

// faulty reports whether a fault happens: in so many of a thousand cases, of the first few attempts of a subject. Nothing
// goes wrong for ever.
func (w *world) faulty(permille int, subject string, attempt int, kind string) bool {
	const attemptsMax = 5
	if attempt > attemptsMax || !w.seed.Chance(permille, "fault", kind, subject, attempt) {
		return false
	}
	return w.happens(simulation.FaultID(subject, attempt, kind))
}

// happens notes a fault, unless it is muted.
func (w *world) happens(id string) bool {
	if !w.scope.Fault(id) {
		return false
	}
	if !slices.Contains(w.faults, id) {
		w.faults = append(w.faults, id)
	}
	return true
}

// attempt counts something that is tried again and again.
func (w *world) attempt(of string) int {
	w.attempts[of]++
	return w.attempts[of]
}

// between draws a duration.
func (w *world) between(least, most time.Duration, names ...any) time.Duration {
	span := uint64(most - least)
	return least + time.Duration(w.seed.Draw(append(names, "duration")...)%(span+1)).Truncate(time.Microsecond)
}

// play lets the world live to its end.
func (w *world) play() {
	defer func() {
		if p := recover(); p != nil {
			w.violations = append(w.violations, simulation.Panicked(p))
		}
	}()
	w.env.ExecuteWorkflow(worldName)
	if err := w.env.GetWorkflowError(); err != nil {
		w.violated("panic", "world", err.Error())
	}
}

const worldName = "World"

// live is the world as a workflow.
func (w *world) live(ctx workflow.Context) error {
	w.stockUp()
	workflow.Go(ctx, w.beginRuns)
	workflow.Go(ctx, w.carryOn)
	workflow.Go(ctx, w.watch)
	w.spawn(ctx, w.supply)
	for _, n := range w.scope.Played() {
		w.spawn(ctx, func(ctx workflow.Context) { (&life{world: w, n: n, orderID: orderID(n)}).live(ctx) })
	}
	_ = workflow.Await(ctx, func() bool { return w.people == 0 })
	for range 2 { // a last look, also at whoever needs none
		w.sweep()
		_ = workflow.Sleep(ctx, time.Hour)
	}
	w.check("feed", w.stamp())
	w.ended = w.now()
	w.account()
	return nil
}

// spawn lets somebody live who is waited for.
func (w *world) spawn(ctx workflow.Context, work func(workflow.Context)) {
	w.people++
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer func() { w.people-- }()
		work(ctx)
	})
}

// result is what is left of the world.
func (w *world) result() simulation.Result {
	sort.Strings(w.lines)
	return simulation.Result{Seed: w.scope.Seed, Orders: len(w.scope.Played()), Outcomes: w.outcomes, Faults: w.faults,
		Trace: simulation.Hash(w.lines), Events: len(w.lines), Virtual: w.ended.Sub(morning), Violations: w.violations}
}
