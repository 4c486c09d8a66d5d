//go:build unix

package devstack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// pgUser owns the cluster and the database of that name.
	pgUser     = "waybill"
	pgDatabase = "waybill"
	// orphanedBackendsWithin bounds the wait for backends whose postmaster is gone.
	orphanedBackendsWithin = 2 * time.Second
)

var (
	// stopLadder asks PostgreSQL for a fast shutdown, which ends connections and writes a checkpoint; then for
	// an immediate one, after which the next start replays the log; then asks no more.
	stopLadder = []stopStep{
		{syscall.SIGINT, 20 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second},
	}
	killLadder = []stopStep{{syscall.SIGKILL, 5 * time.Second}}
)

// cluster is one PostgreSQL data directory with what belongs to it:
//
//	home/data          the data directory
//	home/data.init     the same while initdb works on it
//	home/password      of the user waybill
type cluster struct {
	home string
	as   account
	tell progress
}

func (c cluster) dataDir() string      { return filepath.Join(c.home, "data") }
func (c cluster) pidFile() string      { return filepath.Join(c.dataDir(), "postmaster.pid") }
func (c cluster) passwordFile() string { return filepath.Join(c.home, "password") }

// major returns the version that made the data directory, or 0 where there is none yet.
func (c cluster) major() (int, error) {
	path := filepath.Join(c.dataDir(), "PG_VERSION")
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(c.dataDir()); err == nil {
			return 0, fmt.Errorf("%s exists and is no data directory of PostgreSQL: move it away", c.dataDir())
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return major, nil
}

// password reads the password, and makes one for a new cluster.
func (c cluster) password() (string, error) {
	path := c.passwordFile()
	content, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if major, err := c.major(); err != nil || major != 0 {
		return "", errors.Join(fmt.Errorf("%s is missing: put it back, or move %s away to begin with an empty database", path, c.home), err)
	}
	password := rand.Text()
	if err := writeFileAtomic(path, []byte(password+"\n")); err != nil {
		return "", err
	}
	if c.as.dropped {
		// initdb reads it from the file.
		if err := os.Lchown(path, int(c.as.uid), int(c.as.gid)); err != nil {
			return "", err
		}
	}
	return password, nil
}

// initialize makes the data directory unless there is one. initdb works on a folder of another name, so that
// one which was interrupted is never taken for a whole.
func (c cluster) initialize(ctx context.Context, binaries pgBinaries) error {
	major, err := c.major()
	if err != nil || major != 0 {
		return err
	}
	c.tell.say("creating a database in %s with %s", c.home, binaries.source)
	unfinished := c.dataDir() + ".init"
	if err := stopLeftOvers(ctx, unfinished, postgresIn(unfinished), killLadder, c.tell); err != nil {
		return err
	}
	var failure error
	for _, locale := range locales() {
		if err := os.RemoveAll(unfinished); err != nil {
			return err
		}
		args := append([]string{
			"-D", unfinished, "-U", pgUser, "--pwfile", c.passwordFile(), "-A", "scram-sha-256",
			"-E", "UTF8", "--no-sync", "--no-instructions",
		}, locale...)
		_, failure = command{path: binaries.path("initdb"), args: args, dir: c.home, env: childEnv(c.home), as: c.as}.run(ctx)
		if failure == nil {
			return os.Rename(unfinished, c.dataDir())
		}
		if ctx.Err() != nil {
			break
		}
	}
	return failure
}

// locales are tried in order. Text sorts by code point everywhere, so that two developers see one order, and
// knows letters beyond ASCII, for lower(), where the system does.
func locales() [][]string {
	ctype := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		ctype = "UTF-8"
	}
	return [][]string{{"--locale=C", "--lc-ctype=" + ctype}, {"--locale=C"}}
}

// clear makes the data directory free to start on: a server that an earlier launcher left is stopped, and a
// pid file that only seems to belong to one is disarmed. The caller holds the lock of the data folder.
func (c cluster) clear(ctx context.Context) error {
	if err := stopLeftOvers(ctx, c.dataDir(), postgresIn(c.dataDir()), stopLadder, c.tell); err != nil {
		return err
	}
	content, err := os.ReadFile(c.pidFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, rest, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		// PostgreSQL refuses to start on an empty or torn file, and no server of ours is running.
		return os.Remove(c.pidFile())
	}
	if !exists(pid) {
		return nil // PostgreSQL sees to that by itself
	}
	// The pid has passed to a process that has nothing to do with us, and PostgreSQL would refuse to start for
	// fear of it. The other lines stay: by them it still checks that no backend holds the shared memory.
	const nobodysPid = 1<<31 - 2
	return os.WriteFile(c.pidFile(), []byte(strconv.Itoa(nobodysPid)+"\n"+rest), 0o600)
}

// ready tells whether the server of that pid says in its pid file that it takes connections: its first line
// is the pid, its eighth the state.
func (c cluster) ready(pid int) bool {
	content, err := os.ReadFile(c.pidFile())
	if err != nil {
		return false
	}
	lines := strings.Split(string(content), "\n")
	return len(lines) >= 8 && lines[0] == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

// serverArgs are the settings, given on the command line so that they follow the program and not a file that
// an older version of it wrote.
func (c cluster) serverArgs(port int, ephemeral bool, settings map[string]string) []string {
	values := map[string]string{
		"listen_addresses": loopback,
		// Sockets in the file system bring nothing here, and their paths may be 107 bytes long at most.
		"unix_socket_directories": "",
		"max_connections":         "200",
		"shared_buffers":          "128MB",
		"timezone":                "UTC",
		"logging_collector":       "off",
	}
	if ephemeral {
		// Nothing here outlives the process, so nothing is done for the sake of a crash.
		for name, value := range map[string]string{
			"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
			"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "256MB",
		} {
			values[name] = value
		}
	}
	for name, value := range settings {
		values[name] = value
	}
	args := []string{"-D", c.dataDir(), "-p", strconv.Itoa(port)}
	for name, value := range values {
		args = append(args, "-c", name+"="+value)
	}
	return args
}
