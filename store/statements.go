package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

// plannedEachTime stands in statements whose best plan depends on what is asked for. All others are prepared when a
// connection first sees them: lib/pq would have PostgreSQL parse and plan them each time, in a round trip of its own,
// which for ours takes longer than running them.
const plannedEachTime = "/* planned each time */ "

// preparedMax bounds what one connection keeps prepared. There are about a hundred fixed statements.
const preparedMax = 300

// preparing opens connections that keep their statements prepared.
type preparing struct{ driver.Connector }

func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	whole, ok := conn.(wholeConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's %T cannot do what is needed of it", conn), conn.Close())
	}
	return &preparedConn{wholeConn: whole, prepared: map[string]driver.Stmt{}}, nil
}

// wholeConn is everything that database/sql looks for in a connection: what was left out would be done without.
type wholeConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
}

// preparedConn is one connection with the statements that it has prepared.
type preparedConn struct {
	wholeConn
	prepared map[string]driver.Stmt
}

// QueryContext runs a query, prepared where that is worth it.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stmt, err := c.statement(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return c.wholeConn.QueryContext(ctx, query, args)
	}
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	return rows, stale(err)
}

// ExecContext runs a statement, prepared where that is worth it.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	stmt, err := c.statement(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return c.wholeConn.ExecContext(ctx, query, args)
	}
	result, err := stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	return result, stale(err)
}

// statement gives the prepared statement for a query, or nil when it is not to be one: without arguments it may be
// several statements, which cannot be prepared.
func (c *preparedConn) statement(ctx context.Context, query string, args []driver.NamedValue) (driver.Stmt, error) {
	if stmt := c.prepared[query]; stmt != nil {
		return stmt, nil
	}
	if len(args) == 0 || len(c.prepared) >= preparedMax || strings.Contains(query, plannedEachTime) {
		return nil, nil
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.prepared[query] = stmt
	return stmt, nil
}

// stale tells database/sql to use another connection when the server does not know a statement any more, or would
// answer it in another form than it did: somebody has discarded the session, or migrated. Nothing was done by it.
func stale(err error) error {
	var pe *pq.Error
	if errors.As(err, &pe) && (pe.Code == "26000" || pe.Routine == "RevalidateCachedQuery") {
		return fmt.Errorf("%w: %w", driver.ErrBadConn, err)
	}
	return err
}
