package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// layer is one way to look for a bug, the cheapest first.
type layer struct {
	name    string
	program string // what is built for it
	// args run it for one seed. The answer is JSON, and the exit code 1 when something did not hold.
	args func(seed int, databaseURL string) []string
	// limit is how long a seed may take: a run that hangs is one that went wrong.
	limit time.Duration
	// seeds bounds how many are tried; 0: as many as asked for.
	seeds    int
	database bool // it needs a PostgreSQL server
}

const waybill = "./cmd/waybill"

func layers() []layer {
	return []layer{
		{name: "core", program: "./planted/core", limit: time.Minute, args: func(seed int, _ string) []string { return []string{strconv.Itoa(seed)} }},
		{name: "life", program: waybill, limit: 3 * time.Minute, database: true, args: func(seed int, databaseURL string) []string {
			return []string{"simulate", "--layer", "life", "--seed", strconv.Itoa(seed), "--no-shrink", "--json", "--database-url", databaseURL}
		}},
		{name: "chaos", program: waybill, limit: 10 * time.Minute, seeds: 3, args: func(seed int, _ string) []string {
			return []string{"chaos", "--short", "--seed", strconv.Itoa(seed), "--json"}
		}},
	}
}

func layerNames() []string {
	var names []string
	for _, l := range layers() {
		names = append(names, l.name)
	}
	return names
}

// finding is what a layer made of a bug.
type finding struct {
	Layer    string   `json:"layer"`
	Seeds    int      `json:"seeds"`              // that were played, until the first red one
	Red      int      `json:"red,omitempty"`      // the first red seed; 0: all were green
	Violated []string `json:"violated,omitempty"` // what did not hold, by id
	Detail   string   `json:"detail,omitempty"`   // the first of it
	Seconds  float64  `json:"seconds"`            // on the machine that it ran on
}

// green reports whether the layer found nothing.
func (f finding) green() bool { return f.Red == 0 }

// look plays seeds until one is red.
func (l layer) look(ctx context.Context, binary string, first, seeds int, databaseURL string) (finding, error) {
	began := time.Now()
	f := finding{Layer: l.name}
	if l.seeds > 0 {
		seeds = min(seeds, l.seeds)
	}
	for seed := first; seed < first+seeds && f.green(); seed++ {
		violations, err := l.play(ctx, binary, seed, databaseURL)
		if err != nil {
			return f, fmt.Errorf("%s, seed %d: %w", l.name, seed, err)
		}
		f.Seeds++
		if len(violations) > 0 {
			f.Red, f.Detail = seed, violations[0].String()
			for _, v := range violations {
				f.Violated = append(f.Violated, v.ID)
			}
			slices.Sort(f.Violated)
			f.Violated = slices.Compact(f.Violated)
		}
	}
	f.Seconds = time.Since(began).Round(100 * time.Millisecond).Seconds()
	return f, nil
}

// violation is one thing that did not hold, as every layer says it.
type violation struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// String is one line, short enough for a table.
func (v violation) String() string {
	line := strings.Join(strings.Fields(v.ID+" "+v.Subject+": "+v.Detail), " ")
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:200], "") + " …"
	}
	return line
}

// play runs one seed and returns what did not hold. An error means that the layer itself could not be run.
func (l layer) play(ctx context.Context, binary string, seed int, databaseURL string) ([]violation, error) {
	limited, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	command := exec.CommandContext(limited, binary, l.args(seed, databaseURL)...)
	command.Cancel = func() error { return command.Process.Signal(interrupt) }
	command.WaitDelay = 30 * time.Second
	var out, told bytes.Buffer
	command.Stdout, command.Stderr = &out, &told
	err := command.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if limited.Err() != nil {
		return []violation{{ID: "hangs", Subject: "seed " + strconv.Itoa(seed), Detail: "it did not end within " + l.limit.String()}}, nil
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	return judge(out.Bytes(), told.String(), err != nil)
}

// answer is what a layer prints: the simulators list violations, the chaos run has findings by invariant, and what people saw.
type answer struct {
	Violations []violation `json:"violations"`
	Invariants []struct {
		ID         string      `json:"id"`
		Violations []violation `json:"violations"`
	} `json:"invariants"`
	Unsettled []string `json:"unsettled"`
	Wrong     []string `json:"wrong"`
	Logs      string   `json:"logs"` // a folder that is kept when something went wrong
}

// all are the violations, whoever says so.
func (a answer) all() []violation {
	found := a.Violations
	for _, i := range a.Invariants {
		for _, v := range i.Violations {
			found = append(found, violation{ID: i.ID, Subject: v.Subject, Detail: v.Detail})
		}
	}
	for _, said := range a.Wrong {
		found = append(found, violation{ID: "wrong", Subject: "people", Detail: said})
	}
	for _, said := range a.Unsettled {
		found = append(found, violation{ID: "unsettled", Subject: "in the end", Detail: said})
	}
	return found
}

// judge reads what a run has printed.
func judge(out []byte, told string, failed bool) ([]violation, error) {
	if at := strings.Index(told, "panic: "); at >= 0 && failed && !json.Valid(out) {
		line, _, _ := strings.Cut(told[at:], "\n")
		return []violation{{ID: "panic", Subject: "process", Detail: line}}, nil
	}
	var a answer
	if err := json.Unmarshal(out, &a); err != nil {
		return nil, fmt.Errorf("it did not answer in JSON: %w\n%s", err, strings.TrimSpace(told))
	}
	if a.Logs != "" {
		_ = os.RemoveAll(a.Logs) // who wants them repeats the run by hand
	}
	if failed == (len(a.all()) == 0) {
		return nil, fmt.Errorf("its exit code and its answer contradict each other:\n%s", strings.TrimSpace(told))
	}
	return a.all(), nil
}
