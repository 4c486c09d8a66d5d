package devtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/waybill-oms/waybill/devstack"
)

// Migrate prepares the template: it is called once per process with the URL of an empty database, of which
// every test gets a copy. nil leaves the template empty. It must be set before the first call of Database and
// must have closed its connections when it returns.
var Migrate func(ctx context.Context, url string) error

// sharedServerEnv names a server to use instead of one per process.
const sharedServerEnv = "TEST_DATABASE_URL"

// databasePrefix begins the name of every database made here. The time of the process's start follows, by
// which what killed processes left on a shared server is known to be old.
const databasePrefix = "waybill_test_"

// server is the PostgreSQL of this process.
type server struct {
	adminURL string
	// admin makes and drops databases. It is connected to none of them.
	admin *sql.DB
	// run is the part of the database names that is of this process.
	run  string
	made atomic.Int64
}

var (
	startServer = sync.OnceValues(newServer)
	// prepareTemplate returns the name of the template.
	prepareTemplate = sync.OnceValues(newTemplate)
)

// Database returns the URL of a database that is the test's own: a copy of the template, dropped when the test
// ends. To copy takes some 50 ms.
func Database(t testing.TB) string {
	t.Helper()
	template, err := prepareTemplate()
	if err != nil {
		t.Fatalf("devtest: %v", err)
	}
	s, err := startServer()
	if err != nil {
		t.Fatalf("devtest: %v", err)
	}
	ctx, cancel := withDeadline()
	defer cancel()
	name := s.newName()
	if err := s.create(ctx, name, template); err != nil {
		t.Fatalf("devtest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := withDeadline()
		defer cancel()
		if err := s.drop(ctx, name); err != nil {
			t.Errorf("devtest: %v", err)
		}
	})
	return s.urlOf(name)
}

// AdminURL returns the URL of the database postgres on the server that Database uses, as a superuser: for
// tests that end other sessions or look at them.
func AdminURL(t testing.TB) string {
	t.Helper()
	s, err := startServer()
	if err != nil {
		t.Fatalf("devtest: %v", err)
	}
	return s.adminURL
}

func newServer() (*server, error) {
	shared := os.Getenv(sharedServerEnv)
	if shared != "" && !strings.HasPrefix(shared, "postgres://") && !strings.HasPrefix(shared, "postgresql://") {
		return nil, fmt.Errorf("%s has to be a URL, postgres://user:password@host:port/postgres", sharedServerEnv)
	}
	postgres, err := devstack.StartPostgres(context.Background(), devstack.PostgresOptions{
		URL:       shared,
		Ephemeral: true,
		Settings: map[string]string{
			"max_connections": "300",
			// A worker of it in the template would keep copies waiting, and no test lives long enough to need it.
			"autovacuum": "off",
		},
	})
	if err != nil {
		return nil, err
	}
	atEnd(postgres.Stop)
	connector, err := pq.NewConnector(postgres.AdminURL)
	if err != nil {
		return nil, err
	}
	s := &server{
		adminURL: postgres.AdminURL,
		admin:    sql.OpenDB(connector),
		run:      fmt.Sprintf("%s%d_%s", databasePrefix, time.Now().Unix(), strings.ToLower(rand.Text()[:8])),
	}
	s.admin.SetMaxOpenConns(4)
	atEnd(s.admin.Close)
	ctx, cancel := withDeadline()
	defer cancel()
	return s, s.dropOld(ctx)
}

func newTemplate() (string, error) {
	s, err := startServer()
	if err != nil {
		return "", err
	}
	ctx, cancel := withDeadline()
	defer cancel()
	name := s.run + "_template"
	if err := s.create(ctx, name, "template0"); err != nil {
		return "", err
	}
	atEnd(func() error {
		ctx, cancel := withDeadline()
		defer cancel()
		return s.drop(ctx, name)
	})
	if Migrate != nil {
		if err := Migrate(ctx, s.urlOf(name)); err != nil {
			return "", fmt.Errorf("prepare the template: %w", err)
		}
	}
	return name, nil
}

func (s *server) newName() string { return s.run + "_" + strconv.FormatInt(s.made.Add(1), 10) }

func (s *server) create(ctx context.Context, name, template string) error {
	statement := fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", pq.QuoteIdentifier(name), pq.QuoteIdentifier(template))
	if _, err := s.admin.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("create a database from %s: %w", template, err)
	}
	return nil
}

func (s *server) drop(ctx context.Context, name string) error {
	if _, err := s.admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+pq.QuoteIdentifier(name)+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

var databaseName = regexp.MustCompile(`^` + databasePrefix + `(\d+)_`)

// dropOld drops what processes that were killed have left on a shared server, once it is a day old. A server
// of our own has nothing.
func (s *server) dropOld(ctx context.Context) error {
	rows, err := s.admin.QueryContext(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", databasePrefix)
	if err != nil {
		return fmt.Errorf("look for old test databases: %w", err)
	}
	defer rows.Close()
	var old []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		if isOld(name, time.Now()) {
			old = append(old, name)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range old {
		if err := s.drop(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func isOld(name string, now time.Time) bool {
	match := databaseName.FindStringSubmatch(name)
	if match == nil {
		return false
	}
	seconds, err := strconv.ParseInt(match[1], 10, 64)
	return err == nil && now.Sub(time.Unix(seconds, 0)) > 24*time.Hour
}

// urlOf is the admin URL with another database.
func (s *server) urlOf(name string) string {
	address, err := url.Parse(s.adminURL)
	if err != nil {
		panic(err) // it has served to connect
	}
	address.Path = "/" + name
	return address.String()
}
