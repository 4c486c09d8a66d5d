package workflows

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
)

// Temporal takes 20,000 bytes of details: those of the facts, what the run adds, and links that grew.
func TestDetailsFit(t *testing.T) {
	var links strings.Builder
	for i := range 10 {
		fmt.Fprintf(&links, "[Return %d](%s)\n\n", i, order.RunLink(ReturnWorkflowID("ret_06h0huqivtv7vfr375r4agdj44")))
	}
	r := &run{steps: map[string]*step{}, notice: refusedCancellation(time.Now(), fault.Conflictf("already_shipped", "%s", strings.Repeat("x", 200)))}
	r.facts.Details = "**Processing**\n\n" + links.String() + strings.Repeat("x", 12_000-links.Len()-16)
	require.Len(t, r.facts.Details, 12_000)
	for i := range 100 {
		due := order.Step{Key: fmt.Sprint(i), Summary: strings.Repeat("y", 100)}
		r.facts.Steps = append(r.facts.Steps, due)
		r.steps[due.Key] = &step{visible: true}
	}
	details := r.details("a-namespace-with-a-name-of-a-hundred-characters." + strings.Repeat("n", 52))
	require.LessOrEqual(t, len(details), 20_000)
	require.Contains(t, details, "/workflows/return%2Fret_06h0huqivtv7vfr375r4agdj44)")
	require.True(t, strings.HasPrefix(details, "**Processing**\n\n**Cancellation was requested"), "under the headline")
	require.Contains(t, details, "and more under Pending Activities")
}

// Units that wait for stock until the promised date may be paid by an authorization that lapses earlier: whoever looks
// for what is due before a time has to find the order.
func TestDueIsWhateverComesFirst(t *testing.T) {
	soon, late := time.Now().UTC(), time.Now().UTC().Add(time.Hour)
	for name, f := range map[string]order.Facts{
		"only a deadline":     {Deadline: &soon},
		"only a wait":         {WaitingUntil: &soon},
		"a deadline before":   {WaitingUntil: &late, Deadline: &soon},
		"a wait that is over": {WaitingUntil: &soon, Deadline: &late},
	} {
		at, found := temporal.NewSearchAttributes(due(f)).GetTime(AttributeDueAt)
		require.True(t, found, name)
		require.Equal(t, soon, at, name)
	}
}
