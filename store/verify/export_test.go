package verify

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// AskIn asks everything that SQL can answer inside a transaction of the caller, which may have planted something and
// rolls it back afterwards: that spares a database for each plant.
func AskIn(ctx context.Context, tx *sqlx.Tx) ([]Finding, error) {
	q := &inquiry{now: time.Now(), facts: tx}
	if err := q.callSandbox(ctx); err != nil {
		return nil, err
	}
	var findings []Finding
	for _, i := range asked(q.options) {
		f, err := q.ask(ctx, i)
		if err != nil {
			return nil, err
		}
		findings = append(findings, f)
	}
	return findings, nil
}

// Witness compares the books of two databases, with something done after the moment of the first and before that of
// the second.
func Witness(ctx context.Context, o Options, between func()) (Finding, error) {
	o.Now = time.Now
	q, err := open(ctx, o)
	if err != nil {
		return Finding{}, err
	}
	defer q.close()
	if q.facts, err = moment(ctx, q.db); err != nil {
		return Finding{}, err
	}
	if _, err := hasLedgers(ctx, q.facts); err != nil {
		return Finding{}, err
	}
	between()
	if err := q.callSandbox(ctx); err != nil {
		return Finding{}, err
	}
	var f Finding
	return f, checkWitness(ctx, q, &f)
}

// Listed is how many violations are spelled out, PageSize how many entries of the books are in memory.
const (
	Listed   = listed
	PageSize = pageSize
)
