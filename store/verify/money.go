package verify

// money lists the invariants of money. Amounts are minor units of the order's currency.
func money() []promise {
	return []promise{
		{id: "V-M1", protects: "Nobody is charged more than was authorized: what was taken, is being taken or was let go of fits into each authorization.", sql: capturesWithinAuthorized},
		{id: "V-M2", protects: "Nobody is paid back more than was taken: refunds that were given, are under way or were refused and are still owed fit into what each payment captured.", sql: refundsWithinCaptured},
		{id: "V-M3", protects: "A customer's money is not held for nothing: no authorization is open on an order that has ended, or past its expiry.", sql: holdsLetGo},
		{id: "V-M4", protects: "A parcel is charged once: at most one of its captures stands or may still stand.", sql: oneCapturePerShipment},
		{id: "V-M5", protects: "Money is given back once: of each refund at most one request stands or may still stand.", sql: oneRefundPerRequest},
		{id: "V-M6", protects: "Our books are true: every operation that we call terminal is in the gateway's and the carrier's own ledger with the same outcome and amount, and nothing else is.", check: checkWitness},
		{id: "V-M7", protects: "Asking again costs nobody anything: the gateway and the carrier applied each operation once.", check: checkAppliedOnce},
		{id: "V-M8", protects: "No doubt about money is left to itself: an operation that was never sent, or whose outcome is unknown, for over 15 minutes has called for an operator, on its order or on its return.", sql: doubtsAreShown},
		{id: "V-M9", protects: "Amounts mean what they say: an order is paid in one currency, and every amount that moves is above zero.", sql: oneCurrency},
		{id: "V-M10", protects: "Nothing leaves unpaid: the money for every parcel that was handed over was captured and is still ours, at the stored value of its units, less what was credited for them, with the fees of returns.", sql: shippedIsCaptured},
		{id: "V-M11", protects: "Nobody pays for nothing: of an order that ended without shipping anything, everything captured was given back.", sql: cancelledIsRefunded},
		{id: "V-M12", protects: "Every balance has its history: the money ledger adds up to the balances, and to the operations that moved them.", sql: moneyLedgerAddsUp},
		{id: "V-M13", protects: "No unit is credited beyond its worth: what the customer no longer owes of a line is what its credits add up to, and per unit never more than it was sold for.", sql: creditsWithinWorth},
		{id: "V-M14", protects: "Nothing is credited for nothing: units in a parcel that was lost, units of a return that were graded or need not come, and shipping of which nothing arrived.", sql: creditsHaveReasons},
		{id: "V-M15", protects: "Refunds add up: each is its lines, shipping and excess, and what is given back of a line, or of the shipping, fits into what was credited of it.", sql: refundsAddUp},
		{id: "V-M16", protects: "Nobody is told of money that he did not get: a refund has succeeded when its gateway has, and any other is under way, tried again or with an operator.", sql: refundsAreTrue},
		{id: "V-M17", protects: "Nobody is paid back for what he keeps: the refunds of an order fit into what its units that were cancelled, lost or returned are worth, the shipping, and what was never owed.", sql: refundsWithinGone},
	}
}

const capturesWithinAuthorized = `
SELECT p.id AS subject, format('order %s: %s captured or being captured, %s let go of, where %s was authorized',
	p.order_id, greatest(coalesce(c.taken, 0), p.capturing + p.captured), p.voided + p.expired, p.authorized) AS detail,
	'' AS excuse
FROM payments p
LEFT JOIN (
	SELECT payment_id, sum(CASE WHEN state = 'succeeded' THEN applied ELSE amount END) AS taken
	FROM operations WHERE kind = 'capture' AND (state IN {open} OR state = 'succeeded') GROUP BY payment_id
) c ON c.payment_id = p.id
WHERE greatest(coalesce(c.taken, 0), p.capturing + p.captured) + p.voided + p.expired > p.authorized`

// A refund reserves its amount until its gateway has done it, also while it is refused.
const refundsWithinCaptured = `
SELECT p.id AS subject, format('order %s: %s given back or to be given back, where %s was captured',
	p.order_id, greatest(coalesce(r.given, 0), p.refunding + p.refunded), p.captured) AS detail, '' AS excuse
FROM payments p
LEFT JOIN (
	SELECT r.payment_id, sum(coalesce(op.applied, r.amount)) AS given
	FROM refunds r LEFT JOIN operations op ON op.refund_id = r.id AND op.state = 'succeeded' GROUP BY r.payment_id
) r ON r.payment_id = p.id
WHERE greatest(coalesce(r.given, 0), p.refunding + p.refunded) > p.captured`

// What is being captured still counts as held: on an order that has ended nobody may be capturing. A lapsed hold is
// written off by the run at its deadline, which may take it a quarter of an hour on a bad day.
const holdsLetGo = `
SELECT p.id AS subject, format('order %s is %s: %s is still held%s', p.order_id, o.status,
	p.authorized - p.captured - p.voided - p.expired,
	CASE WHEN p.capture_before < clock.now THEN format(', and lapsed at %s', to_char(p.capture_before, 'YYYY-MM-DD HH24:MI')) ELSE '' END) AS detail,
	CASE
		WHEN EXISTS (SELECT 1 FROM operations op WHERE op.payment_id = p.id AND op.kind IN ('void', 'capture') AND op.state IN {open}) THEN 'in_flight'
		WHEN o.attention_code <> '' THEN 'attention'
		WHEN EXISTS (SELECT 1 FROM operations op WHERE op.payment_id = p.id AND op.kind = 'void' AND op.state = 'refused' AND op.retry_at > clock.now - interval '10 minutes') THEN 'in_flight'
		ELSE ''
	END AS excuse
FROM payments p JOIN orders o ON o.id = p.order_id CROSS JOIN clock
WHERE p.authorized - p.captured - p.voided - p.expired > 0
	AND (o.status IN {final} OR p.capture_before < clock.now - interval '15 minutes')`

const oneCapturePerShipment = `
SELECT shipment_id AS subject, format('order %s: %s captures stand: %s', min(order_id), count(*), string_agg(key, ', ' ORDER BY key)) AS detail, '' AS excuse
FROM operations
WHERE kind = 'capture' AND (state IN {open} OR state = 'succeeded')
GROUP BY shipment_id HAVING count(*) > 1`

const oneRefundPerRequest = `
SELECT refund_id AS subject, format('order %s: %s requests stand: %s', min(order_id), count(*), string_agg(key, ', ' ORDER BY key)) AS detail, '' AS excuse
FROM operations
WHERE kind = 'refund' AND (state IN {open} OR state = 'succeeded')
GROUP BY refund_id HAVING count(*) > 1`

// Who resumes an order, or a return, takes the call back; the next attempt, a minute later at most, calls again.
const doubtsAreShown = `
SELECT op.key AS subject, format('order %s: %s since %s, and nobody was called', op.order_id, op.state, to_char(op.created_at, 'YYYY-MM-DD HH24:MI')) AS detail,
	CASE
		WHEN coalesce(r.attention_code, o.attention_code) <> '' THEN 'attention'
		WHEN op.created_at >= clock.now - interval '15 minutes' THEN 'in_flight'
		WHEN EXISTS (SELECT 1 FROM events e WHERE e.order_id = o.id AND e.return_id = op.return_id AND e.type IN ('order.attention_cleared', 'return.attention_cleared') AND e.at > clock.now - interval '5 minutes') THEN 'in_flight'
		ELSE ''
	END AS excuse
FROM operations op JOIN orders o ON o.id = op.order_id LEFT JOIN returns r ON r.id = op.return_id CROSS JOIN clock
WHERE op.state IN {open}`

// What is reserved (capturing, refunding) goes up and down; every other account only grows.
const oneCurrency = `
SELECT p.id AS subject, format('order %s is in %s, its payment in %s', o.id, o.currency, p.currency) AS detail, '' AS excuse
FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.currency <> o.currency
UNION ALL
SELECT p.id, format('order %s: a payment of %s', p.order_id, p.amount), '' FROM payments p WHERE p.amount <= 0
UNION ALL
SELECT op.key, format('order %s: asked for %s, and %s was done', op.order_id, op.amount, op.applied), ''
FROM operations op
WHERE op.kind IN ('authorize', 'capture', 'void', 'refund')
	AND (op.amount <= 0 OR op.applied < 0 OR op.state = 'succeeded' AND op.applied = 0)
UNION ALL
SELECT l.payment_id, format('order %s: row %s of the ledger has %s %s', l.order_id, l.id, l.account, l.amount), ''
FROM money_ledger l WHERE l.amount <= 0 AND l.account NOT IN ('capturing', 'refunding')`

// The worth of a parcel is added up from the stored units, not read from what the parcel says of itself. What was
// credited for units that left is not owed for them any more, nor is shipping once it left. Where an order was taken
// in although its own total is less than its units, the customer owes the total.
const shippedIsCaptured = `
WITH worth AS (
	SELECT s.id, s.order_id, s.amount, s.handed_over_at IS NOT NULL AS left_us, s.carries_shipping,
		coalesce(u.units, 0) + CASE WHEN NOT s.carries_shipping THEN 0
			WHEN o.prices_include_tax THEN o.shipping_amount ELSE o.shipping_amount + o.shipping_tax END AS worth
	FROM shipments s JOIN orders o ON o.id = s.order_id
	LEFT JOIN (
		SELECT l.shipment_id, sum((least(l.first_unit + l.quantity, b.first_unit + b.quantity) - greatest(l.first_unit, b.first_unit))
			* CAST(b.price - b.discount + CASE WHEN o.prices_include_tax THEN 0 ELSE b.tax END AS numeric)) AS units
		FROM shipment_lines l JOIN orders o ON o.id = l.order_id
		JOIN line_units b ON b.line_id = l.line_id AND b.first_unit < l.first_unit + l.quantity AND l.first_unit < b.first_unit + b.quantity
		GROUP BY l.shipment_id
	) u ON u.shipment_id = s.id
), left_us AS (
	SELECT order_id, sum(worth) AS worth, bool_or(carries_shipping) AS shipping FROM worth WHERE left_us GROUP BY order_id
), credited AS (
	SELECT order_id, coalesce(sum(amount) FILTER (WHERE cause IN ('lost', 'returned')), 0) AS units,
		coalesce(sum(amount) FILTER (WHERE cause = 'shipping'), 0) AS shipping FROM credits GROUP BY order_id
), fees AS (
	SELECT order_id, sum(fee_charged) AS fees FROM returns GROUP BY order_id
), kept AS (
	SELECT order_id, sum(captured - refunding - refunded) AS kept FROM payments GROUP BY order_id
), too_little AS (
	SELECT o.id AS order_id, sum(CAST(b.quantity AS numeric) * (b.price - b.discount + CASE WHEN o.prices_include_tax THEN 0 ELSE b.tax END))
		+ o.shipping_amount + CASE WHEN o.prices_include_tax THEN 0 ELSE o.shipping_tax END - o.total AS amount
	FROM orders o JOIN line_units b ON b.order_id = o.id
	WHERE EXISTS (SELECT 1 FROM order_holds h WHERE h.order_id = o.id AND h.reason = 'totals_differ') GROUP BY o.id
), accounts AS (
	SELECT l.order_id, l.worth, coalesce(c.units, 0) + CASE WHEN l.shipping THEN coalesce(c.shipping, 0) ELSE 0 END AS credited,
		coalesce(f.fees, 0) AS fees, coalesce(k.kept, 0) AS kept, greatest(coalesce(t.amount, 0), 0) AS too_little
	FROM left_us l LEFT JOIN credited c ON c.order_id = l.order_id LEFT JOIN fees f ON f.order_id = l.order_id
	LEFT JOIN kept k ON k.order_id = l.order_id LEFT JOIN too_little t ON t.order_id = l.order_id
)
SELECT order_id AS subject, format('parcels worth %s were handed over, %s of it was credited, fees are %s, and %s was captured and kept', worth, credited, fees, kept) AS detail, '' AS excuse
FROM accounts WHERE worth - credited + fees - too_little > kept
UNION ALL
SELECT w.id, format('order %s: the parcel is charged %s, its units are worth %s', w.order_id, w.amount, w.worth), ''
FROM worth w WHERE w.amount <> w.worth`

const cancelledIsRefunded = `
SELECT p.id AS subject, format('order %s is %s: %s captured, %s given back', p.order_id, o.status, p.captured, p.refunded) AS detail,
	CASE
		WHEN EXISTS (SELECT 1 FROM operations op WHERE op.payment_id = p.id AND op.kind = 'refund' AND op.state IN {open}) THEN 'in_flight'
		WHEN o.attention_code <> '' THEN 'attention'
		WHEN EXISTS (SELECT 1 FROM operations op WHERE op.payment_id = p.id AND op.kind = 'refund' AND op.state = 'refused' AND op.retry_at > clock.now - interval '10 minutes') THEN 'in_flight'
		ELSE ''
	END AS excuse
FROM payments p JOIN orders o ON o.id = p.order_id CROSS JOIN clock
WHERE o.status IN ('cancelled', 'rejected', 'expired') AND p.captured <> p.refunded`

// Ledger to balances, and ledger to operations and refunds: what a refund reserves goes through all the epochs of its
// key. Where a gateway did more than it was asked, or let go of something else, the books take what fits, and an
// operator was called then.
const moneyLedgerAddsUp = `
WITH balances AS (
	SELECT p.id AS payment_id, p.order_id, b.account, b.amount
	FROM payments p CROSS JOIN LATERAL (VALUES ('authorized', p.authorized), ('capturing', p.capturing), ('captured', p.captured),
		('voided', p.voided), ('expired', p.expired), ('refunding', p.refunding), ('refunded', p.refunded)) AS b (account, amount)
), sums AS (
	SELECT payment_id, order_id, account, sum(amount) AS amount FROM money_ledger GROUP BY payment_id, order_id, account
), posted AS (
	SELECT operation_key, account, sum(amount) AS amount FROM money_ledger WHERE operation_key <> '' GROUP BY operation_key, account
), expected AS (
	SELECT op.key, op.order_id, k.account, CASE WHEN op.state = 'succeeded' THEN op.applied ELSE 0 END AS amount
	FROM operations op
	JOIN (VALUES ('authorize', 'authorized'), ('capture', 'captured'), ('void', 'voided'), ('refund', 'refunded')) AS k (kind, account) ON k.kind = op.kind
	WHERE op.state <> 'succeeded' OR op.applied = op.amount OR op.applied < op.amount AND op.kind <> 'void'
	UNION ALL
	SELECT op.key, op.order_id, 'capturing', CASE WHEN op.state IN {open} THEN op.amount ELSE 0 END
	FROM operations op WHERE op.kind = 'capture'
), reserved AS (
	SELECT op.refund_id, sum(p.amount) AS amount FROM operations op JOIN posted p ON p.operation_key = op.key AND p.account = 'refunding'
	WHERE op.kind = 'refund' GROUP BY op.refund_id
)
SELECT coalesce(b.payment_id, s.payment_id) AS subject, format('order %s: %s is %s, and its ledger says %s', coalesce(b.order_id, s.order_id),
	coalesce(b.account, s.account), coalesce(CAST(b.amount AS text), 'of another order'), coalesce(s.amount, 0)) AS detail, '' AS excuse
FROM balances b FULL JOIN sums s ON s.payment_id = b.payment_id AND s.order_id = b.order_id AND s.account = b.account
WHERE coalesce(b.amount, 0) <> coalesce(s.amount, 0)
UNION ALL
SELECT e.key, format('order %s: by its operation %s %s, by its ledger %s', e.order_id, e.account, e.amount, coalesce(l.amount, 0)), ''
FROM expected e LEFT JOIN posted l ON l.operation_key = e.key AND l.account = e.account
WHERE e.amount <> coalesce(l.amount, 0)
UNION ALL
SELECT r.id, format('order %s: the refund of %s is %s, and by its ledger %s is reserved for it', r.order_id, r.amount, r.status, coalesce(v.amount, 0)), ''
FROM refunds r LEFT JOIN reserved v ON v.refund_id = r.id
WHERE coalesce(v.amount, 0) <> CASE WHEN r.status = 'succeeded' THEN 0 ELSE r.amount END
UNION ALL
SELECT l.operation_key, format('the ledger has %s %s of an operation that does not exist', l.account, l.amount), ''
FROM posted l WHERE NOT EXISTS (SELECT 1 FROM operations op WHERE op.key = l.operation_key)`
