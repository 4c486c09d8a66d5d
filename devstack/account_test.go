//go:build unix

package devstack

import (
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A normal user may have no home and no folder of its own but the one it names.
func TestRunsAsANormalUser(t *testing.T) {
	t.Parallel()
	base := reachableDir(t)
	binary, err := TemporalBinary(t.Context(), "", nil)
	require.NoError(t, err)
	kept := filepath.Join(base, "temporal")
	copyProgram(t, binary, kept)
	nobody := account{}
	if os.Geteuid() == 0 {
		nobody = lookup(t, "nobody")
	}
	data := filepath.Join(base, "data")
	require.NoError(t, nobody.own(data))

	order := launcherOrder{
		LockedDir: data,
		Postgres:  &PostgresOrder{Dir: filepath.Join(data, "postgres")}, Temporal: &TemporalOrder{Dir: filepath.Join(data, "temporal")},
	}
	as := func(cmd *exec.Cmd) {
		asAccount(t, base, nobody)(cmd)
		cmd.Env = append(cmd.Env, "HOME=", "XDG_CACHE_HOME=", TemporalBinEnv+"="+kept)
	}
	first := startLauncher(t, order, as)
	require.Empty(t, first.Error)
	require.NotZero(t, first.UID)
	require.Equal(t, order.Postgres.Dir, first.Dir)
	remember(t, first.URL)
	startWorkflow(t, first.Address, "kept")
	first.quit(t)

	second := startLauncher(t, order, as)
	require.Empty(t, second.Error)
	remembered(t, second.URL)
	workflowIsThere(t, second.Address, "kept")
	second.quit(t)

	// Root, on the folder of a user, leaves it to that user.
	remembered(t, startPostgres(t, PostgresOptions{Dir: order.Postgres.Dir}).URL)
	info, err := os.Stat(first.Dir)
	require.NoError(t, err)
	require.Equal(t, first.UID, int(info.Sys().(*syscall.Stat_t).Uid))
}

func TestFolderThatTheServersUserCannotReach(t *testing.T) {
	t.Parallel()
	base := reachableDir(t)
	closed := filepath.Join(base, "closed")
	require.NoError(t, os.Mkdir(closed, 0o700))
	dir := filepath.Join(closed, "postgres")
	require.NoError(t, os.Mkdir(dir, 0o700))
	state := filepath.Join(base, "state")
	home := func(as account) string {
		t.Helper()
		home, err := pgHome(t.Context(), dir, state, as, logTo(t))
		require.NoError(t, err)
		return home
	}
	require.Equal(t, dir, home(account{}), "one's own folder is always within reach")
	if os.Geteuid() != 0 {
		return // nobody else can be run as
	}
	nobody := lookup(t, "nobody")
	first := home(nobody)
	require.Equal(t, state, filepath.Dir(first))
	require.True(t, nobody.reaches(t.Context(), first))
	require.NoError(t, os.WriteFile(filepath.Join(first, "kept"), nil, 0o600))
	require.Equal(t, first, home(nobody))
	require.FileExists(t, filepath.Join(first, "kept"))

	// Who deletes the data folder wants to begin afresh, and does not know of the other one.
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.Equal(t, first, home(nobody))
	require.NoFileExists(t, filepath.Join(first, "kept"))
	require.FileExists(t, filepath.Join(first+".old", "kept"))

	// And a folder that was moved here is another one.
	require.NoError(t, os.WriteFile(filepath.Join(dir, homeMarker), []byte("of another folder"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(first, "newer"), nil, 0o600))
	require.Equal(t, first, home(nobody))
	require.FileExists(t, filepath.Join(first+".old", "newer"))
}

func lookup(t *testing.T, name string) account {
	t.Helper()
	found, err := user.Lookup(name)
	require.NoError(t, err)
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	require.NoError(t, err)
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	require.NoError(t, err)
	return account{name: name, uid: uint32(uid), gid: uint32(gid), dropped: true}
}

// asServerAccount runs a launcher as the user that a launcher of root's would run PostgreSQL as.
func asServerAccount(t *testing.T, base string) func(*exec.Cmd) {
	t.Helper()
	as, err := serverAccount()
	require.NoError(t, err)
	require.NoError(t, as.own(base))
	return asAccount(t, base, as)
}

// asAccount runs a launcher as an account. The test binary lies where nobody else can reach it, so a copy
// in base is run.
func asAccount(t *testing.T, base string, as account) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		program := filepath.Join(base, "launcher")
		if _, err := os.Stat(program); err != nil {
			copyProgram(t, cmd.Path, program)
		}
		cmd.Path, cmd.Dir = program, base
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as.credential()}
	}
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	require.NoError(t, err)
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(target, source)
	require.NoError(t, err)
	require.NoError(t, target.Close())
}
