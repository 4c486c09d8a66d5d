package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

// outcome is what a command was answered.
type outcome struct {
	facts any
	err   error
	done  bool
}

func (o *outcome) Accept()          {}
func (o *outcome) Reject(err error) { o.err, o.done = err, true }
func (o *outcome) Complete(facts any, err error) {
	o.facts, o.err, o.done = facts, err, true
}

// The database is away for a minute: a run that is to load its facts, and a command, wait for it. An answer that it was
// away would be kept under the command's key for good, and whoever sends the same command again would get it again.
func TestACommandWaitsForTheDatabase(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	began := env.Now()
	away := func(until time.Duration) error {
		if env.Now().Sub(began) >= until {
			return nil
		}
		return temporal.NewApplicationErrorWithOptions("away", "database_unavailable", temporal.ApplicationErrorOptions{NextRetryDelay: time.Second})
	}
	open := order.Facts{Version: 1, Status: order.Accepted}
	var a *activities.Activities
	env.OnActivity(a.Load, mock.Anything, mock.Anything).Return(func(context.Context, activities.On) (order.Facts, error) {
		return open, away(time.Minute)
	})
	env.OnActivity(a.Cancel, mock.Anything, mock.Anything).Return(func(context.Context, activities.CancelCommand) (order.Facts, error) {
		return order.Facts{Version: 2, Status: order.Cancelled, Settled: true}, away(4 * time.Minute)
	})
	var answer outcome
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(workflows.UpdateCancel, "key/1", &answer, activities.CancelCommand{Reason: "changed my mind"})
	}, 3*time.Minute)

	env.ExecuteWorkflow(workflows.Order, workflows.OrderInput{OrderID: "ord_1"})
	require.NoError(t, env.GetWorkflowError())
	require.True(t, answer.done)
	require.NoError(t, answer.err)
	require.Equal(t, order.Cancelled, answer.facts.(order.Facts).Status)
	require.GreaterOrEqual(t, env.Now().Sub(began), 4*time.Minute)
}
