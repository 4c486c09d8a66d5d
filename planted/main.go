package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
)

// interrupt asks a layer to end, and to end what it started.
const interrupt = syscall.SIGINT

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "planted:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, args []string, out, told io.Writer) error {
	flags := flag.NewFlagSet("planted", flag.ContinueOnError)
	flags.SetOutput(told)
	flags.Usage = func() {
		fmt.Fprintln(told, "Plants bugs into Waybill, one at a time, and runs the simulators and the chaos run until one of them is red.\n\ngo run ./planted [flags]")
		flags.PrintDefaults()
	}
	var (
		names      = flags.String("bug", "", "only these `bugs`, by number or name, separated by commas")
		which      = flags.String("layers", strings.Join(layerNames(), ","), "the `layers` that look, the cheapest first")
		seeds      = flags.Int("seeds", 10, "on how many `seeds` a bug has to be found")
		first      = flags.Int("first", 1, "the first `seed`")
		everywhere = flags.Bool("everywhere", false, "ask every layer, also when another has found the bug")
		write      = flags.Bool("write", false, "write what was found to "+resultsFile+" and "+pageFile)
		pageOnly   = flags.Bool("page", false, "look for nothing: write "+pageFile+" anew from "+resultsFile)
		asJSON     = flags.Bool("json", false, "print JSON instead of a table")
		database   = flags.String("database-url", "", "`URL` of a PostgreSQL server for the layer life, by a user who may create databases; one of its own if empty")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	all, err := planted()
	if err != nil {
		return err
	}
	if *pageOnly {
		known, err := readResults(root)
		if err != nil {
			return err
		}
		return known.merge(all, nil, nil).write(root, all)
	}
	bugs, err := chosen(all, split(*names))
	if err != nil {
		return err
	}
	r := &runner{root: root, first: *first, seeds: *seeds, everywhere: *everywhere, databaseURL: *database, make: build,
		tell: func(format string, args ...any) { fmt.Fprintf(told, format+"\n", args...) }}
	if r.layers, err = named(split(*which)); err != nil {
		return err
	}
	control, outcomes, err := r.run(ctx, bugs)
	if len(outcomes) > 0 && *write {
		known, readErr := readResults(root)
		err = errors.Join(err, readErr)
		if readErr == nil {
			err = errors.Join(err, known.merge(all, control, outcomes).write(root, all))
		}
	}
	return errors.Join(err, print(out, *asJSON, outcomes), missed(outcomes))
}

// moduleRoot is where go.mod is: paths in bugs begin there.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("run it in Waybill's source tree")
		}
	}
	return "", err
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

func named(names []string) ([]layer, error) {
	var found []layer
	for _, l := range layers() {
		if slices.Contains(names, l.name) {
			found = append(found, l)
		}
	}
	if len(found) != len(names) || len(names) == 0 {
		return nil, fmt.Errorf("-layers is a list of %s", strings.Join(layerNames(), ", "))
	}
	return found, nil
}

// print shows what was found.
func print(out io.Writer, asJSON bool, outcomes []outcome) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(outcomes)
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, o := range outcomes {
		if f := o.red(); f != nil {
			fmt.Fprintf(table, "%s\t%s\tseed %d\t%s\n", o.Bug, f.Layer, f.Red, strings.Join(f.Violated, " "))
		} else {
			fmt.Fprintf(table, "%s\tnot found\t\t\n", o.Bug)
		}
	}
	return table.Flush()
}

// missed is an error when a bug was not found: the harness has a hole, or the bug is none.
func missed(outcomes []outcome) error {
	var names []string
	for _, o := range outcomes {
		if o.red() == nil {
			names = append(names, o.Bug)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("%d not found: %s", len(names), strings.Join(names, ", "))
}
