//go:build unix

package devstack

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// installed returns the PostgreSQL of this machine.
func installed(t *testing.T) pgBinaries {
	t.Helper()
	as, err := serverAccount()
	require.NoError(t, err)
	finder, err := newFinder("", "", as, logTo(t))
	require.NoError(t, err)
	found, err := finder.find(t.Context(), 0)
	require.NoError(t, err)
	return found
}

// fakeInstallation makes programs that say they are of a version, in a folder that anybody can reach.
func fakeInstallation(t *testing.T, dir, version string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for _, program := range []string{"initdb", "postgres"} {
		script := fmt.Sprintf("#!/bin/sh\necho '%s (PostgreSQL) %s'\n", program, version)
		require.NoError(t, os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755))
	}
}

func TestNewestInstalledPostgresIsChosen(t *testing.T) {
	t.Parallel()
	base := reachableDir(t)
	for _, version := range []string{"9.6", "13.21", "15.4", "15.10", "16.1"} {
		fakeInstallation(t, filepath.Join(base, version, "bin"), version+" (Debian)")
	}
	inPath := filepath.Join(base, "links")
	require.NoError(t, os.Mkdir(inPath, 0o755))
	require.NoError(t, os.Symlink(filepath.Join(base, "16.1/bin/postgres"), filepath.Join(inPath, "postgres")))
	finder := pgFinder{path: inPath, globs: []string{filepath.Join(base, "1*.*", "bin")}}

	for major, want := range map[int]string{0: "16.1", 15: "15.10", 16: "16.1"} {
		found, err := finder.find(t.Context(), major)
		require.NoError(t, err)
		require.Equal(t, want, found.version())
		require.Equal(t, filepath.Join(base, want, "bin"), found.dir, "the programs themselves, not links to them")
	}

	finder.globs = []string{filepath.Join(base, "9*", "bin"), filepath.Join(base, "13*", "bin")}
	finder.path = ""
	_, err := finder.find(t.Context(), 0)
	require.ErrorContains(t, err, "found, but of another version: PostgreSQL 13.21")
}

func TestNoPostgresAtAll(t *testing.T) {
	t.Parallel()
	finder := pgFinder{path: t.TempDir(), globs: []string{"/nowhere/*/bin"}}
	_, err := finder.find(t.Context(), 0)
	for _, part := range []string{
		"version 14 or newer", "initdb and postgres in PATH", "/nowhere/*/bin", "there is no npm",
		"apt-get install postgresql", "brew install postgresql@17", "DATABASE_URL=postgres://", "docker compose up",
	} {
		require.ErrorContains(t, err, part)
	}
	_, err = finder.find(t.Context(), 15)
	require.ErrorContains(t, err, "version 15, which made the data folder")
	require.ErrorContains(t, err, "start with another data folder")
}

func TestFolderGivenForPostgres(t *testing.T) {
	t.Parallel()
	base := reachableDir(t)
	fakeInstallation(t, filepath.Join(base, "old"), "13.2")
	fakeInstallation(t, filepath.Join(base, "new"), "17rc1")
	_, err := pgFinder{binDir: filepath.Join(base, "old")}.find(t.Context(), 0)
	require.ErrorContains(t, err, "is version 13.2, at least 14 is needed")
	_, err = pgFinder{binDir: filepath.Join(base, "none")}.find(t.Context(), 0)
	require.ErrorContains(t, err, "none")
	_, err = pgFinder{binDir: filepath.Join(base, "new")}.find(t.Context(), 16)
	require.ErrorContains(t, err, "is version 17.0, and the data folder was made by version 16")
	found, err := pgFinder{binDir: filepath.Join(base, "new")}.find(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, 17, found.major)
}

// The npm client is played by a script that lays out a package as npm does; the network is not asked.
func TestPostgresFromNPM(t *testing.T) {
	t.Parallel()
	base := reachableDir(t)
	calls := filepath.Join(base, "calls")
	npm := filepath.Join(base, "npm")
	script := fmt.Sprintf(`#!/bin/sh
set -e
echo "$*" >> %q
native="$3/node_modules/%s/native"
mkdir -p "$native/bin" "$native/lib"
for p in initdb postgres; do printf '#!/bin/sh\necho "x (PostgreSQL) 16.14"\n' > "$native/bin/$p"; chmod 755 "$native/bin/$p"; done
echo library > "$native/lib/libpq.so.5.16"
echo '[{"source":"native/lib/libpq.so.5.16","target":"native/lib/libpq.so.5"}]' > "$native/pg-symlinks.json"
`, calls, npmPostgresPackage())
	require.NoError(t, os.WriteFile(npm, []byte(script), 0o755))
	finder := pgFinder{npm: npm, cacheDir: filepath.Join(base, "cache"), tell: logTo(t)}

	for range 2 {
		found, err := finder.find(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, npmPostgresMajor(), found.major)
		require.Contains(t, found.source, "fetched by npm")
		library, err := os.ReadFile(filepath.Join(found.dir, "..", "lib", "libpq.so.5"))
		require.NoError(t, err)
		require.Equal(t, "library\n", string(library))
	}
	called, err := os.ReadFile(calls)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("install --prefix %s/postgres-%s.tmp --ignore-scripts --no-save --no-audit --no-fund %s@%s\n",
		finder.cacheDir, npmPostgresVersion, npmPostgresPackage(), npmPostgresVersion), string(called))

	_, err = finder.find(t.Context(), 15)
	require.ErrorContains(t, err, "version 15, which made the data folder")
}

func TestNPMThatFails(t *testing.T) {
	t.Parallel()
	base := reachableDir(t)
	npm := filepath.Join(base, "npm")
	require.NoError(t, os.WriteFile(npm, []byte("#!/bin/sh\necho the network is down >&2\nexit 1\n"), 0o755))
	_, err := pgFinder{npm: npm, cacheDir: filepath.Join(base, "cache")}.find(t.Context(), 0)
	require.ErrorContains(t, err, "the network is down")
	require.ErrorContains(t, err, "apt-get install postgresql")
}

func TestLinksStayInThePackage(t *testing.T) {
	t.Parallel()
	for _, links := range []string{
		`[{"source":"native/lib/a","target":"../outside"}]`, `[{"source":"/etc/passwd","target":"native/lib/a"}]`,
	} {
		dir := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(dir, "native"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "native", "pg-symlinks.json"), []byte(links), 0o600))
		require.ErrorContains(t, makeLinks(dir), "leaves the package")
	}
}
