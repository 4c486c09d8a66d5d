package verify

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
)

// inquiry is one verification at work.
type inquiry struct {
	options Options
	now     time.Time
	db      *sqlx.DB // for second looks, after the moment
	facts   *sqlx.Tx // the moment of our own facts

	sandboxDB  *sqlx.DB // nil when the sandbox's ledgers are in our own database
	sandbox    *sqlx.Tx // the moment of the sandbox's ledgers; nil when there are none
	noSandbox  string   // why there are none
	sandboxErr error    // why they could not be asked
}

func open(ctx context.Context, o Options) (*inquiry, error) {
	db, err := connect(ctx, o.DatabaseURL)
	if err != nil {
		return nil, err
	}
	return &inquiry{options: o, now: o.Now(), db: db}, nil
}

func (q *inquiry) close() {
	_ = q.db.Close() // only ever read from
	if q.sandboxDB != nil {
		_ = q.sandboxDB.Close()
	}
}

// inOneMoment runs ask with the transactions open. Ours is looked at first: whatever is terminal in it was in the
// sandbox's ledgers before, so a witness with a database of its own is never behind.
func (q *inquiry) inOneMoment(ctx context.Context, ask func() error) error {
	var err error
	if q.facts, err = moment(ctx, q.db); err != nil {
		return err
	}
	defer func() { _ = q.facts.Rollback() }()
	if err := q.callSandbox(ctx); err != nil {
		return err
	}
	if q.sandboxDB != nil && q.sandbox != nil {
		defer func() { _ = q.sandbox.Rollback() }()
	}
	return ask()
}

// callSandbox finds the ledgers of the witness, or notes why there are none. That it looks into our own database
// first also fixes the moment of it.
func (q *inquiry) callSandbox(ctx context.Context) error {
	here, err := hasLedgers(ctx, q.facts)
	if err != nil {
		return err
	}
	if q.options.SandboxURL == "" || q.options.SandboxURL == q.options.DatabaseURL {
		q.noSandbox = noLedgers
		if here {
			q.noSandbox, q.sandbox = "", q.facts
		}
		return nil
	}
	if q.sandboxErr = q.visitSandbox(ctx); q.sandboxErr != nil {
		q.noSandbox = "the database of the sandbox gateways does not answer"
	}
	return nil
}

const noLedgers = "the database has no ledgers of the sandbox gateways"

// visitSandbox opens the moment of a witness with a database of its own.
func (q *inquiry) visitSandbox(ctx context.Context) (err error) {
	if q.sandboxDB, err = connect(ctx, q.options.SandboxURL); err != nil {
		return err
	}
	tx, err := moment(ctx, q.sandboxDB)
	if err != nil {
		return err
	}
	there, err := hasLedgers(ctx, tx)
	if err != nil || !there {
		q.noSandbox = noLedgers
		return errors.Join(err, tx.Rollback())
	}
	q.sandbox = tx
	return nil
}

func hasLedgers(ctx context.Context, tx *sqlx.Tx) (there bool, err error) {
	err = tx.GetContext(ctx, &there, `
		SELECT to_regclass('sandbox.payment_ledger') IS NOT NULL AND to_regclass('sandbox.carrier_ledger') IS NOT NULL`)
	return there, err
}

// ask checks one invariant.
func (q *inquiry) ask(ctx context.Context, i promise) (Finding, error) {
	f := Finding{ID: i.id, Protects: i.protects, Violations: []Violation{}}
	if i.check != nil {
		return f, i.check(ctx, q, &f)
	}
	return f, q.answer(ctx, q.facts, i.sql, &f)
}

// frame bounds what comes back of a question: the first violations, and of everything how many there are. Subjects
// are compared as bytes, since they come from columns of several collations.
const frame = `
WITH clock AS (SELECT CAST($1 AS timestamptz) AS now), found AS (`

const frameEnd = `
)
SELECT excuse, subject, detail, total FROM (
	SELECT excuse, subject, detail, count(*) OVER (PARTITION BY excuse) AS total,
		row_number() OVER (PARTITION BY excuse ORDER BY subject COLLATE "C", detail COLLATE "C") AS place
	FROM found) AS numbered
WHERE place <= CASE WHEN excuse = '' THEN $2 ELSE 1 END
ORDER BY excuse COLLATE "C", place`

// answer asks a question in SQL.
func (q *inquiry) answer(ctx context.Context, tx *sqlx.Tx, question string, f *Finding) error {
	var found []struct {
		Excuse  string `db:"excuse"`
		Subject string `db:"subject"`
		Detail  string `db:"detail"`
		Total   int64  `db:"total"`
	}
	err := tx.SelectContext(ctx, &found, frame+states.Replace(question)+frameEnd, q.now, listed)
	if err != nil {
		return err
	}
	for _, row := range found {
		switch row.Excuse {
		case "":
			f.Violations = append(f.Violations, Violation{Subject: row.Subject, Detail: row.Detail})
			f.Count = row.Total
		case excuseInFlight:
			f.InFlight = row.Total
		case excuseAttention:
			f.Attention = row.Total
		default:
			return errors.New("unknown excuse: " + row.Excuse)
		}
	}
	return nil
}
