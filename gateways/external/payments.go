package external

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/payment"
)

const (
	paid       = "paid:"
	authorized = "authorized:"
)

// textMax bounds a token and a reference, in bytes.
const textMax = 255

// Payments answers from the request alone: it keeps nothing, asks nobody, and the same request has the same
// answer for ever. It is safe for concurrent use.
//
// Because nothing is applied, there is nothing that could be applied twice, and it does not notice a key that
// comes back with another payload: whoever keeps the operations has to.
type Payments struct{}

// New makes the gateway.
func New() *Payments { return &Payments{} }

// Policy declares short limits: an answer takes no longer than a function call. Captures are refused whatever
// their number, so MultiCapture only says that no rest is ever released by one.
func (*Payments) Policy() payment.Policy {
	return payment.Policy{LocalAttempt: time.Second, RequestTimeout: 500 * time.Millisecond, MultiCapture: true}
}

// Perform answers req. Its only error is payment.ErrUnknown, when ctx has ended.
func (*Payments) Perform(ctx context.Context, req payment.Request) (payment.Answer, error) {
	if err := ctx.Err(); err != nil {
		return payment.Answer{}, fmt.Errorf("%w: external: %w", payment.ErrUnknown, err)
	}
	return answer(req), nil
}

// Find answers as Perform does, from the whole request and not only its key. That is right because asking
// applies nothing: an operation that never arrived and one that did leave the same world, and the answer
// that stands is the one that Perform gives.
func (p *Payments) Find(ctx context.Context, req payment.Request) (payment.Answer, error) {
	return p.Perform(ctx, req)
}

func answer(req payment.Request) payment.Answer {
	switch {
	case req.Key == "":
		return refused(req, "invalid_request", "the request has no key")
	case req.Amount < 0, req.Amount == 0 && req.Kind != payment.Void:
		return refused(req, "invalid_amount", "the amount is not a positive number of minor units")
	case req.Currency == "":
		return refused(req, "invalid_currency", "the request has no currency")
	}
	switch req.Kind {
	case payment.Authorize:
		return authorize(req)
	case payment.Capture:
		return refused(req, "capture_elsewhere", "the payment lives in another system and has to be captured there")
	case payment.Void:
		return void(req)
	case payment.Refund:
		return refused(req, "refund_elsewhere", "the payment lives in another system and has to be refunded there")
	}
	return refused(req, "invalid_request", "the request has an unknown kind")
}

func authorize(req payment.Request) payment.Answer {
	a := payment.Answer{Outcome: payment.Succeeded, Amount: req.Amount, Currency: req.Currency}
	if ref, ok := referenceIn(req.Token, paid); ok {
		a.Reference, a.Captured = ref, true
		return a
	}
	if _, ok := referenceIn(req.Token, authorized); ok {
		a.Reference = req.Token // with its prefix, so that a void knows what it is asked to let go
		return a
	}
	return refused(req, "invalid_token", "the token is neither paid:<ref> nor authorized:<ref>")
}

// void notes that a hold elsewhere is needed no longer. How much is held is not known here, so the amount is
// the one that was mentioned.
func void(req payment.Request) payment.Answer {
	if _, ok := referenceIn(req.Authorization, authorized); !ok {
		return refused(req, "nothing_to_void", "the payment is not one that is only held elsewhere")
	}
	return payment.Answer{Outcome: payment.Succeeded, Reference: req.Authorization, Amount: req.Amount,
		Currency: req.Currency, Detail: "noted; the hold is let go, or lapses, in the system that has it"}
}

// referenceIn takes the other system's reference out of a token. A reference that looks like a token itself
// would make a paid payment pass for a held one, so there is none.
func referenceIn(token, prefix string) (string, bool) {
	ref, ok := strings.CutPrefix(token, prefix)
	if !ok || len(token) > textMax || strings.TrimSpace(ref) != ref || ref == "" {
		return "", false
	}
	if strings.HasPrefix(ref, paid) || strings.HasPrefix(ref, authorized) {
		return "", false
	}
	return ref, true
}

func refused(req payment.Request, code, detail string) payment.Answer {
	return payment.Answer{Outcome: payment.Refused, Currency: req.Currency, Code: code, Detail: detail}
}
