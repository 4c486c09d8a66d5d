package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/store"
)

const (
	// eventsLookEvery is how often a waiting reader's question is asked again: an index lookup.
	eventsLookEvery = 200 * time.Millisecond
	// eventsWaitersMax bounds how many readers wait at once. Whoever comes after them is answered at once, and asks again.
	eventsWaitersMax = 200
)

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

// awaitEvents reads the feed again and again until something is there, or until the wait is over.
func (s *Service) awaitEvents(wait, request context.Context, after int64, limit int) (events []store.FeedEvent, last int64, err error) {
	last = after
	if s.waiting.Add(1) > eventsWaitersMax {
		s.waiting.Add(-1)
		return nil, last, nil
	}
	defer s.waiting.Add(-1)
	look := time.NewTicker(eventsLookEvery)
	defer look.Stop()
	for {
		select {
		case <-wait.Done():
			return nil, last, request.Err()
		case <-s.Stopping:
			return nil, last, nil
		case <-look.C:
		}
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
