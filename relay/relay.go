// Package relay carries facts to runs: those that came by themselves, and those of orders that have no run.
//
// It owns the inbox loop and the sweeper. It does not own the facts (store), nor what a run makes of them. Both
// loops may run in any number of processes: what they do twice is harmless.
package relay

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
)

// Facts is what the relay needs of the store.
type Facts interface {
	Order(ctx context.Context, orderID string) (*order.Order, error)
	// Unheard takes inbox rows that no run has heard of, in their order, and marks those heard for which hear
	// returns nil. Other processes do not see them meanwhile.
	Unheard(ctx context.Context, limit int, at time.Time, hear func(orderID string) error) (heard int, err error)
	// Unsettled lists orders that still need a run, by id, after an id, none changed since before.
	Unsettled(ctx context.Context, afterID string, before time.Time, limit int) ([]string, error)
}

// Runs is what the relay needs of the runs.
type Runs interface {
	Wake(ctx context.Context, o *order.Order) error
	Ensure(ctx context.Context, o *order.Order) error
	Running(ctx context.Context, orderID string) (bool, error)
}

// callLimit bounds what is asked of Temporal for one order.
const callLimit = 5 * time.Second

// Relay carries facts to runs until its context ends.
type Relay struct {
	Facts Facts
	Runs  Runs
	Log   *slog.Logger
	// InboxEvery is how often the inbox is looked at when it was empty: the delay of a scan.
	InboxEvery time.Duration
	// SweepEvery is how often every unsettled order is asked for its run, and how long an order is left alone
	// after a change: its run is being started just then.
	SweepEvery time.Duration
	Now        func() time.Time
}

// Run works until ctx ends.
func (r *Relay) Run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.every(ctx, r.SweepEvery, "sweep", r.sweepAll)
	}()
	r.every(ctx, r.InboxEvery, "inbox", r.drain)
	<-done
}

func (r *Relay) every(ctx context.Context, pause time.Duration, name string, work func(context.Context) error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if err := work(ctx); err != nil && ctx.Err() == nil {
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
		heard, err := r.Facts.Unheard(ctx, batch, r.Now(), func(orderID string) error { return r.tell(ctx, orderID) })
		if err != nil || heard < batch {
			return err
		}
	}
}

// tell wakes the order's run. An order that is settled has none and needs none, unless one is still waiting to
// hear of it.
func (r *Relay) tell(ctx context.Context, orderID string) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	o, err := r.Facts.Order(ctx, orderID)
	if err != nil {
		return err
	}
	if o.Settled {
		running, err := r.Runs.Running(ctx, orderID)
		if err != nil || !running {
			return err
		}
	}
	return r.Runs.Wake(ctx, o)
}

// Sweep starts a run for every unsettled order that has none: terminated by hand, never started, or lost with
// Temporal's database. It returns how many it started. An order that cannot be started does not stop the rest;
// several in a row do: then it is not the orders.
func (r *Relay) Sweep(ctx context.Context) (started int, err error) {
	const page, failuresMax = 500, 3
	after, inARow := "", 0
	var failures []error
	for {
		ids, err := r.Facts.Unsettled(ctx, after, r.Now().Add(-r.SweepEvery), page)
		if err != nil || len(ids) == 0 {
			return started, errors.Join(append(failures, err)...)
		}
		for _, orderID := range ids {
			missing, err := r.ensure(ctx, orderID)
			if err == nil {
				inARow = 0
			} else if failures, inARow = append(failures, err), inARow+1; inARow >= failuresMax {
				return started, errors.Join(failures...)
			}
			if missing && err == nil {
				started++
			}
		}
		after = ids[len(ids)-1]
	}
}

func (r *Relay) ensure(ctx context.Context, orderID string) (missing bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	running, err := r.Runs.Running(ctx, orderID)
	if err != nil || running {
		return false, err
	}
	o, err := r.Facts.Order(ctx, orderID)
	if err != nil || o.Settled {
		return false, err
	}
	return true, r.Runs.Ensure(ctx, o)
}

func (r *Relay) sweepAll(ctx context.Context) error {
	started, err := r.Sweep(ctx)
	if started > 0 {
		r.Log.Info("relay: started runs for orders that had none", "orders", started)
	}
	return err
}
