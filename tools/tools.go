// Package tools holds one modfile per heavy tool, apart from the product's own go.mod: a linter or a
// workflow server must not decide which versions the product is built with.
//
// A modfile is used from the root of the module, for example
//
//	go tool -modfile=tools/golangci-lint.mod golangci-lint run ./...
//	go build -modfile=tools/temporal.mod -o bin/temporal github.com/temporalio/cli/cmd/temporal
//
// The modfile of Temporal's programs is embedded as well, because the waybill binary has to be able to build
// them where there is no source tree.
//
// The package owns the versions of tools. It does not run anything.
package tools

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"regexp"
)

// Program is one of the programs that TemporalMod builds.
type Program struct {
	// Name is what the binary is called, Package the import path of its main package, in Module.
	Name, Package, Module string
}

// The programs of Temporal: its command line tool, which contains a server on SQLite with the web UI; and, for a server
// on PostgreSQL, the server that is used in production, the tool that makes its schema, and the web UI.
var (
	TemporalDev    = Program{"temporal", "github.com/temporalio/cli/cmd/temporal", "github.com/temporalio/cli"}
	TemporalServer = Program{"temporal-server", "go.temporal.io/server/cmd/server", "go.temporal.io/server"}
	TemporalSQL    = Program{"temporal-sql-tool", "go.temporal.io/server/cmd/tools/sql", "go.temporal.io/server"}
	TemporalUI     = Program{"temporal-ui-server", "github.com/temporalio/ui-server/v2/cmd/server", "github.com/temporalio/ui-server/v2"}
)

// TemporalMod is the go.mod with which they are built, and TemporalSum is its go.sum.
var (
	//go:embed temporal.mod
	TemporalMod []byte
	//go:embed temporal.sum
	TemporalSum []byte
)

// Version is the version of the program, such as "1.5.1". It is read from the modfile, so that the version stands in
// one place.
func (p Program) Version() string {
	found := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(p.Module) + ` v(\S+)`).FindSubmatch(TemporalMod)
	if found == nil {
		panic("tools: temporal.mod does not require " + p.Module)
	}
	return string(found[1])
}

// TemporalBuild names what the programs are built from, such as "1.5.1-1f0c2a9b": the version of TemporalDev, and the
// versions of everything that goes into them. Programs that were built from other ones have another name.
func TemporalBuild() string {
	version := TemporalDev.Version()
	return fmt.Sprintf("%s-%x", version, sha256.Sum256(TemporalSum))[:len(version)+9]
}
