package verify

// stock lists the invariants of stock, in units.
func stock() []promise {
	return []promise{
		{id: "V-S1", protects: "Nothing is promised that is not there: at every location what orders hold and what cannot be sold fits into what is on hand, and what is damaged into what cannot be sold.", sql: committedWithinOnHand},
		{id: "V-S2", protects: "Every level has its history: the stock ledger adds up to what is on hand, committed, unavailable and damaged.", sql: stockLedgerAddsUp},
		{id: "V-S3", protects: "Every unit that is held has a holder: what is committed is what the open allocations of orders add up to.", sql: committedIsAllocated},
		{id: "V-S4", protects: "A unit is given back or leaves once: every allocation closes by what the ledger and the parcels say, unit by unit.", sql: allocationsCloseOnce},
		{id: "V-S5", protects: "Nothing is sold that never came in: no location handed over more of a SKU than it received, counting corrections, short picks, returns and transfers.", sql: shippedWasReceived},
		{id: "V-S6", protects: "Nobody is sent more than was ordered: per line what was shipped, cancelled and is held fits into what was ordered, what is left of it waits for stock, and the counters say what the parcels say.", sql: shippedWasOrdered},
		{id: "V-S7", protects: "An order that has ended holds nothing: its allocations are closed, its reservations in the ledger sum to zero, and none of its units is open.", sql: finalHoldsNothing},
		{id: "V-S8", protects: "A unit is cancelled once, and stays here: what a line says is cancelled is in its credits, unit by unit, and none of it is in a parcel.", sql: cancelledOnce},
		{id: "V-S9", protects: "The warehouse is asked for exactly what is left: each fulfillment order counts what its short picks, credits and parcels say, has stock for it, and is over when nothing is left.", sql: fulfillmentsCount},
		{id: "V-S10", protects: "A unit is in one place: no two fulfillment orders serve it, no two parcels hold it, and each parcel holds what its fulfillment order serves.", sql: unitsInOnePlace},
		{id: "V-S11", protects: "Who waits gets what arrives: an order may be given stock when it waits for some and nothing holds it, and none that is here is kept from it for over ten minutes.", sql: waitingIsServed},
		{id: "V-S12", protects: "Whatever a picker missed and whatever came back is in the stock ledger, where it was found, as what it was found to be.", sql: findingsAreBooked},
	}
}

const committedWithinOnHand = `
SELECT format('%s at %s', sku, location_id) AS subject, format('%s on hand, %s committed, %s unavailable, %s of these damaged', on_hand, committed, unavailable, damaged) AS detail, '' AS excuse
FROM stock_levels
WHERE on_hand < 0 OR committed < 0 OR unavailable < 0 OR committed + unavailable > on_hand OR damaged < 0 OR damaged > unavailable`

const stockLedgerAddsUp = `
SELECT format('%s at %s', coalesce(v.sku, l.sku), coalesce(v.location_id, l.location_id)) AS subject,
	format('on hand %s, committed %s, unavailable %s, damaged %s; by the ledger %s, %s, %s, %s', coalesce(v.on_hand, 0), coalesce(v.committed, 0), coalesce(v.unavailable, 0),
		coalesce(v.damaged, 0), coalesce(l.on_hand, 0), coalesce(l.committed, 0), coalesce(l.unavailable, 0), coalesce(l.damaged, 0)) AS detail, '' AS excuse
FROM stock_levels v
FULL JOIN (
	SELECT sku, location_id, sum(on_hand) AS on_hand, sum(committed) AS committed, sum(unavailable) AS unavailable, sum(damaged) AS damaged
	FROM stock_ledger GROUP BY sku, location_id
) l ON l.sku = v.sku AND l.location_id = v.location_id
WHERE coalesce(v.on_hand, 0) <> coalesce(l.on_hand, 0) OR coalesce(v.committed, 0) <> coalesce(l.committed, 0)
	OR coalesce(v.unavailable, 0) <> coalesce(l.unavailable, 0) OR coalesce(v.damaged, 0) <> coalesce(l.damaged, 0)`

const committedIsAllocated = `
SELECT format('%s at %s', coalesce(v.sku, a.sku), coalesce(v.location_id, a.location_id)) AS subject,
	format('%s committed, and open allocations hold %s', coalesce(v.committed, 0), coalesce(a.live, 0)) AS detail, '' AS excuse
FROM stock_levels v
FULL JOIN (
	SELECT sku, location_id, sum(quantity - released - consumed) AS live FROM allocations GROUP BY sku, location_id
) a ON a.sku = v.sku AND a.location_id = v.location_id
WHERE coalesce(v.committed, 0) <> coalesce(a.live, 0)`

// Three accounts of the same units: the allocations, the stock ledger, and the parcels that left. What a picker did
// not find is given up by the order, and booked as a count.
const allocationsCloseOnce = `
WITH allocated AS (
	SELECT order_id, line_id, location_id, sum(quantity) AS reserved, sum(released) AS released, sum(consumed) AS consumed
	FROM allocations GROUP BY order_id, line_id, location_id
), moved AS (
	SELECT order_id, line_id, location_id, coalesce(sum(quantity) FILTER (WHERE kind = 'reservation'), 0) AS reserved,
		coalesce(sum(quantity) FILTER (WHERE kind IN ('release', 'count')), 0) AS released, coalesce(sum(quantity) FILTER (WHERE kind = 'shipment'), 0) AS consumed
	FROM stock_ledger WHERE order_id <> '' AND kind IN ('reservation', 'release', 'count', 'shipment') GROUP BY order_id, line_id, location_id
), left_us AS (
	SELECT l.order_id, l.line_id, f.location_id, sum(l.quantity) AS consumed
	FROM shipment_lines l JOIN shipments s ON s.id = l.shipment_id JOIN fulfillments f ON f.id = s.fulfillment_id
	WHERE s.handed_over_at IS NOT NULL GROUP BY l.order_id, l.line_id, f.location_id
), accounts AS (
	SELECT coalesce(a.order_id, m.order_id, p.order_id) AS order_id, coalesce(a.line_id, m.line_id, p.line_id) AS line_id,
		coalesce(a.location_id, m.location_id, p.location_id) AS location_id, coalesce(a.reserved, 0) AS reserved, coalesce(a.released, 0) AS released,
		coalesce(a.consumed, 0) AS consumed, coalesce(m.reserved, 0) AS moved_in, coalesce(m.released, 0) AS moved_back,
		coalesce(m.consumed, 0) AS moved_out, coalesce(p.consumed, 0) AS handed_over
	FROM allocated a
	FULL JOIN moved m ON m.order_id = a.order_id AND m.line_id = a.line_id AND m.location_id = a.location_id
	FULL JOIN left_us p ON p.order_id = coalesce(a.order_id, m.order_id) AND p.line_id = coalesce(a.line_id, m.line_id)
		AND p.location_id = coalesce(a.location_id, m.location_id)
)
SELECT line_id AS subject, format('order %s at %s: %s reserved, %s released, %s consumed; by the ledger %s, %s, %s; %s in parcels that left',
	order_id, location_id, reserved, released, consumed, moved_in, moved_back, moved_out, handed_over) AS detail, '' AS excuse
FROM accounts
WHERE (reserved, released, consumed) IS DISTINCT FROM (moved_in, moved_back, moved_out) OR consumed <> handed_over
UNION ALL
SELECT id, format('order %s: %s reserved, %s released, %s consumed', order_id, quantity, released, consumed), ''
FROM allocations WHERE released < 0 OR consumed < 0 OR released + consumed > quantity`

const shippedWasReceived = `
SELECT format('%s at %s', p.sku, p.location_id) AS subject, format('%s handed over, %s ever received', p.units, coalesce(l.units, 0)) AS detail, '' AS excuse
FROM (
	SELECT l.sku, f.location_id, sum(l.quantity) AS units
	FROM shipment_lines l JOIN shipments s ON s.id = l.shipment_id JOIN fulfillments f ON f.id = s.fulfillment_id
	WHERE s.handed_over_at IS NOT NULL GROUP BY l.sku, f.location_id
) p
LEFT JOIN (
	SELECT sku, location_id, sum(on_hand) AS units FROM stock_ledger
	WHERE kind IN ('receipt', 'adjustment', 'return_receipt', 'transfer_in', 'transfer_out', 'count', 'disposition') GROUP BY sku, location_id
) l ON l.sku = p.sku AND l.location_id = p.location_id
WHERE p.units > coalesce(l.units, 0)`

// Units that a picker did not find and of which nobody decided yet count as waiting.
const shippedWasOrdered = `
WITH held AS (
	SELECT line_id, sum(quantity - released - consumed) AS units FROM allocations GROUP BY line_id
), parcels AS (
	SELECT l.line_id, coalesce(sum(l.quantity) FILTER (WHERE s.handed_over_at IS NOT NULL), 0) AS shipped,
		coalesce(sum(l.quantity) FILTER (WHERE s.status = 'delivered'), 0) AS delivered, coalesce(sum(l.quantity) FILTER (WHERE s.status = 'lost'), 0) AS lost,
		coalesce(sum(l.quantity) FILTER (WHERE s.status = 'returning'), 0) AS undelivered
	FROM shipment_lines l JOIN shipments s ON s.id = l.shipment_id GROUP BY l.line_id
)
SELECT l.id AS subject, format('order %s: %s ordered, and %s shipped, %s cancelled, %s held, %s waiting', l.order_id, l.quantity, l.shipped, l.cancelled,
	coalesce(h.units, 0), l.backordered) AS detail, '' AS excuse
FROM order_lines l JOIN orders o ON o.id = l.order_id LEFT JOIN held h ON h.line_id = l.id
WHERE CASE WHEN o.status IN ('accepted', 'processing') THEN l.shipped + l.cancelled + coalesce(h.units, 0) + l.backordered <> l.quantity
	ELSE l.shipped + l.cancelled + coalesce(h.units, 0) > l.quantity OR l.backordered <> 0 END
UNION ALL
SELECT l.id, format('order %s: %s shipped, %s delivered, %s lost, %s undelivered; by its parcels %s, %s, %s, %s', l.order_id, l.shipped, l.delivered, l.lost, l.undelivered,
	coalesce(p.shipped, 0), coalesce(p.delivered, 0), coalesce(p.lost, 0), coalesce(p.undelivered, 0)), ''
FROM order_lines l LEFT JOIN parcels p ON p.line_id = l.id
WHERE (l.shipped, l.delivered, l.lost, l.undelivered) IS DISTINCT FROM
	(coalesce(p.shipped, 0), coalesce(p.delivered, 0), coalesce(p.lost, 0), coalesce(p.undelivered, 0)) OR l.delivered + l.lost + l.undelivered > l.shipped`

const finalHoldsNothing = `
SELECT o.id AS subject, format('the order is %s: its allocations hold %s, its rows in the stock ledger %s', o.status, coalesce(a.live, 0), coalesce(m.committed, 0)) AS detail, '' AS excuse
FROM orders o
LEFT JOIN (SELECT order_id, sum(quantity - released - consumed) AS live FROM allocations GROUP BY order_id) a ON a.order_id = o.id
LEFT JOIN (SELECT order_id, sum(committed) AS committed FROM stock_ledger WHERE order_id <> '' GROUP BY order_id) m ON m.order_id = o.id
WHERE o.status IN {final} AND (coalesce(a.live, 0) <> 0 OR coalesce(m.committed, 0) <> 0)
UNION ALL
SELECT o.id, format('the order is %s: of line %s %s were ordered, %s cancelled and %s shipped', o.status, l.id, l.quantity, l.cancelled, l.shipped), ''
FROM orders o JOIN order_lines l ON l.order_id = o.id
WHERE o.status IN {final} AND l.cancelled + l.shipped <> l.quantity`
