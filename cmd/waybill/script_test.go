package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	_ "github.com/lib/pq" // the database is looked at from outside
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/waybill-oms/waybill/devstack/devtest"
)

// The scripts are what a person types and reads.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Values["t"] = e.T()
			e.Setenv("PATH", built+string(os.PathListSeparator)+e.Getenv("PATH"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": exitsWith, "json": printsJSON, "database": makeDatabase, "temporal": nameTemporal, "revoke": revokeByName,
			"one-migration-less": changeMigrations(`DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`),
			"one-migration-more": changeMigrations(
				`INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + n, true FROM goose_db_version, (VALUES (1), (2)) v(n) GROUP BY n`),
		},
		RequireExplicitExec: true,
	})
}

// exitsWith runs a program and looks at its exit code: code 2 waybill foo.
func exitsWith(ts *testscript.TestScript, _ bool, args []string) {
	wanted, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		code = 1
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // that is what it is
			code = exit.ExitCode()
		}
	}
	if code != wanted {
		ts.Fatalf("exit code %d, wanted %d; stderr: %s", code, wanted, ts.ReadFile("stderr"))
	}
}

// printsJSON looks at what was last printed, in compact form with sorted names: json '{"a":.*}'.
func printsJSON(ts *testscript.TestScript, _ bool, args []string) {
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	compact, err := json.Marshal(value)
	ts.Check(err)
	wanted, err := regexp.Compile("^" + args[0] + "$")
	ts.Check(err)
	if !wanted.Match(compact) {
		ts.Fatalf("it is %s", compact)
	}
}

// makeDatabase sets WAYBILL_DATABASE_URL to a database of the script's own: database [empty].
func makeDatabase(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("WAYBILL_DATABASE_URL", devtest.Database(ts.Value("t").(testing.TB)))
	if len(args) > 0 {
		query(ts, `DROP SCHEMA public CASCADE`)
		query(ts, `CREATE SCHEMA public`)
	}
}

// nameTemporal sets WAYBILL_TEMPORAL_ADDRESS to a server that runs.
func nameTemporal(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Setenv("WAYBILL_TEMPORAL_ADDRESS", devtest.Temporal(ts.Value("t").(testing.TB)).Address)
}

func changeMigrations(statement string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) { query(ts, statement) }
}

// query runs one statement on the script's database.
func query(ts *testscript.TestScript, statement string) {
	db, err := sql.Open("postgres", ts.Getenv("WAYBILL_DATABASE_URL"))
	ts.Check(err)
	defer db.Close()
	_, err = db.ExecContext(context.Background(), statement)
	ts.Check(err)
}

// revokeByName revokes a key as a person would: by the id that stands beside its name.
func revokeByName(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("waybill", "keys", "list"))
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if fields := strings.Fields(line); fields[1] == args[0] {
			ts.Check(ts.Exec("waybill", "keys", "revoke", fields[0]))
			return
		}
	}
	ts.Fatalf("no key %s", args[0])
}
