package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/store"
)

// built is the folder with the programs that the tests run: waybill, and temporal. Any user can enter it.
var built string

// waitLimit bounds every wait. By itself none takes over five seconds; other packages' tests share the machine.
const waitLimit = 90 * time.Second

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	for _, set := range os.Environ() {
		name, _, _ := strings.Cut(set, "=")
		if strings.HasPrefix(name, "WAYBILL_") && name != devstack.TemporalBinEnv || name == "DATABASE_URL" || strings.HasPrefix(name, "TEMPORAL_") {
			_ = os.Unsetenv(name) // what the developer has set for their own Waybill
		}
	}
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(built) }()
	devtest.Migrate = store.Migrate
	return devtest.Run(m)
}

// build makes the folder.
func build() (err error) {
	if built, err = os.MkdirTemp("", "waybill-cmd-"); err != nil {
		return err
	}
	if err := os.Chmod(built, 0o711); err != nil {
		return err
	}
	if built, err = filepath.EvalSymlinks(built); err != nil {
		return err
	}
	// The same flags as everywhere, so that nothing is compiled twice.
	if output, err := exec.Command("go", "build", "-o", filepath.Join(built, "waybill"), ".").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, output)
	}
	tell := func(line string) { fmt.Fprintln(os.Stderr, line) }
	temporal, err := devstack.TemporalBinary(context.Background(), "", tell)
	if err != nil {
		return err
	}
	if err := devstack.BuildPostgresTemporal(context.Background(), "", tell); err != nil {
		return err
	}
	reachable := filepath.Join(built, "temporal") // root's own cache is not, for another user
	if os.Link(temporal, reachable) != nil {
		if err := copyProgram(temporal, reachable); err != nil {
			return err
		}
	}
	return os.Setenv(devstack.TemporalBinEnv, reachable)
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}

// folder makes a data folder, or a home, that any user can reach.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "waybill-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	dir, err = filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// program is waybill, running.
type program struct {
	pid            int
	proc           *os.Process
	stdout, stderr output
	ended          chan struct{}
	state          *os.ProcessState // when ended
}

// start starts waybill.
func start(t *testing.T, adjust func(*exec.Cmd), args ...string) *program {
	t.Helper()
	cmd := exec.Command(filepath.Join(built, "waybill"), args...)
	cmd.Dir = "/" // nothing depends on where it is started
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if adjust != nil {
		adjust(cmd)
	}
	return launch(t, cmd)
}

// launch starts a program. It is gone when the test is, whatever happens.
func launch(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{ended: make(chan struct{})}
	cmd.Stdout = &p.stdout
	if cmd.Stderr == nil {
		cmd.Stderr = &p.stderr
	}
	cmd.WaitDelay = time.Second // a child of its that kept the output open is not waited for
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	require.NoError(t, startWithUs(cmd, func() {
		p.state = cmd.ProcessState
		close(p.ended)
	}))
	p.pid, p.proc = cmd.Process.Pid, cmd.Process
	t.Cleanup(func() {
		if !p.hasEnded() {
			p.signal(t, syscall.SIGKILL)
			<-p.ended
		}
		if t.Failed() {
			t.Logf("%s\n%s%s", strings.Join(cmd.Args, " "), p.stderr.String(), p.stdout.String())
		}
	})
	return p
}

func (p *program) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *program) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.proc.Signal(s); !errors.Is(err, os.ErrProcessDone) {
		require.NoError(t, err)
	}
}

// waitFor waits until the program has printed a text, and fails when it ends before.
func (p *program) waitFor(t *testing.T, out *output, text string) {
	t.Helper()
	eventually(t, "it prints "+text, func() bool {
		found := strings.Contains(out.String(), text)
		require.True(t, found || !p.hasEnded(), "it ended before it printed %q:\n%s", text, p.stderr.String())
		return found
	})
}

// exitCode waits for the end. A signal that ended it is negative.
func (p *program) exitCode(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(waitLimit):
		require.Fail(t, "it does not end")
	}
	if status := p.state.Sys().(syscall.WaitStatus); status.Signaled() {
		return -int(status.Signal())
	}
	return p.state.ExitCode()
}

// output collects what a program prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(text)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for until := time.Now().Add(waitLimit); !condition(); {
		require.True(t, time.Now().Before(until), "waited in vain: %s", what)
		time.Sleep(10 * time.Millisecond)
	}
}
