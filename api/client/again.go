package client

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Again reports whether a request that came to nothing is to be sent again, the same one under the same Idempotency-Key,
// and how long its answer asks to wait before that: 429 and 503 ask for it, and where no answer came nothing is known
// of what was done. Any other refusal is final. Zero means that nobody said how long.
func Again(err error) (after time.Duration, again bool) {
	var refusal *Error
	if !errors.As(err, &refusal) {
		return 0, err != nil
	}
	again = refusal.Status == http.StatusTooManyRequests || refusal.Status == http.StatusServiceUnavailable
	return refusal.RetryAfter, again
}

// Pause waits, unless ctx ends first.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
