package money

import (
	"errors"
	"math/bits"
	"sort"
	"strconv"
	"strings"
)

// Max bounds every amount that comes in, in minor units: sums of thousands of them stay far inside an int64.
const Max int64 = 1_000_000_000_000_000

var (
	// ErrOverflow says that the result does not fit Max.
	ErrOverflow = errors.New("amount out of range")
	// ErrSyntax says that the text is no decimal number, or has more decimals than the currency.
	ErrSyntax = errors.New("not an amount of this currency")
)

// Mul multiplies a unit amount by a quantity, both ≥ 0.
func Mul(amount, quantity int64) (int64, error) {
	if amount < 0 || quantity < 0 {
		return 0, ErrOverflow
	}
	hi, lo := bits.Mul64(uint64(amount), uint64(quantity))
	if hi != 0 || lo > uint64(Max) {
		return 0, ErrOverflow
	}
	return int64(lo), nil
}

// Spread splits total over weights by largest remainder, ties by position, so that the parts sum exactly. Total
// and weights are ≥ 0. When total ≤ Σ weights no part exceeds its weight. With all weights zero it falls on the
// first part; with no weights there are no parts.
func Spread(total int64, weights []int64) []int64 {
	parts := make([]int64, len(weights))
	if len(weights) == 0 || total == 0 {
		return parts
	}
	var sum uint64
	for _, w := range weights {
		sum += uint64(w)
	}
	if sum == 0 {
		parts[0] = total
		return parts
	}
	remainders := make([]uint64, len(weights))
	left := total
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(total), uint64(w))
		q, r := bits.Div64(hi, lo, sum)
		parts[i], remainders[i] = int64(q), r
		left -= int64(q)
	}
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return remainders[order[a]] > remainders[order[b]] })
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}

// Format writes minor units as a decimal number: Format(4828, "USD") is "48.28".
func Format(amount int64, currency string) string {
	exponent, _ := Exponent(currency)
	digits, negative := strings.CutPrefix(strconv.FormatInt(amount, 10), "-") // the smallest int64 has no opposite
	sign := ""
	if negative {
		sign = "-"
	}
	if exponent == 0 {
		return sign + digits
	}
	if pad := exponent + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	cut := len(digits) - exponent
	return sign + digits[:cut] + "." + digits[cut:]
}

// Parse reads a decimal number as minor units: Parse("48.28", "USD") is 4828. Decimals beyond the currency's must
// be zeros ("1222.00" VND is 1222; "0.001" USD is ErrSyntax).
func Parse(text, currency string) (int64, error) {
	exponent, ok := Exponent(currency)
	if !ok {
		return 0, ErrSyntax
	}
	body, negative := strings.CutPrefix(text, "-")
	whole, fraction, dotted := strings.Cut(body, ".")
	if whole == "" || dotted && fraction == "" || !digitsOnly(whole) || !digitsOnly(fraction) {
		return 0, ErrSyntax
	}
	if len(fraction) > exponent {
		if strings.Trim(fraction[exponent:], "0") != "" {
			return 0, ErrSyntax
		}
		fraction = fraction[:exponent]
	}
	amount, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", exponent-len(fraction)), 10, 64)
	if err != nil || amount > Max {
		return 0, ErrOverflow
	}
	if negative {
		amount = -amount
	}
	return amount, nil
}

func digitsOnly(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}
