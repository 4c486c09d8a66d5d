package store

import (
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
)

func TestEveryRefusalIsOfAConstraint(t *testing.T) {
	s := open(t)
	var names []string
	require.NoError(t, s.db.SelectContext(t.Context(), &names, `SELECT conname FROM pg_constraint
		UNION SELECT relname FROM pg_class WHERE relkind = 'i'`))
	for name := range refusals {
		require.Contains(t, names, name)
	}
}

// What the schema does not take is not sent again: nothing would change.
func TestFactsThatTheSchemaRefusesAreFinal(t *testing.T) {
	s := open(t)
	o := wish(t, s, "one", 2)
	for _, c := range []struct{ name, statement, code, names string }{
		{"a rule that a caller can run into", `UPDATE order_lines SET return_requested = 1`, "return_exceeds_delivered", ""},
		{"another rule", `UPDATE orders SET status = 'eaten'`, "facts_refused", "orders_status_known"},
		{"a missing value", `UPDATE orders SET status = NULL`, "facts_refused", "not_null_violation"},
		{"a number that does not fit", `UPDATE order_lines SET quantity = 9223372036854775807 + quantity`, "facts_refused", "numeric_value_out_of_range"},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			err := s.inTx(t.Context(), func(tx *sqlx.Tx) error {
				asked++
				_, err := tx.ExecContext(t.Context(), c.statement)
				return err
			})
			require.True(t, fault.Is(err, c.code), "%v", err)
			require.Equal(t, fault.Conflict, fault.As(err).Kind)
			require.Contains(t, err.Error(), c.names)
			require.NotContains(t, err.Error(), o.ID)
			require.Equal(t, 1, asked)
		})
	}
}

// What is over by itself, or once somebody has looked after the server, is worth sending again: nothing was written.
func TestAServerThatTakesNoChanges(t *testing.T) {
	s := open(t)
	says := map[string]string{"its disk is full": "disk_full", "its memory is used": "out_of_memory", "a file is damaged": "io_error", "it is only a standby": "standby"}
	for name, statement := range map[string]string{
		"its disk is full":     `DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$`,
		"its memory is used":   `DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'out_of_memory'; END $$`,
		"a file is damaged":    `DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'io_error'; END $$`,
		"it is only a standby": `SET TRANSACTION READ ONLY; UPDATE orders SET version = version`,
	} {
		t.Run(name, func(t *testing.T) {
			err := s.inTx(t.Context(), func(tx *sqlx.Tx) error {
				_, err := tx.ExecContext(t.Context(), statement)
				return err
			})
			require.True(t, fault.Is(err, "database_unavailable"), "%v", err)
			require.Equal(t, fault.Unavailable, fault.As(err).Kind)
			require.NotZero(t, fault.As(err).RetryAfter)
			require.Contains(t, err.Error(), says[name])
		})
	}
}

func TestPingWantsADatabaseThatTakesChanges(t *testing.T) {
	url := devtest.Database(t)
	s, err := Open(t.Context(), url, Options{})
	require.NoError(t, err)
	require.NoError(t, s.Ping(t.Context()))
	drop(t, s, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`)
	require.NoError(t, s.Close())
	s, err = Open(t.Context(), url, Options{})
	require.NoError(t, err)
	defer func() { _ = s.Close() }()
	require.True(t, fault.Is(s.Ping(t.Context()), "database_unavailable"))
}

func TestAnOrderThatWasPlacedBefore(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 9)
	p := placement("one")
	o := place(t, s, p)
	for _, key := range []string{"key-one", "another key"} {
		again, fresh, err := s.Place(t.Context(), p, id.New(id.Order), key, act())
		require.NoError(t, err)
		require.False(t, fresh)
		require.Equal(t, o.ID, again.ID)
	}
}

func TestPlacingIsRefusedLikeEverythingElse(t *testing.T) {
	s := open(t)
	drop(t, s, `ALTER TABLE orders ADD CONSTRAINT orders_none CHECK (version < 0)`)
	p := placement("one")
	p.OnShortage = order.OnShortagePartial
	_, fresh, err := s.Place(t.Context(), p, id.New(id.Order), "key", act())
	require.False(t, fresh)
	require.True(t, fault.Is(err, "facts_refused"), "%v", err)
}
