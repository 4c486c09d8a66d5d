package store

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
)

// What a command is about, whether that needs a run, and whether the command was done.
func TestSubject(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	open := place(t, s, placement("open"))
	o := delivered(t, s, "over")
	require.True(t, o.Settled)
	back := returned(t, s, o)
	done := Command{Key: "k1", Name: "decline", Subject: back.ID, Fingerprint: "f1", Request: json.RawMessage(`{"reason": "worn"}`)}
	a := act()
	for _, test := range []struct {
		kind, id string
		want     Subject
	}{
		{id.Order, open.ID, Subject{OrderID: open.ID}},
		{id.Order, o.ID, Subject{OrderID: o.ID, Settled: true}},
		{id.Fulfillment, o.Fulfillments[0].ID, Subject{OrderID: o.ID, Settled: true}},
		{id.Return, back.ID, Subject{OrderID: o.ID}}, // it is the return that needs a run, not its order
	} {
		got, err := s.Subject(t.Context(), test.kind, test.id, done.Key)
		require.NoError(t, err)
		require.Equal(t, test.want, got, test.kind)
		for _, other := range []string{id.Order, id.Fulfillment, id.Return} {
			if other != test.kind {
				_, err = s.Subject(t.Context(), other, test.id, done.Key)
				require.True(t, fault.Is(err, "not_found"), "%s as %s: %v", test.kind, other, err)
			}
		}
	}
	_, err := s.Change(t.Context(), o.ID, &done, a, func(o *order.Order) error { return o.DeclineReturn(back.ID, "worn", a) })
	require.NoError(t, err)
	got, err := s.Subject(t.Context(), id.Return, back.ID, done.Key)
	require.NoError(t, err)
	require.Equal(t, Subject{OrderID: o.ID, Settled: true, Done: &done}, got)
	got, err = s.Subject(t.Context(), id.Order, open.ID, done.Key)
	require.NoError(t, err)
	require.Equal(t, &done, got.Done, "whatever it was about")
	got, err = s.Subject(t.Context(), id.Order, open.ID, "k2")
	require.NoError(t, err)
	require.Nil(t, got.Done)
}
