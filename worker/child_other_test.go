//go:build unix && !linux

package worker_test

import "syscall"

// endWithParent has nothing to offer here: the child ends with its standard input.
func endWithParent(*syscall.SysProcAttr) {}
