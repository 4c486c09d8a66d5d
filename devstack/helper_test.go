//go:build unix

package devstack

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

// launcherEnv makes the test binary a launcher: a process of its own that starts what the variable says, tells
// about it in one line, and lives until its standard input ends. Only such a process can be killed to see
// what becomes of its children.
const launcherEnv = "DEVSTACK_TEST_LAUNCHER"

type launcherOrder struct {
	Postgres  *PostgresOrder
	Temporal  *TemporalOrder
	LockedDir string
}

type PostgresOrder struct {
	Dir, BinDir string
	Ephemeral   bool
}

type TemporalOrder struct {
	Dir       string
	Ephemeral bool
}

type launcherAnswer struct {
	Error                    string
	UID                      int
	PostgresPID, TemporalPID int
	URL, Dir, Address        string
	TemporalDir              string
}

func TestMain(m *testing.M) {
	if order := os.Getenv(launcherEnv); order != "" {
		os.Exit(launcherMain(order))
	}
	// The first build takes minutes, and the tests' time limit counts from m.Run on.
	tell := func(line string) { fmt.Fprintln(os.Stderr, line) }
	_, err := TemporalBinary(context.Background(), "", tell)
	if err = errors.Join(err, BuildPostgresTemporal(context.Background(), "", tell)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func launcherMain(text string) int {
	var order launcherOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		panic(err)
	}
	answer, stop, err := launch(order)
	if err != nil {
		answer.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	for i := len(stop) - 1; i >= 0; i-- {
		if err := stop[i](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

func launch(order launcherOrder) (answer launcherAnswer, stop []func() error, err error) {
	ctx := context.Background()
	answer.UID = os.Geteuid()
	if order.LockedDir != "" {
		release, err := Lock(order.LockedDir)
		if err != nil {
			return answer, stop, err
		}
		stop = append(stop, func() error { release(); return nil })
	}
	if o := order.Postgres; o != nil {
		p, err := StartPostgres(ctx, PostgresOptions{Dir: o.Dir, BinDir: o.BinDir, Ephemeral: o.Ephemeral})
		if err != nil {
			return answer, stop, err
		}
		stop = append(stop, p.Stop)
		answer.PostgresPID, answer.URL, answer.Dir = p.proc.pid, p.URL, p.Dir
	}
	if o := order.Temporal; o != nil {
		temporal, err := StartTemporal(ctx, TemporalOptions{Dir: o.Dir, Ephemeral: o.Ephemeral, Headless: true})
		if err != nil {
			return answer, stop, err
		}
		stop = append(stop, temporal.Stop)
		answer.TemporalPID, answer.Address, answer.TemporalDir = temporal.proc.pid, temporal.Address, temporal.Dir
	}
	return answer, stop, nil
}

// launcher is a running launcher.
type launcher struct {
	launcherAnswer
	cmd   *exec.Cmd
	stdin io.Closer
}

// startLauncher runs the test binary as a launcher, which adjust may change before, and waits for its answer.
func startLauncher(t *testing.T, order launcherOrder, adjust func(*exec.Cmd)) *launcher {
	t.Helper()
	text, err := json.Marshal(order)
	require.NoError(t, err)
	executable, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), launcherEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	if adjust != nil {
		adjust(cmd)
	}
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	l := &launcher{cmd: cmd, stdin: stdin}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait() // a second wait fails, which is fine
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		require.NoError(t, json.Unmarshal(line, &l.launcherAnswer))
	} else {
		l.Error = "the launcher ended without a word"
	}
	return l
}

// kill is kill -9.
func (l *launcher) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, l.cmd.Process.Kill())
	_ = l.cmd.Wait()
}

func (l *launcher) quit(t *testing.T) {
	t.Helper()
	require.NoError(t, l.stdin.Close())
	require.NoError(t, l.cmd.Wait())
}

// reachableDir is t.TempDir for folders that another user has to be able to enter.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "waybill-devstack-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	dir, err = filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	return dir
}

func startPostgres(t *testing.T, options PostgresOptions) *Postgres {
	t.Helper()
	options.Progress = logTo(t)
	p, err := StartPostgres(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	return p
}

func startTemporal(t *testing.T, options TemporalOptions) *Temporal {
	t.Helper()
	options.Progress = logTo(t)
	temporal, err := StartTemporal(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, temporal.Stop()) })
	return temporal
}

func logTo(t *testing.T) func(string) {
	return func(line string) { t.Log(line) }
}

// abandon makes a server a left-over: its launcher's locks go, as they would with the launcher, and it stays.
func abandon(cleanup []func()) {
	for _, release := range cleanup {
		release()
	}
}

func open(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := openDatabase(url)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// remember writes a row that remembered finds again.
func remember(t *testing.T, url string) {
	t.Helper()
	_, err := open(t, url).ExecContext(t.Context(), "CREATE TABLE kept AS SELECT 42 AS answer")
	require.NoError(t, err)
}

func remembered(t *testing.T, url string) {
	t.Helper()
	var answer int
	require.NoError(t, open(t, url).QueryRowContext(t.Context(), "SELECT answer FROM kept").Scan(&answer))
	require.Equal(t, 42, answer)
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, startWithin, pollEvery, what)
}

func gone(t *testing.T, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("process %d is gone", pid), func() bool { return !running(pid) })
	}
}

// sleeper starts a process of the account that has nothing to do with anything.
func sleeper(t *testing.T, as account) *process {
	t.Helper()
	p, err := command{path: "/bin/sleep", args: []string{"600"}, dir: "/", as: as, deathSignal: syscall.SIGKILL}.start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.stop([]stopStep{{syscall.SIGKILL, 5 * time.Second}})) })
	return p
}

var testAttributes = map[string]enumspb.IndexedValueType{
	"WaybillStatus": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	"WaybillTotal":  enumspb.INDEXED_VALUE_TYPE_INT,
}
