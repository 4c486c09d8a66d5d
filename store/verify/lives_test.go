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
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

var seed = flag.Uint64("seed", 1, "of the random lives: go test -run TestRandomLives ./store/verify -seed 7 -lives 200")
var lives = flag.Int("lives", 10, "how many")

// Whatever legal calls do to an order, in whatever order they come, nothing is violated once time has caught up.
func TestRandomLives(t *testing.T) {
	db := open(t)
	w := newWorld(t, db)
	w.ago(73 * time.Hour)
	for _, location := range []string{"nyc", "lax"} {
		w.stock(location, "RANDOM", int64(*lives))
	}
	stories := map[string]string{}
	for n := range *lives {
		w.ago(72 * time.Hour)
		l := &life{world: w, rand: rand.New(rand.NewPCG(*seed, uint64(n)))}
		l.live(n)
		stories[l.order.ID] = strings.Join(l.story, " · ")
	}
	w.grant()
	w.publish()
	// Nobody relays here, and nothing that is late is excused for having changed just now.
	db.exec(`UPDATE inbox SET heard_at = now();
		UPDATE orders SET updated_at = updated_at - interval '1 hour' WHERE external_id LIKE 'random-%';
		UPDATE returns SET updated_at = updated_at - interval '1 hour' WHERE order_id IN (SELECT id FROM orders WHERE external_id LIKE 'random-%');
		UPDATE stock_ledger SET at = at - interval '1 hour' WHERE sku = 'RANDOM'; UPDATE short_picks SET at = at - interval '1 hour' WHERE sku = 'RANDOM'`)
	t.Log(db.text(`SELECT string_agg(format('%s %s', orders, status), ', ') FROM (SELECT status, count(*) AS orders FROM orders WHERE external_id LIKE 'random-%' GROUP BY status) x`))
	t.Log(db.text(`SELECT format('%s short picks, %s units cancelled, %s backordered, %s refunds, returns: %s', (SELECT count(*) FROM short_picks p WHERE p.sku = 'RANDOM'),
		(SELECT sum(cancelled) FROM order_lines WHERE sku = 'RANDOM'), (SELECT sum(backordered) FROM order_lines WHERE sku = 'RANDOM'),
		(SELECT count(*) FROM refunds r JOIN orders o ON o.id = r.order_id WHERE o.external_id LIKE 'random-%'),
		(SELECT string_agg(returns || ' ' || status, ', ') FROM (SELECT r.status, count(*) AS returns FROM returns r JOIN orders o ON o.id = r.order_id WHERE o.external_id LIKE 'random-%' GROUP BY r.status) x))`))
	for id, violations := range violated(db.verify()) {
		for _, v := range violations {
			for orderID, story := range stories {
				if strings.Contains(v.Subject+v.Detail, orderID) || db.text(`SELECT coalesce((SELECT order_id FROM returns WHERE id = '`+v.Subject+`'), '')`) == orderID {
					t.Logf("%s: %s", orderID, story)
				}
			}
			t.Errorf("%s %s: %s (seed %d)", id, v.Subject, v.Detail, *seed)
		}
	}
}

// grant gives waiting orders what became available, as the relay does.
func (w *world) grant() {
	for {
		granted, err := w.store.GrantBackorders(w.ctx, w.act())
		check(err)
		if granted == 0 {
			return
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
	p.Payment.Token, p.OnShortage = l.oneOf(tokens...), l.oneOf(order.OnShortageReject, order.OnShortageBackorder, order.OnShortageBackorder, order.OnShortagePartial)
	calm := n%2 == 0 // gets far, so that something comes back
	if calm {
		p.Payment.Token = l.oneOf("tok_ok", "tok_ok", "tok_refund_refused", "tok_refund_timeout_after")
	}
	p.PricesIncludeTax, p.Priority = l.rand.IntN(4) == 0, l.rand.IntN(3)
	var err error
	p.Total, err = p.Sum()
	check(err)
	if l.rand.IntN(6) == 0 {
		p = elsewhere(p)
	}
	l.policy = l.promise()
	l.order = l.place(p)
	if calm {
		l.catchUp()
		l.finish()
		for range 60 {
			l.tick(l.comeBack)
		}
	} else {
		for range 70 {
			l.tick(l.command)
		}
		for range 20 {
			l.tick(l.comeBack)
		}
	}
	l.ago(0) // time catches up
	l.catchUp()
}

// promise is what an order is promised of returns.
func (l *life) promise() returns.Policy {
	p := returns.Default()
	p.Name, p.ExpiresAfterDays, p.RestockingPercent = "random", 1, 10*l.rand.Int64N(2)
	p.LabelFee, p.AutoApprove = map[string]int64{"USD": l.rand.Int64N(300)}, l.rand.IntN(3) == 0
	if l.rand.IntN(3) == 0 {
		p.ReturnlessUpTo = map[string]int64{"USD": 400}
	}
	return p
}

// tick lets some time pass, and then a machine or somebody else do something.
func (l *life) tick(something func()) {
	l.later(time.Duration(l.rand.IntN(300)) * time.Second)
	if l.rand.IntN(25) == 0 {
		l.later(time.Duration(l.rand.IntN(90)) * time.Minute)
	}
	l.order = l.reload(l.order)
	l.overdue()
	if l.rand.IntN(2) == 0 {
		l.work()
	} else {
		something()
	}
}

// catchUp does what is due, until nothing is that a machine can do.
func (l *life) catchUp() {
	for range 60 {
		l.overdue()
		if len(l.due()) == 0 {
			return
		}
		l.work()
	}
}

// due lists the steps of the order's run, and of those of its returns.
func (l *life) due() []order.Step {
	steps := l.order.Steps()
	for _, r := range l.order.Returns {
		steps = append(steps, l.order.ReturnFacts(r.ID).Steps...)
	}
	return steps
}

// finish takes what is left of an order through the warehouse, as far as its money goes.
func (l *life) finish() {
	for i := 0; i < len(l.order.Fulfillments); i++ { // what was not found may open another
		f := l.order.Fulfillments[i]
		if rest := picked(f); len(rest) > 0 {
			l.try("pick", func(o *order.Order, act order.Act) error { return o.Pick(f.ID, rest, act) })
		}
		l.try("pack", func(o *order.Order, act order.Act) error {
			return o.Pack(f.ID, []order.Parcel{{WeightGrams: 100, Lines: units(*o.Fulfillment(f.ID))}}, act)
		})
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
	for _, r := range l.order.Returns {
		if r.Deadline != nil && !l.clock.Before(*r.Deadline) {
			l.try("return deadline", func(o *order.Order, act order.Act) error { o.ReturnDeadlinePassed(r.ID, act); return nil })
		}
	}
}

// work does one thing that is due, as a run would.
func (l *life) work() {
	due := l.due()
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
	what := l.oneOf("pick", "pick", "pack", "pack", "ship", "ship", "scan", "scan", "token", "token", "resume", "cancel", "cancel units", "hold", "release", "release",
		"receipt")
	switch {
	case what == "cancel" && l.rand.IntN(8) > 0, what == "cancel units" && l.rand.IntN(2) > 0: // or few would get far
	case what == "receipt" && l.rand.IntN(3) > 0:
	case what == "receipt":
		l.stock(l.oneOf("nyc", "lax"), "RANDOM", 1+l.rand.Int64N(3))
		l.order, l.story = l.reload(l.order), append(l.story, what)
	default:
		l.try(what, func(o *order.Order, act order.Act) error { return l.decide(what, o, act) })
	}
}

func (l *life) decide(what string, o *order.Order, act order.Act) error {
	line := o.Lines[l.rand.IntN(len(o.Lines))]
	switch what {
	case "token":
		return o.NewToken("sandbox", l.oneOf(tokens...), act)
	case "resume":
		return o.Resume(act)
	case "cancel":
		return o.CancelWhole("changed my mind", act)
	case "cancel units":
		return o.CancelUnits([]order.UnitsOf{{LineID: line.ID, Quantity: 1 + l.rand.Int64N(2)}}, "one too many", act)
	case "release":
		if len(o.Holds) == 0 {
			return fault.NotFoundf("nothing to release")
		}
		h := o.Holds[l.rand.IntN(len(o.Holds))]
		return o.ReleaseHold(h.FulfillmentID, h.ID, act)
	case "hold":
		return l.placeHold(o, act)
	}
	if len(o.Fulfillments) == 0 {
		return fault.NotFoundf("nothing to work on")
	}
	f := o.Fulfillments[l.rand.IntN(len(o.Fulfillments))]
	switch what {
	case "pick":
		return o.Pick(f.ID, l.found(f), act)
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
}

// found is what a picker brings, who sometimes brings less than he was asked for.
func (l *life) found(f order.Fulfillment) []order.PickedUnits {
	taken := picked(f)
	for i := range taken {
		if l.rand.IntN(4) == 0 {
			taken[i].Quantity, taken[i].Reason = l.rand.Int64N(taken[i].Quantity), l.oneOf(order.ShortReasons()...)
		}
	}
	return taken
}

func (l *life) placeHold(o *order.Order, act order.Act) error {
	fulfillmentID := ""
	if n := len(o.Fulfillments); n > 0 && l.rand.IntN(2) == 0 {
		fulfillmentID = o.Fulfillments[l.rand.IntN(n)].ID
	}
	r := order.HoldRequest{Reason: "fraud", Detail: "looks odd"}
	if l.rand.IntN(2) == 0 {
		at := act.At.Add(time.Duration(1+l.rand.IntN(180)) * time.Minute)
		r.Deadline, r.OnDeadline = &at, l.oneOf("", order.OnDeadlineRelease, order.OnDeadlineCancel, order.OnDeadlineAttention)
	}
	if l.rand.IntN(2) == 0 {
		r.Blocks = []string{l.oneOf(order.BlockCapture, order.BlockRelease, order.BlockShip)}
	}
	return o.PlaceHold(fulfillmentID, r, act)
}

// comeBack is what happens to returns, mostly.
func (l *life) comeBack() {
	if l.rand.IntN(4) == 0 {
		l.command()
		return
	}
	if l.rand.IntN(12) == 0 {
		l.later(time.Duration(l.rand.IntN(14)) * time.Hour)
	}
	what := l.oneOf("return", "return", "approve", "approve", "approve", "decline", "call off", "receive", "receive", "receive", "inspect", "inspect", "inspect",
		"resume return", "scan return")
	l.try(what, func(o *order.Order, act order.Act) error { return l.handle(what, o, act) })
}

func (l *life) handle(what string, o *order.Order, act order.Act) error {
	line := o.Lines[l.rand.IntN(len(o.Lines))]
	if what == "return" {
		_, err := o.RequestReturn(order.ReturnRequest{Lines: []order.ReturnedUnits{{LineID: line.ID, Quantity: 1 + l.rand.Int64N(2),
			Reason: returns.Reasons()[l.rand.IntN(len(returns.Reasons()))]}}}, act)
		return err
	}
	if len(o.Returns) == 0 {
		return fault.NotFoundf("nothing comes back")
	}
	r := o.Returns[l.rand.IntN(len(o.Returns))]
	some := []order.UnitsOf{{LineID: r.Lines[0].LineID, Quantity: 1 + l.rand.Int64N(2)}}
	switch what {
	case "approve":
		return o.ApproveReturn(r.ID, l.rand.IntN(6) == 0, act)
	case "decline":
		return o.DeclineReturn(r.ID, "worn", act)
	case "call off":
		return o.CancelReturn(r.ID, "keeps it", act)
	case "resume return":
		return o.ResumeReturn(r.ID, act)
	case "scan return":
		return o.ReturnScanned(r.ID, shipping.Scan{Status: shipping.Tracking(l.oneOf("in_transit", "delivered", "lost")), OccurredAt: act.At}, act)
	case "receive":
		items := order.ReceivedItems{Lines: some}
		if l.rand.IntN(6) == 0 {
			items.Unexpected = []order.SKUUnits{{SKU: "SOCK", Quantity: 1}}
		}
		if l.rand.IntN(6) == 0 {
			items.LocationID = l.oneOf("nyc", "lax")
		}
		return o.ReceiveReturn(r.ID, items, act)
	}
	grade := returns.Grades()[l.rand.IntN(len(returns.Grades()))]
	return o.InspectReturn(r.ID, []order.InspectedUnits{{LineID: some[0].LineID, Quantity: some[0].Quantity, Grade: grade, NoRefund: l.rand.IntN(8) == 0}}, act)
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
