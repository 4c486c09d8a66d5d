//go:build unix

package devstack

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
)

// runningProcess is one line of the process table.
type runningProcess struct {
	pid  int
	args []string
	// cwd is the working folder, or "" where it is not known.
	cwd string
}

// program is the name of what runs. A PostgreSQL backend replaces its arguments by one title, such as
// "postgres: checkpointer", of which only the first word counts.
func (p runningProcess) program() string {
	word, _, _ := strings.Cut(p.args[0], " ")
	return strings.TrimSuffix(filepath.Base(word), ":")
}

// names tells whether the path, or something under it, stands among the arguments. They are searched as one
// line because that is all that some systems show, and a path may contain spaces.
func (p runningProcess) names(path string) bool {
	line := " " + strings.Join(p.args[1:], " ") + " "
	for {
		before, after, found := strings.Cut(line, path)
		if !found {
			return false
		}
		if strings.ContainsAny(before[len(before)-1:], " =") && strings.ContainsAny(after[:1], " /") {
			return true
		}
		line = " " + after
	}
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+string(filepath.Separator))
}

// postgresIn is true of the servers of a data directory, and of one under the folder.
func postgresIn(folder string) func(runningProcess) bool {
	return func(p runningProcess) bool {
		return p.program() == "postgres" && (within(p.cwd, folder) || p.names(folder))
	}
}

// temporalIn is true of Temporal's programs that work in the folder, whatever they are called.
func temporalIn(folder string) func(runningProcess) bool {
	return func(p runningProcess) bool {
		return slices.Contains(p.args, "start-dev") && p.names(filepath.Join(folder, temporalEnvFile)) ||
			slices.Contains(p.args, "start") && p.names(filepath.Join(folder, temporalConfigDir))
	}
}

// leftOvers returns what works in a folder. The caller holds the folder's lock, so whatever it finds belongs
// to a launcher that is gone.
func leftOvers(works func(runningProcess) bool) ([]runningProcess, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p runningProcess) bool { return !works(p) }), nil
}

// stopLeftOvers stops the servers that still work in a folder. Those that were started with the folder as an
// argument go first: PostgreSQL's backends end with their postmaster, and stopping one of them alone would
// only make the postmaster recover.
func stopLeftOvers(ctx context.Context, folder string, works func(runningProcess) bool, ladder []stopStep, tell progress) error {
	found, err := leftOvers(works)
	if err != nil || len(found) == 0 {
		return err
	}
	tell.say("stopping %s, which an earlier start has left running in %s", found[0].program(), folder)
	for _, p := range found {
		if p.names(folder) {
			if err := stopLeftOver(ctx, p.pid, ladder); err != nil {
				return err
			}
		}
	}
	// Orphaned backends notice within moments that their postmaster is gone. One that does not is killed.
	bounded, cancel := context.WithTimeout(ctx, orphanedBackendsWithin)
	defer cancel()
	if poll(bounded, nil, func() (bool, error) {
		found, err = leftOvers(works)
		return len(found) == 0, err
	}) == nil {
		return nil
	}
	for _, p := range found {
		if err := stopLeftOver(ctx, p.pid, killLadder); err != nil {
			return err
		}
	}
	return nil
}
