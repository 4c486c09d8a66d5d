package simulation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// World plays a scope to its end. An error says that the world itself broke; what it found is in the Result.
type World func(ctx context.Context, scope Scope) (Result, error)

// Result is what a run left behind. All of it is decided by the scope.
type Result struct {
	Seed       Seed           `json:"seed"`
	Orders     int            `json:"orders"`     // that were played
	Outcomes   map[string]int `json:"outcomes"`   // orders by how they ended
	Faults     []string       `json:"faults"`     // the ids of those that happened, in the order of their first time
	Trace      string         `json:"trace"`      // the hash of every line of the trace
	Events     int            `json:"events"`     // what happened: the lines of the trace
	Virtual    time.Duration  `json:"virtual_ns"` // how long the world lived
	Violations []Violation    `json:"violations"`
}

// Violation is a promise that did not hold.
type Violation struct {
	ID      string `json:"id"` // of the invariant, as `waybill verify` has it where it is the same promise; "panic" …
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// Red reports whether something did not hold.
func (r Result) Red() bool { return len(r.Violations) > 0 }

// Panicked is the violation of a panic that was recovered, with where it came from.
func Panicked(recovered any) Violation {
	return Violation{ID: "panic", Subject: origin(), Detail: fmt.Sprint(recovered)}
}

// origin is the function that panicked: the first one below the runtime's own.
func origin() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(0, callers)])
	panicking := false
	for {
		frame, more := frames.Next()
		ofRuntime := strings.HasPrefix(frame.Function, "runtime.")
		if panicking && !ofRuntime {
			return fmt.Sprintf("%s:%d", frame.Function[strings.LastIndexByte(frame.Function, '/')+1:], frame.Line)
		}
		panicking = panicking || frame.Function == "runtime.gopanic"
		if !more {
			return "unknown"
		}
	}
}

// Hash is the hash of a trace.
func Hash(lines []string) string {
	h := sha256.New()
	for _, line := range lines {
		_, _ = io.WriteString(h, line)
		_, _ = h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil))
}
