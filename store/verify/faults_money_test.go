package verify_test

var moneyFaults = []corruption{
	{id: "V-M1", name: "less was authorized than captured", subject: `pay('paid-elsewhere')`, plant: `
		ALTER TABLE payments DROP CONSTRAINT payments_captures_within_authorized;
		UPDATE payments SET authorized = authorized - 1 WHERE id = pay('paid-elsewhere');
		UPDATE operations SET amount = amount - 1, applied = applied - 1 WHERE payment_id = pay('paid-elsewhere') AND kind = 'authorize';
		UPDATE money_ledger SET amount = amount - 1 WHERE payment_id = pay('paid-elsewhere') AND account = 'authorized'`},
	{id: "V-M1", name: "a capture of more than is held is on its way", subject: `pay('packed')`, plant: `
		ALTER TABLE payments DROP CONSTRAINT payments_captures_within_authorized;
		UPDATE payments SET capturing = authorized + 1 WHERE id = pay('packed');` + asking("capture", "packed", "", "4829")},
	{id: "V-M1", name: "more let go of than held", subject: `pay('accepted')`, plant: `
		ALTER TABLE payments DROP CONSTRAINT payments_captures_within_authorized;
		UPDATE payments SET expired = authorized + 1 WHERE id = pay('accepted');` + posted("accepted", "", "expired", "4829")},

	{id: "V-M2", name: "a refund of more than was captured is on its way", subject: `pay('wrong-capture')`, plant: `
		ALTER TABLE payments DROP CONSTRAINT payments_refunds_within_captured;
		UPDATE payments SET refunding = captured + 1 WHERE id = pay('wrong-capture');` + asking("refund", "wrong-capture", "", "4828")},

	{id: "V-M3", name: "a second hold survives the order", subject: `'pay_second'`, plant: `
		INSERT INTO payments (id, order_id, number, gateway, token, amount, currency, status, reference, refusal_code, next_url, unwanted,
			authorized, capturing, captured, voided, expired, refunding, refunded)
		VALUES ('pay_second', ord('delivered'), 2, 'external', '', 4828, 'USD', 'authorized', '', '', '', false, 4828, 0, 0, 0, 0, 0, 0);
		INSERT INTO money_ledger (order_id, payment_id, operation_key, account, amount, at) VALUES (ord('delivered'), 'pay_second', '', 'authorized', 4828, now())`},
	{id: "V-M3", name: "a lapsed hold is not written off", subject: `pay('accepted')`, plant: `
		UPDATE payments SET capture_before = now() - interval '16 minutes' WHERE id = pay('accepted')`},
	{id: "V-M3", name: "the operator was told that all is well", subject: `pay('void-refused')`, plant: `
		UPDATE orders SET attention_code = '', settled = true WHERE id = ord('void-refused');
		UPDATE operations SET retry_at = NULL WHERE order_id = ord('void-refused')`},

	{id: "V-M4", name: "two captures of one parcel", subject: `shp('split')`, plant: `
		DROP INDEX operations_one_live_per_shipment;
		UPDATE payments SET capturing = 1 WHERE id = pay('split');` + asking("capture", "split", "/2", "1")},

	{id: "V-M5", name: "one refund is asked for twice", subject: `'rfd_wrong-capture'`, plant: `
		DROP INDEX operations_one_live_per_refund;
		UPDATE payments SET refunding = 1 WHERE id = pay('wrong-capture');` + asking("refund", "wrong-capture", "", "1") + again("wrong-capture", "'rfd_wrong-capture'")},

	{id: "V-M8", name: "in doubt for long, nobody called", subject: `'authorize/' || pay('in-doubt')`, plant: `
		UPDATE operations SET created_at = now() - interval '16 minutes' WHERE payment_id = pay('in-doubt')`},
	{id: "V-M8", name: "never sent for long, nobody called", subject: `'authorize/' || pay('in-doubt')`, plant: `
		UPDATE operations SET state = 'pending', created_at = now() - interval '16 minutes' WHERE payment_id = pay('in-doubt')`},

	{id: "V-M9", name: "paid in another currency", subject: `pay('accepted')`, plant: `
		UPDATE payments SET currency = 'EUR' WHERE id = pay('accepted')`},
	{id: "V-M9", name: "a payment of nothing", subject: `pay('accepted')`, plant: `
		ALTER TABLE payments DROP CONSTRAINT payments_amount_positive;
		UPDATE payments SET amount = 0 WHERE id = pay('accepted')`},
	{id: "V-M9", name: "an operation on nothing", subject: `'void/' || pay('cancelling')`, plant: `
		UPDATE operations SET amount = 0 WHERE payment_id = pay('cancelling') AND kind = 'void'`},
	{id: "V-M9", name: "a balance that went back", subject: `pay('accepted')`, plant: posted("accepted", "", "voided", "1") + posted("accepted", "", "voided", "-1")},

	{id: "V-M10", name: "money for a parcel that left is on its way back", subject: `ord('shipped')`, plant: `
		UPDATE payments SET refunding = 1 WHERE id = pay('shipped');` + asking("refund", "shipped", "", "1")},
	{id: "V-M10", name: "a parcel that left was never paid", subject: `ord('paid-elsewhere')`, plant: `
		UPDATE payments SET captured = 4827 WHERE id = pay('paid-elsewhere');
		UPDATE money_ledger SET amount = 4827 WHERE payment_id = pay('paid-elsewhere') AND account = 'captured'`},
	{id: "V-M10", name: "a parcel is charged less than its units", subject: `shp('packed')`, plant: `
		UPDATE shipments SET amount = amount - 1 WHERE id = shp('packed')`},

	{id: "V-M11", name: "captured, cancelled, kept, nobody called", subject: `pay('refund-elsewhere')`, also: []string{"V-M16"}, plant: `
		UPDATE orders SET attention_code = '', settled = true WHERE id = ord('refund-elsewhere');
		UPDATE operations SET retry_at = NULL WHERE order_id = ord('refund-elsewhere')`},

	{id: "V-M12", name: "a balance without its row", subject: `pay('accepted')`, plant: `
		UPDATE payments SET authorized = authorized + 1 WHERE id = pay('accepted')`},
	{id: "V-M12", name: "a row of another order", subject: `pay('accepted')`, plant: `
		UPDATE money_ledger SET order_id = ord('shipped') WHERE payment_id = pay('accepted')`},
	{id: "V-M12", name: "an operation that was not posted", subject: `'capture/' || shp('capturing')`, plant: `
		UPDATE payments SET capturing = 0 WHERE id = pay('capturing');
		DELETE FROM money_ledger WHERE payment_id = pay('capturing') AND account = 'capturing'`},
	{id: "V-M12", name: "posted otherwise than applied", subject: `'capture/' || shp('wrong-capture')`, plant: `
		UPDATE payments SET captured = captured - 1 WHERE id = pay('wrong-capture');
		UPDATE money_ledger SET amount = amount - 1 WHERE payment_id = pay('wrong-capture') AND account = 'captured'`},
	{id: "V-M12", name: "a row of no operation", subject: `'capture/nobody'`, plant: posted("accepted", "capture/nobody", "capturing", "1") + posted("accepted", "", "capturing", "-1")},
}

// asking writes an operation of a scenario down as its decision would, asked for and not answered. A refund is of what
// was never owed.
func asking(kind, scenario, epoch, amount string) string {
	subject, shipment, refund, reserve := `'rfd_`+scenario+`'`, `''`, `'rfd_`+scenario+`'`, "refunding"
	if kind == "capture" {
		subject, reserve = `shp('`+scenario+`')`, "capturing"
		shipment, refund = subject, `''`
	}
	key := `'` + kind + `/' || ` + subject + ` || '` + epoch + `'`
	sql := `
		INSERT INTO operations (key, order_id, kind, payment_id, shipment_id, refund_id, amount, applied, state, attempts, reference, code, detail, created_at, updated_at)
		VALUES (` + key + `, ord('` + scenario + `'), '` + kind + `', pay('` + scenario + `'), ` + shipment + `, ` + refund + `, ` + amount + `, 0, 'pending', 0, '', '', '', now(), now());
		INSERT INTO money_ledger (order_id, payment_id, operation_key, account, amount, at)
		VALUES (ord('` + scenario + `'), pay('` + scenario + `'), ` + key + `, '` + reserve + `', ` + amount + `, now());`
	if kind == "refund" {
		sql += `
		INSERT INTO refunds (id, order_id, number, payment_id, cause, shipment_id, return_id, amount, shipping, excess, status, created_at)
		VALUES (` + refund + `, ord('` + scenario + `'), 99, pay('` + scenario + `'), 'excess', '', '', ` + amount + `, 0, ` + amount + `, 'pending', now());`
	}
	return sql
}

// again asks for a refund once more, under the next epoch of its key.
func again(scenario, refund string) string {
	return `
		INSERT INTO operations (key, order_id, kind, payment_id, shipment_id, return_id, refund_id, amount, applied, state, attempts, reference, code, detail, created_at, updated_at)
		SELECT 'refund/' || id || '/2', order_id, 'refund', payment_id, '', return_id, id, amount, 0, 'pending', 0, '', '', '', now(), now() FROM refunds WHERE id = ` + refund + `;
		UPDATE refunds SET status = 'pending' WHERE id = ` + refund + `;
		UPDATE orders SET settled = false, waiting_for = 'gateway' WHERE id = ord('` + scenario + `');`
}

// posted writes a row of the money ledger.
func posted(scenario, key, account, amount string) string {
	return `
		INSERT INTO money_ledger (order_id, payment_id, operation_key, account, amount, at)
		VALUES (ord('` + scenario + `'), pay('` + scenario + `'), '` + key + `', '` + account + `', ` + amount + `, now());`
}

var witnessFaults = []corruption{
	{id: "V-M6", name: "the gateway did what we know nothing of", subject: `'capture/shp_nobody'`, plant: theirs("capture/shp_nobody", "refused", "0")},
	{id: "V-M6", name: "the gateway holds what we gave up", subject: `'authorize/' || pay('abandoned')`, plant: `
		INSERT INTO sandbox.payment_ledger (key, kind, order_id, authorization_reference, requested_amount, amount, currency, outcome, code, detail, reference, next_url, applied_at)
		VALUES ('authorize/' || pay('abandoned'), 'authorize', ord('abandoned'), '', 4828, 4828, 'USD', 'succeeded', '', '', 'late', '', now())`},
	{id: "V-M6", name: "another amount", subject: `'void/' || pay('cancelled')`, plant: `
		UPDATE operations SET applied = applied - 1 WHERE key = 'void/' || pay('cancelled')`},
	{id: "V-M6", name: "another outcome", subject: `'label/' || shp('packed')`, plant: `
		UPDATE operations SET state = 'refused' WHERE key = 'label/' || shp('packed')`},
	{id: "V-M6", name: "another name", subject: `'authorize/' || pay('accepted')`, plant: `
		UPDATE operations SET reference = 'other' WHERE key = 'authorize/' || pay('accepted')`},
	{id: "V-M6", name: "another question", subject: `'label/' || shp('packed')`, plant: `
		UPDATE operations SET kind = 'void_label' WHERE key = 'label/' || shp('packed')`},
	{id: "V-M6", name: "the carrier has never heard of it", subject: `'void_label/' || shp('packed')`, plant: `
		INSERT INTO operations (key, order_id, kind, payment_id, shipment_id, amount, applied, state, attempts, reference, code, detail, created_at, updated_at)
		VALUES ('void_label/' || shp('packed'), ord('packed'), 'void_label', '', shp('packed'), 0, 0, 'succeeded', 0, '', '', '', now(), now())`},

	{id: "V-M7", name: "two epochs of a key were applied", subject: `'capture/' || shp('shipped')`, also: []string{"V-M6"}, plant: `
		INSERT INTO sandbox.payment_ledger (key, kind, order_id, authorization_reference, requested_amount, amount, currency, outcome, code, detail, reference, next_url, applied_at)
		VALUES ('capture/' || shp('shipped') || '/2', 'capture', ord('shipped'), '', 4828, 4828, 'USD', 'succeeded', '', '', 'again', '', now())`},
	{id: "V-M7", name: "one key was applied twice", subject: `'label/' || shp('packed')`, plant: `
		ALTER TABLE sandbox.carrier_ledger DROP CONSTRAINT carrier_ledger_pkey CASCADE;
		INSERT INTO sandbox.carrier_ledger SELECT * FROM sandbox.carrier_ledger WHERE key = 'label/' || shp('packed')`},
	{id: "V-M7", name: "a hold that its ledger does not explain", subject: `(SELECT reference FROM payments WHERE id = pay('accepted'))`, plant: `
		UPDATE sandbox.authorizations SET captured = 1 WHERE order_id = ord('accepted')`},
}

// theirs writes a row into the gateway's ledger.
func theirs(key, outcome, amount string) string {
	code := map[string]string{"refused": "capture_refused"}[outcome]
	return `
		INSERT INTO sandbox.payment_ledger (key, kind, order_id, authorization_reference, requested_amount, amount, currency, outcome, code, detail, reference, next_url, applied_at)
		VALUES ('` + key + `', 'capture', 'ord_nobody', '', 4828, ` + amount + `, 'USD', '` + outcome + `', '` + code + `', '', '` + key + `', '', now());`
}

var moneyNeighbors = []neighbor{
	{id: "V-M1", name: "refused, then captured: twice the amount was asked for", there: `(SELECT sum(amount) > 4828 FROM operations WHERE order_id = ord('captured-later') AND kind = 'capture')`},
	{id: "V-M1", name: "everything is captured or lapsed", there: `(SELECT expired = authorized FROM payments WHERE id = pay('lapsed'))`},
	{id: "V-M2", name: "everything was given back", there: `(SELECT refunded = captured AND captured > 0 FROM payments WHERE id = pay('refunded'))`},
	{id: "V-M2", name: "everything is on its way back", there: `(SELECT refunding = captured AND captured > 0 FROM payments WHERE id = pay('refunding'))`},
	{id: "V-M3", name: "cancelled, and the void is on its way", there: `EXISTS (SELECT 1 FROM operations WHERE order_id = ord('cancelling') AND kind = 'void' AND state = 'pending')`},
	{id: "V-M3", name: "cancelled, the void refused, an operator called", there: `(SELECT attention_code = 'void_refused' FROM orders WHERE id = ord('void-refused'))`},
	{id: "V-M3", name: "lapsed and written off", there: `(SELECT capture_before < now() AND expired > 0 FROM payments WHERE id = pay('lapsed'))`},
	{id: "V-M3", name: "lapsed a moment ago", arrange: `UPDATE payments SET capture_before = now() - interval '5 minutes' WHERE id = pay('accepted')`,
		there: `(SELECT capture_before < now() AND expired = 0 FROM payments WHERE id = pay('accepted'))`},
	{id: "V-M4", name: "refused, then captured under the next epoch", there: `(SELECT count(*) = 2 FROM operations WHERE shipment_id = shp('captured-later') AND kind = 'capture')`},
	{id: "V-M4", name: "refused, then captured from another payment", there: `(SELECT count(DISTINCT payment_id) = 2 FROM operations WHERE shipment_id = shp('captured-otherwise') AND kind = 'capture')`},
	{id: "V-M5", name: "refused, then asked for again", arrange: again("refund-elsewhere", "rfd('refund-elsewhere')"),
		there: `(SELECT count(*) = 2 FROM operations WHERE payment_id = pay('refund-elsewhere') AND kind = 'refund')`},
	{id: "V-M6", name: "the gateway has done what we do not know yet", there: `(SELECT l.outcome = 'succeeded' AND op.state = 'unknown' FROM operations op JOIN sandbox.payment_ledger l ON l.key = op.key WHERE op.order_id = ord('in-doubt'))`},
	{id: "V-M6", name: "given up, and the gateway never heard of it", there: `(SELECT state = 'abandoned' FROM operations WHERE order_id = ord('abandoned'))`},
	{id: "V-M6", name: "asked for, and not sent yet", there: `(SELECT state = 'pending' FROM operations WHERE order_id = ord('received'))`},
	{id: "V-M6", name: "another gateway's money", there: `(SELECT gateway = 'external' FROM payments WHERE id = pay('paid-elsewhere'))`},
	{id: "V-M6", name: "given up, and refused too late", arrange: `
		INSERT INTO sandbox.payment_ledger (key, kind, order_id, authorization_reference, requested_amount, amount, currency, outcome, code, detail, reference, next_url, applied_at)
		VALUES ('authorize/' || pay('abandoned'), 'authorize', ord('abandoned'), '', 4828, 0, 'USD', 'refused', 'card_declined', '', 'late', '', now())`,
		there: `EXISTS (SELECT 1 FROM sandbox.payment_ledger WHERE order_id = ord('abandoned'))`},
	{id: "V-M7", name: "asked twice, applied once", there: `(SELECT attempts > 1 FROM sandbox.requests WHERE key = 'capture/' || shp('asked-twice'))`},
	{id: "V-M7", name: "two epochs, of which one was refused", there: `(SELECT count(*) = 2 FROM sandbox.payment_ledger WHERE order_id = ord('captured-later') AND kind = 'capture')`},
	{id: "V-M8", name: "in doubt for long, and an operator was called", there: `(SELECT attention_code = 'gateway_unknown' FROM orders WHERE id = ord('in-doubt-for-long'))`},
	{id: "V-M8", name: "in doubt for a minute", there: `(SELECT state = 'unknown' FROM operations WHERE order_id = ord('in-doubt'))`},
	{id: "V-M8", name: "in doubt for long, and an operator resumed it just now", arrange: `
		UPDATE orders SET attention_code = '', sequence = sequence + 1 WHERE id = ord('in-doubt-for-long');
		INSERT INTO events (order_id, sequence, type, at, actor, request_id, status, detail, fulfillment_id, shipment_id, payment_id)
		SELECT id, sequence, 'order.attention_cleared', now(), '', '', status, '', '', '', '' FROM orders WHERE id = ord('in-doubt-for-long')`,
		there: `(SELECT attention_code = '' FROM orders WHERE id = ord('in-doubt-for-long'))`},
	{id: "V-M9", name: "what was reserved is reserved no longer", there: `EXISTS (SELECT 1 FROM money_ledger WHERE payment_id = pay('shipped') AND account = 'capturing' AND amount < 0)`},
	{id: "V-M9", name: "an order that costs nothing", there: `(SELECT total = 0 AND NOT EXISTS (SELECT 1 FROM payments WHERE order_id = ord('free')) FROM orders WHERE id = ord('free'))`},
	{id: "V-M10", name: "shipped, paid elsewhere, no capture", there: `(SELECT handed_over_at IS NOT NULL FROM shipments WHERE id = shp('paid-elsewhere'))`},
	{id: "V-M10", name: "captured less than asked for, and not shipped", there: `(SELECT captured = 4827 FROM payments WHERE id = pay('wrong-capture'))`},
	{id: "V-M10", name: "shipped for nothing but the shipping", there: `(SELECT amount = 500 FROM shipments WHERE id = shp('free-goods'))`},
	{id: "V-M10", name: "two parcels of one line, each at its own units", there: `(SELECT count(*) = 2 AND bool_and(handed_over_at IS NOT NULL) FROM shipments WHERE order_id = ord('two-parcels'))`},
	{id: "V-M11", name: "cancelled, and the refund is on its way", there: `(SELECT refunding > 0 FROM payments WHERE id = pay('refunding'))`},
	{id: "V-M11", name: "cancelled, the refund refused, an operator called", there: `(SELECT attention_code = 'refund_refused' FROM orders WHERE id = ord('refund-elsewhere'))`},
	{id: "V-M11", name: "cancelled, and what was held was let go", there: `(SELECT captured = 0 AND voided > 0 FROM payments WHERE id = pay('cancelled'))`},
	{id: "V-M12", name: "the gateway did less than it was asked", there: `(SELECT applied <> amount FROM operations WHERE key = 'capture/' || shp('wrong-capture'))`},
	{id: "V-M12", name: "a lapse, of which no operation knows", there: `EXISTS (SELECT 1 FROM money_ledger WHERE payment_id = pay('lapsed') AND operation_key = '')`},
}
