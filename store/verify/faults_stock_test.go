package verify_test

var stockFaults = []corruption{
	{id: "V-S1", name: "more is committed than there is", subject: `'TEE-M at nyc'`, plant: `
		ALTER TABLE stock_levels DROP CONSTRAINT stock_levels_committed_within_on_hand;` +
		moved("TEE-M", "adjustment", "", "(SELECT committed + unavailable - on_hand - 1 FROM stock_levels WHERE sku = 'TEE-M')", "0") + `
		UPDATE stock_levels SET on_hand = committed + unavailable - 1 WHERE sku = 'TEE-M'`},
	{id: "V-S1", name: "less than nothing is unavailable", subject: `'LAST at nyc'`, plant: `
		ALTER TABLE stock_levels DROP CONSTRAINT stock_levels_unavailable_not_negative, DROP CONSTRAINT stock_levels_damaged_within_unavailable;
		UPDATE stock_ledger SET unavailable = -1 WHERE sku = 'LAST' AND kind = 'receipt';
		UPDATE stock_levels SET unavailable = -1 WHERE sku = 'LAST'`},

	{id: "V-S2", name: "a level that nothing explains", subject: `'TEE-M at nyc'`, plant: `UPDATE stock_levels SET on_hand = on_hand + 1 WHERE sku = 'TEE-M'`},
	{id: "V-S2", name: "a level without any history", subject: `'NEW at nyc'`, plant: `
		INSERT INTO stock_levels (sku, location_id, on_hand, committed, unavailable) VALUES ('NEW', 'nyc', 5, 0, 0)`},
	{id: "V-S2", name: "a history without its level", subject: `'NEW at nyc'`, plant: moved("NEW", "receipt", "", "5", "0")},

	{id: "V-S3", name: "units that nobody holds", subject: `'TEE-M at nyc'`, plant: moved("TEE-M", "reservation", "", "0", "1") + `
		UPDATE stock_levels SET committed = committed + 1 WHERE sku = 'TEE-M'`},

	{id: "V-S4", name: "released, says the allocation; shipped, says the ledger", subject: `lin('shipped')`, also: []string{"V-S9"}, plant: `
		UPDATE allocations SET released = consumed, consumed = 0 WHERE order_id = ord('shipped')`},
	{id: "V-S4", name: "released twice", subject: `(SELECT id FROM allocations WHERE order_id = ord('cancelled'))`, also: []string{"V-S7"}, plant: `
		ALTER TABLE allocations DROP CONSTRAINT allocations_close_once;
		UPDATE allocations SET released = 2 * quantity WHERE order_id = ord('cancelled');` + moved("TEE-M", "release", "cancelled", "0", "-2") + `
		UPDATE stock_levels SET committed = committed - 2 WHERE sku = 'TEE-M'`},
	{id: "V-S4", name: "a parcel left, and the ledger does not know", subject: `lin('shipped')`, plant: `
		UPDATE stock_ledger SET kind = 'adjustment' WHERE order_id = ord('shipped') AND kind = 'shipment'`},

	{id: "V-S5", name: "more left than ever came in", subject: `'CAP at nyc'`, plant: `
		UPDATE stock_ledger SET on_hand = 0 WHERE sku = 'CAP' AND location_id = 'nyc' AND kind = 'shipment';
		UPDATE stock_ledger SET on_hand = (SELECT on_hand FROM stock_levels WHERE sku = 'CAP' AND location_id = 'nyc')
		WHERE sku = 'CAP' AND location_id = 'nyc' AND kind = 'receipt'`},

	{id: "V-S6", name: "a unit is cancelled and held", subject: `lin('accepted')`, also: []string{"V-S8"}, plant: `UPDATE order_lines SET cancelled = 1 WHERE id = lin('accepted')`},
	{id: "V-S6", name: "a unit was delivered without its parcel", subject: `lin('shipped')`, plant: `UPDATE order_lines SET delivered = 1 WHERE id = lin('shipped')`},
	{id: "V-S6", name: "a unit left without a parcel", subject: `lin('cancelled')`, also: []string{"V-S8"}, plant: `UPDATE order_lines SET cancelled = 1, shipped = 1 WHERE id = lin('cancelled')`},

	{id: "V-S7", name: "cancelled, and the stock is still held", subject: `ord('cancelled')`, also: []string{"V-S8"}, plant: `
		UPDATE allocations SET released = 0 WHERE order_id = ord('cancelled');
		DELETE FROM stock_ledger WHERE order_id = ord('cancelled') AND kind = 'release';
		UPDATE order_lines SET cancelled = 0 WHERE order_id = ord('cancelled');
		UPDATE stock_levels SET committed = committed + 2 WHERE sku = 'TEE-M'`},
	{id: "V-S7", name: "cancelled, and a unit is neither cancelled nor shipped", subject: `ord('cancelled')`, also: []string{"V-S8"}, plant: `
		UPDATE order_lines SET cancelled = 1 WHERE id = lin('cancelled')`},
	{id: "V-S7", name: "cancelled, and its rows do not sum to zero", subject: `ord('cancelled')`, plant: moved("TEE-M", "adjustment", "cancelled", "0", "1") + moved("TEE-M", "adjustment", "", "0", "-1")},
}

// moved writes a row of the stock ledger, at nyc, for the order of a scenario or for none.
func moved(sku, kind, scenario, onHand, committed string) string {
	orderID, lineID := `''`, `''`
	if scenario != "" {
		orderID, lineID = `ord('`+scenario+`')`, `lin('`+scenario+`')`
	}
	return `
		INSERT INTO stock_ledger (sku, location_id, kind, quantity, on_hand, committed, unavailable, order_id, line_id, reference, reason, actor, request_id, at)
		VALUES ('` + sku + `', 'nyc', '` + kind + `', abs(` + onHand + `) + abs(` + committed + `), ` + onHand + `, ` + committed + `, 0, ` + orderID + `, ` + lineID + `, '', '', '', '', now());`
}

var stockNeighbors = []neighbor{
	{id: "V-S1", name: "every unit is committed", arrange: moved("TEE-M", "adjustment", "", "(SELECT committed + unavailable - on_hand FROM stock_levels WHERE sku = 'TEE-M')", "0") + `
		UPDATE stock_levels SET on_hand = committed + unavailable WHERE sku = 'TEE-M'`, there: `(SELECT on_hand = committed + unavailable AND unavailable > 0 FROM stock_levels WHERE sku = 'TEE-M')`},
	{id: "V-S2", name: "a level of nothing, without any history", arrange: `
		INSERT INTO stock_levels (sku, location_id, on_hand, committed, unavailable) VALUES ('NEW', 'nyc', 0, 0, 0)`,
		there: `NOT EXISTS (SELECT 1 FROM stock_ledger WHERE sku = 'NEW')`},
	{id: "V-S3", name: "half of an order's units have left", there: `(SELECT count(*) FILTER (WHERE consumed > 0) = 1 AND count(*) FILTER (WHERE consumed = 0) = 1 FROM allocations WHERE order_id = ord('split'))`},
	{id: "V-S4", name: "one allocation is consumed, its sister is open", there: `(SELECT count(*) FILTER (WHERE consumed > 0) = 1 AND count(*) FILTER (WHERE consumed = 0) = 1 FROM allocations WHERE order_id = ord('split'))`},
	{id: "V-S4", name: "one line in two parcels", there: `(SELECT count(*) = 2 FROM shipment_lines WHERE line_id = lin('two-parcels'))`},
	{id: "V-S4", name: "picked, which moves nothing", there: `EXISTS (SELECT 1 FROM stock_ledger WHERE order_id = ord('picked') AND kind = 'pick')`},
	{id: "V-S5", name: "everything that came in has left", there: `(SELECT on_hand = 0 AND committed = 0 FROM stock_levels WHERE sku = 'LAST')`},
	{id: "V-S6", name: "lost, and found", there: `(SELECT delivered = quantity AND lost = 0 FROM order_lines WHERE id = lin('lost-and-found'))`},
	{id: "V-S6", name: "lost", there: `(SELECT lost = quantity FROM order_lines WHERE id = lin('lost'))`},
	{id: "V-S7", name: "rejected after its money was held: nothing was ever reserved", there: `(SELECT status = 'rejected' FROM orders WHERE id = ord('too-late'))`},
	{id: "V-S7", name: "cancelled when everything was packed", there: `(SELECT released = quantity FROM allocations WHERE order_id = ord('cancelled-packed'))`},
	{id: "V-S7", name: "all units lost, and the order at its end", there: `(SELECT status = 'completed' FROM orders WHERE id = ord('lost'))`},
}
