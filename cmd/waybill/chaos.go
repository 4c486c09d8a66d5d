package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/waybill-oms/waybill/chaos"
	"github.com/waybill-oms/waybill/simulation"
)

type chaosCmd struct {
	Seed       uint64        `name:"seed" help:"What decides which faults hit what and when, and which orders are placed; any when not given." placeholder:"N"`
	Orders     int           `name:"orders" default:"400" help:"How many orders to play at most; half as many buyers come to a sale besides."`
	Parallel   int           `name:"parallel" default:"8" help:"How many orders are played at a time."`
	For        time.Duration `name:"for" default:"3m" help:"How long faults happen, at most: when the orders are used up before, it is over."`
	Every      string        `name:"every" default:"2s-5s" help:"How soon after one fault the next begins, from the least to the most." placeholder:"MIN-MAX"`
	Faults     string        `name:"faults" default:"kill,freeze,cut,silence,slow,reset,narrow,deploy" help:"Which kinds of faults happen." placeholder:"KIND,…"`
	Short      bool          `name:"short" help:"45 seconds of faults on 150 orders at most, four at a time: two to three minutes together on two cores."`
	NextBinary string        `name:"next-binary" help:"A waybill of another build, which takes over in the middle; this one when not given." placeholder:"FILE"`
	Store      string        `name:"temporal-store" enum:"postgres,sqlite" default:"postgres" help:"Where Temporal keeps its runs: ${enum}."`
	Fsync      bool          `name:"fsync" help:"Have PostgreSQL wait for the disk. A kill -9 of the server loses nothing without it either."`
	JSON       bool          `name:"json" help:"Print JSON."`
}

// Help is what waybill chaos --help says beyond its flags.
func (chaosCmd) Help() string {
	return `Starts PostgreSQL, a Temporal that keeps its runs there, two APIs, two workers and the sandbox gateways as processes of their own, on free ports of this machine, with a proxy on every way between two of them. Customers, pickers, carriers and the returns desk work on it while a schedule of faults breaks it:

    kill      kill -9 of a process, PostgreSQL and Temporal included; it is started again a moment later
    freeze    SIGSTOP, and SIGCONT seconds later
    cut       a way's connections break, new ones are refused
    silence   connections stay, and nothing comes through
    slow      up to a second longer, each way
    reset     connections are reset
    narrow    a few kilobytes a second
    deploy    in the middle the next build takes over, process by process

In the first third of the time each fault is alone, later they overlap. Gateways decline, hang and lose answers by their test tokens all the while, requests are sent twice at once, scans come again and late. Everybody repeats a request under the same key until there is an answer, and writes every answer down.

Then everything is healed, has to settle within two minutes, and is verified: every promise of waybill verify, on the database, in Temporal, against the gateways' ledgers and the logs of those who stand outside; and every order has to have ended as its kind says.

    waybill chaos --short                       three minutes at most
    waybill chaos --for 30m --orders 5000       a long one
    waybill chaos --faults kill,freeze --seed 7

The seed repeats the faults and the orders; what processes make of them differs. Everything is kept in a temporary folder and removed, unless something was wrong. Ctrl-C ends all of it.`
}

// chaosOrdersMax bounds a run.
const chaosOrdersMax = 20_000

func (c *chaosCmd) Run(ctx context.Context) error {
	outliveReaders()
	options, err := c.options()
	if err != nil {
		return err
	}
	show, shown := chaosProgress()
	options.Progress = show
	options.Tell = func(line string) { fmt.Fprintln(os.Stderr, "waybill: "+line) }
	report, err := chaos.Run(ctx, options)
	shown()
	if report == nil {
		return err
	}
	report.Command = c.again(options.Seed)
	if c.JSON {
		err = errors.Join(err, printJSON(report))
	} else {
		err = errors.Join(err, report.Write(os.Stdout))
	}
	if err == nil && !report.Passed() {
		return exitError(1)
	}
	return err
}

func (c *chaosCmd) options() (o chaos.Options, err error) {
	if c.Short {
		c.Orders, c.Parallel, c.For = 150, 4, 45*time.Second
	}
	if c.Orders < 1 || c.Orders > chaosOrdersMax {
		return o, fmt.Errorf("--orders must be from 1 to %d", chaosOrdersMax)
	}
	if c.Parallel < 1 || c.Parallel > 100 {
		return o, errors.New("--parallel must be from 1 to 100")
	}
	if c.For < 10*time.Second || c.For > 12*time.Hour {
		return o, errors.New("--for must be from 10s to 12h")
	}
	o = chaos.Options{Plan: chaos.Plan{Seed: simulation.Seed(c.Seed), Window: c.For}, Orders: c.Orders, Parallel: c.Parallel,
		Next: c.NextBinary, SQLite: c.Store == "sqlite", Fsync: c.Fsync}
	if c.Seed == 0 {
		o.Seed = anySeed()
	}
	if o.EveryMin, o.EveryMax, err = chaosEvery(c.Every); err != nil {
		return o, err
	}
	if o.Kinds, err = chaos.ParseKinds(c.Faults); err != nil {
		return o, fmt.Errorf("--faults: %w", err)
	}
	if o.Next != "" {
		if o.Next, err = filepath.Abs(o.Next); err != nil {
			return o, err
		}
		if _, err := os.Stat(o.Next); err != nil {
			return o, fmt.Errorf("--next-binary: %w", err)
		}
	}
	o.Binary, err = os.Executable()
	return o, err
}

func chaosEvery(text string) (least, most time.Duration, err error) {
	from, to, ranged := strings.Cut(text, "-")
	if !ranged {
		to = from
	}
	least, err = time.ParseDuration(from)
	if err == nil {
		most, err = time.ParseDuration(to)
	}
	if err != nil || least < 100*time.Millisecond || most < least {
		return 0, 0, errors.New("--every must be a time such as 3s, or two such as 2s-5s, of 100ms or more")
	}
	return least, most, nil
}

// anySeed is short enough to be typed.
func anySeed() simulation.Seed {
	bytes := make([]byte, 4)
	_, _ = rand.Read(bytes) // it never fails
	return simulation.Seed(binary.BigEndian.Uint32(bytes)/2 + 1)
}

// again is the command that repeats the run.
func (c *chaosCmd) again(seed simulation.Seed) string {
	words := []string{"waybill chaos", fmt.Sprintf("--seed %d", seed)}
	if c.Short {
		words = append(words, "--short")
	} else {
		words = append(words, fmt.Sprintf("--orders %d --parallel %d --for %s", c.Orders, c.Parallel, c.For))
	}
	words = append(words, fmt.Sprintf("--every %s --faults %s --temporal-store %s", c.Every, c.Faults, c.Store))
	if c.NextBinary != "" {
		words = append(words, "--next-binary "+c.NextBinary)
	}
	if c.Fsync {
		words = append(words, "--fsync")
	}
	return strings.Join(words, " ")
}

// chaosProgress shows how far a run is: on a terminal a line that rewrites itself, else a line now and then.
func chaosProgress() (show func(chaos.Progress), shown func()) {
	line := func(p chaos.Progress) string {
		of := ""
		if p.Phase == "faults" {
			of = " of " + p.Of.String()
		}
		return fmt.Sprintf("%s, %s%s: %d orders played, %d faults undone, %d at work", p.Phase, p.Elapsed.Round(time.Second), of, p.Orders, p.Done, p.Active)
	}
	if isatty.IsTerminal(os.Stderr.Fd()) {
		const clear = "\r\033[K"
		return func(p chaos.Progress) { fmt.Fprint(os.Stderr, clear+line(p)) }, func() { fmt.Fprint(os.Stderr, clear) }
	}
	told, phase := time.Time{}, ""
	return func(p chaos.Progress) {
		if p.Phase != phase || time.Since(told) >= lineEvery {
			told, phase = time.Now(), p.Phase
			fmt.Fprintln(os.Stderr, "waybill: "+line(p))
		}
	}, func() {}
}
