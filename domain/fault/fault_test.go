package fault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
)

func TestNew(t *testing.T) {
	f := fault.New(fault.TooMany, "slow_down", "%d of %d", 9, 8)
	require.Equal(t, fault.TooMany, f.Kind)
	require.Equal(t, "slow_down", f.Code)
	require.Equal(t, "9 of 8", f.Detail)
	require.EqualError(t, f, "too_many slow_down: 9 of 8")
	require.Equal(t, fault.Conflict, fault.Conflictf("x", "y").Kind)
	require.Equal(t, "not_found", fault.NotFoundf("gone").Code)
	require.Equal(t, fault.NotFound, fault.NotFoundf("gone").Kind)
}

func TestAsFindsAFaultInTheChain(t *testing.T) {
	f := fault.Conflictf("taken", "it is taken")
	for name, err := range map[string]error{
		"itself":  f,
		"wrapped": fmt.Errorf("place: %w", f),
		"joined":  errors.Join(errors.New("other"), f),
	} {
		t.Run(name, func(t *testing.T) {
			require.Same(t, f, fault.As(err))
			require.True(t, fault.Is(err, "taken"))
			require.False(t, fault.Is(err, "free"))
		})
	}
	for _, err := range []error{nil, errors.New("taken")} {
		require.Nil(t, fault.As(err))
		require.False(t, fault.Is(err, "taken"))
	}
}

func TestFieldsAreReportedAtOnce(t *testing.T) {
	var wrong fault.Fields
	require.NoError(t, wrong.Err())
	wrong.Add("/a", "too_small", "%d is less than %d", 1, 2)
	require.Equal(t, "1 field is wrong", fault.As(wrong.Err()).Detail)
	wrong.Add("/b", "unknown", "no such thing")
	f := fault.As(wrong.Err())
	require.Equal(t, fault.Invalid, f.Kind)
	require.Equal(t, "invalid_fields", f.Code)
	require.Equal(t, "2 fields are wrong", f.Detail)
	require.Equal(t, []fault.Field{{Pointer: "/a", Code: "too_small", Detail: "1 is less than 2"},
		{Pointer: "/b", Code: "unknown", Detail: "no such thing"}}, f.Fields)
}

// A fault travels through Temporal's history as JSON: the far side must get all of it.
func TestFaultSurvivesItsJSON(t *testing.T) {
	f := &fault.Fault{Kind: fault.Conflict, Code: "out_of_stock", Detail: "2 of 3 lines are short", OrderID: "ord_1",
		Fields: []fault.Field{{Pointer: "/lines/0", Code: "x", Detail: "y"}}, RetryAfter: 1500 * time.Millisecond,
		NextAction: &fault.NextAction{Type: "redirect", URL: "https://bank.example"},
		Shortages:  []fault.Shortage{{LineID: "lin_1", SKU: "TEE", Requested: 2, Available: 1, Known: true}},
		Holders:    []fault.Holder{{OrderID: "ord_2", LineID: "lin_2", SKU: "TEE", LocationID: "nyc", Quantity: 1}}}
	body, err := json.Marshal(f)
	require.NoError(t, err)
	var back fault.Fault
	require.NoError(t, json.Unmarshal(body, &back))
	require.Equal(t, *f, back)
}
