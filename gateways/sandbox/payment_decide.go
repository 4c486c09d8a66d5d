package sandbox

import (
	"time"

	"github.com/waybill-oms/waybill/domain/payment"
)

// hold is the state of one authorization. Amounts are minor units of Currency.
type hold struct {
	Reference     string    `db:"reference"`
	Key           string    `db:"key"`
	OrderID       string    `db:"order_id"`
	Token         string    `db:"token"`
	Currency      string    `db:"currency"`
	Authorized    int64     `db:"authorized"`
	Captured      int64     `db:"captured"`
	Voided        int64     `db:"voided"`
	Refunded      int64     `db:"refunded"`
	CaptureBefore time.Time `db:"capture_before"`
	CreatedAt     time.Time `db:"created_at"`
}

// rest is what can still be captured or voided.
func (h hold) rest() int64 { return h.Authorized - h.Captured - h.Voided }

// exists tells a hold from the empty one that stands for an unknown reference.
func (h hold) exists() bool { return h.Reference != "" }

// scene is everything that a decision depends on beside the request and the hold.
type scene struct {
	token   Token
	known   bool // token is one of Tokens
	script  fault
	refused bool // the token's refusal was already given to an operation of this kind on the hold
	now     time.Time
	window  time.Duration // how long a new hold lasts
	brief   time.Duration // the same under the fault brief
}

// decide answers a request and gives the hold as it is afterwards. It writes nothing and knows no clock. The
// database holds the same limits as constraints, so a wrong decision ends as an error, never as money.
func decide(req payment.Request, h hold, s scene) (payment.Answer, hold) {
	answer := payment.Answer{Outcome: payment.Succeeded, Reference: referenceOf(req), Currency: req.Currency}
	if code, detail := invalid(req, h); code != "" {
		return refuseWith(answer, code, detail), h
	}
	switch req.Kind {
	case payment.Authorize:
		return decideAuthorize(req, s, answer)
	case payment.Capture:
		return decideCapture(req, h, s, answer)
	case payment.Void:
		return decideVoid(h, s, answer)
	default:
		return decideRefund(req, h, s, answer)
	}
}

// invalid says what is wrong with a request whatever the hold's amounts are, or nothing.
func invalid(req payment.Request, h hold) (code, detail string) {
	switch {
	case req.Amount < 0, req.Amount == 0 && req.Kind != payment.Void: // a void lets go of all there is
		return "invalid_amount", "the amount is not a positive number of minor units"
	case !currencyLike(req.Currency):
		return "invalid_currency", "the currency is not a code of three capital letters"
	case req.Kind == payment.Authorize:
		return "", ""
	case !h.exists():
		return "unknown_authorization", "there is no such authorization"
	case req.Currency != h.Currency:
		return "currency_mismatch", "the authorization is in another currency"
	}
	return "", ""
}

func decideAuthorize(req payment.Request, s scene, answer payment.Answer) (payment.Answer, hold) {
	switch {
	case !s.known:
		return refuseWith(answer, "invalid_token", "the token is not one of the sandbox's test tokens"), hold{}
	case s.script == refuse:
		return refuseWith(answer, s.token.code, "the test token asks for this refusal"), hold{}
	case s.script == challenge:
		answer.Outcome = payment.ActionRequired
		answer.NextURL = "https://bank.example/challenge/" + answer.Reference
		return answer, hold{}
	}
	window := s.window
	if s.script == brief {
		window = s.brief
	}
	answer.Amount = amountOf(req, s)
	answer.CaptureBefore = s.now.Add(window)
	return answer, hold{Reference: answer.Reference, Key: req.Key, OrderID: req.OrderID, Token: req.Token,
		Currency: req.Currency, Authorized: answer.Amount, CaptureBefore: answer.CaptureBefore, CreatedAt: s.now}
}

func decideCapture(req payment.Request, h hold, s scene, answer payment.Answer) (payment.Answer, hold) {
	switch {
	case h.Voided > 0:
		return refuseWith(answer, "authorization_voided", "the rest of the authorization was voided"), h
	case !s.now.Before(h.CaptureBefore):
		return refuseWith(answer, "authorization_expired", "the authorization has lapsed"), h
	case req.Amount > h.rest():
		return refuseWith(answer, "amount_too_large", "the amount is more than the rest of the authorization"), h
	case s.scriptedRefusal():
		return refuseWith(answer, s.token.code, "the test token asks for this refusal"), h
	}
	answer.Amount = amountOf(req, s)
	h.Captured += answer.Amount
	return answer, h
}

// decideVoid lets go of the whole rest, whatever amount the request mentions.
func decideVoid(h hold, s scene, answer payment.Answer) (payment.Answer, hold) {
	switch {
	case h.Voided > 0:
		return refuseWith(answer, "already_voided", "the rest of the authorization was voided before"), h
	case h.rest() == 0:
		return refuseWith(answer, "nothing_to_void", "the whole authorization was captured"), h
	case !s.now.Before(h.CaptureBefore):
		return refuseWith(answer, "nothing_to_void", "the authorization has lapsed"), h
	}
	answer.Amount = h.rest()
	h.Voided = answer.Amount
	return answer, h
}

func decideRefund(req payment.Request, h hold, s scene, answer payment.Answer) (payment.Answer, hold) {
	switch {
	case req.Amount > h.Captured-h.Refunded:
		return refuseWith(answer, "amount_too_large", "the amount is more than what was captured and not yet refunded"), h
	case s.scriptedRefusal():
		return refuseWith(answer, s.token.code, "the test token asks for this refusal"), h
	}
	answer.Amount = req.Amount
	h.Refunded += answer.Amount
	return answer, h
}

func (s scene) scriptedRefusal() bool {
	return s.script == refuse || s.script == refuseOnce && !s.refused
}

// amountOf is what the sandbox does when it is asked for req.Amount. One unit cannot be done by less.
func amountOf(req payment.Request, s scene) int64 {
	if s.script == wrong {
		return max(1, req.Amount-1)
	}
	return req.Amount
}

func refuseWith(answer payment.Answer, code, detail string) payment.Answer {
	answer.Outcome, answer.Code, answer.Detail = payment.Refused, code, detail
	return answer
}

func currencyLike(code string) bool {
	if len(code) != 3 {
		return false
	}
	for _, c := range []byte(code) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// referenceOf names what the request makes. Refusals have a name too, so that an operator can ask for them.
func referenceOf(req payment.Request) string {
	prefixes := map[payment.Kind]string{payment.Authorize: "sbx_auth_", payment.Capture: "sbx_cap_",
		payment.Void: "sbx_void_", payment.Refund: "sbx_refund_"}
	return reference(prefixes[req.Kind], req.Key)
}
