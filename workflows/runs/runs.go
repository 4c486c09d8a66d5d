// Package runs is how the rest of Waybill speaks to the runs of orders and returns: start, ask, command, wake.
//
// It owns workflow options, how many commands a run is sent at a time, and what Temporal's errors mean to a caller. It
// does not own what a run does (workflows), what is true (store), nor who may ask just now (api).
package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

const (
	// firstPause and lastPause are how long to wait before an update that the server let go of is sent again; the
	// pause doubles in between.
	firstPause, lastPause = 10 * time.Millisecond, 640 * time.Millisecond
	// perRun is under the server's limit of 10 updates in flight per run: the placing and a word of the relay may be there, too.
	perRun = 8
)

// Runs speaks to the runs of orders and returns. It is safe for concurrent use.
type Runs struct {
	client    client.Client
	taskQueue string
	busy      counters
}

// New makes a Runs on a connected client, for runs that the workers of a task queue execute.
func New(c client.Client, taskQueue string) *Runs {
	return &Runs{client: c, taskQueue: taskQueue, busy: counters{counts: map[string]int{}}}
}

// Place starts the order's run and waits for its decision. Errors: Unavailable outcome_unknown when that takes
// longer than ctx allows, or when the order's run has ended already: the order is a stored fact, and says what was
// decided.
func (r *Runs) Place(ctx context.Context, o *order.Order) (order.Facts, error) {
	return r.update(ctx, ofOrder(o), enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, workflows.UpdatePlace, "place/"+o.ID)
}

// Command sends a command to the run of a return, or without a return's id to that of the order, and waits for its
// answer. When there is none, one is started, for which the order is loaded: goods that turn up late begin a return
// again. Key is the caller's idempotency key: the same key joins the command that is under way. Errors: the command's
// refusal; TooMany; Unavailable outcome_unknown; NotFound when the order has no such return; those of load.
func (r *Runs) Command(ctx context.Context, to order.ReturnRef, name, key string, command any, load Load) (order.Facts, error) {
	s := of(to, load)
	if !r.busy.enter(s.runID, perRun) {
		return order.Facts{}, &fault.Fault{Kind: fault.TooMany, Code: "too_many_commands", RetryAfter: time.Second,
			Detail: fmt.Sprintf("%d commands for this %s are being worked on already", perRun, s.noun)}
	}
	defer r.busy.leave(s.runID)
	return r.update(ctx, s, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, name, key, command)
}

func (r *Runs) update(ctx context.Context, s subject, reuse enumspb.WorkflowIdReusePolicy, name, key string, args ...any) (order.Facts, error) {
	facts, err := r.attempt(ctx, s, reuse, name, key, args)
	for pause := firstPause; err != nil && aborted(err) && pause <= lastPause && ctx.Err() == nil; pause *= 2 {
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		facts, err = r.attempt(ctx, s, reuse, name, key, args)
	}
	if err != nil {
		return order.Facts{}, explain(err)
	}
	return facts, nil
}

// attempt asks the run that is there, and starts one only when there is none: a start that meets a run costs Temporal
// more than the update does. A placing starts its run.
func (r *Runs) attempt(ctx context.Context, s subject, reuse enumspb.WorkflowIdReusePolicy, name, key string, args []any) (facts order.Facts, err error) {
	update := client.UpdateWorkflowOptions{WorkflowID: s.runID, UpdateID: key, UpdateName: name, Args: args, WaitForStage: client.WorkflowUpdateStageCompleted}
	if name != workflows.UpdatePlace {
		handle, err := r.client.UpdateWorkflow(ctx, update)
		if err == nil {
			err = handle.Get(ctx, &facts)
		}
		if !errors.As(err, new(*serviceerror.NotFound)) {
			return facts, err
		}
	}
	begin, err := s.begin(ctx)
	if err != nil {
		return facts, err
	}
	handle, err := r.client.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: r.client.NewWithStartWorkflowOperation(r.startOptions(s, begin, reuse), begin.workflow, begin.input), UpdateOptions: update})
	if err != nil {
		return facts, err
	}
	err = handle.Get(ctx, &facts)
	return facts, err
}

// aborted reports whether the server let go of an update because the workflow task that answered it failed: the run
// was about to end with it, and something else came in meanwhile. The same update again is taken by the next task.
func aborted(err error) bool {
	var notReady *serviceerror.WorkflowNotReady
	return errors.As(err, &notReady)
}

// Ensure starts the order's run when there is none.
func (r *Runs) Ensure(ctx context.Context, o *order.Order) error { return r.ensure(ctx, ofOrder(o)) }

// EnsureReturn starts the return's run when there is none. Errors: NotFound when the order has no such return.
func (r *Runs) EnsureReturn(ctx context.Context, o *order.Order, returnID string) error {
	return r.ensure(ctx, ofReturn(o, returnID))
}

func (r *Runs) ensure(ctx context.Context, s subject) error {
	begin, err := s.begin(ctx)
	if err == nil {
		_, err = r.client.ExecuteWorkflow(ctx, r.startOptions(s, begin, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE), begin.workflow, begin.input)
	}
	return err
}

// Wake tells the order's run that its facts changed by themselves, starting one when there is none.
func (r *Runs) Wake(ctx context.Context, o *order.Order) error { return r.wake(ctx, ofOrder(o)) }

// WakeReturn tells the return's run that its facts changed by themselves, starting one when there is none. Errors:
// NotFound when the order has no such return.
func (r *Runs) WakeReturn(ctx context.Context, o *order.Order, returnID string) error {
	return r.wake(ctx, ofReturn(o, returnID))
}

// looking is how long a run has to say that it has looked. One that is at work on something slow, or has no worker,
// is left a signal.
const looking = 2 * time.Second

func (r *Runs) wake(ctx context.Context, s subject) error {
	waiting, cancel := context.WithTimeout(ctx, looking)
	defer cancel()
	_, err := r.attempt(waiting, s, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, workflows.UpdateFacts, "", nil)
	if err == nil || ctx.Err() != nil {
		return err
	}
	begin, err := s.begin(ctx)
	if err == nil {
		_, err = r.client.SignalWithStartWorkflow(ctx, s.runID, workflows.SignalFacts, nil,
			r.startOptions(s, begin, enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE), begin.workflow, begin.input)
	}
	return err
}

// Running reports whether the order has a run at this moment.
func (r *Runs) Running(ctx context.Context, orderID string) (bool, error) {
	return r.running(ctx, workflows.WorkflowID(orderID))
}

// RunningReturn reports whether the return has a run at this moment.
func (r *Runs) RunningReturn(ctx context.Context, returnID string) (bool, error) {
	return r.running(ctx, workflows.ReturnWorkflowID(returnID))
}

func (r *Runs) running(ctx context.Context, runID string) (bool, error) {
	d, err := r.client.DescribeWorkflowExecution(ctx, runID, "")
	var absent *serviceerror.NotFound
	if errors.As(err, &absent) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}

// Progress asks the run itself what it is doing. Errors: NotFound when there is none; Unavailable.
func (r *Runs) Progress(ctx context.Context, orderID string) (workflows.Progress, *commonpb.WorkflowExecution, error) {
	var p workflows.Progress
	d, err := r.client.DescribeWorkflowExecution(ctx, workflows.WorkflowID(orderID), "")
	if err != nil {
		return p, nil, explain(err)
	}
	execution := d.GetWorkflowExecutionInfo().GetExecution()
	value, err := r.client.QueryWorkflow(ctx, execution.GetWorkflowId(), execution.GetRunId(), workflows.QueryProgress)
	if err != nil {
		return p, execution, explain(err)
	}
	return p, execution, value.Get(&p)
}

// openPage is how many open runs are listed at a time.
const openPage = 500

// Open lists whose runs are open, as visibility knows them, which is a moment late.
func (r *Runs) Open(ctx context.Context, visit func(orderIDs, returnIDs []string) error) error {
	request := &workflowservice.ListWorkflowExecutionsRequest{PageSize: openPage,
		Query: "ExecutionStatus = 'Running' AND TaskQueue = '" + strings.ReplaceAll(r.taskQueue, "'", "''") + "'"}
	for {
		page, err := r.client.ListWorkflow(ctx, request)
		if err != nil {
			return err
		}
		var orderIDs, returnIDs []string
		for _, e := range page.GetExecutions() {
			id := e.GetExecution().GetWorkflowId()
			if orderID, ok := strings.CutPrefix(id, workflows.WorkflowID("")); ok {
				orderIDs = append(orderIDs, orderID)
			} else if returnID, ok := strings.CutPrefix(id, workflows.ReturnWorkflowID("")); ok {
				returnIDs = append(returnIDs, returnID)
			}
		}
		if err := visit(orderIDs, returnIDs); err != nil {
			return err
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return nil
		}
	}
}

// Ping reports whether Temporal answers and whether a worker polls the task queue.
func (r *Runs) Ping(ctx context.Context) (polled bool, err error) {
	if _, err := r.client.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return false, err
	}
	d, err := r.client.DescribeTaskQueue(ctx, r.taskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return false, err
	}
	return anyPolls(d.GetPollers(), time.Now()), nil
}

// pollerGone is how long after its last poll a worker counts as gone. A poll lasts a minute at most, and begins anew; the
// server itself remembers who polled for some minutes longer.
const pollerGone = 90 * time.Second

func anyPolls(pollers []*taskqueuepb.PollerInfo, now time.Time) bool {
	return slices.ContainsFunc(pollers, func(p *taskqueuepb.PollerInfo) bool {
		return now.Sub(p.GetLastAccessTime().AsTime()) < pollerGone
	})
}

// explain turns what Temporal says into what a caller can act on. Whatever is not a refusal leaves the outcome
// open: the same key will find it.
func explain(err error) error {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.HasDetails() {
		f := new(fault.Fault)
		if app.Details(f) == nil && f.Code != "" {
			return f
		}
	}
	if f := fault.As(err); f != nil {
		return f // the order could not be loaded, for which the run would have been started
	}
	var absent *serviceerror.NotFound
	if errors.As(err, &absent) {
		return fault.NotFoundf("the order has no run")
	}
	return &fault.Fault{Kind: fault.Unavailable, Code: "outcome_unknown", RetryAfter: time.Second,
		Detail: "no answer in time: it may or may not have happened. Send the same request again, with the same Idempotency-Key"}
}
