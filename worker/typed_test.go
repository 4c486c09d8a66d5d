package worker_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

// A slip in what somebody types must not cancel everything.
func TestATypedCancellationSaysWhatItIsAbout(t *testing.T) {
	a := start(t)
	o := a.place(placement("1001", "tok_ok"))
	err := a.typed(o.ID, workflows.UpdateCancel, map[string]any{"reason": "adv", "line": []any{map[string]any{"line_id": o.Lines[0].ID, "quantity": 1}}})
	require.ErrorContains(t, err, `{"whole":true}`)
	require.Equal(t, order.Accepted, a.order(o.ID).Status)

	handle, err := a.client.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{WorkflowID: workflows.WorkflowID(o.ID), UpdateName: workflows.UpdateCancel,
		UpdateID: "another", Args: []any{map[string]any{"reason": "adv", "whole": true}}, WaitForStage: client.WorkflowUpdateStageCompleted})
	require.NoError(t, err)
	require.NoError(t, handle.Get(t.Context(), nil))
	require.Equal(t, order.Cancelled, a.settled(o.ID).Status)
}

// News for a run that nobody works on at the moment are kept until somebody does: an update would be lost with the server.
func TestARunThatDoesNotAnswerIsLeftASignal(t *testing.T) {
	a := bystander(t, devtest.Temporal(t).Address)
	o := a.write(placement("1001", "tok_ok"))
	require.NoError(t, a.Runs.Wake(t.Context(), o))
	signaled := func(e *historypb.HistoryEvent) bool {
		return e.EventType == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
	}
	require.True(t, slices.ContainsFunc(a.history(o.ID), signaled))
}
