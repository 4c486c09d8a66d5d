package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
)

// Command is a caller's request to change something, known by its idempotency key. It is written with the change,
// so that the same key finds out that it was done.
type Command struct {
	Key         string
	Name        string          // "pick", "receipt" …
	Subject     string          // what it is about: an order's, a fulfillment order's, a location's id
	Fingerprint string          // of the whole request
	Request     json.RawMessage // to name the fields that differ, should the key come again with another body
}

// commandRow is a command as it is stored.
type commandRow struct {
	Key         string          `json:"key"`
	Name        string          `json:"name"`
	Subject     string          `json:"subject"`
	Fingerprint string          `json:"fingerprint"`
	Request     json.RawMessage `json:"request"`
	At          time.Time       `json:"at"`
}

func (c *Command) row(act order.Act) commandRow {
	r := commandRow{c.Key, c.Name, c.Subject, c.Fingerprint, c.Request, act.At}
	if r.Request == nil {
		r.Request = json.RawMessage("{}")
	}
	return r
}

// Change is the one way in which an order changes: decide changes the order as it is stored, and what differs
// afterwards is written at once: the facts, their ledger rows, their events and the command's key. An error of decide
// changes nothing and comes back as it is. When the command was done before, decide is not asked and the order
// comes back as it stands now. A nil command needs none: repeating it must be harmless by itself. Decide may be asked
// more than once, of different states; the last one counts.
//
// Errors: NotFound when there is no such order; idempotency_key_reused when the command's key was used for
// another request; the refusal of the constraint that was hit; Unavailable when the database is away.
func (s *Store) Change(ctx context.Context, orderID string, cmd *Command, act order.Act, decide func(*order.Order) error) (*order.Order, error) {
	out, err := s.changeUnmoved(ctx, orderID, cmd, act, decide)
	if errors.Is(err, errMoved) {
		out, err = s.changeLocked(ctx, orderID, cmd, act, decide)
	}
	if err != nil {
		return nil, classify(err)
	}
	s.seen.keep(out)
	return out, nil
}

// errMoved says that an order has to be locked to be changed.
var errMoved = errors.New("the order was not what it was taken for")

// changeUnmoved changes an order without locking it beforehand: it decides on the order as it was last seen, and writes
// in one statement that does nothing unless it still is that. Where no stock moves that is two round trips at most, and
// it is wrong about nothing: whatever it finds otherwise is errMoved, and whatever is not plainly done is left to the lock,
// such as refusals, which may be those of a state that is over.
func (s *Store) changeUnmoved(ctx context.Context, orderID string, cmd *Command, act order.Act, decide func(*order.Order) error) (*order.Order, error) {
	o, err := s.Recent(ctx, orderID)
	if err != nil {
		return nil, err
	}
	before, unmoved := snapshot([]*order.Order{o}), o.UpdatedAt
	if err := decide(o); err != nil {
		return nil, errMoved
	}
	d := differing(before, []acted{{o, act}})
	if d.orders == 0 {
		return nil, errMoved
	}
	if cmd != nil {
		d.rows.add(commandsTable, cmd.row(act))
	}
	var written int64
	if len(leveled(d.movements)) == 0 {
		written, err = d.rows.write(ctx, s.db, d.orders, &unmoved)
	} else {
		err = s.once(ctx, func(tx *sqlx.Tx) error {
			if written, err = d.rows.write(ctx, tx, d.orders, &unmoved); err != nil || written != d.orders {
				return err
			}
			return d.move(ctx, tx)
		})
	}
	if err != nil || written != d.orders {
		s.seen.forget(orderID)
	}
	if again(err) || violates(err, "commands_pkey") || err == nil && written != d.orders {
		return nil, errMoved
	}
	return o, err
}

// changeLocked changes an order that nobody else can change meanwhile.
func (s *Store) changeLocked(ctx context.Context, orderID string, cmd *Command, act order.Act, decide func(*order.Order) error) (out *order.Order, err error) {
	err = s.repeat(ctx, func(tx *sqlx.Tx) error {
		out = nil
		if err := lockOrder(ctx, tx, orderID); err != nil {
			return err
		}
		done, err := claim(ctx, tx, cmd, act)
		if err != nil {
			return err
		}
		loaded, err := loadOne(ctx, tx, orderID)
		if err != nil {
			return err
		}
		before := snapshot(loaded)
		out = loaded[0]
		if done {
			return nil
		}
		if err := decide(out); err != nil {
			return err
		}
		return save(ctx, tx, before, []acted{{out, act}})
	})
	return out, err
}

// Order reads one order. Errors: NotFound.
func (s *Store) Order(ctx context.Context, orderID string) (*order.Order, error) {
	loaded, err := loadOne(ctx, s.db, orderID)
	if err != nil {
		return nil, classify(err)
	}
	if len(loaded) == 0 {
		return nil, fault.NotFoundf("there is no such order")
	}
	s.seen.keep(loaded[0])
	return loaded[0], nil
}

// Recent is an order as this process saw it a few seconds ago, or else as it is: for whoever has to be ready for its
// having changed since he read it. Errors: NotFound.
func (s *Store) Recent(ctx context.Context, orderID string) (*order.Order, error) {
	if o := s.seen.order(orderID); o != nil {
		return o, nil
	}
	return s.Order(ctx, orderID)
}

// lockOrder makes everybody else who wants to change the order wait. It is a statement of its own: what is loaded
// by the next one is then what the one before us committed.
func lockOrder(ctx context.Context, tx *sqlx.Tx, orderID string) error {
	var locked []string
	if err := tx.SelectContext(ctx, &locked, `SELECT id FROM orders WHERE id = $1 `+lockClause, orderID); err != nil {
		return err
	}
	if len(locked) == 0 {
		return fault.NotFoundf("there is no such order")
	}
	return nil
}

// lockClause is a variable so that a test can take the guard away and watch the constraints, and then see what
// happens without either.
var lockClause = "FOR NO KEY UPDATE"

// claim writes the command's key, or reports that it was written before.
func claim(ctx context.Context, tx *sqlx.Tx, cmd *Command, act order.Act) (done bool, err error) {
	if cmd == nil {
		return false, nil
	}
	row := cmd.row(act)
	res, err := tx.ExecContext(ctx, `
		INSERT INTO commands (key, name, subject, fingerprint, request, at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (key) DO NOTHING`, row.Key, row.Name, row.Subject, row.Fingerprint, string(row.Request), row.At)
	if err != nil {
		return false, err
	}
	if n, _ := res.RowsAffected(); n == 1 {
		return false, nil
	}
	var stored string
	if err := tx.GetContext(ctx, &stored, `SELECT fingerprint FROM commands WHERE key = $1`, cmd.Key); err != nil {
		return false, err
	}
	if stored != cmd.Fingerprint {
		return false, fault.New(fault.Invalid, "idempotency_key_reused", "this Idempotency-Key was used for another request")
	}
	return true, nil
}

// shipmentSQL reads whole parcels, for the aggregate and for lists.
const shipmentSQL = `SELECT s.id, s.fulfillment_id, s.number, s.status, s.tracking_status, s.tracking_at, s.carrier,
	s.tracking_number, s.label_reference, s.weight_grams, s.ship_requested, s.carries_shipping, s.amount,
	s.handed_over_at, s.first_scan_at, s.delivered_at, s.acknowledged, s.created_at,
	(SELECT json_agg(sl ORDER BY sl.line_id, sl.first_unit) FROM (SELECT line_id, sku, first_unit, quantity
		FROM shipment_lines WHERE shipment_id = s.id) sl) AS lines
	FROM shipments s`

// returnSQL reads whole returns, for the aggregate and for lists.
const returnSQL = `SELECT t.id, t.number, t.status, t.origin, t.decline_reason, t.returnless, t.approved_at, t.expires_at,
	t.closed_at, t.label_fee, t.fee_charged, t.carrier, t.tracking_number, t.label_reference, t.label_code,
	t.tracking_status, t.tracking_at, t.waiting_for, t.deadline, t.attention_code, t.attention_detail, t.attention_since,
	t.settled, t.created_at, t.updated_at,
	(SELECT json_agg(y ORDER BY y.line_id, y.first_unit) FROM (SELECT line_id, sku, first_unit, quantity, shipment_id,
		location_id, reason, received, inspected, dismissed FROM return_lines WHERE return_id = t.id) y) AS lines,
	(SELECT json_agg(y ORDER BY y.at, y.line_id, y.first_unit) FROM (SELECT line_id, sku, first_unit, quantity, grade, stock,
		location_id, percent, amount, at FROM return_inspections WHERE return_id = t.id) y) AS inspections,
	(SELECT json_agg(y ORDER BY y.number) FROM (SELECT number, sku, quantity, location_id, at FROM return_unexpected
		WHERE return_id = t.id) y) AS unexpected
	FROM returns t`

// The orders of loadSQL.
const (
	loadTheseSQL = loadSQL + `= ANY($1) ORDER BY o.id) t`
	loadOneSQL   = loadSQL + `= $1) t`
)

// loadSQL reads whole aggregates, one JSON document each: one round trip, and the children of one moment.
const loadSQL = `
SELECT row_to_json(t) FROM (SELECT
	o.id, o.idempotency_key, o.external_id, o.channel, o.currency, o.prices_include_tax, o.test, o.on_shortage,
	o.customer, o.ship_to, o.shipping_service, o.shipping_amount, o.shipping_tax, o.discount, o.total, o.gateway,
	o.token, o.priority, o.return_policy, o.status, o.decision, o.shortages, o.waiting_for, o.waiting_until, o.deadline, o.attention_code,
	o.attention_detail, o.attention_since, o.payment_status, o.fulfillment_status, o.return_status,
	o.promised_at, o.promise_given, o.promise_broken, o.grantable, o.shipping_credited, o.shipping_refunded, o.settled, o.version, o.sequence, o.created_at,
	o.updated_at,
	(SELECT json_agg(x ORDER BY x.position) FROM (SELECT l.id, l.position, l.external_id, l.sku, l.quantity,
		l.unit_price, l.discount, l.order_discount, l.tax, l.final_sale, l.cancelled, l.backordered, l.shipped,
		l.delivered, l.lost, l.undelivered, l.return_requested, l.returned, l.dismissed, l.credited, l.refunded,
		(SELECT json_agg(u ORDER BY u.first_unit) FROM (SELECT first_unit, quantity, price, discount, tax, shipping,
			shipping_tax FROM line_units WHERE line_id = l.id) u) AS units
		FROM order_lines l WHERE l.order_id = o.id) x) AS lines,
	(SELECT json_agg(x ORDER BY x.placed_at, x.id) FROM (SELECT id, fulfillment_id, reason, detail, owner, blocks,
		deadline, on_deadline, placed_at, released_at FROM order_holds WHERE order_id = o.id) x) AS holds,
	(SELECT json_agg(x ORDER BY x.number) FROM (SELECT id, number, gateway, token, amount, currency, status,
		reference, capture_before, refusal_code, next_url, unwanted, authorized, capturing, captured, voided,
		expired, refunding, refunded FROM payments WHERE order_id = o.id) x) AS payments,
	(SELECT json_agg(x ORDER BY x.created_at, x.key) FROM (SELECT key, kind, payment_id, shipment_id, return_id,
		refund_id, amount, applied, state, attempts, reference, code, detail, retry_at, created_at, updated_at
		FROM operations WHERE order_id = o.id) x) AS operations,
	(SELECT json_agg(x ORDER BY x.number) FROM (SELECT f.id, f.number, f.location_id, f.status, f.created_at,
		f.updated_at, (SELECT json_agg(fl ORDER BY fl.line_id, fl.first_unit) FROM (SELECT line_id, sku, first_unit, quantity,
			cancelled, short, picked, packed, shipped FROM fulfillment_lines WHERE fulfillment_id = f.id) fl) AS lines
		FROM fulfillments f WHERE f.order_id = o.id) x) AS fulfillments,
	(SELECT json_agg(x ORDER BY x.number) FROM (` + shipmentSQL + ` WHERE s.order_id = o.id) x) AS shipments,
	(SELECT json_agg(x ORDER BY x.id) FROM (SELECT id, line_id, generation, fulfillment_id, location_id, sku,
		quantity, released, consumed, created_at FROM allocations WHERE order_id = o.id) x) AS allocations,
	(SELECT json_agg(x ORDER BY x.at, x.id) FROM (SELECT id, fulfillment_id, line_id, sku, location_id, first_unit, quantity,
		reason, decided, at FROM short_picks WHERE order_id = o.id) x) AS short_picks,
	(SELECT json_agg(x ORDER BY x.at, x.id) FROM (SELECT id, cause, line_id, first_unit, quantity, amount, shipment_id,
		return_id, reason, at FROM credits WHERE order_id = o.id) x) AS credits,
	(SELECT json_agg(x ORDER BY x.number) FROM (SELECT r.id, r.number, r.payment_id, r.cause, r.shipment_id, r.return_id,
		r.amount, r.shipping, r.excess, r.status, r.created_at, r.settled_at,
		(SELECT json_agg(rl ORDER BY rl.line_id) FROM (SELECT line_id, quantity, amount FROM refund_lines
			WHERE refund_id = r.id) rl) AS lines
		FROM refunds r WHERE r.order_id = o.id) x) AS refunds,
	(SELECT json_agg(x ORDER BY x.number) FROM (` + returnSQL + ` WHERE t.order_id = o.id) x) AS returns
	FROM orders o WHERE o.id `

func load(ctx context.Context, q sqlx.QueryerContext, orderIDs []string) ([]*order.Order, error) {
	var docs [][]byte
	if err := sqlx.SelectContext(ctx, q, &docs, loadTheseSQL, pq.Array(orderIDs)); err != nil {
		return nil, err
	}
	return decode(docs)
}

// loadOne loads the order, if there is one. It has a text of its own: for one id PostgreSQL finds a plan that is good for
// all of them, and keeps it.
func loadOne(ctx context.Context, q sqlx.QueryerContext, orderID string) ([]*order.Order, error) {
	var docs [][]byte
	if err := sqlx.SelectContext(ctx, q, &docs, loadOneSQL, orderID); err != nil {
		return nil, err
	}
	return decode(docs)
}

func decode(docs [][]byte) ([]*order.Order, error) {
	orders := make([]*order.Order, len(docs))
	for i, doc := range docs {
		orders[i] = new(order.Order)
		if err := json.Unmarshal(doc, orders[i]); err != nil {
			return nil, fmt.Errorf("load order: %w", err)
		}
	}
	return orders, nil
}
