package store

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/order"
)

func TestFiguresCountWhatIsOpen(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	none, err := s.Figures(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"received": 0, "accepted": 0, "processing": 0}, none.Orders)

	accepted := change(t, s, place(t, s, placement("1")).ID, answer)
	_, err = s.Allocate(t.Context(), accepted.ID, act())
	require.NoError(t, err)
	place(t, s, placement("2"))
	change(t, s, place(t, s, placement("3")).ID, func(o *order.Order, a order.Act) error { return o.CancelWhole("test", a) })
	f, err := s.Figures(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"received": 1, "accepted": 1, "processing": 0}, f.Orders, "what is cancelled is over")
	require.EqualValues(t, 1, f.Waiting["warehouse"])
	require.Positive(t, f.Unstamped)
	require.Positive(t, f.OldestUnstamped)
	stampAll(t, s)
	f, err = s.Figures(t.Context())
	require.NoError(t, err)
	require.Zero(t, f.Unstamped)
	require.Zero(t, f.OldestUnstamped)
}

func TestEventsAreCountedOnce(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	for _, n := range []string{"1", "2", "3"} {
		change(t, s, place(t, s, placement(n)).ID, func(o *order.Order, a order.Act) error { return o.CancelWhole("test", a) })
	}
	events, begin, err := s.EventsAfter(t.Context(), -1, 1000)
	require.NoError(t, err)
	require.Zero(t, begin, "nobody has stamped")
	require.Len(t, events, len(order.EventTypes()))
	stampAll(t, s)
	_, last, err := s.Feed(t.Context(), 0, 1)
	require.NoError(t, err)

	const limit = 2
	counted := map[string]int64{}
	for after := begin; after < last; {
		events, upTo, err := s.EventsAfter(t.Context(), after, limit)
		require.NoError(t, err)
		require.Equal(t, min(after+limit, last), upTo)
		var n int64
		for kind := range events {
			n += events[kind]
			counted[kind] += events[kind]
		}
		require.Equal(t, upTo-after, n, "a round goes no further than its limit")
		after = upTo
	}
	require.EqualValues(t, 3, counted["order.received"])
	require.EqualValues(t, 3, counted["order.cancelled"])
	require.Zero(t, counted["order.accepted"])
	for _, after := range []int64{-1, last} {
		events, upTo, err := s.EventsAfter(t.Context(), after, limit)
		require.NoError(t, err)
		require.Equal(t, last, upTo)
		require.Zero(t, events["order.received"], "after %d", after)
	}
}

// What is over grows for ever. To count what is open must not cost more for it.
func TestFiguresAreReadFromIndexes(t *testing.T) {
	url := devtest.Database(t)
	s, err := Open(t.Context(), url, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	seed, err := connect(url, nil, 0, nil) // without the limits of a store: to write so much takes a while
	require.NoError(t, err)
	t.Cleanup(func() { _ = seed.Close() })
	place(t, s, placement("1"))
	const orders = 5000
	for _, statement := range []string{
		`INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', 'ord_' || lpad(i::text, 26, '0'), 'idempotency_key', i::text,
			'external_id', i::text || 'x') || CASE WHEN i % 100 = 0 THEN '{"status": "accepted", "settled": false, "waiting_for": "warehouse"}'::jsonb
			WHEN i % 1000 = 1 THEN '{"status": "processing", "settled": false, "waiting_for": "operator", "attention_code": "capture_refused"}'::jsonb
			ELSE '{"status": "completed", "settled": true, "waiting_for": "", "deadline": null}'::jsonb END)).*
			FROM orders o, generate_series(1, $1) i`,
		`INSERT INTO events (order_id, sequence, position, type, at, actor, request_id, status, detail, fulfillment_id, shipment_id, payment_id)
			SELECT 'ord_' || lpad(i::text, 26, '0'), 1, i, 'order.received', now(), '', '', 'received', '', '', '', '' FROM generate_series(1, $1) i`,
		`INSERT INTO inbox (order_id, kind, created_at, heard_at)
			SELECT 'ord_' || lpad(i::text, 26, '0'), 'scan', now(), CASE WHEN i > 10 THEN now() END FROM generate_series(1, $1) i`,
		`INSERT INTO returns (id, order_id, number, status, origin, decline_reason, returnless, label_fee, fee_charged, carrier, tracking_number,
			label_reference, label_code, tracking_status, waiting_for, attention_code, attention_detail, settled, created_at, updated_at)
			SELECT 'ret_' || lpad(i::text, 26, '0'), 'ord_' || lpad(i::text, 26, '0'), 1, CASE WHEN i % 100 = 0 THEN 'approved' ELSE 'closed' END,
			'customer', '', false, 0, 0, '', '', '', '', '', '', CASE WHEN i % 1000 = 0 THEN 'label_refused' ELSE '' END, '', i % 100 <> 0, now(), now()
			FROM generate_series(1, $1) i`,
	} {
		_, err := seed.ExecContext(t.Context(), statement, orders)
		require.NoError(t, err)
	}
	_, err = seed.ExecContext(t.Context(), `VACUUM ANALYZE`)
	require.NoError(t, err)
	for query, args := range map[string][]any{countOrders: nil, countWaiting: nil, countAttention: nil, countReturns: nil, countReturnsAttention: nil,
		countUnstamped: nil, countUnheard: nil, lastPosition: nil, countEvents: {orders - 50, orders}} {
		var plan []string
		require.NoError(t, s.db.SelectContext(t.Context(), &plan, `EXPLAIN `+query, args...))
		require.NotContains(t, strings.Join(plan, "\n"), "Seq Scan", query)
	}
	f, err := s.Figures(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, orders/100, f.Orders["accepted"])
	events, _, err := s.EventsAfter(t.Context(), orders-50, 1000)
	require.NoError(t, err)
	require.EqualValues(t, 50, events["order.received"])
}
