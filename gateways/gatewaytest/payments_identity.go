package gatewaytest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/payment"
)

func inUse(err error) bool { return errors.Is(err, payment.ErrKeyInUse) }

// paymentIdentityChecks are about keys: what is asked under one is done once, and has one answer.
func paymentIdentityChecks() []paymentCheck {
	return []paymentCheck{
		{"policy has limits", nil, policyHasLimits},
		{"a hold names itself and echoes amount and currency", []Situation{Approves}, holdNamesItself},
		{"a payment made elsewhere counts as captured", []Situation{PaidElsewhere}, paidElsewhere},
		{"a refused hold stays refused", []Situation{Declines}, declineStands},
		{"an unknown token is refused", []Situation{RefusesToken}, unknownTokenRefused},
		{"a wish for the customer has an address and stands", []Situation{AsksCustomer}, asksCustomer},
		{"the same key is answered the same", []Situation{Approves}, sameKeySameAnswer},
		{"eight at once under one key hold once", []Situation{Approves}, concurrentHold},
		{"eight at once under one key capture once", []Situation{Approves, CapturesAndRefunds}, concurrentCapture},
		{"eight at once under one key refund once", []Situation{Approves, CapturesAndRefunds}, concurrentRefund},
		{"a key with another payload does nothing", []Situation{Approves, RemembersKeys}, keyReused},
		{"an unknown key is not found", []Situation{Approves, RemembersKeys}, unknownKeyNotFound},
		{"a request that asks for nothing is refused", []Situation{Approves}, nonsenseRefused},
		{"a context that has ended gives an error", []Situation{Approves}, endedContext},
		{"a hanging request ends with its context", []Situation{LosesRequest}, hangEndsWithContext},
	}
}

func policyHasLimits(t *testing.T, p till) {
	policy := p.Gateway.Policy()
	require.Positive(t, policy.LocalAttempt)
	require.Positive(t, policy.RequestTimeout)
}

func holdNamesItself(t *testing.T, p till) {
	for _, amount := range []int64{1, 100, 9_999_999} {
		req := p.authorize(Approves, amount)
		answer := p.succeeds(t, req)
		require.False(t, answer.Captured)
		p.stands(t, req, answer)
	}
}

func paidElsewhere(t *testing.T, p till) {
	req := p.authorize(PaidElsewhere, 1000)
	answer := p.succeeds(t, req)
	require.True(t, answer.Captured)
	p.stands(t, req, answer)
}

func declineStands(t *testing.T, p till) { p.refused(t, p.authorize(Declines, 1000)) }

func unknownTokenRefused(t *testing.T, p till) {
	p.refused(t, p.authorize(RefusesToken, 1000))
	empty := p.authorize(RefusesToken, 1000)
	empty.Token = ""
	p.refused(t, empty)
}

func asksCustomer(t *testing.T, p till) {
	req := p.authorize(AsksCustomer, 1000)
	answer, err := p.perform(t, req)
	require.NoError(t, err)
	require.Equal(t, payment.ActionRequired, answer.Outcome)
	require.NotEmpty(t, answer.NextURL)
	require.Zero(t, answer.Amount)
	p.stands(t, req, answer)
}

func sameKeySameAnswer(t *testing.T, p till) {
	req := p.authorize(Approves, 1000)
	p.stands(t, req, p.succeeds(t, req))
	other := p.authorize(Approves, 1000)
	p.stands(t, other, p.succeeds(t, other))
	p.stands(t, req, p.succeeds(t, req)) // one key does not disturb the other
}

// together asks for the same from all callers at once. Some may hear that the key is in use; whoever hears
// more hears the same.
func (p till) together(t *testing.T, req payment.Request) payment.Answer {
	t.Helper()
	results := atOnce(callers, func(int) (payment.Answer, error) { return p.Gateway.Perform(t.Context(), req) })
	answer := p.succeeds(t, req)
	for _, r := range results {
		if inUse(r.err) {
			continue
		}
		require.NoError(t, r.err)
		equal(t, answer, r.answer, "one of several at once")
	}
	p.stands(t, req, answer)
	return answer
}

func concurrentHold(t *testing.T, p till) { p.together(t, p.authorize(Approves, 1000)) }

// concurrentCapture shows by what is left of the hold that the capture took place once.
func concurrentCapture(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(Approves, 1000))
	p.together(t, p.on(held.Reference, payment.Capture, 600))
	if p.Gateway.Policy().MultiCapture {
		p.succeeds(t, p.on(held.Reference, payment.Capture, 400))
	}
	p.refused(t, p.on(held.Reference, payment.Capture, 1))
}

func concurrentRefund(t *testing.T, p till) {
	authorization := p.captured(t, Approves, 1000)
	p.together(t, p.on(authorization, payment.Refund, 600))
	p.succeeds(t, p.on(authorization, payment.Refund, 400))
	p.refused(t, p.on(authorization, payment.Refund, 1))
}

func keyReused(t *testing.T, p till) {
	req := p.authorize(Approves, 1000)
	answer := p.succeeds(t, req)
	for name, change := range map[string]func(*payment.Request){
		"amount": func(r *payment.Request) { r.Amount = 999 },
		"order":  func(r *payment.Request) { r.OrderID = "order-2" },
		"token":  func(r *payment.Request) { r.Token += "x" },
	} {
		other := req
		change(&other)
		_, err := p.perform(t, other)
		require.ErrorIs(t, err, payment.ErrKeyReused, name)
	}
	p.stands(t, req, answer)
}

func unknownKeyNotFound(t *testing.T, p till) {
	req := p.authorize(Approves, 1000)
	_, err := p.find(t, req)
	require.ErrorIs(t, err, payment.ErrNotFound)
	p.stands(t, req, p.succeeds(t, req))
}

// nonsenseRefused: such a request can never succeed, so it has to be refused for good; as an unknown outcome it
// would be asked again for ever.
func nonsenseRefused(t *testing.T, p till) {
	for name, change := range map[string]func(*payment.Request){
		"zero value":      func(r *payment.Request) { *r = payment.Request{} },
		"no key":          func(r *payment.Request) { r.Key = "" },
		"no kind":         func(r *payment.Request) { r.Kind = "" },
		"no currency":     func(r *payment.Request) { r.Currency = "" },
		"amount zero":     func(r *payment.Request) { r.Amount = 0 },
		"amount negative": func(r *payment.Request) { r.Amount = -1000 },
		"capture of nothing": func(r *payment.Request) {
			r.Kind, r.Token = payment.Capture, ""
		},
		"refund of a negative amount": func(r *payment.Request) {
			r.Kind, r.Token, r.Amount = payment.Refund, "", -1
		},
	} {
		req := p.authorize(Approves, 1000)
		change(&req)
		answer, err := p.perform(t, req)
		require.NoError(t, err, name)
		require.Equal(t, payment.Refused, answer.Outcome, name)
		require.NotEmpty(t, answer.Code, name)
		require.Zero(t, answer.Amount, name)
	}
}

func endedContext(t *testing.T, p till) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req := p.authorize(Approves, 1000)
	_, err := ended(t, func() (payment.Answer, error) { return p.Gateway.Perform(ctx, req) })
	require.ErrorIs(t, err, payment.ErrUnknown)
	require.ErrorIs(t, err, context.Canceled)
	_, err = ended(t, func() (payment.Answer, error) { return p.Gateway.Find(ctx, req) })
	require.ErrorIs(t, err, payment.ErrUnknown)
	p.stands(t, req, p.succeeds(t, req)) // the key is not spoiled
}

// hangEndsWithContext: whether the end comes before or during the hanging, the caller is free and hears that
// nothing is known.
func hangEndsWithContext(t *testing.T, p till) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req := p.authorize(LosesRequest, 1000)
	_, err := ended(t, func() (payment.Answer, error) {
		go cancel()
		return p.Gateway.Perform(ctx, req)
	})
	require.ErrorIs(t, err, payment.ErrUnknown)
	answer, err := settled(t, func() (payment.Answer, error) { return p.Gateway.Perform(t.Context(), req) },
		func(err error) bool { return inUse(err) || errors.Is(err, payment.ErrUnknown) })
	require.NoError(t, err)
	p.stands(t, req, answer)
}
