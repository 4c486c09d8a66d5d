package verify

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/lib/pq"
)

// Answer is one line of a client's log: what it was told of a request. The log is the client's own, written before it
// acts on the answer.
type Answer struct {
	At      time.Time `json:"at"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Key     string    `json:"key"` // Idempotency-Key; empty where the operation takes none
	Status  int       `json:"status"`
	OrderID string    `json:"order_id"` // of the order in the answer, if there is one
}

// Arrival is one line of a receiver's log: an event of the feed, written when it was read. The members are the feed's own.
type Arrival struct {
	At       time.Time `json:"at"`
	Position int64     `json:"position"`
	Type     string    `json:"type"`
	OrderID  string    `json:"order_id"`
	Sequence int64     `json:"sequence"`
}

func clientLog(o Options) string   { return o.ClientLog }
func receiverLog(o Options) string { return o.ReceiverLog }

// lines reads a log of one JSON object a line, page by page. A line that was cut off by the death of its writer is the
// last one, and is left out.
func lines[L any](path string, page func([]L) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var read []L
	reader := bufio.NewReader(file)
	for n := 1; ; n++ {
		text, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return page(read)
		}
		if err != nil {
			return err
		}
		var line L
		if err := json.Unmarshal(text, &line); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		if read = append(read, line); len(read) == pageSize {
			if err := page(read); err != nil {
				return err
			}
			read = read[:0]
		}
	}
}

// checkAnswers looks up what the client was told had been done: an order, or a command, under its key.
func checkAnswers(ctx context.Context, q *inquiry, f *Finding) error {
	first := map[string]string{} // the order that each key was answered with first
	return lines(q.options.ClientLog, func(answers []Answer) error {
		var keys []string
		for _, a := range answers {
			if a.done() {
				keys = append(keys, a.Key)
			}
		}
		known, err := q.known(ctx, keys)
		if err != nil {
			return err
		}
		for _, a := range answers {
			if !a.done() {
				continue
			}
			orderID, there := known[a.Key]
			switch {
			case !there:
				f.violated(a.Key, fmt.Sprintf("%s %s was answered %d at %s, and nothing is there under its key", a.Method, a.Path, a.Status, clock(a.At)))
			case a.OrderID != "" && orderID != "" && a.OrderID != orderID:
				f.violated(a.Key, fmt.Sprintf("%s %s was answered with %s at %s; under its key there is %s", a.Method, a.Path, a.OrderID, clock(a.At), orderID))
			case a.OrderID != "" && first[a.Key] != "" && first[a.Key] != a.OrderID:
				f.violated(a.Key, fmt.Sprintf("%s %s was answered with %s, and at %s with %s", a.Method, a.Path, first[a.Key], clock(a.At), a.OrderID))
			}
			if first[a.Key] == "" {
				first[a.Key] = a.OrderID
			}
		}
		return nil
	})
}

// done reports whether the client was told that something is done which has a key to be found by.
func (a Answer) done() bool { return a.Key != "" && a.Status >= 200 && a.Status < 300 }

// known finds what is there under the keys: with an order's own key its id, with a command's nothing.
func (q *inquiry) known(ctx context.Context, keys []string) (map[string]string, error) {
	var found []struct {
		Key     string `db:"key"`
		OrderID string `db:"order_id"`
	}
	err := q.facts.SelectContext(ctx, &found, `
		SELECT key, '' AS order_id FROM commands WHERE key = ANY($1)
		UNION ALL SELECT idempotency_key, id FROM orders WHERE idempotency_key = ANY($1)`, pq.Array(keys))
	known := map[string]string{}
	for _, row := range found {
		known[row.Key] = row.OrderID
	}
	return known, err
}

// checkDelivered holds the receiver's log against the feed, both ways: up to the last position that it has read, every
// event is in it, and nothing else is.
func checkDelivered(ctx context.Context, q *inquiry, f *Finding) error {
	seen := map[int64]bool{}
	var last int64
	err := lines(q.options.ReceiverLog, func(arrivals []Arrival) error {
		var positions []int64
		for _, a := range arrivals {
			positions = append(positions, a.Position)
			seen[a.Position], last = true, max(last, a.Position)
		}
		published, err := q.published(ctx, `position = ANY($1)`, pq.Array(positions))
		if err != nil {
			return err
		}
		for _, a := range arrivals {
			if ours, there := published[a.Position]; !there {
				f.violated(fmt.Sprintf("position %d", a.Position), fmt.Sprintf("%s was received, and there is no such event", a))
			} else if ours.String() != a.String() {
				f.violated(fmt.Sprintf("position %d", a.Position), fmt.Sprintf("%s was received; the event is %s", a, ours))
			}
		}
		return nil
	})
	for after := int64(0); err == nil && after < last; after += pageSize {
		var published map[int64]Arrival
		published, err = q.published(ctx, `position > $1 AND position <= least($1 + $2, $3)`, after, pageSize, last)
		for position := after + 1; position <= min(after+pageSize, last); position++ {
			if ours, there := published[position]; there && !seen[position] {
				f.violated(fmt.Sprintf("position %d", position), fmt.Sprintf("%s was published, and the receiver, who has read up to %d, has never seen it", ours, last))
			}
		}
	}
	return err
}

// checkArrivals looks at the order in which events came first: an order's own come in its order.
func checkArrivals(_ context.Context, q *inquiry, f *Finding) error {
	latest := map[string]int64{}
	return lines(q.options.ReceiverLog, func(arrivals []Arrival) error {
		for _, a := range arrivals {
			if before := latest[a.OrderID]; a.Sequence > before+1 {
				f.violated(a.OrderID, fmt.Sprintf("event %d came at %s, and the last one before it was %d", a.Sequence, clock(a.At), before))
			}
			latest[a.OrderID] = max(latest[a.OrderID], a.Sequence) // what comes again is at least once, and no fault
		}
		return nil
	})
}

// published are the events that stand at positions.
func (q *inquiry) published(ctx context.Context, where string, args ...any) (map[int64]Arrival, error) {
	var rows []struct {
		Position int64  `db:"position"`
		Type     string `db:"type"`
		OrderID  string `db:"order_id"`
		Sequence int64  `db:"sequence"`
	}
	err := q.facts.SelectContext(ctx, &rows, `SELECT position, type, order_id, sequence FROM events WHERE `+where, args...)
	published := map[int64]Arrival{}
	for _, r := range rows {
		published[r.Position] = Arrival{Position: r.Position, Type: r.Type, OrderID: r.OrderID, Sequence: r.Sequence}
	}
	return published, err
}

func (a Arrival) String() string {
	return fmt.Sprintf("event %d of order %s, %s", a.Sequence, a.OrderID, a.Type)
}

func clock(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05") }
