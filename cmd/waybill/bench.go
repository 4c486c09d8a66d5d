package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/waybill-oms/waybill/bench"
	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/telemetry"
	"github.com/waybill-oms/waybill/worker"
)

type benchCmd struct {
	InFlight []int         `name:"in-flight" default:"16" help:"How many orders are under way at a time; several, as in 16,200, are measured one after the other and compared." placeholder:"N,…"`
	For      time.Duration `name:"for" default:"60s" help:"How long each number in flight is measured, Waybill and the bare workflow together."`
	Orders   int           `name:"orders" help:"Place so many orders at most, at each number in flight." placeholder:"N"`
	Slice    time.Duration `name:"slice" default:"5s" help:"How long one of the two is counted before the other has its turn."`
	WarmUp   time.Duration `name:"warm-up" default:"10s" help:"How long each of the two runs before anything is counted."`
	Lines    int           `name:"lines" default:"1" help:"Lines of each order, 1 to ${bench_lines_max}."`
	Preload  int           `name:"preload" help:"Have so many orders in the database beforehand: finished ones, with everything that belongs to them. A million take ten minutes and 20 GB." placeholder:"N"`
	Lists    bool          `name:"lists" help:"Measure GET /v1/orders under every filter, and under every two of them, instead of orders."`
	Times    int           `name:"times" default:"200" help:"With --lists: how many pages are asked for under each."`
	Keep     string        `name:"keep" help:"Folder in which the servers keep everything, for another run on the same orders; a temporary one when not given." placeholder:"DIR"`
	Store    string        `name:"temporal-store" enum:"postgres,sqlite" default:"postgres" help:"Where Temporal keeps runs: ${enum}. The first start with postgres builds its server, which takes some minutes, once."`
	Running  bool          `name:"running" help:"Measure the Waybill that the settings name, such as that of --data, instead of starting one."`
	JSON     bool          `name:"json" help:"Print JSON."`
	config.APIAddress
	config.Connections
}

// Help is what waybill bench --help says beyond its flags.
func (benchCmd) Help() string {
	return `Takes plain orders from their placing to their delivery through the API, and says how many a second, how long each request took, and what an order cost: CPU by process, SQL, Temporal. In turns with them, a few seconds each, a bare Temporal workflow of the same shape runs whose activities do nothing: how fast this machine could be at all. The ratio of the two hardly depends on the machine, the figures beside it do.

It starts servers of its own, PostgreSQL, Temporal, an API and a worker, each a process, and ends them again. What each figure counts is in docs/reference/benchmark.md.

    waybill bench                                        a minute at 16 in flight
    waybill bench --in-flight 16,200 --for 3m
    waybill bench --keep million --preload 1000000  and again without the wait, from the same folder
    waybill bench --keep million --lists

Close everything else: two measurements of a busy machine have nothing to do with each other.`
}

// Validate refuses what nobody can want.
func (c *benchCmd) Validate() error {
	for _, n := range c.InFlight {
		if n < 1 || n > 1000 {
			return errors.New("--in-flight must be from 1 to 1000")
		}
		if c.Orders > 0 && c.Orders < 2*n {
			return fmt.Errorf("--orders must be at least %d: what begins at once is not counted, so twice as many as are in flight", 2*n)
		}
	}
	switch {
	case c.For <= 0 || c.Slice <= 0 || c.WarmUp < 0:
		return errors.New("--for and --slice must be more than 0, such as 60s, and --warm-up not less")
	case c.Lines < 1 || c.Lines > bench.LinesMax:
		return fmt.Errorf("--lines must be from 1 to %d", bench.LinesMax)
	case c.Orders < 0 || c.Preload < 0 || c.Preload > bench.PreloadMax:
		return fmt.Errorf("--orders must not be negative, and --preload be from 0 to %d", bench.PreloadMax)
	case c.Times < 1:
		return errors.New("--times must be more than 0")
	case c.Running && (c.Preload > 0 || c.Keep != ""):
		return errors.New("--preload and --keep are for servers of the benchmark's own: leave --running out")
	}
	return nil
}

func (c *benchCmd) Run(ctx context.Context) (err error) {
	outliveReaders()
	say, shown := lines()
	defer shown()
	stack, stop, err := c.stack(ctx, say)
	defer func() {
		if ctx.Err() != nil {
			err = ctx.Err() // whatever was under way failed because of that
		}
		err = errors.Join(err, stop())
	}()
	if err != nil {
		return err
	}
	options := bench.Options{InFlight: c.InFlight, For: c.For, Orders: c.Orders, Slice: c.Slice, WarmUp: c.WarmUp, Lines: c.Lines, Preload: c.Preload, Progress: say}
	if c.Lists {
		return c.lists(ctx, stack, options, shown)
	}
	report, err := bench.Run(ctx, stack, options)
	shown()
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(report)
	} else {
		err = report.Write(os.Stdout)
	}
	if failed := report.Failed(); err == nil && failed > 0 {
		err = fmt.Errorf("%d orders did not get through", failed)
	}
	return err
}

func (c *benchCmd) lists(ctx context.Context, stack bench.Stack, o bench.Options, shown func()) error {
	if err := bench.Preload(ctx, stack, o); err != nil {
		return err
	}
	report, err := bench.Lists(ctx, stack, c.Times, o.Progress)
	shown()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(report)
	}
	return report.Write(os.Stdout)
}

// stack is what is measured. Stop ends what was started for it.
func (c *benchCmd) stack(ctx context.Context, say func(string)) (s bench.Stack, stop func() error, err error) {
	if c.Running {
		return c.running(ctx)
	}
	program, err := os.Executable()
	if err != nil {
		return s, func() error { return nil }, err
	}
	own, err := bench.Start(ctx, bench.OwnOptions{Program: program, Dir: c.Keep, TemporalStore: c.Store, Progress: say})
	return own.Stack, own.Stop, err
}

// running is a Waybill that others have started.
func (c *benchCmd) running(ctx context.Context) (s bench.Stack, stop func() error, err error) {
	stop = func() error { return nil }
	if err := needDatabase(c.Database); err != nil {
		return s, stop, err
	}
	if c.APIURL == "" || c.APIKey == "" {
		return s, stop, errors.New("no API: set WAYBILL_API_URL and WAYBILL_API_KEY, or --data to the folder of a waybill dev")
	}
	told, err := telemetry.New(ctx, telemetry.Options{Service: "waybill-bench"})
	if err != nil {
		return s, stop, err
	}
	encryption, err := c.TLS()
	if err != nil {
		return s, stop, err
	}
	conn, err := worker.Connect(ctx, worker.Connection{Address: c.TemporalAddress, Namespace: c.TemporalNamespace, TLS: encryption,
		APIKey: c.TemporalAPIKey, Log: slog.New(slog.DiscardHandler), Telemetry: told})
	if err != nil {
		return s, stop, err
	}
	return bench.Stack{APIURL: c.APIURL, APIKey: c.APIKey, DatabaseURL: c.DatabaseURL, Temporal: conn, Store: "a server at " + c.TemporalAddress, Others: true},
		func() error { conn.Close(); return nil }, nil
}

// lines shows on standard error what is under way: on a terminal in one line that is written again, else now and then.
func lines() (say func(string), done func()) {
	if isatty.IsTerminal(os.Stderr.Fd()) {
		return func(line string) { fmt.Fprint(os.Stderr, "\r\x1b[K", strings.TrimSpace(line)) }, func() { fmt.Fprint(os.Stderr, "\r\x1b[K") }
	}
	var told time.Time
	return func(line string) {
		if time.Since(told) >= lineEvery {
			told = time.Now()
			fmt.Fprintln(os.Stderr, "waybill: "+line)
		}
	}, func() {}
}
