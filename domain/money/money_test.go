package money_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/money"
)

// DOMAIN M2: rounding each part alone credits 0.52 + 0.52 for a cap of 1.03.
func TestSpreadSumsExactly(t *testing.T) {
	require.Equal(t, []int64{52, 51}, money.Spread(103, []int64{1, 1}))
	require.Equal(t, []int64{334, 333, 333}, money.Spread(1000, []int64{19900, 19900, 19900}))
	require.Equal(t, []int64{5, 0}, money.Spread(5, []int64{0, 0}))
	require.Equal(t, []int64{0, 5}, money.Spread(5, []int64{0, 9}))
	require.Empty(t, money.Spread(5, nil))
}

func TestSpreadProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, money.Max/1000), 1, 40).Draw(t, "weights")
		var sum int64
		for _, w := range weights {
			sum += w
		}
		total := rapid.Int64Range(0, sum).Draw(t, "total")
		parts := money.Spread(total, weights)
		var got int64
		for i, p := range parts {
			got += p
			if p < 0 || p > weights[i] {
				t.Fatalf("part %d is %d of weight %d", i, p, weights[i])
			}
		}
		if got != total {
			t.Fatalf("parts sum to %d, not %d", got, total)
		}
	})
}

func TestParseFormat(t *testing.T) {
	for _, c := range []struct {
		text, currency string
		amount         int64
	}{
		{"48.28", "USD", 4828}, {"0.05", "USD", 5}, {"1222", "VND", 1222}, {"1.234", "KWD", 1234}, {"-3.10", "EUR", -310},
	} {
		got, err := money.Parse(c.text, c.currency)
		require.NoError(t, err)
		require.Equal(t, c.amount, got)
		require.Equal(t, c.text, money.Format(c.amount, c.currency))
	}
	got, err := money.Parse("1222.00", "VND")
	require.NoError(t, err)
	require.EqualValues(t, 1222, got)
	for _, bad := range []string{"", ".", "1.", ".5", "1,0", "1e3", "0.001", "--1", "+1", "99999999999999999999"} {
		_, err := money.Parse(bad, "USD")
		require.Error(t, err, bad)
	}
	_, err = money.Parse("1", "XXX")
	require.Error(t, err)
}

func TestMulRefusesOverflow(t *testing.T) {
	got, err := money.Mul(1999, 2)
	require.NoError(t, err)
	require.EqualValues(t, 3998, got)
	_, err = money.Mul(money.Max, 2)
	require.ErrorIs(t, err, money.ErrOverflow)
	_, err = money.Mul(-1, 2)
	require.Error(t, err)
}
