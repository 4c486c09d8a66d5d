//go:build unix

package chaos

import (
	"context"
	"encoding/json"
	"os"
	"sync"
	"time"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/store/verify"
)

// witness is a log that stands outside of what is broken: a JSON object a line.
type witness struct {
	mu   sync.Mutex
	file *os.File
}

func openWitness(path string) (*witness, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return &witness{file: file}, err
}

func (w *witness) write(line any) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err = w.file.Write(append(text, '\n'))
	return err
}

func (w *witness) close() error { return w.file.Close() }

// subscriber reads the feed by position, and remembers nothing but the last one.
type subscriber struct {
	api      *client.ClientWithResponses
	arrivals *witness
	after    int64
}

const (
	pageSize = 200
	waitFor  = 5 // seconds, for an event
)

// follow reads until ctx ends. Whatever goes wrong, it asks again from where it was.
func (s *subscriber) follow(ctx context.Context) {
	for ctx.Err() == nil {
		if _, err := s.read(ctx, waitFor); err != nil {
			_ = client.Pause(ctx, 500*time.Millisecond)
		}
	}
}

// read reads one page, and tells how many events were on it.
func (s *subscriber) read(ctx context.Context, wait int) (events int, err error) {
	limit := pageSize
	answer, err := s.api.ListEventsWithResponse(ctx, &client.ListEventsParams{After: &s.after, Limit: &limit, Wait: &wait})
	if err != nil || answer.JSON200 == nil {
		return 0, err
	}
	for _, e := range answer.JSON200.Data {
		arrival := verify.Arrival{At: time.Now().UTC(), Position: e.Position, Type: e.Type, OrderID: e.OrderID, Sequence: e.Sequence}
		if err := s.arrivals.write(arrival); err != nil {
			return 0, err
		}
	}
	s.after = answer.JSON200.NextAfter
	return len(answer.JSON200.Data), nil
}

// drain reads what is left.
func (s *subscriber) drain(ctx context.Context) error {
	for {
		events, err := s.read(ctx, 0)
		if err != nil || events == 0 {
			return err
		}
	}
}
