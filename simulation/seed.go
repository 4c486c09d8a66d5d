package simulation

import (
	"fmt"
	"math/bits"
	"reflect"
)

// Seed decides everything that chance would. A draw is a pure function of the seed and the names: it does not matter
// what was drawn before, or on which goroutine.
type Seed uint64

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// Draw is a number from 0 to 2⁶⁴−1. Integers of every type count as the same name when they are the same number,
// and so do strings.
func (s Seed) Draw(names ...any) uint64 {
	h := number(fnvOffset, uint64(s))
	for _, name := range names {
		switch n := name.(type) {
		case string:
			h = text(h, n)
		case int:
			h = number(h, uint64(n))
		case int64:
			h = number(h, uint64(n))
		case uint64:
			h = number(h, n)
		default: // a string of a type of its own; fmt would do, and every name of every draw would be garbage for it
			v := reflect.ValueOf(n)
			if v.Kind() != reflect.String {
				panic("simulation: nothing is drawn by " + v.Type().String())
			}
			h = text(h, v.String())
		}
		h = (h ^ 0xff) * fnvPrime // so that "a", "bc" is not "ab", "c"
	}
	return mixed(h)
}

// Below is a number from 0 to n−1. It panics when n is not positive.
func (s Seed) Below(n int, names ...any) int {
	if n <= 0 {
		panic(fmt.Sprintf("simulation: nothing is below %d", n))
	}
	high, _ := bits.Mul64(s.Draw(names...), uint64(n))
	return int(high)
}

// Chance is true in so many of a thousand cases.
func (s Seed) Chance(permille int, names ...any) bool { return s.Below(1000, names...) < permille }

func text(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

func number(h, n uint64) uint64 {
	for range 8 {
		h = (h ^ n&0xff) * fnvPrime
		n >>= 8
	}
	return h
}

// mixed spreads every bit over all others: FNV alone leaves the last name in the low ones.
func mixed(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
