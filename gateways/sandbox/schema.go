package sandbox

import (
	"context"
	"embed"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
)

// schemaFiles are the steps that build the sandbox's schema, in the order of their names. A step that was
// published is never edited: a change is another step.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

// schemaLock is the advisory lock that makes processes starting at once build the schema one after the
// other. The number has no meaning beyond being ours ("WBsandbx" in ASCII).
const schemaLock = 0x574273616e646278

// createSchema applies the steps that this database has not seen, all in one transaction, so that a process
// killed in the middle leaves nothing behind.
func createSchema(ctx context.Context, db *sqlx.DB) (err error) {
	names, err := schemaNames()
	if err != nil {
		return err
	}
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(schemaLock)); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	done, err := appliedSteps(ctx, tx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if slices.Contains(done, name) {
			continue
		}
		if err := applyStep(ctx, tx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func schemaNames() ([]string, error) {
	entries, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, fmt.Errorf("embedded steps: %w", err)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries { // ReadDir sorts by name
		names = append(names, entry.Name())
	}
	return names, nil
}

func appliedSteps(ctx context.Context, tx *sqlx.Tx) ([]string, error) {
	const create = `
		CREATE SCHEMA IF NOT EXISTS sandbox;
		CREATE TABLE IF NOT EXISTS sandbox.schema_steps (
			name       text        NOT NULL CONSTRAINT schema_steps_pkey PRIMARY KEY,
			applied_at timestamptz NOT NULL DEFAULT now()
		)`
	if _, err := tx.ExecContext(ctx, create); err != nil {
		return nil, fmt.Errorf("create schema: %w", err)
	}
	var done []string
	if err := tx.SelectContext(ctx, &done, `SELECT name FROM sandbox.schema_steps ORDER BY name`); err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	return done, nil
}

func applyStep(ctx context.Context, tx *sqlx.Tx, name string) error {
	body, err := schemaFiles.ReadFile("schema/" + name)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, string(body)); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO sandbox.schema_steps (name) VALUES ($1)`, name)
	return err
}
