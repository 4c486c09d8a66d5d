package store

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
)

// twoProcesses are two stores on one database, each of which has seen the order.
func twoProcesses(t *testing.T) (here, there *Store, o *order.Order) {
	t.Helper()
	url := devtest.Database(t)
	here, there = openURL(t, url), openURL(t, url)
	stock(t, here, "nyc", "TEE-M", 10)
	o = place(t, here, placement("1001"))
	for _, s := range []*Store{here, there} {
		_, err := s.Order(t.Context(), o.ID)
		require.NoError(t, err)
	}
	return here, there, o
}

func holdFor(reason string) func(*order.Order, order.Act) error {
	return func(o *order.Order, a order.Act) error {
		return o.PlaceHold("", order.HoldRequest{Reason: reason}, a)
	}
}

// What one process saw is never written over what another did since.
func TestWhatWasSeenIsAGuess(t *testing.T) {
	here, there, o := twoProcesses(t)
	change(t, here, o.ID, holdFor("fraud_review"))
	require.Empty(t, there.seen.order(o.ID).Holds, "it has not heard of that")
	asked := 0
	o = change(t, there, o.ID, func(o *order.Order, a order.Act) error {
		asked++
		return holdFor("address")(o, a)
	})
	require.Equal(t, 2, asked, "first of what it had seen, then of what is there")
	require.Len(t, o.Holds, 2)
	stored, err := here.Order(t.Context(), o.ID)
	require.NoError(t, err)
	require.Len(t, stored.Holds, 2)
	require.Equal(t, stored.Facts(), there.seen.order(o.ID).Facts(), "it remembers what it wrote")
	require.Equal(t, o.Version, stored.Version)
	change(t, there, o.ID, func(o *order.Order, a order.Act) error {
		asked++
		return holdFor("other")(o, a)
	})
	require.Equal(t, 3, asked, "nobody else was there: once")
}

// A refusal is that of the facts, not of what they were.
func TestARefusalIsNeverAGuess(t *testing.T) {
	here, there, o := twoProcesses(t)
	change(t, here, o.ID, holdFor("fraud_review"))
	_, err := there.Change(t.Context(), o.ID, nil, act(), func(o *order.Order) error {
		if len(o.Holds) == 0 {
			return errors.New("there is no hold")
		}
		return nil
	})
	require.NoError(t, err)
}

// A command that was done is not decided again, whoever has seen what.
func TestACommandIsDoneOnce(t *testing.T) {
	here, there, o := twoProcesses(t)
	cmd := &Command{Key: "hold-1", Name: "hold", Subject: o.ID, Fingerprint: "same"}
	for i, s := range []*Store{here, there, here, there} {
		a := act()
		got, err := s.Change(t.Context(), o.ID, cmd, a, func(o *order.Order) error { return holdFor("fraud_review")(o, a) })
		require.NoError(t, err)
		require.Len(t, got.Holds, 1, "attempt %d", i)
	}
	other := *cmd
	other.Fingerprint = "another"
	a := act()
	_, err := here.Change(t.Context(), o.ID, &other, a, func(o *order.Order) error { return holdFor("address")(o, a) })
	require.True(t, fault.Is(err, "idempotency_key_reused"), err)
	stored, err := there.Order(t.Context(), o.ID)
	require.NoError(t, err)
	require.Len(t, stored.Holds, 1)
}

// The database is put back to an earlier time, and the order goes on there to the very version that was seen.
func TestWhatWasSeenBeforeTheDatabaseWasPutBack(t *testing.T) {
	here, there, o := twoProcesses(t)
	later := act()
	later.At = later.At.Add(time.Second)
	_, err := here.db.ExecContext(t.Context(), `UPDATE orders SET updated_at = $2 WHERE id = $1`, o.ID, later.At)
	require.NoError(t, err)
	asked := 0
	change(t, there, o.ID, func(o *order.Order, a order.Act) error {
		asked++
		return holdFor("address")(o, a)
	})
	require.Equal(t, 2, asked)
}

// What is kept is a copy, and what is given out is one.
func TestWhatWasSeenIsNobodysElse(t *testing.T) {
	s := newSeen()
	o := &order.Order{ID: "ord_1", Lines: []order.Line{{ID: "lin_1", SKU: "TEE-M"}}}
	s.keep(o)
	o.Lines[0].SKU = "changed"
	s.order(o.ID).Lines[0].SKU = "changed"
	require.Equal(t, "TEE-M", s.order(o.ID).Lines[0].SKU)
	s.forget(o.ID)
	require.Nil(t, s.order(o.ID))
	s.orders.Add(o.ID, sighting{o, time.Now().Add(-seenFor)})
	require.Nil(t, s.order(o.ID), "long ago")
}

// A change touches a dozen tables in one statement: all of it is there, or nothing.
func TestAChangeThatAConstraintStopsLeavesNothing(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	o := place(t, s, placement("1001"))
	a := act()
	_, err := s.Change(t.Context(), o.ID, &Command{Key: "k", Name: "hold", Subject: o.ID}, a, func(o *order.Order) error {
		if err := holdFor("fraud_review")(o, a); err != nil {
			return err
		}
		o.Payments[0].Captured = o.Payments[0].Authorized + 1
		return nil
	})
	require.True(t, fault.Is(err, "capture_exceeds_authorization"), err)
	stored, err := s.Order(t.Context(), o.ID)
	require.NoError(t, err)
	require.Equal(t, o.Facts(), stored.Facts())
	_, found, err := s.CommandDone(t.Context(), "k")
	require.NoError(t, err)
	require.False(t, found)
}
