//go:build !linux

package main

import "os/exec"

// startWithUs starts a program. Here nothing ends it with this process.
func startWithUs(cmd *exec.Cmd, ended func()) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait()
		ended()
	}()
	return nil
}
