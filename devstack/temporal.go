//go:build unix

package devstack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

// TemporalOptions says how to run the dev server. Either Dir or Ephemeral is needed.
type TemporalOptions struct {
	// Dir is the folder in which workflows are kept.
	Dir string
	// Ephemeral keeps everything in memory, until Stop.
	Ephemeral bool
	// Headless leaves out the web UI, which tests have no use for.
	Headless bool
	// Port and UIPort are preferred; others are used when they are taken. 0 means any.
	Port, UIPort int
	// LogFile is where the server's output goes; by default temporal.log in Dir.
	LogFile string
	// SearchAttributes are created unless they exist.
	SearchAttributes map[string]enumspb.IndexedValueType
	// DynamicConfig is given to the server: values are JSON, such as "system.enableActivityEagerExecution": "true".
	DynamicConfig map[string]string
	// UICodecEndpoint is the address of a codec server for the UI to decode payloads with, or "".
	UICodecEndpoint string
	// Retention is how long closed workflows are kept. 0 leaves the dev server's own, which is one day.
	Retention time.Duration
	// Progress takes lines for a person to read. It may be nil.
	Progress func(string)

	choose func(preferred int) int // FreePort where it is nil
}

// Temporal is a dev server that is ready to run workflows in its namespace.
type Temporal struct {
	// Address is the host and port of its gRPC service.
	Address   string
	Namespace string
	// UIURL is the web UI, or "" without one.
	UIURL string
	// Dir is where its state lies, LogFile its log, Binary the program.
	Dir, LogFile, Binary string

	proc    *process
	ladder  []stopStep
	cleanup []func()
	stop    sync.Once
	stopErr error
}

const (
	temporalNamespace = "default"
	temporalDatabase  = "temporal.db"
	temporalEnvFile   = "temporal.env.yaml"
	// temporalReadyMarker shows that the database file is complete: the server takes any file that exists for
	// one that has its tables.
	temporalReadyMarker = "temporal.ready"
)

var temporalLadder = []stopStep{{syscall.SIGTERM, 15 * time.Second}, {syscall.SIGKILL, 5 * time.Second}}

// Done is closed when the server has ended, whether by Stop or not.
func (t *Temporal) Done() <-chan struct{} { return t.proc.done }

// Stop ends the server within twenty seconds and waits for that. It may be called again.
func (t *Temporal) Stop() error {
	t.stop.Do(func() {
		if t.proc != nil {
			t.stopErr = t.proc.stop(t.ladder)
		}
		for _, undo := range t.cleanup {
			undo()
		}
	})
	return t.stopErr
}

// StartTemporal brings up the Temporal dev server, building its binary if need be (see TemporalBinary), and
// waits until it runs workflows, knows the search attributes and shows its UI. ctx bounds the start, not
// the life of the server; without a deadline the start has 90 s, to which the time of a build is added. It
// fails with an *InUseError when another process runs a server in the folder.
func StartTemporal(ctx context.Context, options TemporalOptions) (*Temporal, error) {
	t := &Temporal{Namespace: temporalNamespace, ladder: temporalLadder}
	if err := t.start(ctx, options); err != nil {
		return nil, errors.Join(fmt.Errorf("start Temporal: %w", err), t.Stop())
	}
	return t, nil
}

func (t *Temporal) start(ctx context.Context, options TemporalOptions) error {
	if err := t.claim(ctx, options); err != nil {
		return err
	}
	t.LogFile = options.LogFile
	if t.LogFile == "" {
		t.LogFile = filepath.Join(t.Dir, "temporal.log")
	}
	fallback := ""
	if !options.Ephemeral {
		fallback = filepath.Join(t.Dir, "cache")
	}
	var err error
	if t.Binary, err = TemporalBinary(ctx, fallback, options.Progress); err != nil {
		return err
	}
	ctx, cancel := withStartDeadline(ctx)
	defer cancel()
	if !options.Ephemeral {
		if err := stopLeftOvers(ctx, t.Dir, temporalIn(t.Dir), temporalLadder, options.Progress); err != nil {
			return err
		}
		if err := t.putAsideUnfinished(options.Progress); err != nil {
			return err
		}
	}
	return t.serve(ctx, options)
}

// claim takes the folder for this process.
func (t *Temporal) claim(ctx context.Context, options TemporalOptions) error {
	if options.Ephemeral {
		dir, remove, err := ephemeralDir(ctx, "temporal")
		if err != nil {
			return err
		}
		// Nothing is kept, so there is nothing to close in good order.
		t.Dir, t.ladder = dir, killLadder
		t.cleanup = append(t.cleanup, remove)
		return nil
	}
	dir, err := makeDataDir(options.Dir)
	if err != nil {
		return err
	}
	release, err := lockFile(filepath.Join(dir, "temporal.lock"))
	if err != nil {
		return err
	}
	t.Dir = dir
	t.cleanup = append(t.cleanup, release)
	return nil
}

// putAsideUnfinished moves away a database file whose first start was interrupted. No workflow can be in it:
// nobody was told the address before the file was marked.
func (t *Temporal) putAsideUnfinished(tell progress) error {
	database := filepath.Join(t.Dir, temporalDatabase)
	if _, err := os.Stat(filepath.Join(t.Dir, temporalReadyMarker)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(database); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	tell.say("the first start of Temporal in %s was interrupted: its database is put aside as %s.unfinished", t.Dir, temporalDatabase)
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.RemoveAll(database + suffix); err != nil {
			return err
		}
	}
	return os.Rename(database, database+".unfinished")
}

// serve starts the server, on other ports when those that were chosen were taken meanwhile.
func (t *Temporal) serve(ctx context.Context, options TemporalOptions) error {
	log, err := openLog(t.LogFile)
	if err != nil {
		return err
	}
	defer log.Close()
	for {
		info, err := log.Stat()
		if err != nil {
			return err
		}
		port, uiPort := choosePort(options.choose, options.Port), 0
		t.Address = address(port)
		if !options.Headless {
			uiPort = choosePort(options.choose, options.UIPort)
			t.UIURL = "http://" + address(uiPort)
		}
		t.proc, err = command{
			path: t.Binary, args: t.args(options, port, uiPort), dir: t.Dir, env: childEnv(t.Dir), output: log,
			// The file survives that, and a launcher that starts again does not have to wait.
			deathSignal: syscall.SIGKILL,
		}.start()
		if err != nil {
			return err
		}
		err = t.awaitReady(ctx, options)
		if err == nil {
			return nil
		}
		output := since(t.LogFile, info.Size())
		if !t.proc.ended() || !portWasTaken(output) {
			return fmt.Errorf("%w; %s ends with:%s", err, t.LogFile, indented(lastLines(output)))
		}
		progress(options.Progress).say("a port was taken meanwhile, trying others")
		options.Port, options.UIPort = 0, 0
	}
}

func (t *Temporal) args(options TemporalOptions, port, uiPort int) []string {
	args := []string{
		"server", "start-dev", "--ip", loopback, "--port", strconv.Itoa(port), "--color", "never",
		// At the level "never" a server that cannot start would not say why.
		"--log-level", "error",
		// The user's own settings for the command line tool do not concern this server. The path of the file,
		// which need not exist, also tells later which folder the server works in.
		"--disable-config-env", "--disable-config-file", "--env-file", filepath.Join(t.Dir, temporalEnvFile),
	}
	if options.Headless {
		args = append(args, "--headless")
	} else {
		args = append(args, "--ui-port", strconv.Itoa(uiPort))
		if options.UICodecEndpoint != "" {
			args = append(args, "--ui-codec-endpoint", options.UICodecEndpoint)
		}
	}
	if !options.Ephemeral {
		// With a plain file every transaction waits for the disk; like this it waits at checkpoints, and what is
		// lost is at most what a crash of the machine, not of the server, catches.
		args = append(args, "--db-filename", filepath.Join(t.Dir, temporalDatabase),
			"--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL")
	}
	for _, key := range slices.Sorted(maps.Keys(options.DynamicConfig)) {
		args = append(args, "--dynamic-config-value", key+"="+options.DynamicConfig[key])
	}
	// On a new database the attributes are there from the start. On an older one this has no effect, and
	// EnsureSearchAttributes makes up for it.
	for _, name := range slices.Sorted(maps.Keys(options.SearchAttributes)) {
		args = append(args, "--search-attribute", name+"="+options.SearchAttributes[name].String())
	}
	return args
}

func (t *Temporal) awaitReady(ctx context.Context, options TemporalOptions) error {
	// What is under way when the server ends is not waited for.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-t.proc.done:
			cancel(fmt.Errorf("the Temporal dev server ended at once (%s)", t.proc.outcome()))
		case <-ctx.Done():
		}
	}()
	c, err := dialTemporal(ctx, t.Address, t.Namespace)
	if err != nil {
		return err
	}
	defer c.Close()
	if options.Retention > 0 {
		if err := setRetention(ctx, c, t.Namespace, options.Retention); err != nil {
			return err
		}
	}
	if err := EnsureSearchAttributes(ctx, c, t.Namespace, options.SearchAttributes); err != nil {
		return err
	}
	if err := t.awaitUI(ctx); err != nil {
		return err
	}
	if options.Ephemeral {
		return nil
	}
	return os.WriteFile(filepath.Join(t.Dir, temporalReadyMarker), nil, 0o600)
}

// awaitUI waits for the UI, which is up a little later than the server: a link that is printed has to work.
func (t *Temporal) awaitUI(ctx context.Context) error {
	if t.UIURL == "" {
		return nil
	}
	var last error
	return poll(ctx, &last, func() (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.UIURL, nil)
		if err != nil {
			return false, err
		}
		answer, err := uiClient.Do(request)
		if err != nil {
			if ctx.Err() == nil { // else what was last seen tells more
				last = err
			}
			return false, nil
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			last = fmt.Errorf("the UI answers %s", answer.Status)
		}
		return answer.StatusCode == http.StatusOK, nil
	})
}

// uiClient goes straight to the loopback address, whatever proxy the environment names.
var uiClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
