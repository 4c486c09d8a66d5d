package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/bench"
)

// TestBenchMeasuresEverything on a stack of its own, filled beforehand, with a handful of orders. It does not look at how
// fast anything is.
func TestBenchMeasuresEverything(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	flags := []string{"--keep", dir, "--temporal-store", "sqlite", "--json"}
	p := start(t, nil, append([]string{"bench", "--in-flight", "2,3", "--orders", "8", "--for", "1ms", "--slice", "1m", "--lines", "2", "--preload", "40", "--warm-up", "100ms"}, flags...)...)
	require.Equal(t, 0, p.exitCode(t), p.stderr.String())
	var report bench.Report
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &report))
	require.Equal(t, 40, report.OrdersBefore)
	require.Len(t, report.Levels, 2)
	require.Equal(t, report.Levels[0].Waybill, report.Waybill)
	require.Equal(t, report.Levels[0].Bare, report.Bare)
	require.Equal(t, report.Levels[0].Ratio, report.Ratio)
	for _, level := range report.Levels {
		for name, f := range map[string]bench.Figures{"waybill": level.Waybill, "bare": level.Bare} {
			require.Zero(t, f.Failed, f.Reason)
			require.Positive(t, f.Orders, name)
			require.Positive(t, f.PerSecond, name)
			require.Positive(t, f.Actions, name)
			require.Positive(t, f.Events, name)
			require.Positive(t, f.Transitions, name)
			require.Positive(t, f.CPU["temporal"], name)
			for _, what := range []string{"end to end", "place", "pick", "pack", "ship"} {
				require.Positive(t, f.Requests[what].P50, "%s: %s", name, what)
				require.LessOrEqual(t, f.Requests[what].P50, f.Requests[what].P99, "%s: %s", name, what)
			}
		}
		require.Positive(t, level.Waybill.Transactions)
		require.GreaterOrEqual(t, level.Waybill.Requests["scan"].Count, level.Waybill.Orders)
		for _, process := range []string{"api", "worker", "postgres for waybill", "bench"} {
			require.Positive(t, level.Waybill.CPU[process], process)
		}
		require.Positive(t, level.Ratio)
		require.Positive(t, level.Place)
	}
	require.Positive(t, report.Levels[1].Scaling)
	require.Len(t, report.Goals, 7)

	lists := start(t, nil, append([]string{"bench", "--lists", "--times", "3"}, flags...)...)
	require.Equal(t, 0, lists.exitCode(t), lists.stderr.String())
	var listed bench.ListReport
	require.NoError(t, json.Unmarshal([]byte(lists.stdout.String()), &listed))
	require.Greater(t, listed.Orders, 40)
	require.Len(t, listed.Lists, 1+10+45, "no filter, each, each two")
	for _, l := range listed.Lists {
		require.Equal(t, 3, l.Count, l.Filter)
	}
}

// What nobody can want is refused before anything is started.
func TestBenchRefuses(t *testing.T) {
	t.Parallel()
	for message, args := range map[string][]string{
		"--in-flight must be from 1 to 1000":             {"--in-flight", "0"},
		"--orders must be at least 32":                   {"--orders", "20"},
		"--for and --slice must be more than 0":          {"--slice", "0s"},
		"--lines must be from 1 to 3":                    {"--lines", "4"},
		"--preload be from 0 to":                         {"--preload=-1"},
		"are for servers of the benchmark's own":         {"--running", "--preload", "10"},
		"no database: set WAYBILL_DATABASE_URL":          {"--running"},
		"--times must be more than 0":                    {"--lists", "--times", "0"},
		"must be one of \"postgres\",\"sqlite\" but got": {"--temporal-store", "oracle"},
	} {
		p := start(t, nil, append([]string{"bench"}, args...)...)
		require.NotEqual(t, 0, p.exitCode(t), message)
		require.Contains(t, p.stderr.String(), message)
	}
}
