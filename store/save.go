package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

// table describes how rows of one table are written: as a JSON array in one statement, whatever their number.
// The JSON names of the domain types are the names of the columns.
type table struct {
	name    string
	key     string // conflict target; "" for append-only tables
	insert  string // every column, comma separated
	update  string // those that may change later
	version bool   // guard the update by the row's version
}

// sql writes the rows of one parameter. Where says of which of them, and moved, of a table that is guarded by its
// version, when those that are stored are to be left alone.
func (t table) sql(parameter int, where, moved string) string {
	s := fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM json_populate_recordset(NULL::%s, $%d)", t.name, t.insert, t.insert, t.name, parameter) + where
	switch {
	case t.key == "":
		return s
	case t.update == "":
		return s + " ON CONFLICT (" + t.key + ") DO NOTHING"
	}
	var set []string
	for column := range strings.SplitSeq(t.update, ",") {
		column = strings.TrimSpace(column)
		set = append(set, column+" = EXCLUDED."+column)
	}
	s += " ON CONFLICT (" + t.key + ") DO UPDATE SET " + strings.Join(set, ", ")
	if t.version {
		s += " WHERE " + versionClause + moved + " RETURNING " + t.key
	}
	return s
}

// versionClause is a variable for the same reason as lockClause.
var versionClause = "orders.version = EXCLUDED.version - 1"

// The tables of the aggregate, parents before children.
var (
	ordersTable = table{name: "orders", key: "id", version: true,
		insert: `id, idempotency_key, external_id, channel, currency, prices_include_tax, test, on_shortage, customer,
			ship_to, shipping_service, shipping_amount, shipping_tax, discount, total, gateway, token, priority,
			return_policy, status, decision, shortages, waiting_for, waiting_until, deadline, attention_code, attention_detail, attention_since,
			payment_status, fulfillment_status, return_status, promised_at, promise_given, promise_broken, grantable,
			shipping_credited, shipping_refunded, settled, version, sequence, created_at, updated_at`,
		update: `status, decision, shortages, waiting_for, waiting_until, deadline, attention_code, attention_detail,
			attention_since, payment_status, fulfillment_status, return_status, promised_at, promise_broken, grantable,
			shipping_credited, shipping_refunded, settled, version, sequence, updated_at`}
	linesTable = table{name: "order_lines", key: "id",
		insert: `id, order_id, position, external_id, sku, quantity, unit_price, discount, order_discount, tax,
			final_sale, cancelled, backordered, shipped, delivered, lost, undelivered, return_requested, returned,
			dismissed, credited, refunded, ordered_at`,
		update: `cancelled, backordered, shipped, delivered, lost, undelivered, return_requested, returned, dismissed,
			credited, refunded`}
	unitsTable = table{name: "line_units", key: "line_id, first_unit",
		insert: `line_id, order_id, first_unit, quantity, price, discount, tax, shipping, shipping_tax`}
	holdsTable = table{name: "order_holds", key: "id",
		insert: `id, order_id, fulfillment_id, reason, detail, owner, blocks, deadline, on_deadline, placed_at, released_at`,
		update: `detail, owner, deadline, released_at`}
	paymentsTable = table{name: "payments", key: "id",
		insert: `id, order_id, number, gateway, token, amount, currency, status, reference, capture_before,
			refusal_code, next_url, unwanted, authorized, capturing, captured, voided, expired, refunding, refunded`,
		update: `status, reference, capture_before, refusal_code, next_url, unwanted, authorized, capturing, captured,
			voided, expired, refunding, refunded`}
	operationsTable = table{name: "operations", key: "key",
		insert: `key, order_id, kind, payment_id, shipment_id, return_id, refund_id, amount, applied, state,
			attempts, reference, code, detail, retry_at, created_at, updated_at`,
		update: `applied, state, attempts, reference, code, detail, retry_at, updated_at`}
	fulfillmentsTable = table{name: "fulfillments", key: "id",
		insert: `id, order_id, number, location_id, status, created_at, updated_at`, update: `status, updated_at`}
	fulfillmentLinesTable = table{name: "fulfillment_lines", key: "fulfillment_id, line_id, first_unit",
		insert: `fulfillment_id, order_id, line_id, sku, first_unit, quantity, cancelled, short, picked, packed, shipped`,
		update: `cancelled, short, picked, packed, shipped`}
	shipmentsTable = table{name: "shipments", key: "id",
		insert: `id, order_id, fulfillment_id, number, status, tracking_status, tracking_at, carrier,
			tracking_number, label_reference, weight_grams, ship_requested, carries_shipping, amount, handed_over_at,
			first_scan_at, delivered_at, acknowledged, created_at`,
		update: `acknowledged, status, tracking_status, tracking_at, carrier, tracking_number, label_reference, ship_requested,
			carries_shipping, amount, handed_over_at, first_scan_at, delivered_at`}
	shipmentLinesTable = table{name: "shipment_lines", key: "shipment_id, line_id, first_unit",
		insert: `shipment_id, order_id, line_id, sku, first_unit, quantity`}
	allocationsTable = table{name: "allocations", key: "id",
		insert: `id, order_id, line_id, generation, fulfillment_id, location_id, sku, quantity, released, consumed, created_at`,
		update: `released, consumed`}
	shortPicksTable = table{name: "short_picks", key: "id",
		insert: `id, order_id, fulfillment_id, line_id, sku, location_id, first_unit, quantity, reason, decided, at`,
		update: `decided`}
	creditsTable = table{name: "credits", key: "id",
		insert: `id, order_id, cause, line_id, first_unit, quantity, amount, shipment_id, return_id, reason, at`}
	refundsTable = table{name: "refunds", key: "id",
		insert: `id, order_id, number, payment_id, cause, shipment_id, return_id, amount, shipping, excess, status,
			created_at, settled_at`,
		update: `status, settled_at`}
	refundLinesTable = table{name: "refund_lines", key: "refund_id, line_id",
		insert: `refund_id, order_id, line_id, quantity, amount`}
	returnsTable = table{name: "returns", key: "id",
		insert: `id, order_id, number, status, origin, decline_reason, returnless, approved_at, expires_at, closed_at,
			label_fee, fee_charged, carrier, tracking_number, label_reference, label_code, tracking_status,
			tracking_at, waiting_for, deadline, attention_code, attention_detail, attention_since, settled, created_at,
			updated_at`,
		update: `status, decline_reason, returnless, approved_at, expires_at, closed_at, label_fee, fee_charged,
			carrier, tracking_number, label_reference, label_code, tracking_status, tracking_at, waiting_for, deadline,
			attention_code, attention_detail, attention_since, settled, updated_at`}
	returnLinesTable = table{name: "return_lines", key: "return_id, line_id, first_unit",
		insert: `return_id, order_id, line_id, sku, first_unit, quantity, shipment_id, location_id, reason, received,
			inspected, dismissed`,
		update: `location_id, received, inspected, dismissed`}
	inspectionsTable = table{name: "return_inspections", key: "return_id, line_id, first_unit",
		insert: `return_id, order_id, line_id, sku, first_unit, quantity, grade, stock, location_id, percent, amount, at`}
	unexpectedTable = table{name: "return_unexpected", key: "return_id, number",
		insert: `return_id, order_id, number, sku, quantity, location_id, at`}
	scansTable       = table{name: "shipment_scans", insert: `shipment_id, status, occurred_at, location, moved, received_at`}
	moneyLedgerTable = table{name: "money_ledger", insert: `order_id, payment_id, operation_key, account, amount, at`}
	stockLedgerTable = table{name: "stock_ledger", insert: `sku, location_id, kind, quantity, on_hand, committed,
			unavailable, damaged, order_id, line_id, return_id, reference, reason, actor, request_id, at`}
	eventsTable = table{name: "events", insert: `order_id, sequence, type, at, actor, request_id, status, detail,
			fulfillment_id, shipment_id, payment_id, return_id, amount, data`}
	inboxTable    = table{name: "inbox", insert: `order_id, return_id, kind, created_at`}
	commandsTable = table{name: "commands", insert: `key, name, subject, fingerprint, request, at`}

	aggregateTables = []table{ordersTable, linesTable, unitsTable, holdsTable, paymentsTable, operationsTable,
		fulfillmentsTable, fulfillmentLinesTable, shipmentsTable, shipmentLinesTable, allocationsTable, shortPicksTable,
		creditsTable, refundsTable, refundLinesTable, returnsTable, returnLinesTable, inspectionsTable, unexpectedTable}
	effectTables = []table{scansTable, moneyLedgerTable, stockLedgerTable, eventsTable, inboxTable, commandsTable}

	// tables are written in this order: parents before children.
	tables = append(append([]table(nil), aggregateTables...), effectTables...)
)

// rows are the JSON rows to write, by table.
type rows map[string][]json.RawMessage

// add appends v's JSON object, with further members in front of it.
func (r rows) add(t table, v any, members ...string) {
	r[t.name] = append(r[t.name], object(v, members...))
}

func object(v any, members ...string) json.RawMessage {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: %T does not marshal: %v", v, err)) // domain types always do
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i := 0; i < len(members); i += 2 {
		value, _ := json.Marshal(members[i+1])
		fmt.Fprintf(&b, "%q:%s,", members[i], value)
	}
	if bytes.Equal(body, []byte("{}")) && len(members) > 0 {
		b.Truncate(b.Len() - 1)
	}
	b.Write(body[1:])
	return b.Bytes()
}

// aggregate lists every row of an order.
func (r rows) aggregate(o *order.Order) {
	mine := []string{"order_id", o.ID}
	bare := *o
	bare.Lines, bare.Holds, bare.Payments, bare.Operations = nil, nil, nil, nil
	bare.Fulfillments, bare.Shipments, bare.Allocations = nil, nil, nil
	bare.ShortPicks, bare.Credits, bare.Refunds, bare.Returns = nil, nil, nil, nil
	r.add(ordersTable, bare)
	for _, l := range o.Lines {
		units := l.Units
		l.Units = nil
		r.add(linesTable, l, "order_id", o.ID, "ordered_at", o.CreatedAt.Format(time.RFC3339Nano))
		for _, u := range units {
			r.add(unitsTable, u, "order_id", o.ID, "line_id", l.ID)
		}
	}
	for _, h := range o.Holds {
		r.add(holdsTable, h, mine...)
	}
	for _, p := range o.Payments {
		r.add(paymentsTable, p, mine...)
	}
	for _, op := range o.Operations {
		r.add(operationsTable, op, mine...)
	}
	for _, f := range o.Fulfillments {
		lines := f.Lines
		f.Lines = nil
		r.add(fulfillmentsTable, f, mine...)
		for _, l := range lines {
			r.add(fulfillmentLinesTable, l, "order_id", o.ID, "fulfillment_id", f.ID)
		}
	}
	for _, s := range o.Shipments {
		lines := s.Lines
		s.Lines = nil
		r.add(shipmentsTable, s, mine...)
		for _, l := range lines {
			r.add(shipmentLinesTable, l, "order_id", o.ID, "shipment_id", s.ID)
		}
	}
	for _, a := range o.Allocations {
		r.add(allocationsTable, a, mine...)
	}
	for _, p := range o.ShortPicks {
		r.add(shortPicksTable, p, mine...)
	}
	for _, c := range o.Credits {
		r.add(creditsTable, c, mine...)
	}
	for _, f := range o.Refunds {
		lines := f.Lines
		f.Lines = nil
		r.add(refundsTable, f, mine...)
		for _, l := range lines {
			r.add(refundLinesTable, l, "order_id", o.ID, "refund_id", f.ID)
		}
	}
	for _, ret := range o.Returns {
		r.goods(o.ID, ret)
	}
}

// goods lists every row of a return.
func (r rows) goods(orderID string, ret order.Return) {
	mine := []string{"order_id", orderID, "return_id", ret.ID}
	bare := ret
	bare.Lines, bare.Inspections, bare.Unexpected = nil, nil, nil
	r.add(returnsTable, bare, "order_id", orderID)
	for _, l := range ret.Lines {
		r.add(returnLinesTable, l, mine...)
	}
	for _, i := range ret.Inspections {
		r.add(inspectionsTable, i, mine...)
	}
	for _, u := range ret.Unexpected {
		r.add(unexpectedTable, u, mine...)
	}
}

// snapshot remembers what is stored, so that only what changed is written.
func snapshot(orders []*order.Order) map[string]bool {
	r := rows{}
	for _, o := range orders {
		r.aggregate(o)
	}
	stored := map[string]bool{}
	for name, list := range r {
		for _, row := range list {
			stored[name+string(row)] = true
		}
	}
	return stored
}

// acted is an order and the act that changed it.
type acted struct {
	order *order.Order
	act   order.Act
}

// difference is what has to be written.
type difference struct {
	rows      rows
	orders    int64 // how many of them are to be written
	movements []inventory.Movement
	at        time.Time
}

// differing is what changed of the orders since before, with everything that their decisions noted. An order that did
// not change at all is left alone.
func differing(before map[string]bool, changes []acted) difference {
	d := difference{rows: rows{}}
	for _, c := range changes {
		o, act := c.order, c.act
		e := o.Effects()
		if len(e.Events)+len(e.Scans)+len(e.Movements)+len(e.Entries) == 0 {
			same := rows{}
			if same.aggregate(o); !same.drop(before) {
				continue
			}
		}
		o.Version++
		o.Project(act)
		mine := rows{}
		mine.aggregate(o)
		mine.drop(before)
		for name, list := range mine {
			d.rows[name] = append(d.rows[name], list...)
		}
		d.rows.effects(o, act)
		d.movements = append(d.movements, e.Movements...)
		if d.orders == 0 {
			d.at = act.At
		}
		d.orders++
	}
	return d
}

// save writes what changed of the orders, which are locked.
func save(ctx context.Context, tx *sqlx.Tx, before map[string]bool, changes []acted) error {
	d := differing(before, changes)
	if d.orders == 0 {
		return nil
	}
	written, err := d.rows.write(ctx, tx, d.orders, nil)
	if err != nil {
		return err
	}
	if written != d.orders {
		return fmt.Errorf("orders: %d of %d rows written: the version moved under the lock", written, d.orders)
	}
	return d.move(ctx, tx)
}

// move changes the levels by what was written to the ledger.
func (d difference) move(ctx context.Context, tx *sqlx.Tx) error {
	if err := applyMovements(ctx, tx, d.movements); err != nil {
		return err
	}
	return cameBack(ctx, tx, d.movements, d.at)
}

// cameBack notes when goods that came back became available: whoever was told that there are none may be given them.
func cameBack(ctx context.Context, tx *sqlx.Tx, movements []inventory.Movement, at time.Time) error {
	var skus, locations []string
	for _, m := range movements {
		if m.Kind == inventory.TransferIn || m.Kind == inventory.Disposition && m.Unavailable < 0 {
			skus, locations = append(skus, m.SKU), append(locations, m.LocationID)
		}
	}
	if len(skus) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE stock_levels l SET arrived_at = $3 FROM unnest(CAST($1 AS text[]), CAST($2 AS text[])) AS came (sku, location_id)
		WHERE l.sku = came.sku AND l.location_id = came.location_id`, pq.Array(skus), pq.Array(locations), at)
	return err
}

// drop leaves out the rows that are stored already and reports whether any is left.
func (r rows) drop(stored map[string]bool) bool {
	left := false
	for name, list := range r {
		var changed []json.RawMessage
		for _, row := range list {
			if !stored[name+string(row)] {
				changed = append(changed, row)
			}
		}
		r[name] = changed
		left = left || len(changed) > 0
	}
	return left
}

func (r rows) effects(o *order.Order, act order.Act) {
	e := o.Effects()
	for _, s := range e.Scans {
		r.add(scansTable, s)
	}
	for _, m := range e.Entries {
		r.add(moneyLedgerTable, m)
	}
	for _, m := range e.Movements {
		r.add(stockLedgerTable, m, "actor", act.Actor, "request_id", act.RequestID, "at", act.At.Format(timeFormat))
	}
	for _, ev := range e.Events {
		r.add(eventsTable, ev, "order_id", o.ID)
	}
	wake := func(returnID string) {
		r.add(inboxTable, struct{}{}, "order_id", o.ID, "return_id", returnID, "kind", "facts", "created_at", act.At.Format(timeFormat))
	}
	if e.Wake {
		wake("")
	}
	for _, returnID := range e.WakeReturns {
		wake(returnID)
	}
}

// write writes all rows in one statement, which is one round trip, and returns how many orders it wrote. Unless that is
// as many as were to be written, those whose version moved were left alone and nothing else was written at all; with
// unmoved, so is an order that was not last changed at that time.
func (r rows) write(ctx context.Context, q sqlx.QueryerContext, orders int64, unmoved *time.Time) (written int64, err error) {
	var parts []string
	var args []any
	parameter := func(v any) int {
		args = append(args, v)
		return len(args)
	}
	var guard, moved string
	if orders > 0 {
		guard = fmt.Sprintf(" WHERE (SELECT count(*) FROM written) = $%d", parameter(orders))
	}
	if unmoved != nil {
		moved = fmt.Sprintf(" AND orders.updated_at = $%d", parameter(*unmoved))
	}
	result := "0"
	for _, t := range tables {
		if len(r[t.name]) == 0 {
			continue
		}
		body, err := json.Marshal(r[t.name])
		if err != nil {
			return 0, err
		}
		n := parameter(string(body))
		if t.version {
			parts, result = append(parts, "written AS ("+t.sql(n, "", moved)+")"), "(SELECT count(*) FROM written)"
			continue
		}
		parts = append(parts, t.name+"_written AS ("+t.sql(n, guard, "")+")")
	}
	if len(parts) == 0 {
		return 0, nil
	}
	err = sqlx.GetContext(ctx, q, &written, "WITH "+strings.Join(parts, ",\n")+"\nSELECT "+result, args...)
	return written, err
}

const timeFormat = "2006-01-02T15:04:05.999999999Z07:00"

// leveled leaves out movements that change no level.
func leveled(movements []inventory.Movement) []inventory.Movement {
	return slices.DeleteFunc(slices.Clone(movements), func(m inventory.Movement) bool {
		return m.OnHand == 0 && m.Committed == 0 && m.Unavailable == 0 && m.Damaged == 0
	})
}

// applyMovements changes the levels by what was written to the ledger. The rows are locked in (sku, location)
// order first, as everybody does who changes several: an UPDATE by itself takes them as it finds them.
func applyMovements(ctx context.Context, tx *sqlx.Tx, movements []inventory.Movement) error {
	moving := leveled(movements)
	if len(moving) == 0 {
		return nil
	}
	body, err := json.Marshal(moving)
	if err != nil {
		return err
	}
	coming := slices.DeleteFunc(slices.Clone(moving), func(m inventory.Movement) bool { return m.OnHand <= 0 })
	if err := ensureLevels(ctx, tx, coming); err != nil {
		return err
	}
	const deltas = `(SELECT sku, location_id, sum(on_hand) AS on_hand, sum(committed) AS committed, sum(unavailable) AS unavailable,
		sum(damaged) AS damaged
		FROM json_to_recordset($1) AS m(sku text COLLATE "C", location_id text COLLATE "C", on_hand bigint, committed bigint,
			unavailable bigint, damaged bigint)
		GROUP BY sku, location_id)`
	var locked []string
	err = tx.SelectContext(ctx, &locked, `SELECT l.sku FROM stock_levels l JOIN `+deltas+` d
		ON d.sku = l.sku AND d.location_id = l.location_id ORDER BY l.sku, l.location_id FOR NO KEY UPDATE OF l`, string(body))
	if err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `UPDATE stock_levels l SET on_hand = l.on_hand + d.on_hand,
		committed = l.committed + d.committed, unavailable = l.unavailable + d.unavailable, damaged = l.damaged + d.damaged
		FROM `+deltas+` d WHERE d.sku = l.sku AND d.location_id = l.location_id`, string(body))
	if err != nil {
		return err
	}
	if n, _ := res.RowsAffected(); n != int64(len(locked)) || n == 0 {
		return fmt.Errorf("stock_levels: %d of %d rows changed", n, len(locked))
	}
	return nil
}

// ensureLevels makes the rows of goods that a location never had, in the order in which everybody locks them.
func ensureLevels(ctx context.Context, tx *sqlx.Tx, movements []inventory.Movement) error {
	if len(movements) == 0 {
		return nil
	}
	body, err := json.Marshal(movements)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO stock_levels (sku, location_id, on_hand, committed, unavailable)
		SELECT DISTINCT sku, location_id, 0, 0, 0
		FROM json_to_recordset($1) AS m(sku text COLLATE "C", location_id text COLLATE "C") ORDER BY sku, location_id
		ON CONFLICT (sku, location_id) DO NOTHING`, string(body))
	return err
}
