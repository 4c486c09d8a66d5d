package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/devstack"
)

// runner plants bugs and has the layers look for them.
type runner struct {
	root        string
	layers      []layer
	first       int // seed
	seeds       int
	everywhere  bool // every layer is asked for every bug
	databaseURL string
	tell        func(format string, args ...any)
	// make builds a program in a folder; a test has its own.
	make func(ctx context.Context, root, dir, program string, b *bug) (string, error)
}

// outcome is what became of one bug.
type outcome struct {
	Bug      string    `json:"bug"`
	Sum      string    `json:"sum"` // of the patches that were planted
	Findings []finding `json:"findings"`
}

// red is the first finding that is, or nil.
func (o outcome) red() *finding {
	for i := range o.Findings {
		if !o.Findings[i].green() {
			return &o.Findings[i]
		}
	}
	return nil
}

// run has every layer play its seeds on the build as it is, which has to be green, and then looks for each bug.
func (r *runner) run(ctx context.Context, bugs []bug) (control []finding, outcomes []outcome, err error) {
	stop, err := r.database(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer stop()
	if control, err = r.control(ctx); err != nil {
		return nil, nil, err
	}
	var failures []error
	for i, b := range bugs {
		r.tell("%d of %d: %s", i+1, len(bugs), b.Name)
		o, err := r.plant(ctx, b)
		if ctx.Err() != nil {
			return control, outcomes, ctx.Err()
		}
		if err != nil { // the others are looked for all the same
			r.tell("  %v", err)
			failures = append(failures, fmt.Errorf("%s: %w", b.Name, err))
		}
		if len(o.Findings) > 0 {
			outcomes = append(outcomes, o)
		}
	}
	return control, outcomes, errors.Join(failures...)
}

// database starts a server when a layer needs one: starting one for each bug would cost more than looking for it.
func (r *runner) database(ctx context.Context) (stop func(), err error) {
	if r.databaseURL != "" || !slices.ContainsFunc(r.layers, func(l layer) bool { return l.database }) {
		return func() {}, nil
	}
	server, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{Ephemeral: true, Progress: func(line string) { r.tell("%s", line) }})
	if err != nil {
		return nil, err
	}
	r.databaseURL = server.AdminURL
	return func() { _ = server.Stop() }, nil
}

// control plays the seeds on the build as it is. A seed that is red without a bug shows nothing with one.
func (r *runner) control(ctx context.Context) ([]finding, error) {
	r.tell("the control run: the build as it is")
	found, err := r.look(ctx, nil, func(finding, layer) bool { return true })
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if !f.green() {
			return nil, fmt.Errorf("%s is red at seed %d without any bug planted, so that it shows nothing: %s", f.Layer, f.Red, f.Detail)
		}
	}
	return found, nil
}

// plant builds a bug in and looks for it.
func (r *runner) plant(ctx context.Context, b bug) (outcome, error) {
	found := false
	findings, err := r.look(ctx, &b, func(last finding, next layer) bool {
		found = found || !last.green()
		return r.everywhere || !found || next.name == b.Layer // else it is found, and not expected there
	})
	return outcome{Bug: b.Name, Sum: b.Sum, Findings: findings}, err
}

// look asks the layers, one after the other, for as long as somebody wants to go on. A program is built when it is needed.
func (r *runner) look(ctx context.Context, b *bug, next func(last finding, next layer) bool) (found []finding, err error) {
	dir, err := os.MkdirTemp("", "planted-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binaries := map[string]string{}
	var last finding
	for _, l := range r.layers {
		if !next(last, l) {
			continue
		}
		if binaries[l.program] == "" {
			began := time.Now()
			if binaries[l.program], err = r.make(ctx, r.root, dir, l.program, b); err != nil {
				return found, err
			}
			r.tell("  %s built in %.0f s", l.program, time.Since(began).Seconds())
		}
		if last, err = l.look(ctx, binaries[l.program], r.first, r.seeds, r.databaseURL); err != nil {
			return found, err
		}
		r.tell("  %s: %s", l.name, last)
		found = append(found, last)
	}
	return found, nil
}

// String is what a layer found, in a line.
func (f finding) String() string {
	if f.green() {
		return fmt.Sprintf("green on %d seeds, %.0f s", f.Seeds, f.Seconds)
	}
	return fmt.Sprintf("RED at seed %d, %.0f s: %s", f.Red, f.Seconds, strings.Join(f.Violated, " "))
}

// chosen picks bugs by their numbers or names; all of them when none is named.
func chosen(all []bug, names []string) ([]bug, error) {
	if len(names) == 0 {
		return all, nil
	}
	var found []bug
	for _, name := range names {
		i := slices.IndexFunc(all, func(b bug) bool {
			number, rest, _ := strings.Cut(b.Name, "-")
			return name == number || name == rest || name == b.Name
		})
		if i < 0 {
			return nil, errors.New("there is no bug " + name + ": see planted/bugs")
		}
		found = append(found, all[i])
	}
	return found, nil
}
