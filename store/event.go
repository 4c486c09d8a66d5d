package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/waybill-oms/waybill/domain/order"
)

// FeedEvent is an event as subscribers read it: where it stands in the feed, and what of its order they sort it by.
type FeedEvent struct {
	order.Event
	Position   int64 // 1, 2, 3 … over all orders
	OrderID    string
	ExternalID string
	Channel    string
	Currency   string
	Test       bool
}

// eventRow is how a row of events is read.
type eventRow struct {
	Sequence      int64           `db:"sequence"`
	Type          string          `db:"type"`
	At            time.Time       `db:"at"`
	Actor         string          `db:"actor"`
	RequestID     string          `db:"request_id"`
	Status        order.Status    `db:"status"`
	Detail        string          `db:"detail"`
	FulfillmentID string          `db:"fulfillment_id"`
	ShipmentID    string          `db:"shipment_id"`
	PaymentID     string          `db:"payment_id"`
	ReturnID      string          `db:"return_id"`
	Amount        *int64          `db:"amount"`
	Data          json.RawMessage `db:"data"`
}

const eventColumns = `e.sequence, e.type, e.at, e.actor, e.request_id, e.status, e.detail, e.fulfillment_id, e.shipment_id, e.payment_id, e.return_id, e.amount, e.data`

func (r eventRow) event() (order.Event, error) {
	e := order.Event{Sequence: r.Sequence, Type: r.Type, At: r.At, Actor: r.Actor, RequestID: r.RequestID, Status: r.Status, Detail: r.Detail,
		FulfillmentID: r.FulfillmentID, ShipmentID: r.ShipmentID, PaymentID: r.PaymentID, ReturnID: r.ReturnID, Amount: r.Amount}
	if err := json.Unmarshal(r.Data, &e.Data); err != nil {
		return e, fmt.Errorf("event %d of type %s: %w", r.Sequence, r.Type, err)
	}
	return e, nil
}

// Timeline reads an order's events after a sequence number.
func (s *Store) Timeline(ctx context.Context, orderID string, after int64, limit int) ([]order.Event, error) {
	var found []eventRow
	err := s.db.SelectContext(ctx, &found, `SELECT `+eventColumns+` FROM events e
		WHERE e.order_id = $1 AND e.sequence > $2 ORDER BY e.sequence LIMIT $3`, orderID, after, limit)
	if err != nil {
		return nil, classify(err)
	}
	events := make([]order.Event, len(found))
	for i, row := range found {
		if events[i], err = row.event(); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// Feed reads the events of all orders after a position, in the order of their positions, and says which position is
// the last one there is.
func (s *Store) Feed(ctx context.Context, after int64, limit int) (events []FeedEvent, last int64, err error) {
	if err := s.db.GetContext(ctx, &last, `SELECT COALESCE(max(position), 0) FROM events`); err != nil || last <= after {
		return nil, last, classify(err)
	}
	var found []struct {
		eventRow
		Position   int64  `db:"position"`
		OrderID    string `db:"order_id"`
		ExternalID string `db:"external_id"`
		Channel    string `db:"channel"`
		Currency   string `db:"currency"`
		Test       bool   `db:"test"`
	}
	err = s.db.SelectContext(ctx, &found, `SELECT `+eventColumns+`, e.position, e.order_id, o.external_id, o.channel, o.currency, o.test
		FROM events e JOIN orders o ON o.id = e.order_id WHERE e.position > $1 ORDER BY e.position LIMIT $2`, after, limit)
	if err != nil {
		return nil, last, classify(err)
	}
	events = make([]FeedEvent, len(found))
	for i, row := range found {
		e, err := row.event()
		if err != nil {
			return nil, last, err
		}
		events[i] = FeedEvent{e, row.Position, row.OrderID, row.ExternalID, row.Channel, row.Currency, row.Test}
	}
	if n := len(events); n > 0 {
		last = max(last, events[n-1].Position)
	}
	return events, last, nil
}

// sequencerLock is the advisory lock of whoever stamps positions. There is one such process at a time.
const sequencerLock = 7307492615

// StampEvents gives a position to at most limit committed events that have none, and says how many got one. Positions
// are dense over all orders, and an order's events get theirs in its own order: one whose predecessor has none waits
// for it. Only what is committed is seen, so a transaction that stays open for long delays its own events and nobody
// else's, and no reader who has passed a position can miss one before it. While another process stamps, it does nothing.
func (s *Store) StampEvents(ctx context.Context, limit int) (stamped int, err error) {
	err = s.inTx(ctx, func(tx *sqlx.Tx) error {
		var mine bool
		if err := tx.GetContext(ctx, &mine, `SELECT pg_try_advisory_xact_lock($1)`, sequencerLock); err != nil || !mine {
			return err
		}
		// The lock is given back after the commit can be seen, and this statement looks only now.
		result, err := tx.ExecContext(ctx, stampEvents, limit)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		stamped = int(n)
		return err
	})
	return stamped, err
}

// stampEvents looks up by key what comes right before each unbroken run of events: joined, it would be all of the events
// whenever the planner believes that few have a position.
const stampEvents = `
	WITH unstamped AS (
		SELECT order_id, sequence, row_number() OVER (PARTITION BY order_id ORDER BY sequence) AS nth
		FROM events WHERE position IS NULL),
	next AS (
		SELECT order_id, sequence FROM unstamped u
		WHERE sequence = nth OR (SELECT p.position IS NOT NULL FROM events p
			WHERE p.order_id = u.order_id AND p.sequence = u.sequence - u.nth)
		ORDER BY order_id, sequence LIMIT $1),
	placed AS (
		SELECT order_id, sequence, (SELECT COALESCE(max(position), 0) FROM events)
			+ row_number() OVER (ORDER BY order_id, sequence) AS position FROM next)
	UPDATE events e SET position = p.position FROM placed p WHERE e.order_id = p.order_id AND e.sequence = p.sequence`
