package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/simulation/core"
	lives "github.com/waybill-oms/waybill/simulation/life"
)

type simulateCmd struct {
	Layer       string   `name:"layer" enum:"core,life,both" default:"core" help:"What is played: core, the rules alone, thousands of orders a second; life, the real workflows and store, weeks in milliseconds; or both."`
	Seeds       int      `name:"seeds" default:"100" help:"How many worlds to play, each of a seed of its own."`
	First       uint64   `name:"first" default:"1" help:"The first seed."`
	Seed        *uint64  `name:"seed" help:"Play this one seed."`
	Orders      int      `name:"orders" help:"How many orders each world has; 40 in core and 5 in life when not given."`
	Only        []int    `name:"only" help:"Play only these of them, from 0." placeholder:"N,…"`
	Mute        []string `name:"mute" help:"Faults that are not to happen, by their ids." placeholder:"ID,…"`
	Shrink      bool     `name:"shrink" negatable:"" default:"true" help:"Look for the least of the first seed that goes wrong."`
	JSON        bool     `name:"json" help:"Print JSON: a list of what each seed left, with the hash of its trace; with --seed, and one layer, that alone."`
	DatabaseURL string   `name:"database-url" env:"WAYBILL_DATABASE_URL,DATABASE_URL" secret:"url" help:"PostgreSQL server for life, where it makes and drops databases of its own; when not given, one is started in memory." placeholder:"URL"`
}

// Help is what waybill simulate --help says beyond its flags.
func (simulateCmd) Help() string {
	return `Plays worlds in which everything goes wrong that may: gateways that refuse, keep silent, answer late or twice, workers that die between an answer and its record, short picks, parcels that are lost and found, holds, cancellations, returns of every kind, many orders on the same few goods. Afterwards, and after every event, what Waybill promises is checked by rules of the simulation's own, against the gateway's and the carrier's own books.

    waybill simulate                          100 worlds of the rules, in seconds
    waybill simulate --seeds 10000            as long as you like
    waybill simulate --layer life --seeds 50  with the real workflows and PostgreSQL
    waybill simulate --seed 17 --json         one world, with the hash of its trace

A seed decides everything: the same one gives the same trace on every machine. When a world goes wrong, the first of them is played again with fewer orders and fewer faults for as long as it still does, and the command is printed that repeats what is left. The exit code is 1 then. Ctrl-C ends it, with a report about what was played so far.`
}

// Validate refuses what nobody can want.
func (c *simulateCmd) Validate() error {
	switch {
	case c.Seeds < 1:
		return errors.New("--seeds must be 1 or more")
	case c.Orders < 0:
		return errors.New("--orders must be 1 or more")
	case c.Layer == "both" && (len(c.Only) > 0 || len(c.Mute) > 0):
		return errors.New("--only and --mute are about one layer: say --layer core or --layer life")
	case slices.ContainsFunc(c.Only, func(n int) bool { return n < 0 }):
		return errors.New("--only names orders by their numbers, from 0")
	}
	orders := cmp.Or(c.Orders, map[string]int{"core": core.DefaultOrders, "life": lives.DefaultOrders}[c.Layer])
	if len(c.Only) > 0 && slices.Max(c.Only) >= orders {
		return fmt.Errorf("--only names order %d, and a world of --orders %d has 0 to %d", slices.Max(c.Only), orders, orders-1)
	}
	return nil
}

// layer is one kind of world, and what became of those that were played.
type layer struct {
	name     string
	world    simulation.World
	orders   int // that a world has when nobody says
	parallel int
	tries    int // to make a failing world smaller
	took     time.Duration
	runs     []played // in the order of their seeds
}

// played is one world that was played to its end.
type played struct {
	scope  simulation.Scope
	result simulation.Result
}

func (c *simulateCmd) Run(ctx context.Context) error {
	debug.SetGCPercent(400) // worlds are small and short: their garbage may lie a while
	layers, stop, err := c.layers(ctx)
	defer func() {
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, "waybill:", err)
		}
	}()
	if err != nil {
		return err
	}
	for _, l := range layers {
		if err := c.play(ctx, l); err != nil {
			return err
		}
	}
	if err := c.report(layers); err != nil {
		return err
	}
	red := false
	for _, l := range layers {
		red = c.explain(ctx, l, os.Stderr) || red
	}
	if red {
		return exitError(1)
	}
	return ctx.Err()
}

// layers prepares what is to be played. Stop ends what that took.
func (c *simulateCmd) layers(ctx context.Context) (layers []*layer, stop func() error, err error) {
	stop = func() error { return nil }
	if c.Layer != "life" {
		layers = append(layers, &layer{name: "core", world: core.Run, orders: core.DefaultOrders, parallel: runtime.GOMAXPROCS(0), tries: 600})
	}
	if c.Layer == "core" {
		return layers, stop, nil
	}
	worlds, stop, err := c.life(ctx)
	if err != nil {
		return nil, stop, err
	}
	return append(layers, &layer{name: "life", world: worlds.Run, orders: lives.DefaultOrders, parallel: runtime.GOMAXPROCS(0), tries: 60}), stop, nil
}

// life needs PostgreSQL: the one that is given, or one in memory.
func (c *simulateCmd) life(ctx context.Context) (_ *lives.Worlds, stop func() error, err error) {
	postgres, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{URL: c.DatabaseURL, Ephemeral: true,
		Progress: func(line string) { fmt.Fprintln(os.Stderr, "waybill: "+line) }})
	if err != nil {
		return nil, func() error { return nil }, err
	}
	worlds, err := lives.Open(ctx, postgres.URL)
	if err != nil {
		return nil, postgres.Stop, err
	}
	return worlds, func() error { return errors.Join(worlds.Close(), postgres.Stop()) }, nil
}

// scopes are what one layer plays.
func (c *simulateCmd) scopes(l *layer) []simulation.Scope {
	first, seeds := c.First, c.Seeds
	if c.Seed != nil {
		first, seeds = *c.Seed, 1
	}
	scopes := make([]simulation.Scope, seeds)
	for i := range scopes {
		scopes[i] = simulation.Scope{Seed: simulation.Seed(first + uint64(i)), Orders: cmp.Or(c.Orders, l.orders), Only: c.Only, Mute: c.Mute}
	}
	return scopes
}

// play plays every seed of a layer, several at a time; what each leaves does not depend on the others.
func (c *simulateCmd) play(ctx context.Context, l *layer) error {
	scopes := c.scopes(l)
	tell, done := seedsPlayed(l.name, len(scopes))
	began := time.Now()
	next := make(chan simulation.Scope)
	var workers sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range min(l.parallel, len(scopes)) {
		workers.Go(func() {
			for scope := range next {
				result, err := l.world(ctx, scope)
				mu.Lock()
				if err == nil {
					l.runs = append(l.runs, played{scope, result})
				} else if ctx.Err() == nil {
					failed = cmp.Or(failed, fmt.Errorf("%s, seed %d: %w", l.name, scope.Seed, err))
				}
				mu.Unlock()
				tell(result.Red())
			}
		})
	}
	for _, scope := range scopes {
		select {
		case next <- scope:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	done()
	l.took = time.Since(began)
	slices.SortFunc(l.runs, func(a, b played) int { return cmp.Compare(a.scope.Seed, b.scope.Seed) })
	return failed
}

// seedsPlayed shows on standard error how many seeds were played, until it is done.
func seedsPlayed(name string, seeds int) (tell func(red bool), done func()) {
	var mu sync.Mutex
	count, wrong, told := 0, 0, time.Now()
	if isatty.IsTerminal(os.Stderr.Fd()) {
		bar := progressbar.NewOptions(seeds, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(name+" seeds"),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		return func(bool) { _ = bar.Add(1) }, func() { _ = bar.Clear() }
	}
	return func(red bool) {
		mu.Lock()
		defer mu.Unlock()
		count++
		if red {
			wrong++
		}
		if time.Since(told) >= lineEvery {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "waybill: %s: %d of %d seeds played, %d went wrong\n", name, count, seeds, wrong)
		}
	}, func() {}
}

func (c *simulateCmd) report(layers []*layer) error {
	if !c.JSON {
		return writeTable(os.Stdout, layers)
	}
	if c.Seed != nil && len(layers) == 1 && len(layers[0].runs) == 1 {
		return printJSON(layers[0].runs[0].result)
	}
	all := []simulation.Result{}
	for _, l := range layers {
		for _, run := range l.runs {
			all = append(all, run.result)
		}
	}
	return printJSON(all)
}

// writeTable says what was played and what became of it.
func writeTable(to io.Writer, layers []*layer) error {
	for i, l := range layers {
		if i > 0 {
			fmt.Fprintln(to)
		}
		if err := l.write(to); err != nil {
			return err
		}
	}
	return nil
}

func (l *layer) write(to io.Writer) error {
	var orders, events int
	var years float64 // a Duration ends after three hundred
	var red []string
	outcomes, faults, violations := map[string]int{}, map[string]int{}, map[string]int{}
	for _, run := range l.runs {
		r := run.result
		orders, events, years = orders+r.Orders, events+r.Events, years+r.Virtual.Hours()/24/365
		if r.Red() {
			red = append(red, fmt.Sprint(r.Seed))
		}
		for name, n := range r.Outcomes {
			outcomes[name] += n
		}
		for _, id := range r.Faults {
			faults[simulation.FaultKind(id)]++
		}
		for _, v := range r.Violations {
			violations[v.ID]++
		}
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Layer\t%s\n", l.name)
	fmt.Fprintf(w, "Seeds\t%d\n", len(l.runs))
	fmt.Fprintf(w, "Orders\t%d, %.0f a second\n", orders, float64(orders)/max(l.took.Seconds(), 0.001))
	fmt.Fprintf(w, "Events\t%d\n", events)
	fmt.Fprintf(w, "Virtual time\t%.1f years\n", years)
	counts(w, "Outcomes", outcomes)
	counts(w, "Faults", faults)
	counts(w, "Violations", violations)
	if len(red) > 0 {
		fmt.Fprintf(w, "Went wrong\t%d seeds: %s\n", len(red), strings.Join(red[:min(len(red), 20)], ", "))
	}
	return w.Flush()
}

// counts lists what there was of each kind, the most frequent first.
func counts(w io.Writer, heading string, of map[string]int) {
	if len(of) == 0 {
		fmt.Fprintf(w, "%s\tnone\n", heading)
		return
	}
	kinds := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(of[b]-of[a], strings.Compare(a, b)) })
	for _, kind := range kinds {
		fmt.Fprintf(w, "%s\t%d %s\n", heading, of[kind], kind)
		heading = ""
	}
}

// explain shows the first seed that went wrong, as small as it can be made, and how to repeat it.
func (c *simulateCmd) explain(ctx context.Context, l *layer, to io.Writer) (red bool) {
	at := slices.IndexFunc(l.runs, func(run played) bool { return run.result.Red() })
	if at < 0 {
		return false
	}
	scope, result := l.runs[at].scope, l.runs[at].result
	fmt.Fprintf(to, "\nwaybill: %s, seed %d went wrong\n", l.name, scope.Seed)
	if c.Shrink {
		told := time.Now()
		smaller := simulation.Shrink(ctx, l.world, scope, l.tries, func(line string) {
			if time.Since(told) > 2*time.Second {
				told = time.Now()
				fmt.Fprintln(to, "waybill: "+line)
			}
		})
		if again, err := l.world(ctx, smaller); err == nil && again.Red() {
			scope, result = smaller, again
		}
	}
	fmt.Fprintf(to, "waybill: with %d orders and %d faults:\n", result.Orders, len(result.Faults))
	for _, v := range result.Violations {
		fmt.Fprintf(to, "  %s  %s: %s\n", v.ID, v.Subject, v.Detail)
	}
	for _, id := range result.Faults[:min(len(result.Faults), 20)] {
		fmt.Fprintf(to, "  fault %s\n", id)
	}
	fmt.Fprintf(to, "Repeat it with:\n  %s\n", scope.Command(l.name))
	return true
}
