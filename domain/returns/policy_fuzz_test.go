package returns_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/returns"
)

// FuzzParse: a policy that is read is the same after it was frozen on an order and read back, and what it promises is
// possible: never more than the whole of a unit, never a time before the one it counts from. What is refused is refused
// as a return policy.
func FuzzParse(f *testing.F) {
	file, err := os.ReadFile("policy.json")
	require.NoError(f, err)
	f.Add(file)
	for _, change := range [][2]string{{`"window_days": 30`, `"window_days": 0`}, {`"restocking_percent": 0`, `"restocking_percent": 100`},
		{`"label_fee": {}`, `"label_fee": {"USD": 9223372036854775807}`}, {`"D": {`, `"E": {"stock": "damaged"}, "D": {`},
		{`"label_fee": {}`, `"label_fee": null`}, {"30", "1e2"}, {"30", "30.5"}, {`"name"`, `"NAME"`}} {
		require.Contains(f, string(file), change[0])
		f.Add([]byte(strings.Replace(string(file), change[0], change[1], 1)))
	}
	for _, text := range []string{"", "null", "{}", "[]", string(file) + "{}", `{"grades":{"A":null}}`} {
		f.Add([]byte(text))
	}
	day := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := returns.Parse(data)
		if err != nil {
			require.ErrorContains(t, err, "return policy: ")
			return
		}
		frozen, err := json.Marshal(p)
		require.NoError(t, err)
		again, err := returns.Parse(frozen)
		require.NoError(t, err)
		require.Equal(t, p, again)
		for _, grade := range returns.Grades() {
			for _, reason := range append(returns.Reasons(), returns.Undeliverable) {
				percent := p.Percent(grade, reason)
				require.True(t, percent >= 0 && percent <= 100, "%s %s: %d", grade, reason, percent)
			}
		}
		require.False(t, p.WindowEnds(day).Before(day), "the window closes before the delivery")
		require.False(t, p.PresumedDelivered(day).Before(day), "delivered before it was handed over")
		require.True(t, p.Expires(day).After(day), "expired when it is approved")
	})
}

// FuzzShare: what goes to the customer and what stays with the shop are never less than nothing.
func FuzzShare(f *testing.F) {
	f.Add(int64(1034), int64(80))
	f.Add(int64(1)<<62, int64(100))
	f.Add(int64(1)<<62, int64(99))
	f.Fuzz(func(t *testing.T, value, percent int64) {
		if value < 0 || percent < 0 || percent > 100 {
			return
		}
		share := returns.Share(value, percent)
		require.True(t, share >= 0 && share <= value)
		require.Equal(t, value, returns.Share(value, 100))
		require.Zero(t, returns.Share(value, 0))
		rest := value - share - returns.Share(value, 100-percent)
		require.True(t, rest == 0 || rest == 1, "both halves are rounded down: %d is lost", rest)
	})
}
