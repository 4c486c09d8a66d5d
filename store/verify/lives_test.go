package verify_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

var seed = flag.Uint64("seed", 1, "of the random lives: go test -run TestRandomLives ./store/verify -seed 7 -lives 200")
var lives = flag.Int("lives", 10, "how many")

// Whatever legal calls do to an order, in whatever order they come, nothing is violated once time has caught up.
func TestRandomLives(t *testing.T) {
	db := open(t)
	w := newWorld(t, db)
	w.ago(25 * time.Hour)
	for _, location := range []string{"nyc", "lax"} {
		w.stock(location, "RANDOM", int64(4**lives))
	}
	stories := map[string]string{}
	for n := range *lives {
		w.ago(24 * time.Hour)
		l := &life{world: w, rand: rand.New(rand.NewPCG(*seed, uint64(n)))}
		l.live(n)
		stories[l.order.ID] = strings.Join(l.story, " · ")
	}
	db.exec(`UPDATE inbox SET heard_at = now()`) // nobody relays here
	t.Log(db.text(`SELECT string_agg(format('%s %s', orders, status), ', ') FROM (SELECT status, count(*) AS orders FROM orders WHERE external_id LIKE 'random-%' GROUP BY status) x`))
	for id, violations := range violated(db.verify()) {
		for _, v := range violations {
			for orderID, story := range stories {
				if strings.Contains(v.Subject+v.Detail, orderID) {
					t.Logf("%s", story)
				}
			}
			t.Errorf("%s %s: %s (seed %d)", id, v.Subject, v.Detail, *seed)
		}
	}
}

// life is one order's.
type life struct {
	*world
	rand  *rand.Rand
	order *order.Order
	story []string
}

// tokens make trouble after the order was accepted, where most can go wrong.
var tokens = []string{"tok_ok", "tok_ok", "tok_capture_refused_once", "tok_capture_refused", "tok_capture_wrong_amount", "tok_short_window",
	"tok_capture_timeout_after", "tok_declined", "tok_wrong_amount", "tok_action_required", "tok_timeout_before", "tok_refund_refused", "tok_void_timeout_after"}

func (l *life) oneOf(of ...string) string { return of[l.rand.IntN(len(of))] }

func (l *life) live(n int) {
	p := placement(fmt.Sprintf("random-%d", n))
	p.Lines = []order.PlacedLine{{ExternalID: "1", SKU: "RANDOM", Quantity: 1 + l.rand.Int64N(3), UnitPrice: l.rand.Int64N(1000), Tax: l.rand.Int64N(50)},
		{ExternalID: "2", SKU: "RANDOM", Quantity: 1 + l.rand.Int64N(3), UnitPrice: l.rand.Int64N(1000), Tax: l.rand.Int64N(50)}}
	p.Payment.Token = l.oneOf(tokens...)
	var err error
	p.Total, err = p.Sum()
	check(err)
	l.order = l.place(p)
	for range 70 {
		l.later(time.Duration(l.rand.IntN(300)) * time.Second)
		if l.rand.IntN(25) == 0 {
			l.later(time.Duration(l.rand.IntN(90)) * time.Minute)
		}
		l.overdue()
		if l.rand.IntN(2) == 0 {
			l.work()
		} else {
			l.command()
		}
	}
	if n%2 == 0 {
		l.finish()
	}
	l.ago(0) // time catches up
	l.catchUp()
}

// catchUp does what is due, until nothing is that a machine can do.
func (l *life) catchUp() {
	for range 40 {
		l.overdue()
		if len(l.order.Steps()) == 0 {
			return
		}
		l.work()
	}
}

// finish takes what is left of an order through the warehouse, as far as its money goes.
func (l *life) finish() {
	for _, f := range l.order.Fulfillments {
		for _, line := range f.Lines {
			l.try("pick", func(o *order.Order, act order.Act) error {
				return o.Pick(f.ID, []order.UnitsOf{{LineID: line.LineID, Quantity: line.Quantity}}, act)
			})
			left := []order.UnitsOf{{LineID: line.LineID, Quantity: line.Quantity - line.Packed}}
			l.try("pack", func(o *order.Order, act order.Act) error {
				return o.Pack(f.ID, []order.Parcel{{WeightGrams: 100, Lines: left}}, act)
			})
		}
		l.catchUp()
		l.try("ship", func(o *order.Order, act order.Act) error { return o.Ship(f.ID, act) })
		l.catchUp()
	}
	for _, s := range l.order.Shipments {
		l.try("delivered", func(o *order.Order, act order.Act) error {
			return o.Scanned(s.ID, shipping.Scan{Status: shipping.Delivered, OccurredAt: act.At}, act)
		})
	}
}

// try makes a decision that may be refused.
func (l *life) try(name string, decide func(*order.Order, order.Act) error) {
	act := l.act()
	changed, err := l.store.Change(l.ctx, l.order.ID, nil, act, func(o *order.Order) error { return decide(o, act) })
	if f := fault.As(err); err != nil && (f == nil || f.Kind == fault.Unavailable) {
		panic(fmt.Sprintf("%s: %v, after %s", name, err, strings.Join(l.story, " · ")))
	}
	if err == nil {
		l.order, l.story = changed, append(l.story, name)
	}
}

func (l *life) overdue() {
	if l.order.Deadline != nil && !l.clock.Before(*l.order.Deadline) {
		l.try("deadline", func(o *order.Order, act order.Act) error { o.DeadlinePassed(act); return nil })
	}
}

// work does one thing that is due, as a run would.
func (l *life) work() {
	due := l.order.Steps()
	if len(due) == 0 {
		return
	}
	step := due[l.rand.IntN(len(due))]
	l.story = append(l.story, step.Name)
	if step.Name == order.StepAllocate {
		l.order = l.allocate(l.order)
		return
	}
	op := *l.order.Operation(step.Key)
	if op.PaymentID == "" || !l.order.Settling(op) {
		l.order = l.send(l.order, op)
		return
	}
	answer, err := l.box.Payments().Find(l.ctx, l.order.PaymentRequest(op))
	l.try("find", func(o *order.Order, act order.Act) error {
		if errors.Is(err, payment.ErrNotFound) {
			o.NotFound(op.Key, act)
		} else if err == nil {
			o.PaymentAnswered(op.Key, answer, act)
		}
		return nil
	})
}

// command is what somebody asks for, or what a carrier says.
func (l *life) command() {
	what := l.oneOf("pick", "pick", "pack", "pack", "ship", "ship", "scan", "scan", "token", "token", "resume", "cancel")
	if what == "cancel" && l.rand.IntN(8) > 0 {
		return // or few would get far
	}
	l.try(what, func(o *order.Order, act order.Act) error {
		switch what {
		case "token":
			return o.NewToken("sandbox", l.oneOf(tokens...), act)
		case "resume":
			return o.Resume(act)
		case "cancel":
			return o.CancelWhole("changed my mind", act)
		}
		if len(o.Fulfillments) == 0 {
			return fault.NotFoundf("nothing to work on")
		}
		f := o.Fulfillments[l.rand.IntN(len(o.Fulfillments))]
		switch what {
		case "pick":
			return o.Pick(f.ID, units(f), act)
		case "pack":
			return o.Pack(f.ID, l.parcels(f), act)
		case "ship":
			return o.Ship(f.ID, act)
		}
		if len(o.Shipments) == 0 {
			return fault.NotFoundf("nothing to scan")
		}
		status := l.oneOf("in_transit", "delivered", "delivered", "delivered", "lost", "return_to_sender", "cancelled")
		return o.Scanned(o.Shipments[l.rand.IntN(len(o.Shipments))].ID, shipping.Scan{Status: shipping.Tracking(status), OccurredAt: act.At}, act)
	})
}

// parcels puts some of what is picked into one box for each line.
func (l *life) parcels(f order.Fulfillment) (parcels []order.Parcel) {
	for _, line := range f.Lines {
		if left := line.Picked - line.Packed; left > 0 {
			if l.rand.IntN(2) == 0 {
				left = 1
			}
			parcels = append(parcels, order.Parcel{WeightGrams: 100, Lines: []order.UnitsOf{{LineID: line.LineID, Quantity: left}}})
		}
	}
	return parcels
}
