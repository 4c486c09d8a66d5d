package gatewaytest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/payment"
)

// PaymentGateway is what an adapter of a payment gateway offers.
type PaymentGateway interface {
	Perform(ctx context.Context, req payment.Request) (payment.Answer, error)
	Find(ctx context.Context, req payment.Request) (payment.Answer, error)
	Policy() payment.Policy
}

// Situation is something that can happen with a payment. For most of them a test pays with a token that
// brings it about; the abilities at the end have none.
type Situation string

const (
	Approves            Situation = "approves"              // everything works
	PaidElsewhere       Situation = "paid elsewhere"        // the hold succeeds as already captured
	Declines            Situation = "declines"              // the hold is refused
	RefusesToken        Situation = "refuses token"         // the token means nothing
	AsksCustomer        Situation = "asks customer"         // the bank wants the customer
	RefusesCapture      Situation = "refuses capture"       // the hold works, no capture does
	RefusesCaptureOnce  Situation = "refuses capture once"  // the hold works, its second capture does
	RefusesRefund       Situation = "refuses refund"        // hold and capture work, no refund does
	LosesRequest        Situation = "loses request"         // the first request does nothing and has no answer
	LosesAnswer         Situation = "loses answer"          // the first request holds the amount and has no answer
	LosesCaptureRequest Situation = "loses capture request" // the same for each capture
	LosesCaptureAnswer  Situation = "loses capture answer"
	LosesVoidAnswer     Situation = "loses void answer"
	LosesRefundAnswer   Situation = "loses refund answer"
	GarblesAnswer       Situation = "garbles answer"        // the first answer makes no sense
	Breaks              Situation = "breaks"                // the first request is answered by an error 500
	LimitsRate          Situation = "limits rate"           // the first request is told to slow down
	KeyInUse            Situation = "key in use"            // for a while the key counts as being worked on
	AnswersSlowly       Situation = "answers slowly"        // and in time for RequestTimeout
	HoldsOtherAmount    Situation = "holds other amount"    // and says so
	CapturesOtherAmount Situation = "captures other amount" // and says so
	RemembersKeys       Situation = "remembers keys"        // ability: knows which keys it has seen, and their payloads
	CapturesAndRefunds  Situation = "captures and refunds"  // ability: moves money
	LetsGo              Situation = "lets go"               // ability: voids
)

func situations() []Situation {
	return []Situation{Approves, PaidElsewhere, Declines, RefusesToken, AsksCustomer, RefusesCapture,
		RefusesCaptureOnce, RefusesRefund, LosesRequest, LosesAnswer, LosesCaptureRequest, LosesCaptureAnswer,
		LosesVoidAnswer, LosesRefundAnswer, GarblesAnswer, Breaks, LimitsRate, KeyInUse, AnswersSlowly,
		HoldsOtherAmount, CapturesOtherAmount, RemembersKeys, CapturesAndRefunds, LetsGo}
}

// PaymentsUnderTest is an adapter, and how to bring every situation about.
type PaymentsUnderTest struct {
	Gateway  PaymentGateway
	Currency string               // of every request; an ISO 4217 code
	Tokens   map[Situation]string // the token for each situation; for an ability, anything
	Absent   map[Situation]string // why a situation cannot be brought about in a test
}

// Payments runs the contract. fresh is called once for each check, and once more to read the declaration.
// Hanging requests have to end by the adapter's own limit, which a test wants to be short.
func Payments(t *testing.T, fresh func(*testing.T) PaymentsUnderTest) {
	declared := fresh(t)
	require.Empty(t, undeclared(situations(), declared.Tokens, declared.Absent))
	require.NotEmpty(t, declared.Currency)
	checks := append(paymentIdentityChecks(), append(paymentMoneyChecks(), paymentFaultChecks()...)...)
	runAll(t, checks, declared.Absent, func(t *testing.T) till { return till{fresh(t)} })
}

type paymentCheck = check[Situation, till]

// till is an adapter with the requests that checks are made of.
type till struct{ PaymentsUnderTest }

func (p till) authorize(token Situation, amount int64) payment.Request {
	return payment.Request{Key: newKey("authorize"), Kind: payment.Authorize, OrderID: "order-1", Amount: amount,
		Currency: p.Currency, Token: p.Tokens[token]}
}

func (p till) on(authorization string, kind payment.Kind, amount int64) payment.Request {
	return payment.Request{Key: newKey(string(kind)), Kind: kind, OrderID: "order-1", Amount: amount,
		Currency: p.Currency, Authorization: authorization}
}

// perform asks, and asks again while the key is in use.
func (p till) perform(t *testing.T, req payment.Request) (payment.Answer, error) {
	t.Helper()
	return settled(t, func() (payment.Answer, error) { return p.Gateway.Perform(t.Context(), req) }, inUse)
}

// find looks up, and looks again while the key is in use.
func (p till) find(t *testing.T, req payment.Request) (payment.Answer, error) {
	t.Helper()
	return settled(t, func() (payment.Answer, error) { return p.Gateway.Find(t.Context(), req) }, inUse)
}

// succeeds performs a request that has to succeed with just what was asked for.
func (p till) succeeds(t *testing.T, req payment.Request) payment.Answer {
	t.Helper()
	answer, err := p.perform(t, req)
	require.NoError(t, err, "%s", req.Kind)
	require.Equal(t, payment.Succeeded, answer.Outcome, "%s: %s %s", req.Kind, answer.Code, answer.Detail)
	require.Equal(t, req.Amount, answer.Amount, "%s", req.Kind)
	require.Equal(t, req.Currency, answer.Currency, "%s", req.Kind)
	require.NotEmpty(t, answer.Reference, "%s", req.Kind)
	return answer
}

// refused performs a request that has to be refused, now, when it is asked again, and when it is looked up.
func (p till) refused(t *testing.T, req payment.Request) payment.Answer {
	t.Helper()
	answer, err := p.perform(t, req)
	require.NoError(t, err, "%s", req.Kind)
	require.Equal(t, payment.Refused, answer.Outcome, "%s", req.Kind)
	require.NotEmpty(t, answer.Code, "%s", req.Kind)
	require.Zero(t, answer.Amount, "%s", req.Kind)
	p.stands(t, req, answer)
	return answer
}

// stands requires that answer is the last word under the request's key.
func (p till) stands(t *testing.T, req payment.Request, answer payment.Answer) {
	t.Helper()
	again, err := p.perform(t, req)
	require.NoError(t, err, "%s again", req.Kind)
	equal(t, answer, again, string(req.Kind)+" again")
	found, err := p.find(t, req)
	require.NoError(t, err, "%s looked up", req.Kind)
	equal(t, answer, found, string(req.Kind)+" looked up")
}

// captured makes a hold of amount and takes all of it. It gives the hold's reference.
func (p till) captured(t *testing.T, token Situation, amount int64) string {
	t.Helper()
	held := p.succeeds(t, p.authorize(token, amount))
	p.succeeds(t, p.on(held.Reference, payment.Capture, amount))
	return held.Reference
}
