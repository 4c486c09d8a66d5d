package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
)

// textMax bounds every text of a request, in bytes: a gateway has limits too.
const textMax = 255

// readable reports whether a text can be kept: short, UTF-8, without NUL.
func readable(texts ...string) bool {
	for _, text := range texts {
		if len(text) > textMax || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return false
		}
	}
	return true
}

// fingerprint identifies a payload. Only its hash is kept, because payloads carry addresses.
func fingerprint(fields ...any) string {
	sum := sha256.New()
	for _, field := range fields {
		fmt.Fprintf(sum, "%q\n", fmt.Sprint(field)) // quoted, so that no field can run into the next
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// reference names what an operation made. It follows from the key, so that a key has one name in every run.
func reference(prefix, key string) string {
	sum := sha256.Sum256([]byte(prefix + key))
	return prefix + hex.EncodeToString(sum[:12])
}

// call is one request as the books know it, whatever it asks for.
type call struct {
	gateway     string
	key         string
	kind        string
	fingerprint string
}

// arrival is a call that has been counted.
type arrival struct {
	Attempt     int64      `db:"attempts"` // 1 for the first under this key
	Fingerprint string     `db:"fingerprint"`
	FirstAt     time.Time  `db:"first_at"`
	BusyUntil   *time.Time `db:"busy_until"`
}

// arrive counts a request in a transaction of its own, before anything else is done: the count stands when
// the process is killed during the rest.
func arrive(ctx context.Context, db *sqlx.DB, c call, now time.Time) (arrival, error) {
	const query = `
		INSERT INTO sandbox.requests AS r (gateway, key, kind, fingerprint, attempts, first_at, last_at)
		VALUES ($1, $2, $3, $4, 1, $5, $5)
		ON CONFLICT (gateway, key) DO UPDATE SET attempts = r.attempts + 1, last_at = EXCLUDED.last_at
		RETURNING attempts, fingerprint, first_at, busy_until`
	var a arrival
	err := db.GetContext(ctx, &a, query, c.gateway, c.key, c.kind, c.fingerprint, now)
	return a, err
}

// lockKey makes the requests under one key wait for each other until the transaction ends.
func lockKey(ctx context.Context, tx *sqlx.Tx, c call) error {
	const query = `SELECT attempts FROM sandbox.requests WHERE gateway = $1 AND key = $2 FOR UPDATE`
	var attempts int64
	return tx.GetContext(ctx, &attempts, query, c.gateway, c.key)
}

// markBusy notes until when a scripted key counts as being worked on. The first note stays.
func markBusy(ctx context.Context, tx *sqlx.Tx, c call, until time.Time) error {
	const query = `
		UPDATE sandbox.requests SET busy_until = $3
		WHERE gateway = $1 AND key = $2 AND busy_until IS NULL`
	_, err := tx.ExecContext(ctx, query, c.gateway, c.key, until)
	return err
}

// lookUp counts a look-up and tells until when the key is scripted to be busy. It waits for a request under
// the key that is being applied right now, so what is read afterwards is its result. sql.ErrNoRows: no
// request ever arrived under the key.
func lookUp(ctx context.Context, db *sqlx.DB, gateway, key string) (*time.Time, error) {
	const query = `
		UPDATE sandbox.requests SET lookups = lookups + 1
		WHERE gateway = $1 AND key = $2
		RETURNING busy_until`
	var until *time.Time
	err := db.GetContext(ctx, &until, query, gateway, key)
	return until, err
}
