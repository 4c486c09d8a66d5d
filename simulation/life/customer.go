package life

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
)

// life is an order and everybody who deals with it: the one who ordered, the warehouse, the carrier, the operators.
type life struct {
	*world
	n       int
	orderID string
	step    int // decisions that were made so far
	keys    int // commands that were sent so far
	coming  int // what is still to come by itself: scans, second thoughts
	carried map[string]bool
	asked   int // returns that the customer asked for
}

// deed is something that somebody might do now.
type deed struct {
	who, what string
	do        func(ctx workflow.Context) error
}

// live goes on until the order and its returns have ended, and nothing more is to come.
func (l *life) live(ctx workflow.Context) {
	_ = workflow.Sleep(ctx, l.between(time.Minute, 12*24*time.Hour, "arrives", l.n))
	l.carried = map[string]bool{}
	l.place(ctx)
	l.interfere(ctx)
	for until := l.now().Add(patience); l.now().Before(until); l.step++ {
		o := l.look(l.orderID)
		l.carry(ctx, o)
		if l.over(o) {
			return
		}
		pause := l.between(6*time.Hour, 60*time.Hour, "pause", l.n, l.step)
		if deeds := l.deeds(o); len(deeds) > 0 {
			d := deeds[l.seed.Below(len(deeds), "deed", l.n, l.step)]
			l.tell(d.who, d.what, outcomeOf(d.do(ctx)))
			pause = l.between(5*time.Minute, 14*time.Hour, "pause", l.n, l.step)
		}
		_ = workflow.Sleep(ctx, pause)
	}
}

// over reports whether nothing is left, and nobody wants anything more.
func (l *life) over(o *order.Order) bool {
	if !o.Settled || l.coming > 0 || len(l.wishes(o)) > 0 {
		return false
	}
	return !slices.ContainsFunc(o.Returns, func(r order.Return) bool { return !r.Settled || l.turnsUpLate(&r) })
}

// deeds lists what could be done now.
func (l *life) deeds(o *order.Order) []deed {
	deeds := append(l.payments(o), l.wishes(o)...)
	deeds = append(deeds, l.warehouse(o)...)
	deeds = append(deeds, l.operator(o)...)
	for i := range o.Returns {
		deeds = append(deeds, l.returnDeeds(o, &o.Returns[i])...)
	}
	return deeds
}

// soon lets something happen by itself, later.
func (l *life) soon(ctx workflow.Context, after time.Duration, do func(ctx workflow.Context)) {
	l.coming++
	l.spawn(ctx, func(ctx workflow.Context) {
		defer func() { l.coming-- }()
		_ = workflow.Sleep(ctx, after)
		do(ctx)
	})
}

// tokens are what customers pay with; most of them work.
var tokens = []string{"tok_ok", "tok_ok", "tok_ok", "tok_ok", "tok_ok", "tok_ok", "tok_declined", "tok_action_required",
	"tok_short_window", "tok_capture_refused", "tok_capture_refused_once", "tok_refund_refused", "tok_wrong_amount", "tok_capture_wrong_amount"}

func (l *life) token(name string, n int) string {
	return tokens[l.seed.Below(len(tokens), "token", name, l.n, n)]
}

// postalCodes are where parcels go: to two of them no label is sold, or none is taken back.
var postalCodes = []string{"94107", "94107", "94107", "94107", "94107", "94107", "00001", "00011"}

// placement is the order.
func (l *life) placement() order.Placement {
	s, n := l.seed, l.n
	p := order.Placement{ExternalID: fmt.Sprint(1000 + n), Channel: "web", Currency: "USD",
		Customer: order.Customer{ID: fmt.Sprint("c-", n), Name: "Ada", Email: "ada@example.com"},
		ShipTo: shipping.Address{Name: "Ada", Line1: "1 Main St", City: "San Francisco", Region: "CA", Country: "US",
			PostalCode: postalCodes[s.Below(len(postalCodes), "postal code", n)]},
		Shipping: order.PlacedShipping{Service: "standard", Amount: int64(s.Below(3, "shipping", n) * 495)},
		Payment:  order.PlacedPayment{Gateway: gatewayName, Token: l.token("first", 0)},
		OnShortage: []string{order.OnShortageReject, order.OnShortageBackorder, order.OnShortageBackorder,
			order.OnShortagePartial}[s.Below(4, "shortage", n)],
		Priority: s.Below(3, "priority", n)}
	for i := range 1 + s.Below(3, "lines", n) {
		quantity := int64(1 + s.Below(4, "quantity", n, i))
		line := order.PlacedLine{SKU: skus[s.Below(len(skus), "sku", n, i)], Quantity: quantity,
			UnitPrice: int64(1 + s.Below(4000, "price", n, i)), FinalSale: s.Chance(100, "final sale", n, i)}
		line.Discount = int64(s.Below(int(line.UnitPrice), "discount", n, i)) * int64(s.Below(2, "discounted", n, i))
		line.Tax = (line.UnitPrice*quantity - line.Discount) / 11
		p.Lines = append(p.Lines, line)
	}
	if s.Chance(300, "promise", n) {
		by := l.now().Add(l.between(24*time.Hour, 20*24*time.Hour, "promise", n))
		p.PromisedAt = &by
	}
	p.Discount = int64(s.Below(2, "order discount", n))
	p.Total, _ = p.Sum()
	return p.Normalize()
}

// place stores the order and asks for its decision, as the API does.
func (l *life) place(ctx workflow.Context) {
	p, act := l.placement(), l.act("api", scopeOf(l.orderID))
	if err := p.Validate(gatewayName); err != nil {
		panic(err)
	}
	o, _, err := l.store.Place(l.ctx, p, l.orderID, "place-"+l.orderID, act)
	if err != nil {
		panic(err)
	}
	l.dirty = true
	l.tell("customer "+l.orderID, "place with "+p.Payment.Token, string(o.Status))
	if o.Settled || l.faulty(l.wild/3, l.orderID, 1, "api_died") { // between the commit and the start of the run
		l.orphans = true
		return
	}
	r := l.begin(workflows.WorkflowID(o.ID), order.ReturnRef{OrderID: o.ID})
	_ = workflow.Await(ctx, func() bool { return r.started })
	l.tell("customer "+l.orderID, "place", outcomeOf(l.update(ctx, r, workflows.UpdatePlace, updateID(r, "place/"+o.ID))))
}

// payments are what the customer may do about his payment.
func (l *life) payments(o *order.Order) []deed {
	awaited := false
	for _, h := range o.Holds {
		awaited = awaited || h.Active() && h.Reason == order.HoldAwaitingPayment
	}
	if !awaited || l.seed.Chance(250, "never pays", l.n, len(o.Payments)) {
		return nil
	}
	return []deed{l.pay(o)}
}

func (l *life) pay(o *order.Order) deed {
	token := l.token("next", len(o.Payments))
	if len(o.Payments) > 3 {
		token = "tok_ok"
	}
	return deed{"customer " + l.orderID, "pay with " + token, func(ctx workflow.Context) error {
		return l.send(ctx, "customer", command{name: workflows.UpdatePayment, build: func(c activities.Caller) any {
			return activities.PaymentCommand{Caller: c, Gateway: gatewayName, Token: token}
		}})
	}}
}

// returnsMax is how many returns a customer asks for, at most.
const returnsMax = 2

// wishes are what the customer wants back.
func (l *life) wishes(o *order.Order) []deed {
	if l.asked >= returnsMax || !l.seed.Chance(450, "sends back", l.n, l.asked) {
		return nil
	}
	var units []order.ReturnedUnits
	for i, line := range o.Lines {
		free := line.Delivered - line.ReturnRequested
		if free <= 0 || line.FinalSale || !l.seed.Chance(700, "sends back line", l.n, l.asked, i) {
			continue
		}
		reasons := returns.Reasons()
		units = append(units, order.ReturnedUnits{LineID: line.ID, Quantity: 1 + int64(l.seed.Below(int(free), "sends back units", l.n, l.asked, i)),
			Reason: reasons[l.seed.Below(len(reasons), "reason", l.n, l.asked, i)]})
	}
	if len(units) == 0 {
		return nil
	}
	return []deed{{"customer " + l.orderID, "ask for a return", func(workflow.Context) error { return l.askForReturn(units) }}}
}

// askForReturn writes a return down as the API does. Its run is started by whoever comes first.
func (l *life) askForReturn(units []order.ReturnedUnits) error {
	l.asked++
	act := l.act("customer", scopeOf(l.orderID))
	var returnID string
	o, err := l.change("request_return", act, func(o *order.Order) error {
		r, err := o.RequestReturn(order.ReturnRequest{Lines: units}, act)
		if err == nil {
			returnID = r.ID
		}
		return err
	})
	if err == nil && !l.faulty(l.wild, returnID, 1, "api_died") {
		_ = l.EnsureReturn(l.ctx, o, returnID)
	}
	return err
}

// change writes something down that needs no run, under a key of its own.
func (l *life) change(name string, act order.Act, decide func(*order.Order) error) (*order.Order, error) {
	key := l.key(name)
	o, err := l.store.Change(l.ctx, l.orderID, &store.Command{Key: key, Name: name, Subject: l.orderID, Fingerprint: key}, act, decide)
	l.dirty = true
	return o, err
}
