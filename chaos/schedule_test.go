package chaos_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/chaos"
	"github.com/waybill-oms/waybill/simulation"
)

func plan(seed simulation.Seed) chaos.Plan {
	return chaos.Plan{Seed: seed, Window: 5 * time.Minute, EveryMin: 2 * time.Second, EveryMax: 5 * time.Second, Kinds: chaos.Kinds()}
}

func TestTheSeedAloneDecides(t *testing.T) {
	require.Equal(t, plan(17).Schedule(), plan(17).Schedule())
	require.NotEqual(t, plan(17).Schedule(), plan(18).Schedule())
}

func TestAScheduleIsWhatItSays(t *testing.T) {
	for seed := range simulation.Seed(200) {
		p := plan(seed)
		faults := p.Schedule()
		kinds, overlapping := map[chaos.Kind]int{}, false
		for i, f := range faults {
			kinds[f.Kind]++
			require.LessOrEqual(t, f.At+f.For, p.Window, "%d: %s ends with the window", seed, f)
			for _, g := range faults[:i] {
				together := g.At+g.For > f.At
				overlapping = overlapping || together
				require.False(t, together && g.Target == f.Target, "%d: %s and %s hit one target at once", seed, f, g)
				require.False(t, together && f.At < p.Window/3, "%d: %s and %s are not alone", seed, f, g)
			}
		}
		require.True(t, overlapping, "%d: later they overlap", seed)
		for _, k := range chaos.Kinds() {
			require.Positive(t, kinds[k], "%d: %s", seed, k)
		}
		require.Equal(t, 1, kinds[chaos.Deploy], "%d", seed)
		require.Greater(t, len(faults), 40, "%d", seed)
	}
}

func TestOnlyTheKindsThatWereAskedForHappen(t *testing.T) {
	p := plan(3)
	p.Kinds = []chaos.Kind{chaos.Kill}
	for _, f := range p.Schedule() {
		require.Equal(t, chaos.Kill, f.Kind)
	}
	p.Kinds = []chaos.Kind{chaos.Deploy}
	require.Len(t, p.Schedule(), 1)
}

func TestParseKinds(t *testing.T) {
	kinds, err := chaos.ParseKinds("kill, deploy")
	require.NoError(t, err)
	require.True(t, slices.Equal([]chaos.Kind{chaos.Kill, chaos.Deploy}, kinds))
	_, err = chaos.ParseKinds("kill,flood")
	require.ErrorContains(t, err, "flood")
}
