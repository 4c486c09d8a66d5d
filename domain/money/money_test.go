package money_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/money"
)

// Rounding each part alone would credit 0.52 + 0.52 for a cap of 1.03.
func TestSpreadSumsExactly(t *testing.T) {
	require.Equal(t, []int64{52, 51}, money.Spread(103, []int64{1, 1}))
	require.Equal(t, []int64{334, 333, 333}, money.Spread(1000, []int64{19900, 19900, 19900}))
	require.Equal(t, []int64{5, 0}, money.Spread(5, []int64{0, 0}))
	require.Equal(t, []int64{0, 5}, money.Spread(5, []int64{0, 9}))
	require.Empty(t, money.Spread(5, nil))
}

func TestSpreadTiesGoByPosition(t *testing.T) {
	require.Equal(t, []int64{1, 1, 0, 0}, money.Spread(2, []int64{7, 7, 7, 7}))
	require.Equal(t, []int64{0, 1, 1}, money.Spread(2, []int64{1, 2, 2}), "the largest remainders first, not the first lines")
	require.Equal(t, []int64{0, 1, 0, 1}, money.Spread(2, []int64{0, 3, 0, 3}), "what weighs nothing gets nothing")
}

func TestSpreadOfTheLargestAmounts(t *testing.T) {
	weights := make([]int64, 500)
	for i := range weights {
		weights[i] = money.Max
	}
	parts := money.Spread(money.Max*500, weights)
	require.Equal(t, weights, parts)
}

// Parts differ from the exact share by less than one minor unit: nobody pays for another's rounding.
func TestSpreadIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), 1, 40).Draw(t, "weights")
		var sum int64
		for _, w := range weights {
			sum += w
		}
		total := rapid.Int64Range(0, 1_000_000).Draw(t, "total")
		for i, part := range money.Spread(total, weights) {
			if sum > 0 {
				require.Less(t, max(part*sum-total*weights[i], total*weights[i]-part*sum), sum, "part %d", i)
			}
		}
	})
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

func TestParseTakesWhatIsExact(t *testing.T) {
	for _, c := range []struct {
		text, currency string
		amount         int64
	}{
		{"0", "USD", 0}, {"-0.00", "USD", 0}, {"007", "USD", 700}, {"1.5", "USD", 150}, {"1.50000", "USD", 150},
		{"1", "KWD", 1000}, {"0.001", "KWD", 1}, {"5.000", "JPY", 5}, {"10000000000000.00", "USD", money.Max},
		{"-10000000000000.00", "USD", -money.Max},
	} {
		got, err := money.Parse(c.text, c.currency)
		require.NoError(t, err, c.text)
		require.Equal(t, c.amount, got, c.text)
	}
	for text, want := range map[string]error{
		"10000000000000.01": money.ErrOverflow, "99999999999999999999": money.ErrOverflow,
		" 1": money.ErrSyntax, "1 ": money.ErrSyntax, "1.2.3": money.ErrSyntax, "0x1": money.ErrSyntax, "1_000": money.ErrSyntax,
		"١": money.ErrSyntax, "-": money.ErrSyntax, "1-": money.ErrSyntax, "NaN": money.ErrSyntax, "1.005": money.ErrSyntax,
	} {
		_, err := money.Parse(text, "USD")
		require.ErrorIs(t, err, want, text)
	}
	_, err := money.Parse("0.5", "JPY")
	require.ErrorIs(t, err, money.ErrSyntax, "there is no half yen")
}

func TestFormatThenParseIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(-money.Max, money.Max).Draw(t, "amount")
		currency := rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, "currency")
		back, err := money.Parse(money.Format(amount, currency), currency)
		require.NoError(t, err)
		require.Equal(t, amount, back)
	})
}

func TestFormat(t *testing.T) {
	for want, amount := range map[string]int64{"0.00": 0, "0.01": 1, "-0.01": -1, "0.99": 99, "1.00": 100, "-12.34": -1234} {
		require.Equal(t, want, money.Format(amount, "USD"))
	}
	require.Equal(t, "0", money.Format(0, "JPY"))
	require.Equal(t, "-0.005", money.Format(-5, "BHD"))
}

// The currencies of ISO 4217 that do not have two decimals; all others have.
func TestExponents(t *testing.T) {
	special := map[int]string{0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		3: "BHD IQD JOD KWD LYD OMR TND"}
	exponents := map[string]int{}
	for exponent, codes := range special {
		for code := range strings.FieldsSeq(codes) {
			exponents[code] = exponent
		}
	}
	known := 0
	for code := range allCodes {
		exponent, ok := money.Exponent(code)
		want, odd := exponents[code]
		switch {
		case !ok:
			require.False(t, odd, code)
			continue
		case !odd:
			want = 2
		}
		require.Equal(t, want, exponent, code)
		known++
	}
	require.Greater(t, known, 150)
	for _, gone := range []string{"DEM", "FRF", "HRK", "ZWL", "ANG", "XXX", "XTS", "XAU", "BTC", "usd", "US", "USDT", ""} {
		_, ok := money.Exponent(gone)
		require.False(t, ok, gone)
	}
}

// allCodes yields AAA to ZZZ.
func allCodes(yield func(string) bool) {
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				if !yield(string([]rune{a, b, c})) {
					return
				}
			}
		}
	}
}

func TestMulOfTheLargestAmounts(t *testing.T) {
	got, err := money.Mul(money.Max/1_000_000, 1_000_000)
	require.NoError(t, err)
	require.Equal(t, money.Max, got)
	got, err = money.Mul(0, math.MaxInt64)
	require.NoError(t, err)
	require.Zero(t, got)
	for _, c := range [][2]int64{{money.Max, 2}, {money.Max/2 + 1, 2}, {math.MaxInt64, math.MaxInt64}, {1 << 32, 1 << 32}, {1, -1}} {
		_, err := money.Mul(c[0], c[1])
		require.ErrorIs(t, err, money.ErrOverflow, c)
	}
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
