// Package health asks whether what a process needs is there.
//
// It owns how checks are run: all at once, none waited for longer than whoever probes waits, and without a word of the
// inside in what they say. It does not own what is checked, which those who start a process know, nor how the answer is
// served.
package health

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
)

// Check is one thing that a process needs.
type Check struct {
	Name string // a word for programs: postgresql, migrations, temporal, worker
	// Run answers nil when all is well. The detail of a fault is shown to whoever asks; the text of any other error is
	// not.
	Run func(context.Context) error
}

// Result is what came of a check.
type Result struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Readiness is what came of all of them.
type Readiness struct {
	Ready  bool     `json:"ready"`
	Checks []Result `json:"checks"`
}

// limit is how long a check may take: whoever probes gives up soon after.
const limit = 2 * time.Second

// Down is a check's error whose text is shown.
func Down(detail string) error { return fault.New(fault.Unavailable, "down", "%s", detail) }

// Ask runs all checks at once, and answers in the order in which they were given.
func Ask(ctx context.Context, checks []Check) Readiness {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer := Readiness{Ready: true, Checks: make([]Result, len(checks))}
	var wait sync.WaitGroup
	for i, c := range checks {
		wait.Go(func() { answer.Checks[i] = c.ask(ctx) })
	}
	wait.Wait()
	for _, result := range answer.Checks {
		answer.Ready = answer.Ready && result.OK
	}
	return answer
}

// ask answers in time also when the check does not.
func (c Check) ask(ctx context.Context) Result {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if cause := recover(); cause != nil {
				done <- errors.New("panic in a check")
			}
		}()
		done <- c.Run(ctx)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = Down("did not answer in time")
	}
	result := Result{Name: c.Name, OK: err == nil, Detail: "ok"}
	if f := fault.As(err); f != nil {
		result.Detail = f.Detail
	} else if err != nil {
		result.Detail = "does not work"
	}
	return result
}
