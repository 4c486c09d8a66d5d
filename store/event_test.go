package store

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
)

// reader is a subscriber: it reads page after page from the last position that it saw.
type reader struct {
	t     *testing.T
	store *Store
	after int64
	seen  []FeedEvent
}

// read takes what there is.
func (r *reader) read() {
	for {
		page, _, err := r.store.Feed(r.t.Context(), r.after, 7)
		require.NoError(r.t, err)
		if len(page) == 0 {
			return
		}
		r.seen, r.after = append(r.seen, page...), page[len(page)-1].Position
	}
}

// requireEverything holds what was read against what happened: positions without gaps, and every order's events once
// and in its order.
func (r *reader) requireEverything() {
	r.t.Helper()
	last := map[string]int64{}
	for i, e := range r.seen {
		require.Equal(r.t, int64(i+1), e.Position)
		require.Equal(r.t, last[e.OrderID]+1, e.Sequence, e.OrderID)
		last[e.OrderID] = e.Sequence
	}
	var events int
	require.NoError(r.t, r.store.db.GetContext(r.t.Context(), &events, `SELECT count(*) FROM events`))
	require.Len(r.t, r.seen, events)
}

func stampAll(t *testing.T, s *Store) {
	t.Helper()
	for {
		n, err := s.StampEvents(t.Context(), 5)
		require.NoError(t, err)
		if n == 0 {
			return
		}
	}
}

// happen writes one more event of an order in a transaction that stays open until the returned function commits it.
func happen(t *testing.T, s *Store, orderID string) (commit func()) {
	t.Helper()
	tx, err := s.db.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), `WITH o AS (UPDATE orders SET sequence = sequence + 1, version = version + 1 WHERE id = $1 RETURNING id, sequence)
		INSERT INTO events (order_id, sequence, type, at, actor, request_id, status, detail, fulfillment_id, shipment_id, payment_id)
		SELECT id, sequence, 'order.processing', now(), '', '', 'processing', '', '', '', '' FROM o`, orderID)
	require.NoError(t, err)
	return func() { require.NoError(t, tx.Commit()) }
}

// accept places an order and takes it as far as its fulfillment orders.
func accept(ctx context.Context, s *Store, p order.Placement) error {
	o, _, err := s.Place(ctx, p, id.New(id.Order), "key-"+p.ExternalID, act())
	if err != nil {
		return err
	}
	a := act()
	if _, err = s.Change(ctx, o.ID, nil, a, func(o *order.Order) error { return answer(o, a) }); err != nil {
		return err
	}
	_, err = s.Allocate(ctx, o.ID, act())
	return err
}

// Many write, several stamp, one transaction takes for ever, and a reader who never looks back misses nothing.
func TestFeedMissesNothing(t *testing.T) {
	s := open(t)
	stock(t, s, "sf", "TEE-M", 1000)
	slow := place(t, s, placement("slow"))
	commit := happen(t, s, slow.ID)

	ctx, writersDone := context.WithCancel(t.Context())
	var writers, stampers sync.WaitGroup
	const writing, stamping = 6, 2
	var failed [writing + stamping]error
	for w := range writing {
		writers.Go(func() {
			for n := 0; n < 8 && failed[w] == nil; n++ {
				failed[w] = accept(context.WithoutCancel(ctx), s, placement(fmt.Sprintf("%d-%d", w, n)))
			}
		})
	}
	for i := writing; i < writing+stamping; i++ {
		stampers.Go(func() {
			for ctx.Err() == nil && failed[i] == nil {
				_, failed[i] = s.StampEvents(context.WithoutCancel(ctx), 5)
			}
		})
	}
	r := &reader{t: t, store: s}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			r.read()
		}
	}
	writersDone()
	stampers.Wait()
	require.NoError(t, errors.Join(failed[:]...))
	stampAll(t, s)
	r.read()
	r.requireEverything() // but for the slow one, whose second event nobody can see yet
	before := len(r.seen)

	commit()
	stampAll(t, s)
	r.read()
	require.Len(t, r.seen, before+1)
	require.Equal(t, slow.ID, r.seen[before].OrderID, "late, and behind everybody: whoever had passed would have missed it before them")
	r.requireEverything()
}

// An event whose predecessor is missing is not published before it, and holds up nobody else's.
func TestFeedHoldsBackWhatHasAGapBefore(t *testing.T) {
	s := open(t)
	stock(t, s, "sf", "TEE-M", 10)
	gapped, other := place(t, s, placement("gapped")), place(t, s, placement("other"))
	stampAll(t, s)
	for range 2 {
		happen(t, s, gapped.ID)()
	}
	hole := rowsOf(t, s.db, `DELETE FROM events WHERE order_id = '`+gapped.ID+`' AND sequence = 2 RETURNING row_to_json(events)::text`)
	happen(t, s, other.ID)()
	stampAll(t, s)
	r := &reader{t: t, store: s}
	r.read()
	require.ElementsMatch(t, []string{gapped.ID + "/1", other.ID + "/1", other.ID + "/2"}, named(r.seen))

	drop(t, s, `INSERT INTO events SELECT * FROM json_populate_record(NULL::events, '`+hole[0]+`')`)
	stampAll(t, s)
	r.read()
	require.Equal(t, []string{gapped.ID + "/2", gapped.ID + "/3"}, named(r.seen)[3:])
	r.requireEverything()
}

// After an upgrade that finds millions of events without a position, the planner's figures are of that time for long.
func TestFeedOfAnOldShopIsNotReadAsAWholeForEachEvent(t *testing.T) {
	s := open(t)
	stock(t, s, "sf", "TEE-M", 10)
	o := place(t, s, placement("1"))
	drop(t, s, `INSERT INTO events (order_id, sequence, type, at, actor, request_id, status, detail, fulfillment_id, shipment_id, payment_id)
		SELECT '`+o.ID+`', n, 'order.processing', now(), '', '', 'processing', '', '', '', '' FROM generate_series(2, 20000) n`)
	drop(t, s, `ANALYZE events`)
	drop(t, s, `UPDATE events SET position = sequence WHERE sequence <= 10000`)
	plan := strings.Join(rowsOf(t, s.db, `EXPLAIN `+strings.Replace(stampEvents, "$1", "1000", 1)), "\n")
	require.Contains(t, plan, "Index Cond: ((order_id = u.order_id) AND (sequence = (u.sequence - u.nth)))", "one row is looked up for each")
	n, err := s.StampEvents(t.Context(), 1000)
	require.NoError(t, err)
	require.Equal(t, 1000, n)
}

func named(events []FeedEvent) []string {
	var names []string
	for _, e := range events {
		names = append(names, fmt.Sprintf("%s/%d", e.OrderID, e.Sequence))
	}
	return names
}

// A subscriber goes on where it was on a database that was dumped and restored: positions are part of the data.
func TestFeedSurvivesDumpAndRestore(t *testing.T) {
	dump := tool(t, "pg_dump")
	url := devtest.Database(t)
	s, err := Open(t.Context(), url, Options{})
	require.NoError(t, err)
	stock(t, s, "sf", "TEE-M", 10)
	first := place(t, s, placement("first"))
	change(t, s, first.ID, answer)
	stampAll(t, s)
	r := &reader{t: t, store: s}
	r.read()
	happen(t, s, first.ID)() // not published yet when it is dumped
	sql, err := exec.CommandContext(t.Context(), dump, "--clean", "--if-exists", "--no-owner", "--dbname", url).Output()
	require.NoError(t, err)
	require.NoError(t, s.Close())

	elsewhere := devtest.Database(t)
	restore := exec.CommandContext(t.Context(), tool(t, "psql"), "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", elsewhere)
	restore.Stdin = strings.NewReader(string(sql))
	out, err := restore.CombinedOutput()
	require.NoError(t, err, string(out))
	r.store, err = Open(t.Context(), elsewhere, Options{})
	require.NoError(t, err)
	defer func() { _ = r.store.Close() }()
	change(t, r.store, first.ID, func(o *order.Order, a order.Act) error { return o.CancelWhole("test", a) })
	stampAll(t, r.store)
	r.read()
	r.requireEverything()
}

// tool finds one of PostgreSQL's programs.
func tool(t *testing.T, name string) string {
	t.Helper()
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(installed) > 0 {
		return installed[len(installed)-1]
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not here: install PostgreSQL's client programs", name)
	}
	return path
}
