package store

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// delivered is an order of two units in one parcel that arrived.
func delivered(t testing.TB, s *Store, name string) *order.Order {
	t.Helper()
	o := shipped(t, s, name)
	return change(t, s, o.ID, func(o *order.Order, a order.Act) error {
		return o.Scanned(o.Shipments[0].ID, shipping.Scan{Status: shipping.Delivered, OccurredAt: a.At}, a)
	})
}

func shipped(t testing.TB, s *Store, name string) *order.Order {
	t.Helper()
	o := allotted(t, s, wish(t, s, name, 2))
	f, units := o.Fulfillments[0], []order.UnitsOf{{LineID: o.Lines[0].ID, Quantity: 2}}
	change(t, s, o.ID, func(o *order.Order, a order.Act) error { return o.Pick(f.ID, picked(units), a) })
	change(t, s, o.ID, func(o *order.Order, a order.Act) error {
		return o.Pack(f.ID, []order.Parcel{{WeightGrams: 500, Lines: units}}, a)
	})
	change(t, s, o.ID, answer)
	change(t, s, o.ID, func(o *order.Order, a order.Act) error { return o.Ship(f.ID, a) })
	return change(t, s, o.ID, answer)
}

// returned asks for a unit to come back.
func returned(t testing.TB, s *Store, o *order.Order) order.Return {
	t.Helper()
	o = change(t, s, o.ID, func(o *order.Order, a order.Act) error {
		_, err := o.RequestReturn(order.ReturnRequest{Lines: []order.ReturnedUnits{{LineID: o.Lines[0].ID, Quantity: 1, Reason: returns.DoesNotFit}}}, a)
		return err
	})
	return o.Returns[len(o.Returns)-1]
}

func TestReturns(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	a, b := delivered(t, s, "a"), delivered(t, s, "b")
	all := []order.Return{returned(t, s, a), returned(t, s, b), returned(t, s, a)}
	change(t, s, b.ID, func(o *order.Order, act order.Act) error { return o.DeclineReturn(all[1].ID, "worn", act) })
	drop(t, s, `UPDATE returns SET attention_code = 'label_refused', attention_since = now() WHERE id = '`+all[2].ID+`'`)
	list := func(f ReturnFilter) (found []string) {
		if f.Page.Limit == 0 {
			f.Page.Limit = 10
		}
		rows, err := s.Returns(t.Context(), f)
		require.NoError(t, err)
		for _, r := range rows {
			require.Equal(t, "USD", r.Currency)
			found = append(found, r.ID)
		}
		return found
	}
	yes, no := true, false
	require.Equal(t, []string{all[2].ID, all[1].ID, all[0].ID}, list(ReturnFilter{}), "newest first")
	require.Equal(t, []string{all[2].ID, all[0].ID}, list(ReturnFilter{OrderID: a.ID}))
	require.Equal(t, []string{all[1].ID}, list(ReturnFilter{Status: string(returns.Declined)}))
	require.Equal(t, []string{all[2].ID}, list(ReturnFilter{Attention: &yes}))
	require.Equal(t, []string{all[1].ID, all[0].ID}, list(ReturnFilter{Attention: &no}))
	require.Equal(t, []string{all[0].ID}, list(ReturnFilter{Page: Page{Limit: 1, AfterAt: all[1].CreatedAt, AfterID: all[1].ID}}))

	rows, err := s.Returns(t.Context(), ReturnFilter{OrderID: b.ID, Page: Page{Limit: 1}})
	require.NoError(t, err)
	b, err = s.Order(t.Context(), b.ID)
	require.NoError(t, err)
	require.Equal(t, ReturnRow{OrderID: b.ID, ExternalID: "b", Channel: "web", Currency: "USD", Return: b.Returns[0]}, rows[0], "whole, as its order has it")
}

func TestOrderOf(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	delivered(t, s, "another")
	o := delivered(t, s, "one")
	for _, subject := range []string{o.Fulfillments[0].ID, o.Shipments[0].ID, returned(t, s, o).ID} {
		found, err := s.OrderOf(t.Context(), subject)
		require.NoError(t, err)
		require.Equal(t, o.ID, found, subject)
		_, err = s.OrderOf(t.Context(), id.New(subject[:3]))
		require.Equal(t, fault.NotFound, fault.As(err).Kind)
	}
}

func TestTwoReturnsNeverExceedWhatWasDelivered(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	o := delivered(t, s, "one")
	returned(t, s, o)
	_, err := s.Change(t.Context(), o.ID, nil, act(), func(o *order.Order) error {
		o.Lines[0].ReturnRequested += 2 // what a decision on facts of before would do
		return nil
	})
	require.True(t, fault.Is(err, "return_exceeds_delivered"), "%v", err)
}

func TestTheInboxNamesTheReturn(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	o := delivered(t, s, "one")
	drop(t, s, `DELETE FROM inbox`, `INSERT INTO inbox (order_id, return_id, kind, created_at) VALUES ('`+o.ID+`', '', 'facts', now()),
		('`+o.ID+`', 'ret_1', 'facts', now())`)
	var mu sync.Mutex
	var told [][2]string
	heard, err := s.Unheard(t.Context(), 10, time.Now(), func(orderID, returnID string) error {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, [2]string{orderID, returnID})
		if returnID == "" {
			return errors.New("not yet")
		}
		return nil
	})
	require.EqualError(t, err, "not yet")
	require.Equal(t, 1, heard)
	require.ElementsMatch(t, [][2]string{{o.ID, ""}, {o.ID, "ret_1"}}, told)
}

// A run that several things came in for is told once, and hears of all of them.
func TestARunIsToldOnce(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	o := delivered(t, s, "one")
	drop(t, s, `DELETE FROM inbox`, `INSERT INTO inbox (order_id, return_id, kind, created_at) SELECT '`+o.ID+`', '', 'facts', now() FROM generate_series(1, 3)`)
	calls := 0
	heard, err := s.Unheard(t.Context(), 10, time.Now(), func(string, string) error {
		calls++
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 3, heard)
	require.Equal(t, 1, calls)
}

func TestUnsettledReturns(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	o := delivered(t, s, "one")
	first, second := returned(t, s, o), returned(t, s, o)
	require.False(t, first.Settled)
	list := func(after string, before time.Time, limit int) []order.ReturnRef {
		refs, err := s.UnsettledReturns(t.Context(), after, before, limit)
		require.NoError(t, err)
		return refs
	}
	refs, soon := []order.ReturnRef{{OrderID: o.ID, ReturnID: first.ID}, {OrderID: o.ID, ReturnID: second.ID}}, time.Now().Add(time.Minute)
	require.Equal(t, refs, list("", soon, 10))
	require.Equal(t, refs[:1], list("", soon, 1))
	require.Equal(t, refs[1:], list(first.ID, soon, 10))
	require.Empty(t, list("", first.CreatedAt, 10), "its run is being started just then")
	drop(t, s, `UPDATE returns SET status = 'closed', settled = true`)
	require.Empty(t, list("", soon, 10))
}

func TestLevelsTellWhatIsDamaged(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	tx, err := s.db.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	r := rows{}
	m := inventory.Movement{SKU: "TEE-M", LocationID: "nyc", Kind: inventory.Disposition, Quantity: 3, Unavailable: 3, Damaged: 2, ReturnID: "ret_1"}
	r.add(stockLedgerTable, m, "actor", "test", "request_id", "", "at", act().At.Format(timeFormat))
	_, err = r.write(t.Context(), tx, 0, nil)
	require.NoError(t, err)
	require.NoError(t, applyMovements(t.Context(), tx, []inventory.Movement{m}))
	require.NoError(t, tx.Commit())
	l := level(t, s)
	require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 10, Unavailable: 3, Damaged: 2}, l)
	require.EqualValues(t, 7, l.Available())
	require.EqualValues(t, 1, l.QualityControl())
	moved, err := s.Ledger(t.Context(), LedgerFilter{SKU: "TEE-M", Limit: 1})
	require.NoError(t, err)
	require.EqualValues(t, 2, moved[0].Damaged)
	require.Equal(t, "ret_1", moved[0].ReturnID)
}
