package verify_test

// creditFaults are about what the customer no longer owes, and what is given back of it.
var creditFaults = []corruption{
	{id: "V-M2", name: "more is to be given back than was captured", subject: `pay('lost-refund-refused')`, also: []string{"V-M10"}, plant: `
		ALTER TABLE payments DROP CONSTRAINT payments_refunds_within_captured;
		UPDATE payments SET captured = captured - 1 WHERE id = pay('lost-refund-refused');
		UPDATE operations SET amount = amount - 1, applied = applied - 1 WHERE key = 'capture/' || shp('lost-refund-refused');
		UPDATE sandbox.authorizations SET captured = captured - 1 WHERE order_id = ord('lost-refund-refused');
		ALTER TABLE sandbox.payment_ledger DISABLE TRIGGER payment_ledger_append_only;
		UPDATE sandbox.payment_ledger SET amount = amount - 1, requested_amount = requested_amount - 1 WHERE key = 'capture/' || shp('lost-refund-refused');
		UPDATE money_ledger SET amount = amount - 1 WHERE payment_id = pay('lost-refund-refused') AND account = 'captured';
		UPDATE money_ledger SET amount = amount - sign(amount) WHERE payment_id = pay('lost-refund-refused') AND account = 'capturing'`},
	{id: "V-M6", name: "a label for the way back of another return", subject: `'label/' || ret('return-approved')`, plant: `
		UPDATE operations SET return_id = 'ret_other' WHERE key = 'label/' || ret('return-approved')`},
	{id: "V-M8", name: "a return's is in doubt for long, and the operator was called for something else", subject: `'refund/' || rfd('return-in-doubt-for-long')`, plant: `
		UPDATE returns SET attention_code = '' WHERE id = ret('return-in-doubt-for-long');
		UPDATE orders SET attention_code = 'parcel_lost' WHERE id = ord('return-in-doubt-for-long')`},
	{id: "V-M10", name: "a fee for the way back was given back", subject: `ord('return-fee')`, plant: `
		UPDATE orders SET settled = false, waiting_for = 'gateway' WHERE id = ord('return-fee');
		UPDATE payments SET refunding = 1 WHERE id = pay('return-fee');` + asking("refund", "return-fee", "", "1")},
	{id: "V-M12", name: "a refused refund reserves nothing", subject: `rfd('lost-refund-refused')`, plant: `
		UPDATE payments SET refunding = 0 WHERE id = pay('lost-refund-refused');
		DELETE FROM money_ledger WHERE payment_id = pay('lost-refund-refused') AND account = 'refunding'`},

	{id: "V-M13", name: "units are credited beyond their worth", subject: `lin('lost-refunded')`, plant: `
		UPDATE credits SET amount = amount + 2 WHERE order_id = ord('lost-refunded') AND cause = 'lost';
		UPDATE order_lines SET credited = credited + 2 WHERE id = lin('lost-refunded')`},
	{id: "V-M13", name: "a credit that its line does not know", subject: `lin('partial')`, plant: `
		UPDATE order_lines SET credited = credited - 1 WHERE id = lin('partial')`},
	{id: "V-M13", name: "units of one credit that get different amounts", subject: `lin('cancelled')`, plant: `
		UPDATE credits SET amount = amount - 1 WHERE order_id = ord('cancelled') AND cause = 'cancelled';
		UPDATE order_lines SET credited = credited - 1 WHERE id = lin('cancelled')`},
	{id: "V-M13", name: "shipping is credited without a credit", subject: `ord('cancelled')`, plant: `
		UPDATE orders SET shipping_credited = shipping_credited - 1 WHERE id = ord('cancelled')`},

	{id: "V-M14", name: "lost, and no carrier said so", subject: `'crd_planted'`, plant: credited("shipped", "lost", "1", "2164", "shp('shipped')", "''")},
	{id: "V-M14", name: "returned, and nobody graded it", subject: `'crd_planted'`, plant: credited("return-received", "returned", "1", "2164", "shp('return-received')", "ret('return-received')")},
	{id: "V-M14", name: "shipping, and the goods arrived", subject: `'crd_planted'`, plant: credited("delivered", "shipping", "0", "500", "''", "''")},

	{id: "V-M15", name: "a refund that is not its parts", subject: `rfd('lost-refunded')`, plant: `
		UPDATE refund_lines SET amount = amount - 1 WHERE refund_id = rfd('lost-refunded');
		UPDATE order_lines SET refunded = refunded - 1 WHERE id = lin('lost-refunded')`},
	{id: "V-M15", name: "a refund that its line does not know", subject: `lin('lost-refunded')`, plant: `
		UPDATE order_lines SET refunded = refunded - 1 WHERE id = lin('lost-refunded')`},
	{id: "V-M15", name: "shipping is given back without a refund", subject: `ord('cancelled')`, plant: `
		UPDATE orders SET shipping_refunded = 1 WHERE id = ord('cancelled')`},
	{id: "V-M15", name: "asked for on behalf of nobody", subject: `'refund/' || rfd('return-closed')`, plant: `
		UPDATE operations SET return_id = '' WHERE refund_id = rfd('return-closed')`},

	{id: "V-M16", name: "told that he was paid", subject: `rfd('lost-refund-refused')`, also: []string{"V-M12"}, plant: `
		UPDATE refunds SET status = 'succeeded', settled_at = now() WHERE id = rfd('lost-refund-refused')`},
	{id: "V-M16", name: "paid, and told that he was not", subject: `rfd('lost-refunded')`, also: []string{"V-M12"}, plant: `
		UPDATE refunds SET status = 'refused', settled_at = NULL WHERE id = rfd('lost-refunded')`},
	{id: "V-M16", name: "refused, and forgotten", subject: `rfd('lost-refund-refused')`, plant: `
		UPDATE orders SET attention_code = '', settled = true WHERE id = ord('lost-refund-refused');
		UPDATE operations SET retry_at = NULL WHERE order_id = ord('lost-refund-refused')`},
	{id: "V-M16", name: "to be tried again long ago", subject: `rfd('return-refund-refused')`, plant: `
		UPDATE returns SET attention_code = '', waiting_for = 'gateway' WHERE id = ret('return-refund-refused');
		UPDATE operations SET retry_at = now() - interval '11 minutes' WHERE refund_id = rfd('return-refund-refused')`},
	{id: "V-M16", name: "pending, and nobody asks for it", subject: `rfd('return-graded')`, also: []string{"V-M6"}, plant: `
		UPDATE operations SET state = 'refused' WHERE refund_id = rfd('return-graded')`},

	{id: "V-M17", name: "paid back for what he will get", subject: `ord('wrong-capture')`, also: []string{"V-M15"}, plant: `
		ALTER TABLE orders DROP CONSTRAINT orders_shipping_refund_within_credit;
		UPDATE payments SET refunding = 600 WHERE id = pay('wrong-capture');` + asking("refund", "wrong-capture", "", "600") + `
		UPDATE refunds SET shipping = 600, excess = 0 WHERE id = 'rfd_wrong-capture';
		UPDATE orders SET shipping_refunded = 600 WHERE id = ord('wrong-capture')`},
}

// credited writes a credit of the first line down with its sum, as a decision would.
func credited(scenario, cause, quantity, amount, shipment, returnID string) string {
	line, sum := `lin('`+scenario+`')`, `UPDATE order_lines SET credited = credited + `+amount+` WHERE id = lin('`+scenario+`');`
	if cause == "shipping" {
		line, sum = `''`, `UPDATE orders SET shipping_credited = shipping_credited + `+amount+` WHERE id = ord('`+scenario+`');`
	}
	return `
		INSERT INTO credits (id, order_id, cause, line_id, first_unit, quantity, amount, shipment_id, return_id, reason, at)
		VALUES ('crd_planted', ord('` + scenario + `'), '` + cause + `', ` + line + `, 0, ` + quantity + `, ` + amount + `, ` + shipment + `, ` + returnID + `, '', now());` + sum
}

// unitFaults are about where units are, and what the books say of it.
var unitFaults = []corruption{
	{id: "V-S1", name: "more is damaged than cannot be sold", subject: `'LAST at nyc'`, plant: `
		ALTER TABLE stock_levels DROP CONSTRAINT stock_levels_damaged_within_unavailable;
		UPDATE stock_ledger SET damaged = 1 WHERE sku = 'LAST' AND kind = 'receipt';
		UPDATE stock_levels SET damaged = 1 WHERE sku = 'LAST'`},
	{id: "V-S2", name: "damage that nothing explains", subject: `'TEE-M at nyc'`, plant: `UPDATE stock_levels SET damaged = damaged - 1 WHERE sku = 'TEE-M'`},
	{id: "V-S4", name: "not found, and the ledger does not know", subject: `lin('short-elsewhere')`, also: []string{"V-S12"}, plant: `
		UPDATE stock_ledger SET kind = 'adjustment' WHERE order_id = ord('short-elsewhere') AND kind = 'count'`},
	{id: "V-S6", name: "a unit is neither held nor waiting", subject: `lin('backordered')`, also: []string{"V-S11"}, plant: `
		UPDATE order_lines SET backordered = 0 WHERE id = lin('backordered')`},
	{id: "V-S6", name: "a unit waits of an order that has ended", subject: `lin('cancelled')`, plant: `
		ALTER TABLE order_lines DROP CONSTRAINT order_lines_units_conserved;
		UPDATE order_lines SET backordered = 1 WHERE id = lin('cancelled')`},
	{id: "V-S6", name: "a parcel comes back, and its line does not know", subject: `lin('return-undelivered')`, also: []string{"V-R2"}, plant: `
		ALTER TABLE order_lines DROP CONSTRAINT order_lines_returns_within_delivered;
		UPDATE order_lines SET undelivered = 0 WHERE id = lin('return-undelivered')`},

	{id: "V-S8", name: "cancelled without a credit", subject: `lin('partial')`, also: []string{"V-S7"}, plant: `
		UPDATE order_lines SET cancelled = cancelled - 1 WHERE id = lin('partial')`},
	{id: "V-S8", name: "one unit is cancelled twice, another not at all", subject: `lin('cancelled')`, also: []string{"V-M13", "V-M14"}, plant: `
		DROP INDEX credits_cancelled_once;
		UPDATE credits SET quantity = 1, amount = 2164 WHERE order_id = ord('cancelled') AND cause = 'cancelled';
		` + credited("cancelled", "cancelled", "1", "2164", "''", "''") + `
		UPDATE order_lines SET credited = 2 * 2164 WHERE id = lin('cancelled')`},
	{id: "V-S8", name: "a cancelled unit left", subject: `lin('unit-cancelled')`, also: []string{"V-S10"}, plant: `
		UPDATE credits SET first_unit = 1 - first_unit WHERE order_id = ord('unit-cancelled')`},

	{id: "V-S9", name: "a short pick that its fulfillment order does not know", subject: `ful('short-elsewhere')`, plant: `
		UPDATE fulfillment_lines SET short = 0 WHERE fulfillment_id = ful('short-elsewhere')`},
	{id: "V-S9", name: "a cancelled unit is still to be picked", subject: `ful('unit-cancelled')`, plant: `
		UPDATE fulfillment_lines SET cancelled = 0 WHERE fulfillment_id = ful('unit-cancelled')`},
	{id: "V-S9", name: "a parcel that was never packed", subject: `ful('packed')`, plant: `
		UPDATE fulfillment_lines SET packed = 1 WHERE fulfillment_id = ful('packed')`},
	{id: "V-S9", name: "nothing is left, and it is in the queue", subject: `ful('shipped')`, plant: `
		UPDATE fulfillments SET status = 'in_progress' WHERE id = ful('shipped')`},
	{id: "V-S9", name: "closed, and something is left", subject: `ful('picked')`, also: []string{"V-O3"}, plant: `
		UPDATE fulfillments SET status = 'closed' WHERE id = ful('picked')`},
	{id: "V-S9", name: "stock for other units", subject: `ful('accepted')`, also: []string{"V-S4"}, plant: `
		UPDATE fulfillment_lines SET quantity = 1 WHERE fulfillment_id = ful('accepted');
		UPDATE allocations SET released = 1 WHERE order_id = ord('accepted');
		UPDATE order_lines SET backordered = 1 WHERE id = lin('accepted');
		UPDATE orders SET grantable = true, updated_at = now() WHERE id = ord('accepted');
		UPDATE stock_levels SET committed = committed - 1 WHERE sku = 'TEE-M';` + moved("TEE-M", "adjustment", "", "0", "-1")},

	{id: "V-S10", name: "two fulfillment orders serve one unit", subject: `lin('short-elsewhere')`, plant: `
		UPDATE fulfillment_lines SET first_unit = 0 WHERE order_id = ord('short-elsewhere')`},
	{id: "V-S10", name: "a unit in two parcels", subject: `lin('two-parcels')`, also: []string{"V-M10", "V-S9"}, plant: `
		UPDATE shipment_lines SET first_unit = 0 WHERE line_id = lin('two-parcels')`},
	{id: "V-S10", name: "a parcel with units of nobody", subject: `lin('packed')`, also: []string{"V-M10", "V-S9"}, plant: `
		UPDATE shipment_lines SET first_unit = 7 WHERE line_id = lin('packed')`},

	{id: "V-S11", name: "waits, and may not be given anything", subject: `ord('backordered')`, plant: `UPDATE orders SET grantable = false WHERE id = ord('backordered')`},
	{id: "V-S11", name: "waits for nothing, and stands in the queue", subject: `ord('accepted')`, plant: `UPDATE orders SET grantable = true WHERE id = ord('accepted')`},
	{id: "V-S11", name: "waits for what is there", subject: `ord('backordered')`, plant: arrived("ONLY-backordered", "11 minutes")},

	{id: "V-S11", name: "waits for what came in since it was not found", subject: `ord('short-backordered')`, plant: arrived("ONLY-short-backordered", "11 minutes") + `;
		UPDATE stock_levels SET arrived_at = now() - interval '11 minutes' WHERE sku = 'ONLY-short-backordered'`},

	{id: "V-S12", name: "came back somewhere else", subject: `ret('return-received')`, plant: `
		UPDATE return_lines SET location_id = 'lax' WHERE return_id = ret('return-received')`},
	{id: "V-S12", name: "graded as scrap, and booked as new", subject: `ret('return-scrapped')`, plant: `
		UPDATE stock_ledger SET reason = 'available' WHERE return_id = ret('return-scrapped') AND reason = 'damaged'`},
	{id: "V-S12", name: "left for another SKU, and never arrived", subject: `ret('return-closed')`, plant: `
		UPDATE stock_ledger SET return_id = '', kind = 'adjustment' WHERE return_id = ret('return-closed') AND kind = 'transfer_in'`},
	{id: "V-S12", name: "not found, and still on hand", subject: `ord('short-elsewhere')`, plant: `
		UPDATE stock_ledger SET on_hand = 0 WHERE order_id = ord('short-elsewhere') AND kind = 'count';
		UPDATE stock_levels SET on_hand = on_hand + 1 WHERE sku = 'ONLY-short-elsewhere' AND location_id = 'nyc'`},
	{id: "V-S12", name: "thrown away, and still in quality control", subject: `(SELECT format('GLOVE at nyc, row %s', id) FROM stock_ledger WHERE sku = 'GLOVE' AND on_hand < 0)`, plant: `
		UPDATE stock_ledger SET unavailable = 0 WHERE sku = 'GLOVE' AND on_hand < 0;
		UPDATE stock_levels SET unavailable = unavailable + 1 WHERE sku = 'GLOVE'`},
	{id: "V-S12", name: "came unexpected, and nobody booked it", subject: `ret('return-unexpected')`, plant: `
		UPDATE stock_ledger SET return_id = '' WHERE return_id = ret('return-unexpected')`},

	{id: "V-O3", name: "something was to happen long ago", subject: `ord('accepted')`, plant: `UPDATE orders SET deadline = now() - interval '11 minutes' WHERE id = ord('accepted')`},
	{id: "V-O3", name: "waits for stock, and none of its units does", subject: `ord('accepted')`, plant: `UPDATE orders SET waiting_for = 'stock' WHERE id = ord('accepted')`},
	{id: "V-O7", name: "past its deadline", subject: `(SELECT id FROM order_holds WHERE order_id = ord('on-hold'))`, plant: `
		UPDATE order_holds SET deadline = now() - interval '11 minutes' WHERE order_id = ord('on-hold')`},
	{id: "V-O7", name: "stands on an order that has ended", subject: `(SELECT id FROM order_holds WHERE order_id = ord('expired'))`, plant: `
		UPDATE order_holds SET released_at = NULL WHERE order_id = ord('expired')`},
	{id: "V-O8", name: "nobody decided", subject: `(SELECT id FROM short_picks WHERE order_id = ord('short-undecided'))`, plant: `
		UPDATE short_picks SET at = now() - interval '11 minutes' WHERE order_id = ord('short-undecided');
		UPDATE orders SET updated_at = now() - interval '11 minutes' WHERE id = ord('short-undecided')`},
}

// arrived puts a unit on hand at nyc, some time ago, that nobody was given.
func arrived(sku, ago string) string {
	return moved(sku, "receipt", "", "1", "0") + `
		UPDATE stock_ledger SET at = now() - interval '` + ago + `' WHERE sku = '` + sku + `' AND order_id = '';
		UPDATE stock_levels SET on_hand = on_hand + 1 WHERE sku = '` + sku + `' AND location_id = 'nyc'`
}

// returnFaults are about what comes back.
var returnFaults = []corruption{
	{id: "V-R1", name: "a unit in two returns", subject: `lin('return-again')`, plant: `
		UPDATE return_lines SET first_unit = 0 WHERE order_id = ord('return-again')`},
	{id: "V-R1", name: "a unit that never left", subject: `lin('return-requested')`, plant: `
		UPDATE return_lines SET first_unit = 7 WHERE return_id = ret('return-requested')`},
	{id: "V-R1", name: "a unit of another parcel", subject: `lin('return-requested')`, plant: `
		UPDATE return_lines SET shipment_id = shp('delivered') WHERE return_id = ret('return-requested')`},

	{id: "V-R2", name: "came back, and its line does not know", subject: `lin('return-received')`, plant: `UPDATE order_lines SET returned = 0 WHERE id = lin('return-received')`},
	{id: "V-R2", name: "given up, and its line does not know", subject: `lin('return-missing')`, plant: `UPDATE order_lines SET dismissed = 0 WHERE id = lin('return-missing')`},
	{id: "V-R2", name: "a return that counts and is not counted", subject: `lin('return-declined')`, plant: `
		UPDATE returns SET status = 'requested', settled = false, waiting_for = 'operator' WHERE id = ret('return-declined')`},

	{id: "V-R3", name: "graded more than there is", subject: `ret('return-half-graded')`, also: []string{"V-R5"}, plant: `
		UPDATE return_lines SET inspected = 0 WHERE return_id = ret('return-half-graded')`},
	{id: "V-R3", name: "a better rate than its grade's", subject: `ret('return-closed')`, plant: `
		UPDATE return_inspections SET percent = 81 WHERE return_id = ret('return-closed') AND grade = 'B'`},
	{id: "V-R3", name: "another amount than is credited", subject: `ret('return-closed')`, plant: `
		UPDATE return_inspections SET amount = amount + 1 WHERE return_id = ret('return-closed') AND grade = 'B'`},
	{id: "V-R3", name: "credited more than the grade gives", subject: `ret('return-graded')`, also: []string{"V-M13"}, plant: `
		UPDATE return_inspections SET amount = amount + 1 WHERE return_id = ret('return-graded');
		UPDATE credits SET amount = amount + 1 WHERE return_id = ret('return-graded');
		UPDATE order_lines SET credited = credited + 1 WHERE id = lin('return-graded')`},
	{id: "V-R3", name: "as new, and not sold again", subject: `ret('return-graded')`, also: []string{"V-S12"}, plant: `
		UPDATE return_inspections SET stock = 'damaged' WHERE return_id = ret('return-graded')`},

	{id: "V-R4", name: "closed, and not paid", subject: `ret('return-graded')`, plant: `
		UPDATE returns SET status = 'closed', closed_at = now() WHERE id = ret('return-graded')`},
	{id: "V-R4", name: "closed, and a unit is still expected", subject: `ret('return-half-graded')`, plant: `
		UPDATE returns SET status = 'closed', closed_at = now(), settled = true WHERE id = ret('return-half-graded')`},
	{id: "V-R4", name: "expired, and a unit is here", subject: `ret('return-received')`, also: []string{"V-R2"}, plant: `
		UPDATE returns SET status = 'expired', settled = true WHERE id = ret('return-received')`},
	{id: "V-R4", name: "everything is paid, and it does not end", subject: `ret('return-closed')`, also: []string{"V-R5"}, plant: `
		UPDATE returns SET status = 'inspected', closed_at = NULL, settled = false, waiting_for = 'gateway' WHERE id = ret('return-closed')`},

	{id: "V-R5", name: "past its deadline", subject: `ret('return-approved')`, plant: `UPDATE returns SET deadline = now() - interval '11 minutes' WHERE id = ret('return-approved')`},
	{id: "V-R5", name: "waits, and nothing says on what", subject: `ret('return-approved')`, plant: `UPDATE returns SET waiting_for = '' WHERE id = ret('return-approved')`},
	{id: "V-R5", name: "waits for a gateway that nobody asked", subject: `ret('return-approved')`, plant: `UPDATE returns SET waiting_for = 'gateway' WHERE id = ret('return-approved')`},
	{id: "V-R5", name: "waits for a warehouse that has nothing", subject: `ret('return-approved')`, plant: `UPDATE returns SET waiting_for = 'warehouse' WHERE id = ret('return-approved')`},
	{id: "V-R5", name: "waits for a carrier who has nothing", subject: `ret('return-approved')`, plant: `UPDATE returns SET waiting_for = 'carrier' WHERE id = ret('return-approved')`},
	{id: "V-R5", name: "waits for a customer, and the goods are here", subject: `ret('return-received')`, plant: `UPDATE returns SET waiting_for = 'customer' WHERE id = ret('return-received')`},
	{id: "V-R5", name: "waits for an operator whom nobody called", subject: `ret('return-label-refused')`, plant: `UPDATE returns SET attention_code = '' WHERE id = ret('return-label-refused')`},
	{id: "V-R5", name: "ended, and something is still to be done", subject: `ret('return-graded')`, also: []string{"V-R4"}, plant: `
		UPDATE returns SET status = 'closed', closed_at = now(), settled = true WHERE id = ret('return-graded')`},

	{id: "V-R6", name: "a fee that was not taken off", subject: `ret('return-fee')`, also: []string{"V-M10"}, plant: `
		UPDATE returns SET fee_charged = fee_charged + 1, label_fee = label_fee + 1 WHERE id = ret('return-fee')`},
	{id: "V-R6", name: "a refund for a return of another order", subject: `rfd('return-closed')`, plant: `
		UPDATE returns SET order_id = ord('delivered') WHERE id = ret('return-closed')`},
}
