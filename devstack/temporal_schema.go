//go:build unix

package devstack

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/waybill-oms/waybill/tools"
)

const (
	// databaseMark begins the comment on a database that was made here; what it was made with follows.
	databaseMark = "Temporal of waybill dev "
	// unfinishedDatabase marks one that may lack tables.
	unfinishedDatabase = databaseMark + "(unfinished)"
	// lockWithin is how long a launcher that was killed a moment ago may still seem to hold its databases.
	lockWithin = 3 * time.Second
	// dropWithin bounds the end of databases that nobody wants to keep.
	dropWithin = 10 * time.Second
)

func visibilityOf(database string) string { return database + "_visibility" }

// prepare takes the two databases for this process and gives them their tables.
func (s *postgresServer) prepare(ctx context.Context, tell progress) error {
	if s.given.Database == "" {
		s.given.Database = "temporal"
	}
	role, err := parseRole(s.given.AdminURL)
	if err != nil {
		return err
	}
	s.role = role
	if s.ephemeral {
		s.given.Database += "_" + strings.ToLower(rand.Text()[:8])
	}
	admin, err := openDatabase(s.given.AdminURL)
	if err != nil {
		return err
	}
	release, err := lockDatabase(ctx, admin, s.given.Database)
	if err != nil {
		return errors.Join(err, admin.Close())
	}
	s.t.cleanup = append(s.t.cleanup, func() {
		if s.ephemeral {
			s.drop(context.WithoutCancel(ctx), admin)
		}
		release()
		_ = admin.Close()
	})
	for database, schema := range map[string]string{s.given.Database: "temporal", visibilityOf(s.given.Database): "visibility"} {
		if err := s.ensureSchema(ctx, admin, database, schema, tell); err != nil {
			return fmt.Errorf("database %s: %w", database, err)
		}
	}
	return s.forgetMembers(ctx)
}

// forgetMembers forgets the services that were there. Those of a server that was killed a moment ago would be waited for,
// for most of a minute, before the new ones do without them.
func (s *postgresServer) forgetMembers(ctx context.Context) error {
	address, err := url.Parse(s.given.AdminURL)
	if err != nil {
		return err
	}
	address.Path = "/" + s.given.Database
	db, err := openDatabase(address.String())
	if err != nil {
		return err
	}
	defer db.Close()
	return execute(ctx, db, "DELETE FROM cluster_membership")
}

// lockDatabase keeps out launchers with other folders and the same PostgreSQL: two servers that do not know of
// each other would ruin one another's workflows. The lock ends with the connection, that is with this process.
func lockDatabase(ctx context.Context, admin *sql.DB, name string) (release func(), err error) {
	held, err := admin.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err = held.ExecContext(ctx, "SELECT set_config('lock_timeout', $1, false)", lockWithin.String()); err == nil {
		_, err = held.ExecContext(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", databaseMark+name)
	}
	if err == nil {
		return func() { _ = held.Close() }, nil
	}
	if refused := new(pq.Error); errors.As(err, &refused) && refused.Code.Name() == "lock_not_available" {
		err = fmt.Errorf("another process runs a Temporal server on the database %s: stop that one first, or use another PostgreSQL", name)
	}
	return nil, errors.Join(err, held.Close())
}

// ensureSchema makes a database, or brings one of ours up to date. Its comment says that it is ours, and whether it is
// whole.
func (s *postgresServer) ensureSchema(ctx context.Context, admin *sql.DB, database, schema string, tell progress) error {
	whole := databaseMark + tools.TemporalServer.Version()
	var found string
	err := admin.QueryRowContext(ctx, "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = $1", database).Scan(&found)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && found == unfinishedDatabase:
		err = s.makeDatabase(ctx, admin, database)
	case err == nil && found == whole:
		return nil
	case err == nil && !strings.HasPrefix(found, databaseMark):
		err = errors.New("it is there and was not made by waybill dev: use another PostgreSQL, or rename that database")
	case err == nil:
		tell.say("bringing the database %s up from Temporal %s to %s", database, strings.TrimPrefix(found, databaseMark), tools.TemporalServer.Version())
	}
	if err != nil {
		return err
	}
	if err := s.tool(ctx, database, "update-schema", "--schema-name", "postgresql/v12/"+schema); err != nil {
		return err
	}
	return execute(ctx, admin, comment(database, whole))
}

// makeDatabase makes a database with nothing but a version of its schema in it. It gets its name when it is marked, so
// that one which a killed launcher has left is known as ours. The tool's tables contain that name, so it has to have it
// before them.
func (s *postgresServer) makeDatabase(ctx context.Context, admin *sql.DB, database string) error {
	nameless := database + "_unfinished"
	err := execute(ctx, admin, dropDatabase(database), dropDatabase(nameless), "CREATE DATABASE "+pq.QuoteIdentifier(nameless),
		comment(nameless, unfinishedDatabase), "ALTER DATABASE "+pq.QuoteIdentifier(nameless)+" RENAME TO "+pq.QuoteIdentifier(database))
	if refused := new(pq.Error); errors.As(err, &refused) && refused.Code.Name() == "insufficient_privilege" {
		return fmt.Errorf("%w: Temporal's databases need a role with CREATEDB, and %s is none", err, s.role.user)
	}
	if err != nil {
		return err
	}
	return s.tool(ctx, database, "setup-schema", "--version", "0.0")
}

func comment(database, text string) string {
	return "COMMENT ON DATABASE " + pq.QuoteIdentifier(database) + " IS " + pq.QuoteLiteral(text)
}

// tool runs Temporal's schema tool on a database. The password goes by the environment, which other users cannot read.
func (s *postgresServer) tool(ctx context.Context, database string, args ...string) error {
	env := append(childEnv(s.t.Dir), "SQL_PLUGIN=postgres12", "SQL_HOST="+s.role.host, "SQL_PORT="+s.role.port,
		"SQL_USER="+s.role.user, "SQL_PASSWORD="+s.role.password, "SQL_DATABASE="+database,
		"SQL_TLS="+strconv.FormatBool(s.role.tls), "SQL_TLS_DISABLE_HOST_VERIFICATION="+strconv.FormatBool(!s.role.verified),
		"SQL_TLS_CA_FILE="+s.role.authority)
	_, err := command{path: s.sqlTool, args: args, dir: s.t.Dir, env: env}.run(ctx)
	return err
}

// drop drops what was to be kept no longer than this. A server that is gone has taken them along.
func (s *postgresServer) drop(ctx context.Context, admin *sql.DB) {
	ctx, cancel := context.WithTimeout(ctx, dropWithin)
	defer cancel()
	_ = execute(ctx, admin, dropDatabase(s.given.Database), dropDatabase(visibilityOf(s.given.Database)))
}

func dropDatabase(name string) string {
	return "DROP DATABASE IF EXISTS " + pq.QuoteIdentifier(name) + " WITH (FORCE)"
}

// execute runs statements one by one, each in a transaction of its own, as those on databases need it.
func execute(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
