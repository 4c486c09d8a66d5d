package life

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/domain/order"
)

const (
	relayEvery = 2 * time.Second
	// lookEvery is how often the sweeper looks when nothing was lost. A real one looks all the time.
	lookEvery = 24 * time.Hour
	// sweepAfter is more than the sweeper leaves alone what has just changed.
	sweepAfter = 45 * time.Second
)

// carryOn does what the relay's loops do, when there is something to do.
func (w *world) carryOn(ctx workflow.Context) {
	for {
		_ = workflow.Await(ctx, func() bool { return w.dirty || w.orphans })
		lost := w.orphans
		_ = workflow.Sleep(ctx, relayEvery)
		w.dirty, w.orphans = false, false
		w.check("relay", w.drain(), w.grant())
		if lost {
			w.spawn(ctx, w.sweepLater)
		}
	}
}

// watch looks for runs that are missing, or that have missed something, whatever happens. Before it mends anything, what is
// promised of every moment is asked for.
func (w *world) watch(ctx workflow.Context) {
	for day := 1; ; day++ {
		_ = workflow.Sleep(ctx, lookEvery)
		if day%glanceEvery == 0 && day/glanceEvery <= glances {
			w.glance()
		}
		w.sweep()
	}
}

// sweepLater looks for runs that were lost, and some time later for those that missed something. Temporal may be away
// for long.
func (w *world) sweepLater(ctx workflow.Context) {
	n := w.attempt("sweep")
	away := sweepAfter
	if w.wild > 0 && w.seed.Chance(100, "temporal away", n) {
		away = w.between(time.Hour, 30*time.Hour, "temporal away", n)
	}
	_ = workflow.Sleep(ctx, away)
	w.sweep()
	_ = workflow.Sleep(ctx, 5*time.Minute)
	w.sweep()
}

func (w *world) sweep() {
	_, err := w.relay.Sweep(w.ctx)
	w.check("sweeper", err, w.relay.WakeStalled(w.ctx), w.relay.WakeEnded(w.ctx), w.stamp())
}

// drain tells runs what came in, as the relay does.
func (w *world) drain() error {
	_, err := w.store.Unheard(w.ctx, 1000, w.now(), func(orderID, returnID string) error {
		o, err := w.store.Order(w.ctx, orderID)
		if err != nil {
			return err
		}
		if returnID != "" {
			if running, _ := w.RunningReturn(w.ctx, returnID); running || !o.Return(returnID).Settled {
				return w.WakeReturn(w.ctx, o, returnID)
			}
			return nil
		}
		if running, _ := w.Running(w.ctx, orderID); running || !o.Settled {
			return w.Wake(w.ctx, o)
		}
		return nil
	})
	return err
}

func (w *world) grant() error {
	for {
		granted, err := w.store.GrantBackorders(w.ctx, w.act("relay", "grant"))
		if err != nil || granted == 0 {
			return err
		}
		w.tell("relay", "grant", "granted")
		w.dirty = true
	}
}

func (w *world) stamp() error {
	_, err := w.store.StampEvents(w.ctx, 10000)
	return err
}

// check notes what must not go wrong in a world whose database is there.
func (w *world) check(who string, errs ...error) {
	for _, err := range errs {
		if err != nil {
			w.violated("L1-error", who, err.Error())
		}
	}
}

// look reads an order as the API shows it.
func (w *world) look(orderID string) *order.Order {
	o, err := w.store.Order(w.ctx, orderID)
	if err != nil {
		panic(err) // it was placed, and the database is there
	}
	return o
}
