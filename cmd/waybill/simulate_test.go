package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/simulation/core"
)

func TestSimulatePlaysSeeds(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "simulate", "--seeds", "4", "--orders", "6")
	require.Equal(t, 0, p.exitCode(t), p.stderr.String())
	for _, row := range []string{"Layer         core\n", "Seeds         4\n", "Orders        24, ", "Events        ", "Virtual time  ", "Violations    none\n"} {
		require.Contains(t, p.stdout.String(), row)
	}

	many := start(t, nil, "simulate", "--seeds", "2", "--first", "11", "--orders", "6", "--json")
	require.Equal(t, 0, many.exitCode(t), many.stderr.String())
	var all []simulation.Result
	require.NoError(t, json.Unmarshal([]byte(many.stdout.String()), &all))
	require.Len(t, all, 2)
	require.Equal(t, []simulation.Seed{11, 12}, []simulation.Seed{all[0].Seed, all[1].Seed})
}

// One seed has one trace, in whatever process it is played.
func TestSimulatePrintsTheHashOfATrace(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "simulate", "--seed", "17", "--orders", "9", "--only", "2,3", "--json")
	require.Equal(t, 0, p.exitCode(t), p.stderr.String())
	var got simulation.Result
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &got))
	want, err := core.Run(t.Context(), simulation.Scope{Seed: 17, Orders: 9, Only: []int{2, 3}})
	require.NoError(t, err)
	require.Equal(t, want.Trace, got.Trace)
	require.Equal(t, 2, got.Orders)
}

func TestSimulateUnderstands(t *testing.T) {
	t.Parallel()
	for args, says := range map[string]string{
		"--seeds 0":               "--seeds must be 1 or more",
		"--orders=-1":             "--orders must be 1 or more",
		"--layer all":             "--layer must be one of \"core\",\"life\",\"both\"",
		"--layer both --only 1":   "--only and --mute are about one layer",
		"--only=-1 --layer core":  "--only names orders by their numbers, from 0",
		"--orders 3 --only 3":     "--only names order 3, and a world of --orders 3 has 0 to 2",
		"--layer life --only 900": "--only names order 900, and a world of --orders 5 has 0 to 4",
	} {
		p := start(t, nil, append([]string{"simulate"}, strings.Fields(args)...)...)
		require.Equal(t, 2, p.exitCode(t), args)
		require.Contains(t, p.stderr.String(), says)
	}
}

// Who has waited long enough still hears what was played.
func TestSimulateIsInterrupted(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "simulate", "--seeds", "10000000", "--orders", "2")
	p.waitFor(t, &p.stderr, "seeds played")
	p.signal(t, syscall.SIGINT)
	require.Equal(t, 1, p.exitCode(t))
	require.Contains(t, p.stdout.String(), "Violations    none\n")
	require.Contains(t, p.stderr.String(), "waybill: interrupted\n")
}

// wrongWith is a world that goes wrong when an order is played and a fault happens.
func wrongWith(order int, fault string) simulation.World {
	return func(_ context.Context, scope simulation.Scope) (simulation.Result, error) {
		r := simulation.Result{Seed: scope.Seed, Orders: len(scope.Played()), Virtual: time.Hour, Outcomes: map[string]int{"completed": len(scope.Played())}}
		for _, id := range []string{"shp_1#1:lost", fault} {
			if scope.Fault(id) {
				r.Faults = append(r.Faults, id)
			}
		}
		if scope.Plays(order) && scope.Fault(fault) && scope.Seed != 3 {
			r.Violations = []simulation.Violation{{ID: "V-M7", Subject: "capture/shp_1", Detail: "done 2 times"}}
		}
		return r, nil
	}
}

func TestSimulateShowsWhatWentWrong(t *testing.T) {
	t.Parallel()
	c := &simulateCmd{Seeds: 3, First: 3, Orders: 8, Shrink: true}
	l := &layer{name: "core", world: wrongWith(5, "capture/shp_1#1:lost_answer"), parallel: 2, tries: 100}
	require.NoError(t, c.play(t.Context(), l))
	var text strings.Builder
	require.NoError(t, writeTable(&text, []*layer{l}))
	require.Contains(t, text.String(), "Seeds         3\n")
	require.Contains(t, text.String(), "Outcomes      24 completed\n")
	require.Contains(t, text.String(), "Violations    2 V-M7\n")
	require.Contains(t, text.String(), "Went wrong    2 seeds: 4, 5\n")

	text.Reset()
	require.True(t, c.explain(t.Context(), l, &text))
	require.Equal(t, `
waybill: core, seed 4 went wrong
waybill: with 1 orders and 1 faults:
  V-M7  capture/shp_1: done 2 times
  fault capture/shp_1#1:lost_answer
Repeat it with:
  waybill simulate --layer core --seed 4 --orders 8 --only 5 --mute shp_1#1:lost
`, text.String())

	text.Reset()
	c.Shrink = false
	require.True(t, c.explain(t.Context(), l, &text))
	require.Contains(t, text.String(), "\n  waybill simulate --layer core --seed 4 --orders 8\n")

	green := &layer{name: "core", world: wrongWith(50, "none#1:at_all"), parallel: 2}
	require.NoError(t, c.play(t.Context(), green))
	require.False(t, c.explain(t.Context(), green, io.Discard))
}

func TestAWorldThatBreaksIsNamed(t *testing.T) {
	t.Parallel()
	c := &simulateCmd{Seeds: 1, First: 7, Orders: 8}
	l := &layer{name: "life", parallel: 1, world: func(context.Context, simulation.Scope) (simulation.Result, error) {
		return simulation.Result{}, errors.New("the database went away")
	}}
	require.EqualError(t, c.play(t.Context(), l), "life, seed 7: the database went away")
}
