package verify_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/store/verify"
)

// Orders that were written before there were credits and refunds violate nothing once they are migrated.
func TestMigrated(t *testing.T) {
	db := open(t)
	db.exec(`DROP SCHEMA sandbox CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public`)
	up := func(name string) {
		body, err := os.ReadFile("../migrations/" + name)
		require.NoError(t, err)
		sql, _, _ := strings.Cut(string(body), "-- +goose Down")
		db.exec(sql)
	}
	up("0001_core.sql")
	body, err := os.ReadFile("../testdata/0001_orders.json")
	require.NoError(t, err)
	var tables map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(body, &tables))
	for _, name := range []string{"locations", "stock_levels", "stock_ledger", "orders", "order_lines", "line_units", "order_holds",
		"payments", "operations", "money_ledger", "fulfillments", "fulfillment_lines", "allocations"} {
		_, err := db.ExecContext(t.Context(), `INSERT INTO `+name+` OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::`+name+`, $1)`, string(tables[name]))
		require.NoError(t, err, name)
	}
	db.exec(`SELECT setval(pg_get_serial_sequence('money_ledger', 'id'), 1000)`)
	up("0002_whole_order.sql")
	var then time.Time
	require.NoError(t, db.GetContext(t.Context(), &then, `SELECT max(updated_at) FROM orders`))
	found := violated(db.verify(func(o *verify.Options) { o.Now = func() time.Time { return then } }))
	for _, ofEvents := range []string{"V-O4", "V-O5", "V-E2"} { // which were not kept
		delete(found, ofEvents)
	}
	require.Empty(t, found)
}

// What 0003 makes of the events that were there is what the code writes today.
func TestEventsOfBeforeTheFeedSayTheSame(t *testing.T) {
	db := open(t)
	body, err := os.ReadFile("../migrations/0003_feed.sql")
	require.NoError(t, err)
	_, down, _ := strings.Cut(string(body), "-- +goose Down")
	type event struct{ Event, Data string }
	said := func() (events []event) {
		require.NoError(t, db.SelectContext(t.Context(), &events, `SELECT order_id || ' ' || sequence || ' ' || type AS event, data::text FROM events ORDER BY 1`))
		return events
	}
	before := said()
	db.exec(down)
	db.exec(`DELETE FROM goose_db_version WHERE version_id >= 3`)
	require.NoError(t, store.Migrate(t.Context(), db.url))
	for i, after := range said() {
		require.Equal(t, before[i].Event, after.Event)
		want, got := instants(before[i].Data), instants(after.Data)
		if strings.HasSuffix(after.Event, "order.backordered") { // the day was kept, not the time of day
			want = ofDay.ReplaceAllString(want, " 00:00:00 ")
		}
		require.JSONEq(t, want, got, after.Event)
	}
}

var (
	instant = regexp.MustCompile(`"20[0-9-]+T[^"]+"`)
	ofDay   = regexp.MustCompile(` [0-9:.]+ `)
)

// instants writes every time in one way.
func instants(text string) string {
	return instant.ReplaceAllStringFunc(text, func(found string) string {
		at, err := time.Parse(time.RFC3339Nano, strings.Trim(found, `"`))
		if err != nil {
			return found
		}
		return strconv.Quote(at.UTC().Format("2006-01-02 15:04:05.999999 UTC"))
	})
}
