package bench

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
)

// costSample is how many runs' histories are read: they are all alike, unless a step was in trouble.
const costSample = 25

// cost is what one run cost Temporal.
type cost struct{ actions, events, transitions float64 }

// Actions counts what Temporal bills for a history: a start, an update, a signal, a timer, an activity and a change of
// search attributes is one each, and so are all local activities of one workflow task together. Search attributes that
// were given at the start are free.
func Actions(events []*historypb.HistoryEvent) int {
	n, local := 0, false
	for _, e := range events {
		switch e.EventType {
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
			enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
			enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
			enumspb.EVENT_TYPE_TIMER_STARTED,
			enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
			enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
			n++
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			local = false
		case enumspb.EVENT_TYPE_MARKER_RECORDED:
			if !local {
				n, local = n+1, true
			}
		}
	}
	return n
}

// costs is the mean of some runs, spread over all of them, once each has ended.
func costs(ctx context.Context, c client.Client, runIDs []string) (mean cost, err error) {
	step := max(1, len(runIDs)/costSample)
	n := 0.0
	for i := 0; i < len(runIDs); i += step {
		one, err := costOf(ctx, c, runIDs[i])
		if err != nil {
			return mean, err
		}
		n++
		mean.actions += (one.actions - mean.actions) / n
		mean.events += (one.events - mean.events) / n
		mean.transitions += (one.transitions - mean.transitions) / n
	}
	return mean, nil
}

func costOf(ctx context.Context, c client.Client, runID string) (one cost, err error) {
	if err := c.GetWorkflow(ctx, runID, "").Get(ctx, nil); err != nil { // until it has ended
		return one, fmt.Errorf("run %s: %w", runID, err)
	}
	var events []*historypb.HistoryEvent
	for it := c.GetWorkflowHistory(ctx, runID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
		e, err := it.Next()
		if err != nil {
			return one, fmt.Errorf("history of %s: %w", runID, err)
		}
		events = append(events, e)
	}
	d, err := c.DescribeWorkflowExecution(ctx, runID, "")
	if err != nil {
		return one, fmt.Errorf("describe %s: %w", runID, err)
	}
	return cost{actions: float64(Actions(events)), events: float64(len(events)),
		transitions: float64(d.GetWorkflowExecutionInfo().GetStateTransitionCount())}, nil
}
