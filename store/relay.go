package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-oms/waybill/domain/order"
)

// inboxLease is how long a relay has a row to itself. When it dies meanwhile, another takes over.
const inboxLease = 30 * time.Second

// inboxFailuresMax: after so many it is not the rows, it is Temporal. The rest waits for the next look.
const inboxFailuresMax = 3

// inboxAtOnce is how many runs are told at a time: each answers when it has looked.
const inboxAtOnce = 16

// LeaveToRelay notes that the run of an order has to look at its facts, as what comes in by itself does: a relay tells
// it, and starts it when there is none.
func (s *Store) LeaveToRelay(ctx context.Context, orderID string, at time.Time) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO inbox (order_id, return_id, kind, created_at) VALUES ($1, '', 'facts', $2)`, orderID, at)
	return classify(err)
}

// inboxRow is one thing that the run of an order, or of a return, has not heard of.
type inboxRow struct {
	ID       int64  `db:"id"`
	OrderID  string `db:"order_id"`
	ReturnID string `db:"return_id"`
}

// Unheard takes at most limit inbox rows that no run has heard of, oldest first, tells each run by hear, and marks
// those heard for which that works. A row is for the run of a return, or, without one, for that of the order; a run
// that several rows are for is told once. hear is called by several goroutines at a time. Rows that another process is
// telling are left to it.
func (s *Store) Unheard(ctx context.Context, limit int, at time.Time, hear func(orderID, returnID string) error) (heard int, err error) {
	var rows []inboxRow
	err = s.db.SelectContext(ctx, &rows, `
		UPDATE inbox SET claimed_until = $2 WHERE id IN (
			SELECT id FROM inbox WHERE heard_at IS NULL AND (claimed_until IS NULL OR claimed_until < $3)
			ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
		RETURNING id, order_id, return_id`, limit, at.Add(inboxLease), at)
	if err != nil {
		return 0, classify(err)
	}
	told, left, err := tellEach(rows, hear)
	_, marking := s.db.ExecContext(ctx, `UPDATE inbox SET heard_at = $2 WHERE id = ANY($1)`, pq.Array(told), at)
	_, freeing := s.db.ExecContext(ctx, `UPDATE inbox SET claimed_until = $2 WHERE id = ANY($1)`, pq.Array(left), at)
	return len(told), errors.Join(err, classify(marking), classify(freeing))
}

// tellEach tells every run that rows are for, those of the oldest rows first, and returns the rows that were heard and
// those that were not.
func tellEach(rows []inboxRow, hear func(orderID, returnID string) error) (told, left []int64, err error) {
	slices.SortFunc(rows, func(a, b inboxRow) int { return cmp.Compare(a.ID, b.ID) })
	var runs []order.ReturnRef
	of := map[order.ReturnRef][]int64{}
	for _, row := range rows {
		run := order.ReturnRef{OrderID: row.OrderID, ReturnID: row.ReturnID}
		if of[run] == nil {
			runs = append(runs, run)
		}
		of[run] = append(of[run], row.ID)
	}
	var mu sync.Mutex
	var failures []error
	var telling errgroup.Group
	telling.SetLimit(inboxAtOnce)
	for _, run := range runs {
		telling.Go(func() error {
			mu.Lock()
			hopeless := len(failures) >= inboxFailuresMax
			mu.Unlock()
			var failure error
			if !hopeless {
				failure = hear(run.OrderID, run.ReturnID)
			}
			mu.Lock()
			defer mu.Unlock()
			if failure != nil {
				failures = append(failures, failure)
			}
			if hopeless || failure != nil {
				left = append(left, of[run]...)
			} else {
				told = append(told, of[run]...)
			}
			return nil
		})
	}
	_ = telling.Wait() // what failed is in failures
	return told, left, errors.Join(failures...)
}

// Unsettled lists orders that still need a run, by id, after an id, that were not changed since before.
func (s *Store) Unsettled(ctx context.Context, afterID string, before time.Time, limit int) ([]string, error) {
	var ids []string
	err := s.db.SelectContext(ctx, &ids, `SELECT id FROM orders WHERE NOT settled AND id > $1 AND updated_at < $2 ORDER BY id LIMIT $3`, afterID, before, limit)
	return ids, classify(err)
}

// UnsettledReturns lists returns that still need a run, by id, after an id, that were not changed since before.
func (s *Store) UnsettledReturns(ctx context.Context, afterID string, before time.Time, limit int) ([]order.ReturnRef, error) {
	var found []struct {
		OrderID  string `db:"order_id"`
		ReturnID string `db:"id"`
	}
	err := s.db.SelectContext(ctx, &found, `SELECT order_id, id FROM returns WHERE NOT settled AND id > $1 AND updated_at < $2 ORDER BY id LIMIT $3`, afterID, before, limit)
	refs := make([]order.ReturnRef, len(found))
	for i, r := range found {
		refs[i] = order.ReturnRef(r)
	}
	return refs, classify(err)
}

// Settled tells which of these orders, and of these returns, need no run any more, and were not changed since before.
func (s *Store) Settled(ctx context.Context, before time.Time, orderIDs, returnIDs []string) ([]order.ReturnRef, error) {
	var found []struct {
		OrderID  string `db:"order_id"`
		ReturnID string `db:"return_id"`
	}
	err := s.db.SelectContext(ctx, &found, `
		SELECT id AS order_id, '' AS return_id FROM orders WHERE id = ANY($2) AND settled AND updated_at < $1
		UNION ALL SELECT order_id, id FROM returns WHERE id = ANY($3) AND settled AND updated_at < $1`,
		before, pq.Array(orderIDs), pq.Array(returnIDs))
	refs := make([]order.ReturnRef, len(found))
	for i, r := range found {
		refs[i] = order.ReturnRef(r)
	}
	return refs, classify(err)
}

// unknownPatience is how often longer an operation whose answer was lost may lie than one that nobody sent: it is
// asked again after a minute at most, and its request may take another.
const unknownPatience = 3

// Stalled lists orders, and returns, in which something has been due for longer than patience without anybody touching
// it: an operation that nobody sent, or whose answer was lost three times as long ago, a decision about stock, a
// deadline. Of more than limit it lists some: those that cannot be helped do not keep the others from it.
func (s *Store) Stalled(ctx context.Context, now time.Time, patience time.Duration, limit int) ([]order.ReturnRef, error) {
	var found []struct {
		OrderID  string `db:"order_id"`
		ReturnID string `db:"return_id"`
	}
	err := s.db.SelectContext(ctx, &found, `
		SELECT order_id, return_id FROM (SELECT order_id, return_id FROM operations
			WHERE state = 'pending' AND updated_at < $1 OR state = 'unknown' AND updated_at < $2
		UNION SELECT id, '' FROM orders WHERE NOT settled AND (deadline < $1
			OR status = 'received' AND decision = '' AND attention_code = '' AND updated_at < $1)
		UNION SELECT order_id, id FROM returns WHERE NOT settled AND deadline < $1
		UNION SELECT p.order_id, '' FROM short_picks p JOIN orders o ON o.id = p.order_id
			WHERE NOT p.decided AND NOT o.settled AND p.at < $1 AND o.updated_at < $1
		) due ORDER BY random() LIMIT $3`, now.Add(-patience), now.Add(-unknownPatience*patience), limit)
	refs := make([]order.ReturnRef, len(found))
	for i, r := range found {
		refs[i] = order.ReturnRef(r)
	}
	return refs, classify(err)
}
