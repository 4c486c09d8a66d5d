package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// a names the activities; it is never called.
var a *activities.Activities

// stepActivity is the activity that performs a step.
func stepActivity(name string) any {
	switch name {
	case string(payment.Authorize):
		return a.Authorize
	case string(payment.Capture):
		return a.Capture
	case string(payment.Void):
		return a.Void
	case string(payment.Refund):
		return a.Refund
	case string(shipping.BuyLabel):
		return a.BuyLabel
	case string(shipping.VoidLabel):
		return a.VoidLabel
	case order.StepAllocate:
		return a.Allocate
	}
	return nil
}

// asLongAsItTakes is longer than any run.
const asLongAsItTakes = 100 * 365 * 24 * time.Hour

// factsOptions are for activities that only touch our own database: milliseconds, inside the workflow task. While
// the database is away they are tried again for as long as it takes.
func factsOptions(summary string) workflow.LocalActivityOptions {
	return workflow.LocalActivityOptions{
		StartToCloseTimeout: 8 * time.Second, // longer than a statement and its connection may take (7 s)
		// Where none is given the SDK takes StartToCloseTimeout for it, and gives up after one slow attempt. A command that
		// is given up stays so: its answer is kept under its key, and whoever repeats it gets it again.
		ScheduleToCloseTimeout: asLongAsItTakes,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    200 * time.Millisecond, // a deadlock or a restarting database is over soon
			BackoffCoefficient: 2,
			MaximumInterval:    5 * time.Second, // writes within 5 s of the database's return
		},
		Summary: summary,
	}
}

// firstAttempt is for a step's one short attempt inside the workflow task: a plain order costs no more than that.
// How long the gateway gets is its own affair; this is longer, so that its answer can still be written.
func firstAttempt(summary string) workflow.LocalActivityOptions {
	return workflow.LocalActivityOptions{
		StartToCloseTimeout: 8 * time.Second, // under the workflow task's 10 s, over any gateway's local attempt
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Summary:             summary,
	}
}

// visibleAttempts are for a step in trouble: operators see it with its last failure, may pause it, and it goes on
// for as long as it takes, with the same key.
func visibleAttempts(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: 75 * time.Second, // over any gateway's request timeout and the writing of its answer
		HeartbeatTimeout:    15 * time.Second, // a worker that is gone, or never got the task, is noticed then
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    time.Second,
			BackoffCoefficient: 2,
			MaximumInterval:    time.Minute, // a gateway that is back is noticed within a minute
		},
		Summary: summary,
	}
}
