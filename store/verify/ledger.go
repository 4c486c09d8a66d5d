package verify

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/waybill-oms/waybill/domain/payment"
)

// entry is one operation as one of the two sides wrote it down. Amounts are minor units; 0 for labels.
type entry struct {
	Key     string `db:"key"`
	OrderID string `db:"order_id"`
	Kind    string `db:"kind"`
	Asked   int64  `db:"asked"`
	Done    int64  `db:"done"`
	Outcome string `db:"outcome"` // ours: a payment.State; theirs: succeeded, refused, action_required
	// Reference is the gateway's name for what it made.
	Reference string `db:"reference"`
	// Parcel is what a label is for: a shipment, or a return. A gateway of payments is not told.
	Parcel string `db:"parcel"`
}

// ourBooks are the operations that the sandbox was, or is to be, asked for: not what somebody paid by other means. Labels
// have no other carrier yet.
const ourBooks = `
SELECT op.key, op.order_id, op.kind, op.amount AS asked, op.applied AS done, op.state AS outcome, op.reference,
	CASE WHEN op.kind IN ('label', 'void_label') THEN coalesce(nullif(op.shipment_id, ''), op.return_id) ELSE '' END AS parcel
FROM operations op LEFT JOIN payments p ON p.id = op.payment_id
WHERE (p.gateway = 'sandbox' OR op.kind IN ('label', 'void_label')) AND op.code <> 'settled_elsewhere'
ORDER BY op.key COLLATE "C"`

const theirBooks = `
SELECT key, order_id, kind, asked, done, outcome, reference, parcel FROM (
	SELECT key, order_id, kind, requested_amount AS asked, amount AS done, outcome, reference, '' AS parcel FROM sandbox.payment_ledger
	UNION ALL
	SELECT key, order_id, kind, 0, 0, outcome, reference, shipment_id FROM sandbox.carrier_ledger
) AS ledgers
ORDER BY key COLLATE "C"`

// checkWitness walks through both books by key, side by side, wherever they are kept.
func checkWitness(ctx context.Context, q *inquiry, f *Finding) error {
	if q.sandbox == nil {
		f.NotChecked = q.noSandbox
		return nil
	}
	ours, err := read(ctx, q.facts, "ours", ourBooks)
	if err != nil {
		return err
	}
	theirs, err := read(ctx, q.sandbox, "theirs", theirBooks)
	if err != nil {
		return err
	}
	if err := q.walk(ctx, ours, theirs, f); err != nil {
		return err
	}
	return errors.Join(ours.close(ctx), theirs.close(ctx))
}

func (q *inquiry) walk(ctx context.Context, ours, theirs *book, f *Finding) (err error) {
	var unknown []entry // to us
	for ours.current != nil || theirs.current != nil {
		a, b := ours.current, theirs.current
		switch {
		case b == nil || a != nil && a.Key < b.Key:
			compare(*a, nil, f)
			err = ours.next(ctx)
		case a == nil || b.Key < a.Key:
			unknown = append(unknown, *b)
			if len(unknown) == pageSize {
				err = q.secondLook(ctx, unknown, f)
				unknown = unknown[:0]
			}
			if err == nil {
				err = theirs.next(ctx)
			}
		default:
			compare(*a, b, f)
			for err == nil && theirs.current != nil && theirs.current.Key == a.Key { // twice the same: V-M7
				err = theirs.next(ctx)
			}
			if err == nil {
				err = ours.next(ctx)
			}
		}
		if err != nil {
			return err
		}
	}
	return q.secondLook(ctx, unknown, f)
}

// compare judges one operation of ours by what the witness has of it.
func compare(ours entry, theirs *entry, f *Finding) {
	state := payment.State(ours.Outcome)
	if state.Open() {
		f.InFlight++
		return
	}
	if theirs == nil {
		if state != payment.Abandoned {
			f.violated(ours.Key, fmt.Sprintf("order %s: %s by our books, and the gateway has never heard of it", ours.OrderID, state))
		}
		return
	}
	// A refusal that came after we gave up changes nothing for anybody. An effect that did is a hold nobody knows of.
	same := (state == payment.Done) == (theirs.Outcome == "succeeded") && ours.Done == theirs.Done &&
		(state == payment.Abandoned || ours.Reference == theirs.Reference)
	if !same || ours.Kind != theirs.Kind || ours.OrderID != theirs.OrderID || ours.Asked != theirs.Asked || ours.Parcel != theirs.Parcel {
		f.violated(ours.Key, fmt.Sprintf("order %s: %s; by the gateway's ledger, order %s: %s", ours.OrderID, ours, theirs.OrderID, *theirs))
	}
}

func (e entry) String() string {
	if e.Asked == 0 && e.Done == 0 { // a label
		return fmt.Sprintf("%s for %s, %s as %q", e.Kind, e.Parcel, e.Outcome, e.Reference)
	}
	return fmt.Sprintf("%s of %d, %s with %d as %q", e.Kind, e.Asked, e.Outcome, e.Done, e.Reference)
}

// secondLook decides on operations that the witness has and our moment has not. An operation is written down before
// it is sent; when the witness has a moment of its own, a little later than ours, what was written in between is
// there when we look again. In one moment nothing can be in between.
func (q *inquiry) secondLook(ctx context.Context, unknown []entry, f *Finding) error {
	if len(unknown) == 0 {
		return nil
	}
	known := map[string]bool{}
	if q.sandbox != q.facts {
		var keys, found []string
		for _, e := range unknown {
			keys = append(keys, e.Key)
		}
		if err := q.db.SelectContext(ctx, &found, `SELECT key FROM operations WHERE key = ANY($1)`, pq.Array(keys)); err != nil {
			return err
		}
		for _, key := range found {
			known[key] = true
		}
	}
	for _, e := range unknown {
		if known[e.Key] {
			f.InFlight++
			continue
		}
		f.violated(e.Key, fmt.Sprintf("order %s: the gateway has %s; our books know nothing of it", e.OrderID, e))
	}
	return nil
}

// pageSize bounds what is in memory of either book.
const pageSize = 2000

// book reads entries in the order of their keys, page by page, from a cursor of the server.
type book struct {
	tx      *sqlx.Tx
	name    string
	page    []entry
	at      int
	current *entry // nil at the end
}

func read(ctx context.Context, tx *sqlx.Tx, name, query string) (*book, error) {
	if _, err := tx.ExecContext(ctx, `DECLARE `+name+` NO SCROLL CURSOR FOR `+query); err != nil {
		return nil, err
	}
	b := &book{tx: tx, name: name}
	return b, b.next(ctx)
}

func (b *book) next(ctx context.Context) error {
	if b.at++; b.at >= len(b.page) {
		b.page, b.at, b.current = nil, 0, nil
		if err := b.tx.SelectContext(ctx, &b.page, fmt.Sprintf(`FETCH %d FROM %s`, pageSize, b.name)); err != nil || len(b.page) == 0 {
			return err
		}
	}
	b.current = &b.page[b.at]
	return nil
}

func (b *book) close(ctx context.Context) error {
	_, err := b.tx.ExecContext(ctx, `CLOSE `+b.name)
	return err
}

// checkAppliedOnce asks the witness alone. The number at the end of a key is its epoch: only a refusal opens the
// next, so of all epochs together one can have been applied.
func checkAppliedOnce(ctx context.Context, q *inquiry, f *Finding) error {
	if q.sandbox == nil {
		f.NotChecked = q.noSandbox
		return nil
	}
	return q.answer(ctx, q.sandbox, appliedOnce, f)
}

const appliedOnce = `
SELECT split_part(key, '/', 1) || '/' || split_part(key, '/', 2) AS subject, format('order %s: applied %s times: %s', min(order_id), count(*), string_agg(key, ', ' ORDER BY key)) AS detail, '' AS excuse
FROM (SELECT key, order_id, outcome FROM sandbox.payment_ledger UNION ALL SELECT key, order_id, outcome FROM sandbox.carrier_ledger) AS ledgers
WHERE outcome = 'succeeded'
GROUP BY split_part(key, '/', 1) || '/' || split_part(key, '/', 2) HAVING count(*) > 1
UNION ALL
SELECT a.reference, format('order %s: %s authorized, %s captured, %s voided, %s refunded; by its ledger %s, %s, %s, %s', a.order_id, a.authorized, a.captured, a.voided, a.refunded,
	l.authorized, l.captured, l.voided, l.refunded), ''
FROM sandbox.authorizations a
LEFT JOIN (
	SELECT authorization_reference, sum(amount) FILTER (WHERE kind = 'authorize') AS authorized, coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0) AS captured,
		coalesce(sum(amount) FILTER (WHERE kind = 'void'), 0) AS voided, coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunded
	FROM sandbox.payment_ledger GROUP BY authorization_reference
) l ON l.authorization_reference = a.reference
WHERE (a.authorized, a.captured, a.voided, a.refunded) IS DISTINCT FROM (l.authorized, l.captured, l.voided, l.refunded)`
