package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

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
