package sandbox

import (
	"slices"

	"github.com/waybill-oms/waybill/domain/payment"
)

// Token is one test value to pay with. What it does to a hold follows the hold: a token that refuses
// captures does so for every capture of the hold it made.
type Token struct {
	Name   string
	Effect string // one sentence for whoever chooses a token

	on   map[payment.Kind]fault
	code string // what a refusal under this token says
}

var tokens = []Token{
	{Name: "tok_ok", Effect: "everything works"},
	{Name: "tok_short_window", Effect: "everything works, and the hold lapses after an hour",
		on: map[payment.Kind]fault{payment.Authorize: brief}},

	{Name: "tok_declined", Effect: "the hold is refused: card_declined",
		on: map[payment.Kind]fault{payment.Authorize: refuse}, code: "card_declined"},
	{Name: "tok_insufficient_funds", Effect: "the hold is refused: insufficient_funds",
		on: map[payment.Kind]fault{payment.Authorize: refuse}, code: "insufficient_funds"},
	{Name: "tok_action_required", Effect: "the bank wants the customer: action_required, with a next URL",
		on: map[payment.Kind]fault{payment.Authorize: challenge}},
	{Name: "tok_capture_refused", Effect: "the hold works, each of its captures is refused: capture_refused",
		on: map[payment.Kind]fault{payment.Capture: refuse}, code: "capture_refused"},
	{Name: "tok_capture_refused_once",
		Effect: "the hold works, its first capture is refused, one under another key works",
		on:     map[payment.Kind]fault{payment.Capture: refuseOnce}, code: "capture_refused"},
	{Name: "tok_refund_refused", Effect: "hold and captures work, each refund is refused: refund_refused",
		on: map[payment.Kind]fault{payment.Refund: refuse}, code: "refund_refused"},

	{Name: "tok_timeout_before", Effect: "the first request hangs and nothing is held; asked again it works",
		on: map[payment.Kind]fault{payment.Authorize: noArrival}},
	{Name: "tok_timeout_after", Effect: "it is held and the answer is lost; a look-up or asking again gives it",
		on: map[payment.Kind]fault{payment.Authorize: noAnswer}},
	{Name: "tok_capture_timeout_before",
		Effect: "each capture's first request hangs and nothing is taken; asked again it works",
		on:     map[payment.Kind]fault{payment.Capture: noArrival}},
	{Name: "tok_capture_timeout_after",
		Effect: "each capture is taken and its answer lost; a look-up or asking again gives it",
		on:     map[payment.Kind]fault{payment.Capture: noAnswer}},
	{Name: "tok_void_timeout_after",
		Effect: "the void is done and its answer lost; a look-up or asking again gives it",
		on:     map[payment.Kind]fault{payment.Void: noAnswer}},
	{Name: "tok_refund_timeout_after",
		Effect: "each refund is given and its answer lost; a look-up or asking again gives it",
		on:     map[payment.Kind]fault{payment.Refund: noAnswer}},

	{Name: "tok_key_in_use", Effect: "for a moment the key counts as in use and nothing is held; then it works",
		on: map[payment.Kind]fault{payment.Authorize: busy}},
	{Name: "tok_slow", Effect: "it is held at once and the answer takes two seconds",
		on: map[payment.Kind]fault{payment.Authorize: slow}},
	{Name: "tok_rate_limited",
		Effect: "the first request is told to slow down and nothing is held; asked again it works",
		on:     map[payment.Kind]fault{payment.Authorize: limited}},
	{Name: "tok_error_500", Effect: "the first request meets an error 500 and nothing is held; asked again it works",
		on: map[payment.Kind]fault{payment.Authorize: broken}},
	{Name: "tok_garbage", Effect: "it is held and the first answer makes no sense; a look-up or asking again gives it",
		on: map[payment.Kind]fault{payment.Authorize: garbage}},

	{Name: "tok_wrong_amount", Effect: "one minor unit less is held than was asked for",
		on: map[payment.Kind]fault{payment.Authorize: wrong}},
	{Name: "tok_capture_wrong_amount", Effect: "each capture takes one minor unit less than was asked for",
		on: map[payment.Kind]fault{payment.Capture: wrong}},
}

// Tokens lists every test token, for a command line or a page of documentation. Any other token is refused:
// invalid_token.
func Tokens() []Token { return slices.Clone(tokens) }

func tokenByName(name string) (Token, bool) {
	i := slices.IndexFunc(tokens, func(t Token) bool { return t.Name == name })
	if i < 0 {
		return Token{}, false
	}
	return tokens[i], true
}
