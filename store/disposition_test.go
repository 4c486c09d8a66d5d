package store

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// setApart is stock of which some is in quality control and some is damaged, as parcels and pickers leave it.
func setApart(t testing.TB, s *Store, onHand, qualityControl, damaged int64) {
	t.Helper()
	stock(t, s, "nyc", "TEE-M", onHand)
	tx, err := s.db.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	r := rows{}
	m := inventory.Movement{SKU: "TEE-M", LocationID: "nyc", Kind: inventory.ReturnReceipt, Quantity: qualityControl + damaged,
		OnHand: qualityControl + damaged, Unavailable: qualityControl + damaged, Damaged: damaged}
	r.add(stockLedgerTable, m, "actor", "test", "request_id", "", "at", act().At.Format(timeFormat))
	_, err = r.write(t.Context(), tx, 0, nil)
	require.NoError(t, err)
	require.NoError(t, applyMovements(t.Context(), tx, []inventory.Movement{m}))
	require.NoError(t, tx.Commit())
}

func decided(units int64, from, to inventory.State) inventory.Decided {
	return inventory.Decided{SKU: "TEE-M", Quantity: units, From: from, To: to}
}

func disposeOf(ctx context.Context, s *Store, key string, lines ...inventory.Decided) error {
	return s.Dispose(ctx, &Command{Key: key, Name: "disposition", Subject: "nyc"}, "nyc", lines, "looked at", act())
}

func TestWhatIsNotForSaleIsDecided(t *testing.T) {
	s := open(t)
	setApart(t, s, 1, 5, 2)
	for range 2 {
		require.NoError(t, disposeOf(t.Context(), s, "once", decided(1, inventory.QualityControl, inventory.Available),
			decided(1, inventory.QualityControl, inventory.Damaged), decided(2, inventory.QualityControl, inventory.Scrapped),
			decided(1, inventory.Damaged, inventory.Available), decided(1, inventory.Damaged, inventory.Scrapped)))
		require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 5, Unavailable: 2, Damaged: 1}, level(t, s))
	}
	moved, err := s.Ledger(t.Context(), LedgerFilter{SKU: "TEE-M", Limit: 10})
	require.NoError(t, err)
	require.Len(t, moved, 7, "one row a line")
	require.Equal(t, LedgerRow{ID: moved[0].ID, SKU: "TEE-M", LocationID: "nyc", Kind: "disposition", Quantity: 1, OnHand: -1, Unavailable: -1,
		Damaged: -1, Reference: "once", Reason: "looked at", At: moved[0].At}, moved[0])
	var arrivedNow bool
	require.NoError(t, s.db.GetContext(t.Context(), &arrivedNow, `SELECT arrived_at = (SELECT max(at) FROM stock_ledger) FROM stock_levels`))
	require.True(t, arrivedNow, "a picker may find it again")
	require.NoError(t, disposeOf(t.Context(), s, "scrap", decided(1, inventory.QualityControl, inventory.Scrapped)))
	require.NoError(t, s.db.GetContext(t.Context(), &arrivedNow, `SELECT arrived_at = (SELECT max(at) FROM stock_ledger) FROM stock_levels`))
	require.False(t, arrivedNow, "what is thrown away does not arrive")
}

func TestNoMoreIsDecidedThanIsThere(t *testing.T) {
	s := open(t)
	setApart(t, s, 4, 2, 1)
	before := level(t, s)
	for pointer, lines := range map[string][]inventory.Decided{
		"/lines/0/quantity": {decided(3, inventory.QualityControl, inventory.Scrapped)},
		"/lines/1/quantity": {decided(1, inventory.QualityControl, inventory.Available), decided(2, inventory.QualityControl, inventory.Damaged)},
		"/lines/2/quantity": {decided(1, inventory.QualityControl, inventory.Damaged), decided(1, inventory.Damaged, inventory.Scrapped),
			decided(1, inventory.Damaged, inventory.Scrapped)},
		"/lines/3/quantity": {decided(1, inventory.Damaged, inventory.Scrapped), decided(1, inventory.QualityControl, inventory.Available),
			decided(1, inventory.QualityControl, inventory.Available), {SKU: "MUG", Quantity: 1, From: inventory.Damaged, To: inventory.Scrapped}},
	} {
		err := disposeOf(t.Context(), s, id.New("dis"), lines...)
		require.True(t, fault.Is(err, "not_in_state"), "%v", err)
		require.Equal(t, fault.Conflict, fault.As(err).Kind)
		require.Len(t, fault.As(err).Fields, 1)
		require.Equal(t, pointer, fault.As(err).Fields[0].Pointer)
		require.Equal(t, before, level(t, s))
	}
	err := disposeOf(t.Context(), s, "nothing", decided(1, inventory.QualityControl, inventory.Scrapped), decided(1, inventory.Damaged, inventory.Damaged))
	require.Equal(t, "/lines/1/to", fault.As(err).Fields[0].Pointer)
	err = s.Dispose(t.Context(), &Command{Key: "away", Name: "disposition"}, "nowhere", []inventory.Decided{decided(1, inventory.Damaged, inventory.Scrapped)}, "", act())
	require.True(t, fault.Is(err, "not_found"), "%v", err)
}

// TestWhatAReturnHasToInspectIsLeftToIt: its inspection could not book what is not in quality control any more.
func TestWhatAReturnHasToInspectIsLeftToIt(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	o := delivered(t, s, "one")
	back := returned(t, s, o)
	unit := []order.UnitsOf{{LineID: o.Lines[0].ID, Quantity: 1}}
	change(t, s, o.ID, func(o *order.Order, a order.Act) error { return o.ApproveReturn(back.ID, false, a) })
	change(t, s, o.ID, func(o *order.Order, a order.Act) error {
		return o.ReceiveReturn(back.ID, order.ReceivedItems{Lines: unit, Unexpected: []order.SKUUnits{{SKU: "TEE-M", Quantity: 1}}}, a)
	})
	require.EqualValues(t, 2, level(t, s).QualityControl())
	require.True(t, fault.Is(disposeOf(t.Context(), s, "both", decided(2, inventory.QualityControl, inventory.Available)), "not_in_state"))
	require.NoError(t, disposeOf(t.Context(), s, "the other", decided(1, inventory.QualityControl, inventory.Scrapped)))
	change(t, s, o.ID, func(o *order.Order, a order.Act) error {
		return o.InspectReturn(back.ID, []order.InspectedUnits{{LineID: unit[0].LineID, Quantity: 1, Grade: returns.GradeC}}, a)
	})
	require.EqualValues(t, 1, level(t, s).QualityControl(), "graded, and refurbished by and by")
	require.NoError(t, disposeOf(t.Context(), s, "refurbished", decided(1, inventory.QualityControl, inventory.Available)))
	require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 9}, level(t, s))
}

func TestWhatBecomesAvailableIsGranted(t *testing.T) {
	s := open(t)
	setApart(t, s, 0, 3, 1)
	waits(t, s, "late", 2)
	waits(t, s, "important", 2, priority(1))
	require.NoError(t, disposeOf(t.Context(), s, "scrap", decided(1, inventory.QualityControl, inventory.Damaged)))
	require.Empty(t, got(t, s))
	require.NoError(t, disposeOf(t.Context(), s, "sell", decided(2, inventory.QualityControl, inventory.Available), decided(1, inventory.Damaged, inventory.Available)))
	require.Equal(t, map[string]int64{"important": 2, "late": 1}, got(t, s))
	require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 4, Committed: 3, Unavailable: 1, Damaged: 1}, level(t, s))
	var transactions int
	require.NoError(t, s.db.GetContext(t.Context(), &transactions, `SELECT count(DISTINCT xmin::text) FROM stock_ledger WHERE at =
		(SELECT max(at) FROM stock_ledger WHERE kind = 'disposition') OR kind = 'reservation'`))
	require.Equal(t, 1, transactions, "in the transaction that makes it available")
}

// TestDecidedAtOnce: twelve want to decide about the same five units.
func TestDecidedAtOnce(t *testing.T) {
	s := open(t)
	setApart(t, s, 0, 5, 0)
	waits(t, s, "first", 2)
	outcomes := []inventory.State{inventory.Available, inventory.Damaged, inventory.Scrapped}
	answers := make(chan error)
	const people = 12
	for i := range people {
		go func() {
			key := id.New("dis")
			err := disposeOf(t.Context(), s, key, decided(1, inventory.QualityControl, outcomes[i%3]))
			for f := fault.As(err); f != nil && f.Kind == fault.Unavailable; f = fault.As(err) {
				err = disposeOf(t.Context(), s, key, decided(1, inventory.QualityControl, outcomes[i%3]))
			}
			answers <- err
		}()
	}
	done := 0
	for range people {
		if err := <-answers; err == nil {
			done++
		} else {
			require.True(t, fault.Is(err, "not_in_state"), "%v", err)
		}
	}
	require.Equal(t, 5, done)
	require.Zero(t, level(t, s).QualityControl())
	var same bool
	require.NoError(t, s.db.GetContext(t.Context(), &same, `SELECT (l.on_hand, l.committed, l.unavailable, l.damaged) =
		(SELECT sum(m.on_hand), sum(m.committed), sum(m.unavailable), sum(m.damaged) FROM stock_ledger m) FROM stock_levels l`))
	require.True(t, same, "the ledger adds up")
}
