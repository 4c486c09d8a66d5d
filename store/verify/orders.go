package verify

// orders lists the invariants of orders and their history.
func orders() []promise {
	return []promise{
		{id: "V-O1", protects: "Nothing that was answered is lost: whatever a client was told is done is there, under the key that it was asked with.", log: clientLog, check: checkAnswers},
		{id: "V-O2", protects: "Sending an order twice makes one order: every idempotency key, and every external id within its channel, has one.", sql: oneOrderPerKey},
		{id: "V-O3", protects: "No order is forgotten: ten minutes after its last change it has ended, or shows on whom or what it waits, and that is true.", sql: endedOrWaiting},
		{id: "V-O4", protects: "Every order's history can be believed: it begins with its receipt, has no gaps, and only takes steps that its life cycle allows.", sql: historyIsLegal},
		{id: "V-O5", protects: "An order is what its history says: its status is the one after its last event.", sql: statusIsHistory},
		{id: "V-O6", protects: "The customer pays what was agreed: an order's total is its stored units plus shipping, and its units split its lines exactly.", sql: totalAddsUp},
		{id: "V-O7", protects: "No hold is forgotten: ten minutes after its deadline it has done what it says, or called for an operator.", sql: holdsLapse},
		{id: "V-O8", protects: "Nobody waits for what nobody decided: within ten minutes units that a picker did not find are had from elsewhere, promised, or cancelled.", sql: shortPicksDecided},
	}
}

const oneOrderPerKey = `
SELECT min(id) AS subject, format('%s orders under the idempotency key %s', count(*), idempotency_key) AS detail, '' AS excuse
FROM orders GROUP BY idempotency_key HAVING count(*) > 1
UNION ALL
SELECT min(id), format('%s orders with the external id %s in the channel %s', count(*), external_id, channel), ''
FROM orders GROUP BY channel, external_id HAVING count(*) > 1`

// A time that has passed is no reason to wait, but for a promise that was broken and an operator heard of it; nor is a
// reason that the facts belie. One that has ended waits for nothing, but for the time at which something refused is
// asked for again. Stock is a reason for units that an accepted order waits for; that of an order which was not
// decided yet is ours to do.
const endedOrWaiting = `
SELECT o.id AS subject, format('the order is %s and settled, and operations of it are open', o.status) AS detail, '' AS excuse
FROM orders o WHERE o.settled AND o.id IN (SELECT order_id FROM operations WHERE state IN {open} AND return_id = '')
UNION ALL
SELECT o.id, CASE
	WHEN is_true.asleep THEN format('%s, and something was to happen at %s', o.status, to_char(o.deadline, 'YYYY-MM-DD HH24:MI'))
	WHEN o.waiting_for = '' THEN format('%s, and nothing says on what it waits', o.status)
	WHEN o.waiting_for = 'stock' AND o.status = 'received' THEN format('%s, and nobody decided its stock', o.status)
	WHEN is_true.overdue THEN format('%s, and it was to wait for %s until %s', o.status, o.waiting_for, to_char(o.waiting_until, 'YYYY-MM-DD HH24:MI'))
	ELSE format('%s, and it does not wait for %s as it says', o.status, o.waiting_for) END, ''
FROM orders o CROSS JOIN clock
CROSS JOIN LATERAL (
	SELECT EXISTS (SELECT 1 FROM operations op WHERE op.order_id = o.id AND op.return_id = '' AND op.state IN {open}) AS asking,
		EXISTS (SELECT 1 FROM order_holds h WHERE h.order_id = o.id AND h.released_at IS NULL) AS held,
		EXISTS (SELECT 1 FROM order_holds h WHERE h.order_id = o.id AND h.released_at IS NULL AND h.reason = 'awaiting_payment') AS unpaid,
		EXISTS (SELECT 1 FROM fulfillments f WHERE f.order_id = o.id AND f.status IN ('open', 'in_progress')) AS to_ship,
		EXISTS (SELECT 1 FROM shipments s WHERE s.order_id = o.id AND s.handed_over_at IS NOT NULL AND s.status <> 'delivered') AS under_way,
		o.status <> 'received' AND EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.id AND l.backordered > 0) AS short,
		o.status IN {final} AND o.deadline IS NOT NULL AS retrying,
		o.waiting_until < clock.now - interval '10 minutes' AND NOT (o.waiting_for = 'stock' AND o.promise_broken) AS overdue,
		o.deadline < clock.now - interval '10 minutes' AS asleep
) is_true
WHERE NOT o.settled AND o.attention_code = '' AND o.updated_at < clock.now - interval '10 minutes' AND (
	overdue OR asleep
	OR NOT CASE o.waiting_for WHEN 'gateway' THEN asking WHEN 'payment' THEN unpaid WHEN 'customer' THEN unpaid WHEN 'stock' THEN short
		WHEN 'operator' THEN held WHEN 'warehouse' THEN to_ship WHEN 'carrier' THEN under_way ELSE retrying END)`

// A hold that called for an operator has no deadline any more.
const holdsLapse = `
SELECT h.id AS subject, format('order %s: the hold %s was to %s at %s', h.order_id, h.reason, coalesce(nullif(h.on_deadline, ''), 'end'), to_char(h.deadline, 'YYYY-MM-DD HH24:MI')) AS detail,
	CASE WHEN h.deadline < clock.now - interval '10 minutes' THEN '' ELSE 'in_flight' END AS excuse
FROM order_holds h JOIN orders o ON o.id = h.order_id CROSS JOIN clock
WHERE h.released_at IS NULL AND h.deadline < clock.now
UNION ALL
SELECT h.id, format('order %s is %s, and the hold %s still stands', o.id, o.status, h.reason), ''
FROM order_holds h JOIN orders o ON o.id = h.order_id WHERE h.released_at IS NULL AND o.status IN {final}`

// While a hold keeps stock from the order there is nothing to decide.
const shortPicksDecided = `
SELECT p.id AS subject, format('order %s: %s of %s were not found at %s since %s, and nobody decided', p.order_id, p.quantity, p.sku, p.location_id, to_char(p.at, 'YYYY-MM-DD HH24:MI')) AS detail,
	CASE
		WHEN greatest(p.at, o.updated_at) > clock.now - interval '10 minutes' THEN 'in_flight'
		WHEN EXISTS (SELECT 1 FROM order_holds h WHERE h.order_id = o.id AND h.released_at IS NULL AND h.fulfillment_id = '' AND h.blocks ? 'release') THEN 'attention'
		WHEN o.attention_code <> '' THEN 'attention'
		ELSE ''
	END AS excuse
FROM short_picks p JOIN orders o ON o.id = p.order_id CROSS JOIN clock
WHERE NOT p.decided AND o.status NOT IN {final}`

const historyIsLegal = `
WITH history AS (
	SELECT order_id, sequence, type, status, lag(sequence) OVER before AS sequence_before, lag(status) OVER before AS status_before
	FROM events WINDOW before AS (PARTITION BY order_id ORDER BY sequence)
), lengths AS (
	SELECT order_id, max(sequence) AS last FROM events GROUP BY order_id
)
SELECT order_id AS subject, format('its history begins with event %s, %s, as %s', sequence, type, status) AS detail, '' AS excuse
FROM history WHERE sequence_before IS NULL AND NOT (sequence = 1 AND type = 'order.received' AND status = 'received')
UNION ALL
SELECT order_id, format('event %s follows event %s', sequence, sequence_before), ''
FROM history WHERE sequence <> sequence_before + 1
UNION ALL
SELECT order_id, format('event %s, %s: %s after %s', sequence, type, status, status_before), ''
FROM history WHERE status <> status_before AND status_before || '>' || status NOT IN {edges}
UNION ALL
SELECT o.id, format('the order is at event %s, and its history ends with event %s', o.sequence, coalesce(l.last, 0)), ''
FROM orders o LEFT JOIN lengths l ON l.order_id = o.id WHERE o.sequence <> coalesce(l.last, 0)`

const statusIsHistory = `
SELECT o.id AS subject, format('the order is %s, and its last event left it %s', o.status, coalesce(e.status, 'nowhere')) AS detail, '' AS excuse
FROM orders o
LEFT JOIN (SELECT DISTINCT ON (order_id) order_id, status FROM events ORDER BY order_id, sequence DESC) e ON e.order_id = o.id
WHERE o.status IS DISTINCT FROM e.status`

// An order that was taken in although its own totals do not foot has, or had, a hold that says so.
const totalAddsUp = `
WITH units AS (
	SELECT line_id, order_id, sum(quantity) AS quantity, min(first_unit) AS first, max(first_unit + quantity) AS last, min(price) AS price,
		max(price) AS price_max, sum(CAST(quantity AS numeric) * price) AS goods, sum(CAST(quantity AS numeric) * discount) AS discount,
		sum(CAST(quantity AS numeric) * tax) AS tax, sum(CAST(quantity AS numeric) * shipping) AS shipping, sum(CAST(quantity AS numeric) * shipping_tax) AS shipping_tax
	FROM line_units GROUP BY line_id, order_id
), sums AS (
	SELECT order_id, sum(goods) AS goods, sum(discount) AS discount, sum(tax) AS tax, sum(shipping) AS shipping, sum(shipping_tax) AS shipping_tax
	FROM units GROUP BY order_id
)
SELECT o.id AS subject, format('the total is %s; units of %s less %s, tax of %s and shipping of %s with a tax of %s do not come to that', o.total,
	coalesce(s.goods, 0), coalesce(s.discount, 0), coalesce(s.tax, 0), o.shipping_amount, o.shipping_tax) AS detail, '' AS excuse
FROM orders o LEFT JOIN sums s ON s.order_id = o.id
WHERE o.total <> coalesce(s.goods, 0) - coalesce(s.discount, 0) + o.shipping_amount
		+ CASE WHEN o.prices_include_tax THEN 0 ELSE coalesce(s.tax, 0) + o.shipping_tax END
	AND NOT EXISTS (SELECT 1 FROM order_holds h WHERE h.order_id = o.id AND h.reason = 'totals_differ')
UNION ALL
SELECT o.id, format('shipping of %s with a tax of %s, and the units carry %s with %s', o.shipping_amount, o.shipping_tax, coalesce(s.shipping, 0), coalesce(s.shipping_tax, 0)), ''
FROM orders o LEFT JOIN sums s ON s.order_id = o.id
WHERE o.shipping_amount <> coalesce(s.shipping, 0) OR o.shipping_tax <> coalesce(s.shipping_tax, 0)
UNION ALL
SELECT o.id, format('a discount of %s, and the lines carry %s', o.discount, l.shares), ''
FROM orders o JOIN (SELECT order_id, sum(order_discount) AS shares FROM order_lines GROUP BY order_id) l ON l.order_id = o.id
WHERE o.discount <> l.shares
UNION ALL
SELECT l.id, format('order %s: %s at %s less %s with a tax of %s; its units are %s at %s less %s with %s', l.order_id, l.quantity, l.unit_price,
	l.discount + l.order_discount, l.tax, coalesce(u.quantity, 0), coalesce(u.price, 0), coalesce(u.discount, 0), coalesce(u.tax, 0)), ''
FROM order_lines l LEFT JOIN units u ON u.line_id = l.id AND u.order_id = l.order_id
WHERE (l.quantity, 0, l.quantity, l.unit_price, l.discount + l.order_discount, l.tax)
	IS DISTINCT FROM (u.quantity, u.first, u.last, u.price, u.discount, u.tax) OR u.price <> u.price_max`
