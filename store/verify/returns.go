package verify

// goods lists the invariants of what comes back.
func goods() []promise {
	return []promise{
		{id: "V-R1", protects: "A unit comes back once, and only when it left: no unit is in two returns that count, and every one was in the parcel that its return names.", sql: unitsReturnOnce},
		{id: "V-R2", protects: "Nothing is returned twice: per line what is in returns, came back and was given up is what its returns say, and fits into what arrived or could not be delivered.", sql: returnsWithinDelivered},
		{id: "V-R3", protects: "A refund is for exactly what was found: every inspected unit was received, is graded once, and is credited what its grade gives, rounded down, less what was credited before.", sql: inspectionsAreExact},
		{id: "V-R4", protects: "A return is over when everything is: a closed one has nothing left to receive, grade or pay back, and one that came to nothing has received and paid nothing.", sql: closedIsDone},
		{id: "V-R5", protects: "No return is forgotten: ten minutes after its last change or its deadline it is over, or shows on whom it waits, and that is true.", sql: returnsEndOrWait},
		{id: "V-R6", protects: "A return gives back what its grades come to, less its fee, once: its refunds fit into its credits less what was charged for the way back.", sql: returnsRefundCredits},
	}
}

const unitsReturnOnce = `
WITH coming AS (
	SELECT l.return_id, l.order_id, l.line_id, l.first_unit, l.shipment_id, int8range(l.first_unit, l.first_unit + l.quantity) AS units,
		r.status NOT IN ('declined', 'cancelled', 'expired') AS counts
	FROM return_lines l JOIN returns r ON r.id = l.return_id
), went AS (
	SELECT l.shipment_id, l.line_id, range_agg(int8range(l.first_unit, l.first_unit + l.quantity)) AS units
	FROM shipment_lines l JOIN shipments s ON s.id = l.shipment_id WHERE s.handed_over_at IS NOT NULL GROUP BY l.shipment_id, l.line_id
)
SELECT a.line_id AS subject, format('order %s: units %s are in returns %s and %s', a.order_id, a.units * b.units, a.return_id, b.return_id) AS detail, '' AS excuse
FROM coming a JOIN coming b ON b.line_id = a.line_id AND (a.return_id, a.first_unit) < (b.return_id, b.first_unit)
WHERE a.counts AND b.counts AND a.units && b.units
UNION ALL
SELECT c.line_id, format('order %s: units %s are in return %s, and did not leave with parcel %s', c.order_id, c.units, c.return_id, c.shipment_id), ''
FROM coming c LEFT JOIN went w ON w.shipment_id = c.shipment_id AND w.line_id = c.line_id
WHERE (w.units @> c.units) IS NOT TRUE`

const returnsWithinDelivered = `
SELECT l.id AS subject, format('order %s: %s delivered, %s undelivered; %s to come back, %s returned, %s dismissed; by its returns %s, %s, %s', l.order_id, l.delivered, l.undelivered,
	l.return_requested, l.returned, l.dismissed, coalesce(r.requested, 0), coalesce(r.received, 0), coalesce(r.dismissed, 0)) AS detail, '' AS excuse
FROM order_lines l
LEFT JOIN (
	SELECT t.line_id, coalesce(sum(t.quantity) FILTER (WHERE r.status NOT IN ('declined', 'cancelled', 'expired')), 0) AS requested,
		sum(t.received) AS received, sum(t.dismissed) AS dismissed
	FROM return_lines t JOIN returns r ON r.id = t.return_id GROUP BY t.line_id
) r ON r.line_id = l.id
WHERE (l.return_requested, l.returned, l.dismissed) IS DISTINCT FROM (coalesce(r.requested, 0), coalesce(r.received, 0), coalesce(r.dismissed, 0))
	OR l.return_requested > l.delivered + l.undelivered OR l.returned + l.dismissed > l.return_requested`

// Units of a row are graded from its front. A credit is for units of one worth that were credited the same before, so
// its first unit speaks for all. What was credited for a return that needs no goods was so before any came. Orders from
// before policies were kept have none to compare with.
const inspectionsAreExact = `
WITH graded AS (
	SELECT t.return_id, t.order_id, t.line_id, t.first_unit, t.inspected, t.received, coalesce(sum(i.quantity), 0) AS units,
		coalesce(bool_and(i.first_unit >= t.first_unit AND i.first_unit + i.quantity <= t.first_unit + t.inspected), true) AS inside,
		range_agg(int8range(i.first_unit, i.first_unit + i.quantity)) AS spans
	FROM return_lines t LEFT JOIN return_inspections i ON i.return_id = t.return_id AND i.line_id = t.line_id
		AND i.first_unit < t.first_unit + t.quantity AND t.first_unit < i.first_unit + i.quantity
	GROUP BY t.return_id, t.line_id, t.first_unit
), rules AS (
	SELECT i.return_id, i.line_id, i.first_unit, o.id AS order_id, rule.stock, CASE
			WHEN o.return_policy -> 'our_fault' ? t.reason THEN 100
			ELSE greatest(rule.refund_percent - CAST(o.return_policy ->> 'restocking_percent' AS bigint), 0) END AS percent
	FROM return_inspections i JOIN orders o ON o.id = i.order_id
	JOIN return_lines t ON t.return_id = i.return_id AND t.line_id = i.line_id AND t.first_unit <= i.first_unit AND i.first_unit < t.first_unit + t.quantity
	CROSS JOIN LATERAL (
		SELECT CASE WHEN length(i.sku || coalesce(o.return_policy #>> ARRAY['grades', i.grade, 'sku_suffix'], '')) > 64 THEN 'quality_control' -- no such SKU can be ordered
			ELSE o.return_policy #>> ARRAY['grades', i.grade, 'stock'] END AS stock, CAST(o.return_policy #>> ARRAY['grades', i.grade, 'refund_percent'] AS bigint) AS refund_percent
	) rule
	WHERE o.return_policy ->> 'name' <> ''
), due AS (
	SELECT c.id, c.order_id, c.line_id, c.return_id, c.quantity, c.amount, i.percent, i.first_unit AS inspection,
		c.quantity * greatest((worth.unit / 100) * i.percent + (worth.unit % 100) * i.percent / 100 - coalesce((
			SELECT sum(e.amount / nullif(e.quantity, 0)) FROM credits e
			WHERE e.line_id = c.line_id AND e.first_unit <= c.first_unit AND c.first_unit < e.first_unit + e.quantity AND (e.at, e.id) < (c.at, c.id)), 0), 0) AS gives
	FROM credits c JOIN orders o ON o.id = c.order_id
	JOIN return_inspections i ON i.return_id = c.return_id AND i.line_id = c.line_id AND i.first_unit <= c.first_unit AND c.first_unit < i.first_unit + i.quantity
	JOIN line_units b ON b.line_id = c.line_id AND b.first_unit <= c.first_unit AND c.first_unit < b.first_unit + b.quantity
	CROSS JOIN LATERAL (SELECT b.price - b.discount + CASE WHEN o.prices_include_tax THEN 0 ELSE b.tax END AS unit) worth
	WHERE c.cause = 'returned' AND c.reason <> 'returnless'
), paid AS (
	SELECT return_id, line_id, inspection, sum(amount) AS amount FROM due GROUP BY return_id, line_id, inspection
)
SELECT return_id AS subject, format('of line %s from unit %s %s were received, %s are inspected, and the inspections are of %s', line_id, first_unit, received, inspected, spans) AS detail, '' AS excuse
FROM graded WHERE inspected > received OR units <> inspected OR NOT inside OR units <> coalesce((SELECT sum(upper(part) - lower(part)) FROM unnest(spans) part), 0)
UNION ALL
SELECT i.return_id, format('unit %s of line %s is graded %s, as %s at %s percent; its policy says %s at %s', i.first_unit, i.line_id, i.grade, i.stock, i.percent, r.stock, r.percent), ''
FROM return_inspections i JOIN rules r ON r.return_id = i.return_id AND r.line_id = i.line_id AND r.first_unit = i.first_unit
WHERE i.grade = 'X' OR i.stock IS DISTINCT FROM r.stock OR i.percent NOT IN (0, r.percent)
UNION ALL
SELECT return_id, format('credit %s of line %s is %s for %s units, where %s percent less what was credited before give %s', id, line_id, amount, quantity, percent, gives), ''
FROM due WHERE amount <> gives
UNION ALL
SELECT i.return_id, format('unit %s of line %s: its inspection gives %s, and %s is credited', i.first_unit, i.line_id, i.amount, coalesce(p.amount, 0)), ''
FROM return_inspections i LEFT JOIN paid p ON p.return_id = i.return_id AND p.line_id = i.line_id AND p.inspection = i.first_unit
WHERE i.amount <> coalesce(p.amount, 0)`

const closedIsDone = `
WITH rows AS (
	SELECT return_id, sum(quantity) AS quantity, sum(received) AS received, sum(inspected) AS inspected, sum(dismissed) AS dismissed FROM return_lines GROUP BY return_id
), money AS (
	SELECT return_id, count(*) AS refunds, count(*) FILTER (WHERE status <> 'succeeded') AS unpaid FROM refunds WHERE return_id <> '' GROUP BY return_id
)
SELECT r.id AS subject, format('order %s: the return is %s; of %s units %s are here, %s graded, %s given up; of %s refunds %s are not paid', r.order_id, r.status,
	coalesce(t.quantity, 0), coalesce(t.received, 0), coalesce(t.inspected, 0), coalesce(t.dismissed, 0), coalesce(m.refunds, 0), coalesce(m.unpaid, 0)) AS detail, '' AS excuse
FROM returns r LEFT JOIN rows t ON t.return_id = r.id LEFT JOIN money m ON m.return_id = r.id
WHERE t.return_id IS NULL OR (r.closed_at IS NOT NULL) <> (r.status = 'closed') OR CASE
	WHEN r.status = 'closed' THEN t.received <> t.inspected OR t.received + t.dismissed <> t.quantity OR m.unpaid > 0
	WHEN r.status = 'inspected' THEN t.received <> t.inspected OR t.received + t.dismissed <> t.quantity OR coalesce(m.unpaid, 0) = 0
	WHEN r.status IN ('requested', 'in_transit', 'declined', 'cancelled', 'expired') THEN t.received + t.dismissed > 0 OR m.refunds > 0
	ELSE false END`

const returnsEndOrWait = `
SELECT r.id AS subject, format('the return is %s and settled, and operations of it are open', r.status) AS detail, '' AS excuse
FROM returns r WHERE r.settled AND r.id IN (SELECT return_id FROM operations WHERE state IN {open})
UNION ALL
SELECT r.id, CASE
	WHEN r.deadline < clock.now - interval '10 minutes' THEN format('%s, and its deadline was at %s', r.status, to_char(r.deadline, 'YYYY-MM-DD HH24:MI'))
	WHEN r.waiting_for = '' THEN format('%s, and nothing says on what it waits', r.status)
	ELSE format('%s, and it does not wait for %s as it says', r.status, r.waiting_for) END, ''
FROM returns r CROSS JOIN clock
CROSS JOIN LATERAL (
	SELECT EXISTS (SELECT 1 FROM operations op WHERE op.return_id = r.id AND op.state IN {open}) AS asking,
		EXISTS (SELECT 1 FROM refunds f WHERE f.return_id = r.id AND f.status <> 'succeeded') AS unpaid,
		EXISTS (SELECT 1 FROM operations op WHERE op.return_id = r.id AND op.state = 'refused' AND op.retry_at IS NOT NULL) AS retrying,
		EXISTS (SELECT 1 FROM return_lines l WHERE l.return_id = r.id AND l.received > l.inspected) AS ungraded
) is_true
WHERE NOT r.settled AND r.attention_code = '' AND r.updated_at < clock.now - interval '10 minutes' AND (
	r.deadline < clock.now - interval '10 minutes'
	OR NOT CASE r.waiting_for WHEN 'gateway' THEN asking OR r.status = 'inspected' AND unpaid WHEN 'operator' THEN r.status = 'requested'
		WHEN 'customer' THEN r.status = 'approved' OR r.status = 'received' AND NOT ungraded WHEN 'carrier' THEN r.status = 'in_transit'
		WHEN 'warehouse' THEN r.status = 'received' AND ungraded ELSE retrying END)`

const returnsRefundCredits = `
WITH credited AS (
	SELECT return_id, sum(amount) AS amount FROM credits WHERE return_id <> '' GROUP BY return_id
), refunded AS (
	SELECT return_id, sum(amount) AS amount FROM refunds WHERE return_id <> '' GROUP BY return_id
)
SELECT r.id AS subject, format('order %s: %s given back or to be given back, %s credited, a fee of %s charged of %s', r.order_id, coalesce(f.amount, 0), coalesce(c.amount, 0),
	r.fee_charged, r.label_fee) AS detail, '' AS excuse
FROM returns r LEFT JOIN credited c ON c.return_id = r.id LEFT JOIN refunded f ON f.return_id = r.id
WHERE coalesce(f.amount, 0) > coalesce(c.amount, 0) - r.fee_charged OR r.fee_charged > r.label_fee
UNION ALL
SELECT f.id, format('order %s: it is for return %s, which is of another order', f.order_id, f.return_id), ''
FROM refunds f LEFT JOIN returns r ON r.id = f.return_id WHERE f.return_id <> '' AND r.order_id IS DISTINCT FROM f.order_id`
