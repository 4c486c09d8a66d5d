package verify

// events lists the invariants of what is told to others, and of what others told us.
func events() []promise {
	return []promise{
		{id: "V-E1", protects: "What we call published was received: up to where a receiver has read, its own log has every event, and none that is not ours.", log: receiverLog, check: checkDelivered},
		{id: "V-E2", protects: "Subscribers miss nothing: an order's events are numbered without gaps, and published in that order.", sql: eventsHaveNoGaps},
		{id: "V-E3", protects: "Nobody hears of the end before the beginning: by a receiver's own log, an order's events came in their order.", log: receiverLog, check: checkArrivals},
		{id: "V-E4", protects: "Nothing that came in is left lying: what the run of an order, or of a return, has to hear of is heard within ten minutes.", sql: inboxDrains},
		{id: "V-E5", protects: "The feed is complete: its positions have no gaps, and what happens is in it within ten minutes.", sql: feedIsComplete},
	}
}

// An event is published when it has a position. One without holds back those after it.
const eventsHaveNoGaps = `
SELECT o.id AS subject, format('%s events are numbered %s to %s, and the order is at %s', coalesce(e.total, 0), coalesce(e.first, 0), coalesce(e.last, 0), o.sequence) AS detail, '' AS excuse
FROM orders o
LEFT JOIN (SELECT order_id, count(*) AS total, min(sequence) AS first, max(sequence) AS last FROM events GROUP BY order_id) e ON e.order_id = o.id
WHERE (coalesce(e.total, 0), coalesce(e.first, 1), coalesce(e.last, 0)) <> (o.sequence, 1, o.sequence)
UNION ALL
SELECT order_id, format('event %s is published at %s, and event %s before it %s', sequence, position, sequence - 1, coalesce('at ' || before, 'is not')), ''
FROM (SELECT order_id, sequence, position, lag(position) OVER (PARTITION BY order_id ORDER BY sequence) AS before, lag(sequence) OVER (PARTITION BY order_id ORDER BY sequence) AS previous FROM events) e
WHERE previous IS NOT NULL AND position IS NOT NULL AND (before IS NULL OR before > position)`

const inboxDrains = `
SELECT i.order_id AS subject, format('%s of %s has not been heard of (row %s)', i.kind, to_char(i.created_at, 'YYYY-MM-DD HH24:MI'), i.id) AS detail,
	CASE WHEN i.created_at < clock.now - interval '10 minutes' THEN '' ELSE 'in_flight' END AS excuse
FROM inbox i CROSS JOIN clock WHERE i.heard_at IS NULL`

const feedIsComplete = `
SELECT 'the feed' AS subject, format('%s events have positions %s to %s', count(position), min(position), max(position)) AS detail, '' AS excuse
FROM events HAVING count(position) > 0 AND (min(position), max(position)) <> (1, count(position))
UNION ALL
SELECT 'the feed', format('%s events of %s orders are not published, since %s', count(*), count(DISTINCT e.order_id), to_char(min(e.at), 'YYYY-MM-DD HH24:MI')),
	CASE WHEN min(e.at) < min(clock.now) - interval '10 minutes' THEN '' ELSE 'in_flight' END
FROM events e CROSS JOIN clock WHERE e.position IS NULL HAVING count(*) > 0`
