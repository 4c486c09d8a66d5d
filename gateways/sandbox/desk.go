package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// desk is what the payment gateway and the carrier have in common: keys that are applied once, requests that
// are counted, faults that are scripted. The two differ in the errors they answer by.
type desk struct {
	*Sandbox
	gateway string

	unknown, keyInUse, keyReused, notFound error
}

func paymentDesk(s *Sandbox) desk {
	return desk{Sandbox: s, gateway: "payments", unknown: payment.ErrUnknown, keyInUse: payment.ErrKeyInUse,
		keyReused: payment.ErrKeyReused, notFound: payment.ErrNotFound}
}

func carrierDesk(s *Sandbox) desk {
	return desk{Sandbox: s, gateway: "carrier", unknown: shipping.ErrUnknown, keyInUse: shipping.ErrKeyInUse,
		keyReused: shipping.ErrKeyReused, notFound: shipping.ErrNotFound}
}

// operation is one request at work, in the order in which its steps are called.
type operation[A any] interface {
	// lock takes the rows that the operation changes and tells what is scripted for it.
	lock(ctx context.Context, tx *sqlx.Tx) (fault, error)
	// stored is the answer that was given under this key before, if any.
	stored(ctx context.Context, tx *sqlx.Tx) (A, bool, error)
	// apply decides, writes the books and answers.
	apply(ctx context.Context, tx *sqlx.Tx) (A, error)
}

// played is what came of a request inside the gateway; the caller may hear something else.
type played[A any] struct {
	answer A
	script fault
	held   bool // the key counts as in use, nothing was done
}

// serve answers one request: it counts it, applies its key at most once, and plays the fault that is
// scripted. Every error is one of the desk's four, or a *payment.RateLimited.
func serve[A any](ctx context.Context, d desk, c call, op operation[A]) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, d.options.RequestTimeout)
	defer cancel()
	var nothing A
	a, err := arrive(ctx, d.db, c, d.now())
	if err != nil {
		return nothing, d.lost(ctx, err)
	}
	if a.Fingerprint != c.fingerprint {
		return nothing, d.keyReused
	}
	p, err := play(ctx, d, c, a, op)
	switch {
	case err != nil:
		return nothing, d.lost(ctx, err)
	case p.held:
		return nothing, d.keyInUse
	case p.script.stops(a.Attempt), p.script.loses(a.Attempt):
		return nothing, d.fail(ctx, p.script)
	case p.script == slow:
		err = d.wait(ctx, a.FirstAt.Add(d.options.Slow).Sub(d.now()))
	}
	if err != nil {
		return nothing, d.lost(ctx, err)
	}
	return p.answer, nil
}

// play runs the operation under the lock of its key, unless the script stops it first.
func play[A any](ctx context.Context, d desk, c call, a arrival, op operation[A]) (p played[A], err error) {
	tx, err := d.db.BeginTxx(ctx, nil)
	if err != nil {
		return p, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := lockKey(ctx, tx, c); err != nil {
		return p, err
	}
	answer, found, err := op.stored(ctx, tx)
	if err != nil {
		return p, err
	}
	if p.script, err = op.lock(ctx, tx); err != nil {
		return p, err
	}
	if p.held, err = d.holds(ctx, tx, c, a, p.script); err != nil {
		return p, err
	}
	if !found && !p.held && !p.script.stops(a.Attempt) {
		if answer, err = op.apply(ctx, tx); err != nil {
			return p, err
		}
	}
	p.answer = answer
	return p, tx.Commit()
}

// holds reports whether the key counts as in use right now, and notes it for those who look it up. The first
// request always meets a key in use, however slow the machine is.
func (d desk) holds(ctx context.Context, tx *sqlx.Tx, c call, a arrival, script fault) (bool, error) {
	var until time.Time
	switch script {
	case busy:
		until = a.FirstAt.Add(d.options.Busy)
	case slow:
		until = a.FirstAt.Add(d.options.Slow)
	default:
		return false, nil
	}
	if a.BusyUntil == nil {
		if err := markBusy(ctx, tx, c, until); err != nil {
			return false, err
		}
	}
	return script == busy && (a.Attempt == 1 || d.now().Before(until)), nil
}

// fail is how a request without a good answer ends.
func (d desk) fail(ctx context.Context, script fault) error {
	switch script {
	case broken:
		return fmt.Errorf("%w: the sandbox answered by an error 500", d.unknown)
	case limited:
		return &payment.RateLimited{RetryAfter: d.options.RetryAfter}
	case garbage:
		return fmt.Errorf("%w: the sandbox's answer makes no sense", d.unknown)
	}
	hang := d.options.Hang
	if hang <= 0 {
		hang = 2 * d.options.RequestTimeout // so the context, bounded by RequestTimeout, always ends first
	}
	if err := d.wait(ctx, hang); err != nil {
		return d.lost(ctx, err)
	}
	return fmt.Errorf("%w: the sandbox did not answer", d.unknown)
}

// wait returns after duration, or as soon as the context ends by the context's error.
func (d desk) wait(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lost makes an unknown outcome of any error: the request may have been applied. lib/pq reports the end of
// a context as a cancelled statement, so the context's own error stands in for whatever it said.
func (d desk) lost(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		err = ended
	}
	return fmt.Errorf("%w: sandbox: %w", d.unknown, err)
}

// find answers a look-up by read, which gives sql.ErrNoRows when the ledger has no row under key.
func find[A any](
	ctx context.Context, d desk, key string, read func(context.Context, sqlx.QueryerContext) (A, error),
) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, d.options.RequestTimeout)
	defer cancel()
	var nothing A
	if !readable(key) {
		return nothing, d.notFound // no such key can be in the books
	}
	until, err := lookUp(ctx, d.db, d.gateway, key)
	if errors.Is(err, sql.ErrNoRows) {
		return nothing, d.notFound
	}
	if err != nil {
		return nothing, d.lost(ctx, err)
	}
	if until != nil && d.now().Before(*until) {
		return nothing, d.keyInUse
	}
	answer, err := read(ctx, d.db)
	if errors.Is(err, sql.ErrNoRows) {
		return nothing, d.notFound
	}
	if err != nil {
		return nothing, d.lost(ctx, err)
	}
	return answer, nil
}
