package life

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/store"
)

var (
	seeds  = flag.Int("seeds", 50, "how many seeds are played")
	first  = flag.Int("first", 1, "the first of them")
	trace  = flag.Bool("tell", false, "print what happened")
	orders = flag.Int("orders", 4, "how many orders a world has")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(devtest.Run(m))
}

func open(t testing.TB) *Worlds {
	t.Helper()
	w, err := Open(t.Context(), devtest.AdminURL(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// play plays a scope and returns what it left, in full.
func play(t testing.TB, w *Worlds, scope simulation.Scope) simulation.Result {
	t.Helper()
	r, err := w.Run(t.Context(), scope)
	require.NoError(t, err)
	return r
}

// twiceEvery is how many seeds share one that is played twice.
const twiceEvery = 5

// Every promise holds in every world, and a seed decides everything.
func TestSeeds(t *testing.T) {
	worlds := open(t)
	if *trace {
		worlds.Trace = func(lines []string) { fmt.Println(strings.Join(lines, "\n")) }
	}
	for i := range *seeds {
		scope := simulation.Scope{Seed: simulation.Seed(*first + i), Orders: *orders}
		t.Run(fmt.Sprint(scope.Seed), func(t *testing.T) {
			t.Parallel()
			r := play(t, worlds, scope)
			text, err := json.MarshalIndent(r.Violations, "", " ")
			require.NoError(t, err)
			require.False(t, r.Red(), "%s\n%s", scope.Command("life"), text)
			t.Log(r.Events, r.Outcomes, len(r.Faults), r.Virtual)
			if i%twiceEvery == 0 {
				require.Equal(t, r, play(t, worlds, scope))
			}
		})
	}
}

// greedy takes the money for a parcel twice: the second time under another key.
type greedy struct{ activities.PaymentGateway }

func (g greedy) Perform(ctx context.Context, r payment.Request) (payment.Answer, error) {
	answer, err := g.PaymentGateway.Perform(ctx, r)
	if r.Kind == payment.Capture && err == nil && answer.Outcome == payment.Succeeded {
		r.Key += "/2"
		_, _ = g.PaymentGateway.Perform(ctx, r)
	}
	return answer, err
}

// forgetful does not write down under which key a command came.
type forgetful struct{ activities.Orders }

func (f forgetful) Change(ctx context.Context, orderID string, _ *store.Command, act order.Act, decide func(*order.Order) error) (*order.Order, error) {
	return f.Orders.Change(ctx, orderID, nil, act, decide)
}

// A defect is found, and what is found is made small enough to be read.
func TestPlantedDefectsAreFoundAndShrunk(t *testing.T) {
	scope := simulation.Scope{Seed: 6, Orders: 3}
	require.False(t, play(t, open(t), scope).Red())
	for name, planted := range map[string]struct {
		plant func(*Worlds)
		found []string
	}{
		"money is taken twice": {func(w *Worlds) {
			w.payments = func(real activities.PaymentGateway) activities.PaymentGateway { return greedy{real} }
		}, []string{"V-M6", "V-M7"}},
		"commands have no key": {func(w *Worlds) {
			w.orders = func(real activities.Orders) activities.Orders { return forgetful{real} }
		}, []string{"L1-forgotten"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			worlds := open(t)
			planted.plant(worlds)
			red := play(t, worlds, scope)
			require.True(t, slices.ContainsFunc(red.Violations, func(v simulation.Violation) bool { return slices.Contains(planted.found, v.ID) }), "%v", red.Violations)
			small := simulation.Shrink(t.Context(), worlds.Run, scope, 8, func(line string) { t.Log(line) })
			require.Less(t, len(small.Played()), scope.Orders)
			require.True(t, play(t, worlds, small).Red())
		})
	}
}
