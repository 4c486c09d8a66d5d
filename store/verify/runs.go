package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"github.com/lib/pq"
)

// Temporal is what the invariants of runs need of a Temporal client.
type Temporal interface {
	ListWorkflow(ctx context.Context, request *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
}

const (
	// grace is how long an order or a return that changed, or a run that began or ended, is left alone: a run is being
	// started or is ending just then, and the sweeper comes by every quarter of a minute.
	grace = 30 * time.Second
	// describing bounds what is asked of Temporal at a time.
	describing = 16
	// runsPage is how many runs or owners are looked at together.
	runsPage = 1000
)

// kind is one kind of thing that has runs: how these are told, and where their owners are.
type kind struct {
	noun    string
	runType string
	prefix  string // what stands before the owner's id
	table   string
}

// kinds lists them.
func kinds() []kind {
	return []kind{{noun: "order", runType: "Order", prefix: "order/", table: "orders"}, {noun: "return", runType: "Return", prefix: "return/", table: "returns"}}
}

// runs lists the invariants that Temporal is asked for, in the order of their checks.
func runs() []promise {
	return []promise{
		{id: "V-W1", protects: "Somebody looks after every open order and every open return: each has exactly one running workflow."},
		{id: "V-W2", protects: "Nothing runs for nothing: an order or a return that has ended and is settled has no running workflow."},
		{id: "V-W3", protects: "No run dies unseen: where the last run of an open order or return failed, timed out or was terminated, an operator has been called."},
		{id: "V-W4", protects: "No run works on thin air: every run has its order or its return."},
	}
}

// askTemporal checks the invariants of runs. What visibility lists is a little late, so it only names suspects:
// each is asked for by its id, and its order or return is read again, before it is reported.
func (q *inquiry) askTemporal(ctx context.Context) ([]Finding, error) {
	var findings []Finding
	for _, i := range runs() {
		findings = append(findings, Finding{ID: i.id, Protects: i.protects, Violations: []Violation{}})
	}
	var err error
	reason := "no Temporal was given"
	if q.options.Temporal != nil {
		for _, k := range kinds() {
			w := &watch{inquiry: q, kind: k, open: &findings[0], final: &findings[1], dead: &findings[2], orphaned: &findings[3], running: map[string]bool{}}
			if err = w.check(ctx); err != nil {
				break
			}
		}
		if err == nil {
			return findings, nil
		}
		reason, err = "Temporal, or the database beside it, does not answer", fmt.Errorf("the runs of orders and returns could not be checked: %w", err)
	}
	for i, f := range findings {
		findings[i] = Finding{ID: f.ID, Protects: f.Protects, Violations: []Violation{}, NotChecked: reason}
	}
	return findings, err
}

// watch is the comparison of runs and their owners at work.
type watch struct {
	*inquiry
	kind
	open, final, dead, orphaned *Finding
	running                     map[string]bool // ids of owners that visibility says have a run
	mu                          sync.Mutex      // guards the findings
}

// run is one execution.
type run struct {
	workflowID, runID string
	status            enumspb.WorkflowExecutionStatus
	began, ended      time.Time
}

func (k kind) ownerID(r run) (string, bool) { return strings.CutPrefix(r.workflowID, k.prefix) }

func (r run) isRunning() bool { return r.status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING }

// young reports whether the run began or ended just now.
func (r run) young(now time.Time) bool {
	return now.Sub(r.began) < grace || !r.ended.IsZero() && now.Sub(r.ended) < grace
}

// owner is an order, or a return, as the invariants of runs see it.
type owner struct {
	ID        string    `db:"id"`
	Status    string    `db:"status"`
	Settled   bool      `db:"settled"`
	Attention string    `db:"attention_code"`
	UpdatedAt time.Time `db:"updated_at"`
}

func (o owner) young(now time.Time) bool { return now.Sub(o.UpdatedAt) < grace }

func (w *watch) check(ctx context.Context) error {
	if err := w.list(ctx, "ExecutionStatus = 'Running'", w.judgeRunning); err != nil {
		return err
	}
	if err := w.list(ctx, "ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated')", w.judgeDead); err != nil {
		return err
	}
	return w.judgeOpen(ctx)
}

// list goes through the runs of one kind in some state, page by page.
func (w *watch) list(ctx context.Context, state string, judge func(context.Context, []run) error) error {
	request := &workflowservice.ListWorkflowExecutionsRequest{PageSize: runsPage,
		Query: "WorkflowType = '" + w.runType + "' AND " + state}
	if queue := w.options.TaskQueue; queue != "" {
		request.Query += " AND TaskQueue = '" + strings.ReplaceAll(queue, "'", "''") + "'"
	}
	for {
		page, err := w.options.Temporal.ListWorkflow(ctx, request)
		if err != nil {
			return fmt.Errorf("list %s runs: %w", w.noun, err)
		}
		found := make([]run, 0, len(page.GetExecutions()))
		for _, e := range page.GetExecutions() {
			found = append(found, runOf(e))
		}
		if err := judge(ctx, found); err != nil {
			return err
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return nil
		}
	}
}

func runOf(e *workflowpb.WorkflowExecutionInfo) run {
	r := run{workflowID: e.GetExecution().GetWorkflowId(), runID: e.GetExecution().GetRunId(), status: e.GetStatus(), began: e.GetStartTime().AsTime()}
	if ended := e.GetCloseTime(); ended != nil {
		r.ended = ended.AsTime()
	}
	return r
}

// judgeRunning looks for runs without an owner, and for runs of owners that are over.
func (w *watch) judgeRunning(ctx context.Context, listed []run) error {
	owners, err := w.owners(ctx, listed)
	if err != nil {
		return err
	}
	var suspects []run
	for _, r := range listed {
		id, ours := w.ownerID(r)
		o, found := owners[id]
		w.running[id] = w.running[id] || ours
		if !ours || !found || o.Settled && !o.young(w.now) && !r.young(w.now) {
			suspects = append(suspects, r)
		}
	}
	return w.each(ctx, suspects, func(listed run, last *run) error {
		if last == nil || !last.isRunning() {
			return nil // it ended since it was listed
		}
		return w.judge(ctx, *last)
	})
}

// judgeDead looks for runs that ended badly and were not replaced. Where the owner is settled nothing was left to do.
func (w *watch) judgeDead(ctx context.Context, listed []run) error {
	return w.each(ctx, listed, func(listed run, last *run) error {
		if last == nil || last.runID != listed.runID {
			return nil // another one has taken over
		}
		return w.judge(ctx, *last)
	})
}

// judge decides on the last run of its workflow id, with its owner read after it.
func (w *watch) judge(ctx context.Context, r run) error {
	owners, err := w.owners(ctx, []run{r})
	if err != nil {
		return err
	}
	id, ours := w.ownerID(r)
	o, found := owners[id]
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !ours || !found:
		w.orphaned.violated(r.workflowID, fmt.Sprintf("run %s: there is no such %s", r.runID, w.noun))
	case r.isRunning() && o.Settled:
		if o.young(w.now) || r.young(w.now) {
			w.final.InFlight++
			break
		}
		w.final.violated(o.ID, fmt.Sprintf("the %s is %s and settled, and run %s is still running", w.noun, o.Status, r.runID))
	case !r.isRunning() && !o.Settled:
		how := strings.ToLower(r.status.String())
		switch {
		case o.Attention != "":
			w.dead.Attention++
		case r.young(w.now):
			w.dead.InFlight++
		default:
			w.dead.violated(o.ID, fmt.Sprintf("the %s is %s; its last run, %s, ended as %s, and nobody was called", w.noun, o.Status, r.runID, how))
		}
	}
	return nil
}

// judgeOpen looks for owners without a run. Their runs were listed before, so what was placed since is not missed,
// it is young.
func (w *watch) judgeOpen(ctx context.Context) error {
	after := ""
	for {
		var page []owner
		err := w.db.SelectContext(ctx, &page, `
			SELECT id, status, settled, attention_code, updated_at FROM `+w.table+` WHERE NOT settled AND id > $1 ORDER BY id LIMIT $2`, after, runsPage)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].ID
		var suspects []run
		for _, o := range page {
			switch {
			case w.running[o.ID]:
			case o.young(w.now):
				w.open.InFlight++
			default:
				suspects = append(suspects, run{workflowID: w.prefix + o.ID})
			}
		}
		if err := w.each(ctx, suspects, func(suspect run, last *run) error { return w.judgeMissing(ctx, suspect, last) }); err != nil {
			return err
		}
	}
}

func (w *watch) judgeMissing(ctx context.Context, suspect run, last *run) error {
	if last != nil && last.isRunning() {
		return nil
	}
	owners, err := w.owners(ctx, []run{suspect})
	if err != nil {
		return err
	}
	id, _ := w.ownerID(suspect)
	o, found := owners[id]
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !found || o.Settled: // by now
	case o.young(w.options.Now()), last != nil && last.young(w.now):
		w.open.InFlight++
	case last == nil:
		w.open.violated(id, fmt.Sprintf("the %s is %s, and no run of it is known", w.noun, o.Status))
	default:
		w.open.violated(id, fmt.Sprintf("the %s is %s, and its last run, %s, is %s", w.noun, o.Status, last.runID, strings.ToLower(last.status.String())))
	}
	return nil
}

// owners reads the owners of runs, by id.
func (w *watch) owners(ctx context.Context, listed []run) (map[string]owner, error) {
	ids := make([]string, 0, len(listed))
	for _, r := range listed {
		if id, ours := w.ownerID(r); ours {
			ids = append(ids, id)
		}
	}
	var found []owner
	err := w.db.SelectContext(ctx, &found, `SELECT id, status, settled, attention_code, updated_at FROM `+w.table+` WHERE id = ANY($1)`, pq.Array(ids))
	if err != nil {
		return nil, err
	}
	byID := make(map[string]owner, len(found))
	for _, o := range found {
		byID[o.ID] = o
	}
	return byID, nil
}

// each asks Temporal for the last run of each suspect's workflow id: nil when it knows none.
func (w *watch) each(ctx context.Context, suspects []run, judge func(suspect run, last *run) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(describing)
	for _, suspect := range suspects {
		group.Go(func() error {
			d, err := w.options.Temporal.DescribeWorkflowExecution(ctx, suspect.workflowID, "")
			var absent *serviceerror.NotFound
			if errors.As(err, &absent) {
				return judge(suspect, nil)
			}
			if err != nil {
				return fmt.Errorf("describe %s: %w", suspect.workflowID, err)
			}
			last := runOf(d.GetWorkflowExecutionInfo())
			return judge(suspect, &last)
		})
	}
	return group.Wait()
}
