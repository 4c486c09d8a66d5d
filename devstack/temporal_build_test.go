//go:build unix

package devstack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/tools"
)

// fakeGo puts a go command first in PATH that writes the file it was told to, and notes that it was called. The
// real build is what every other test here stands on.
func fakeGo(t *testing.T, script string) (calls string) {
	t.Helper()
	dir := t.TempDir()
	calls = filepath.Join(dir, "calls")
	text := fmt.Sprintf("#!/bin/sh\necho \"$*\" >> %q\ncp go.mod %q\n%s\n", calls, filepath.Join(dir, "go.mod"), script)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), []byte(text), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return calls
}

func TestTemporalIsBuiltOnceForAll(t *testing.T) {
	calls := fakeGo(t, `echo built > "$5"`)
	cache := t.TempDir()
	home := filepath.Join(cache, "temporal-x")
	var lines sync.Map
	tell := func(line string) { lines.Store(line, true) }
	paths := make([]string, 8)
	var wanting sync.WaitGroup
	for i := range paths {
		wanting.Go(func() {
			path, err := temporalBuilder{home: home, cache: cache, tell: tell}.binary(t.Context(), tools.TemporalDev)
			if err != nil {
				t.Error(err)
			}
			paths[i] = path
		})
	}
	wanting.Wait()
	for _, path := range paths {
		require.Equal(t, filepath.Join(home, "temporal"), path)
	}
	called, err := os.ReadFile(calls)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("build -v -ldflags=-s -w -o %s/temporal.tmp %s\n", home, tools.TemporalDev.Package), string(called))
	module, err := os.ReadFile(filepath.Join(filepath.Dir(calls), "go.mod"))
	require.NoError(t, err)
	require.Equal(t, string(tools.TemporalMod), string(module))

	var told strings.Builder
	lines.Range(func(line, _ any) bool { fmt.Fprintln(&told, line); return true })
	require.Contains(t, told.String(), "building the Temporal dev server "+tools.TemporalDev.Version()+", once: usually 3-5 minutes")
	require.Contains(t, told.String(), "built the Temporal dev server in")
}

func TestBuildThatFailsIsTriedAgain(t *testing.T) {
	cache := t.TempDir()
	builder := temporalBuilder{home: filepath.Join(cache, "temporal-x"), cache: cache}
	fakeGo(t, `echo half > "$5"; echo "compile: out of memory"; exit 2`)
	_, err := builder.binary(t.Context(), tools.TemporalDev)
	require.ErrorContains(t, err, "exit status 2")
	require.ErrorContains(t, err, "compile: out of memory")
	require.NoFileExists(t, filepath.Join(builder.home, "temporal"))

	fakeGo(t, `echo built > "$5"`)
	path, err := builder.binary(t.Context(), tools.TemporalDev)
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "built\n", string(content))
}

func TestTemporalBinaryThatIsGiven(t *testing.T) {
	t.Setenv(TemporalBinEnv, "/bin/sh")
	path, err := TemporalBinary(t.Context(), "", nil)
	require.NoError(t, err)
	require.Equal(t, "/bin/sh", path)
	t.Setenv(TemporalBinEnv, "/nonexistent/temporal")
	_, err = TemporalBinary(t.Context(), "", nil)
	require.ErrorContains(t, err, TemporalBinEnv)
}

func TestCacheFolder(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", filepath.Join(base, "home"))
	cache, err := userCache(filepath.Join(base, "fallback"))
	require.NoError(t, err)
	require.Contains(t, cache, filepath.Join(base, "home"))

	t.Setenv("HOME", "")
	cache, err = userCache(filepath.Join(base, "fallback"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(base, "fallback"), cache)

	cache, err = userCache("")
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("/var/tmp/waybill-%d", os.Geteuid()), cache)
	_ = os.Remove(cache) // unless something is kept there

	// Where everybody may write, somebody else's folder of that name may hold anything.
	require.NoError(t, os.Symlink(base, filepath.Join(base, "link")))
	require.False(t, usable(filepath.Join(base, "link")))
}
