package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/worker"
)

// childEnv makes this test binary a worker process of its own. Its value is an orders, as JSON.
const childEnv = "WAYBILL_WORKER_TEST_CHILD"

// orders are what a child process is told.
type orders struct {
	DatabaseURL string        `json:"database_url"`
	Temporal    string        `json:"temporal"`
	TaskQueue   string        `json:"task_queue"`
	Policy      *order.Policy `json:"policy"`
	DieAt       string        `json:"die_at"` // a point of an activity, "Capture/after-effect"; "" lives on
	DieOn       int64         `json:"die_on"` // at which visit of the point
	Marker      string        `json:"marker"` // a file that whoever dies makes; where it exists nobody dies
}

// child is a worker process that is not this one.
type child struct {
	pid  int
	gone chan struct{} // closed when the process has ended and was waited for
	err  error         // how, valid from then on
}

// killed reports whether the process has ended by SIGKILL.
func (c *child) killed() bool {
	var exit *exec.ExitError
	if !errors.As(c.err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// spawn starts a worker process on the app's database and task queue. It ends with the test at the latest: by its
// own pid, by the end of its standard input, or, where the kernel does that, with its parent.
func (a *app) spawn(o orders) *child {
	a.t.Helper()
	o.DatabaseURL, o.TaskQueue, o.Policy = a.options.DatabaseURL, a.options.TaskQueue, a.options.Policy
	o.Temporal = a.address
	encoded, err := json.Marshal(o)
	require.NoError(a.t, err)
	program, err := os.Executable()
	require.NoError(a.t, err)
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childEnv+"="+string(encoded))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	endWithParent(cmd.SysProcAttr)
	stdin, err := cmd.StdinPipe()
	require.NoError(a.t, err)
	c := &child{gone: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel ends the child with the thread that made it
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			c.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.gone)
		}
	}()
	require.NoError(a.t, <-started)
	a.t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		<-c.gone
	})
	return c
}

// beChild is the main function of a child process.
func beChild(encoded string) error {
	var o orders
	if err := json.Unmarshal([]byte(encoded), &o); err != nil {
		return err
	}
	ctx, log := context.Background(), slog.New(slog.NewTextHandler(io.Discard, nil))
	c, err := worker.Connect(ctx, o.Temporal, "default", log)
	if err != nil {
		return err
	}
	defer c.Close()
	p, err := worker.Start(ctx, worker.Options{DatabaseURL: o.DatabaseURL, Temporal: c, TaskQueue: o.TaskQueue,
		Policy: o.Policy, Log: log, InboxEvery: 50 * time.Millisecond, Reached: dieOnce(o)})
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test, or its whole process, is over
	return p.Stop()
}

// dieOnce kills its own process at a point, unless somebody has died for the marker before.
func dieOnce(o orders) func(string) {
	var visits atomic.Int64
	return func(point string) {
		if point != o.DieAt || visits.Add(1) != o.DieOn {
			return
		}
		marker, err := os.OpenFile(o.Marker, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return
		}
		_, _ = marker.WriteString(point)
		_ = marker.Close()
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal may take a moment; nothing happens meanwhile
	}
}

// childMain runs a child process when this is to be one.
func childMain() {
	encoded := os.Getenv(childEnv)
	if encoded == "" {
		return
	}
	if err := beChild(encoded); err != nil {
		fmt.Fprintln(os.Stderr, "child process:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
