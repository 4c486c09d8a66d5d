package worker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

// metadata is what the Temporal UI shows of a run at this moment, asked as the UI asks.
func (a *app) metadata(workflowID string) *sdkpb.WorkflowMetadata {
	a.t.Helper()
	value, err := a.client.QueryWorkflow(a.within(10*time.Second), workflowID, "", "__temporal_workflow_metadata")
	require.NoError(a.t, err)
	m := new(sdkpb.WorkflowMetadata)
	require.NoError(a.t, value.Get(m))
	return m
}

// shows waits until a run's current details say something.
func (a *app) shows(workflowID, text string) {
	a.t.Helper()
	require.Eventually(a.t, func() bool { return strings.Contains(a.metadata(workflowID).GetCurrentDetails(), text) },
		20*time.Second, 20*time.Millisecond, text)
}

func text(t *testing.T, p *commonpb.Payload) string {
	t.Helper()
	var s string
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(p, &s))
	return s
}

// typed sends an update as somebody does who types it into the Temporal UI: without key or name.
func (a *app) typed(orderID, name string, data map[string]any) error {
	a.t.Helper()
	handle, err := a.client.UpdateWorkflow(a.within(20*time.Second), client.UpdateWorkflowOptions{
		WorkflowID: workflows.WorkflowID(orderID), UpdateName: name, UpdateID: "typed-" + name, Args: []any{data},
		WaitForStage: client.WorkflowUpdateStageCompleted})
	if err != nil {
		return err
	}
	return handle.Get(a.within(20*time.Second), nil)
}

// What an operator reads on a run's page: whose it is, what may be done, where it is, what its timer is for.
func TestWhatARunShows(t *testing.T) {
	a := start(t)
	o := a.place(placement("1001", "tok_ok"))
	require.NoError(t, a.pick(o))
	d, err := a.client.DescribeWorkflowExecution(t.Context(), "order/"+o.ID, "")
	require.NoError(t, err)
	config := d.GetExecutionConfig().GetUserMetadata()
	require.Equal(t, "web 1001 · 48.28 USD · 2 units", text(t, config.GetSummary()))
	require.Contains(t, text(t, config.GetDetails()), o.ID)
	require.Contains(t, text(t, config.GetDetails()), "**Request Cancellation** cancels the order")
	now := a.metadata("order/" + o.ID)
	require.Contains(t, now.GetCurrentDetails(), "**Processing** · **waits for the warehouse** at nyc")
	require.Len(t, now.GetDefinition().GetUpdateDefinitions(), 11)
	for _, u := range append(now.GetDefinition().GetUpdateDefinitions(), now.GetDefinition().GetSignalDefinitions()...) {
		require.NotEmpty(t, u.GetDescription(), u.GetName())
	}
	for _, e := range a.history(o.ID) {
		said := text(t, orEmpty(e.GetUserMetadata().GetSummary()))
		switch e.EventType {
		case enumspb.EVENT_TYPE_TIMER_STARTED:
			require.Equal(t, "authorization of payment 1 lapses, "+o.Deadline.UTC().Format("2006-01-02 15:04 MST"), said)
		case enumspb.EVENT_TYPE_MARKER_RECORDED:
			require.NotEmpty(t, said)
		}
		require.NotContains(t, e.String(), "Ada", "no personal data")
	}
}

// orEmpty is a payload that can be read, also where there is none.
func orEmpty(p *commonpb.Payload) *commonpb.Payload {
	if p == nil {
		p, _ = converter.GetDefaultDataConverter().ToPayload("")
	}
	return p
}

// Request Cancellation has no answer of its own: whoever pressed it finds in the details that it was refused.
func TestARefusedCancellationIsShown(t *testing.T) {
	a := start(t)
	o := a.bought(placement("1001", "tok_ok"))
	b := a.sendBack(o, 2, returns.ChangedMind)
	b.approve()
	b.receive(2)
	require.NoError(t, a.client.CancelWorkflow(t.Context(), workflows.ReturnWorkflowID(b.id), ""))
	a.shows(workflows.ReturnWorkflowID(b.id), "and refused:** return_received")
	b.inspect(2, returns.GradeA)
	b.settled(returns.Closed)

	o = a.place(placement("1002", "tok_ok"))
	require.NoError(t, a.pick(o))
	require.NoError(t, a.pack(o))
	require.NoError(t, a.ship(o))
	require.NoError(t, a.client.CancelWorkflow(t.Context(), workflows.WorkflowID(o.ID), ""))
	a.shows(workflows.WorkflowID(o.ID), "and refused:** already_shipped, parcel 1 was handed to the carrier")
	a.scan(a.order(o.ID), shipping.Delivered)
	require.Equal(t, order.Completed, a.settled(o.ID).Status)
}

// What is typed into the Temporal UI has no key of its own. A reset sends it again, and it is not done again.
func TestATypedUpdateIsDoneOnce(t *testing.T) {
	a := start(t)
	o := a.place(placement("1001", "tok_ok"))
	require.NoError(t, a.typed(o.ID, workflows.UpdateHold, map[string]any{"reason": "fraud_review"}))
	require.Len(t, a.order(o.ID).Holds, 1)
	a.reset(o.ID, 0)
	require.NoError(t, a.typed(o.ID, workflows.UpdateResume, map[string]any{})) // after what the reset sends again
	held := a.order(o.ID).Holds
	require.Len(t, held, 1)
	require.NoError(t, a.typed(o.ID, workflows.UpdateReleaseHold, map[string]any{"hold_id": held[0].ID}))
	require.False(t, a.order(o.ID).Holds[0].Active())
	events, err := a.Store.Timeline(t.Context(), o.ID, 0, 100)
	require.NoError(t, err)
	require.Equal(t, activities.InTemporal, events[len(events)-1].Actor)
}

// savedQueries are those of docs/operators.md, by what the page says that they find.
func savedQueries(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "operators.md"))
	require.NoError(t, err)
	queries := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| \\[([^]]+)\\]\\([^)]+\\) \\| `([^`]+)` \\|$").FindAllStringSubmatch(string(page), -1) {
		queries[row[1]] = row[2]
	}
	return queries
}

// An operator relies on these lists: whoever waits for the warehouse is in its list, whoever calls for a person in theirs.
func TestTheQueriesOfOperatorsFindWhatTheySay(t *testing.T) {
	a := start(t)
	a.stock("sf", "HOODIE-L", 10)
	at := func(externalID, token string) *order.Order {
		p := placement(externalID, token)
		p.Lines[0].SKU = "HOODIE-L"
		return a.place(p)
	}
	plain, refused := at("1001", "tok_ok"), at("1002", "tok_capture_refused")
	require.NoError(t, a.pick(refused))
	require.NoError(t, a.pack(refused))
	require.NoError(t, a.ship(refused))
	queries := savedQueries(t)
	for title, in := range map[string]struct{ plain, refused bool }{
		"Work of one warehouse": {plain: true},
		"Everything that calls for a person and is still going on": {refused: true},
		"Money that cannot be taken, let go or given back":         {refused: true},
		"Waits for somebody here: holds and calls":                 {refused: true},
	} {
		require.Contains(t, queries, title)
		query := queries[title] + fmt.Sprintf(" AND WorkflowId IN (%q, %q)", "order/"+plain.ID, "order/"+refused.ID)
		var found struct{ plain, refused bool }
		require.Eventually(t, func() bool { // what is shown follows the run
			list, err := a.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: "default", Query: query})
			found.plain, found.refused = false, false
			for _, run := range list.GetExecutions() {
				found.plain = found.plain || run.GetExecution().GetWorkflowId() == "order/"+plain.ID
				found.refused = found.refused || run.GetExecution().GetWorkflowId() == "order/"+refused.ID
			}
			return err == nil && found == in
		}, 20*time.Second, 50*time.Millisecond, "%s: %+v", query, &found)
	}
}

// silenced keeps the sandbox's payment gateway from answering anybody until it is called.
func (a *app) silenced() (end func()) {
	a.t.Helper()
	db := a.database()
	tx, err := db.BeginTx(a.t.Context(), nil)
	require.NoError(a.t, err)
	_, err = tx.ExecContext(a.t.Context(), `LOCK TABLE sandbox.payment_ledger, sandbox.requests IN ACCESS EXCLUSIVE MODE`)
	require.NoError(a.t, err)
	return func() {
		require.NoError(a.t, tx.Rollback())
		require.NoError(a.t, db.Close())
	}
}

// A gateway that does not answer is seen where an operator looks: in the details, in the pending activity, which says
// from when on it is his affair, and, after a while, in the search attribute by which he finds it.
func TestASilentGatewayIsShown(t *testing.T) {
	a := start(t, func(o *worker.Options) {
		policy := order.DefaultPolicy()
		policy.AttentionAfter = 3 * time.Second
		o.Policy = &policy
	})
	o := a.write(placement("1001", "tok_ok"))
	end := a.silenced()
	require.NoError(t, a.Runs.Ensure(t.Context(), o))
	a.shows("order/"+o.ID, "**In trouble:** authorize 48.28 USD on sandbox")
	var cause *failurepb.Failure
	require.Eventually(t, func() bool {
		d, err := a.client.DescribeWorkflowExecution(t.Context(), "order/"+o.ID, "")
		require.NoError(t, err)
		for _, p := range d.GetPendingActivities() {
			cause = p.GetLastFailure()
		}
		return cause != nil
	}, 20*time.Second, 20*time.Millisecond)
	require.Equal(t, "outcome_unknown", cause.GetApplicationFailureInfo().GetType())
	require.Contains(t, cause.GetMessage(), "authorize/"+o.Payments[0].ID+": no answer, it may or may not have been done.")
	require.Eventually(t, func() bool {
		d, err := a.client.DescribeWorkflowExecution(t.Context(), "order/"+o.ID, "")
		require.NoError(t, err)
		called := d.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()[workflows.AttributeAttention.GetName()]
		return called != nil && text(t, called) == order.AttentionGatewayUnknown
	}, 60*time.Second, 50*time.Millisecond, "the run hears that somebody is called")
	a.shows("order/"+o.ID, "**Attention: gateway_unknown**")
	end()
	require.Empty(t, a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted }).AttentionCode)
}
