package devstack

import (
	"context"
	"fmt"
	"time"
)

const (
	// startWithin bounds a start when the caller's context has no deadline. A start takes one to four seconds
	// on an idle machine; test packages that share two cores have been seen to take twenty times that.
	startWithin = 90 * time.Second
	pollEvery   = 25 * time.Millisecond
)

// withStartDeadline gives a start an end even if the caller gave none.
func withStartDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, startWithin)
}

// poll calls ready until it says yes or fails. What ready last complained of is passed by last, which may
// be nil, because "deadline exceeded" alone tells nobody what was missing.
func poll(ctx context.Context, last *error, ready func() (bool, error)) error {
	for {
		done, err := ready()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			if last != nil && *last != nil {
				return fmt.Errorf("%w (last: %w)", context.Cause(ctx), *last)
			}
			return context.Cause(ctx)
		case <-time.After(pollEvery):
		}
	}
}
