//go:build unix

package devstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/waybill-oms/waybill/tools"
)

const (
	// TemporalBinEnv names a dev server to use instead of building one: the program temporal of any origin.
	TemporalBinEnv = "WAYBILL_TEMPORAL_BIN"

	// buildWithin bounds a build: four times what a slow one took.
	buildWithin      = 20 * time.Minute
	buildReportEvery = 5 * time.Second
)

// TemporalBinary returns the path of the dev server's binary. It is that of WAYBILL_TEMPORAL_BIN, else the one
// kept in the user's cache folder, else it is built there, which takes minutes, is told through tell (which
// may be nil), and is done by one process while others wait. fallbackDir is where it is kept if the user has
// no cache folder; it may be "".
func TemporalBinary(ctx context.Context, fallbackDir string, tell func(string)) (string, error) {
	if given := os.Getenv(TemporalBinEnv); given != "" {
		path, err := exec.LookPath(given)
		if err != nil {
			return "", fmt.Errorf("%s: %w", TemporalBinEnv, err)
		}
		return filepath.Abs(path)
	}
	builder, err := newTemporalBuilder(fallbackDir, tell)
	if err != nil {
		return "", err
	}
	return builder.binary(ctx, tools.TemporalDev)
}

// BuildPostgresTemporal builds what StartTemporal needs to keep workflows in PostgreSQL, unless it is there. StartTemporal
// does so too; this is for callers whose time begins to count before it.
func BuildPostgresTemporal(ctx context.Context, fallbackDir string, tell func(string)) error {
	builder, err := newTemporalBuilder(fallbackDir, tell)
	if err != nil {
		return err
	}
	for _, program := range []tools.Program{tools.TemporalServer, tools.TemporalSQL, tools.TemporalUI} {
		if _, err := builder.binary(ctx, program); err != nil {
			return err
		}
	}
	return nil
}

type temporalBuilder struct {
	// home is the folder of this version of the programs; cache is the folder above.
	home, cache string
	tell        progress
}

func newTemporalBuilder(fallbackDir string, tell func(string)) (temporalBuilder, error) {
	cache, err := userCache(fallbackDir)
	home := filepath.Join(cache, fmt.Sprintf("temporal-%s-%s-%s", tools.TemporalBuild(), runtime.GOOS, runtime.GOARCH))
	return temporalBuilder{home: home, cache: cache, tell: tell}, err
}

// title says for people which program it is.
func title(program tools.Program) string {
	return map[tools.Program]string{
		tools.TemporalDev: "the Temporal dev server", tools.TemporalServer: "the Temporal server",
		tools.TemporalSQL: "Temporal's schema tool", tools.TemporalUI: "Temporal's web UI",
	}[program]
}

// binary returns the path of a program's binary, building it if need be. The file gets its name when it is complete,
// so one that is there is whole.
func (b temporalBuilder) binary(ctx context.Context, program tools.Program) (string, error) {
	path := filepath.Join(b.home, program.Name)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	ctx, cancel := context.WithTimeout(ctx, buildWithin)
	defer cancel()
	if err := os.MkdirAll(b.home, 0o700); err != nil {
		return "", err
	}
	release, err := waitLockFile(ctx, filepath.Join(b.home, "build.lock"), func(pid int) {
		b.tell.say("waiting for process %d, which is building %s", pid, title(program))
	})
	if err != nil {
		return "", fmt.Errorf("wait for another process to build %s: %w", title(program), err)
	}
	defer release()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err // built by the one that we have waited for
	}
	if err := b.build(ctx, program, path); err != nil {
		return "", fmt.Errorf("build %s: %w", title(program), err)
	}
	return path, nil
}

func (b temporalBuilder) build(ctx context.Context, program tools.Program, path string) error {
	goCommand, err := findGo(program)
	if err != nil {
		return err
	}
	module := filepath.Join(b.home, "module")
	if err := writeTemporalModule(module); err != nil {
		return err
	}
	b.tell.say("building %s %s, once: %s; it is kept in %s", title(program), program.Version(), usually(program), b.home)
	temporary := path + ".tmp"
	report := newBuildReport(b.tell, title(program))
	_, err = command{
		path: goCommand, dir: module, env: b.env(), output: report,
		// Debug information is not wanted and is a third of the file. The flag concerns linking only, so what
		// was compiled for anything else is used here too.
		args: []string{"build", "-v", "-ldflags=-s -w", "-o", temporary, program.Package},
	}.run(ctx)
	report.stop()
	if err != nil {
		return fmt.Errorf("%w%s", err, indented(lastLines(report.output.String())))
	}
	if err := syncFile(temporary); err != nil {
		return err
	}
	b.tell.say("built %s in %s", title(program), report.elapsed())
	return os.Rename(temporary, path)
}

// usually says how long a build takes. The server has most of its packages from the dev server.
func usually(program tools.Program) string {
	switch program {
	case tools.TemporalDev:
		return "usually 3-5 minutes on two cores"
	case tools.TemporalServer:
		return "less than a minute where the dev server was built, else usually 3-5 minutes on two cores"
	default:
		return "usually less than a minute"
	}
}

// findGo returns the go command: that of PATH, else where Go's own installer puts it.
func findGo(program tools.Program) (string, error) {
	for _, name := range []string{"go", "/usr/local/go/bin/go"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	if program != tools.TemporalDev {
		return "", errors.New("there is no go command to build it with: install Go, see https://go.dev/dl")
	}
	return "", fmt.Errorf("there is no go command to build it with. Either of these helps:\n"+
		"  - install Go, see https://go.dev/dl\n"+
		"  - %s=/path/to/temporal, a dev server that you have", TemporalBinEnv)
}

// env is the caller's environment, for the sake of proxies and caches, without what would build another thing.
func (b temporalBuilder) env() []string {
	env := append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "GO111MODULE=on", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	if _, err := os.UserHomeDir(); err != nil {
		env = append(env, "HOME="+b.cache)
	}
	return env
}

// writeTemporalModule makes a module that contains nothing but the embedded requirements.
func writeTemporalModule(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeFileAtomic(filepath.Join(dir, "go.mod"), tools.TemporalMod); err != nil {
		return err
	}
	return writeFileAtomic(filepath.Join(dir, "go.sum"), tools.TemporalSum)
}

func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}

// buildReport tells now and then how a build gets on. It is the build's output, of which -v makes one line
// a package.
type buildReport struct {
	output  bytes.Buffer
	lines   atomic.Int64
	started time.Time
	quit    chan struct{}
}

func newBuildReport(tell progress, what string) *buildReport {
	r := &buildReport{started: time.Now(), quit: make(chan struct{})}
	go func() {
		ticker := time.NewTicker(buildReportEvery)
		defer ticker.Stop()
		for {
			select {
			case <-r.quit:
				return
			case <-ticker.C:
				tell.say("building %s: %s, %d packages done", what, r.elapsed(), r.lines.Load())
			}
		}
	}()
	return r
}

func (r *buildReport) Write(output []byte) (int, error) {
	r.lines.Add(int64(bytes.Count(output, []byte("\n"))))
	return r.output.Write(output)
}

func (r *buildReport) elapsed() time.Duration { return time.Since(r.started).Round(time.Second) }

func (r *buildReport) stop() { close(r.quit) }
