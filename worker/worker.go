// Package worker assembles what executes orders and returns: it registers workflows and activities and tunes the
// worker, and puts a whole worker process together. It owns no behavior of its own.
package worker

import (
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/workflows"
)

// New makes a worker on a connected client. Start it, and Stop it to drain. Failed hears of it when it cannot go on,
// as when its namespace is gone.
func New(c client.Client, taskQueue string, a *activities.Activities, failed func(error)) worker.Worker {
	w := Tuned(c, taskQueue, failed)
	Register(w, a)
	return w
}

// Tuned makes a worker with the settings of New and nothing registered: what is measured beside Waybill has the same.
func Tuned(c client.Client, taskQueue string, failed func(error)) worker.Worker {
	return worker.New(c, taskQueue, worker.Options{
		// Two pollers, the default, cost a third of the throughput; they grow and shrink with the load.
		WorkflowTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{InitialNumberOfPollers: 8, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: 32}),
		ActivityTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{InitialNumberOfPollers: 4, MinimumNumberOfPollers: 1, MaximumNumberOfPollers: 32}),
		// A stopping worker finishes what it has begun; whatever takes longer is repeated by another, under its key.
		WorkerStopTimeout: 15 * time.Second,
		OnFatalError:      failed,
	})
}

// Register names the workflows and the activities, for a worker or for a test environment.
func Register(r worker.Registry, a *activities.Activities) {
	// Runs outlive deploys: they move to the newest build, and changes in code are guarded by GetVersion.
	named := func(name string) workflow.RegisterOptions {
		return workflow.RegisterOptions{Name: name, VersioningBehavior: workflow.VersioningBehaviorAutoUpgrade}
	}
	r.RegisterWorkflowWithOptions(workflows.Order, named("Order"))
	r.RegisterWorkflowWithOptions(workflows.Return, named("Return"))
	r.RegisterActivity(a)
}
