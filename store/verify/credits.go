package verify

// What the customer no longer owes is a credit, and what is given back of it a refund. Units are [first_unit,
// first_unit + quantity) of a line, everywhere.

// Where credits begin and end, what they come to for one unit changes: from each such point to the next it is one
// sum, which is held against the stored worth of the units there.
const creditsWithinWorth = `
WITH points AS (
	SELECT line_id, first_unit AS at, amount / nullif(quantity, 0) AS change FROM credits WHERE quantity > 0
	UNION ALL
	SELECT line_id, first_unit + quantity, -(amount / nullif(quantity, 0)) FROM credits WHERE quantity > 0
), runs AS (
	SELECT line_id, at, lead(at) OVER along AS until, sum(sum(change)) OVER along AS credited
	FROM points GROUP BY line_id, at WINDOW along AS (PARTITION BY line_id ORDER BY at)
), sums AS (
	SELECT line_id, order_id, sum(amount) AS credited, min(first_unit) AS first, max(first_unit + quantity) AS last FROM credits WHERE cause <> 'shipping' GROUP BY line_id, order_id
), shipping AS (
	SELECT order_id, sum(amount) AS credited FROM credits WHERE cause = 'shipping' GROUP BY order_id
)
SELECT r.line_id AS subject, format('order %s: units %s to %s are credited %s each, and worth %s', b.order_id, greatest(r.at, b.first_unit),
	least(r.until, b.first_unit + b.quantity) - 1, r.credited, worth.unit) AS detail, '' AS excuse
FROM runs r JOIN line_units b ON b.line_id = r.line_id AND b.first_unit < r.until AND r.at < b.first_unit + b.quantity
JOIN orders o ON o.id = b.order_id
CROSS JOIN LATERAL (SELECT b.price - b.discount + CASE WHEN o.prices_include_tax THEN 0 ELSE b.tax END AS unit) worth
WHERE r.credited > worth.unit
UNION ALL
SELECT line_id, format('order %s: credit %s is %s for %s units, which are not all credited the same', order_id, id, amount, quantity), ''
FROM credits WHERE amount % nullif(quantity, 0) <> 0
UNION ALL
SELECT coalesce(l.id, s.line_id), format('order %s: %s is credited of %s units; its credits come to %s for units %s to %s', coalesce(l.order_id, s.order_id),
	coalesce(l.credited, 0), coalesce(l.quantity, 0), coalesce(s.credited, 0), s.first, s.last - 1), ''
FROM order_lines l FULL JOIN sums s ON s.line_id = l.id AND s.order_id = l.order_id
WHERE coalesce(l.credited, 0) <> coalesce(s.credited, 0) OR s.first < 0 OR s.last > coalesce(l.quantity, 0)
UNION ALL
SELECT o.id, format('%s of the shipping is credited; its credits come to %s, and the shipping to %s', o.shipping_credited, coalesce(s.credited, 0), charge.amount), ''
FROM orders o LEFT JOIN shipping s ON s.order_id = o.id
CROSS JOIN LATERAL (SELECT o.shipping_amount + CASE WHEN o.prices_include_tax THEN 0 ELSE o.shipping_tax END AS amount) charge
WHERE o.shipping_credited <> coalesce(s.credited, 0) OR o.shipping_credited > charge.amount`

// A parcel that was lost may turn up: then its scans still say that it was. Units that were cancelled are V-S8's.
const creditsHaveReasons = `
WITH lost AS (
	SELECT l.shipment_id, l.line_id, range_agg(int8range(l.first_unit, l.first_unit + l.quantity)) AS units
	FROM shipment_lines l JOIN shipments s ON s.id = l.shipment_id
	WHERE s.handed_over_at IS NOT NULL AND (s.status = 'lost' OR EXISTS (SELECT 1 FROM shipment_scans c WHERE c.shipment_id = s.id AND c.status = 'lost' AND c.moved)
		OR EXISTS (SELECT 1 FROM return_lines t JOIN returns r ON r.id = t.return_id WHERE t.shipment_id = s.id AND r.origin = 'carrier'))
	GROUP BY l.shipment_id, l.line_id
), returned AS (
	SELECT return_id, line_id, range_agg(units) AS units FROM (
		SELECT return_id, line_id, int8range(first_unit, first_unit + quantity) AS units FROM return_inspections
		UNION ALL
		SELECT l.return_id, l.line_id, int8range(l.first_unit, l.first_unit + l.quantity) FROM return_lines l JOIN returns r ON r.id = l.return_id WHERE r.returnless
	) u GROUP BY return_id, line_id
), never AS (
	SELECT line_id, range_agg(int8range(first_unit, first_unit + quantity)) AS units FROM credits WHERE cause IN ('cancelled', 'lost') GROUP BY line_id
)
SELECT c.id AS subject, format('order %s: %s for units %s to %s of line %s, which were not lost with parcel %s', c.order_id, c.amount, c.first_unit,
	c.first_unit + c.quantity - 1, c.line_id, c.shipment_id) AS detail, '' AS excuse
FROM credits c LEFT JOIN lost l ON l.shipment_id = c.shipment_id AND l.line_id = c.line_id
WHERE c.cause = 'lost' AND (l.units @> int8range(c.first_unit, c.first_unit + c.quantity)) IS NOT TRUE
UNION ALL
SELECT c.id, format('order %s: %s for units %s to %s of line %s, which return %s did not bring', c.order_id, c.amount, c.first_unit,
	c.first_unit + c.quantity - 1, c.line_id, c.return_id), ''
FROM credits c LEFT JOIN returned r ON r.return_id = c.return_id AND r.line_id = c.line_id
WHERE c.cause = 'returned' AND (r.units @> int8range(c.first_unit, c.first_unit + c.quantity)) IS NOT TRUE
UNION ALL
SELECT c.id, format('order %s: shipping of %s, and units of line %s were neither cancelled nor lost', c.order_id, c.amount, l.id), ''
FROM credits c JOIN order_lines l ON l.order_id = c.order_id LEFT JOIN never n ON n.line_id = l.id
WHERE c.cause = 'shipping' AND (n.units @> int8range(0, l.quantity)) IS NOT TRUE`

const refundsAddUp = `
WITH parts AS (
	SELECT refund_id, order_id, sum(amount) AS amount FROM refund_lines GROUP BY refund_id, order_id
), by_line AS (
	SELECT line_id, order_id, sum(amount) AS amount FROM refund_lines GROUP BY line_id, order_id
), by_order AS (
	SELECT order_id, sum(shipping) AS shipping FROM refunds GROUP BY order_id
)
SELECT r.id AS subject, format('order %s: a refund of %s, and its lines are %s, its shipping %s, its excess %s', r.order_id, r.amount, coalesce(p.amount, 0), r.shipping, r.excess) AS detail, '' AS excuse
FROM refunds r LEFT JOIN parts p ON p.refund_id = r.id AND p.order_id = r.order_id
WHERE r.amount <> coalesce(p.amount, 0) + r.shipping + r.excess
UNION ALL
SELECT l.id, format('order %s: %s is to be given back of %s credited, and its refunds come to %s', l.order_id, l.refunded, l.credited, coalesce(b.amount, 0)), ''
FROM order_lines l LEFT JOIN by_line b ON b.line_id = l.id AND b.order_id = l.order_id
WHERE l.refunded <> coalesce(b.amount, 0) OR l.refunded > l.credited
UNION ALL
SELECT o.id, format('%s of the shipping is to be given back of %s credited, and its refunds come to %s', o.shipping_refunded, o.shipping_credited, coalesce(b.shipping, 0)), ''
FROM orders o LEFT JOIN by_order b ON b.order_id = o.id
WHERE o.shipping_refunded <> coalesce(b.shipping, 0) OR o.shipping_refunded > o.shipping_credited
UNION ALL
SELECT op.key, format('order %s: asks for %s on payment %s for refund %s, which is of %s on payment %s', op.order_id, op.amount, op.payment_id, op.refund_id,
	coalesce(r.amount, 0), coalesce(r.payment_id, '')), ''
FROM operations op LEFT JOIN refunds r ON r.id = op.refund_id
WHERE op.kind = 'refund' AND ((op.order_id, op.payment_id, op.return_id) IS DISTINCT FROM (r.order_id, r.payment_id, r.return_id)
	OR op.state <> 'refused' AND op.amount <> r.amount)`

// A refund belongs to the run of its return, or, without one, to that of its order; so does the call for an operator.
const refundsAreTrue = `
WITH asked AS (
	SELECT refund_id, bool_or(state = 'succeeded') AS done, bool_or(state IN {open}) AS open, max(retry_at) FILTER (WHERE state = 'refused') AS retry_at
	FROM operations WHERE kind = 'refund' GROUP BY refund_id
)
SELECT r.id AS subject, format('order %s: the refund of %s is %s, and %s', r.order_id, r.amount, r.status, CASE
	WHEN a.refund_id IS NULL THEN 'nobody asked a gateway for it'
	WHEN r.status = 'succeeded' THEN 'no gateway has given it'
	WHEN a.done THEN 'its gateway has given it'
	WHEN r.status = 'refused' AND a.open THEN 'its gateway is being asked'
	WHEN a.open THEN 'its gateway is being asked as it should'
	ELSE 'nobody asks for it again' END) AS detail,
	CASE
		WHEN r.status = 'succeeded' OR a.done OR r.status = 'refused' AND a.open THEN ''
		WHEN r.status = 'pending' AND a.open THEN 'in_flight'
		WHEN r.status = 'pending' THEN ''
		WHEN coalesce(t.attention_code, o.attention_code) <> '' THEN 'attention'
		WHEN a.retry_at > clock.now - interval '10 minutes' THEN 'in_flight'
		ELSE ''
	END AS excuse
FROM refunds r JOIN orders o ON o.id = r.order_id LEFT JOIN returns t ON t.id = r.return_id LEFT JOIN asked a ON a.refund_id = r.id CROSS JOIN clock
WHERE r.status <> 'succeeded' OR a.done IS NOT TRUE`

// What is gone is taken from parcels, scans and inspections, not from the credits that were made of them.
const refundsWithinGone = `
WITH gone AS (
	SELECT line_id, range_agg(units) AS units FROM (
		SELECT line_id, int8range(first_unit, first_unit + quantity) AS units FROM credits WHERE cause = 'cancelled'
		UNION ALL
		SELECT l.line_id, int8range(l.first_unit, l.first_unit + l.quantity) FROM shipment_lines l JOIN shipments s ON s.id = l.shipment_id
		WHERE s.handed_over_at IS NOT NULL AND (s.status = 'lost' OR EXISTS (SELECT 1 FROM shipment_scans c WHERE c.shipment_id = s.id AND c.status = 'lost' AND c.moved)
		OR EXISTS (SELECT 1 FROM return_lines t JOIN returns r ON r.id = t.return_id WHERE t.shipment_id = s.id AND r.origin = 'carrier'))
		UNION ALL
		SELECT line_id, int8range(first_unit, first_unit + quantity) FROM return_inspections
		UNION ALL
		SELECT l.line_id, int8range(l.first_unit, l.first_unit + l.quantity) FROM return_lines l JOIN returns r ON r.id = l.return_id WHERE r.returnless
	) u GROUP BY line_id
), worth AS (
	SELECT b.order_id, sum(CAST(upper(part.units) - lower(part.units) AS numeric) * (b.price - b.discount + CASE WHEN o.prices_include_tax THEN 0 ELSE b.tax END)) AS units
	FROM gone g JOIN line_units b ON b.line_id = g.line_id JOIN orders o ON o.id = b.order_id
	CROSS JOIN LATERAL unnest(g.units * int8multirange(int8range(b.first_unit, b.first_unit + b.quantity))) AS part (units)
	GROUP BY b.order_id
), given AS (
	SELECT order_id, sum(amount - excess) AS amount FROM refunds GROUP BY order_id
)
SELECT o.id AS subject, format('%s given back or to be given back, where units that are gone are worth %s and the shipping %s', g.amount, coalesce(w.units, 0), charge.amount) AS detail, '' AS excuse
FROM given g JOIN orders o ON o.id = g.order_id LEFT JOIN worth w ON w.order_id = o.id
CROSS JOIN LATERAL (SELECT o.shipping_amount + CASE WHEN o.prices_include_tax THEN 0 ELSE o.shipping_tax END AS amount) charge
WHERE g.amount > coalesce(w.units, 0) + charge.amount`
