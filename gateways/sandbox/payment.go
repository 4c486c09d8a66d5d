package sandbox

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/waybill-oms/waybill/domain/payment"
)

// Payments is the sandbox's payment gateway. It is safe for concurrent use, also from several processes.
type Payments struct{ desk desk }

// Policy declares that several captures of one hold are allowed. The local attempt is shorter than the
// longest request, so that a slow answer is seen as a retried activity.
func (p *Payments) Policy() payment.Policy {
	return payment.Policy{LocalAttempt: time.Second, RequestTimeout: p.desk.options.RequestTimeout, MultiCapture: true}
}

// Perform applies req.Key at most once and answers. A request that cannot be read (no key, a kind that does
// not exist, a text over 255 bytes or not UTF-8) is refused as invalid_request and leaves no trace; every
// other terminal answer stands in the ledger. Errors: payment.ErrUnknown, ErrKeyInUse, ErrKeyReused and
// *payment.RateLimited.
func (p *Payments) Perform(ctx context.Context, req payment.Request) (payment.Answer, error) {
	if !paymentReadable(req) {
		return payment.Answer{Outcome: payment.Refused, Currency: req.Currency, Code: "invalid_request",
			Detail: "the request has no key, an unknown kind or a text that cannot be kept"}, nil
	}
	c := call{gateway: p.desk.gateway, key: req.Key, kind: string(req.Kind), fingerprint: paymentFingerprint(req)}
	return serve(ctx, p.desk, c, &paymentOperation{options: p.desk.options, now: p.desk.now(), req: req})
}

// Find gives the terminal answer under req.Key; the rest of req is not looked at. Errors: payment.ErrNotFound,
// ErrKeyInUse while the key is being worked on, ErrUnknown.
func (p *Payments) Find(ctx context.Context, req payment.Request) (payment.Answer, error) {
	return find(ctx, p.desk, req.Key, func(ctx context.Context, q sqlx.QueryerContext) (payment.Answer, error) {
		return readPayment(ctx, q, req.Key)
	})
}

func paymentReadable(req payment.Request) bool {
	switch req.Kind {
	case payment.Authorize, payment.Capture, payment.Void, payment.Refund:
	default:
		return false
	}
	return req.Key != "" && readable(req.Key, req.OrderID, req.Currency, req.Token, req.Authorization)
}

func paymentFingerprint(req payment.Request) string {
	return fingerprint(req.Kind, req.OrderID, req.Amount, req.Currency, req.Token, req.Authorization)
}

// paymentOperation is one request while it is being applied.
type paymentOperation struct {
	options Options
	now     time.Time
	req     payment.Request

	hold  hold // empty for an authorization, or when the reference is unknown
	token Token
	known bool
}

func (o *paymentOperation) stored(ctx context.Context, tx *sqlx.Tx) (payment.Answer, bool, error) {
	answer, err := readPayment(ctx, tx, o.req.Key)
	return orAbsent(answer, err)
}

// lock takes the hold. The script is the token's: the request's own, or the one that the hold was made with.
func (o *paymentOperation) lock(ctx context.Context, tx *sqlx.Tx) (fault, error) {
	name := o.req.Token
	if o.req.Kind != payment.Authorize {
		h, found, err := lockHold(ctx, tx, o.req.Authorization)
		if err != nil || !found {
			return none, err
		}
		o.hold, name = h, h.Token
	}
	o.token, o.known = tokenByName(name)
	if code, _ := invalid(o.req, o.hold); code != "" {
		return none, nil // refused before any test token is looked at
	}
	return o.token.on[o.req.Kind], nil
}

func (o *paymentOperation) apply(ctx context.Context, tx *sqlx.Tx) (payment.Answer, error) {
	s := scene{token: o.token, known: o.known, script: o.token.on[o.req.Kind], now: o.now,
		window: o.options.CaptureWindow, brief: o.options.ShortWindow}
	if s.script == refuseOnce {
		refused, err := refusedBefore(ctx, tx, o.req, s.token.code)
		if err != nil {
			return payment.Answer{}, err
		}
		s.refused = refused
	}
	answer, after := decide(o.req, o.hold, s)
	if err := writePayment(ctx, tx, o.req, answer, o.now); err != nil {
		return payment.Answer{}, err
	}
	switch {
	case answer.Outcome != payment.Succeeded:
		return answer, nil
	case o.req.Kind == payment.Authorize:
		return answer, insertHold(ctx, tx, after)
	default:
		return answer, updateHold(ctx, tx, after)
	}
}
