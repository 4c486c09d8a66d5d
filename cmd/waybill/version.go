package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

// Run prints what the go command wrote into the binary: a release's tag, or the commit it was built from.
func (c *versionCmd) Run() error { //nolint:unparam // a command answers so
	version := "(unknown)"
	if built, ok := debug.ReadBuildInfo(); ok {
		version = built.Main.Version
	}
	fmt.Printf("waybill %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
