package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/store"
)

const (
	// eventsLookEvery is how often the end of the feed is looked up while anybody waits for it: one index lookup for all.
	eventsLookEvery = 200 * time.Millisecond
	// eventsWaitersMax bounds how many readers wait at once; each holds a connection.
	eventsWaitersMax = 1000
)

// feedEnd is where the feed ends, as it was a moment ago. Those who wait for more ask the database through it, once for
// all of them.
type feedEnd struct {
	mu       sync.Mutex
	at       time.Time
	position int64
}

func (e *feedEnd) look(ctx context.Context, s Store) (int64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Since(e.at) < eventsLookEvery {
		return e.position, nil
	}
	_, last, err := s.Feed(ctx, math.MaxInt64, 1)
	if err == nil {
		e.at, e.position = time.Now(), last
	}
	return last, err
}

// listEvents reads the feed. A reader that has everything waits for more, as long as it wants to.
func (s *Service) listEvents(c *gin.Context) error {
	asked := Params[struct {
		After int64 `json:"after"`
		Limit int   `json:"limit"`
		Wait  int64 `json:"wait"`
	}](c)
	ctx, cancel := limited(c, time.Duration(asked.Wait)*time.Second)
	defer cancel()
	events, last, err := s.Store.Feed(c.Request.Context(), asked.After, asked.Limit)
	if err == nil && len(events) == 0 && last == asked.After && asked.Wait > 0 {
		events, last, err = s.awaitEvents(ctx, c.Request.Context(), asked.After, asked.Limit)
	}
	if err != nil {
		return err
	}
	if asked.After > last {
		return fault.Conflictf("position_ahead", "the last position is %d: position %d is not of this feed, or of a time that was taken back", last, asked.After)
	}
	page := client.EventPage{Data: make([]client.Event, len(events)), NextAfter: asked.After, LastPosition: last}
	for i, e := range events {
		page.Data[i], page.NextAfter = renderFeedEvent(e), e.Position
	}
	Reply(c, http.StatusOK, page)
	return nil
}

// awaitEvents waits until something is there, or until the wait is over.
func (s *Service) awaitEvents(wait, request context.Context, after int64, limit int) (events []store.FeedEvent, last int64, err error) {
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > eventsWaitersMax {
		return nil, 0, &fault.Fault{Kind: fault.Unavailable, Code: "overloaded", RetryAfter: time.Second,
			Detail: "too many readers wait for events: ask again, or without wait"}
	}
	tick := time.NewTicker(eventsLookEvery)
	defer tick.Stop()
	for {
		select {
		case <-wait.Done():
			return nil, after, request.Err()
		case <-s.Stopping:
			return nil, after, nil
		case <-tick.C:
		}
		if last, err = s.end.look(request, s.Store); err != nil {
			return nil, last, err
		}
		if last == after {
			continue
		}
		// Where the feed ended a moment ago may also be before what this reader has already.
		if events, last, err = s.Store.Feed(request, after, limit); err != nil || last != after {
			return events, last, err
		}
	}
}

func renderFeedEvent(e store.FeedEvent) client.Event {
	return client.Event{Position: e.Position, ID: fmt.Sprintf("%s/%d", e.OrderID, e.Sequence), Type: e.Type, At: e.At, OrderID: e.OrderID,
		Sequence: e.Sequence, OrderStatus: client.OrderStatus(e.Status), ExternalID: e.ExternalID, Channel: e.Channel, Currency: e.Currency,
		Test: e.Test, Actor: e.Actor, RequestID: optional(e.RequestID), Data: convert[client.EventData](e.Members())}
}
