//go:build unix

package chaos_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/chaos"
	"github.com/waybill-oms/waybill/devstack"
)

// TestMain builds Temporal where this machine does not have it yet: that takes minutes, and a test's time only counts
// from m.Run on.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	tell := func(line string) { fmt.Fprintln(os.Stderr, line) }
	if err := devstack.BuildPostgresTemporal(context.Background(), "", tell); err != nil {
		tell(err.Error())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A small world of real processes, with every kind of fault: everybody is answered, nothing is lost, everything settles.
func TestAShortRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes two minutes")
	}
	binary := filepath.Join(t.TempDir(), "waybill")
	output, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/waybill").CombinedOutput()
	require.NoError(t, err, "%s", output)
	report, err := chaos.Run(t.Context(), chaos.Options{
		// A seed whose schedule kills PostgreSQL, Temporal and a worker.
		Plan: chaos.Plan{Seed: 43, Window: 45 * time.Second, EveryMin: time.Second, EveryMax: 2500 * time.Millisecond, Kinds: chaos.Kinds()},
		// More orders than are played in the window, so that it is broken to its end.
		Orders: 150, Parallel: 4, Binary: binary, Tell: func(line string) { t.Log(line) }, Progress: func(chaos.Progress) {},
	})
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, report.Write(&text))
	t.Log(text.String())
	require.True(t, report.Passed())
	require.NotEmpty(t, report.Faults)
	for _, name := range []string{"postgres", "temporal", "worker-2", "api-1"} {
		require.Greater(t, report.Starts[name], 1, "%s was killed, or the next build has taken over", name)
	}
	require.Positive(t, report.Sold)
	require.Positive(t, report.Events)
}
