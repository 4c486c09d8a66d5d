package tools_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/tools"
)

func TestTemporalVersionComesFromTheModfile(t *testing.T) {
	require.Regexp(t, `^\d+\.\d+\.\d+$`, tools.TemporalVersion())
	require.Contains(t, string(tools.TemporalMod), "tool "+tools.TemporalPackage+"\n")
	require.Contains(t, string(tools.TemporalSum), "github.com/temporalio/cli v"+tools.TemporalVersion()+" h1:")
}

// A modfile without its sum file builds whatever the network answers; one without a tool line cannot be run
// by `go tool`.
func TestEveryModfileNamesItsToolAndHasItsSums(t *testing.T) {
	modfiles, err := filepath.Glob("*.mod")
	require.NoError(t, err)
	require.Len(t, modfiles, 4)

	toolLine := regexp.MustCompile(`(?m)^tool (\S+)$`)
	for _, name := range modfiles {
		t.Run(name, func(t *testing.T) {
			modfile, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Regexp(t, toolLine, string(modfile))
			require.NotContains(t, string(modfile), "replace ", "a replaced module cannot be built outside of the tree")

			sums, err := os.ReadFile(strings.TrimSuffix(name, ".mod") + ".sum")
			require.NoError(t, err)
			module := regexp.MustCompile(`(?m)^\s*(\S+) (v\S+) // indirect$`)
			for _, required := range module.FindAllStringSubmatch(string(modfile), -1) {
				require.Contains(t, string(sums), required[1]+" "+required[2], "no sum for %s", required[1])
			}
		})
	}
}
