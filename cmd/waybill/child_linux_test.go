package main

import (
	"os/exec"
	"runtime"
	"syscall"
)

// startWithUs starts a program that ends when this process does, even by a kill -9 or the time limit of go test. The
// kernel ends it with the thread that made it, so the thread is kept until then.
func startWithUs(cmd *exec.Cmd, ended func()) error {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			ended()
		}
	}()
	return <-started
}
