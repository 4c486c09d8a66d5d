//go:build unix

package devstack

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLockIsForOneProcessAtATime(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachableDir(t), "data")
	release, err := Lock(dir)
	require.NoError(t, err)
	_, err = Lock(dir)
	require.ErrorContains(t, err, fmt.Sprintf("%s is already in use by process %d: stop that one first", dir, os.Getpid()))
	release()
	release, err = Lock(dir)
	require.NoError(t, err)
	release()

	killed := startLauncher(t, launcherOrder{LockedDir: dir}, nil)
	require.Empty(t, killed.Error)
	var held *InUseError
	_, err = Lock(dir)
	require.ErrorAs(t, err, &held)
	require.Equal(t, killed.cmd.Process.Pid, held.PID)
	killed.kill(t)
	release, err = Lock(dir)
	require.NoError(t, err, "a killed launcher holds nothing")
	release()
	_, err = Lock("")
	require.ErrorContains(t, err, "none given")
}

func TestDevInfo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := ReadDevInfo(dir)
	require.ErrorIs(t, err, fs.ErrNotExist)

	info := DevInfo{
		APIURL: "http://127.0.0.1:8080", APIKey: "secret", TemporalAddress: "127.0.0.1:7233",
		TemporalUIURL: "http://127.0.0.1:8233", DatabaseURL: "postgres://waybill:pw@127.0.0.1:5433/waybill",
	}
	for range 2 { // the second overwrites
		require.NoError(t, WriteDevInfo(dir, info))
	}
	got, err := ReadDevInfo(dir)
	require.NoError(t, err)
	require.Equal(t, info, got)
	stat, err := os.Stat(filepath.Join(dir, "dev.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), stat.Mode().Perm())
	content, err := os.ReadFile(filepath.Join(dir, "dev.json"))
	require.NoError(t, err)
	require.JSONEq(t, `{"api_url":"http://127.0.0.1:8080","api_key":"secret","temporal_address":"127.0.0.1:7233",
		"temporal_ui_url":"http://127.0.0.1:8233","database_url":"postgres://waybill:pw@127.0.0.1:5433/waybill"}`, string(content))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing temporary stays")
}

func TestFreePort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	other := FreePort(port)
	require.NotEqual(t, port, other)
	require.NotZero(t, other)
	require.NoError(t, listener.Close())
	require.NotZero(t, FreePort(0))
	require.NotZero(t, FreePort(70000))
	require.NotZero(t, FreePort(-1))
}

func TestProcessesAreKnownByTheirFolder(t *testing.T) {
	t.Parallel()
	postmaster := runningProcess{args: []string{"/usr/lib/postgresql/15/bin/postgres", "-D", "/data/a b/data", "-p", "5433"}}
	backend := runningProcess{args: []string{"postgres: waybill waybill 127.0.0.1(5) idle"}, cwd: "/data/a b/data"}
	temporal := runningProcess{args: []string{"/opt/temporal", "server", "start-dev", "--env-file", "/data/t/temporal.env.yaml"}}
	flag := runningProcess{args: []string{"postgres", "--data=/data/c"}}
	for _, p := range []runningProcess{postmaster, backend} {
		require.True(t, postgresIn("/data/a b/data")(p))
		require.True(t, postgresIn("/data/a b")(p))
		require.False(t, postgresIn("/data/a b/dat")(p))
		require.False(t, postgresIn("/a b/data")(p))
		require.False(t, temporalIn("/data/a b")(p))
	}
	require.True(t, postgresIn("/data/c")(flag))
	require.True(t, temporalIn("/data/t")(temporal))
	require.False(t, temporalIn("/data")(temporal), "that is another server's folder")
	require.False(t, postgresIn("/data/t")(temporal))
}
