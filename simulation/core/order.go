package core

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
)

// life is one order and what everybody around it has in mind for it.
type life struct {
	w       *world
	n       int
	id      string
	placed  order.Placement
	policy  returns.Policy
	ids     int
	counts  map[drawn]int   // how often something was drawn or tried
	pending map[string]bool // who is on his way, by name
	run     *run            // the order's
	returns map[string]*run // by return
}

func newLife(w *world, n int) *life {
	l := &life{w: w, n: n, id: fmt.Sprintf("ord_%03d", n), counts: map[drawn]int{}, pending: map[string]bool{}, returns: map[string]*run{}}
	l.run = newRun(l, "")
	l.policy = l.returnPolicy()
	l.placed = l.placement()
	return l
}

func (l *life) folio() *folio { return l.w.books.byID[l.id] }

// order is the order as it is stored, or nil before it was placed.
func (l *life) order() *order.Order {
	if f := l.folio(); f != nil {
		return f.order
	}
	return nil
}

func (l *life) newID(prefix string) string {
	l.ids++
	return fmt.Sprintf("%s_%03d-%04d", prefix, l.n, l.ids)
}

// drawn is what was drawn or tried: a fault of a subject, or something else by its name alone.
type drawn struct{ what, kind string }

// nth counts how often something of this order was asked: 1 for the first time.
func (l *life) nth(name string) int { return l.count(drawn{what: name}) }

func (l *life) count(what drawn) int {
	n := l.counts[what] + 1
	l.counts[what] = n
	return n
}

// below, one of so many, chance and between are draws of this order alone: who else is played changes none.
func (l *life) below(n int, what string) int { return l.w.seed.Below(n, l.n, what, l.nth(what)) }

func (l *life) chance(permille int, what string) bool { return l.below(1000, what) < permille }

func (l *life) between(least, most time.Duration, what string) time.Duration {
	return least + time.Duration(l.below(int((most-least)/time.Millisecond)+1, what))*time.Millisecond
}

func oneOf[T any](l *life, what string, of ...T) T { return of[l.below(len(of), what)] }

// fault reports whether something goes wrong with this order now.
func (l *life) fault(permille int, subject, kind string) bool {
	if l.w.calmed() { // nobody has to count any more
		return false
	}
	return l.w.fault(permille, subject, l.count(drawn{subject, kind}), kind)
}

// soon lets somebody come after a while, unless he is on his way already.
func (l *life) soon(who string, after time.Duration, do func()) {
	if l.pending[who] {
		return
	}
	l.pending[who] = true
	l.w.in(after, func() {
		delete(l.pending, who)
		do()
	})
}

func (l *life) tell(what, outcome string) { l.w.trace.add(l.w.now, l.id, what, outcome) }

// change runs a decision on the order and lets everybody see what it left. Via is the run that asked for it, which
// hears of its outcome; other runs hear only of what the decision notes for them. Key is the command's.
func (l *life) change(actor, what, key string, via *run, decide func(*order.Order, order.Act) error) error {
	w, act := l.w, l.w.act(l, actor)
	done, err := w.books.change(l.folio(), key, act, func(o *order.Order) error { return decide(o, act) })
	switch {
	case err != nil:
		if fault.As(err) == nil {
			w.fails("untyped_error", l.id, "%s: %v", what, err)
			return err
		}
		l.tell(what, fault.As(err).Code)
		return err
	case done.refused != nil:
		w.fails(done.refused.constraint, done.refused.detail, "%s of %s was refused by the books", what, l.id)
		return nil
	}
	l.follow(what, via, done)
	return nil
}

// follow lets everybody see what a decision left.
func (l *life) follow(what string, via *run, done written) {
	o := l.order()
	if !done.changed {
		l.tell(what, "no change")
	} else {
		l.tell(what, l.summary(o, done.effects))
		l.auditChange(done)
	}
	if done.effects.Wake {
		l.hears("")
	}
	for _, id := range done.effects.WakeReturns {
		l.hears(id)
	}
	if via != nil {
		via.learn()
	}
	came := slices.ContainsFunc(done.effects.Movements, func(m movement) bool { return m.OnHand-m.Committed-m.Unavailable > 0 })
	if waits := o.Grantable && (done.before == nil || !done.before.Grantable); came || waits {
		l.w.grantSoon()
	}
	if done.changed {
		l.react()
	}
}

// hears tells a run that the facts changed without its doing: the relay carries that, perhaps late.
func (l *life) hears(returnID string) {
	after := l.between(100*time.Millisecond, 3*time.Second, "relay")
	if l.fault(15, l.id, "late_news") {
		after += 4 * time.Minute
	}
	l.w.in(after, func() { l.runOf(returnID).learn() })
}

// runOf is the run of the order, or of a return of it.
func (l *life) runOf(returnID string) *run {
	if returnID == "" {
		return l.run
	}
	if l.returns[returnID] == nil {
		l.returns[returnID] = newRun(l, returnID)
	}
	return l.returns[returnID]
}

// react lets everybody look at the order who may have to do something.
func (l *life) react() {
	o := l.order()
	l.warehouse(o)
	l.track(o)
	l.customer(o)
	l.desk(o)
	l.operator(o)
}

// summary is what the trace says of a change: everything of it that matters.
func (l *life) summary(o *order.Order, e order.Effects) string {
	text := l.w.text[:0]
	text = append(text, 'v')
	text = strconv.AppendInt(text, o.Version, 10)
	text = append(append(text, ' '), o.Status...)
	text = append(append(text, '/'), o.PaymentAxis...)
	text = append(append(text, '/'), o.FulfillmentAxis...)
	text = append(append(text, '/'), o.ReturnAxis...)
	text = append(append(text, " waits \""...), o.WaitingFor...)
	text = append(append(text, "\" "...), o.AttentionCode...)
	for _, event := range e.Events {
		text = append(append(text, ' '), event.Type...)
		if event.Amount != nil {
			text = append(strconv.AppendInt(append(text, '('), *event.Amount, 10), ')')
		}
	}
	for _, m := range e.Movements {
		text = append(append(append(text, ' '), m.Kind...), '(')
		text = append(strconv.AppendInt(text, m.Quantity, 10), ' ')
		text = append(append(append(append(text, m.SKU...), ' '), m.LocationID...), ')')
	}
	for _, m := range e.Entries {
		text = append(append(text, ' '), m.Account...)
		if m.Amount >= 0 {
			text = append(text, '+')
		}
		text = strconv.AppendInt(text, m.Amount, 10)
	}
	l.w.text = text
	return string(text)
}

// kept is what the order's payments took and did not give back, nor are to.
func kept(o *order.Order) int64 {
	var sum int64
	for _, p := range o.Payments {
		sum += p.Captured - p.Refunding - p.Refunded
	}
	return sum
}

// open reports whether an operation was not answered yet.
func open(op order.Operation) bool {
	return op.State == payment.Pending || op.State == payment.Unsettled
}
