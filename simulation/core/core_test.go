package core_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/simulation/core"
)

// few is enough orders to want the same goods, and few enough for a hundred seeds twice in every run of the tests.
const few = 12

// Go walks through a map in another order every time: what depended on one would differ the second time.
func TestASeedIsOneTrace(t *testing.T) {
	t.Parallel()
	for seed := range simulation.Seed(100) {
		scope := simulation.Scope{Seed: seed + 1, Orders: few}
		once, err := core.Run(t.Context(), scope)
		require.NoError(t, err)
		require.Empty(t, once.Violations, "%s", scope.Command("core"))
		again, err := core.Run(t.Context(), scope)
		require.NoError(t, err)
		require.Equal(t, once, again, "%s", scope.Command("core"))
	}
}

func TestOneSeedOftenAndAtOnce(t *testing.T) {
	t.Parallel()
	scope := simulation.Scope{Seed: 7, Orders: 20}
	want, err := core.Run(t.Context(), scope)
	require.NoError(t, err)
	for n := range 8 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			got, err := core.Run(t.Context(), scope)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestAnotherSeedIsAnotherTrace(t *testing.T) {
	t.Parallel()
	one, err := core.Run(t.Context(), simulation.Scope{Seed: 1, Orders: few})
	require.NoError(t, err)
	other, err := core.Run(t.Context(), simulation.Scope{Seed: 2, Orders: few})
	require.NoError(t, err)
	require.NotEqual(t, one.Trace, other.Trace)
	require.Len(t, one.Trace, 64)
}

// A simulation in which a kind of trouble never happens shows nothing of it.
func TestEverythingThatMayGoWrongDoes(t *testing.T) {
	t.Parallel()
	kinds, outcomes := map[string]int{}, map[string]int{}
	for seed := range simulation.Seed(60) {
		r, err := core.Run(t.Context(), simulation.Scope{Seed: seed + 1, Orders: core.DefaultOrders})
		require.NoError(t, err)
		require.Empty(t, r.Violations)
		for _, id := range r.Faults {
			kinds[simulation.FaultKind(id)]++
		}
		for outcome, n := range r.Outcomes {
			outcomes[outcome] += n
		}
	}
	for _, kind := range []string{"action_required", "answered_twice", "called_off", "came_late", "cancelled", "cancelled_at_once", "cancelled_by_carrier",
		"capture_refused", "crash_after_commit", "crash_before_record", "declined", "delivered_after_all", "does_not_pay", "found", "fulfillment_held",
		"held", "imported_under_hold", "key_in_use", "label_given_up", "label_refused", "late_news", "late_request", "late_scan", "lost", "lost_answer",
		"lost_on_the_way_back", "lost_request", "missing", "missing_scan", "mistake", "more_units_cancelled", "never_came", "never_scanned", "never_sent",
		"no_refund", "no_window", "odd_scan", "outage", "paid_elsewhere", "parcel_given_up", "placed_twice", "rate_limited", "refund_refused",
		"reordered_scans", "repeated", "repeated_scan", "rest_cancelled", "resumed_for_nothing", "returned_to_sender", "returnless", "run_started_late",
		"sent_back", "sent_twice", "server_error", "several_parcels", "short_pick", "short_window", "slow_warehouse", "some_came", "some_lines",
		"step_failed", "token_for_nothing", "unexpected_items", "units_cancelled", "void_refused", "waived", "wrong_amount"} {
		require.Positive(t, kinds[kind], kind)
	}
	for _, outcome := range []string{"completed", "completed, return returned", "completed, return failed", "cancelled", "expired", "rejected"} {
		require.Positive(t, outcomes[outcome], outcome)
	}
}

func TestOnlySomeOrders(t *testing.T) {
	t.Parallel()
	all := simulation.Scope{Seed: 3, Orders: few}
	some := all
	some.Only = []int{2, 5}
	r, err := core.Run(t.Context(), some)
	require.NoError(t, err)
	require.Empty(t, r.Violations)
	require.Equal(t, 2, r.Orders)
	total := 0
	for _, n := range r.Outcomes {
		total += n
	}
	require.Equal(t, 2, total)
}

func TestAMutedFaultDoesNotHappen(t *testing.T) {
	t.Parallel()
	scope := simulation.Scope{Seed: 3, Orders: few}
	r, err := core.Run(t.Context(), scope)
	require.NoError(t, err)
	scope.Mute = slices.Clone(r.Faults)
	for range 20 { // without the first ones there are others
		r, err = core.Run(t.Context(), scope)
		require.NoError(t, err)
		for _, id := range r.Faults {
			require.NotContains(t, scope.Mute, id)
		}
		scope.Mute = append(scope.Mute, r.Faults...)
	}
	require.Empty(t, r.Faults, "when all are muted, nothing goes wrong")
	require.Empty(t, r.Violations)
	require.Subset(t, []string{"completed", "rejected"}, outcomesOf(r))
}

func outcomesOf(r simulation.Result) []string {
	var names []string
	for name := range r.Outcomes {
		names = append(names, name)
	}
	return names
}

func TestAWorldThatIsStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := core.Run(ctx, simulation.Scope{Seed: 1, Orders: few})
	require.ErrorIs(t, err, ctx.Err())
}

// BenchmarkOrders plays whole worlds: read orders/s.
func BenchmarkOrders(b *testing.B) {
	orders := 0
	for n := range b.N {
		r, err := core.Run(b.Context(), simulation.Scope{Seed: simulation.Seed(n + 1), Orders: core.DefaultOrders})
		require.NoError(b, err)
		orders += r.Orders
	}
	b.ReportMetric(float64(orders)/b.Elapsed().Seconds(), "orders/s")
}
