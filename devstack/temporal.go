//go:build unix

package devstack

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

// TemporalOptions says how to run Temporal. Either Dir or Ephemeral is needed.
type TemporalOptions struct {
	// Dir is the folder in which workflows are kept. It should be Temporal's alone.
	Dir string
	// Ephemeral keeps everything until Stop, in memory where it can.
	Ephemeral bool
	// Postgres keeps the workflows there instead of in Dir, and has the server that is used in production run them. nil
	// means the dev server, on SQLite.
	Postgres *TemporalPostgres
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
	// Retention is how long closed workflows are kept. 0 leaves it as it is, which is one day in the beginning.
	Retention time.Duration
	// Progress takes lines for a person to read. It may be nil.
	Progress func(string)

	choose func(preferred int) int // FreePort where it is nil
}

// Temporal is a server that is ready to run workflows in its namespace.
type Temporal struct {
	// Address is the host and port of its gRPC service.
	Address   string
	Namespace string
	// UIURL is the web UI, or "" without one.
	UIURL string
	// Dir is where its state lies, LogFile its log, Binary the program.
	Dir, LogFile, Binary string

	proc *process
	// ui is the web UI where that is a process of its own.
	ui      *process
	ladder  []stopStep
	cleanup []func()
	stop    sync.Once
	stopErr error
}

// temporalServer is a server with a store of its own.
type temporalServer interface {
	// build finds its programs, or builds them, and returns that of the server.
	build(ctx context.Context, fallbackDir string, tell progress) (string, error)
	// prepare makes its store such that it can be started.
	prepare(ctx context.Context, tell progress) error
	// command is what to run. It chooses the ports, and sets the server's address.
	command(options TemporalOptions) (command, error)
	// complete does what is left when workflows can be run.
	complete(ctx context.Context, options TemporalOptions) error
}

const temporalNamespace = "default"

var temporalLadder = []stopStep{{syscall.SIGTERM, 15 * time.Second}, {syscall.SIGKILL, 5 * time.Second}}

// Done is closed when the server has ended, whether by Stop or not.
func (t *Temporal) Done() <-chan struct{} { return t.proc.done }

// PID is that of the server.
func (t *Temporal) PID() int { return t.proc.pid }

// LastWords says whether the server still runs, and gives the end of its log.
func (t *Temporal) LastWords() string {
	state := "runs"
	if t.proc.ended() {
		state = "has ended: " + t.proc.outcome()
	}
	return fmt.Sprintf("the Temporal server %s; %s ends with:%s", state, t.LogFile, indented(lastLines(tail(t.LogFile))))
}

// Stop ends the server within twenty seconds and waits for that. It may be called again.
func (t *Temporal) Stop() error {
	t.stop.Do(func() {
		if t.ui != nil {
			t.stopErr = t.ui.stop(killLadder) // it keeps nothing
		}
		if t.proc != nil {
			t.stopErr = errors.Join(t.stopErr, t.proc.stop(t.ladder))
		}
		for _, undo := range t.cleanup {
			undo()
		}
	})
	return t.stopErr
}

// StartTemporal brings up Temporal, building its programs if need be (see TemporalBinary and
// BuildPostgresTemporal), and waits until it runs workflows, knows the search attributes and shows its UI. ctx
// bounds the start, not the life of the server; without a deadline the start has 90 s, to which the time of a
// build is added. It fails with an *InUseError when another process runs a server in the folder.
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
	server := t.server(options)
	var err error
	if t.Binary, err = server.build(ctx, fallback, options.Progress); err != nil {
		return err
	}
	ctx, cancel := withStartDeadline(ctx)
	defer cancel()
	if !options.Ephemeral {
		if err := stopLeftOvers(ctx, t.Dir, temporalIn(t.Dir), temporalLadder, options.Progress); err != nil {
			return err
		}
	}
	if err := server.prepare(ctx, options.Progress); err != nil {
		return err
	}
	return t.serve(ctx, options, server)
}

func (t *Temporal) server(options TemporalOptions) temporalServer {
	if options.Postgres != nil {
		return &postgresServer{t: t, given: *options.Postgres, ephemeral: options.Ephemeral, headless: options.Headless}
	}
	return devServer{t: t, ephemeral: options.Ephemeral}
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

// serve starts the server, on other ports when those that were chosen were taken meanwhile.
func (t *Temporal) serve(ctx context.Context, options TemporalOptions, server temporalServer) error {
	for {
		command, err := server.command(options)
		if err != nil {
			return err
		}
		portTaken, err := t.launch(ctx, command, &t.proc, func(ctx context.Context) error { return t.awaitReady(ctx, options) })
		if err == nil {
			return server.complete(ctx, options)
		}
		if !portTaken {
			return err
		}
		progress(options.Progress).say("a port was taken meanwhile, trying others")
		options.Port, options.UIPort = 0, 0
	}
}

// launch starts one of Temporal's programs and waits until it is ready. When it fails, portTaken says whether
// it is worth a try on other ports.
func (t *Temporal) launch(ctx context.Context, c command, started **process, ready func(context.Context) error) (portTaken bool, err error) {
	log, err := openLog(t.LogFile)
	if err != nil {
		return false, err
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return false, err
	}
	// Its state survives that, and a launcher that starts again does not have to wait.
	c.output, c.deathSignal = log, syscall.SIGKILL
	p, err := c.start()
	if err != nil {
		return false, err
	}
	*started = p
	// What is under way when it ends is not waited for.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.done:
			cancel(fmt.Errorf("%s ended at once (%s)", p.name, p.outcome()))
		case <-ctx.Done():
		}
	}()
	if err := ready(ctx); err != nil {
		output := since(t.LogFile, info.Size())
		return p.ended() && portWasTaken(output), fmt.Errorf("%w; %s ends with:%s", err, t.LogFile, indented(lastLines(output)))
	}
	return false, nil
}

func (t *Temporal) awaitReady(ctx context.Context, options TemporalOptions) error {
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
	return t.awaitUI(ctx)
}
