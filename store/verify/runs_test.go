package verify_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/store/verify"
	"github.com/waybill-oms/waybill/workflows"
	"github.com/waybill-oms/waybill/workflows/runs"
)

// stage is a world with a Temporal of its own, on which every open order has its run, which nobody executes.
type stage struct {
	*database
	store  *store.Store
	client client.Client
	runs   *runs.Runs
	queue  string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{database: open(t), queue: "verify's"}
	var err error
	s.store, err = store.Open(t.Context(), s.url, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.store.Close() })
	s.client, err = client.DialContext(t.Context(), client.Options{HostPort: devtest.NewTemporal(t).Address,
		Logger: log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))})
	require.NoError(t, err)
	t.Cleanup(s.client.Close)
	s.runs = runs.New(s.client, s.queue)
	var open []string
	require.NoError(t, s.SelectContext(t.Context(), &open, `SELECT id FROM orders WHERE NOT settled`))
	for _, id := range open {
		s.ensure(id)
	}
	open = nil
	require.NoError(t, s.SelectContext(t.Context(), &open, `SELECT id FROM returns WHERE NOT settled`))
	for _, id := range open {
		s.ensureReturn(id)
	}
	return s
}

func (s *stage) ensure(orderID string) {
	s.t.Helper()
	o, err := s.store.Order(s.t.Context(), orderID)
	require.NoError(s.t, err)
	require.NoError(s.t, s.runs.Ensure(s.t.Context(), o))
}

func (s *stage) ensureReturn(returnID string) {
	s.t.Helper()
	o, err := s.store.Order(s.t.Context(), s.text("SELECT order_id FROM returns WHERE id = '"+returnID+"'"))
	require.NoError(s.t, err)
	require.NoError(s.t, s.runs.EnsureReturn(s.t.Context(), o, returnID))
}

func (s *stage) terminate(workflowID string) {
	s.t.Helper()
	require.NoError(s.t, s.client.TerminateWorkflow(s.t.Context(), workflowID, "", "planted"))
}

// run starts a workflow that nobody executes.
func (s *stage) run(workflowID, workflowType string, limit time.Duration) {
	s.t.Helper()
	_, err := s.client.ExecuteWorkflow(s.t.Context(), client.StartWorkflowOptions{ID: workflowID, TaskQueue: s.queue, WorkflowRunTimeout: limit}, workflowType)
	require.NoError(s.t, err)
}

// visible waits until visibility, which is late, lists as many runs in some state as there are.
func (s *stage) visible(query string, count int64) {
	s.t.Helper()
	require.EventuallyWithT(s.t, func(t *assert.CollectT) {
		c, err := s.client.CountWorkflow(s.t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
		require.NoError(t, err)
		require.Equal(t, count, c.GetCount(), query)
	}, 20*time.Second, 20*time.Millisecond)
}

// ask verifies the runs, with the clock moved on so that nothing is excused for its youth.
func (s *stage) ask(later time.Duration) []verify.Finding {
	s.t.Helper()
	return s.verify(func(o *verify.Options) {
		o.Temporal, o.TaskQueue = s.client, s.queue
		o.Now = func() time.Time { return time.Now().Add(later) }
	})
}

// runCase is something done to the run of a scenario's order, or of its return, or beside it.
type runCase struct {
	id, name, scenario string
	returns            bool // it is about the order's first return
	do                 func(s *stage, id string)
	also               []string
	subject            string // the id of the order, or of the return, when empty
}

var runFaults = []runCase{
	{id: "V-W1", name: "nobody started it", scenario: "accepted", do: func(s *stage, id string) { s.forget(workflows.WorkflowID(id)) }},
	{id: "V-W1", name: "nobody started it for a return", scenario: "return-requested", returns: true, do: func(s *stage, id string) {
		s.forget(workflows.ReturnWorkflowID(id))
	}},
	{id: "V-W2", name: "a return is settled, and still running", scenario: "return-closed", returns: true, do: func(s *stage, id string) { s.ensureReturn(id) }},
	{id: "V-W2", name: "settled, and still running", scenario: "delivered", do: func(s *stage, id string) { s.ensure(id) }},
	{id: "V-W3", name: "terminated, nobody called", scenario: "picked", also: []string{"V-W1"}, do: func(s *stage, id string) { s.terminate(workflows.WorkflowID(id)) }},
	{id: "V-W3", name: "a return's was terminated, nobody called", scenario: "return-received", returns: true, also: []string{"V-W1"}, do: func(s *stage, id string) {
		s.terminate(workflows.ReturnWorkflowID(id))
	}},
	{id: "V-W4", name: "a run of no order", subject: "order/ord_nobody", do: func(s *stage, _ string) { s.run("order/ord_nobody", "Order", 0) }},
	{id: "V-W4", name: "a run that died for want of an order", subject: "order/ord_nobody_else", do: func(s *stage, _ string) {
		s.run("order/ord_nobody_else", "Order", 0)
		s.terminate("order/ord_nobody_else")
	}},
	{id: "V-W4", name: "a run of no return", subject: "return/ret_nobody", do: func(s *stage, _ string) { s.run("return/ret_nobody", "Return", 0) }},
	{id: "V-W4", name: "a return's run of an order", subject: "order/as_return", do: func(s *stage, _ string) { s.run("order/as_return", "Return", 0) }},
	{id: "V-W4", name: "a run of something else", subject: "something/else", do: func(s *stage, _ string) { s.run("something/else", "Order", 0) }},
}

var runNeighbors = []runCase{
	{id: "V-W1", name: "ended, not settled, and running", scenario: "cancelling", do: func(*stage, string) {}},
	{id: "V-W1", name: "placed just now", scenario: "packed", do: func(s *stage, id string) {
		s.forget(workflows.WorkflowID(id))
		s.exec(`UPDATE orders SET updated_at = now() + interval '1 minute' WHERE id = '` + id + `'`)
	}},
	{id: "V-W2", name: "settled, and its run has ended", scenario: "cancelled", do: func(s *stage, id string) {
		s.ensure(id)
		s.terminate(workflows.WorkflowID(id))
	}},
	{id: "V-W2", name: "a return is settled, and its run has ended", scenario: "return-declined", returns: true, do: func(s *stage, id string) {
		s.ensureReturn(id)
		s.terminate(workflows.ReturnWorkflowID(id))
	}},
	{id: "V-W1", name: "a return runs, its order has long ended", scenario: "return-approved", returns: true, do: func(*stage, string) {}},
	{id: "V-W3", name: "terminated, and started again", scenario: "shipped", do: func(s *stage, id string) {
		s.terminate(workflows.WorkflowID(id))
		s.ensure(id)
	}},
	{id: "V-W3", name: "timed out, settled", scenario: "expired", do: func(s *stage, id string) {
		s.run(workflows.WorkflowID(id), "Order", time.Second)
		require.Error(s.t, s.client.GetWorkflow(s.t.Context(), workflows.WorkflowID(id), "").Get(s.t.Context(), nil))
	}},
	{id: "V-W4", name: "a run that is not an order's", do: func(s *stage, _ string) { s.run("other/1", "Other", 0) }},
	{id: "V-W4", name: "somebody else's run", do: func(s *stage, _ string) {
		_, err := s.client.ExecuteWorkflow(s.t.Context(), client.StartWorkflowOptions{ID: "order/elsewhere", TaskQueue: "elsewhere"}, "Order")
		require.NoError(s.t, err)
	}},
}

// forget takes a run away together with its history, as if there had never been one.
func (s *stage) forget(id string) {
	s.t.Helper()
	d, err := s.client.DescribeWorkflowExecution(s.t.Context(), id, "")
	require.NoError(s.t, err)
	_, err = s.client.WorkflowService().DeleteWorkflowExecution(s.t.Context(), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: d.GetWorkflowExecutionInfo().GetExecution()})
	require.NoError(s.t, err)
	require.Eventually(s.t, func() bool {
		_, err := s.client.DescribeWorkflowExecution(s.t.Context(), id, "")
		var absent *serviceerror.NotFound
		return errors.As(err, &absent)
	}, 10*time.Second, 10*time.Millisecond)
}

func (s *stage) play(cases []runCase) (subjects map[string][]string) {
	s.t.Helper()
	subjects = map[string][]string{}
	for _, c := range cases {
		owner := ""
		switch {
		case c.returns:
			owner = s.text("SELECT ret('" + c.scenario + "')")
		case c.scenario != "":
			owner = s.text("SELECT ord('" + c.scenario + "')")
		}
		c.do(s, owner)
		subject := c.subject
		if subject == "" {
			subject = owner
		}
		for _, id := range append([]string{c.id}, c.also...) {
			subjects[id] = append(subjects[id], subject)
		}
	}
	return subjects
}

// All neighbors at once are legal; then each fault is found where it was planted, and nowhere else.
func TestRuns(t *testing.T) {
	s := newStage(t)
	open := s.open()
	s.visible(s.listed("Running"), open)
	require.Empty(t, violated(s.ask(time.Minute)), "every open order has its run")

	s.play(runNeighbors)
	s.visible(s.listed("Running"), open-1)
	s.visible(s.listed("Terminated"), 3)
	s.visible(s.listed("TimedOut"), 1)
	findings := s.ask(time.Minute)
	require.Empty(t, violated(findings))
	require.EqualValues(t, 1, finding(t, findings, "V-W1").InFlight, "placed just now")

	wanted := s.play(runFaults)
	s.visible(s.listed("Running"), open-1-4+6)
	s.visible(s.listed("Terminated"), 6)
	found := violated(s.ask(time.Minute))
	require.Len(t, found, len(wanted), "%v", found)
	for id, subjects := range wanted {
		var named []string
		for _, v := range found[id] {
			named = append(named, v.Subject)
		}
		require.ElementsMatch(t, subjects, named, id)
	}

	findings = s.ask(0) // they are all young
	require.Zero(t, finding(t, findings, "V-W2").Count)
	require.EqualValues(t, 2, finding(t, findings, "V-W3").InFlight)

	s.exec(`UPDATE orders SET attention_code = 'step_failed' WHERE id = ord('picked'); UPDATE returns SET attention_code = 'step_failed' WHERE id = ret('return-received')`)
	dead := finding(t, s.ask(time.Minute), "V-W3")
	require.Zero(t, dead.Count)
	require.EqualValues(t, 2, dead.Attention)
}

// open counts the orders and returns that need a run.
func (s *stage) open() (owners int64) {
	s.t.Helper()
	require.NoError(s.t, s.GetContext(s.t.Context(), &owners, `SELECT (SELECT count(*) FROM orders WHERE NOT settled) + (SELECT count(*) FROM returns WHERE NOT settled)`))
	return owners
}

func (s *stage) listed(status string) string {
	return "WorkflowType IN ('Order', 'Return') AND TaskQueue = '" + "verify''s" + "' AND ExecutionStatus = '" + status + "'"
}

// A Temporal that is away leaves its invariants unchecked, and says so; the others are checked.
func TestTemporalAway(t *testing.T) {
	db := open(t)
	findings, err := verify.Run(t.Context(), verify.Options{DatabaseURL: db.url, Temporal: away{}})
	require.ErrorContains(t, err, "nobody answers")
	require.Equal(t, 4, verify.NotChecked(findings))
	require.Empty(t, violated(findings))
	for _, f := range findings {
		require.Equal(t, f.ID[:3] == "V-W", !f.Holds(), f.ID)
	}
}

type away struct{ verify.Temporal }

func (away) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return nil, errAway
}

var errAway = errors.New("nobody answers")
