package api

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
)

// Whoever places an order, or sends a command, first waits for his turn. More at a time would not be done sooner: they
// would wait inside, where what was begun for them is lost when they give up. Commands have turns of their own, so that
// orders that were placed are finished, however many want to be placed.
const (
	placingsMax, placingsQueue = 8, 8
	commandsMax, commandsQueue = 16, 32
	// turnLimit is how long is waited for a turn.
	turnLimit = 750 * time.Millisecond
	// turnRetry is when to come back.
	turnRetry = 2 * time.Second
)

// turns lets so many be at work at a time. It is safe for concurrent use.
type turns struct {
	taken   chan struct{}
	waiting *atomic.Int64
	queue   int64
}

func newTurns(atWork, queue int) turns {
	return turns{taken: make(chan struct{}, atWork), waiting: new(atomic.Int64), queue: int64(queue)}
}

// take waits for a turn, first come, first served. Errors: Unavailable overloaded, at once when too many wait already.
func (t turns) take(ctx context.Context) (leave func(), err error) {
	leave = func() { <-t.taken }
	select {
	case t.taken <- struct{}{}:
		return leave, nil
	default:
	}
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > t.queue {
		return nil, overloaded()
	}
	ctx, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	select {
	case t.taken <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, overloaded()
	}
}

func overloaded() error {
	return &fault.Fault{Kind: fault.Unavailable, Code: "overloaded", RetryAfter: turnRetry,
		Detail: "too many orders are being worked on at the moment: send the same request again"}
}
