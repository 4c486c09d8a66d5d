package verify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

const (
	// statementTimeout bounds one question. It reads whole tables of a database that also has other work to do.
	statementTimeout = 10 * time.Minute
	// idleTimeout frees the transaction, which keeps dead rows from being cleaned, when this process is frozen.
	idleTimeout = time.Minute
	// lockTimeout gives way to a migration rather than wait in its way.
	lockTimeout = 5 * time.Second
)

// connect opens a pool that cannot write: the server itself refuses.
func connect(ctx context.Context, databaseURL string) (*sqlx.DB, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("the database URL is not of the form postgres://user:password@host:port/database")
	}
	settings := u.Query()
	for name, value := range map[string]string{
		"default_transaction_read_only":       "on",
		"statement_timeout":                   fmt.Sprint(statementTimeout.Milliseconds()),
		"idle_in_transaction_session_timeout": fmt.Sprint(idleTimeout.Milliseconds()),
		"lock_timeout":                        fmt.Sprint(lockTimeout.Milliseconds()),
		"timezone":                            "UTC",
		"application_name":                    "waybill verify",
	} {
		settings.Set(name, value)
	}
	if settings.Get("connect_timeout") == "" {
		settings.Set("connect_timeout", "5")
	}
	u.RawQuery = settings.Encode()
	connector, err := pq.NewConnector(u.String())
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	db := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	db.SetMaxOpenConns(2) // the transaction, and second looks beside it
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to PostgreSQL: %w", err), db.Close())
	}
	return db, nil
}

// moment begins a transaction in which every question sees the same rows.
func moment(ctx context.Context, db *sqlx.DB) (*sqlx.Tx, error) {
	return db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
}
