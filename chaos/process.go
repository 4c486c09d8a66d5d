//go:build unix

package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// process is a running program of Waybill.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// program is what to run, with its whole environment: secrets stand there and not on the command line, which other users
// see, and nothing of the caller's own Waybill gets in.
type program struct {
	binary  string
	args    []string
	env     []string
	logFile string // appended to
}

func (p program) command() *exec.Cmd {
	cmd := exec.Command(p.binary, p.args...) //nolint:noctx // it is ended by its pid
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(), "TZ=UTC"}, p.env...)
	// A process group of its own: Ctrl-C is for whoever runs all of them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithUs(cmd.SysProcAttr)
	return cmd
}

// start starts it. The kernel ends a child with the thread that made it, so that thread is kept.
func (p program) start() (*process, error) {
	log, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	started := &process{cmd: p.command(), done: make(chan struct{})}
	started.cmd.Stdout, started.cmd.Stderr = log, log
	begun := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := started.cmd.Start()
		begun <- err
		if err == nil {
			_ = started.cmd.Wait() // how it ended stands in its log, or was our doing
			close(started.done)
		}
	}()
	if err := <-begun; err != nil {
		return nil, fmt.Errorf("start %s: %w", p.binary, err)
	}
	return started, nil
}

// run runs it to its end and returns what it printed.
func (p program) run(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := p.command()
	limited := exec.CommandContext(ctx, cmd.Path, p.args...)
	limited.Env, limited.SysProcAttr = cmd.Env, cmd.SysProcAttr
	output, err := limited.Output()
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		err = fmt.Errorf("%s %s: %w: %s", p.binary, p.args[0], err, ended.Stderr)
	}
	return output, err
}

func (p *process) pids() []int { return []int{p.cmd.Process.Pid} }

func (p *process) ended() <-chan struct{} { return p.done }

// stopWithin is how long a process gets to finish what it has begun.
const stopWithin = 25 * time.Second

func (p *process) stop() error {
	for _, s := range []syscall.Signal{syscall.SIGCONT, syscall.SIGTERM, syscall.SIGKILL} {
		if err := p.cmd.Process.Signal(s); errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		within := stopWithin
		if s == syscall.SIGCONT {
			within = 0
		}
		select {
		case <-p.done:
			return nil
		case <-time.After(within):
		}
	}
	<-p.done
	return nil
}

// signal sends a signal to all processes of something. Those that are gone have ended by themselves.
func signal(pids []int, s syscall.Signal) error {
	var errs []error
	for _, pid := range slices.Backward(pids) { // children before their parent
		if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("send %s to process %d: %w", s, pid, err))
		}
	}
	return errors.Join(errs...)
}
