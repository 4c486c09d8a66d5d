package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/waybill-oms/waybill/api"
	waybill "github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/telemetry"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

// Where a stack of one's own keeps Temporal's runs.
const (
	OnPostgres = "postgres"
	OnSQLite   = "sqlite"
)

// OwnOptions say how a stack for nothing but the benchmark is brought up.
type OwnOptions struct {
	Program       string // the waybill to be measured
	Dir           string // keeps everything, for another run on the same orders; empty: a temporary one
	TemporalStore string // OnPostgres or OnSQLite
	// Progress hears what is being started. It may be nil.
	Progress func(line string)
}

// Own is a stack that was brought up for the benchmark, each part a process of its own.
type Own struct {
	Stack
	stops []func() error
}

const (
	// readyWithin bounds the wait for our own processes once the servers are up.
	readyWithin = 60 * time.Second
	// endWithin is how long a process may take to end when it is told to.
	endWithin = 25 * time.Second
)

// postgresSettings are those of a small server: everything that is committed is on disk.
var postgresSettings = map[string]string{"shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "300"}

// countStatements has PostgreSQL count statements, where it was installed with what does that.
var countStatements = map[string]string{"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_utility": "off"}

// Start brings up a stack. Stop it, whatever comes back.
func Start(ctx context.Context, o OwnOptions) (s *Own, err error) {
	s = &Own{Stack: Stack{Store: o.TemporalStore}}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	dir := o.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "waybill-bench-"); err != nil {
			return s, err
		}
		s.stops = append(s.stops, func() error { return os.RemoveAll(dir) })
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return s, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL may run as another user
		return s, err
	}
	address, err := s.servers(ctx, o, dir)
	if err != nil {
		return s, err
	}
	return s, s.waybill(ctx, o, dir, address)
}

// Stop ends everything, last started first.
func (s *Own) Stop() error {
	var errs []error
	for i := len(s.stops) - 1; i >= 0; i-- {
		errs = append(errs, s.stops[i]())
	}
	s.stops = nil
	return errors.Join(errs...)
}

// servers starts what others have made, and returns where Temporal is.
func (s *Own) servers(ctx context.Context, o OwnOptions, dir string) (address string, err error) {
	o.Progress("starting PostgreSQL")
	options := devstack.PostgresOptions{Dir: filepath.Join(dir, "postgres"), Settings: map[string]string{}}
	for _, more := range []map[string]string{postgresSettings, countStatements} {
		for name, value := range more {
			options.Settings[name] = value
		}
	}
	postgres, err := devstack.StartPostgres(ctx, options)
	if err != nil && ctx.Err() == nil {
		options.Settings = postgresSettings // it was installed without what counts statements
		postgres, err = devstack.StartPostgres(ctx, options)
	}
	if err != nil {
		return "", err
	}
	s.stops = append(s.stops, postgres.Stop)
	if o.Dir == "" {
		s.stops = append([]func() error{func() error { return os.RemoveAll(postgres.Dir) }}, s.stops...)
	}
	s.DatabaseURL = postgres.URL
	if err := store.Migrate(ctx, postgres.URL); err != nil {
		return "", err
	}
	o.Progress("starting Temporal on " + o.TemporalStore)
	given := devstack.TemporalOptions{Dir: filepath.Join(dir, "temporal"), Headless: true, SearchAttributes: workflows.SearchAttributes(),
		Progress: o.Progress}
	if o.TemporalStore == OnPostgres {
		given.Postgres = &devstack.TemporalPostgres{AdminURL: postgres.AdminURL}
	}
	temporal, err := devstack.StartTemporal(ctx, given)
	if err != nil {
		return "", err
	}
	s.stops = append(s.stops, temporal.Stop)
	return temporal.Address, nil
}

// waybill starts what is measured: the API and a worker.
func (s *Own) waybill(ctx context.Context, o OwnOptions, dir, temporal string) error {
	o.Progress("starting API and worker")
	told, err := telemetry.New(ctx, telemetry.Options{Service: "waybill-bench"})
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if s.Temporal, err = worker.Connect(ctx, worker.Connection{Address: temporal, Namespace: "default", Log: log, Telemetry: told}); err != nil {
		return err
	}
	s.stops = append(s.stops, func() error { s.Temporal.Close(); return nil })
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	if s.APIKey, err = s.key(ctx, secret); err != nil {
		return err
	}
	listen := net.JoinHostPort("127.0.0.1", strconv.Itoa(devstack.FreePort(0)))
	s.APIURL = "http://" + listen
	environment := append(others(os.Environ()), "WAYBILL_DATABASE_URL="+s.DatabaseURL, "WAYBILL_TEMPORAL_ADDRESS="+temporal)
	for _, c := range []struct {
		args []string
		more []string
	}{{[]string{"worker"}, nil}, {[]string{"api", "--listen", listen}, []string{"WAYBILL_KEY_SECRET=" + hex.EncodeToString(secret)}}} {
		stop, err := run(o.Program, filepath.Join(dir, c.args[0]+".log"), append(environment, c.more...), c.args...)
		if err != nil {
			return err
		}
		s.stops = append(s.stops, stop)
	}
	return s.ready(ctx, dir)
}

// others leaves out what configures a Waybill that is not ours.
func others(environment []string) (left []string) {
	for _, set := range environment {
		if !strings.HasPrefix(set, "WAYBILL_") && !strings.HasPrefix(set, "TEMPORAL_") && !strings.HasPrefix(set, "DATABASE_URL=") {
			left = append(left, set)
		}
	}
	return left
}

// key makes an API key.
func (s *Own) key(ctx context.Context, secret []byte) (string, error) {
	books, err := store.Open(ctx, s.DatabaseURL, store.Options{MaxConns: 1})
	if err != nil {
		return "", err
	}
	defer books.Close()
	key, _, err := (&api.KeyRing{Store: books, Secret: secret, Now: time.Now}).Make(ctx, "bench", api.Scopes(), nil)
	return key, err
}

// ready waits until an order could be placed.
func (s *Own) ready(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("the API or the worker does not get ready: their logs are in %s", dir))
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.APIURL+"/readyz", nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := waybill.Pause(ctx, lookEvery); err != nil {
			return context.Cause(ctx)
		}
	}
}

// run starts a process that logs to a file, and returns what ends it.
func run(program, logFile string, environment []string, args ...string) (stop func() error, err error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = environment, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us alone
	endWithParent(cmd.SysProcAttr)
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the kernel ends the child with the thread that made it
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		_ = log.Close()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start waybill %s: %w", args[0], err)
	}
	return func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(endWithin):
			_ = cmd.Process.Kill()
			<-ended
		}
		return nil
	}, nil
}
