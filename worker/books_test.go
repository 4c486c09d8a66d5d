package worker_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/store/verify"
)

// wrongs are questions to which there must be no answer, once nothing is under way. The sandbox's own books are the
// second witness of what was done to money and labels.
var wrongs = map[string]string{
	"a payment operation that the gateway's ledger tells otherwise": `
		SELECT COALESCE(o.key, l.key), o.state, l.outcome, o.amount, l.requested_amount, o.applied, l.amount
		FROM (SELECT o.key, o.order_id, o.kind, o.state, o.amount, o.applied, o.reference
			FROM operations o JOIN payments p ON p.id = o.payment_id WHERE p.gateway = 'sandbox') o
		FULL JOIN sandbox.payment_ledger l ON l.key = o.key
		WHERE (o.order_id, o.kind, o.amount, o.applied, o.reference, o.state)
			IS DISTINCT FROM (l.order_id, l.kind, l.requested_amount, l.amount, l.reference,
				CASE l.outcome WHEN 'succeeded' THEN 'succeeded' ELSE 'refused' END)
			AND NOT (l.key IS NULL AND o.state = 'abandoned' AND o.applied = 0)`,
	"a hold of which the gateway and our balances say different things": `
		SELECT COALESCE(p.reference, a.reference), p.authorized, a.authorized, p.captured, a.captured, p.voided, a.voided,
			p.refunded, a.refunded
		FROM (SELECT reference, currency, authorized, captured, voided, refunded FROM payments
			WHERE gateway = 'sandbox' AND authorized > 0) p
		FULL JOIN sandbox.authorizations a ON a.reference = p.reference
		WHERE (p.currency, p.authorized, p.captured, p.voided, p.refunded)
			IS DISTINCT FROM (a.currency, a.authorized, a.captured, a.voided, a.refunded)`,
	"a label of which the carrier's ledger tells otherwise": `
		SELECT COALESCE(o.key, l.key), o.state, l.outcome
		FROM (SELECT key, order_id, kind, shipment_id, state FROM operations WHERE payment_id = '') o
		FULL JOIN sandbox.carrier_ledger l ON l.key = o.key
		WHERE (o.order_id, o.kind, o.shipment_id, o.state) IS DISTINCT FROM (l.order_id, l.kind, l.shipment_id, l.outcome)`,
	"a parcel without exactly one label that counts": `
		SELECT s.id, s.status, count(l.reference)
		FROM shipments s LEFT JOIN sandbox.labels l ON l.shipment_id = s.id AND l.voided_at IS NULL
		GROUP BY s.id HAVING count(l.reference) <> CASE WHEN s.status = 'cancelled' THEN 0 ELSE 1 END
			AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.shipment_id = s.id AND o.state = 'refused' AND o.kind = 'void_label')`,
	"a balance that is not the sum of its ledger": `
		SELECT p.id, a.account, a.balance, COALESCE(l.sum, 0)
		FROM payments p
		CROSS JOIN LATERAL (VALUES ('authorized', p.authorized), ('capturing', p.capturing), ('captured', p.captured),
			('voided', p.voided), ('expired', p.expired), ('refunding', p.refunding), ('refunded', p.refunded)) a (account, balance)
		LEFT JOIN (SELECT payment_id, account, sum(amount) FROM money_ledger GROUP BY 1, 2) l
			ON l.payment_id = p.id AND l.account = a.account
		WHERE a.balance <> COALESCE(l.sum, 0)`,
	"captures above what was authorized": `
		SELECT p.id, p.authorized, sum(o.amount) FROM payments p JOIN operations o ON o.payment_id = p.id
		WHERE o.kind = 'capture' AND o.state IN ('pending', 'unknown', 'succeeded')
		GROUP BY p.id HAVING sum(o.amount) > p.authorized`,
	"money that a final order still holds": `
		SELECT o.id, o.status, p.authorized, p.captured, p.voided, p.refunded FROM orders o JOIN payments p ON p.order_id = o.id
		WHERE o.settled AND (p.authorized <> p.captured + p.voided + p.expired OR p.capturing + p.refunding <> 0
			OR o.status <> 'completed' AND p.captured <> p.refunded)`,
	"a parcel that left without its money": `
		SELECT s.id, s.amount FROM shipments s WHERE s.handed_over_at IS NOT NULL AND NOT EXISTS (
			SELECT 1 FROM operations o WHERE o.shipment_id = s.id AND o.kind = 'capture' AND o.state = 'succeeded' AND o.applied = s.amount)`,
	"a level that is not the sum of its ledger": `
		SELECT COALESCE(v.sku, l.sku), v.on_hand, l.on_hand, v.committed, l.committed
		FROM stock_levels v FULL JOIN (SELECT sku, location_id, sum(on_hand) AS on_hand, sum(committed) AS committed,
			sum(unavailable) AS unavailable FROM stock_ledger GROUP BY 1, 2) l ON l.sku = v.sku AND l.location_id = v.location_id
		WHERE (v.on_hand, v.committed, v.unavailable) IS DISTINCT FROM (l.on_hand, l.committed, l.unavailable)`,
	"committed units that no order holds, or the reverse": `
		SELECT v.sku, v.committed, COALESCE(a.live, 0)
		FROM stock_levels v LEFT JOIN (SELECT sku, location_id, sum(quantity - released - consumed) AS live
			FROM allocations GROUP BY 1, 2) a ON a.sku = v.sku AND a.location_id = v.location_id
		WHERE v.committed <> COALESCE(a.live, 0)`,
	"units that are counted twice or not at all": `
		SELECT l.id, l.quantity, l.cancelled, l.shipped FROM order_lines l JOIN orders o ON o.id = l.order_id
		WHERE o.settled AND l.cancelled + l.shipped <> l.quantity`,
	"units that a final order still holds": `
		SELECT a.id, o.status FROM allocations a JOIN orders o ON o.id = a.order_id
		WHERE o.settled AND a.released + a.consumed <> a.quantity`,
	"a timeline with a gap": `
		SELECT o.id, o.sequence, count(e.sequence), max(e.sequence) FROM orders o LEFT JOIN events e ON e.order_id = o.id
		GROUP BY o.id HAVING count(e.sequence) <> o.sequence OR max(e.sequence) IS DISTINCT FROM o.sequence`,
	"something left to be done for a settled order": `
		SELECT p.key, p.state FROM operations p JOIN orders o ON o.id = p.order_id
		WHERE o.settled AND p.state IN ('pending', 'unknown')`,
}

// books asserts that all books agree: by the product's own verifier, and by questions that do not believe it.
func (a *app) books() {
	a.t.Helper()
	findings, err := verify.Run(a.t.Context(), verify.Options{DatabaseURL: a.options.DatabaseURL, Temporal: a.client,
		TaskQueue: a.options.TaskQueue})
	require.NoError(a.t, err)
	for _, f := range findings {
		require.True(a.t, f.Holds(), "%s %s %s %v", f.ID, f.Protects, f.NotChecked, f.Violations)
	}
	for wrong, query := range wrongs {
		require.Empty(a.t, a.query(query), wrong)
	}
}

// query is what a question to the database selects, one line per row. It goes by a connection of the test's own.
func (a *app) query(query string, args ...any) []string {
	a.t.Helper()
	db, err := sql.Open("postgres", a.options.DatabaseURL)
	require.NoError(a.t, err)
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), query, args...)
	require.NoError(a.t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(a.t, err)
	var lines []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(a.t, rows.Scan(into...))
		line := make([]string, len(values))
		for i, v := range values {
			if text, ok := v.([]byte); ok {
				v = string(text)
			}
			line[i] = fmt.Sprint(v)
		}
		lines = append(lines, strings.Join(line, " "))
	}
	require.NoError(a.t, rows.Err())
	return lines
}
