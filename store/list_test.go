package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/order"
)

// shelf places orders of a few goods, some with two lines of the same one, some at the same time as others.
func shelf(t *testing.T, s *Store) {
	t.Helper()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range 24 {
		p := placement(fmt.Sprintf("shelf-%d", i))
		p.Channel = []string{"web", "app"}[i%2]
		p.Customer.Email = fmt.Sprintf("Customer-%d@example.com", i%5)
		p.OnShortage = order.OnShortageBackorder
		l := p.Lines[0]
		l.SKU = []string{"SOCK", "HAT", "TIE"}[i%3]
		p.Lines, p.Total = []order.PlacedLine{l}, 4828
		if i%4 == 0 {
			p.Lines, p.Total = []order.PlacedLine{l, l}, 2*4328+500
		}
		a := act()
		a.At = at.Add(time.Duration(i/2) * time.Hour)
		_, _, err := s.Place(t.Context(), p, a.NewID("ord"), p.ExternalID, a)
		require.NoError(t, err)
	}
}

// pages reads a list to its end, two orders at a time.
func pages(t *testing.T, s *Store, f OrderFilter) (names []string) {
	t.Helper()
	for f.Page.Limit = 2; ; {
		found, err := s.Orders(t.Context(), f)
		require.NoError(t, err)
		for _, o := range found {
			names = append(names, o.ExternalID)
			f.Page.AfterAt, f.Page.AfterID = o.CreatedAt, o.ID
		}
		if len(found) == 0 {
			return names
		}
	}
}

// Every filter beside a good selects what it would of all orders, in the same order, each once.
func TestOrdersOfAGood(t *testing.T) {
	s := open(t)
	shelf(t, s)
	yes, no := true, false
	noon := time.Date(2026, 3, 1, 17, 0, 0, 0, time.UTC)
	for name, f := range map[string]OrderFilter{
		"nothing else": {}, "channel": {Channel: "app"}, "status": {Status: "received"}, "external id": {ExternalID: "shelf-4"},
		"from": {CreatedFrom: noon}, "before": {CreatedBefore: noon}, "between": {CreatedFrom: noon, CreatedBefore: noon.Add(3 * time.Hour)},
		"attention": {Attention: &yes}, "none": {Attention: &no}, "waits": {WaitingFor: "payment"}, "query": {Query: "customer-1@"}, "other query": {Query: "shelf-1"},
	} {
		all := pages(t, s, f)
		for _, sku := range []string{"SOCK", "HAT", "TIE", "NOTHING"} {
			f.SKU = sku
			var want []string
			for _, externalID := range all {
				if len(rowsOf(t, s.db, `SELECT l.id FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE l.sku = '`+sku+`' AND o.external_id = '`+externalID+`'`)) > 0 {
					want = append(want, externalID)
				}
			}
			require.Equal(t, want, pages(t, s, f), "%s, %s", name, sku)
		}
	}
	require.Len(t, pages(t, s, OrderFilter{SKU: "SOCK"}), 8)
}

// Lines of before 0004 have the time of their order afterwards, and lists find what they found.
func TestMigration0004(t *testing.T) {
	s := open(t)
	shelf(t, s)
	provider, err := newProvider(s.db.DB)
	require.NoError(t, err)
	indexes := func() []string {
		return rowsOf(t, s.db, `SELECT indexdef || i.indisvalid FROM pg_indexes p JOIN pg_index i ON i.indexrelid = p.indexname::regclass WHERE schemaname = 'public' ORDER BY 1`)
	}
	lines := func() []string { return rowsOf(t, s.db, `SELECT id || ' ' || ordered_at FROM order_lines ORDER BY 1`) }
	fresh, indexed, found := lines(), indexes(), pages(t, s, OrderFilter{SKU: "HAT"})
	for range 2 { // it goes back, and forth again
		_, err = provider.DownTo(t.Context(), 3)
		require.NoError(t, err)
		_, err = provider.Up(t.Context())
		require.NoError(t, err)
		require.Equal(t, fresh, lines())
		require.Equal(t, indexed, indexes())
		require.Equal(t, found, pages(t, s, OrderFilter{SKU: "HAT"}))
	}
	// An attempt that was cut off is gone over again.
	_, err = s.db.ExecContext(t.Context(), `DELETE FROM goose_db_version WHERE version_id = 4; UPDATE order_lines SET ordered_at = now()`)
	require.NoError(t, err)
	_, err = provider.Up(t.Context())
	require.NoError(t, err)
	require.Equal(t, fresh, lines())
	require.Equal(t, indexed, indexes())
}

// No filter makes a list look at all orders: what is rare is looked up, what is frequent is met soon.
func TestListsAreReadFromIndexes(t *testing.T) {
	url := devtest.Database(t)
	s, err := Open(t.Context(), url, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	place(t, s, placement("1"))
	seed, err := connect(url, nil, 0, nil) // without the limits of a store: to write so much takes a while
	require.NoError(t, err)
	t.Cleanup(func() { _ = seed.Close() })
	for _, statement := range []string{
		`INSERT INTO orders SELECT r.* FROM orders o, generate_series(1, $1) i, LATERAL jsonb_populate_record(o, jsonb_build_object('id', 'ord_' || lpad(i::text, 26, '0'), 'idempotency_key', i::text,
			'external_id', i::text || 'x', 'created_at', now() - i * interval '1 minute', 'customer', jsonb_build_object('id', 'c-' || i, 'name', 'Ada ' || i,
			'email', 'ada-' || i || '@example.com')) || CASE WHEN i % 100 = 0 THEN '{"status": "accepted", "settled": false, "waiting_for": "warehouse"}'::jsonb
			WHEN i % 1000 = 1 THEN '{"status": "processing", "settled": false, "waiting_for": "operator", "attention_code": "capture_refused"}'::jsonb
			ELSE '{"status": "completed", "settled": true, "waiting_for": "", "deadline": null}'::jsonb END) r`,
		`INSERT INTO order_lines SELECT r.* FROM order_lines l, generate_series(1, $1) i, LATERAL jsonb_populate_record(l, jsonb_build_object('id', 'lin_' || lpad(i::text, 26, '0'),
			'order_id', 'ord_' || lpad(i::text, 26, '0'), 'sku', 'SKU-' || i % 1000, 'ordered_at', now() - i * interval '1 minute')) r`,
	} {
		_, err := seed.ExecContext(t.Context(), statement, 20_000)
		require.NoError(t, err)
	}
	_, err = seed.ExecContext(t.Context(), `VACUUM ANALYZE`)
	require.NoError(t, err)
	yes, no := true, false
	hour := time.Now().Add(-time.Hour)
	for name, f := range map[string]OrderFilter{
		"nothing": {}, "status": {Status: "accepted"}, "channel": {Channel: "web"}, "no channel": {Channel: "nowhere"}, "external id": {ExternalID: "17x"},
		"customer": {Customer: "c-17"}, "sku": {SKU: "SKU-17"}, "from": {CreatedFrom: hour}, "before": {CreatedBefore: hour}, "waiting": {WaitingFor: "warehouse"},
		"attention": {Attention: &yes}, "no attention": {Attention: &no}, "name": {Query: "ada 17"}, "e-mail": {Query: "ada-17@"}, "id": {Query: "ord_00000000000000000000017"},
		"anybody": {Query: "ada"}, "nobody": {Query: "nobody"}, "sku of a time": {SKU: "SKU-17", CreatedFrom: hour}, "status of a channel": {Status: "accepted", Channel: "web"},
	} {
		for _, f.Page = range []Page{{Limit: 51}, {Limit: 51, AfterAt: hour, AfterID: "ord_0"}} {
			query, args := f.query()
			var plan []string
			require.NoError(t, s.db.SelectContext(t.Context(), &plan, `EXPLAIN `+query, args...))
			require.False(t, slices.ContainsFunc(plan, func(line string) bool { return strings.Contains(line, "Seq Scan") }), "%s:\n%s", name, strings.Join(plan, "\n"))
		}
	}
}
