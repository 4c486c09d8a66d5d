package verify_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/store/verify"
)

// unasked are the invariants that nobody can answer for without Temporal.
const unasked = 4

// ofLogs are the invariants that are asked only with a client's or a receiver's log.
var ofLogs = []string{"V-O1", "V-E1", "V-E3"}

// A legal database, with everything in it that looks suspicious, violates nothing. Without Temporal the runs are
// not checked, and nobody may think that they were.
func TestLegal(t *testing.T) {
	findings := open(t).verify()
	require.Empty(t, violated(findings))
	require.Equal(t, unasked, verify.NotChecked(findings))
	all := slices.DeleteFunc(verify.Invariants(), func(i verify.Invariant) bool { return slices.Contains(ofLogs, i.ID) })
	require.Len(t, findings, len(all))
	for i, f := range findings {
		require.Equal(t, all[i], verify.Invariant{ID: f.ID, Protects: f.Protects})
		require.NotNil(t, f.Violations)
	}
	require.Equal(t, "no Temporal was given", finding(t, findings, "V-W1").NotChecked)
	require.EqualValues(t, 2, finding(t, findings, "V-M3").InFlight, "voids")
	require.EqualValues(t, 1, finding(t, findings, "V-M3").Attention, "a void that was refused")
}

// Orders are placed, paid, shipped and cancelled all the time while somebody verifies.
func TestLive(t *testing.T) {
	db := open(t)
	var working sync.WaitGroup
	done := make(chan struct{})
	for n := range 3 {
		w := newWorld(t, db)
		working.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("worker %d: %v", n, r)
				}
			}()
			for i := range 6 {
				w.ago(0)
				o := w.accept(placement(fmt.Sprintf("live-%d-%d", n, i)))
				if i%3 == 0 {
					w.perform(w.cancel(o))
					continue
				}
				w.scan(w.perform(w.ship(w.pack(w.pick(o)), 0)), shipping.Delivered)
			}
		})
	}
	go func() {
		working.Wait()
		close(done)
	}()
	for working := true; working; {
		select {
		case <-done:
			working = false
		default:
		}
		require.Empty(t, violated(db.verify()))
	}
}

// newWorld goes on where the template ends.
func newWorld(t *testing.T, db *database) *world {
	t.Helper()
	w := &world{ctx: t.Context()}
	var err error
	w.store, err = store.Open(t.Context(), db.url, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.store.Close() })
	w.box, err = sandbox.Open(t.Context(), db.url, sandbox.Options{Clock: func() time.Time { return w.clock }, Hang: time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.box.Close() })
	return w
}

// A role that may only read is enough, also beside somebody who has locked what is read.
func TestReadsOnly(t *testing.T) {
	db := open(t)
	address, err := url.Parse(db.url)
	require.NoError(t, err)
	role := "reader_of_" + strings.TrimPrefix(address.Path, "/")
	db.exec(`CREATE ROLE ` + role + ` LOGIN PASSWORD 'reader'`)
	defer db.exec(`DROP OWNED BY ` + role + `; DROP ROLE ` + role)
	db.exec(`GRANT USAGE ON SCHEMA sandbox TO ` + role + `; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ` + role + `; GRANT SELECT ON ALL TABLES IN SCHEMA sandbox TO ` + role)
	tx, err := db.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), `UPDATE orders SET version = version; UPDATE payments SET amount = amount; UPDATE stock_levels SET on_hand = on_hand`)
	require.NoError(t, err)
	address.User = url.UserPassword(role, "reader")
	findings, err := verify.Run(t.Context(), verify.Options{DatabaseURL: address.String()})
	require.NoError(t, tx.Rollback())
	require.NoError(t, err)
	require.Empty(t, violated(findings))
}

func TestNoDatabase(t *testing.T) {
	for _, address := range []string{"", "nonsense", "postgres://nobody@127.0.0.1:1/none"} {
		findings, err := verify.Run(t.Context(), verify.Options{DatabaseURL: address})
		require.Error(t, err, address)
		require.Nil(t, findings)
	}
}

// Of many violations the first are spelled out, and all are counted.
func TestManyViolations(t *testing.T) {
	db := open(t)
	db.exec(`INSERT INTO stock_levels (sku, location_id, on_hand, committed, unavailable) SELECT 'NEW-' || lpad(CAST(n AS text), 3, '0'), 'nyc', 1, 0, 0 FROM generate_series(1, 150) n`)
	f := finding(t, db.verify(), "V-S2")
	require.EqualValues(t, 150, f.Count)
	require.Len(t, f.Violations, verify.Listed)
	require.Equal(t, "NEW-001 at nyc", f.Violations[0].Subject)
	require.Equal(t, "NEW-100 at nyc", f.Violations[99].Subject)
}
