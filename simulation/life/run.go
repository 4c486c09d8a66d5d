package life

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/workflows"
)

// run is the run of an order or of a return. It is to the world what a workflow execution is to Temporal.
type run struct {
	id      string
	subject order.ReturnRef
	number  int // among all runs of the world
	started bool
	killed  bool // terminated by hand, or lost with Temporal's database
	done    bool
	open    int // updates that it took and has not answered
}

// ended reports whether nobody can speak to it any more.
func (r *run) ended() bool { return r.done || r.killed }

// running is the run under this id, or nil.
func (w *world) running(id string) *run {
	if r := w.runs[id]; r != nil && !r.ended() {
		return r
	}
	return nil
}

// begin starts a run, unless there is one.
func (w *world) begin(id string, subject order.ReturnRef) *run {
	if r := w.running(id); r != nil {
		return r
	}
	w.begun++
	r := &run{id: id, subject: subject, number: w.begun}
	w.runs[id] = r
	w.toBegin = append(w.toBegin, r)
	return r
}

// beginRuns starts runs as children of the world, one after the other.
func (w *world) beginRuns(ctx workflow.Context) {
	for {
		_ = workflow.Await(ctx, func() bool { return len(w.toBegin) > 0 })
		r := w.toBegin[0]
		w.toBegin = w.toBegin[1:]
		_ = workflow.Sleep(ctx, 2*time.Millisecond) // a run that was killed under this id has ended by now
		w.tell(r.id, "run", "begun")
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: r.id, WaitForCancellation: true,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE})
		var f workflow.ChildWorkflowFuture
		if r.subject.ReturnID != "" {
			f = workflow.ExecuteChildWorkflow(child, "Return", workflows.ReturnInput{OrderID: r.subject.OrderID, ReturnID: r.subject.ReturnID})
		} else {
			f = workflow.ExecuteChildWorkflow(child, "Order", workflows.OrderInput{OrderID: r.subject.OrderID})
		}
		if err := f.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			w.violated("L1-run", r.id, "it cannot be started: "+err.Error())
		}
		r.started = true
		workflow.Go(ctx, func(ctx workflow.Context) { w.finish(r, f.Get(ctx, nil)) })
	}
}

// finish notes how a run ended.
func (w *world) finish(r *run, err error) {
	r.done = true
	outcome := "ended"
	switch {
	case r.killed:
		outcome = "gone"
	case err != nil:
		outcome = "failed"
		w.violated("L1-run", r.id, err.Error())
	case r.open > 0:
		w.violated("L1-unanswered", r.id, "it ended, and commands that it had taken were never answered")
	}
	w.tell(r.id, "run", outcome)
	w.dirty = true
}

// kill ends a run as Terminate does, or the loss of Temporal's database. A sweeper will start another.
func (w *world) kill(r *run) {
	r.killed, w.orphans = true, true
	w.tell(r.id, "run", "killed")
	w.signal(r, "simulation") // so that it notices
}

func (w *world) signal(r *run, name string) {
	if err := w.env.SignalWorkflowByID(r.id, name, nil); err != nil && !r.ended() {
		w.violated("L1-run", r.id, "it takes no signal: "+err.Error())
	}
}

// Wake is relay.Runs'.
func (w *world) Wake(_ context.Context, o *order.Order) error {
	w.wake(workflows.WorkflowID(o.ID), order.ReturnRef{OrderID: o.ID})
	return nil
}

// WakeReturn is relay.Runs'.
func (w *world) WakeReturn(_ context.Context, o *order.Order, returnID string) error {
	w.wake(workflows.ReturnWorkflowID(returnID), order.ReturnRef{OrderID: o.ID, ReturnID: returnID})
	return nil
}

func (w *world) wake(id string, subject order.ReturnRef) {
	if r := w.running(id); r != nil && r.started {
		w.signal(r, workflows.SignalFacts)
		return
	}
	w.begin(id, subject) // whoever begins loads the facts
}

// Ensure is relay.Runs'.
func (w *world) Ensure(_ context.Context, o *order.Order) error {
	w.begin(workflows.WorkflowID(o.ID), order.ReturnRef{OrderID: o.ID})
	return nil
}

// EnsureReturn is relay.Runs'.
func (w *world) EnsureReturn(_ context.Context, o *order.Order, returnID string) error {
	w.begin(workflows.ReturnWorkflowID(returnID), order.ReturnRef{OrderID: o.ID, ReturnID: returnID})
	return nil
}

// Running is relay.Runs'.
func (w *world) Running(_ context.Context, orderID string) (bool, error) {
	return w.running(workflows.WorkflowID(orderID)) != nil, nil
}

// RunningReturn is relay.Runs'.
func (w *world) RunningReturn(_ context.Context, returnID string) (bool, error) {
	return w.running(workflows.ReturnWorkflowID(returnID)) != nil, nil
}

// Open is relay.Runs'.
func (w *world) Open(_ context.Context, visit func(orderIDs, returnIDs []string) error) error {
	var orderIDs, returnIDs []string
	for _, r := range w.runs {
		switch {
		case r.ended():
		case r.subject.ReturnID != "":
			returnIDs = append(returnIDs, r.subject.ReturnID)
		default:
			orderIDs = append(orderIDs, r.subject.OrderID)
		}
	}
	return visit(orderIDs, returnIDs)
}

// errUnanswered is what a client knows of a command of which he did not hear.
var errUnanswered = errors.New("no answer")

// commandLimit is how long a client waits for an answer.
const commandLimit = 25 * time.Second

// update sends a command to a run and waits for its answer.
func (w *world) update(ctx workflow.Context, r *run, name, updateID string, command ...any) error {
	var answered bool
	var answer error
	// An answer takes a moment to its client.
	hear := func(err error) {
		w.env.RegisterDelayedCallback(func() { answered, answer = true, err }, time.Millisecond)
	}
	err := w.env.UpdateWorkflowByID(r.id, name, updateID, &testsuite.TestUpdateCallback{
		OnAccept: func() { r.open++ },
		OnReject: hear,
		OnComplete: func(_ any, err error) {
			r.open--
			hear(err)
		},
	}, command...)
	if err != nil {
		return errUnanswered // it has just ended
	}
	if ok, _ := workflow.AwaitWithTimeout(ctx, commandLimit, func() bool { return answered }); !ok {
		return errUnanswered
	}
	return answer
}

// stage is what surrounds runs and activities.
type stage struct {
	interceptor.WorkerInterceptorBase
	world *world
}

// InterceptWorkflow is interceptor.WorkerInterceptor's.
func (s *stage) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	if workflow.GetInfo(ctx).WorkflowType.Name == worldName {
		return next
	}
	return &scene{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, world: s.world}
}

// scene surrounds one run.
type scene struct {
	interceptor.WorkflowInboundInterceptorBase
	world *world
	run   *run
}

// Init is interceptor.WorkflowInboundInterceptor's.
func (s *scene) Init(outbound interceptor.WorkflowOutboundInterceptor) error {
	return s.Next.Init(&hands{WorkflowOutboundInterceptorBase: interceptor.WorkflowOutboundInterceptorBase{Next: outbound}, scene: s})
}

// ExecuteWorkflow lets a run be killed: it ends where it stands, and nobody hears of it.
func (s *scene) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (result any, err error) {
	s.run = s.world.runs[workflow.GetInfo(ctx).WorkflowExecution.ID]
	over := false
	workflow.Go(ctx, func(ctx workflow.Context) {
		result, err = s.Next.ExecuteWorkflow(ctx, in)
		over = true
	})
	uncancelled, _ := workflow.NewDisconnectedContext(ctx)
	_ = workflow.Await(uncancelled, func() bool { return over || s.run.killed })
	if !over {
		return nil, nil
	}
	return result, err
}

// lost kills the run after one of its activities, in so many cases.
func (s *scene) lost(permille int, subject string, attempt int) bool {
	w := s.world
	if !w.faulty(permille, subject, attempt, "run_lost") {
		return false
	}
	w.kill(s.run)
	return true
}

var _ simulation.World = (*Worlds)(nil).Run
