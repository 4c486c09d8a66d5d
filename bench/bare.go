package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/worker"
)

// bareUpdates are asked of a bare run one after the other. The first starts it.
var bareUpdates = []string{"place", "pick", "pack", "ship", "deliver"}

// bareShape is how many local activities each update has.
var bareShape = map[string]int{"place": 2, "pick": 1, "pack": 1, "ship": 1, "deliver": 1}

// bareOrder is an order of which nothing is left but its shape: what Temporal costs alone.
func bareOrder(ctx workflow.Context) error {
	left := len(bareUpdates)
	for _, name := range bareUpdates {
		if err := workflow.SetUpdateHandler(ctx, name, func(ctx workflow.Context) error {
			ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
				StartToCloseTimeout: 8 * time.Second, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})
			for range bareShape[name] {
				if err := workflow.ExecuteLocalActivity(ctx, nothing).Get(ctx, nil); err != nil {
					return err
				}
			}
			left--
			return nil
		}); err != nil {
			return err
		}
	}
	return workflow.Await(ctx, func() bool { return left == 0 && workflow.AllHandlersFinished(ctx) })
}

// nothing is an activity that does nothing.
func nothing(context.Context) error { return nil }

// bare plays bare runs, on a worker of its own in this process.
type bare struct {
	client client.Client
	code   string // of the run: its runs' ids, and its task queue, begin with it
	number atomic.Int64
	stop   func()
}

// startBare starts the worker, with the settings of Waybill's.
func startBare(c client.Client, code string) (*bare, error) {
	b := &bare{client: c, code: code}
	w := worker.Tuned(c, b.queue(), func(error) {})
	w.RegisterWorkflow(bareOrder)
	w.RegisterActivity(nothing)
	if err := w.Start(); err != nil {
		return nil, fmt.Errorf("start the bare worker: %w", err)
	}
	b.stop = w.Stop
	return b, nil
}

func (b *bare) queue() string { return b.code + "-bare" }

// play takes one bare run from its start to its end.
func (b *bare) play(ctx context.Context, t *tally) error {
	id := fmt.Sprintf("bare/%s-%d", b.code, b.number.Add(1))
	began := time.Now()
	for i, name := range bareUpdates {
		asked := time.Now()
		if err := b.update(ctx, id, name, i == 0); err != nil {
			return fmt.Errorf("%s: %s: %w", id, name, err)
		}
		t.note(name, time.Since(asked))
	}
	t.completed(id, time.Since(began))
	return nil
}

func (b *bare) update(ctx context.Context, id, name string, first bool) error {
	options := client.UpdateWorkflowOptions{WorkflowID: id, UpdateID: name, UpdateName: name, WaitForStage: client.WorkflowUpdateStageCompleted}
	var handle client.WorkflowUpdateHandle
	var err error
	if first {
		handle, err = b.client.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{UpdateOptions: options,
			StartWorkflowOperation: b.client.NewWithStartWorkflowOperation(client.StartWorkflowOptions{ID: id, TaskQueue: b.queue(),
				WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
				WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE}, bareOrder)})
	} else {
		handle, err = b.client.UpdateWorkflow(ctx, options)
	}
	if err != nil {
		return err
	}
	return handle.Get(ctx, nil)
}
