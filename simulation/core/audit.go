package core

import (
	"slices"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// The rules say again, in code of their own and from what the books and the witnesses have, what must hold. They take
// nothing of the domain but the names of states; units are counted one by one.

// ended are the states in which an order has ended, and follows what each state may become.
var (
	ended   = map[order.Status]bool{"completed": true, "rejected": true, "cancelled": true, "expired": true}
	follows = map[order.Status][]order.Status{
		"":           {"received", "rejected"},
		"received":   {"received", "accepted", "rejected", "cancelled", "expired"},
		"accepted":   {"accepted", "processing", "cancelled", "expired"},
		"processing": {"processing", "completed", "cancelled", "expired"},
	}
)

// along is how far on its way a parcel is. What comes back to us may be given up as lost and turn up again.
var along = map[shipping.Tracking]int{"pending": 0, "picked_up": 1, "in_transit": 2, "delayed": 2, "out_for_delivery": 3, "ready_for_pickup": 3,
	"delivery_failed": 3, "cancelled": 4, "return_to_sender": 5, "lost": 5, "delivered": 6}

// audit is one order that is judged.
type audit struct {
	w     *world
	f     *folio
	o     *order.Order
	units []unit // of all lines: memory that the next audit has
	lines []counted
}

// counted says which of an order's units are a line's.
type counted struct {
	line       string
	first, end int
}

// unit is one unit of a line, and where the books have it.
type unit struct {
	worth, credited                          int64
	cancelled, served, boxed, gone, returned int // how often
	lost, graded, waived                     bool
}

func (a *audit) fails(id, subject, detail string, args ...any) {
	if subject != a.o.ID {
		detail = "order " + a.o.ID + ": " + detail
	}
	a.w.fails(id, subject, detail, args...)
}

// auditChange judges an order after every change of it.
func (l *life) auditChange(done written) {
	a := l.audit()
	a.moves(done.before)
	a.timeline(done.before, done.effects)
	a.count()
	a.goods()
	a.money()
	a.credits()
	a.returned()
	a.waits()
	a.held(done.before)
	a.queue(done.before)
	a.findings()
	for _, m := range done.effects.Movements {
		p := place{m.SKU, m.LocationID}
		if refused := l.w.books.levels[p].refusal(p); refused != nil {
			a.fails("V-S1", refused.detail, "%s", refused.constraint)
		}
	}
}

func (l *life) audit() *audit { return &audit{w: l.w, f: l.folio(), o: l.order()} }

// moves: V-O4, and what never changes.
func (a *audit) moves(before *order.Order) {
	from := order.Status("")
	if before != nil {
		from = before.Status
	}
	if from != a.o.Status && !slices.Contains(follows[from], a.o.Status) {
		a.fails("V-O4", a.o.ID, "it was %q and is %q", from, a.o.Status)
	}
	if before != nil && before.Version+1 != a.o.Version {
		a.fails("V-O4", a.o.ID, "version %d follows %d", a.o.Version, before.Version)
	}
	if before == nil {
		return
	}
	for i, s := range before.Shipments {
		if now := a.o.Shipments[i]; along[now.TrackingStatus] < along[s.TrackingStatus] && !slices.ContainsFunc(a.o.Returns, func(r order.Return) bool { return r.Origin == "carrier" }) {
			a.fails("parcel_moved_back", s.ID, "it was %s and is %s", s.TrackingStatus, now.TrackingStatus)
		}
	}
}

// timeline: V-O5, V-E2. An event says the status after it, and only takes legal steps.
func (a *audit) timeline(before *order.Order, e order.Effects) {
	events, n := a.f.events, len(a.f.events)
	if int64(n) != a.o.Sequence {
		a.fails("V-E2", a.o.ID, "%d events, and the order is at %d", n, a.o.Sequence)
	}
	if n == 0 || events[0].Type != order.EventReceived {
		a.fails("V-O4", a.o.ID, "its history does not begin with its receipt")
		return
	}
	if events[n-1].Status != a.o.Status {
		a.fails("V-O5", a.o.ID, "it is %s, and its last event says %s", a.o.Status, events[n-1].Status)
	}
	for i := n - len(e.Events); i < n; i++ {
		if i > 0 && events[i].Status != events[i-1].Status && !slices.Contains(follows[events[i-1].Status], events[i].Status) {
			a.fails("V-O4", a.o.ID, "event %d is of %s after %s", i+1, events[i].Status, events[i-1].Status)
		}
		if i > 0 && events[i].At.Before(events[i-1].At) || events[i].Actor == "" {
			a.fails("V-O4", a.o.ID, "event %d is before the one before it, or nobody's", i+1)
		}
	}
	if before != nil && len(e.Events) == 0 && before.Status != a.o.Status {
		a.fails("V-O5", a.o.ID, "it became %s, and no event tells", a.o.Status)
	}
}

// waits: V-O3, V-O7, V-M8. An order that is not over says what it waits for, and that is so.
func (a *audit) waits() {
	o, now := a.o, a.w.now
	asking, any := false, false
	for _, op := range o.Operations {
		if !open(op) {
			continue
		}
		any = true
		asking = asking || op.ReturnID == ""
		a.doubt(op)
	}
	if o.Settled && (asking || !ended[o.Status]) {
		a.fails("V-O3", o.ID, "it is %s and settled, and operations of it are open: %v", o.Status, any)
	}
	for _, h := range o.Holds {
		if h.ReleasedAt == nil && (ended[o.Status] || h.Deadline != nil && now.Sub(*h.Deadline) > 10*time.Minute) {
			a.fails("V-O7", h.ID, "the hold %s stands, of an order that is %s, deadline %v", h.Reason, o.Status, h.Deadline)
		}
	}
	if o.Settled || o.AttentionCode != "" {
		return
	}
	if !a.truly(o.WaitingFor, asking) {
		a.fails("V-O3", o.ID, "%s, and it does not wait for %q as it says", o.Status, o.WaitingFor)
	}
}

// truly reports whether there is what an order says that it waits for.
func (a *audit) truly(what order.WaitingFor, asking bool) bool {
	o := a.o
	held := func(unpaid bool) bool {
		return slices.ContainsFunc(o.Holds, func(h order.Hold) bool {
			return h.ReleasedAt == nil && (!unpaid || h.Reason == order.HoldAwaitingPayment)
		})
	}
	switch what {
	case order.WaitingGateway:
		return asking
	case order.WaitingPayment, order.WaitingCustomer:
		return held(true)
	case order.WaitingOperator:
		return held(false)
	case order.WaitingWarehouse:
		return slices.ContainsFunc(o.Fulfillments, func(f order.Fulfillment) bool { return f.Status == "open" || f.Status == "in_progress" })
	case order.WaitingCarrier:
		return slices.ContainsFunc(o.Shipments, func(s order.Shipment) bool { return s.HandedOverAt != nil && s.Status != "delivered" })
	case order.WaitingStock:
		return o.Status == "received" && len(o.Steps()) > 0 || slices.ContainsFunc(o.Lines, func(l order.Line) bool { return l.Backordered > 0 })
	case order.WaitingNothing: // ended, and something refused is asked for again at a time
		return ended[o.Status] && slices.ContainsFunc(o.Operations, func(op order.Operation) bool { return op.ReturnID == "" && op.RetryAt != nil })
	}
	return false
}

// doubt: V-M8. Whoever takes the call back is called again by the next try.
func (a *audit) doubt(op order.Operation) {
	if a.w.now.Sub(op.CreatedAt) < 15*time.Minute {
		return
	}
	code := a.o.AttentionCode
	if r := a.o.Return(op.ReturnID); r != nil {
		code = r.AttentionCode
	}
	recently := slices.ContainsFunc(a.f.events, func(e order.Event) bool {
		return (e.Type == order.EventAttentionCleared || e.Type == order.EventReturnAttentionCleared) && a.w.now.Sub(e.At) < 5*time.Minute
	})
	if code == "" && !recently {
		a.fails("V-M8", op.Key, "%s since %s, and nobody was called", op.State, op.CreatedAt.Format(time.RFC3339))
	}
}
