//go:build unix

package devtest

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// Child is another process of the test binary, for tests that need a second process or one to kill.
//
// It learns from an environment variable what it is to be: TestMain looks for that before anything else. It ends
// with the test: by the end of its standard input, which it has to watch for, and by SIGKILL. On Linux the kernel
// ends it with the test's process too.
type Child struct {
	PID   int
	Stdin io.WriteCloser
	// Stdout gives what the child prints, line by line. Its standard error is the test's.
	Stdout *bufio.Scanner
	// Gone is closed when the child has ended and was waited for.
	Gone <-chan struct{}

	err error
}

// StartChild starts one, with variables added to the environment.
func StartChild(t testing.TB, environment ...string) *Child {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatalf("devtest: %v", err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	endWithParent(cmd.SysProcAttr)
	read, write, err := os.Pipe() // not StdoutPipe: waiting for the child must not close what it printed
	if err != nil {
		t.Fatalf("devtest: %v", err)
	}
	cmd.Stdout = write
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("devtest: %v", err)
	}
	gone := make(chan struct{})
	c := &Child{Stdin: stdin, Stdout: bufio.NewScanner(read), Gone: gone}
	c.Stdout.Buffer(nil, 1<<20)
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel ends the child with the thread that made it
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		_ = write.Close()
		if err == nil {
			c.PID = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(gone)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("devtest: start a child: %v", err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		<-gone
		_ = read.Close()
	})
	return c
}

// Kill ends the child by SIGKILL and waits until it is gone.
func (c *Child) Kill() {
	select {
	case <-c.Gone: // its number may be somebody else's by now
	default:
		_ = syscall.Kill(c.PID, syscall.SIGKILL)
		<-c.Gone
	}
}

// Killed reports whether the child has ended by SIGKILL, its own or somebody else's.
func (c *Child) Killed() bool {
	select {
	case <-c.Gone:
	default:
		return false
	}
	var exit *exec.ExitError
	if !errors.As(c.err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
