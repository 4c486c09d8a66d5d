// Package relay carries facts to runs: those that came by themselves, and those of orders and returns that have no
// run. It also gives stock that was freed to those who wait for it, and has events published.
//
// It owns the inbox loop, the sweeper, and the loops of the grants and of the feed. It does not own the facts (store), nor what a run
// makes of them, nor who is served first (store). Every loop may run in any number of processes: what they do twice
// is harmless.
package relay

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-oms/waybill/domain/order"
)

// Facts is what the relay needs of the store.
type Facts interface {
	Order(ctx context.Context, orderID string) (*order.Order, error)
	// Unheard takes inbox rows that no run has heard of, oldest first, and marks those heard for which hear returns
	// nil, which is called for several runs at a time. Other processes do not see them meanwhile. The return's id is
	// empty when it is the order that has to hear.
	Unheard(ctx context.Context, limit int, at time.Time, hear func(orderID, returnID string) error) (heard int, err error)
	// Unsettled lists orders that still need a run, by id, after an id, none changed since before.
	Unsettled(ctx context.Context, afterID string, before time.Time, limit int) ([]string, error)
	// UnsettledReturns lists returns that still need a run, by their own id, after an id.
	UnsettledReturns(ctx context.Context, afterID string, before time.Time, limit int) ([]order.ReturnRef, error)
	// Stalled lists orders, and returns, in which something has been due for longer than patience without anybody
	// touching it.
	Stalled(ctx context.Context, now time.Time, patience time.Duration, limit int) ([]order.ReturnRef, error)
	// Settled tells which of these orders, and of these returns, need no run any more, and were not changed since before.
	Settled(ctx context.Context, before time.Time, orderIDs, returnIDs []string) ([]order.ReturnRef, error)
	// GrantBackorders gives free stock to some of the orders that wait for it, and says how many got some.
	GrantBackorders(ctx context.Context, act order.Act) (granted int, err error)
	// StampEvents publishes at most limit events that are not published yet, and says how many.
	StampEvents(ctx context.Context, limit int) (stamped int, err error)
}

// Runs is what the relay needs of the runs.
type Runs interface {
	Wake(ctx context.Context, o *order.Order) error
	Ensure(ctx context.Context, o *order.Order) error
	Running(ctx context.Context, orderID string) (bool, error)
	WakeReturn(ctx context.Context, o *order.Order, returnID string) error
	EnsureReturn(ctx context.Context, o *order.Order, returnID string) error
	RunningReturn(ctx context.Context, returnID string) (bool, error)
	// Open lists whose runs are open, a page at a time.
	Open(ctx context.Context, visit func(orderIDs, returnIDs []string) error) error
}

// Measure hears of what the relay does; telemetry.Work does.
type Measure interface {
	Swept(loop string, err error) // one round of a loop
	Started(runs int)
	Woken()
	Granted(orders int)
}

// callLimit bounds what is asked of Temporal for one run.
const callLimit = 5 * time.Second

// Relay carries facts to runs until its context ends.
type Relay struct {
	Facts Facts
	Runs  Runs
	Log   *slog.Logger
	// InboxEvery is how often the inbox is looked at when it was empty: the delay of a scan.
	InboxEvery time.Duration
	// SweepEvery is how often every unsettled order and return is asked for its run, and how long it is left alone
	// after a change: its run is being started just then.
	SweepEvery time.Duration
	// GrantEvery is how often stock that was freed is given to those who wait for it. Stock that arrives is given
	// at once, with its receipt.
	GrantEvery time.Duration
	// StampEvery is how often events are published: the delay of the feed.
	StampEvery time.Duration
	// StalledAfter is how long something may be due without anybody touching it before its run is told to look.
	StalledAfter time.Duration
	Act          func() order.Act // the relay itself acting, now
	Measure      Measure          // must be given

	woken    map[subject]time.Time // by WakeStalled and WakeEnded, lately
	lookedAt time.Time             // when WakeEnded last listed the open runs
}

// Run works until ctx ends.
func (r *Relay) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { r.every(ctx, r.InboxEvery, "inbox", r.drain) })
	loops.Go(func() { r.every(ctx, r.SweepEvery, "sweep", r.sweepAll) })
	loops.Go(func() { r.every(ctx, r.GrantEvery, "grant", r.grant) })
	loops.Go(func() { r.every(ctx, r.StampEvery, "feed", r.stamp) })
	loops.Wait()
}

func (r *Relay) every(ctx context.Context, pause time.Duration, name string, work func(context.Context) error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		err := work(ctx)
		if ctx.Err() == nil {
			r.Measure.Swept(name, err)
		}
		if err != nil && ctx.Err() == nil {
			r.Log.Warn("relay: will try again", "loop", name, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// drain tells runs what came in, until nothing is left.
func (r *Relay) drain(ctx context.Context) error {
	const batch = 50
	for {
		heard, err := r.Facts.Unheard(ctx, batch, r.Act().At, func(orderID, returnID string) error {
			return r.tell(ctx, subject{orderID, returnID})
		})
		if err != nil || heard < batch {
			return err
		}
	}
}

// grant serves who waits for stock until nothing is left to be given.
func (r *Relay) grant(ctx context.Context) error {
	for {
		granted, err := r.Facts.GrantBackorders(ctx, r.Act())
		r.Measure.Granted(granted)
		if err != nil || granted == 0 {
			return err
		}
	}
}

// stamp publishes events until none is left.
func (r *Relay) stamp(ctx context.Context) error {
	const batch = 1000
	for {
		stamped, err := r.Facts.StampEvents(ctx, batch)
		if err != nil || stamped < batch {
			return err
		}
	}
}

// tell wakes the subject's run. Whoever is settled has none and needs none, unless one is still waiting to hear of
// it.
func (r *Relay) tell(ctx context.Context, s subject) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	o, err := r.Facts.Order(ctx, s.OrderID)
	if err != nil {
		return err
	}
	if s.settled(o) {
		running, err := s.running(ctx, r.Runs)
		if err != nil || !running {
			return err
		}
	}
	return s.wake(ctx, r.Runs, o)
}

// Sweep starts a run for every unsettled order and return that has none: terminated by hand, never started, or lost
// with Temporal's database. It returns how many it started.
func (r *Relay) Sweep(ctx context.Context) (started int, err error) {
	orders, failed := r.sweep(ctx, func(after string, before time.Time, limit int) ([]subject, error) {
		ids, err := r.Facts.Unsettled(ctx, after, before, limit)
		found := make([]subject, len(ids))
		for i, orderID := range ids {
			found[i] = subject{OrderID: orderID}
		}
		return found, err
	})
	returns, failedToo := r.sweep(ctx, func(after string, before time.Time, limit int) ([]subject, error) {
		refs, err := r.Facts.UnsettledReturns(ctx, after, before, limit)
		found := make([]subject, len(refs))
		for i, ref := range refs {
			found[i] = subject(ref)
		}
		return found, err
	})
	r.Measure.Started(orders + returns)
	return orders + returns, errors.Join(failed, failedToo)
}

// sweepAtOnce is how many runs are asked for, and started, at a time.
const sweepAtOnce = 16

// sweep goes through a list page by page, several at a time. One that cannot be started does not stop the rest; several
// in a row do: then it is not they.
func (r *Relay) sweep(ctx context.Context, unsettled func(after string, before time.Time, limit int) ([]subject, error)) (started int, err error) {
	const page, failuresMax = 500, 3
	after, inARow := "", 0
	var mu sync.Mutex
	var failures []error
	for {
		found, err := unsettled(after, r.Act().At.Add(-r.SweepEvery), page)
		if err != nil || len(found) == 0 {
			return started, errors.Join(append(failures, err)...)
		}
		var asking errgroup.Group
		asking.SetLimit(sweepAtOnce)
		for _, s := range found {
			asking.Go(func() error {
				mu.Lock()
				hopeless := inARow >= failuresMax
				mu.Unlock()
				if hopeless {
					return nil
				}
				missing, err := r.ensure(ctx, s)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					failures, inARow = append(failures, err), inARow+1
				case missing:
					started, inARow = started+1, 0
				default:
					inARow = 0
				}
				return nil
			})
		}
		_ = asking.Wait() // what failed is in failures
		if inARow >= failuresMax {
			return started, errors.Join(failures...)
		}
		after = found[len(found)-1].id()
	}
}

func (r *Relay) ensure(ctx context.Context, s subject) (missing bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	running, err := s.running(ctx, r.Runs)
	if err != nil || running {
		return false, err
	}
	o, err := r.Facts.Order(ctx, s.OrderID)
	if err != nil || s.settled(o) {
		return false, err
	}
	return true, s.ensure(ctx, r.Runs, o)
}

func (r *Relay) sweepAll(ctx context.Context) error {
	started, err := r.Sweep(ctx)
	if started > 0 {
		r.Log.Info("relay: started runs that were missing", "runs", started)
	}
	return errors.Join(err, r.WakeStalled(ctx), r.WakeEnded(ctx))
}

// wakeAgain is how long a run that was woken is left to itself: each time costs it a signal.
const wakeAgain = 5 * time.Minute

// WakeStalled tells runs to look at their facts when something is due in them that nobody has touched for a while. A
// run may have missed a change that it made itself: when Temporal and its worker die between the commit and the end
// of the workflow task, the facts know of a step and the run does not.
func (r *Relay) WakeStalled(ctx context.Context) error {
	now := r.Act().At
	stalled, err := r.Facts.Stalled(ctx, now, r.StalledAfter, stalledMax)
	return errors.Join(err, r.wakeEach(ctx, now, stalled))
}

// WakeEnded tells runs to look at their facts whose order or return needs none any more: one that missed its own end, by the
// same accident, has nothing due that anybody could notice, and would stay open until its next deadline, if it has one.
func (r *Relay) WakeEnded(ctx context.Context) error {
	now := r.Act().At
	if now.Sub(r.lookedAt) < r.StalledAfter {
		return nil
	}
	err := r.Runs.Open(ctx, func(orderIDs, returnIDs []string) error {
		over, err := r.Facts.Settled(ctx, now.Add(-r.StalledAfter), orderIDs, returnIDs)
		return errors.Join(err, r.wakeEach(ctx, now, over))
	})
	if err == nil {
		r.lookedAt = now
	}
	return err
}

func (r *Relay) wakeEach(ctx context.Context, now time.Time, refs []order.ReturnRef) error {
	var failures []error
	if r.woken == nil {
		r.woken = map[subject]time.Time{}
	}
	maps.DeleteFunc(r.woken, func(_ subject, last time.Time) bool { return now.Sub(last) >= wakeAgain })
	for _, ref := range refs {
		s := subject(ref)
		if _, lately := r.woken[s]; lately {
			continue
		}
		if err := r.tell(ctx, s); err != nil {
			failures = append(failures, err)
			continue
		}
		r.woken[s] = now
		r.Measure.Woken()
		r.Log.Info("relay: woke a run that had missed something", "order_id", s.OrderID, "return_id", s.ReturnID)
	}
	return errors.Join(failures...)
}

// stalledMax bounds how many runs are woken in one round.
const stalledMax = 200
