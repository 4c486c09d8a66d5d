package core

import (
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

// gateway is where the money is. It applies each key once, however often it is asked, and keeps a ledger of its own:
// the witness.
type gateway struct {
	w       *world
	answers map[string]payment.Answer // by key
	ledger  []booking
	holds   map[string]*authorization // by its reference
	// forgetful makes it apply a key again when it is asked again, for a test of the rules.
	forgetful bool
}

// booking is one operation as the gateway wrote it down.
type booking struct {
	request payment.Request
	answer  payment.Answer
}

// authorization is money that the gateway holds, or held.
type authorization struct {
	reference, orderID                     string
	authorized, captured, voided, refunded int64
	until                                  time.Time
}

func (h *authorization) rest() int64 { return h.authorized - h.captured - h.voided }

func (h *authorization) lapsed(now time.Time) bool { return !h.until.IsZero() && !now.Before(h.until) }

func newGateway(w *world) *gateway {
	return &gateway{w: w, answers: map[string]payment.Answer{}, holds: map[string]*authorization{}}
}

// ask looks an operation up that was sent before or that nobody sends any more, and else performs it, as
// activities/payment.go does.
func (g *gateway) ask(l *life, at string, r payment.Request, settling, sent bool) (answer, error) {
	if settling || sent {
		if a, ok := g.answers[r.Key]; ok {
			return g.recorded(r.Key, a), nil
		}
		if settling {
			return nil, payment.ErrNotFound
		}
	}
	return g.recorded(r.Key, g.apply(l, at, r)), nil
}

func (g *gateway) recorded(key string, a payment.Answer) answer {
	return func(o *order.Order, act order.Act) { o.PaymentAnswered(key, a, act) }
}

// apply does an operation once.
func (g *gateway) apply(l *life, at string, r payment.Request) payment.Answer {
	if a, ok := g.answers[r.Key]; ok && !g.forgetful {
		return a
	}
	a := payment.Answer{Outcome: payment.Succeeded, Reference: "gw/" + r.Key, Amount: r.Amount, Currency: r.Currency}
	switch r.Kind {
	case payment.Authorize:
		a = g.authorize(l, at, r, a)
	case payment.Capture:
		a = g.capture(l, r, a)
	case payment.Void:
		a = g.void(l, r, a)
	case payment.Refund:
		a = g.refund(l, r, a)
	}
	g.answers[r.Key] = a
	g.ledger = append(g.ledger, booking{r, a})
	g.w.trace.add(g.w.now, "gateway", r.Key, string(a.Outcome)+" "+a.Code)
	return a
}

func refused(a payment.Answer, code string) payment.Answer {
	a.Outcome, a.Code, a.Amount = payment.Refused, code, 0
	return a
}

func (g *gateway) authorize(l *life, at string, r payment.Request, a payment.Answer) payment.Answer {
	switch {
	case l.fault(90, r.Key, "declined"):
		return refused(a, "card_declined")
	case l.fault(40, r.Key, "action_required"):
		a.Outcome, a.Amount, a.NextURL = payment.ActionRequired, 0, "https://bank.example"
		return a
	case r.Amount > 1 && l.fault(15, r.Key, "wrong_amount"):
		a.Amount--
	}
	h := &authorization{reference: a.Reference, orderID: r.OrderID, authorized: a.Amount}
	if a.Captured = at == "external"; a.Captured {
		h.captured = a.Amount
	} else if window := 7 * day; !l.fault(30, r.Key, "no_window") {
		if l.fault(60, r.Key, "short_window") {
			window = 9 * time.Hour
		}
		h.until = g.w.now.Add(window)
		a.CaptureBefore = h.until
	}
	g.holds[a.Reference] = h
	return a
}

func (g *gateway) capture(l *life, r payment.Request, a payment.Answer) payment.Answer {
	h := g.holds[r.Authorization]
	switch {
	case h == nil:
		g.w.fails("V-M6", r.Key, "a capture of what the gateway never held")
		return refused(a, "unknown_authorization")
	case h.voided > 0:
		return refused(a, "authorization_voided")
	case h.lapsed(g.w.now):
		return refused(a, "authorization_expired")
	case r.Amount > h.rest():
		g.w.fails("V-M1", r.Key, "%d asked for, where %d of the hold are left", r.Amount, h.rest())
		return refused(a, "amount_too_large")
	case l.fault(50, r.Key, "capture_refused"):
		return refused(a, "capture_refused")
	case r.Amount > 1 && l.fault(10, r.Key, "wrong_amount"):
		a.Amount--
	}
	h.captured += a.Amount
	return a
}

// void lets go of the whole rest.
func (g *gateway) void(l *life, r payment.Request, a payment.Answer) payment.Answer {
	h := g.holds[r.Authorization]
	switch {
	case h.rest() == 0, h.voided > 0, h.lapsed(g.w.now):
		return refused(a, "nothing_to_void")
	case l.fault(60, r.Key, "void_refused"):
		return refused(a, "void_refused")
	}
	a.Amount = h.rest()
	h.voided += a.Amount
	return a
}

func (g *gateway) refund(l *life, r payment.Request, a payment.Answer) payment.Answer {
	h := g.holds[r.Authorization]
	switch {
	case r.Amount > h.captured-h.refunded:
		g.w.fails("V-M2", r.Key, "%d asked back, where %d were taken and not given back", r.Amount, h.captured-h.refunded)
		return refused(a, "amount_too_large")
	case l.fault(90, r.Key, "refund_refused"):
		return refused(a, "refund_refused")
	}
	h.refunded += a.Amount
	return a
}
