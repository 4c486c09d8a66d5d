package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// patience is how long a client goes on asking for one thing.
const patience = 2 * time.Minute

// pauseMin is between two attempts when nobody says how long to wait.
const pauseMin = 250 * time.Millisecond

// connect makes a client that keeps as many connections as it has orders in flight.
func connect(address, key string, inFlight int) (*client.ClientWithResponses, error) {
	transport := &http.Transport{MaxIdleConns: 2 * inFlight, MaxIdleConnsPerHost: 2 * inFlight, IdleConnTimeout: time.Minute}
	return client.Connect(address, key, client.WithHTTPClient(&http.Client{Transport: transport, Timeout: time.Minute}))
}

// ask sends one request as a client should: the same again, under the same key, after as long as the answer asks for,
// while nothing is known of its outcome or it came too early. What is measured is the attempt that was answered; those
// before it are counted by their reason.
func ask[R any](ctx context.Context, t *tally, what string, send func() (R, error)) (R, error) {
	for began := time.Now(); ; {
		sent := time.Now()
		answer, err := send()
		if err == nil {
			t.note(what, time.Since(sent))
			return answer, nil
		}
		after, again := client.Again(err)
		if !again {
			return answer, fmt.Errorf("%s: %w", what, err)
		}
		wait, reason := max(after, pauseMin), "no_answer"
		var refused *client.Error
		if errors.As(err, &refused) {
			reason = fmt.Sprintf("%d %s", refused.Status, refused.Code)
		}
		t.count(what + ": " + reason)
		if time.Since(began)+wait > patience {
			return answer, fmt.Errorf("%s: %w", what, err)
		}
		if err := client.Pause(ctx, wait); err != nil {
			return answer, err
		}
	}
}
