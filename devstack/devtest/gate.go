package devtest

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/lib/pq"
)

// gateLock is the advisory lock that a closed gate holds. It has no meaning beyond being ours.
const gateLock = 0x67617465 // "gate"

// Gate stops transactions in the middle: while it is closed, whoever is about to insert into a table of a
// database waits, with all that he has read, written and locked. It is how a test has as many as it likes between
// their reading and their writing at once, or kills a process there.
type Gate struct {
	t     testing.TB
	db    *sql.DB
	guard *sql.Conn // holds the lock
}

// CloseGate closes one in front of a table of the database at url. When the test ends it is opened.
func CloseGate(t testing.TB, url, table string) *Gate {
	t.Helper()
	db, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatalf("devtest: gate: %v", err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ctx, cancel := withDeadline()
	defer cancel()
	guard, err := db.Conn(ctx)
	if err != nil {
		t.Fatalf("devtest: gate: %v", err)
	}
	g := &Gate{t: t, db: db, guard: guard}
	_, err = guard.ExecContext(ctx, fmt.Sprintf(`
		SELECT pg_advisory_lock(%d);
		CREATE OR REPLACE FUNCTION devtest_gate() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN PERFORM pg_advisory_xact_lock_shared(%d); RETURN NULL; END';
		CREATE OR REPLACE TRIGGER devtest_gate BEFORE INSERT ON %s FOR EACH STATEMENT EXECUTE FUNCTION devtest_gate()`,
		gateLock, gateLock, pq.QuoteIdentifier(table)))
	if err != nil {
		t.Fatalf("devtest: gate in front of %s: %v", table, err)
	}
	t.Cleanup(func() { _ = guard.Close() })
	return g
}

// Waiting tells how many transactions stand in front of the gate, and how many others wait for a lock, which is
// that of one who does.
func (g *Gate) Waiting() (here, behind int) {
	g.t.Helper()
	ctx, cancel := withDeadline()
	defer cancel()
	err := g.db.QueryRowContext(ctx, `
		SELECT count(*) FILTER (WHERE wait_event = 'advisory'), count(*) FILTER (WHERE wait_event <> 'advisory')
		FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&here, &behind)
	if err != nil && g.t.Context().Err() == nil {
		g.t.Errorf("devtest: gate: %v", err)
	}
	return here, behind
}

// Open lets everybody through, for good.
func (g *Gate) Open() {
	g.t.Helper()
	if _, err := g.guard.ExecContext(context.Background(), `SELECT pg_advisory_unlock($1)`, gateLock); err != nil {
		g.t.Errorf("devtest: gate: %v", err)
	}
}
