// Package tools holds one modfile per heavy tool, apart from the product's own go.mod: a linter or a
// workflow server must not decide which versions the product is built with.
//
// A modfile is used from the root of the module, for example
//
//	go tool -modfile=tools/golangci-lint.mod golangci-lint run ./...
//	go build -modfile=tools/temporal.mod -o bin/temporal github.com/temporalio/cli/cmd/temporal
//
// The modfile of the Temporal dev server is embedded as well, because the waybill binary has to be able to
// build its dev server where there is no source tree.
//
// The package owns the versions of tools. It does not run anything.
package tools

import (
	_ "embed"
	"regexp"
)

// TemporalPackage is the import path of the Temporal command line tool, which contains the dev server.
const TemporalPackage = "github.com/temporalio/cli/cmd/temporal"

// TemporalMod is the go.mod with which TemporalPackage is built, and TemporalSum is its go.sum.
var (
	//go:embed temporal.mod
	TemporalMod []byte
	//go:embed temporal.sum
	TemporalSum []byte
)

var temporalRequirement = regexp.MustCompile(`(?m)^\s*github\.com/temporalio/cli v(\S+)`)

// TemporalVersion is the version of TemporalPackage, such as "1.5.1". It is read from the modfile, so that
// the version stands in one place.
func TemporalVersion() string {
	found := temporalRequirement.FindSubmatch(TemporalMod)
	if found == nil {
		panic("tools: temporal.mod does not require github.com/temporalio/cli")
	}
	return string(found[1])
}
