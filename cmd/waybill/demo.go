package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/demo"
)

type demoCmd struct {
	Orders    int    `name:"orders" short:"n" default:"50" help:"How many orders to play; ${default} are one of every kind."`
	Parallel  int    `name:"parallel" default:"4" help:"How many of them at a time."`
	Seed      int64  `name:"seed" help:"Where customers, goods and amounts come from, for the same orders on another Waybill; the time when not given."`
	List      bool   `name:"list" help:"Print every kind of order and what happens to it, and play none."`
	JSON      bool   `name:"json" help:"Print JSON."`
	UIURL     string `name:"ui-url" group:"Temporal UI:" help:"Temporal's web UI, for links to runs; that of the waybill dev when not given." placeholder:"URL"`
	Namespace string `name:"ui-namespace" group:"Temporal UI:" default:"default" help:"Temporal namespace of the runs."`
	config.API
}

// Help is what waybill demo --help says beyond its flags.
func (demoCmd) Help() string {
	return `Plays everybody around a running Waybill: customers, checkout, pickers, packers, the carrier, the returns desk. Start one with waybill dev, then:

    waybill demo              one order of every kind, in less than a minute on two cores
    waybill demo -n 500       all kinds in turn
    waybill demo --list       which kinds there are

It uses nothing but the API, with a key that has every scope, and the sandbox gateway. It makes locations demo-reno, demo-newark and demo-leipzig, and names of its own for goods and orders, so it may be run again and again, also beside other orders. What it makes stays.

At the end it reads every order back and reports: orders by outcome, money, units, time per stage, and one order of each kind with a link to its run in the Temporal UI. An order that does not go as its kind says is listed with what was expected, and the exit code is 1. The kinds take Waybill's own policies for granted; a return policy of your own may let some go otherwise.

Ctrl-C ends it, with a report about what was played so far; once more ends it at once.`
}

// Validate refuses what nobody can want.
func (c *demoCmd) Validate() error {
	if c.Orders < 1 || c.Orders > demo.OrdersMax {
		return fmt.Errorf("--orders must be from 1 to %d", demo.OrdersMax)
	}
	if c.Parallel < 1 || c.Parallel > 100 {
		return errors.New("--parallel must be from 1 to 100")
	}
	return nil
}

func (c *demoCmd) Run(ctx context.Context) error {
	if c.List {
		return c.list()
	}
	api, dev, err := connectAPI(c.API)
	if err != nil {
		return err
	}
	played, shown := progress(c.Orders)
	options := demo.Options{API: api, Orders: c.Orders, Parallel: c.Parallel, Seed: c.Seed, Played: played}
	if options.Seed == 0 {
		options.Seed = time.Now().UnixMilli()
	}
	if c.UIURL == "" {
		c.UIURL = dev.TemporalUIURL
	}
	if c.UIURL != "" {
		options.UI = strings.TrimRight(c.UIURL, "/") + "/namespaces/" + c.Namespace
	}
	report, err := demo.Run(ctx, options)
	shown()
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(report)
	} else {
		err = report.Write(os.Stdout)
	}
	switch failed := len(report.Failures); {
	case err != nil:
		return err
	case failed > 0:
		return fmt.Errorf("%d of %d orders did not go as their kind says", failed, report.Played)
	case !report.Foots():
		return errors.New("the orders went as they should, and the books do not foot")
	}
	return ctx.Err()
}

func (c *demoCmd) list() error {
	if c.JSON {
		return printJSON(demo.Scenarios())
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KIND\tWHAT HAPPENS")
	for _, s := range demo.Scenarios() {
		fmt.Fprintf(w, "%s\t%s\n", s.Name, s.What)
	}
	return w.Flush()
}

// lineEvery is how often progress is told where there is no terminal to draw it on.
const lineEvery = 10 * time.Second

// progress shows on standard error how many orders were played, until it is done.
func progress(orders int) (played func(failed bool), done func()) {
	if isatty.IsTerminal(os.Stderr.Fd()) {
		bar := progressbar.NewOptions(orders, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("orders"),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		return func(bool) { _ = bar.Add(1) }, func() { _ = bar.Clear() }
	}
	count, wrong, told := 0, 0, time.Now()
	return func(failed bool) {
		count++
		if failed {
			wrong++
		}
		if count == orders || time.Since(told) >= lineEvery {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "waybill: %d of %d orders played, %d not as expected\n", count, orders, wrong)
		}
	}, func() {}
}
