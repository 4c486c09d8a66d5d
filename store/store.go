package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/url"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/pressly/goose/v3"

	"github.com/waybill-oms/waybill/telemetry"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is a pool of connections to Waybill's database. It is safe for concurrent use.
type Store struct {
	db        *sqlx.DB
	allocator *allocator
	seen      seen
}

// Options tune a Store. The zero value is good for tests and small installations.
type Options struct {
	MaxConns int // 0: 20
	// Telemetry traces statements and measures the pool, under Name; nil does neither.
	Telemetry *telemetry.Telemetry
	Name      string
	// Batch hears of every transaction of the allocator: how many orders it decided, and how long it took. It may be
	// nil.
	Batch func(orders int, took time.Duration)
}

const (
	// A statement longer than this is stuck behind something: the caller hears so and may try again.
	statementTimeout = 5 * time.Second
	// A process frozen in the middle of a transaction loses its locks after this.
	idleInTransactionTimeout = 10 * time.Second
	// A silent network is noticed after this: lib/pq itself would wait for ever.
	networkTimeout = statementTimeout + 2*time.Second
)

// Open connects to the database at url and starts the allocator. Close ends both.
func Open(ctx context.Context, databaseURL string, opts Options) (*Store, error) {
	db, err := connect(databaseURL, map[string]string{
		"statement_timeout":                   millis(statementTimeout),
		"idle_in_transaction_session_timeout": millis(idleInTransactionTimeout),
		"jit":                                 "off", // compiling a statement would take longer than running it
	}, networkTimeout, opts.Telemetry)
	if err != nil {
		return nil, err
	}
	conns := opts.MaxConns
	if conns == 0 {
		conns = 20
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	opts.Telemetry.Pool(opts.Name, db.DB)
	s := &Store{db: db, seen: newSeen()}
	s.allocator = newAllocator(s, opts.Batch)
	return s, nil
}

// Close stops the allocator and closes the pool.
func (s *Store) Close() error {
	s.allocator.close()
	return s.db.Close()
}

// Ping reports whether the database answers, and takes changes.
func (s *Store) Ping(ctx context.Context) error {
	var only string
	if err := s.db.GetContext(ctx, &only, `SELECT current_setting('transaction_read_only')`); err != nil {
		return classify(err)
	}
	if only == "on" {
		return readOnly()
	}
	return nil
}

func millis(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

func connect(databaseURL string, settings map[string]string, network time.Duration, traces *telemetry.Telemetry) (*sqlx.DB, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("the database URL is not of the form postgres://user:password@host:port/database")
	}
	q := u.Query()
	for k, v := range settings {
		q.Set(k, v)
	}
	q.Set("timezone", "UTC")
	q.Set("application_name", "waybill")
	if q.Get("connect_timeout") == "" {
		q.Set("connect_timeout", "5")
	}
	u.RawQuery = q.Encode()
	connector, err := pq.NewConnector(u.String())
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	connector.Dialer(deadlineDialer{network})
	return sqlx.NewDb(traces.OpenDB(preparing{connector}), "postgres"), nil
}

// deadlineDialer makes connections on which every single read and write has to make progress in time.
type deadlineDialer struct{ limit time.Duration }

func (d deadlineDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialTimeout(network, address, d.limit)
}

func (d deadlineDialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.TODO(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

func (d deadlineDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil || d.limit == 0 {
		return conn, err
	}
	return deadlineConn{conn, d.limit}, nil
}

type deadlineConn struct {
	net.Conn
	limit time.Duration
}

func (c deadlineConn) Read(b []byte) (int, error) {
	_ = c.SetReadDeadline(time.Now().Add(c.limit))
	return c.Conn.Read(b)
}

func (c deadlineConn) Write(b []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(c.limit))
	return c.Conn.Write(b)
}

// Migrate brings the schema to this binary's version. Several processes may do so at once.
func Migrate(ctx context.Context, databaseURL string) error {
	db, err := connect(databaseURL, nil, 0, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	provider, err := newProvider(db.DB)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Migrated reports whether the schema is at this binary's version or beyond.
func (s *Store) Migrated(ctx context.Context) (bool, error) {
	provider, err := newProvider(s.db.DB)
	if err != nil {
		return false, err
	}
	pending, err := provider.HasPending(ctx)
	return !pending, classify(err)
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(newLocker()))
}

// inTx runs fn in one transaction and says what went wrong so that a caller can act on it.
func (s *Store) inTx(ctx context.Context, fn func(*sqlx.Tx) error) error {
	return classify(s.repeat(ctx, fn))
}

// repeat runs fn in one transaction. A deadlock or serialization failure runs the whole of it again, at most five
// times; nothing else is repeated blindly.
func (s *Store) repeat(ctx context.Context, fn func(*sqlx.Tx) error) error {
	const attempts = 5
	var err error
	for i := range attempts {
		if i > 0 {
			pause := time.Duration(10+rand.IntN(40)) * time.Millisecond << i
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
		}
		if err = s.once(ctx, fn); err == nil || !again(err) {
			break
		}
	}
	return err
}

func (s *Store) once(ctx context.Context, fn func(*sqlx.Tx) error) error {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}
