// Command waybill is the whole of Waybill in one binary: the development stack, the API, the worker, and the tools
// that look after them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/bench"
	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/domain/fault"
)

// cli is every command. Each reads the environment where a flag is not given.
type cli struct {
	Dev      devCmd      `cmd:"" help:"Start everything on this machine: PostgreSQL, Temporal with its web UI, worker, API."`
	Env      envCmd      `cmd:"" help:"Print where the running waybill dev is, for a shell: eval \"$(waybill env)\"."`
	Demo     demoCmd     `cmd:"" help:"Play orders of every kind on a running Waybill, with everybody around them, and report what became of them."`
	Chaos    chaosCmd    `cmd:"" help:"Run everything as real processes, break them on purpose, and verify what is left. Exit code 1 when anything does not hold."`
	Sandbox  sandboxCmd  `cmd:"" help:"The sandbox gateways: list the test tokens and postal codes that make them fail on purpose, or serve them."`
	API      apiCmd      `cmd:"" name:"api" help:"Serve the HTTP API."`
	Worker   workerCmd   `cmd:"" help:"Execute orders: a Temporal worker with its relay."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the database's schema to this binary's version."`
	Config   configCmd   `cmd:"" help:"Show every setting and where it came from, and what is wrong with it. Exit code 1 when anything is."`
	Keys     keysCmd     `cmd:"" help:"Create, list and revoke API keys."`
	Order    orderCmd    `cmd:"" help:"Look at one order."`
	Import   importCmd   `cmd:"" help:"Take in orders from elsewhere."`
	Health   healthCmd   `cmd:"" help:"Ask an API or a worker whether it is well. Exit code 1 when it is not."`
	Bench    benchCmd    `cmd:"" help:"Measure what orders cost on this machine, beside a bare Temporal workflow of the same shape."`
	Simulate simulateCmd `cmd:"" help:"Play worlds in which everything goes wrong, and check that every promise holds. Exit code 1 when one does not."`
	Verify   verifyCmd   `cmd:"" help:"Check every promise on a live database: money, stock, orders, returns, workflows. Exit code 1 on any violation."`
	Version  versionCmd  `cmd:"" help:"Print the version of this binary."`
}

const description = `Waybill takes a placed order and drives it through payment hold, allocation, pick, pack, ship and delivery.

Start with: waybill dev

A flag goes before the environment variables in its parentheses. Exit codes: 0 done, 1 failed, 2 not understood.`

func main() { os.Exit(run(os.Args[1:])) }

// run is main, with its exit code.
func run(args []string) int {
	ctx, stop := untilSignal(context.Background())
	defer stop()
	var commands cli
	parser, err := newParser(ctx, &commands)
	if err != nil {
		panic(err) // a mistake in a tag
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return misunderstood(parsed, err)
	}
	if err = parser.FolderError(); err == nil {
		err = parsed.Run()
	}
	var failed exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &failed):
		return int(failed)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
	}
	if f := fault.As(err); f != nil {
		err = errors.New(f.Detail)
	}
	var refusal *client.Error
	if errors.As(err, &refusal) {
		err = errors.New(inWords(refusal))
	}
	fmt.Fprintf(os.Stderr, "waybill: %v\n", err)
	return 1
}

// newParser makes the parser of the command line.
func newParser(ctx context.Context, commands *cli) (*config.Parser, error) {
	parser := &config.Parser{Folder: devValues, Others: map[string]string{
		devstack.TemporalBinEnv: "`waybill dev` runs this `temporal` program instead of building one, unless it has `--temporal-store=postgres`."}}
	return parser, parser.New(commands, kong.Name("waybill"), kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 110}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Vars{"scopes": strings.Join(api.Scopes(), ", "), "bench_lines_max": strconv.Itoa(bench.LinesMax)})
}

// inWords says what is wrong with a request that a command has made.
func inWords(refusal *client.Error) string {
	if len(refusal.Errors) == 0 {
		return refusal.Detail
	}
	var wrong []string
	for _, e := range refusal.Errors {
		wrong = append(wrong, strings.TrimPrefix(e.Pointer, "/")+": "+e.Detail)
	}
	return strings.Join(wrong, "; ")
}

// againAfter is from when on a second signal counts. Tools like timeout and npm send the first one twice.
const againAfter = time.Second

// untilSignal returns a context that ends when the process is told to stop. Whoever tells it again ends it at once, as
// they would any other process.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // else it runs under nohup
		signal.Notify(told, syscall.SIGHUP)
	}
	go func() {
		select {
		case <-told:
			cancel()
			time.AfterFunc(againAfter, func() { signal.Stop(told) })
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// outliveReaders is for processes that are stopped in good order: Ctrl-C ends the other side of a pipe, such as tee, too,
// and to write to nobody would end us in the middle of it.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// misunderstood says what is wrong with a command line or the configuration, one thing a line, and where to read how it
// would be right.
func misunderstood(parsed *kong.Context, err error) int {
	message, help := err.Error(), "waybill"
	if parsed != nil {
		node := parsed.Selected()
		if node != nil {
			help = "waybill " + node.Path()
		}
		if node == nil || len(node.Children) > 0 {
			message = strings.Replace(message, "unexpected argument", "there is no command", 1)
		}
	}
	fmt.Fprintf(os.Stderr, "waybill: %s\nTry: %s --help\n", strings.ReplaceAll(message, "\n", "\nwaybill: "), help)
	return 2
}

// exitError is an exit code whose reason was printed already.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }
