package bench

import "syscall"

// endWithParent has the kernel end the child when the thread that made it ends.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
