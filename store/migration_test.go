package store

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
)

// Orders as they were written before there were credits and refunds, each named by its external id.
const ordersOf0001 = "testdata/0001_orders.json"

// before0002 is a database with the schema and the orders of before, and what migrates it.
func before0002(t *testing.T) (*Store, *goose.Provider) {
	t.Helper()
	s := open(t)
	provider, err := newProvider(s.db.DB)
	require.NoError(t, err)
	_, err = provider.DownTo(t.Context(), 1)
	require.NoError(t, err)
	body, err := os.ReadFile(ordersOf0001)
	require.NoError(t, err)
	var tables map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(body, &tables))
	for _, name := range []string{"locations", "stock_levels", "stock_ledger", "orders", "order_lines", "line_units", "order_holds",
		"payments", "operations", "money_ledger", "fulfillments", "fulfillment_lines", "allocations"} {
		require.Contains(t, tables, name)
		drop(t, s, `INSERT INTO `+name+` OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::`+name+`, '`+string(tables[name])+`')`)
	}
	drop(t, s, `SELECT setval(pg_get_serial_sequence('money_ledger', 'id'), 1000)`)
	return s, provider
}

// moneyOf is what an order came to, in the terms of 0002.
type moneyOf struct {
	Credited, ShippingCredited, Refunded, ShippingRefunded int64
	Refunds                                                []refundOf
}

type refundOf struct {
	Cause, Status            string
	Amount, Shipping, Excess int64
	Lines                    int64 // what its lines add up to
}

func TestMigration0002(t *testing.T) {
	s, provider := before0002(t)
	before := everything(t, s)
	for range 2 { // it goes back, and forth again
		_, err := provider.Up(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[string]moneyOf{
			"open":       {},
			"short":      {Credited: 200*1999 + 330, ShippingCredited: 500},
			"held-money": {Credited: 4328, ShippingCredited: 500},
			"unpaid":     {Credited: 4328, ShippingCredited: 500},
			// 3 × 19.99 − 1.00 + 3.31 and 5.00 + 0.40, less 0.07; 5.00 + 0.41 of shipping.
			"returned-money": {6761, 541, 6761, 541, []refundOf{{"cancelled", "succeeded", 7302, 541, 0, 6761}}},
			"tax-included":   {6390, 500, 6390, 500, []refundOf{{"cancelled", "succeeded", 6890, 500, 0, 6390}}},
			"under-way":      {6761, 541, 6761, 541, []refundOf{{"cancelled", "pending", 7302, 541, 0, 6761}}},
			"refused":        {6761, 541, 6761, 541, []refundOf{{"cancelled", "refused", 7302, 541, 0, 6761}}},
			"refused-once":   {6761, 541, 6761, 541, []refundOf{{"cancelled", "succeeded", 7302, 541, 0, 6761}}},
			"too-little":     {Refunds: []refundOf{{"excess", "succeeded", 1000, 0, 1000, 0}}},
			"twice": {4328, 500, 4328, 500, []refundOf{{"excess", "succeeded", 9000, 0, 9000, 0},
				{"cancelled", "succeeded", 4828, 500, 0, 4328}}},
		}, moneyByOrder(t, s))
		checkMigrated(t, s)
		_, err = provider.DownTo(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, before, everything(t, s), "as it was")
	}
}

// checkMigrated asks for what holds of every order that the new binary writes.
func checkMigrated(t *testing.T, s *Store) {
	for broken, query := range map[string]string{
		"a refund is for what it says": `SELECT r.id FROM refunds r WHERE r.amount <> r.shipping + r.excess
			+ (SELECT COALESCE(sum(amount), 0) FROM refund_lines WHERE refund_id = r.id)`,
		"a line is credited band by band": `SELECT l.id FROM order_lines l WHERE l.cancelled <> (SELECT COALESCE(sum(quantity), 0)
			FROM credits WHERE line_id = l.id) OR l.credited <> (SELECT COALESCE(sum(amount), 0) FROM credits WHERE line_id = l.id)`,
		"every unit of a credit is worth the same": `SELECT id FROM credits WHERE quantity > 0 AND amount % quantity <> 0`,
		"a refund's operations know it": `SELECT key FROM operations WHERE (kind = 'refund') <> (refund_id <> '')
			OR kind = 'refund' AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.id = refund_id AND r.payment_id = operations.payment_id)`,
		"what is not given back yet is reserved": `SELECT p.id FROM payments p WHERE refunding <> (SELECT COALESCE(sum(amount), 0)
			FROM refunds r WHERE r.payment_id = p.id AND r.status <> 'succeeded')`,
		"the ledger adds up": `SELECT p.id FROM payments p WHERE refunding <> (SELECT COALESCE(sum(amount), 0)
			FROM money_ledger m WHERE m.payment_id = p.id AND account = 'refunding')`,
		"who waits for a payment expires": `SELECT id FROM order_holds WHERE (reason = 'awaiting_payment') <> (on_deadline = 'expire')`,
	} {
		var wrong []string
		require.NoError(t, s.db.SelectContext(t.Context(), &wrong, query))
		require.Empty(t, wrong, broken)
	}
	var ids []string
	require.NoError(t, s.db.SelectContext(t.Context(), &ids, `SELECT id FROM orders`))
	orders, err := load(t.Context(), s.db, ids)
	require.NoError(t, err)
	require.Len(t, orders, len(ids))
	tx, err := s.db.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	before, changes := snapshot(orders), []acted(nil)
	for _, o := range orders {
		changes = append(changes, acted{o, act()})
	}
	require.NoError(t, save(t.Context(), tx, before, changes), "loaded and saved, nothing changes")
}

func moneyByOrder(t *testing.T, s *Store) map[string]moneyOf {
	t.Helper()
	var ids []string
	require.NoError(t, s.db.SelectContext(t.Context(), &ids, `SELECT id FROM orders`))
	orders, err := load(t.Context(), s.db, ids)
	require.NoError(t, err)
	found := map[string]moneyOf{}
	for _, o := range orders {
		m := moneyOf{ShippingCredited: o.ShippingCredited, ShippingRefunded: o.ShippingRefunded}
		for _, l := range o.Lines {
			m.Credited, m.Refunded = m.Credited+l.Credited, m.Refunded+l.Refunded
		}
		for _, r := range o.Refunds {
			f := refundOf{r.Cause, string(r.Status), r.Amount, r.Shipping, r.Excess, 0}
			for _, l := range r.Lines {
				f.Lines += l.Amount
			}
			m.Refunds = append(m.Refunds, f)
		}
		found[o.ExternalID] = m
	}
	return found
}

// everything is each table's rows, less the history of balances, which is never taken back.
func everything(t *testing.T, s *Store) map[string][]string {
	t.Helper()
	var tables []string
	require.NoError(t, s.db.SelectContext(t.Context(), &tables, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'
		AND tablename NOT IN ('goose_db_version', 'money_ledger') ORDER BY tablename`))
	rows := map[string][]string{}
	for _, name := range tables {
		rows[name] = rowsOf(t, s.db, `SELECT row_to_json(t)::text FROM (SELECT * FROM `+name+`) t ORDER BY 1`)
	}
	rows["money_ledger"] = rowsOf(t, s.db, `SELECT payment_id || ' ' || account || ' ' || sum(amount) FROM money_ledger GROUP BY payment_id, account HAVING sum(amount) <> 0 ORDER BY 1`)
	return rows
}

func rowsOf(t *testing.T, db *sqlx.DB, query string) (found []string) {
	t.Helper()
	require.NoError(t, db.SelectContext(t.Context(), &found, query))
	return found
}
