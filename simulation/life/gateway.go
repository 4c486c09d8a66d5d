package life

import (
	"context"
	"fmt"
	"time"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/store"
)

// What may go wrong on the way to a gateway and back.
const (
	lostRequest = "lost_request" // it never arrived
	lateRequest = "late_request" // it arrives when nobody waits for its answer any more
	lostAnswer  = "lost_answer"  // it was applied
	keyInUse    = "key_in_use"
	rateLimited = "rate_limited"
	lostLookup  = "lost_lookup"
)

// realTime is how long one request may take in real time: the world's faults are not to come from a busy machine.
const realTime = time.Minute

// mishap is what goes wrong with a request, if anything does.
func (w *world) mishap(key string, kinds ...string) string {
	n := w.attempt("ask " + key)
	if w.faulty(w.wild/30, key, n, "killed_run") && w.task != nil && !w.task.run.ended() {
		w.kill(w.task.run)
	}
	for _, kind := range kinds {
		if w.faulty(w.wild/3, key, n, kind) {
			return kind
		}
	}
	return ""
}

// away reports whether somebody else's system is out for hours. It is once in a while, for everybody.
func (w *world) away(system string) bool {
	const week = 7 * 24 * time.Hour
	n := int(w.now().Sub(morning) / week)
	if w.wild == 0 || !w.seed.Chance(300, "outage", system, n) {
		return false
	}
	begins := morning.Add(time.Duration(n) * week).Add(w.between(0, week/2, "outage begins", system, n))
	ends := begins.Add(w.between(5*time.Minute, 9*time.Hour, "outage lasts", system, n))
	now := w.now()
	return !now.Before(begins) && now.Before(ends) && w.happens(simulation.FaultID(system, n+1, "outage"))
}

// late has a request arrive later, but sooner than it could be given up.
func (w *world) late(key string, arrive func()) {
	w.env.RegisterDelayedCallback(func() {
		arrive()
		w.tell(key, "late request", "arrived")
	}, w.between(time.Second, 25*time.Second, "late", key))
}

// till is a payment gateway behind a bad line.
type till struct {
	world *world
	real  activities.PaymentGateway
}

// Policy is activities.PaymentGateway's.
func (t till) Policy() payment.Policy {
	p := t.real.Policy()
	p.LocalAttempt, p.RequestTimeout = realTime, realTime
	return p
}

// Perform is activities.PaymentGateway's.
func (t till) Perform(ctx context.Context, r payment.Request) (payment.Answer, error) {
	w := t.world
	if w.away("payments") {
		return payment.Answer{}, fmt.Errorf("%w: out of order", payment.ErrUnknown)
	}
	switch w.mishap(r.Key, lostRequest, lostAnswer, lateRequest, keyInUse, rateLimited) {
	case lostRequest:
		return payment.Answer{}, fmt.Errorf("%w: the request was lost", payment.ErrUnknown)
	case lateRequest:
		w.late(r.Key, func() { _, _ = t.real.Perform(w.ctx, r) })
		return payment.Answer{}, fmt.Errorf("%w: time-out", payment.ErrUnknown)
	case lostAnswer:
		_, _ = t.real.Perform(ctx, r)
		return payment.Answer{}, fmt.Errorf("%w: the answer was lost", payment.ErrUnknown)
	case keyInUse:
		return payment.Answer{}, payment.ErrKeyInUse
	case rateLimited:
		return payment.Answer{}, &payment.RateLimited{RetryAfter: w.between(time.Second, 20*time.Minute, "retry after", r.Key)}
	}
	return t.real.Perform(ctx, r)
}

// Find is activities.PaymentGateway's.
func (t till) Find(ctx context.Context, r payment.Request) (payment.Answer, error) {
	if t.world.away("payments") || t.world.mishap(r.Key, lostLookup) != "" {
		return payment.Answer{}, fmt.Errorf("%w: the answer was lost", payment.ErrUnknown)
	}
	return t.real.Find(ctx, r)
}

// carrier is a carrier behind a bad line.
type carrier struct {
	world *world
	real  *sandbox.Carrier
}

// Policy is activities.Carrier's.
func (c carrier) Policy() shipping.Policy {
	return shipping.Policy{LocalAttempt: realTime, RequestTimeout: realTime}
}

// Perform is activities.Carrier's.
func (c carrier) Perform(ctx context.Context, r shipping.Request) (shipping.Answer, error) {
	w := c.world
	if w.away("carrier") {
		return shipping.Answer{}, fmt.Errorf("%w: out of order", shipping.ErrUnknown)
	}
	switch w.mishap(r.Key, lostRequest, lostAnswer, lateRequest, keyInUse) {
	case lostRequest:
		return shipping.Answer{}, fmt.Errorf("%w: the request was lost", shipping.ErrUnknown)
	case lateRequest:
		w.late(r.Key, func() { _, _ = c.real.Perform(w.ctx, r) })
		return shipping.Answer{}, fmt.Errorf("%w: time-out", shipping.ErrUnknown)
	case lostAnswer:
		_, _ = c.real.Perform(ctx, r)
		return shipping.Answer{}, fmt.Errorf("%w: the answer was lost", shipping.ErrUnknown)
	case keyInUse:
		return shipping.Answer{}, shipping.ErrKeyInUse
	}
	return c.real.Perform(ctx, r)
}

// Find is activities.Carrier's.
func (c carrier) Find(ctx context.Context, r shipping.Request) (shipping.Answer, error) {
	if c.world.away("carrier") || c.world.mishap(r.Key, lostLookup) != "" {
		return shipping.Answer{}, fmt.Errorf("%w: the answer was lost", shipping.ErrUnknown)
	}
	return c.real.Find(ctx, r)
}

// books is a store whose connection breaks: before a transaction, or during its COMMIT, when nobody can say whether it was.
type books struct {
	world *world
	activities.Orders
}

// broken is what the store says of a connection that broke.
func broken() *fault.Fault {
	return &fault.Fault{Kind: fault.Unavailable, Code: "database_unavailable", Detail: "the connection broke", RetryAfter: time.Second}
}

// Change is activities.Orders'.
func (b books) Change(ctx context.Context, orderID string, cmd *store.Command, act order.Act, decide func(*order.Order) error) (*order.Order, error) {
	return b.breaking(orderID, func() (*order.Order, error) { return b.Orders.Change(ctx, orderID, cmd, act, decide) })
}

// Allocate is activities.Orders'.
func (b books) Allocate(ctx context.Context, orderID string, act order.Act) (*order.Order, error) {
	return b.breaking(orderID, func() (*order.Order, error) { return b.Orders.Allocate(ctx, orderID, act) })
}

func (b books) breaking(orderID string, change func() (*order.Order, error)) (*order.Order, error) {
	w, subject := b.world, "books/"+orderID
	if w.task != nil {
		subject = "books/" + w.task.subject
	}
	n := w.attempt(subject)
	if w.faulty(w.wild/6, subject, n, "unavailable") {
		return nil, broken()
	}
	o, err := change()
	if err == nil {
		w.stored(o)
	}
	if err == nil && w.faulty(w.wild/6, subject, n, "lost_commit") {
		return nil, broken()
	}
	return o, err
}
