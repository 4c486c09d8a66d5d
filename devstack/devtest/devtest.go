package devtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// within bounds what is done on a server that runs. It takes a tenth of a second by itself; `go test ./...` has
// been seen to start a dozen servers at once on two cores.
const within = 90 * time.Second

// running is what Run has to end, in reverse order.
var running struct {
	sync.Mutex
	stops []func() error
	words []func() string
}

// Run runs the tests and then stops the servers that they have brought up. It returns the exit code, for
// os.Exit in TestMain.
func Run(m *testing.M) int {
	code := m.Run()
	running.Lock()
	defer running.Unlock()
	if code != 0 { // what the servers have logged may be the reason; their logs go with them
		for _, words := range running.words {
			tell(words())
		}
	}
	running.words = nil
	for i := len(running.stops) - 1; i >= 0; i-- {
		if err := running.stops[i](); err != nil {
			fmt.Fprintf(os.Stderr, "devtest: %v\n", err)
			code = max(code, 1)
		}
	}
	running.stops = nil
	return code
}

func atEnd(stop func() error) {
	running.Lock()
	defer running.Unlock()
	running.stops = append(running.stops, stop)
}

// onFailure has Run print what a server has to say when tests have failed.
func onFailure(words func() string) {
	running.Lock()
	defer running.Unlock()
	running.words = append(running.words, words)
}

func withDeadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), within)
}

// tell prints what takes long, such as a build of Temporal, to standard error: go test shows it with -v, or
// when the package fails.
func tell(line string) { fmt.Fprintf(os.Stderr, "devtest: %s\n", line) }
