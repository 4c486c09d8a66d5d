package verify_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/store/verify"
)

var sample = []verify.Finding{
	{ID: "V-M1", Protects: "One.", Violations: []verify.Violation{}, InFlight: 3, Attention: 1},
	{ID: "V-M10", Protects: "Two.", Violations: []verify.Violation{{Subject: "ord_1", Detail: "a < b"}}, Count: 2},
	{ID: "V-S1", Protects: "Three.", Violations: []verify.Violation{{Subject: "ord_2", Detail: "c"}}, Count: 1},
	{ID: "V-W1", Protects: "Four.", Violations: []verify.Violation{}, NotChecked: "no Temporal was given"},
}

func TestTable(t *testing.T) {
	var b strings.Builder
	require.NoError(t, verify.Table(&b, sample))
	require.Equal(t, `V-M1   ok, in flight: 3, with an operator: 1  One.
V-M10  2 VIOLATIONS                           Two.
       ✗ ord_1: a < b
       ✗ … and 1 more
V-S1   1 VIOLATION                            Three.
       ✗ ord_2: c
V-W1   not checked: no Temporal was given     Four.

4 invariants: 1 hold, 2 violated (3 violations), 1 not checked
`, b.String())
	require.EqualValues(t, 3, verify.Violated(sample))
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	require.NoError(t, verify.JSON(&b, sample[1:2]))
	require.JSONEq(t, `[{"id": "V-M10", "protects": "Two.", "violations": [{"subject": "ord_1", "detail": "a < b"}],
		"count": 2, "in_flight": 0, "attention": 0}]`, b.String())
}
