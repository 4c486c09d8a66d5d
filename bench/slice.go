package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// failuresMax ends a run in which hardly anything works.
const failuresMax = 20

// side is one of the two that take turns.
type side struct {
	name  string
	play  func(context.Context, *tally) error
	tally *tally

	seconds                  float64 // in which it was counted
	cpu                      map[string]time.Duration
	statements, transactions int64
}

func newSide(name string, play func(context.Context, *tally) error) *side {
	return &side{name: name, play: play, tally: newTally(), cpu: map[string]time.Duration{}}
}

// budget is how many orders may still be begun. A nil one has no end.
type budget struct{ left atomic.Int64 }

func (b *budget) take() bool { return b == nil || b.left.Add(-1) >= 0 }

// turn keeps inFlight orders at work for a slice. It counts from when as many were completed as are in flight, so that
// what began at once has spread, for as long as window says or until the budget is used up; then what was begun is
// finished, uncounted.
func (s *side) turn(ctx context.Context, m *meter, inFlight int, window time.Duration, b *budget) error {
	var done atomic.Int64
	var stopped atomic.Bool
	warm, idle := make(chan struct{}), make(chan struct{})
	var workers sync.WaitGroup
	for range inFlight {
		workers.Go(func() {
			for !stopped.Load() && ctx.Err() == nil && b.take() {
				if err := s.play(ctx, s.tally); err != nil && ctx.Err() == nil && s.tally.fail(err) >= failuresMax {
					stopped.Store(true)
				}
				if done.Add(1) == int64(inFlight) {
					close(warm)
				}
			}
		})
	}
	go func() { workers.Wait(); close(idle) }()
	defer func() { stopped.Store(true); <-idle }()
	select {
	case <-warm:
	case <-idle: // too few were left to get going
		return s.trouble(ctx)
	}
	before, err := m.read(ctx)
	if err != nil {
		return err
	}
	s.tally.open.Store(true)
	began := time.Now()
	select {
	case <-idle:
	case <-ctx.Done():
	case <-time.After(window):
	}
	took := time.Since(began)
	s.tally.open.Store(false)
	after, err := m.read(ctx)
	if err != nil {
		return err
	}
	s.seconds += took.Seconds()
	s.add(before, after)
	return s.trouble(ctx)
}

func (s *side) add(before, after reading) {
	for name, used := range cpuBetween(before, after) {
		s.cpu[name] += used
	}
	s.statements += after.statements - before.statements
	s.transactions += after.transactions - before.transactions
}

// trouble is why it makes no sense to go on.
func (s *side) trouble(ctx context.Context) error {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	if s.tally.failed >= failuresMax {
		return fmt.Errorf("%d orders failed; the first: %w", s.tally.failed, s.tally.failure)
	}
	return ctx.Err()
}
