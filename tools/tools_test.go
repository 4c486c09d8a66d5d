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

func TestVersionsComeFromTheModfile(t *testing.T) {
	for _, program := range []tools.Program{tools.TemporalDev, tools.TemporalServer, tools.TemporalSQL, tools.TemporalUI} {
		require.Regexp(t, `^\d+\.\d+\.\d+$`, program.Version())
		require.Contains(t, string(tools.TemporalMod), "\t"+program.Package+"\n", "it is a tool")
		require.True(t, strings.HasPrefix(program.Package, program.Module+"/"))
		require.Contains(t, string(tools.TemporalSum), program.Module+" v"+program.Version()+" h1:")
	}
}

// A binary that was built from other dependencies of the same version is not found under this name.
func TestTemporalBuildFollowsTheSums(t *testing.T) {
	before := tools.TemporalBuild()
	require.Regexp(t, `^`+regexp.QuoteMeta(tools.TemporalDev.Version())+`-[0-9a-f]{8}$`, before)
	sums := tools.TemporalSum
	t.Cleanup(func() { tools.TemporalSum = sums })
	tools.TemporalSum = append([]byte("one.more/module v1.0.0 h1:sum\n"), sums...)
	require.NotEqual(t, before, tools.TemporalBuild())
}

// A modfile without its sum file builds whatever the network answers; one without a tool line cannot be run
// by `go tool`.
func TestEveryModfileNamesItsToolAndHasItsSums(t *testing.T) {
	modfiles, err := filepath.Glob("*.mod")
	require.NoError(t, err)
	require.Len(t, modfiles, 4)

	toolLine := regexp.MustCompile(`(?m)^tool (\(|\S+)$`)
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
