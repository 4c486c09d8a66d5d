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
			FROM operations o JOIN payments p ON p.id = o.payment_id WHERE p.gateway = 'sandbox' AND o.code <> 'settled_elsewhere') o
		FULL JOIN sandbox.payment_ledger l ON l.key = o.key
		WHERE (o.order_id, o.kind, o.amount, o.applied, o.reference, o.state)
			IS DISTINCT FROM (l.order_id, l.kind, l.requested_amount, l.amount, l.reference,
				CASE l.outcome WHEN 'succeeded' THEN 'succeeded' ELSE 'refused' END)
			AND NOT (l.key IS NULL AND o.state = 'abandoned' AND o.applied = 0)`,
	"a hold of which the gateway and our balances say different things": `
		SELECT COALESCE(p.reference, a.reference), p.authorized, a.authorized, p.captured, a.captured, p.voided, a.voided,
			p.refunded, a.refunded
		FROM (SELECT reference, currency, authorized, captured, voided, refunded - (SELECT COALESCE(sum(applied), 0) FROM operations
				WHERE payment_id = payments.id AND code = 'settled_elsewhere') AS refunded FROM payments
			WHERE gateway = 'sandbox' AND authorized > 0) p
		FULL JOIN sandbox.authorizations a ON a.reference = p.reference
		WHERE (p.currency, p.authorized, p.captured, p.voided, p.refunded)
			IS DISTINCT FROM (a.currency, a.authorized, a.captured, a.voided, a.refunded)`,
	"a label of which the carrier's ledger tells otherwise": `
		SELECT COALESCE(o.key, l.key), o.state, l.outcome
		FROM (SELECT key, order_id, kind, shipment_id || return_id AS shipment_id, state FROM operations WHERE payment_id = '') o
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
		WHERE o.settled AND (p.authorized <> p.captured + p.voided + p.expired OR p.capturing <> 0
			OR o.status <> 'completed' AND p.captured <> p.refunded)`,
	"a parcel that left without its money": `
		SELECT s.id, s.amount FROM shipments s WHERE s.handed_over_at IS NOT NULL AND s.amount > 0
			AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = s.order_id AND p.gateway <> 'sandbox') AND NOT EXISTS (
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
		WHERE o.settled AND p.return_id = '' AND p.state IN ('pending', 'unknown')`,
	"something left to be done for a settled return": `
		SELECT p.key, p.state FROM operations p JOIN returns r ON r.id = p.return_id
		WHERE r.settled AND p.state IN ('pending', 'unknown')`,
	"a settled order that is held, or waits for stock": `
		SELECT o.id, l.backordered, o.grantable FROM orders o JOIN order_lines l ON l.order_id = o.id
		WHERE o.settled AND (l.backordered <> 0 OR o.grantable
			OR EXISTS (SELECT 1 FROM order_holds h WHERE h.order_id = o.id AND h.released_at IS NULL))`,
	"a customer who paid something other than what he owes": `
		SELECT o.id, o.total, c.credited, f.fees, p.paid FROM orders o
		CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS credited FROM credits WHERE order_id = o.id) c
		CROSS JOIN LATERAL (SELECT COALESCE(sum(fee_charged), 0) AS fees FROM returns WHERE order_id = o.id) f
		CROSS JOIN LATERAL (SELECT COALESCE(sum(captured - refunded), 0) AS paid FROM payments WHERE order_id = o.id) p
		WHERE o.settled AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = o.id AND r.status <> 'succeeded')
			AND p.paid <> o.total - c.credited + f.fees`,
	"credits that are not what the line and the order say, or are more than was charged": `
		SELECT l.id, l.credited, c.credited, w.worth FROM order_lines l
		CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS credited FROM credits WHERE line_id = l.id) c
		CROSS JOIN LATERAL (SELECT sum(quantity * (price - discount + tax)) AS worth FROM line_units WHERE line_id = l.id) w
		WHERE l.credited <> c.credited OR l.credited > w.worth
		UNION ALL SELECT o.id, o.shipping_credited, c.credited, o.shipping_amount FROM orders o
		CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS credited FROM credits WHERE order_id = o.id AND cause = 'shipping') c
		WHERE o.shipping_credited <> c.credited OR c.credited > o.shipping_amount + o.shipping_tax`,
	"a refund that is not the sum of its parts, or was not done exactly once": `
		SELECT r.id, r.status, r.amount, l.amount, op.done, op.applied FROM refunds r
		CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS amount FROM refund_lines WHERE refund_id = r.id) l
		CROSS JOIN LATERAL (SELECT count(*) AS done, COALESCE(sum(applied), 0) AS applied FROM operations
			WHERE refund_id = r.id AND state = 'succeeded') op
		WHERE r.amount <> l.amount + r.shipping + r.excess
			OR op.done <> CASE r.status WHEN 'succeeded' THEN 1 ELSE 0 END
			OR op.applied <> CASE r.status WHEN 'succeeded' THEN r.amount ELSE 0 END`,
	"refunds that the payment, the line or the order does not know": `
		SELECT p.id, p.refunded, p.refunding FROM payments p
		CROSS JOIN LATERAL (SELECT COALESCE(sum(amount) FILTER (WHERE status = 'succeeded'), 0) AS done,
			COALESCE(sum(amount) FILTER (WHERE status <> 'succeeded'), 0) AS open FROM refunds WHERE payment_id = p.id) r
		WHERE p.refunded <> r.done OR p.refunding <> r.open
		UNION ALL SELECT l.id, l.refunded, r.amount FROM order_lines l
		CROSS JOIN LATERAL (SELECT COALESCE(sum(amount), 0) AS amount FROM refund_lines WHERE line_id = l.id) r
		WHERE l.refunded <> r.amount OR l.refunded > l.credited
		UNION ALL SELECT o.id, o.shipping_refunded, r.shipping FROM orders o
		CROSS JOIN LATERAL (SELECT COALESCE(sum(shipping), 0) AS shipping FROM refunds WHERE order_id = o.id) r
		WHERE o.shipping_refunded <> r.shipping OR o.shipping_refunded > o.shipping_credited`,
	"a unit that is in two returns, or in one and never arrived": `
		SELECT a.line_id, a.return_id, b.return_id FROM return_lines a
		JOIN return_lines b ON b.line_id = a.line_id AND (b.return_id, b.first_unit) > (a.return_id, a.first_unit)
			AND a.first_unit < b.first_unit + b.quantity AND b.first_unit < a.first_unit + a.quantity
		JOIN returns r ON r.id = a.return_id JOIN returns s ON s.id = b.return_id
		WHERE r.status NOT IN ('declined', 'cancelled', 'expired') AND s.status NOT IN ('declined', 'cancelled', 'expired')
		UNION ALL SELECT l.id, l.return_requested::text, l.delivered::text FROM order_lines l
		WHERE l.return_requested > l.delivered + l.undelivered OR l.returned + l.dismissed > l.return_requested`,
	"returned units that the line counts otherwise": `
		SELECT l.id, l.return_requested, r.quantity, l.returned, r.received, l.dismissed, r.dismissed FROM order_lines l
		CROSS JOIN LATERAL (SELECT COALESCE(sum(x.quantity), 0) AS quantity, COALESCE(sum(x.received), 0) AS received,
			COALESCE(sum(x.dismissed), 0) AS dismissed FROM return_lines x JOIN returns r ON r.id = x.return_id
			WHERE x.line_id = l.id AND r.status NOT IN ('declined', 'cancelled', 'expired')) r
		WHERE (l.return_requested, l.returned, l.dismissed) IS DISTINCT FROM (r.quantity, r.received, r.dismissed)`,
	"units that were graded and did not come, or came and are in no stock": `
		SELECT x.return_id, x.received, x.inspected, i.graded, s.booked FROM (SELECT return_id, sum(received) AS received,
			sum(inspected) AS inspected FROM return_lines GROUP BY 1) x
		CROSS JOIN LATERAL (SELECT COALESCE(sum(quantity), 0) AS graded FROM return_inspections WHERE return_id = x.return_id) i
		CROSS JOIN LATERAL (SELECT COALESCE(sum(quantity), 0) AS booked FROM stock_ledger
			WHERE return_id = x.return_id AND kind = 'return_receipt') s
		CROSS JOIN LATERAL (SELECT COALESCE(sum(quantity), 0) AS more FROM return_unexpected WHERE return_id = x.return_id) u
		WHERE x.inspected <> i.graded OR x.inspected > x.received OR s.booked <> x.received + u.more`,
	"a return that ended with a label that nobody uses": `
		SELECT r.id, r.status, count(l.reference) FROM returns r
		JOIN sandbox.labels l ON l.shipment_id = r.id AND l.voided_at IS NULL
		WHERE r.settled AND r.tracking_status = 'pending' AND r.status IN ('declined', 'cancelled', 'expired')
			AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.return_id = r.id AND o.state = 'refused' AND o.kind = 'void_label')
		GROUP BY r.id, r.status`,
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
	db := a.database()
	defer db.Close()
	for wrong, query := range wrongs {
		require.Empty(a.t, a.ask(db, query), wrong)
	}
}

// query is what a question to the database selects, one line per row. It goes by a connection of the test's own.
func (a *app) query(query string, args ...any) []string {
	a.t.Helper()
	db := a.database()
	defer db.Close()
	return a.ask(db, query, args...)
}

func (a *app) database() *sql.DB {
	a.t.Helper()
	db, err := sql.Open("postgres", a.options.DatabaseURL)
	require.NoError(a.t, err)
	return db
}

func (a *app) ask(db *sql.DB, query string, args ...any) []string {
	a.t.Helper()
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
