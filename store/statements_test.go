package store

import (
	"database/sql"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
)

// prepared opens one connection that keeps its statements prepared.
func prepared(t *testing.T) *sql.DB {
	t.Helper()
	connector, err := pq.NewConnector(devtest.Database(t))
	require.NoError(t, err)
	db := sql.OpenDB(preparing{connector})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	return db
}

func kept(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_prepared_statements`).Scan(&n))
	return n
}

func TestStatementsAreKeptPrepared(t *testing.T) {
	db := prepared(t)
	for i := range 20 {
		var n int
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT CAST($1 AS int) + 1`, i).Scan(&n))
		require.Equal(t, i+1, n)
		_, err := db.ExecContext(t.Context(), `SELECT set_config('a.b', $1, false)`, "c")
		require.NoError(t, err)
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT `+plannedEachTime+`CAST($1 AS int)`, i).Scan(&n))
	}
	require.Equal(t, 2, kept(t, db), "what is planned each time is not")
	_, err := db.ExecContext(t.Context(), `SELECT 1; SELECT 2`)
	require.NoError(t, err, "several statements at once")
}

// A text that is never the same does not fill the server's memory.
func TestNotEverythingIsKeptPrepared(t *testing.T) {
	db := prepared(t)
	for i := range preparedMax + 20 {
		var n, m int
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT CAST($1 AS int), "+string(rune('0'+i%10))+" -- "+string(rune('a'+i)), i).Scan(&n, &m))
		require.Equal(t, []int{i, i % 10}, []int{n, m})
	}
	require.Equal(t, preparedMax, kept(t, db))
}

// Somebody discards what the session has prepared, or changes a table under it: the next call works all the same.
func TestPreparedStatementsThatAreGone(t *testing.T) {
	db := prepared(t)
	_, err := db.ExecContext(t.Context(), `CREATE TABLE goods (id int); INSERT INTO goods VALUES (1)`)
	require.NoError(t, err)
	ask := func() (found []string) {
		rows, err := db.QueryContext(t.Context(), `SELECT * FROM goods WHERE id = $1`, 1)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			columns, err := rows.Columns()
			require.NoError(t, err)
			found = append(found, columns...)
		}
		require.NoError(t, rows.Err())
		return found
	}
	require.Equal(t, []string{"id"}, ask())
	_, err = db.ExecContext(t.Context(), `DEALLOCATE ALL`)
	require.NoError(t, err)
	require.Equal(t, []string{"id"}, ask())
	_, err = db.ExecContext(t.Context(), `ALTER TABLE goods ADD COLUMN name text`)
	require.NoError(t, err)
	require.Equal(t, []string{"id", "name"}, ask())
}
