package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
)

// batched asks for several orders in one batch, and returns where the answers come.
func batched(t *testing.T, s *Store, orders ...*order.Order) []*allocation {
	t.Helper()
	var batch []*allocation
	for _, o := range orders {
		a := act()
		a.Actor = "actor of " + o.ExternalID
		batch = append(batch, &allocation{ctx: t.Context(), orderID: o.ID, act: a, answer: make(chan allocated, 1)})
	}
	s.allocator.serve(t.Context(), append([]*allocation(nil), batch...))
	return batch
}

func TestAFrozenOrderMakesNobodyElseWait(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 4)
	frozen, other := wish(t, s, "frozen", 2), wish(t, s, "other", 2)
	free := hold(t, s, frozen.ID)
	batch := batched(t, s, frozen, other)
	require.Equal(t, order.Accepted, (<-batch[1].answer).order.Status)
	require.Empty(t, batch[0].answer)
	free()
	require.Equal(t, order.Accepted, (<-batch[0].answer).order.Status)
}

func TestEachOfABatchHasItsOwnAct(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 4)
	a, b := wish(t, s, "a", 2), wish(t, s, "b", 2)
	for i, r := range batched(t, s, a, b) {
		require.NoError(t, (<-r.answer).err)
		var actors []string
		require.NoError(t, s.db.SelectContext(t.Context(), &actors, `SELECT DISTINCT actor FROM stock_ledger WHERE order_id = $1
			UNION SELECT actor FROM events WHERE order_id = $1 AND type = 'order.accepted'`, r.orderID))
		require.Equal(t, []string{"actor of " + []string{"a", "b"}[i]}, actors)
	}
}

func TestAnOrderThatThereIsNot(t *testing.T) {
	s := open(t)
	got := <-batched(t, s, &order.Order{ID: "ord_none"})[0].answer
	require.EqualError(t, got.err, "not_found not_found: there is no such order")
}

// What waits is set aside once, whatever else is in the batch.
func TestABatchSharesWhatIsNotSpokenFor(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 0)
	waits(t, s, "first", 3)
	drop(t, s, `UPDATE stock_levels SET on_hand = 6`) // freed, and not granted yet
	partial := func(p *order.Placement) { p.OnShortage = order.OnShortagePartial }
	a, b, c := wish(t, s, "a", 2, partial), wish(t, s, "b", 2), wish(t, s, "c", 1, partial)
	for _, r := range batched(t, s, a, b, c) {
		require.NoError(t, (<-r.answer).err)
	}
	require.Equal(t, map[string]int64{"a": 2, "b": 1}, got(t, s))
}

func TestWhoeverWaitsIsNotOvertakenInHisOwnBatch(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 0)
	first := waits(t, s, "first", 3)
	drop(t, s, `UPDATE stock_levels SET on_hand = 3`)
	next := wish(t, s, "next", 1, func(p *order.Placement) { p.OnShortage = order.OnShortagePartial })
	batch := batched(t, s, first, next)
	require.Empty(t, (<-batch[0].answer).order.Allocations, "nothing is due: it is granted, not allocated")
	require.Equal(t, order.Rejected, (<-batch[1].answer).order.Status)
}

// What is kept for an order is not kept from it: units that a picker did not find are looked for elsewhere.
func TestAShortPickIsServedFromAnotherLocation(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 2)
	stock(t, s, "lax", "TEE-M", 0)
	o := waits(t, s, "one", 3)
	drop(t, s, `UPDATE stock_levels SET on_hand = 2 WHERE location_id = 'lax'`)
	change(t, s, o.ID, func(o *order.Order, a order.Act) error {
		return o.Pick(o.Fulfillments[0].ID, []order.PickedUnits{{LineID: o.Lines[0].ID, Quantity: 1, Reason: order.ShortStockout}}, a)
	})
	o = allotted(t, s, o)
	require.Len(t, o.Fulfillments, 2)
	require.Equal(t, "lax", o.Fulfillments[1].LocationID)
	require.EqualValues(t, 2, o.Allocations[1].Quantity)
	require.False(t, o.Grantable)
}
