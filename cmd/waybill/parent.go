package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// parentEvery is how often it is looked whether the parent is still there.
const parentEvery = 250 * time.Millisecond

// untilParentGone returns a context that ends when `make dev` or `go run ./cmd/waybill dev` is killed: neither make nor
// go passes on how it dies, and whoever killed it thinks that nothing runs any more. Of any other parent, such as the
// shell of a script that goes on elsewhere, we are independent.
func untilParentGone(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	switch programOf(ctx, parent) {
	case "go", "make", "gmake":
	default:
		return ctx, cancel
	}
	go func() {
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(parentEvery):
				if os.Getppid() != parent {
					cancel()
				}
			}
		}
	}()
	return ctx, cancel
}

// programOf returns the name of the program that a process runs, or "".
func programOf(ctx context.Context, pid int) string {
	name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
	if err != nil { // not Linux
		name, err = exec.CommandContext(ctx, "ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	}
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSpace(string(name)))
}
