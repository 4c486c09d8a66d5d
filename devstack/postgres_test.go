//go:build unix

package devstack

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPostgresKeepsItsDataBetweenStarts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachableDir(t), "postgres")
	first := startPostgres(t, PostgresOptions{Dir: dir})
	require.Equal(t, dir, first.Dir)
	require.Contains(t, first.Source, "PostgreSQL")
	remember(t, first.URL)
	require.NoError(t, first.Stop())
	require.NoError(t, first.Stop(), "stopping twice is stopping once")
	<-first.Done()

	second := startPostgres(t, PostgresOptions{Dir: dir})
	remembered(t, second.URL)
	require.Equal(t, password(t, first.URL), password(t, second.URL))
}

func TestPostgresListensOnLoopbackBehindAPassword(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, PostgresOptions{Dir: filepath.Join(reachableDir(t), "postgres"), Settings: map[string]string{"max_connections": "37"}})
	for setting, want := range map[string]string{
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "password_encryption": "scram-sha-256",
		"fsync": "on", "max_connections": "37", "server_encoding": "UTF8", "TimeZone": "UTC",
	} {
		var got string
		require.NoError(t, open(t, p.AdminURL).QueryRowContext(t.Context(), "SELECT current_setting($1)", setting).Scan(&got))
		require.Equal(t, want, got, setting)
	}
	require.GreaterOrEqual(t, len(password(t, p.URL)), 20)
	_, err := serverVersion(t.Context(), strings.Replace(p.URL, password(t, p.URL), "wrong", 1))
	require.ErrorContains(t, err, "password authentication failed")

	info, err := os.Stat(filepath.Join(p.Dir, "password"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// PostgreSQL itself refuses to run as root, so as root this shows the change of user.
func TestPostgresNeverRunsAsRoot(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, PostgresOptions{Dir: filepath.Join(reachableDir(t), "postgres")})
	info, err := os.Stat(filepath.Join(p.Dir, "data", "postmaster.pid"))
	require.NoError(t, err)
	require.NotZero(t, info.Sys().(*syscall.Stat_t).Uid)
}

func TestTakenPortIsReplaced(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	taken := listener.Addr().(*net.TCPAddr).Port

	p := startPostgres(t, PostgresOptions{Dir: filepath.Join(reachableDir(t), "postgres"), Port: taken})
	require.NotEqual(t, taken, p.Port)
	require.Contains(t, p.URL, ":"+strconv.Itoa(p.Port)+"/waybill")
}

// The port may be taken between the look and the server's start.
func TestPortTakenMeanwhileIsReplaced(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	taken := listener.Addr().(*net.TCPAddr).Port
	choices := 0
	late := func(preferred int) int {
		if choices++; choices == 1 {
			return taken
		}
		return FreePort(preferred)
	}
	p := startPostgres(t, PostgresOptions{Ephemeral: true, choose: late})
	require.NotEqual(t, taken, p.Port)
	require.Equal(t, 2, choices)

	choices = 0
	server := startTemporal(t, TemporalOptions{Ephemeral: true, Headless: true, choose: late})
	require.NotEqual(t, listener.Addr().String(), server.Address)
	require.Equal(t, 2, choices)

	choices = -1 // now it is the port of the UI
	server = startTemporal(t, TemporalOptions{Ephemeral: true, choose: late})
	require.NotContains(t, server.UIURL, listener.Addr().String())
}

func TestTwoDataFoldersSideBySide(t *testing.T) {
	t.Parallel()
	servers := make([]*Postgres, 2)
	var starts sync.WaitGroup
	for i := range servers {
		dir := filepath.Join(reachableDir(t), "postgres")
		starts.Go(func() {
			var err error
			servers[i], err = StartPostgres(context.Background(), PostgresOptions{Dir: dir, Port: 5433})
			if err != nil {
				t.Error(err)
			}
		})
	}
	starts.Wait()
	for _, p := range servers {
		require.NotNil(t, p)
		defer func() { require.NoError(t, p.Stop()) }()
	}
	remember(t, servers[0].URL)
	remember(t, servers[1].URL)
	remembered(t, servers[0].URL)
	require.NotEqual(t, servers[0].Port, servers[1].Port)
}

func TestKillingTheLauncherTakesItsServersAlong(t *testing.T) {
	t.Parallel()
	base := reachableDir(t)
	order := launcherOrder{
		LockedDir: base,
		Postgres:  &PostgresOrder{Dir: filepath.Join(base, "postgres")}, Temporal: &TemporalOrder{Dir: filepath.Join(base, "temporal")},
	}
	killed := startLauncher(t, order, nil)
	require.Empty(t, killed.Error)
	remember(t, killed.URL)
	startWorkflow(t, killed.Address, "kept")
	killed.kill(t)
	if runtime.GOOS == "linux" {
		gone(t, killed.PostgresPID, killed.TemporalPID)
	}

	second := startLauncher(t, order, nil)
	require.Empty(t, second.Error)
	gone(t, killed.PostgresPID, killed.TemporalPID)
	remembered(t, second.URL)
	workflowIsThere(t, second.Address, "kept")
	second.quit(t)
	gone(t, second.PostgresPID, second.TemporalPID)
}

func TestEverythingKilledAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachableDir(t), "postgres")
	killed := startLauncher(t, launcherOrder{Postgres: &PostgresOrder{Dir: dir}}, nil)
	require.Empty(t, killed.Error)
	remember(t, killed.URL)
	require.NoError(t, syscall.Kill(killed.PostgresPID, syscall.SIGKILL))
	killed.kill(t)

	remembered(t, startPostgres(t, PostgresOptions{Dir: dir}).URL)
}

func TestLeftOverPostgresIsStopped(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachableDir(t), "postgres")
	orphan := startPostgres(t, PostgresOptions{Dir: dir})
	remember(t, orphan.URL)
	busy, err := open(t, orphan.URL).BeginTx(t.Context(), nil) // a client that does not let go
	require.NoError(t, err)
	defer func() { _ = busy.Rollback() }()
	_, err = busy.ExecContext(t.Context(), "SELECT 1")
	require.NoError(t, err)
	abandon(orphan.cleanup)

	second := startPostgres(t, PostgresOptions{Dir: dir})
	require.True(t, orphan.proc.ended())
	remembered(t, second.URL)
}

// A backend in the middle of a computation does not notice that its postmaster was killed, and PostgreSQL
// refuses to start while it holds the shared memory.
func TestBackendThatOutlivesItsPostmasterIsStopped(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachableDir(t), "postgres")
	orphan := startPostgres(t, PostgresOptions{Dir: dir})
	remember(t, orphan.URL)
	db := open(t, orphan.URL)
	go func() { _, _ = db.Exec("SELECT count(*) FROM generate_series(1, 1000000000000) /* busy */") }()
	var backend int
	eventually(t, "the backend computes", func() bool {
		row := open(t, orphan.URL).QueryRowContext(t.Context(), "SELECT pid FROM pg_stat_activity WHERE query LIKE '%/* busy */' AND pid <> pg_backend_pid()")
		return row.Scan(&backend) == nil
	})
	require.NoError(t, syscall.Kill(orphan.proc.pid, syscall.SIGKILL))
	<-orphan.Done()
	require.True(t, running(backend))
	abandon(orphan.cleanup)

	remembered(t, startPostgres(t, PostgresOptions{Dir: dir}).URL)
	gone(t, backend)
}

func TestPidFileOfAnotherProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachableDir(t), "postgres")
	first := startPostgres(t, PostgresOptions{Dir: dir})
	remember(t, first.URL)
	as, err := serverAccount(dir)
	require.NoError(t, err)
	c := cluster{home: first.Dir, as: as}
	written, err := os.ReadFile(c.pidFile())
	require.NoError(t, err)
	require.NoError(t, first.Stop())

	other := sleeper(t, as)
	_, rest, _ := strings.Cut(string(written), "\n")
	stale := fmt.Sprintf("%d\n%s", other.pid, rest)
	for refusal, content := range map[string]string{
		`lock file "postmaster.pid" already exists`: stale, `lock file "postmaster.pid" is empty`: "",
	} {
		require.NoError(t, os.WriteFile(c.pidFile(), []byte(content), 0o600))
		if as.dropped {
			require.NoError(t, os.Chown(c.pidFile(), int(as.uid), int(as.gid)))
		}
		output, err := command{path: installed(t).path("postgres"), args: c.serverArgs(FreePort(0), false, nil), dir: first.Dir, env: childEnv("/"), as: as}.run(t.Context())
		require.Error(t, err)
		require.Contains(t, output, refusal, "PostgreSQL itself refuses, or this shows nothing")

		p := startPostgres(t, PostgresOptions{Dir: dir})
		remembered(t, p.URL)
		require.NoError(t, p.Stop())
		require.False(t, other.ended(), "a process that is none of ours is left alone")
	}
}

// initdb here is the real one, after which its launcher is killed: before the cluster gets its name.
func TestInterruptedInitdb(t *testing.T) {
	t.Parallel()
	base := reachableDir(t)
	binaries := installed(t)
	wrapped := filepath.Join(base, "bin")
	require.NoError(t, os.Mkdir(wrapped, 0o755))
	script := fmt.Sprintf("#!/bin/sh\n%q \"$@\" || exit\n[ \"$1\" = --version ] || kill -9 $PPID\n", binaries.path("initdb"))
	require.NoError(t, os.WriteFile(filepath.Join(wrapped, "initdb"), []byte(script), 0o755))
	require.NoError(t, os.Symlink(binaries.path("postgres"), filepath.Join(wrapped, "postgres")))
	dir := filepath.Join(base, "postgres")

	// The launcher runs as the user of the server, who could not kill one of root's.
	order := launcherOrder{Postgres: &PostgresOrder{Dir: dir, BinDir: wrapped}}
	interrupted := startLauncher(t, order, asServerAccount(t, base))
	require.Equal(t, "the launcher ended without a word", interrupted.Error)
	require.NoDirExists(t, filepath.Join(dir, "data"))
	require.DirExists(t, filepath.Join(dir, "data.init"))

	p := startPostgres(t, PostgresOptions{Dir: dir})
	require.NoDirExists(t, filepath.Join(dir, "data.init"))
	remember(t, p.URL)
}

func TestSecondLauncherIsRefused(t *testing.T) {
	t.Parallel()
	base := reachableDir(t)
	order := launcherOrder{Postgres: &PostgresOrder{Dir: filepath.Join(base, "postgres")}, Temporal: &TemporalOrder{Dir: filepath.Join(base, "temporal")}}
	first := startLauncher(t, order, nil)
	require.Empty(t, first.Error)

	var held *InUseError
	_, err := StartPostgres(t.Context(), PostgresOptions{Dir: order.Postgres.Dir})
	require.ErrorAs(t, err, &held)
	require.Equal(t, InUseError{Dir: order.Postgres.Dir, PID: first.cmd.Process.Pid}, *held)
	require.ErrorContains(t, err, fmt.Sprintf("already in use by process %d", first.cmd.Process.Pid))
	_, err = StartTemporal(t.Context(), TemporalOptions{Dir: order.Temporal.Dir})
	require.ErrorAs(t, err, &held)
	require.Equal(t, InUseError{Dir: order.Temporal.Dir, PID: first.cmd.Process.Pid}, *held)

	require.True(t, running(first.PostgresPID))
	require.True(t, running(first.TemporalPID))
	remember(t, first.URL)
}

func TestEphemeralPostgresLeavesNothing(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, PostgresOptions{Ephemeral: true})
	remember(t, p.URL)
	require.DirExists(t, p.Dir)
	require.NoError(t, p.Stop())
	require.NoDirExists(t, filepath.Dir(p.Dir))
}

func TestEphemeralFoldersOfKilledLaunchersAreRemoved(t *testing.T) {
	t.Parallel()
	killed := startLauncher(t, launcherOrder{Postgres: &PostgresOrder{Ephemeral: true}, Temporal: &TemporalOrder{Ephemeral: true}}, nil)
	require.Empty(t, killed.Error)
	living := startLauncher(t, launcherOrder{Postgres: &PostgresOrder{Ephemeral: true}}, nil)
	require.Empty(t, living.Error)
	require.DirExists(t, killed.Dir, "as long as its launcher lives")
	killed.kill(t)

	third := startLauncher(t, launcherOrder{Postgres: &PostgresOrder{Ephemeral: true}}, nil)
	require.Empty(t, third.Error)
	gone(t, killed.PostgresPID, killed.TemporalPID)
	require.NoDirExists(t, filepath.Dir(killed.Dir))
	require.NoDirExists(t, killed.TemporalDir)
	remember(t, living.URL)
}

func TestGivenServerIsUsedAsItIs(t *testing.T) {
	t.Parallel()
	own := startPostgres(t, PostgresOptions{Ephemeral: true})
	given := startPostgres(t, PostgresOptions{URL: own.URL, Dir: "/nonexistent/folder"})
	require.Equal(t, own.URL, given.URL)
	require.NoError(t, given.Stop())
	remember(t, own.URL)
	require.NoError(t, own.Stop())

	_, err := StartPostgres(t.Context(), PostgresOptions{URL: own.URL})
	require.ErrorContains(t, err, "DATABASE_URL does not answer")
	require.NotContains(t, err.Error(), password(t, own.URL))
}

func TestStartThatIsCanceledLeavesNoServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachableDir(t), "postgres")
	require.NoError(t, startPostgres(t, PostgresOptions{Dir: dir}).Stop())
	ctx, cancel := context.WithCancel(t.Context())
	starting := make(chan struct{})
	go func() {
		defer close(starting)
		for {
			found, err := leftOvers(postgresIn(dir))
			if len(found) > 0 || err != nil || ctx.Err() != nil {
				cancel()
				return
			}
		}
	}()
	// A server that lets nobody in does not become ready.
	_, err := StartPostgres(ctx, PostgresOptions{Dir: dir, Settings: map[string]string{"pre_auth_delay": "60"}})
	cancel()
	<-starting
	require.ErrorIs(t, err, context.Canceled)
	found, err := leftOvers(postgresIn(dir))
	require.NoError(t, err)
	require.Empty(t, found)
	require.NoError(t, startPostgres(t, PostgresOptions{Dir: dir}).Stop(), "and the folder is free")
}

func password(t *testing.T, text string) string {
	t.Helper()
	parsed, err := url.Parse(text)
	require.NoError(t, err)
	word, _ := parsed.User.Password()
	return word
}
