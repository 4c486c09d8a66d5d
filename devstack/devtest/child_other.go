//go:build unix && !linux

package devtest

import "syscall"

// endWithParent has nothing to offer here: a child notices the end of its standard input.
func endWithParent(*syscall.SysProcAttr) {}
