package order

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// spansOf are sorted spans that neither overlap nor touch, within [0, 40).
var spansOf = rapid.Custom(func(t *rapid.T) []span {
	var spans []span
	for at := rapid.Int64Range(0, 5).Draw(t, "first"); at < 30; {
		s := span{at, rapid.Int64Range(1, 6).Draw(t, "quantity")}
		spans = append(spans, s)
		at = s.end() + rapid.Int64Range(1, 9).Draw(t, "gap")
	}
	return spans
})

// set is spans unit by unit.
func set(spans []span) map[int64]bool {
	units := map[int64]bool{}
	for _, s := range spans {
		for n := s.first; n < s.end(); n++ {
			units[n] = true
		}
	}
	return units
}

func tidy(t *rapid.T, spans []span) {
	for i, s := range spans {
		require.Positive(t, s.quantity)
		require.True(t, i == 0 || spans[i-1].end() < s.first, "sorted, apart, and none touches the next: %v", spans)
	}
}

// What is taken away and what is left are the whole, unit by unit.
func TestSpansAreSetsOfUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := spansOf.Draw(t, "a"), spansOf.Draw(t, "b")
		inA, inB := set(a), set(b)
		less, both := set(without(a, b)), set(common(a, b))
		for n := range int64(50) {
			require.Equal(t, inA[n] && !inB[n], less[n])
			require.Equal(t, inA[n] && inB[n], both[n])
		}
		tidy(t, without(a, b))
		tidy(t, common(a, b))
		require.EqualValues(t, len(inA), units(a))
		require.Empty(t, without(a, a))
		require.Equal(t, a, without(a, nil))
		require.Equal(t, common(a, b), common(b, a))
	})
}

// The front and the back of spans share nothing, and are all of them.
func TestFrontAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := spansOf.Draw(t, "a")
		n := rapid.Int64Range(-2, 45).Draw(t, "n")
		first, last := front(a, n), back(a, units(a)-n)
		require.Equal(t, min(max(n, 0), units(a)), units(first))
		require.Equal(t, units(a), units(first)+units(last))
		require.Empty(t, common(first, last))
		if len(first) > 0 && len(last) > 0 {
			require.LessOrEqual(t, first[len(first)-1].end(), last[0].first)
		}
	})
}

func TestJoined(t *testing.T) {
	require.Equal(t, []span{{0, 5}, {7, 1}}, joined([]span{{7, 1}, {2, 3}, {0, 2}}))
	given := []span{{0, 3}, {3, 1}}
	require.Equal(t, []span{{0, 1}, {2, 2}}, without(given, []span{{1, 1}}))
	require.Equal(t, []span{{0, 3}, {3, 1}}, given, "the caller's list is left alone")
}

// A credit never comes to more than a unit is worth, whatever came before; the cuts leave no unit out.
func TestPiecesCoverTheirSpan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quantity := rapid.Int64Range(1, 20).Draw(t, "quantity")
		l := Line{ID: "lin_1", Quantity: quantity, UnitPrice: rapid.Int64Range(1, 50).Draw(t, "price"), Tax: rapid.Int64Range(0, 90).Draw(t, "tax")}
		l.Units = bands(l, 0, 0)
		o := &Order{Lines: []Line{l}}
		act := Act{NewID: func(string) string { return "" }}
		worth := o.value(l.ID, 0, quantity)
		for range 6 {
			first := rapid.Int64Range(0, quantity-1).Draw(t, "first")
			s := span{first, rapid.Int64Range(1, quantity-first).Draw(t, "units")}
			percent := rapid.Int64Range(0, 100).Draw(t, "percent")
			before := o.creditable(&o.Lines[0], []span{s}, percent)
			was := o.Lines[0].Credited
			var covered []span
			for _, p := range o.pieces(&o.Lines[0], s) {
				covered = append(covered, p.span)
			}
			require.Equal(t, []span{s}, joined(covered))
			o.credit(act, Credit{Cause: CreditReturned, LineID: l.ID}, []span{s}, percent)
			require.Equal(t, before, o.Lines[0].Credited-was)
			require.LessOrEqual(t, o.Lines[0].Credited, worth)
			require.Zero(t, o.creditable(&o.Lines[0], []span{s}, percent), "nobody is credited for the same twice")
		}
	})
}
