package api

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/store"
)

// ended is a feed in which nothing more happens.
type ended struct{ Store }

func (ended) Feed(context.Context, int64, int) ([]store.FeedEvent, int64, error) { return nil, 7, nil }

func TestWhoWaitsForAnEventIsAnsweredWhenTheProcessStops(t *testing.T) {
	stopping := make(chan struct{})
	s := &Service{Store: ended{}, Stopping: stopping}
	close(stopping)
	events, last, err := s.awaitEvents(t.Context(), t.Context(), 7, 10)
	require.NoError(t, err)
	require.Empty(t, events)
	require.EqualValues(t, 7, last)
	require.Zero(t, s.waiting.Load())
}

// What another reader saw a moment ago may be older than what this one has read: that is nothing new.
func TestWhoWaitsIsNotAnsweredByWhatHeHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Service{Store: ended{}, end: feedEnd{at: time.Now().Add(eventsLookEvery / 2), position: 5}}
		wait, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		events, last, err := s.awaitEvents(wait, t.Context(), 7, 10)
		require.NoError(t, err)
		require.Empty(t, events)
		require.EqualValues(t, 7, last)
		require.Equal(t, 3*time.Second, time.Since(began), "for as long as it wanted to")
	})
}

func TestNotEverybodyMayWaitForAnEvent(t *testing.T) {
	s := &Service{Store: ended{}}
	s.waiting.Store(eventsWaitersMax)
	_, _, err := s.awaitEvents(t.Context(), t.Context(), 7, 10)
	require.True(t, fault.Is(err, "overloaded"), "%v", err)
	require.NotZero(t, fault.As(err).RetryAfter)
	require.EqualValues(t, eventsWaitersMax, s.waiting.Load())
}
