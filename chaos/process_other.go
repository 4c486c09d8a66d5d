//go:build unix && !linux

package chaos

import "syscall"

// endWithUs does nothing where the kernel cannot do it: after a kill -9 of the run its processes have to be ended by hand.
func endWithUs(*syscall.SysProcAttr) {}

// childrenOf does not look where there is no /proc: of PostgreSQL only the postmaster is hit.
func childrenOf(int) []int { return nil }
