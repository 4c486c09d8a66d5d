// Command waybill is the whole of Waybill in one binary: the development stack, the API, the worker, and the tools
// that look after them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/waybill-oms/waybill/domain/fault"
)

// cli is every command. Each reads the environment where a flag is not given.
type cli struct {
	Dev     devCmd     `cmd:"" help:"Start everything on this machine: PostgreSQL, Temporal with its web UI, worker, API."`
	API     apiCmd     `cmd:"" name:"api" help:"Serve the HTTP API."`
	Worker  workerCmd  `cmd:"" help:"Execute orders: a Temporal worker with its relay."`
	Migrate migrateCmd `cmd:"" help:"Bring the database's schema to this binary's version."`
	Keys    keysCmd    `cmd:"" help:"Create, list and revoke API keys."`
	Import  importCmd  `cmd:"" help:"Take in orders from elsewhere."`
	Verify  verifyCmd  `cmd:"" help:"Check every promise on a live database: money, stock, orders, workflows. Exit code 1 on any violation."`
	Sandbox sandboxCmd `cmd:"" help:"List the sandbox gateways' test tokens and postal codes."`
}

const description = `Waybill takes a placed order and drives it through payment hold, allocation, pick, pack, ship and delivery.

Start with:  waybill dev`

func main() { os.Exit(run(os.Args[1:])) }

// run is main, with its exit code.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var commands cli
	parser := kong.Must(&commands, kong.Name("waybill"), kong.Description(description), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.BindTo(ctx, (*context.Context)(nil)))
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "waybill: %v\n\nTry: waybill --help\n", err)
		return 2
	}
	err = parsed.Run()
	var failed exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &failed):
		return int(failed)
	}
	if f := fault.As(err); f != nil {
		fmt.Fprintf(os.Stderr, "waybill: %s\n", f.Detail)
		return 1
	}
	fmt.Fprintf(os.Stderr, "waybill: %v\n", err)
	return 1
}

// exitError is an exit code whose reason was printed already.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }
