package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

// PreloadMax is how many orders a database may be filled with: their times are to be different.
const PreloadMax = 10_000_000

const (
	// preloadBatch is how many orders one round of statements copies: seconds of work, and little to hold in memory.
	preloadBatch = 10_000
	// preloadSpan is how far back the copies go; they are spread evenly.
	preloadSpan = "365 days"
)

// copied are the tables of an order, each with what tells whose a row is. Parents come before children.
var copied = []struct{ table, from, order string }{
	{"orders", "orders x", "x.id"},
	{"order_lines", "order_lines x", "x.order_id"},
	{"line_units", "line_units x", "x.order_id"},
	{"order_holds", "order_holds x", "x.order_id"},
	{"payments", "payments x", "x.order_id"},
	{"operations", "operations x", "x.order_id"},
	{"money_ledger", "money_ledger x", "x.order_id"},
	{"fulfillments", "fulfillments x", "x.order_id"},
	{"fulfillment_lines", "fulfillment_lines x", "x.order_id"},
	{"shipments", "shipments x", "x.order_id"},
	{"shipment_lines", "shipment_lines x", "x.order_id"},
	{"shipment_scans", "shipment_scans x JOIN shipments s ON s.id = x.shipment_id", "s.order_id"},
	{"allocations", "allocations x", "x.order_id"},
	{"credits", "credits x", "x.order_id"},
	{"stock_ledger", "stock_ledger x", "x.order_id"},
	{"events", "events x", "x.order_id"},
	{"inbox", "inbox x", "x.order_id"},
	{"commands", "commands x JOIN (SELECT id, id AS order_id FROM orders UNION ALL SELECT id, order_id FROM fulfillments UNION ALL SELECT id, order_id FROM shipments) s ON s.id = x.subject", "s.order_id"},
	{"sandbox.requests", "sandbox.requests x JOIN operations s ON s.key = x.key", "s.order_id"},
	{"sandbox.payment_ledger", "sandbox.payment_ledger x", "x.order_id"},
	{"sandbox.authorizations", "sandbox.authorizations x", "x.order_id"},
	{"sandbox.carrier_ledger", "sandbox.carrier_ledger x", "x.order_id"},
	{"sandbox.labels", "sandbox.labels x", "x.order_id"},
}

// marks are what is another one in every copy: how it looks in an original, the mark that takes its place, and what each
// copy has there. Ids keep the form of ids and the order of time.
var marks = []struct{ pattern, mark, value string }{
	{`([a-z]{3}_)[0-9a-v]{10}([0-9a-v]{16})`, `~T~`, `c.time`},
	{`(sbx_[a-z]+_)[0-9a-f]{10}([0-9a-f]{14})`, `~N~`, `c.number`},
	{`(SBX)[0-9]{10}([0-9]{2})`, `~N~`, `c.number`},
	{`(bench-)[0-9a-z]+-[0-9]+()`, `~N~`, `c.number`},
	{`(BENCH-[0-9])()`, `~S~`, `c.sku`},
	{`(bench-customer)()`, `~C~`, `c.customer`},
	{`()Bench Customer()`, `~P~`, `c.person`},
}

// copies are what differs between copies, from number $1 to $2 of $3. Nothing of it depends on anything else. Some goods
// sell a thousand times as often as others; every name is that of many customers, every customer has about five orders.
const copies = `
CREATE TEMP TABLE copies ON COMMIT DROP AS
SELECT i, n.original, n.events, lpad(i::text, 10, '0') AS number,
	'-' || lpad((1000 * power(dice[1] / 10007.0, 3))::int::text, 4, '0') AS sku,
	'-' || lpad(who::text, 7, '0') AS customer,
	(ARRAY['Amara','Bjarne','Carmen','Dilip','Edda','Farid','Greta','Hiroshi','Ines','Jonas','Keiko','Liam','Mireille','Nadia','Oskar','Priya'])[1 + dice[2] % 16]
		|| ' ' || (ARRAY['Abernathy','Bergstrom','Castellano','Dubois','Ekholm','Fairweather','Grunwald','Hashimoto','Ivanova','Jankowski','Kowalczyk'])[1 + dice[3] % 11]
		|| ' ' || who AS person,
	(ARRAY['web','web','web','web','web','app','app','phone'])[1 + dice[4] % 8] AS channel,
	at - n.created_at AS shift,
	(SELECT string_agg(substr('0123456789abcdefghijklmnopqrstuv', 1 + (((extract(epoch FROM at) * 1000)::bigint * 4 + 1) >> (45 - 5 * d) & 31)::int, 1), '' ORDER BY d)
		FROM generate_series(0, 9) d) AS time
FROM (SELECT i::bigint AS i, now() - interval '` + preloadSpan + `' * (($3 - i + 1)::float8 / $3) AS at FROM generate_series($1::bigint, $2::bigint) i) g
CROSS JOIN LATERAL (SELECT array_agg(mod(hashint8extended(i, k) & 2147483647, 10007)::int ORDER BY k) AS dice,
	mod(hashint8extended(i, 0) & 2147483647, greatest($3::bigint / 5, 1)) AS who FROM generate_series(1, 5) k) thrown
JOIN originals n ON n.original = dice[5] % (SELECT count(*) FROM originals)`

// preloader copies finished orders that the real thing made, with everything that belongs to them, by statements on whole
// sets. What it copies was held by every constraint and every invariant, and a copy differs in names and times only.
type preloader struct {
	db      *sql.DB
	tell    func(done, of int)
	columns map[string]filling // by table
}

// filling is how a table's copies are made.
type filling struct{ into, values string }

// run copies the orders of ids until the database has total orders.
func (p *preloader) run(ctx context.Context, ids []string, total int) error {
	var there int
	if err := p.db.QueryRowContext(ctx, `SELECT count(*) FROM orders`).Scan(&there); err != nil {
		return err
	}
	conn, err := p.db.Conn(ctx) // temporary tables are a connection's own
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := p.prepare(ctx, conn, ids); err != nil {
		return fmt.Errorf("preload: %w", err)
	}
	for done := there; done < total; {
		upTo := min(done+preloadBatch, total)
		if err := p.batch(ctx, conn, done+1, upTo, total); err != nil {
			return fmt.Errorf("preload: %w", err)
		}
		done = upTo
		p.tell(done, total)
	}
	return p.finish(ctx, conn)
}

// prepare keeps the originals, with marks where copies differ.
func (p *preloader) prepare(ctx context.Context, conn *sql.Conn, ids []string) error {
	for _, statement := range []string{
		`SET synchronous_commit = off`,
		`SET session_replication_role = replica`, // what is copied with its parents needs no look for them, row by row
		`SET work_mem = '256MB'`,
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if _, err := conn.ExecContext(ctx, `CREATE TEMP TABLE originals AS SELECT row_number() OVER (ORDER BY id) - 1 AS original, id, sequence AS events, created_at
		FROM orders WHERE id = ANY($1) AND settled`, pq.Array(ids)); err != nil {
		return err
	}
	var unstamped int
	if err := conn.QueryRowContext(ctx, `SELECT count(*) FROM events WHERE position IS NULL`).Scan(&unstamped); err != nil || unstamped > 0 {
		return errors.Join(err, errors.New("events wait for their position"))
	}
	p.columns = map[string]filling{}
	for i, c := range copied {
		var err error
		if p.columns[c.table], err = p.keep(ctx, conn, fmt.Sprintf("original_%d", i), c.table, c.from, c.order); err != nil {
			return fmt.Errorf("%s: %w", c.table, err)
		}
	}
	return nil
}

// keep makes the temporary table of one table's originals, and returns how its copies are made.
func (p *preloader) keep(ctx context.Context, conn *sql.Conn, kept, table, from, order string) (f filling, err error) {
	rows, err := conn.QueryContext(ctx, `SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
		WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' ORDER BY attnum`, table)
	if err != nil {
		return f, err
	}
	defer rows.Close()
	var names, selected, values []string
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return f, err
		}
		column, value := "x."+name, "o."+name
		switch kind {
		case "text", "jsonb":
			column += "::text"
			for _, m := range marks {
				column = fmt.Sprintf(`regexp_replace(%s, '%s', '\1%s\2', 'g')`, column, m.pattern, m.mark)
				value = fmt.Sprintf(`replace(%s, '%s', %s)`, value, m.mark, m.value)
			}
			value += "::" + kind
			column += " AS " + name
		case "timestamp with time zone":
			value += " + c.shift"
		}
		names, selected, values = append(names, name), append(selected, column), append(values, special(table, name, value))
	}
	if err := rows.Err(); err != nil {
		return f, err
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf(`CREATE TEMP TABLE %s AS SELECT n.original, %s FROM originals n, %s WHERE %s = n.id`,
		kept, strings.Join(selected, ", "), from, order))
	return filling{into: strings.Join(names, ", "), values: strings.Join(values, ", ") + " FROM copies c JOIN " + kept + " o USING (original) ORDER BY c.i"}, err
}

// special is a column that copies do not have from their original.
func special(table, column, value string) string {
	switch {
	case table == "orders" && column == "channel":
		return "c.channel"
	case table == "events" && column == "position":
		return "c.events_before + o.sequence"
	}
	return value
}

// batch makes the copies of some numbers, all of each in one transaction.
func (p *preloader) batch(ctx context.Context, conn *sql.Conn, first, last, total int) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, copies, first, last, total); err != nil {
		return err
	}
	for _, statement := range []string{
		`ALTER TABLE copies ADD COLUMN events_before bigint`,
		`UPDATE copies c SET events_before = s.before FROM (SELECT i, (SELECT COALESCE(max(position), 0) FROM events)
			+ sum(events) OVER (ORDER BY i) - events AS before FROM copies) s WHERE s.i = c.i`,
		`ANALYZE copies`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	for _, c := range copied {
		f := p.columns[c.table]
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s`, c.table, f.into, f.values)); err != nil {
			return fmt.Errorf("%s: %w", c.table, err)
		}
	}
	return tx.Commit()
}

// finish books what the copies shipped as received before, so that the levels are the sums of their ledger, and lets the
// planner know what there is.
func (p *preloader) finish(ctx context.Context, conn *sql.Conn) error {
	for _, statement := range []string{
		`INSERT INTO stock_levels (sku, location_id, on_hand, committed, unavailable)
			SELECT sku, location_id, 0, 0, 0 FROM stock_ledger GROUP BY 1, 2 ON CONFLICT DO NOTHING`,
		`INSERT INTO stock_ledger (sku, location_id, kind, quantity, on_hand, committed, unavailable, order_id, line_id, reference, reason, actor, request_id, at)
			SELECT v.sku, v.location_id, 'receipt', v.on_hand - l.on_hand, v.on_hand - l.on_hand, 0, 0, '', '', 'bench/preload', '', 'bench', '', l.first
			FROM stock_levels v JOIN (SELECT sku, location_id, sum(on_hand) AS on_hand, min(at) AS first FROM stock_ledger GROUP BY 1, 2) l
				ON l.sku = v.sku AND l.location_id = v.location_id WHERE v.on_hand > l.on_hand`,
		`VACUUM (ANALYZE)`,
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("preload: %w", err)
		}
	}
	return nil
}
