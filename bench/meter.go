package bench

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit in which /proc tells CPU time, on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// meter reads what the machine and the database count by themselves.
type meter struct {
	db *sql.DB
	// all reads every process of the machine that has one of the names, for a stack that others have started; else those
	// that this process has started are read.
	all bool
	// statements tells whether the database has pg_stat_statements.
	statements bool
}

// reading is what was counted up to one moment.
type reading struct {
	at                       time.Time
	cpu                      map[int]process
	statements, transactions int64
}

// process is what one process has used, with those of its children that have ended.
type process struct {
	name        string
	parent      int
	used, ended time.Duration
}

// newMeter makes a meter, and has the database count statements where it can.
func newMeter(ctx context.Context, db *sql.DB, all bool) *meter {
	m := &meter{db: db, all: all}
	_, err := db.ExecContext(ctx, `CREATE EXTENSION IF NOT EXISTS pg_stat_statements`)
	if err == nil {
		err = db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_statements`).Err()
	}
	m.statements = err == nil
	return m
}

func (m *meter) read(ctx context.Context) (r reading, err error) {
	if r.cpu, err = m.processes(ctx); err != nil {
		return r, err
	}
	if err := m.db.QueryRowContext(ctx, `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()`).Scan(&r.transactions); err != nil {
		return r, fmt.Errorf("count transactions: %w", err)
	}
	if m.statements {
		if err := m.db.QueryRowContext(ctx, `SELECT COALESCE(sum(calls), 0)::bigint FROM pg_stat_statements
			WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&r.statements); err != nil {
			return r, fmt.Errorf("count statements: %w", err)
		}
	}
	r.at = time.Now()
	return r, nil
}

// processes reads /proc. Where there is none, no CPU time is known.
func (m *meter) processes(ctx context.Context) (map[int]process, error) {
	found := map[int]process{}
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(names) == 0 {
		return found, err
	}
	backends, err := m.backends(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) || err != nil {
			continue // it has ended meanwhile
		}
		pid, p, ok := parseStat(content)
		if !ok {
			continue
		}
		if p.name = nameOf(pid, p.name); p.name == postgresItself && backends[pid] != "" {
			p.name = backends[pid]
		}
		found[pid] = p
	}
	for pid, p := range found {
		if p.name == "" || !m.all && !descends(found, pid) {
			delete(found, pid)
		}
	}
	return found, nil
}

// postgresItself is what PostgreSQL does for nobody in particular: the log, checkpoints, connections that have ended.
const postgresItself = "postgres itself"

// parseStat reads a /proc/<pid>/stat. The name stands in parentheses and may have anything in it.
func parseStat(content []byte) (pid int, p process, ok bool) {
	open, end := bytes.IndexByte(content, '('), bytes.LastIndexByte(content, ')')
	if open < 0 || end < open {
		return 0, p, false
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(content[:open])))
	fields := strings.Fields(string(content[end+1:])) // from the third of the manual on
	if err != nil || len(fields) < 15 {
		return 0, p, false
	}
	number := func(i int) int { n, _ := strconv.Atoi(fields[i]); return n }
	p = process{name: string(content[open+1 : end]), parent: number(1),
		used:  time.Duration(number(11)+number(12)) * tick,
		ended: time.Duration(number(13)+number(14)) * tick}
	return pid, p, true
}

// nameOf is what a process is to us, "" for nothing.
func nameOf(pid int, program string) string {
	switch {
	case pid == os.Getpid():
		return "bench"
	case strings.HasPrefix(program, "temporal"):
		return "temporal"
	case program == "postgres":
		return postgresItself
	}
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	args := strings.Split(string(line), "\x00")
	if program := filepath.Base(args[0]); err != nil || len(args) < 2 || program != "waybill" && program != filepath.Base(os.Args[0]) {
		return ""
	}
	switch args[1] {
	case "api", "worker", "dev":
		return args[1]
	}
	return ""
}

func descends(all map[int]process, pid int) bool {
	for ; pid > 1; pid = all[pid].parent {
		if pid == os.Getpid() {
			return true
		}
	}
	return false
}

// backends tells whom a server process of PostgreSQL works for.
func (m *meter) backends(ctx context.Context) (map[int]string, error) {
	rows, err := m.db.QueryContext(ctx, `SELECT pid, CASE WHEN application_name = 'waybill' THEN 'postgres for waybill'
		WHEN application_name = 'waybill-sandbox' THEN 'postgres for the sandbox gateways'
		WHEN datname LIKE 'temporal%' THEN 'postgres for temporal' END
		FROM pg_stat_activity WHERE application_name IN ('waybill', 'waybill-sandbox') OR datname LIKE 'temporal%'`)
	if err != nil {
		return nil, fmt.Errorf("ask for PostgreSQL's processes: %w", err)
	}
	defer rows.Close()
	found := map[int]string{}
	for rows.Next() {
		var pid int
		var name string
		if err := rows.Scan(&pid, &name); err != nil {
			return nil, err
		}
		found[pid] = name
	}
	return found, rows.Err()
}

// cpuBetween is what was used between two readings, by process. What a process used that ended in between is its
// parent's.
func cpuBetween(a, b reading) map[string]time.Duration {
	used := map[string]time.Duration{}
	for pid, now := range b.cpu {
		before := a.cpu[pid] // nothing, for one that is new
		spent := now.used - before.used + now.ended - before.ended
		if now.name == "bench" {
			spent = now.used - before.used // those that it has waited for are not the load's
		}
		used[now.name] += max(0, spent)
	}
	return used
}
