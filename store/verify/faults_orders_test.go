package verify_test

var orderFaults = []corruption{
	{id: "V-O2", name: "two orders of one key", subject: `least(ord('packed'), ord('accepted'))`, plant: `
		ALTER TABLE orders DROP CONSTRAINT orders_idempotency_key_once;
		UPDATE orders SET idempotency_key = (SELECT idempotency_key FROM orders WHERE id = ord('packed')) WHERE id = ord('accepted')`},
	{id: "V-O2", name: "two orders of one external id", subject: `(SELECT min(id) FROM orders WHERE external_id = 'picked')`, plant: `
		ALTER TABLE orders DROP CONSTRAINT orders_external_id_once;
		UPDATE orders SET external_id = 'picked' WHERE id = ord('packed')`},

	{id: "V-O3", name: "waits, and nothing says on what", subject: `ord('accepted')`, plant: `UPDATE orders SET waiting_for = '' WHERE id = ord('accepted')`},
	{id: "V-O3", name: "nobody decided its stock", subject: `ord('authorized')`, plant: `UPDATE orders SET updated_at = now() - interval '11 minutes' WHERE id = ord('authorized')`},
	{id: "V-O3", name: "its time has run out", subject: `ord('declined')`, plant: `UPDATE orders SET waiting_until = now() - interval '11 minutes' WHERE id = ord('declined')`},
	{id: "V-O3", name: "waits for a gateway that nobody asked", subject: `ord('accepted')`, plant: `UPDATE orders SET waiting_for = 'gateway' WHERE id = ord('accepted')`},
	{id: "V-O3", name: "waits for a payment that is not due", subject: `ord('accepted')`, plant: `UPDATE orders SET waiting_for = 'payment' WHERE id = ord('accepted')`},
	{id: "V-O3", name: "waits for a customer who has nothing to do", subject: `ord('accepted')`, plant: `UPDATE orders SET waiting_for = 'customer' WHERE id = ord('accepted')`},
	{id: "V-O3", name: "waits for an operator whom nobody called", subject: `ord('held')`, plant: `UPDATE orders SET attention_code = '' WHERE id = ord('held')`},
	{id: "V-O3", name: "waits for a warehouse that has nothing left to do", subject: `ord('shipped')`, plant: `UPDATE orders SET waiting_for = 'warehouse' WHERE id = ord('shipped')`},
	{id: "V-O3", name: "waits for a carrier who has no parcel", subject: `ord('accepted')`, plant: `UPDATE orders SET waiting_for = 'carrier' WHERE id = ord('accepted')`},
	{id: "V-O3", name: "ended, and something is still to be done", subject: `ord('cancelling')`, plant: `UPDATE orders SET settled = true WHERE id = ord('cancelling')`},
	{id: "V-O3", name: "ended, nothing to be done, and not settled", subject: `ord('delivered')`, plant: `UPDATE orders SET settled = false WHERE id = ord('delivered')`},

	{id: "V-O4", name: "a step that its life cycle does not have", subject: `ord('delivered')`, plant: `
		UPDATE events SET status = 'completed' WHERE order_id = ord('delivered') AND sequence = 3`},
	{id: "V-O4", name: "does not begin with its receipt", subject: `ord('accepted')`, plant: `
		UPDATE events SET type = 'order.accepted' WHERE order_id = ord('accepted') AND sequence = 1`},
	{id: "V-O4", name: "an event is missing", subject: `ord('accepted')`, also: []string{"V-E2", "V-E5"}, plant: `
		DELETE FROM events WHERE order_id = ord('accepted') AND sequence = 2`},
	{id: "V-O4", name: "the last event is missing", subject: `ord('shipped')`, also: []string{"V-E2", "V-E5"}, plant: `
		DELETE FROM events WHERE order_id = ord('shipped') AND sequence = (SELECT sequence FROM orders WHERE id = ord('shipped'))`},

	{id: "V-O5", name: "a status that no event gave it", subject: `ord('accepted')`, plant: `UPDATE orders SET status = 'processing' WHERE id = ord('accepted')`},

	{id: "V-O6", name: "another total", subject: `ord('accepted')`, plant: `UPDATE orders SET total = total + 1 WHERE id = ord('accepted')`},
	{id: "V-O6", name: "units that are not their line", subject: `lin('odd-amounts')`, plant: `
		UPDATE line_units SET tax = tax + 1, discount = discount + 1 WHERE line_id = lin('odd-amounts') AND first_unit = 0`},
	{id: "V-O6", name: "units that overlap", subject: `lin('accepted')`, plant: `UPDATE line_units SET first_unit = first_unit + 1 WHERE line_id = lin('accepted')`},
	{id: "V-O6", name: "shipping that no unit carries", subject: `ord('accepted')`, plant: `UPDATE line_units SET shipping = shipping + 1 WHERE order_id = ord('accepted')`},
	{id: "V-O6", name: "a discount that no line carries", subject: `ord('accepted')`, plant: `UPDATE order_lines SET order_discount = order_discount + 1, discount = discount - 1 WHERE order_id = ord('accepted')`},

	{id: "V-E2", name: "published in another order", subject: `ord('accepted')`, plant: `
		UPDATE events SET position = -position WHERE order_id = ord('accepted');
		UPDATE events SET position = (SELECT -min(position) - max(position) FROM events WHERE order_id = ord('accepted')) + position WHERE order_id = ord('accepted')`},
	{id: "V-E2", name: "published before the one before it", subject: `ord('accepted')`, also: []string{"V-E5"}, plant: `
		UPDATE events SET position = NULL WHERE order_id = ord('accepted') AND sequence = 1`},
	{id: "V-E5", name: "a position that no event has", subject: `'the feed'`, plant: `
		UPDATE events SET position = position + 1 WHERE position = (SELECT max(position) FROM events)`},
	{id: "V-E5", name: "a feed that does not begin with its first position", subject: `'the feed'`, plant: `
		UPDATE events SET position = position + 1000000`},
	{id: "V-E5", name: "nobody publishes", subject: `'the feed'`, plant: `
		UPDATE events SET position = NULL, at = now() - interval '11 minutes' WHERE position = (SELECT max(position) FROM events)`},
	{id: "V-E4", name: "left lying", subject: `ord('unheard')`, plant: `UPDATE inbox SET created_at = now() - interval '11 minutes' WHERE heard_at IS NULL`},
}

var orderNeighbors = []neighbor{
	{id: "V-O2", name: "the same external id in another channel", there: `(SELECT count(*) = 2 FROM orders WHERE external_id = 'accepted')`},
	{id: "V-O3", name: "waits for a payment until tomorrow", there: `(SELECT waiting_for = 'payment' AND waiting_until > now() FROM orders WHERE id = ord('declined'))`},
	{id: "V-O3", name: "waits for the customer", there: `(SELECT waiting_for = 'customer' FROM orders WHERE id = ord('challenged'))`},
	{id: "V-O3", name: "waits for stock, since a minute", there: `(SELECT waiting_for = 'stock' FROM orders WHERE id = ord('authorized'))`},
	{id: "V-O3", name: "waits for a gateway, since an hour", there: `(SELECT waiting_for = 'gateway' FROM orders WHERE id = ord('received'))`},
	{id: "V-O3", name: "waits for an operator, because of a hold", there: `(SELECT waiting_for = 'operator' AND attention_code = '' FROM orders WHERE id = ord('totals-differ'))`},
	{id: "V-O3", name: "an operator was called", there: `(SELECT waiting_for = 'operator' AND attention_code <> '' FROM orders WHERE id = ord('held'))`},
	{id: "V-O3", name: "its time has run out just now", arrange: `UPDATE orders SET waiting_until = now() - interval '5 minutes' WHERE id = ord('declined')`,
		there: `(SELECT waiting_until < now() FROM orders WHERE id = ord('declined'))`},
	{id: "V-O3", name: "ended, and something is still to be done", there: `(SELECT status = 'cancelled' AND NOT settled FROM orders WHERE id = ord('cancelling'))`},
	{id: "V-O4", name: "from received to its end in one step", there: `(SELECT status = 'rejected' AND sequence < 4 FROM orders WHERE id = ord('turned-away'))`},
	{id: "V-O4", name: "expired", there: `(SELECT status = 'expired' FROM orders WHERE id = ord('expired'))`},
	{id: "V-O5", name: "events after the end", there: `(SELECT type = 'payment.voided' AND status = 'cancelled' FROM events WHERE order_id = ord('cancelled') ORDER BY sequence DESC LIMIT 1)`},
	{id: "V-O6", name: "taken in although it does not foot", there: `(SELECT total = 4800 FROM orders WHERE id = ord('totals-differ'))`},
	{id: "V-O6", name: "amounts that do not divide by the units", there: `(SELECT count(*) > 2 FROM line_units WHERE line_id = lin('odd-amounts'))`},
	{id: "V-O6", name: "prices that include the tax", there: `(SELECT total = 4498 AND prices_include_tax FROM orders WHERE id = ord('tax-included'))`},
	{id: "V-O6", name: "shipping on lines that cost nothing", there: `(SELECT sum(quantity * shipping) = 500 FROM line_units WHERE order_id = ord('free-goods'))`},
	{id: "V-E2", name: "published up to some event", arrange: `
		UPDATE events SET position = NULL, at = now() WHERE sequence > 1 AND order_id = (SELECT order_id FROM events WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1)`,
		there: `(SELECT count(position) = 1 AND count(*) > 1 FROM events WHERE order_id = (SELECT order_id FROM events WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1))`},
	{id: "V-E5", name: "happened just now", arrange: `
		UPDATE events SET position = NULL, at = now() WHERE position = (SELECT max(position) FROM events)`,
		there: `EXISTS (SELECT 1 FROM events WHERE position IS NULL)`},
	{id: "V-E5", name: "became known later than it happened", arrange: `UPDATE events SET at = at - interval '1 day' WHERE order_id = ord('accepted')`,
		there: `EXISTS (SELECT 1 FROM events a JOIN events b ON b.position = a.position + 1 WHERE b.at < a.at - interval '23 hours')`},
	{id: "V-E4", name: "came in a minute ago", there: `EXISTS (SELECT 1 FROM inbox WHERE order_id = ord('unheard') AND heard_at IS NULL)`},
	{id: "V-E4", name: "came in an hour ago, and was heard", there: `EXISTS (SELECT 1 FROM inbox WHERE heard_at IS NOT NULL AND created_at < now() - interval '10 minutes')`},
}
