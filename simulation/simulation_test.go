package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/simulation"
)

type word string

func TestADrawIsAPureFunction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := simulation.Seed(rapid.Uint64().Draw(t, "seed"))
		a, b, n := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b"), rapid.IntRange(1, 1000).Draw(t, "n")
		require.Equal(t, seed.Draw(a, n, b), seed.Draw(a, n, b))
		require.Equal(t, seed.Draw(n), seed.Draw(int64(n)), "a number is a number")
		require.Equal(t, seed.Draw(a), seed.Draw(word(a)), "and a word a word")
		if below := seed.Below(n, a); below < 0 || below >= n {
			t.Fatalf("%d is not below %d", below, n)
		}
		if a != "" {
			require.NotEqual(t, seed.Draw(a+b), seed.Draw(a, b))
			require.NotEqual(t, seed.Draw(b), seed.Draw(b, a))
		}
		require.NotEqual(t, seed.Draw(a), (seed + 1).Draw(a))
		require.False(t, seed.Chance(0, a))
		require.True(t, seed.Chance(1000, a))
	})
	require.Panics(t, func() { simulation.Seed(1).Below(0, "nothing") })
}

// A seed that never changes what it gives is what a printed command relies on.
func TestDrawsStayWhatTheyAre(t *testing.T) {
	require.Equal(t, uint64(0x16342606293d5568), simulation.Seed(17).Draw("capture/shp_3", 2, "lost_answer"))
}

func TestDrawsAreSpread(t *testing.T) {
	var hits [10]int
	for n := range 10_000 {
		hits[simulation.Seed(1).Below(10, "order", n)]++
	}
	for _, n := range hits {
		require.InDelta(t, 1000, n, 150)
	}
}

func TestAScope(t *testing.T) {
	all := simulation.Scope{Seed: 17, Orders: 3}
	require.Equal(t, []int{0, 1, 2}, all.Played())
	require.False(t, all.Plays(3))
	require.True(t, all.Fault("any#1:thing"))
	require.Equal(t, "waybill simulate --layer core --seed 17 --orders 3", all.Command("core"))

	id := simulation.FaultID("capture/shp_3", 2, "lost_answer")
	require.Equal(t, "capture/shp_3#2:lost_answer", id)
	require.Equal(t, "lost_answer", simulation.FaultKind(id))
	some := simulation.Scope{Seed: 17, Orders: 40, Only: []int{3, 7, 41}, Mute: []string{id}}
	require.Equal(t, []int{3, 7}, some.Played())
	require.False(t, some.Plays(4))
	require.False(t, some.Fault(id))
	require.Equal(t, "waybill simulate --layer life --seed 17 --orders 40 --only 3,7,41 --mute capture/shp_3#2:lost_answer", some.Command("life"))
	require.Empty(t, simulation.Scope{Orders: 3, Only: []int{}}.Played())
}

func TestWhatPanickedAndWhere(t *testing.T) {
	var v simulation.Violation
	func() {
		defer func() { v = simulation.Panicked(recover()) }()
		wrong(nil)
	}()
	require.Equal(t, "panic", v.ID)
	require.Contains(t, v.Subject, "simulation_test.wrong:")
	require.Contains(t, v.Detail, "nil map")
}

func wrong(m map[string]int) { m["x"] = 1 }

func TestATraceIsItsLines(t *testing.T) {
	require.NotEqual(t, simulation.Hash([]string{"a", "b"}), simulation.Hash([]string{"ab"}))
	require.NotEqual(t, simulation.Hash([]string{"a", "b"}), simulation.Hash([]string{"b", "a"}))
	require.Equal(t, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", simulation.Hash(nil))
}

// planted is a world that goes wrong when orders 3 and 17 are played and fault 5 of order 3 happens.
func planted(plays *int) simulation.World {
	return func(_ context.Context, scope simulation.Scope) (simulation.Result, error) {
		*plays++
		r := simulation.Result{Seed: scope.Seed}
		for _, n := range scope.Played() {
			for attempt := range 6 {
				if id := simulation.FaultID(fmt.Sprint("order/", n), attempt+1, "lost"); scope.Fault(id) {
					r.Faults = append(r.Faults, id)
				}
			}
		}
		if scope.Plays(3) && scope.Plays(17) && slices.Contains(r.Faults, "order/3#5:lost") {
			r.Violations = []simulation.Violation{{ID: "V-M7", Subject: "order/3", Detail: "twice"}}
		}
		if len(scope.Played()) == 1 {
			r.Violations = []simulation.Violation{{ID: "V-S1", Detail: "another story"}}
		}
		return r, nil
	}
}

func TestAFailingRunIsMadeSmall(t *testing.T) {
	plays := 0
	var told []string
	scope := simulation.Shrink(t.Context(), planted(&plays), simulation.Scope{Seed: 9, Orders: 40}, 1000, func(line string) { told = append(told, line) })
	require.Equal(t, []int{3, 17}, scope.Only)
	require.Equal(t, 40, scope.Orders, "an order is drawn the same in a world of as many")
	require.Equal(t, simulation.Seed(9), scope.Seed)
	r, err := planted(&plays)(t.Context(), scope)
	require.NoError(t, err)
	require.Equal(t, []string{"order/3#5:lost"}, r.Faults)
	require.Equal(t, "still red with 2 orders and 1 faults", told[len(told)-1])
	require.Less(t, plays, 100)
}

func TestMakingSmallIsBounded(t *testing.T) {
	for tries := range 30 {
		plays := 0
		scope := simulation.Shrink(t.Context(), planted(&plays), simulation.Scope{Seed: 9, Orders: 40}, tries, func(string) {})
		require.LessOrEqual(t, plays, tries)
		r, err := planted(new(int))(t.Context(), scope)
		require.NoError(t, err)
		require.Equal(t, "V-M7", r.Violations[0].ID, "what it has by then is red")
	}
	plays := 0
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	red := simulation.Scope{Seed: 9, Orders: 40}
	require.Equal(t, red, simulation.Shrink(ctx, planted(&plays), red, 1000, func(string) {}))
}

func TestOnlyWhatIsRedIsMadeSmall(t *testing.T) {
	green := simulation.Scope{Seed: 9, Orders: 10}
	require.Equal(t, green, simulation.Shrink(t.Context(), planted(new(int)), green, 100, func(string) {}))
	broken := func(context.Context, simulation.Scope) (simulation.Result, error) {
		return simulation.Result{}, errors.New("no database")
	}
	require.Equal(t, green, simulation.Shrink(t.Context(), broken, green, 100, func(string) {}))
}
