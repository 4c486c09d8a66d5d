package life

import (
	"io"
	"log/slog"

	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
)

// quiet is a log that nobody reads: what matters is in the trace.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// silence is the same for the environment.
type silence struct{}

func (silence) Debug(string, ...any) {}
func (silence) Info(string, ...any)  {}
func (silence) Warn(string, ...any)  {}
func (silence) Error(string, ...any) {}

// unmeasured is a relay's Measure that forgets.
type unmeasured struct{}

func (unmeasured) Swept(string, error) {}
func (unmeasured) Started(int)         {}
func (unmeasured) Woken()              {}
func (unmeasured) Granted(int)         {}

// registry makes the environment something that a worker's workflows and activities can be registered with.
type registry struct {
	*testsuite.TestWorkflowEnvironment
}

var _ worker.Registry = registry{}
