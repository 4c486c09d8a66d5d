package verify

// Which units a parcel, a short pick or a credit is about is in ranges. Sets of them are multiranges here.

const cancelledOnce = `
WITH dropped AS (
	SELECT line_id, order_id, sum(quantity) AS credited, range_agg(int8range(first_unit, first_unit + quantity)) AS units
	FROM credits WHERE cause = 'cancelled' GROUP BY line_id, order_id
)
SELECT l.id AS subject, format('order %s: %s cancelled; its credits say %s, which are %s units', l.order_id, l.cancelled, coalesce(d.credited, 0), n.units) AS detail, '' AS excuse
FROM order_lines l LEFT JOIN dropped d ON d.line_id = l.id AND d.order_id = l.order_id
CROSS JOIN LATERAL (SELECT coalesce(sum(upper(part) - lower(part)), 0) AS units FROM unnest(d.units) AS part) n
WHERE l.cancelled <> coalesce(d.credited, 0) OR l.cancelled <> n.units
UNION ALL
SELECT l.line_id, format('order %s: cancelled units of it are in parcel %s', l.order_id, l.shipment_id), ''
FROM dropped d JOIN shipment_lines l ON l.line_id = d.line_id JOIN shipments s ON s.id = l.shipment_id
WHERE s.status <> 'cancelled' AND d.units && int8range(l.first_unit, l.first_unit + l.quantity)`

// One that was cancelled as a whole counts nothing any more: its order, or its sisters, do. What is unserved counts
// short first, so that what was not found here and cancelled afterwards is not counted twice.
const fulfillmentsCount = `
WITH missing AS (
	SELECT fulfillment_id, line_id, range_agg(int8range(first_unit, first_unit + quantity)) AS units FROM short_picks GROUP BY fulfillment_id, line_id
), dropped AS (
	SELECT line_id, range_agg(int8range(first_unit, first_unit + quantity)) AS units FROM credits WHERE cause = 'cancelled' GROUP BY line_id
), boxed AS (
	SELECT s.fulfillment_id, l.line_id, range_agg(int8range(l.first_unit, l.first_unit + l.quantity)) AS units,
		range_agg(int8range(l.first_unit, l.first_unit + l.quantity)) FILTER (WHERE s.handed_over_at IS NOT NULL) AS gone
	FROM shipment_lines l JOIN shipments s ON s.id = l.shipment_id WHERE s.status <> 'cancelled' GROUP BY s.fulfillment_id, l.line_id
), counted AS (
	SELECT f.id, f.order_id, f.status, l.line_id, l.quantity, l.cancelled, l.short, l.packed, l.shipped,
		coalesce((SELECT sum(upper(part) - lower(part)) FROM unnest(one.units * m.units) part), 0) AS is_short,
		coalesce((SELECT sum(upper(part) - lower(part)) FROM unnest((one.units - coalesce(m.units, '{}')) * d.units) part), 0) AS is_cancelled,
		coalesce((SELECT sum(upper(part) - lower(part)) FROM unnest(one.units * b.units) part), 0) AS is_packed,
		coalesce((SELECT sum(upper(part) - lower(part)) FROM unnest(one.units * b.gone) part), 0) AS is_shipped
	FROM fulfillments f JOIN fulfillment_lines l ON l.fulfillment_id = f.id
	CROSS JOIN LATERAL (SELECT int8multirange(int8range(l.first_unit, l.first_unit + l.quantity)) AS units) one
	LEFT JOIN missing m ON m.fulfillment_id = f.id AND m.line_id = l.line_id
	LEFT JOIN dropped d ON d.line_id = l.line_id
	LEFT JOIN boxed b ON b.fulfillment_id = f.id AND b.line_id = l.line_id
	WHERE f.status <> 'cancelled'
), lines AS (
	SELECT id, line_id, sum(quantity) AS quantity, sum(cancelled + short) AS released, sum(shipped) AS consumed FROM counted GROUP BY id, line_id
), allocated AS (
	SELECT fulfillment_id, line_id, sum(quantity) AS quantity, sum(released) AS released, sum(consumed) AS consumed FROM allocations GROUP BY fulfillment_id, line_id
), totals AS (
	SELECT id, order_id, status, sum(quantity - cancelled - short) AS due, sum(shipped) AS shipped, sum(short) AS short FROM counted GROUP BY id, order_id, status
)
SELECT id AS subject, format('order %s: of line %s %s cancelled, %s short, %s packed, %s shipped; it is %s, %s, %s, %s', order_id, line_id, cancelled, short, packed, shipped,
	is_cancelled, is_short, is_packed, is_shipped) AS detail, '' AS excuse
FROM counted WHERE (cancelled, short, packed, shipped) IS DISTINCT FROM (is_cancelled, is_short, is_packed, is_shipped)
UNION ALL
SELECT l.id, format('of line %s it serves %s, gave up %s and shipped %s; its stock is %s, %s, %s', l.line_id, l.quantity, l.released, l.consumed,
	coalesce(a.quantity, 0), coalesce(a.released, 0), coalesce(a.consumed, 0)), ''
FROM lines l LEFT JOIN allocated a ON a.fulfillment_id = l.id AND a.line_id = l.line_id
WHERE (l.quantity, l.released, l.consumed) IS DISTINCT FROM (a.quantity, a.released, a.consumed)
UNION ALL
SELECT id, format('order %s: it is %s, and %s of %s are shipped, %s were not found', order_id, status, shipped, due, short), ''
FROM totals WHERE CASE status WHEN 'closed' THEN shipped <> due OR short > 0 WHEN 'incomplete' THEN shipped <> due OR short = 0 ELSE shipped >= due END`

const unitsInOnePlace = `
WITH missing AS (
	SELECT fulfillment_id, line_id, range_agg(int8range(first_unit, first_unit + quantity)) AS units FROM short_picks GROUP BY fulfillment_id, line_id
), dropped AS (
	SELECT line_id, range_agg(int8range(first_unit, first_unit + quantity)) AS units FROM credits WHERE cause = 'cancelled' GROUP BY line_id
), opened AS (
	SELECT f.id, l.line_id, sum(l.quantity) AS quantity, range_agg(int8range(l.first_unit, l.first_unit + l.quantity)) AS units
	FROM fulfillments f JOIN fulfillment_lines l ON l.fulfillment_id = f.id WHERE f.status <> 'cancelled' GROUP BY f.id, l.line_id
), served AS (
	SELECT o.id, o.line_id, o.quantity, o.units AS opened, o.units - coalesce(m.units, '{}') - coalesce(d.units, '{}') AS units
	FROM opened o LEFT JOIN missing m ON m.fulfillment_id = o.id AND m.line_id = o.line_id LEFT JOIN dropped d ON d.line_id = o.line_id
), boxes AS (
	SELECT s.id, s.fulfillment_id, l.line_id, l.first_unit, int8range(l.first_unit, l.first_unit + l.quantity) AS units
	FROM shipments s JOIN shipment_lines l ON l.shipment_id = s.id WHERE s.status <> 'cancelled'
)
SELECT a.line_id AS subject, format('units %s are served by fulfillment orders %s and %s', a.units * b.units, a.id, b.id) AS detail, '' AS excuse
FROM served a JOIN served b ON b.line_id = a.line_id AND a.id < b.id WHERE a.units && b.units
UNION ALL
SELECT line_id, format('fulfillment order %s serves some units of it twice', id), ''
FROM served WHERE quantity <> (SELECT sum(upper(part) - lower(part)) FROM unnest(opened) part)
UNION ALL
SELECT a.line_id, format('units %s are in parcels %s and %s', a.units * b.units, a.id, b.id), ''
FROM boxes a JOIN boxes b ON b.line_id = a.line_id AND (a.id, a.first_unit) < (b.id, b.first_unit) WHERE a.units && b.units
UNION ALL
SELECT b.line_id, format('units %s are in parcel %s, and fulfillment order %s does not serve them', b.units, b.id, b.fulfillment_id), ''
FROM boxes b LEFT JOIN served s ON s.id = b.fulfillment_id AND s.line_id = b.line_id WHERE (s.units @> b.units) IS NOT TRUE`

// Stock of a location whose picker did not find it is not given to the same order again, unless more came in since.
// Nobody says since when stock is kept from an order, but it is no longer than since the level last moved, or the order
// last changed.
const waitingIsServed = `
WITH waits AS (
	SELECT o.id, o.status, o.grantable, o.updated_at, coalesce(sum(l.backordered), 0) AS units,
		EXISTS (SELECT 1 FROM order_holds h WHERE h.order_id = o.id AND h.released_at IS NULL AND h.fulfillment_id = '' AND h.blocks ? 'release') AS held
	FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.status IN ('accepted', 'processing') OR o.grantable GROUP BY o.id
)
SELECT id AS subject, format('the order is %s, %s units of it wait for stock, something holds it: %s; and it may be given stock: %s', status, units, held, grantable) AS detail, '' AS excuse
FROM waits WHERE grantable <> (status IN ('accepted', 'processing') AND units > 0 AND NOT held)
UNION ALL
SELECT w.id, format('%s of %s wait for stock, and %s has %s of it', l.backordered, l.sku, v.location_id, v.on_hand - v.committed - v.unavailable),
	CASE WHEN greatest(w.updated_at, moved.at) > clock.now - interval '10 minutes' THEN 'in_flight' ELSE '' END
FROM waits w JOIN order_lines l ON l.order_id = w.id AND l.backordered > 0
JOIN stock_levels v ON v.sku = l.sku AND v.on_hand - v.committed - v.unavailable > 0 CROSS JOIN clock
CROSS JOIN LATERAL (
	SELECT max(m.at) AS at FROM stock_ledger m
	WHERE m.sku = v.sku AND m.location_id = v.location_id AND (m.on_hand <> 0 OR m.committed <> 0 OR m.unavailable <> 0)
) moved
WHERE w.grantable AND NOT EXISTS (SELECT 1 FROM short_picks p WHERE p.order_id = w.id AND p.sku = l.sku AND p.location_id = v.location_id
	AND (v.arrived_at > p.at) IS NOT TRUE)`

// What the ledger has of an order's counts, and of returns, against what picks, returns and inspections say.
const findingsAreBooked = `
WITH booked AS (
	SELECT order_id AS owner, line_id, sku, location_id, kind, reason AS finding, sum(quantity) AS quantity
	FROM stock_ledger WHERE kind = 'count' AND order_id <> '' GROUP BY order_id, line_id, sku, location_id, kind, reason
	UNION ALL
	SELECT return_id, line_id, sku, location_id, kind, '', sum(quantity)
	FROM stock_ledger WHERE kind = 'return_receipt' AND return_id <> '' GROUP BY return_id, line_id, sku, location_id, kind
	UNION ALL
	SELECT return_id, line_id, sku, location_id, 'disposition', reason, sum(quantity)
	FROM stock_ledger WHERE kind IN ('disposition', 'transfer_out') AND return_id <> '' GROUP BY return_id, line_id, sku, location_id, reason
), found AS (
	SELECT order_id AS owner, line_id, sku, location_id, 'count' AS kind, reason AS finding, sum(quantity) AS quantity
	FROM short_picks GROUP BY order_id, line_id, sku, location_id, reason
	UNION ALL
	SELECT return_id, line_id, sku, location_id, 'return_receipt', '', sum(received) FROM return_lines WHERE received > 0 GROUP BY return_id, line_id, sku, location_id
	UNION ALL
	SELECT return_id, '', sku, location_id, 'return_receipt', '', sum(quantity) FROM return_unexpected GROUP BY return_id, sku, location_id
	UNION ALL
	SELECT return_id, line_id, sku, location_id, 'disposition', stock, sum(quantity) FROM return_inspections GROUP BY return_id, line_id, sku, location_id, stock
)
SELECT coalesce(f.owner, b.owner) AS subject, format('%s of %s at %s, %s %s; by the stock ledger %s', coalesce(f.quantity, 0), coalesce(f.sku, b.sku), coalesce(f.location_id, b.location_id),
	coalesce(f.kind, b.kind), coalesce(f.finding, b.finding), coalesce(b.quantity, 0)) AS detail, '' AS excuse
FROM found f FULL JOIN booked b ON b.owner = f.owner AND b.line_id = f.line_id AND b.sku = f.sku AND b.location_id = f.location_id AND b.kind = f.kind AND b.finding = f.finding
WHERE coalesce(f.quantity, 0) <> coalesce(b.quantity, 0)
UNION ALL
SELECT coalesce(nullif(return_id, ''), order_id), format('row %s of the stock ledger, %s of %s %s as %s: %s on hand, %s unavailable, %s damaged', id, kind, quantity, sku, reason, on_hand, unavailable, damaged), ''
FROM stock_ledger
WHERE (return_id <> '' OR kind = 'count' AND order_id <> '') AND (on_hand, unavailable, damaged) IS DISTINCT FROM CASE kind
	WHEN 'count' THEN CASE WHEN reason IN ('damaged', 'expired') THEN (CAST(0 AS bigint), quantity, quantity) ELSE (-quantity, CAST(0 AS bigint), CAST(0 AS bigint)) END
	WHEN 'return_receipt' THEN (quantity, quantity, CAST(0 AS bigint))
	WHEN 'transfer_out' THEN (-quantity, -quantity, CAST(0 AS bigint))
	WHEN 'transfer_in' THEN (quantity, CAST(0 AS bigint), CAST(0 AS bigint))
	ELSE CASE reason WHEN 'available' THEN (CAST(0 AS bigint), -quantity, CAST(0 AS bigint)) WHEN 'damaged' THEN (CAST(0 AS bigint), CAST(0 AS bigint), quantity)
		ELSE (CAST(0 AS bigint), CAST(0 AS bigint), CAST(0 AS bigint)) END END
UNION ALL
SELECT format('%s at %s, row %s', sku, location_id, id), format('decided about by hand, %s: %s on hand, %s unavailable, %s damaged', quantity, on_hand, unavailable, damaged), ''
FROM stock_ledger
WHERE kind = 'disposition' AND return_id = '' AND (order_id <> '' OR committed <> 0 OR quantity <= 0 OR (on_hand, unavailable, damaged) NOT IN
	((CAST(0 AS bigint), -quantity, CAST(0 AS bigint)), (CAST(0 AS bigint), -quantity, -quantity), (-quantity, -quantity, CAST(0 AS bigint)),
	(-quantity, -quantity, -quantity), (CAST(0 AS bigint), CAST(0 AS bigint), quantity)))
UNION ALL
SELECT return_id, format('of line %s %s left for another SKU at %s, and %s arrived there', line_id, sum(quantity) FILTER (WHERE kind = 'transfer_out'), location_id,
	coalesce(sum(quantity) FILTER (WHERE kind = 'transfer_in'), 0)), ''
FROM stock_ledger WHERE kind IN ('transfer_out', 'transfer_in') AND return_id <> '' GROUP BY return_id, line_id, location_id HAVING sum(on_hand) <> 0`
