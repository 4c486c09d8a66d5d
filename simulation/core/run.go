package core

import (
	"errors"
	"time"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

type movement = inventory.Movement

// run performs what is due for an order, or for a return of it, as workflows/run.go does: it knows only the facts that
// it was told, takes each step on once, tries it again until it is answered, and looks again at the deadline.
type run struct {
	l        *life
	returnID string
	steps    map[string]*step // taken on, by key; never ranged over
	due      []order.Step     // by the facts that it knows
	timer    time.Time        // when it looks again; zero when nothing was to happen
	vain     int              // how often in a row that changed nothing
}

// step is one that the run has taken on.
type step struct {
	tries  int
	failed bool // given up until somebody resumes
}

const (
	patience  = 10 * time.Second // how long an answer is waited for
	lifetime  = 24 * time.Second // the longest that a request is on its way
	restarted = 15 * time.Second // after which a step is performed again whose worker died
	slowest   = time.Minute      // between two tries
)

func newRun(l *life, returnID string) *run {
	return &run{l: l, returnID: returnID, steps: map[string]*step{}}
}

// facts are what is due now, and when the run is to look again.
func (r *run) facts() ([]order.Step, *time.Time) {
	o := r.l.order()
	if r.returnID == "" {
		return o.Steps(), o.Deadline
	}
	back := o.Return(r.returnID)
	if back == nil {
		return nil, nil
	}
	return o.ReturnSteps(r.returnID), back.Deadline
}

// learn reads the facts, takes on what is due, and sets the timer.
func (r *run) learn() {
	due, deadline := r.facts()
	r.due = due
	for _, s := range due {
		if r.steps[s.Key] == nil {
			r.steps[s.Key] = &step{}
			r.l.w.in(r.l.between(time.Millisecond, 40*time.Millisecond, "task"), func() { r.perform(s) })
		}
	}
	r.arm(deadline)
}

// arm looks again at the deadline. One that stays where it is is looked at ever more rarely.
func (r *run) arm(deadline *time.Time) {
	if deadline == nil {
		return
	}
	w := r.l.w
	at, soonest := *deadline, w.now.Add(time.Second)
	if !at.After(w.now) {
		soonest = w.now.Add(min(time.Second<<min(r.vain, 6), time.Minute))
	}
	if at.Before(soonest) {
		at = soonest
	}
	if !r.timer.IsZero() && !at.Before(r.timer) {
		return
	}
	r.timer = at
	w.in(at.Sub(w.now), func() {
		if r.timer.Equal(at) {
			r.timer = time.Time{}
			r.look()
		}
	})
}

// look does what is due by now.
func (r *run) look() {
	_ = r.l.change("workflow", "deadline "+r.returnID, "", r, func(o *order.Order, act order.Act) error {
		if r.returnID != "" {
			o.ReturnDeadlinePassed(r.returnID, act)
		} else {
			o.DeadlinePassed(act)
		}
		return nil
	})
	_, deadline := r.facts()
	if deadline != nil && !deadline.After(r.l.w.now) {
		r.vain++
	} else {
		r.vain = 0
	}
	if r.vain > 20 {
		r.l.w.fails("V-O3", r.l.id, "the deadline at %s passed, and looking at it does nothing", deadline.Format(time.RFC3339))
	}
}

// perform does a step, as its activity does. The answer is written down, and the run goes on.
func (r *run) perform(s order.Step) {
	o := r.l.order()
	if s.Name == order.StepAllocate {
		r.allocate(s)
		return
	}
	op := o.Operation(s.Key)
	if op == nil || !open(*op) {
		r.done(s)
		return
	}
	if s.Name == string(shipping.BuyLabel) || s.Name == string(shipping.VoidLabel) {
		request, sent := o.CarrierRequest(*op), op.State == payment.Unsettled
		r.send(s, false, func() (answer, error) { return r.l.w.carrier.ask(r.l, request, sent) })
		return
	}
	request, settling, sent := o.PaymentRequest(*op), o.Settling(*op), op.State == payment.Unsettled
	at := o.Payment(op.PaymentID).Gateway
	r.send(s, settling, func() (answer, error) { return r.l.w.gateway.ask(r.l, at, request, settling, sent) })
}

// allocate commits stock. The same step is at times performed twice.
func (r *run) allocate(s order.Step) {
	write := func(o *order.Order, act order.Act) error { r.l.w.books.allocate(o, act); return nil }
	if r.l.fault(15, s.Key, "crash_after_commit") {
		_ = r.l.change("workflow", s.Key, "", nil, write)
		r.l.w.in(restarted, func() { r.perform(s) })
		return
	}
	_ = r.l.change("workflow", s.Key, "", nil, write)
	r.done(s)
}

// answer writes what somebody said on the facts.
type answer func(*order.Order, order.Act)

// send carries a request there and its answer back, or does not: whatever may happen to either, by the seed.
func (r *run) send(s order.Step, settling bool, ask func() (answer, error)) {
	l, w := r.l, r.l.w
	there, back := l.between(5*time.Millisecond, 900*time.Millisecond, "there"), l.between(5*time.Millisecond, 900*time.Millisecond, "back")
	arrives := func(after time.Duration) { w.in(after, func() { _, _ = ask() }) } // and nobody hears of it
	switch {
	case w.fault(12, "gateways", int(w.now.Sub(began)/time.Hour), "outage"), l.fault(20, s.Key, "server_error"):
		w.in(there, func() { r.unanswered(s) })
	case l.fault(20, s.Key, "lost_request"):
		w.in(patience, func() { r.unanswered(s) })
	case l.fault(25, s.Key, "lost_answer"):
		arrives(there)
		w.in(patience, func() { r.unanswered(s) })
	case l.fault(30, s.Key, "late_request"):
		if s.Name == string(payment.Authorize) && l.fault(500, s.Key, "impatient_customer") {
			w.in(l.between(time.Second, 15*time.Second, "impatience"), l.cancel)
		}
		arrives(l.between(patience, lifetime, "late"))
		w.in(patience, func() { r.unanswered(s) })
	case l.fault(12, s.Key, "rate_limited"), l.fault(10, s.Key, "key_in_use"):
		w.in(there, func() { r.delayed(s) })
	case l.fault(20, s.Key, "crash_before_record"):
		arrives(there)
		w.in(restarted, func() { r.perform(s) })
	case l.fault(8, s.Key, "step_failed"):
		w.in(there, func() { r.fail(s) })
	default:
		w.in(there, func() {
			answer, err := ask()
			w.in(back, func() { r.answered(s, answer, err, settling) })
		})
	}
}

// answered writes an answer down, at times twice, and at times the worker dies right after.
func (r *run) answered(s order.Step, write answer, err error, settling bool) {
	l := r.l
	if settling && errors.Is(err, payment.ErrNotFound) {
		r.notFound(s)
		return
	}
	if err != nil {
		r.unanswered(s)
		return
	}
	record := func(via *run) {
		_ = l.change("workflow", s.Key, "", via, func(o *order.Order, act order.Act) error { write(o, act); return nil })
	}
	switch {
	case l.fault(12, s.Key, "crash_after_commit"):
		record(nil)
		l.w.in(restarted, func() { r.perform(s) })
		return
	case l.fault(12, s.Key, "answered_twice"): // by a worker that was thought dead
		l.w.in(l.between(time.Second, 90*time.Second, "zombie"), func() { record(nil) })
	}
	record(nil)
	r.done(s)
}

// notFound gives an authorization up that nobody wants and the gateway does not know, once it cannot come any more.
func (r *run) notFound(s order.Step) {
	settled := false
	_ = r.l.change("workflow", s.Key+" not found", "", nil, func(o *order.Order, act order.Act) error {
		settled = o.NotFound(s.Key, act)
		return nil
	})
	if settled {
		r.done(s)
		return
	}
	r.l.w.in(5*time.Second, func() { r.perform(s) })
}

func (r *run) unanswered(s order.Step) {
	if r.l.fault(200, s.Key, "impatient_operator") {
		r.l.w.in(r.l.between(time.Second, 5*time.Minute, "impatience"), func() { _ = r.resume("resume "+r.returnID, "") })
	}
	_ = r.l.change("workflow", s.Key+" unanswered", "", nil, func(o *order.Order, act order.Act) error {
		o.Unanswered(s.Key, "no answer", act)
		return nil
	})
	r.again(s)
}

func (r *run) delayed(s order.Step) {
	_ = r.l.change("workflow", s.Key+" delayed", "", nil, func(o *order.Order, act order.Act) error { o.Delayed(s.Key, act); return nil })
	r.again(s)
}

// again tries a step later, ever more slowly.
func (r *run) again(s order.Step) {
	taken := r.steps[s.Key]
	if taken == nil {
		return
	}
	r.l.w.in(min(time.Second<<min(taken.tries, 6), slowest), func() { r.perform(s) })
	taken.tries++
}

// done lets go of a step. One that is still due was performed in vain: a person is called, as for one that failed.
func (r *run) done(s order.Step) {
	delete(r.steps, s.Key)
	due, _ := r.facts()
	for _, still := range due {
		if still.Key == s.Key {
			r.steps[s.Key] = &step{}
			r.fail(s)
			return
		}
	}
	r.learn()
}

// fail gives a step up that repeating will not mend, and calls for a person.
func (r *run) fail(s order.Step) {
	if taken := r.steps[s.Key]; taken != nil {
		taken.failed = true
	}
	_ = r.l.change("workflow", s.Key+" failed", "", r, func(o *order.Order, act order.Act) error {
		if r.returnID != "" {
			o.ReturnStepFailed(r.returnID, s.Key, "it fails every time", act)
		} else {
			o.StepFailed(s.Key, "it fails every time", act)
		}
		return nil
	})
}

// resume is an operator's command: the calls are taken back, and what was given up is taken on again.
func (r *run) resume(what, key string) error {
	err := r.l.change("api:operator", what, key, nil, func(o *order.Order, act order.Act) error {
		if r.returnID != "" {
			return o.ResumeReturn(r.returnID, act)
		}
		return o.Resume(act)
	})
	if err == nil {
		for _, s := range r.due {
			if taken := r.steps[s.Key]; taken != nil && taken.failed {
				delete(r.steps, s.Key)
			}
		}
	}
	r.learn()
	return err
}
