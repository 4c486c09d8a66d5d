package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

// wish is an order for some units, paid for.
func wish(t testing.TB, s *Store, name string, units int64, with ...func(*order.Placement)) *order.Order {
	t.Helper()
	p := placement(name)
	p.OnShortage = order.OnShortageBackorder
	p.Lines[0].Quantity = units
	for _, f := range with {
		f(&p)
	}
	p.Total, _ = p.Sum()
	o := place(t, s, p)
	if o.Status == order.Rejected {
		return o
	}
	return change(t, s, o.ID, answer)
}

func allotted(t testing.TB, s *Store, o *order.Order) *order.Order {
	t.Helper()
	o, err := s.Allocate(t.Context(), o.ID, act())
	require.NoError(t, err)
	return o
}

// waits is an order that waits for some units.
func waits(t testing.TB, s *Store, name string, units int64, with ...func(*order.Placement)) *order.Order {
	t.Helper()
	o := allotted(t, s, wish(t, s, name, units, with...))
	require.True(t, o.Grantable)
	return o
}

func priority(p int) func(*order.Placement) { return func(o *order.Placement) { o.Priority = p } }

func promised(in time.Duration) func(*order.Placement) {
	return func(o *order.Placement) {
		at := time.Now().UTC().Add(in).Truncate(time.Second)
		o.PromisedAt = &at
	}
}

// receive brings units.
func receive(ctx context.Context, s *Store, key string, units int64) error {
	return s.ChangeStock(ctx, &Command{Key: key, Name: "receipt", Subject: "nyc"}, inventory.Receipt, "nyc",
		[]StockChange{{"TEE-M", units}}, "", act())
}

// got is how many units each order has, by name.
func got(t testing.TB, s *Store) map[string]int64 {
	t.Helper()
	var rows []struct {
		Name  string
		Units int64
	}
	require.NoError(t, s.db.SelectContext(t.Context(), &rows, `SELECT o.external_id AS name, sum(a.quantity - a.released) AS units
		FROM orders o JOIN allocations a ON a.order_id = o.id GROUP BY 1 HAVING sum(a.quantity - a.released) > 0`))
	found := map[string]int64{}
	for _, r := range rows {
		found[r.Name] = r.Units
	}
	return found
}

func TestStockThatArrivesGoesToTheFirstInTheQueue(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 0)
	waits(t, s, "late", 2, promised(40*24*time.Hour))
	first := waits(t, s, "first", 2)
	waits(t, s, "second", 2)
	waits(t, s, "soon", 2, promised(24*time.Hour))
	waits(t, s, "important", 2, priority(1), promised(50*24*time.Hour))

	require.NoError(t, receive(t.Context(), s, "one", 1))
	require.Equal(t, map[string]int64{"important": 1}, got(t, s), "the rest of it waits")
	require.NoError(t, receive(t.Context(), s, "two", 4))
	require.Equal(t, map[string]int64{"important": 2, "soon": 2, "first": 1}, got(t, s))
	var transactions int
	require.NoError(t, s.db.GetContext(t.Context(), &transactions, `SELECT count(DISTINCT xmin::text) FROM stock_ledger WHERE at =
		(SELECT max(at) FROM stock_ledger)`))
	require.Equal(t, 1, transactions, "what arrives is granted in the transaction in which it arrives")
	require.NoError(t, receive(t.Context(), s, "three", 9))
	require.Equal(t, map[string]int64{"important": 2, "soon": 2, "first": 2, "second": 2, "late": 2}, got(t, s))
	require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 14, Committed: 10}, level(t, s))

	o, err := s.Order(t.Context(), first.ID)
	require.NoError(t, err)
	require.False(t, o.Grantable)
	require.Len(t, o.Fulfillments, 2, "one for each grant")
	var woken int
	require.NoError(t, s.db.GetContext(t.Context(), &woken, `SELECT count(*) FROM inbox WHERE order_id = $1`, first.ID))
	require.Equal(t, 2, woken, "and its run hears of each")
}

func TestAReceiptIsGrantedOnce(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 0)
	waits(t, s, "first", 5)
	for range 2 {
		require.NoError(t, receive(t.Context(), s, "the same", 2))
	}
	require.Equal(t, map[string]int64{"first": 2}, got(t, s))
	require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 2, Committed: 2}, level(t, s))
}

func TestAnAdjustmentThatFindsUnitsIsGranted(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 1)
	stock(t, s, "nyc", "CAP", 1)
	waits(t, s, "first", 3)
	waits(t, s, "cap", 3, func(p *order.Placement) { p.Lines[0].SKU = "CAP" })
	adjust := func(changes ...StockChange) error {
		return s.ChangeStock(t.Context(), &Command{Key: id.New("adj"), Name: "adjustment", Subject: "nyc"}, inventory.Adjustment, "nyc",
			changes, "counted", act())
	}
	require.NoError(t, adjust(StockChange{"TEE-M", 1}, StockChange{"NEW", 1}))
	require.Equal(t, map[string]int64{"first": 2, "cap": 1}, got(t, s))
	require.True(t, fault.Is(adjust(StockChange{"TEE-M", 1}, StockChange{"CAP", -1}), "below_committed"))
	require.Equal(t, map[string]int64{"first": 2, "cap": 1}, got(t, s))
}

// Freed units are for those who wait, whoever asks first.
func TestANewOrderDoesNotJumpTheQueue(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 3)
	holder := allotted(t, s, wish(t, s, "holder", 3))
	early := []*order.Order{wish(t, s, "early", 1), wish(t, s, "early-some", 1, func(p *order.Placement) { p.OnShortage = order.OnShortagePartial })}
	waits(t, s, "first", 2)
	change(t, s, holder.ID, func(o *order.Order, a order.Act) error { return o.CancelWhole("", a) })

	reject := func(p *order.Placement) { p.OnShortage = order.OnShortageReject }
	require.Equal(t, order.Rejected, wish(t, s, "two", 2, reject).Status, "at once: two of the three are spoken for")
	one := wish(t, s, "one", 1, reject)
	require.Equal(t, order.Accepted, allotted(t, s, one).Status)
	require.True(t, allotted(t, s, early[0]).Grantable, "it stands behind")
	require.Equal(t, order.Rejected, allotted(t, s, early[1]).Status)
	require.Equal(t, map[string]int64{"one": 1}, got(t, s))

	granted, err := s.GrantBackorders(t.Context(), act())
	require.NoError(t, err)
	require.Equal(t, 1, granted)
	require.Equal(t, map[string]int64{"one": 1, "first": 2}, got(t, s))
	granted, err = s.GrantBackorders(t.Context(), act())
	require.NoError(t, err)
	require.Zero(t, granted)
}

func TestAHeldOrderIsPassedOver(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 0)
	held := waits(t, s, "held", 2)
	waits(t, s, "second", 2)
	held = change(t, s, held.ID, func(o *order.Order, a order.Act) error {
		return o.PlaceHold("", order.HoldRequest{Reason: "fraud"}, a)
	})
	require.NoError(t, receive(t.Context(), s, "one", 4))
	require.Equal(t, map[string]int64{"second": 2}, got(t, s))
	one := wish(t, s, "new", 1)
	require.False(t, allotted(t, s, one).Grantable, "nothing is kept for whoever may not have it")

	change(t, s, held.ID, func(o *order.Order, a order.Act) error { return o.ReleaseHold("", o.Holds[0].ID, a) })
	granted, err := s.GrantBackorders(t.Context(), act())
	require.NoError(t, err)
	require.Equal(t, 1, granted)
	require.Equal(t, map[string]int64{"second": 2, "new": 1, "held": 1}, got(t, s))
}

func TestMoreThanOneBatchWaits(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 0)
	const n = grantBatch + 2
	a := act()
	var all []acted
	for i := range n {
		p := placement(fmt.Sprintf("buyer-%03d", i))
		p.OnShortage = order.OnShortageBackorder
		o := order.Place(p, id.New(id.Order), a)
		o.IdempotencyKey = p.ExternalID
		require.NoError(t, answer(o, a))
		o.Allocate(inventory.AllocateSome(o.Needs(), inventory.Stock{}), a)
		all = append(all, acted{o, a})
	}
	require.NoError(t, s.inTx(t.Context(), func(tx *sqlx.Tx) error { return save(t.Context(), tx, nil, all) }))
	require.NoError(t, receive(t.Context(), s, "enough", 2*n))
	require.Len(t, got(t, s), grantBatch)
	require.NotContains(t, got(t, s), fmt.Sprintf("buyer-%03d", n-1))
	granted, err := s.GrantBackorders(t.Context(), act())
	require.NoError(t, err)
	require.Equal(t, n-grantBatch, granted)
}

// Goods that are here are here, whatever becomes of the orders that wait for them.
func TestAReceiptDoesNotFailBecauseOfAGrant(t *testing.T) {
	t.Run("somebody holds the order", func(t *testing.T) {
		s := open(t)
		stock(t, s, "nyc", "TEE-M", 0)
		o := waits(t, s, "first", 2)
		free := hold(t, s, o.ID)
		require.NoError(t, receive(t.Context(), s, "one", 2))
		require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 2}, level(t, s))
		_, err := s.GrantBackorders(t.Context(), act())
		require.Equal(t, fault.Unavailable, fault.As(err).Kind)
		free()
		granted, err := s.GrantBackorders(t.Context(), act())
		require.NoError(t, err)
		require.Equal(t, 1, granted)
	})
	t.Run("the schema refuses it", func(t *testing.T) {
		s := open(t)
		stock(t, s, "nyc", "TEE-M", 0)
		waits(t, s, "first", 2)
		drop(t, s, `ALTER TABLE allocations ADD CONSTRAINT allocations_none CHECK (quantity < 0)`)
		require.NoError(t, receive(t.Context(), s, "one", 2))
		require.Equal(t, Level{SKU: "TEE-M", LocationID: "nyc", OnHand: 2}, level(t, s))
		_, err := s.GrantBackorders(t.Context(), act())
		require.True(t, fault.Is(err, "facts_refused"), err)
		require.Contains(t, err.Error(), "allocations_none")
	})
}

// hold keeps an order's row, as a process does that froze in the middle of a transaction.
func hold(t *testing.T, s *Store, orderID string) (free func()) {
	t.Helper()
	tx, err := s.db.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	require.NoError(t, lockOrder(t.Context(), tx, orderID))
	return func() { require.NoError(t, tx.Rollback()) }
}

// Receipts, cancellations, new orders and the relay, all at once, for one SKU at two locations.
func TestGrantsUnderConcurrency(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 0)
	stock(t, s, "lax", "TEE-M", 0)
	const each = 8
	var old, fresh []*order.Order
	for i := range each {
		old = append(old, waits(t, s, fmt.Sprint("old-", i), 3))
		fresh = append(fresh, wish(t, s, fmt.Sprint("fresh-", i), 1))
	}
	failed := make(chan error)
	try := func(do func() error) {
		go func() {
			err := do()
			for f := fault.As(err); f != nil && f.Kind == fault.Unavailable; f = fault.As(err) {
				err = do()
			}
			failed <- err
		}()
	}
	for i := range each {
		try(func() error { return receive(t.Context(), s, fmt.Sprint("rcp-", i), 2) })
		try(func() error {
			_, err := s.Allocate(t.Context(), fresh[i].ID, act())
			return err
		})
		try(func() error {
			_, err := s.GrantBackorders(t.Context(), act())
			return err
		})
		if i%2 == 0 {
			try(func() error {
				a := act()
				_, err := s.Change(t.Context(), old[i].ID, nil, a, func(o *order.Order) error { return o.CancelWhole("", a) })
				return err
			})
		}
	}
	for range 3*each + each/2 {
		require.NoError(t, <-failed)
	}
	for { // what was freed last may not have been granted yet
		granted, err := s.GrantBackorders(t.Context(), act())
		require.NoError(t, err)
		if granted == 0 {
			break
		}
	}
	var sums struct{ Have, OnHand, Committed, Waiting int64 }
	require.NoError(t, s.db.GetContext(t.Context(), &sums, `SELECT
		(SELECT sum(quantity - released) FROM allocations) AS have,
		(SELECT sum(on_hand) FROM stock_levels) AS onhand, (SELECT sum(committed) FROM stock_levels) AS committed,
		(SELECT sum(backordered) FROM order_lines) AS waiting`))
	require.EqualValues(t, 2*each, sums.OnHand)
	require.Equal(t, sums.Committed, sums.Have)
	require.EqualValues(t, 3*each/2+each, sums.Have+sums.Waiting, "every unit that is wanted is had or waited for")
	require.EqualValues(t, min(2*each, 3*each/2+each), sums.Have, "and nothing lies about that somebody waits for")
}
