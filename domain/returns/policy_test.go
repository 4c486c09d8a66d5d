package returns_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/returns"
)

func TestTheDefaultIsWhatTheFileSays(t *testing.T) {
	p := returns.Default()
	require.Equal(t, "standard-30-days", p.Name)
	require.Equal(t, []int{30, 10, 45}, []int{p.WindowDays, p.TransitDays, p.ExpiresAfterDays})
	require.Equal(t, returns.Rule{Stock: returns.StockOpenBox, RefundPercent: 80, SKUSuffix: "-OPENBOX"}, p.Grades[returns.GradeB])
	body, err := json.Marshal(p)
	require.NoError(t, err)
	again, err := returns.Parse(body)
	require.NoError(t, err)
	require.Equal(t, p, again, "it survives being frozen on an order")
}

// Whoever writes a policy hears of everything that is wrong with it.
func TestWrongPolicies(t *testing.T) {
	file, err := os.ReadFile("policy.json")
	require.NoError(t, err)
	for _, c := range []struct{ name, from, to, want string }{
		{"not JSON", "{", "[", "return policy:"},
		{"an unknown field", `"name"`, `"nickname"`, `unknown field "nickname"`},
		{"no name", "standard-30-days", "", "name is empty"},
		{"a window of less than nothing", `"window_days": 30`, `"window_days": -1`, "window_days and transit_days are 0 or more"},
		{"a window without end", `"window_days": 30`, `"window_days": 9223372036854775807`, "expires_after_days are at most 36500"},
		{"a return that is waited for without end", `"expires_after_days": 45`, `"expires_after_days": 36501`, "are at most 36500"},
		{"a way of less than nothing", `"transit_days": 10`, `"transit_days": -1`, "window_days and transit_days are 0 or more"},
		{"expires at once", `"expires_after_days": 45`, `"expires_after_days": 0`, "expires_after_days is 1 or more"},
		{"restocking of more than all", `"restocking_percent": 0`, `"restocking_percent": 101`, "restocking_percent is from 0 to 100"},
		{"restocking of less than nothing", `"restocking_percent": 0`, `"restocking_percent": -1`, "restocking_percent is from 0 to 100"},
		{"a negative fee", `"label_fee": {}`, `"label_fee": {"USD": -1}`, "an amount in USD is negative"},
		{"a negative bound", `"returnless_up_to": {}`, `"returnless_up_to": {"EUR": -1}`, "an amount in EUR is negative"},
		{"an unknown reason", `"defective"`, `"haunted"`, `our_fault: there is no reason "haunted"`},
		{"a grade without a rule", `"D": {"stock": "damaged", "refund_percent": 0},`, "", "grade D has no rule"},
		{"a grade too many", `"D": {`, `"E": {"stock": "damaged", "refund_percent": 0}, "D": {`, "grades are A, B, C, D and X"},
		{"refunds more than all", `"refund_percent": 80`, `"refund_percent": 101`, "grade B: refund_percent is from 0 to 100"},
		{"refunds less than nothing", `"refund_percent": 50`, `"refund_percent": -1`, "grade C: refund_percent is from 0 to 100"},
		{"an unknown stock", `"quality_control"`, `"limbo"`, `grade C: stock "limbo" is none of`},
		{"an open box without a SKU", `, "sku_suffix": "-OPENBOX"`, "", "grade B: sku_suffix goes with open_box"},
		{"a SKU without an open box", `"stock": "available", "refund_percent": 100`, `"stock": "available", "refund_percent": 100, "sku_suffix": "-X"`, "grade A: sku_suffix goes with open_box"},
		{"missing goods that are refunded", `"stock": "none", "refund_percent": 0`, `"stock": "none", "refund_percent": 10`, "grade X, and no other, is missing"},
		{"missing goods that are here", `"stock": "none"`, `"stock": "damaged"`, "grade X, and no other, is missing"},
		{"goods that are here and missing", `"stock": "damaged"`, `"stock": "none"`, "grade X, and no other, is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Contains(t, string(file), c.from)
			_, err := returns.Parse([]byte(strings.Replace(string(file), c.from, c.to, 1)))
			require.ErrorContains(t, err, c.want)
		})
	}
	for _, rest := range []string{"{}", "}", "x"} {
		_, err = returns.Parse(append(file[:len(file):len(file)], rest...))
		require.ErrorContains(t, err, "more than one JSON document", rest)
	}
	_, err = returns.Parse([]byte(strings.NewReplacer("standard-30-days", "", `"restocking_percent": 0`, `"restocking_percent": 200`).Replace(string(file))))
	require.ErrorContains(t, err, "name is empty")
	require.ErrorContains(t, err, "restocking_percent", "everything at once")
}

func TestPercent(t *testing.T) {
	p := returns.Default()
	p.RestockingPercent = 60
	for _, c := range []struct {
		grade  returns.Grade
		reason returns.Reason
		want   int64
	}{
		{returns.GradeA, returns.ChangedMind, 40},
		{returns.GradeB, returns.ChangedMind, 20},
		{returns.GradeC, returns.ChangedMind, 0},
		{returns.GradeD, returns.ChangedMind, 0},
		{returns.GradeA, returns.Defective, 100},
		{returns.GradeD, returns.Undeliverable, 100},
		{returns.GradeX, returns.ChangedMind, 0},
		{returns.GradeX, returns.Defective, 0},
	} {
		require.Equal(t, c.want, p.Percent(c.grade, c.reason), "%s %s", c.grade, c.reason)
	}
}

func TestDays(t *testing.T) {
	p, day := returns.Default(), time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	require.Equal(t, time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), p.WindowEnds(day))
	require.Equal(t, time.Date(2026, 2, 10, 10, 0, 0, 0, time.UTC), p.PresumedDelivered(day))
	require.Equal(t, time.Date(2026, 3, 17, 10, 0, 0, 0, time.UTC), p.Expires(day))
}

// A share is the exact percentage, rounded down, also where value × percent would overflow.
func TestShare(t *testing.T) {
	require.EqualValues(t, 827, returns.Share(1034, 80))
	require.EqualValues(t, int64(1)<<62, returns.Share(int64(1)<<62, 100))
	rapid.Check(t, func(t *rapid.T) {
		value, percent := rapid.Int64Range(0, 1<<50).Draw(t, "value"), rapid.Int64Range(0, 100).Draw(t, "percent")
		require.Equal(t, value*percent/100, returns.Share(value, percent))
	})
}

func TestReasonsAndGrades(t *testing.T) {
	require.NotContains(t, returns.Reasons(), returns.Undeliverable, "no customer can give it")
	require.Len(t, returns.Grades(), len(returns.Default().Grades))
	for _, s := range returns.Statuses() {
		leaves := false
		for _, e := range returns.Edges() {
			leaves = leaves || e.Allows(s) && e.To != s && e.Name != returns.Receive.Name
		}
		require.Equal(t, !leaves, s.Final(), "%s: only what comes late opens it again", s)
	}
}
