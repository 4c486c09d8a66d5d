package core

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/simulation"
)

// began is when every world begins.
var began = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// DefaultOrders is how many orders a world has when nobody says: enough to want the same goods.
const DefaultOrders = 40

const (
	day = 24 * time.Hour
	// placing is for how long customers order.
	placing = 4 * day
	// troubled is for how long anything may go wrong. After it nothing does any more, and whoever is called comes.
	troubled = 18 * day
	// horizon is when every order has long had to be over: return windows, their expiry and refunds that are tried
	// again all fit in.
	horizon = 200 * day
)

// house is the policy of every order, but for what each was promised of returns.
var house = order.DefaultPolicy()

// world is everybody around the orders, and the clock.
type world struct {
	scope   simulation.Scope
	seed    simulation.Seed
	now     time.Time
	agenda  agenda
	pushed  uint64
	trace   *trace
	books   *books
	gateway *gateway
	carrier *carrier
	lives   []*life // those that are played, in the order of their numbers
	byID    map[string]*life
	grants  bool // somebody will look for orders that may be given stock

	text       []byte          // memory for the next summary
	units      []unit          // and for the next audit
	happened   map[string]bool // faults
	faults     []string
	violations []simulation.Violation
}

// Run plays a scope to its end: a simulation.World.
func Run(ctx context.Context, scope simulation.Scope) (simulation.Result, error) {
	return newWorld(scope).run(ctx)
}

func newWorld(scope simulation.Scope) *world {
	w := &world{scope: scope, seed: scope.Seed, now: began, trace: newTrace(), books: newBooks(), byID: map[string]*life{}, happened: map[string]bool{}}
	w.gateway, w.carrier = newGateway(w), newCarrier(w)
	w.stockUp()
	for _, n := range scope.Played() {
		l := newLife(w, n)
		w.lives = append(w.lives, l)
		w.byID[l.id] = l
		w.in(time.Duration(w.seed.Below(int(placing/time.Second), n, "ordered"))*time.Second, l.place)
	}
	w.in(troubled, w.calm)
	return w
}

// run lets happen what is to happen, until nothing is left or something did not hold: what follows a broken promise
// says nothing.
func (w *world) run(ctx context.Context) (simulation.Result, error) {
	func() {
		defer func() {
			if recovered := recover(); recovered != nil {
				w.violations = append(w.violations, simulation.Panicked(recovered))
			}
		}()
		for n := 0; len(w.agenda) > 0 && len(w.violations) == 0; n++ {
			next := w.agenda.next()
			if next.at.Sub(began) > horizon || n%256 == 0 && ctx.Err() != nil {
				break
			}
			w.now = next.at
			next.do()
		}
		if len(w.violations) == 0 && ctx.Err() == nil {
			w.auditEnd()
		}
	}()
	return w.result(), ctx.Err()
}

func (w *world) result() simulation.Result {
	r := simulation.Result{Seed: w.seed, Orders: len(w.lives), Outcomes: map[string]int{}, Faults: w.faults, Trace: w.trace.hash(),
		Events: w.trace.events, Virtual: w.now.Sub(began), Violations: w.violations}
	for _, l := range w.lives {
		if o := l.order(); o != nil {
			r.Outcomes[outcome(o)]++
		}
	}
	return r
}

// outcome names how an order ended, and whether goods came back.
func outcome(o *order.Order) string {
	if o.ReturnAxis == "none" {
		return string(o.Status)
	}
	return string(o.Status) + ", return " + o.ReturnAxis
}

// fails notes a promise that did not hold.
func (w *world) fails(id, subject, detail string, args ...any) {
	w.violations = append(w.violations, simulation.Violation{ID: id, Subject: subject, Detail: fmt.Sprintf(detail, args...)})
}

// calmed reports whether nothing goes wrong any more.
func (w *world) calmed() bool { return w.now.Sub(began) >= troubled }

// fault reports whether something goes wrong: by the seed, in so many of a thousand cases, unless it is muted.
func (w *world) fault(permille int, subject string, attempt int, kind string) bool {
	if w.calmed() || !w.seed.Chance(permille, "fault", subject, attempt, kind) {
		return false
	}
	id := simulation.FaultID(subject, attempt, kind)
	if !w.scope.Fault(id) {
		return false
	}
	if !w.happened[id] {
		w.happened[id] = true
		w.faults = append(w.faults, id)
	}
	return true
}

// act is somebody acting now. Ids are made per order, so that an order has the same ones whoever else is played.
func (w *world) act(l *life, actor string) order.Act {
	act := order.Act{At: w.now, Actor: actor, Policy: house}
	if l != nil {
		act.NewID, act.Policy.Returns = l.newID, l.policy
	}
	return act
}

// event is something that is going to happen.
type event struct {
	at  time.Time
	tie uint64 // which of two at the same time comes first is the seed's to say
	nth uint64
	do  func()
}

// in lets something happen after a while.
func (w *world) in(after time.Duration, do func()) {
	w.pushed++
	at := w.now.Add(after).Truncate(time.Microsecond)
	w.agenda.add(event{at: at, tie: w.seed.Draw("tie", w.pushed), nth: w.pushed, do: do})
}

// agenda is a heap of events, the next one first. container/heap would make garbage of every one.
type agenda []event

func (e event) before(other event) bool {
	return cmp.Or(e.at.Compare(other.at), cmp.Compare(e.tie, other.tie), cmp.Compare(e.nth, other.nth)) < 0
}

func (a *agenda) add(e event) {
	*a = append(*a, e)
	h, i := *a, len(*a)-1
	for i > 0 && e.before(h[(i-1)/2]) {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = e
}

// next takes the first event.
func (a *agenda) next() event {
	h := *a
	first, last := h[0], h[len(h)-1]
	h[len(h)-1] = event{} // whatever it is to do can go
	h = h[:len(h)-1]
	*a = h
	if len(h) == 0 {
		return first
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(last) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = last
	return first
}
