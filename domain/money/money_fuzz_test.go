package money_test

import (
	"encoding/binary"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/money"
)

// FuzzParse holds the reading of amounts against exact fractions: what is read is what was written, what is refused is
// no number, too exact for the currency, or too large; and writing it again gives an amount that reads the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"48.28", "-0.00", "0.005", "1222.00", "007", "10000000000000.01", "-10000000000000.00",
		"99999999999999999999", "1e3", "0x1", ".5", "1.", "+1", "--1", "١", "1.0000000000000000000000000000001"} {
		for _, currency := range []string{"USD", "JPY", "KWD", "XXX"} {
			f.Add(text, currency)
		}
	}
	f.Fuzz(func(t *testing.T, text, currency string) {
		got, err := money.Parse(text, currency)
		exponent, known := money.Exponent(currency)
		number := !strings.ContainsAny(text, "eEpPxXoObB_+/") && !strings.HasPrefix(text, ".") && !strings.HasPrefix(text, "-.") && !strings.HasSuffix(text, ".")
		exact, ok := new(big.Rat).SetString(text)
		if !known || !number || !ok {
			require.ErrorIs(t, err, money.ErrSyntax)
			return
		}
		minor := exact.Mul(exact, new(big.Rat).SetInt64(int64(math.Pow10(exponent))))
		switch {
		case !minor.IsInt():
			require.ErrorIs(t, err, money.ErrSyntax)
		case minor.Num().CmpAbs(big.NewInt(money.Max)) > 0:
			require.ErrorIs(t, err, money.ErrOverflow)
		default:
			require.NoError(t, err)
			require.Equal(t, minor.Num().Int64(), got)
			again, err := money.Parse(money.Format(got, currency), currency)
			require.NoError(t, err)
			require.Equal(t, got, again)
		}
	})
}

// FuzzFormat: every int64 there is, also one that is no amount, is written as the number that it is.
func FuzzFormat(f *testing.F) {
	for _, amount := range []int64{0, 1, -1, 99, -100, money.Max, -money.Max, math.MaxInt64, math.MinInt64} {
		f.Add(amount)
	}
	f.Fuzz(func(t *testing.T, amount int64) {
		for _, currency := range []string{"USD", "JPY", "KWD"} {
			exponent, _ := money.Exponent(currency)
			text := money.Format(amount, currency)
			exact, ok := new(big.Rat).SetString(text)
			require.True(t, ok, text)
			require.Zero(t, exact.Cmp(big.NewRat(amount, int64(math.Pow10(exponent)))), text)
			_, fraction, _ := strings.Cut(text, ".")
			require.Len(t, fraction, exponent, text)
		}
	})
}

// FuzzMul: the product is exact, or refused; it never wraps.
func FuzzMul(f *testing.F) {
	for _, c := range [][2]int64{{1999, 2}, {money.Max, 1}, {money.Max, 2}, {1 << 32, 1 << 32}, {math.MaxInt64, math.MaxInt64}, {-1, 1}, {0, math.MaxInt64}} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, amount, quantity int64) {
		got, err := money.Mul(amount, quantity)
		exact := new(big.Int).Mul(big.NewInt(amount), big.NewInt(quantity))
		if amount < 0 || quantity < 0 || exact.Cmp(big.NewInt(money.Max)) > 0 {
			require.ErrorIs(t, err, money.ErrOverflow)
			return
		}
		require.NoError(t, err)
		require.Zero(t, exact.Cmp(big.NewInt(got)))
	})
}

// FuzzSpread: the parts add up to what is spread, none is further than one minor unit from its exact share, and equal
// weights differ by one at most.
func FuzzSpread(f *testing.F) {
	f.Add(int64(103), weights(1, 1))
	f.Add(int64(1000), weights(19900, 19900, 19900))
	f.Add(int64(5), weights(0, 0))
	f.Add(int64(5), weights())
	f.Add(int64(math.MaxInt64), weights(money.Max, 1, 0, money.Max-1))
	f.Fuzz(func(t *testing.T, total int64, data []byte) {
		total &= math.MaxInt64
		var of []int64
		sum := new(big.Int)
		for ; len(data) >= 8 && len(of) < 500; data = data[8:] {
			w := int64(binary.LittleEndian.Uint64(data) % uint64(money.Max+1))
			of = append(of, w)
			sum.Add(sum, big.NewInt(w))
		}
		parts := money.Spread(total, of)
		require.Len(t, parts, len(of))
		if len(of) == 0 {
			return
		}
		added, byWeight := new(big.Int), map[int64]int64{}
		for i, part := range parts {
			require.GreaterOrEqual(t, part, int64(0))
			added.Add(added, big.NewInt(part))
			if sum.Sign() == 0 {
				continue
			}
			// |part × Σ − total × weight| < Σ
			off := new(big.Int).Mul(big.NewInt(part), sum)
			off.Sub(off, new(big.Int).Mul(big.NewInt(total), big.NewInt(of[i])))
			require.Negative(t, off.CmpAbs(sum), "part %d is %d", i, part)
			if first, seen := byWeight[of[i]]; seen {
				require.LessOrEqual(t, first-part, int64(1), "equal weights, and the earlier goes first")
				require.GreaterOrEqual(t, first-part, int64(0))
			} else {
				byWeight[of[i]] = part
			}
		}
		require.Zero(t, added.Cmp(big.NewInt(total)), "the parts come to %s, not %d", added, total)
	})
}

func weights(of ...int64) []byte {
	var data []byte
	for _, w := range of {
		data = binary.LittleEndian.AppendUint64(data, uint64(w))
	}
	return data
}
