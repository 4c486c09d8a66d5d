//go:build unix

package devstack

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

const (
	temporalDatabase = "temporal.db"
	temporalEnvFile  = "temporal.env.yaml"
	// temporalReadyMarker shows that the database file is complete: the server takes any file that exists for
	// one that has its tables.
	temporalReadyMarker = "temporal.ready"
)

// devServer is the one in Temporal's command line tool, which keeps workflows in a file or in memory.
type devServer struct {
	t         *Temporal
	ephemeral bool
}

func (s devServer) build(ctx context.Context, fallbackDir string, tell progress) (string, error) {
	return TemporalBinary(ctx, fallbackDir, tell)
}

func (s devServer) prepare(_ context.Context, tell progress) error {
	if s.ephemeral {
		return nil
	}
	return s.putAsideUnfinished(tell)
}

// putAsideUnfinished moves away a database file whose first start was interrupted. No workflow can be in it:
// nobody was told the address before the file was marked.
func (s devServer) putAsideUnfinished(tell progress) error {
	database := filepath.Join(s.t.Dir, temporalDatabase)
	if _, err := os.Stat(filepath.Join(s.t.Dir, temporalReadyMarker)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(database); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	tell.say("the first start of Temporal in %s was interrupted: its database is put aside as %s.unfinished", s.t.Dir, temporalDatabase)
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.RemoveAll(database + suffix); err != nil {
			return err
		}
	}
	return os.Rename(database, database+".unfinished")
}

func (s devServer) command(options TemporalOptions) (command, error) {
	port, uiPort := choosePort(options.choose, options.Port), 0
	s.t.Address = address(port)
	if !options.Headless {
		uiPort = choosePort(options.choose, options.UIPort)
		s.t.UIURL = "http://" + address(uiPort)
	}
	return command{path: s.t.Binary, args: s.args(options, port, uiPort), dir: s.t.Dir, env: childEnv(s.t.Dir)}, nil
}

func (s devServer) args(options TemporalOptions, port, uiPort int) []string {
	args := []string{
		"server", "start-dev", "--ip", loopback, "--port", strconv.Itoa(port), "--color", "never",
		// At the level "never" a server that cannot start would not say why.
		"--log-level", "error",
		// The user's own settings for the command line tool do not concern this server. The path of the file,
		// which need not exist, also tells later which folder the server works in.
		"--disable-config-env", "--disable-config-file", "--env-file", filepath.Join(s.t.Dir, temporalEnvFile),
	}
	if options.Headless {
		args = append(args, "--headless")
	} else {
		args = append(args, "--ui-port", strconv.Itoa(uiPort))
		if options.UICodecEndpoint != "" {
			args = append(args, "--ui-codec-endpoint", options.UICodecEndpoint)
		}
	}
	// With a plain file every transaction waits for the disk; like this it waits at checkpoints, and what is lost is
	// at most what a crash of the machine, not of the server, catches. What is ephemeral has a file too, in memory: the
	// server has one connection to its database, and a database without a file cannot do without that connection,
	// whatever a request that was given up at the wrong moment has left it in.
	synchronous := "NORMAL"
	if options.Ephemeral {
		synchronous = "OFF"
	}
	args = append(args, "--db-filename", filepath.Join(s.t.Dir, temporalDatabase),
		"--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous="+synchronous)
	for _, key := range slices.Sorted(maps.Keys(options.DynamicConfig)) {
		args = append(args, "--dynamic-config-value", key+"="+options.DynamicConfig[key])
	}
	// On a new database the attributes are there from the start. On an older one this has no effect, and
	// EnsureSearchAttributes makes up for it.
	for _, name := range slices.Sorted(maps.Keys(options.SearchAttributes)) {
		args = append(args, "--search-attribute", name+"="+options.SearchAttributes[name].String())
	}
	return args
}

// complete marks the file, now that it has its tables.
func (s devServer) complete(context.Context, TemporalOptions) error {
	if s.ephemeral {
		return nil
	}
	return os.WriteFile(filepath.Join(s.t.Dir, temporalReadyMarker), nil, 0o600)
}
