//go:build unix

package devstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// command describes a child process.
type command struct {
	path string
	args []string
	dir  string
	env  []string
	// output takes standard output and standard error. An *os.File is handed to the child itself.
	output io.Writer
	as     account
	// deathSignal reaches the child when this process dies, on Linux.
	deathSignal syscall.Signal
}

// process is a running child.
type process struct {
	name string
	pid  int
	proc *os.Process
	// done is closed when the child has ended and was waited for; err is valid from then on.
	done chan struct{}
	err  error
}

// stopStep is one rung of a ladder: a signal, and how long to wait for the process to end.
type stopStep struct {
	signal syscall.Signal
	within time.Duration
}

// start starts the command. The kernel sends the death signal when the thread that forked the child ends,
// not the process, and the Go runtime is free to end threads: so a goroutine that keeps its thread starts the
// child and waits for it.
func (c command) start() (*process, error) {
	cmd := exec.Command(c.path, c.args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.as.credential()}
	setDeathSignal(cmd.SysProcAttr, c.deathSignal)
	// A grandchild that keeps the output open must not keep us from noticing that the child has ended.
	cmd.WaitDelay = 2 * time.Second

	p := &process{name: filepath.Base(c.path), done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid, p.proc = cmd.Process.Pid, cmd.Process
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", c.path, err)
	}
	return p, nil
}

// run runs the command to its end and returns what it printed. When ctx ends first it is killed, with its
// process group.
func (c command) run(ctx context.Context) (string, error) {
	var output bytes.Buffer
	if c.output == nil {
		c.output = &output
	}
	c.deathSignal = syscall.SIGKILL
	p, err := c.start()
	if err != nil {
		return "", err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
		<-p.done
		return output.String(), fmt.Errorf("%s: %w", p.name, context.Cause(ctx))
	}
	if p.err != nil {
		return output.String(), fmt.Errorf("%s: %w%s", p.name, p.err, indented(lastLines(output.String())))
	}
	return output.String(), nil
}

// stop climbs the ladder until the child has ended.
func (p *process) stop(ladder []stopStep) error {
	for _, step := range ladder {
		if err := p.proc.Signal(step.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop %s (pid %d): %w", p.name, p.pid, err)
		}
		select {
		case <-p.done:
			return nil
		case <-time.After(step.within):
		}
	}
	return fmt.Errorf("%s (pid %d) did not stop", p.name, p.pid)
}

// ended tells whether the child is gone, without waiting.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// outcome says how a child that has ended did so.
func (p *process) outcome() string {
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// stopLeftOver climbs the ladder with a process that a launcher before us has left behind.
func stopLeftOver(ctx context.Context, pid int, ladder []stopStep) error {
	for _, step := range ladder {
		if err := syscall.Kill(pid, step.signal); errors.Is(err, syscall.ESRCH) {
			return nil
		} else if err != nil {
			return fmt.Errorf("stop left-over process %d: %w", pid, err)
		}
		bounded, cancel := context.WithTimeout(ctx, step.within)
		err := poll(bounded, nil, func() (bool, error) { return !running(pid), nil })
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("left-over process %d did not stop", pid)
}

// exists tells whether the kernel knows the pid at all, be it only as a zombie that nobody has waited for.
func exists(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// childEnv is the whole environment of a server: nothing of the caller's, since PGDATA, TEMPORAL_ADDRESS and
// their like would each change where it works.
func childEnv(home string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(),
		"LANG=C", "LC_ALL=C", "TZ=UTC",
	}
}

// openLog opens a log for appending. A log that has grown long is put aside first, so that a stack which is
// started daily does not fill the disk.
func openLog(path string) (*os.File, error) {
	const longBytes = 10 << 20
	if info, err := os.Lstat(path); err == nil && info.Size() > longBytes {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("log file: %w", err)
		}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log file: %w", err)
	}
	return file, nil
}

// since returns what was written to a log from an offset on.
func since(path string, offset int64) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	content, err := io.ReadAll(io.NewSectionReader(file, offset, 1<<20))
	if err != nil {
		return ""
	}
	return string(content)
}

// tail returns the end of a log.
func tail(path string) string {
	const enough = 16 << 10
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return since(path, max(0, info.Size()-enough))
}

// lastLines is the end of an output, in which the reason of a failure usually stands.
func lastLines(text string) string {
	const count, longLine = 8, 500
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[max(0, len(lines)-count):]
	for i, line := range lines {
		if len(line) > longLine { // Temporal's contain a stack
			lines[i] = strings.ToValidUTF8(line[:longLine], "") + " …"
		}
	}
	return strings.Join(lines, "\n")
}

// indented sets text off as the lines under an error.
func indented(text string) string {
	if text == "" {
		return ""
	}
	return "\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}
