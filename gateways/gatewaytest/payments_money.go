package gatewaytest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/payment"
)

// paymentMoneyChecks are about limits: no more is taken than was held, no more given back than was taken.
func paymentMoneyChecks() []paymentCheck {
	money := []Situation{Approves, CapturesAndRefunds}
	return []paymentCheck{
		{"a capture takes what was held", money, captureTakesHold},
		{"captures never exceed the hold", money, capturesWithinHold},
		{"captures at once never exceed the hold", money, concurrentCapturesWithinHold},
		{"several captures follow the policy", money, multiCapture},
		{"nothing works on an unknown hold", money, unknownHold},
		{"another currency than the hold's is refused", money, otherCurrency},
		{"a void lets go of the whole hold", []Situation{Approves, LetsGo}, voidLetsGo},
		{"a voided hold cannot be captured", []Situation{Approves, CapturesAndRefunds, LetsGo}, voidedNotCaptured},
		{"a void lets go of the rest only", []Situation{Approves, CapturesAndRefunds, LetsGo}, voidOfRest},
		{"a fully captured hold has nothing to void", []Situation{Approves, CapturesAndRefunds, LetsGo}, nothingToVoid},
		{"refunds never exceed the captures", money, refundsWithinCaptures},
		{"refunds at once never exceed the captures", money, concurrentRefundsWithinCaptures},
		{"a refused capture leaves the hold", []Situation{RefusesCapture, CapturesAndRefunds}, captureRefused},
		{"a capture refused once works under another key", []Situation{RefusesCaptureOnce, CapturesAndRefunds},
			captureRefusedOnce},
		{"a refused refund stays refused", []Situation{RefusesRefund, CapturesAndRefunds}, refundRefused},
		{"another held amount is told", []Situation{HoldsOtherAmount}, holdsOtherAmount},
		{"another captured amount is told", []Situation{CapturesOtherAmount, CapturesAndRefunds}, capturesOtherAmount},
	}
}

func captureTakesHold(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(Approves, 1000))
	req := p.on(held.Reference, payment.Capture, 1000)
	p.stands(t, req, p.succeeds(t, req))
}

func capturesWithinHold(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(Approves, 1000))
	p.refused(t, p.on(held.Reference, payment.Capture, 1001))
	p.succeeds(t, p.on(held.Reference, payment.Capture, 1000)) // the refusal took nothing
	p.refused(t, p.on(held.Reference, payment.Capture, 1))
}

// concurrentCapturesWithinHold: eight keys want 300 of 1000, so three get it, or one where only one may.
func concurrentCapturesWithinHold(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(Approves, 1000))
	requests := p.several(held.Reference, payment.Capture, 300)
	want := int64(900)
	if !p.Gateway.Policy().MultiCapture {
		want = 300
	}
	require.Equal(t, want, p.sumAtOnce(t, requests))
}

func (p till) several(authorization string, kind payment.Kind, amount int64) []payment.Request {
	requests := make([]payment.Request, callers)
	for i := range requests {
		requests[i] = p.on(authorization, kind, amount)
	}
	return requests
}

// sumAtOnce performs all requests at the same time and sums what was done.
func (p till) sumAtOnce(t *testing.T, requests []payment.Request) int64 {
	t.Helper()
	results := atOnce(len(requests), func(i int) (payment.Answer, error) {
		return p.Gateway.Perform(t.Context(), requests[i])
	})
	var sum int64
	for i, r := range results {
		require.NoError(t, r.err)
		require.Contains(t, []payment.Outcome{payment.Succeeded, payment.Refused}, r.answer.Outcome)
		p.stands(t, requests[i], r.answer)
		sum += r.answer.Amount
	}
	return sum
}

func multiCapture(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(Approves, 1000))
	p.succeeds(t, p.on(held.Reference, payment.Capture, 200))
	if !p.Gateway.Policy().MultiCapture {
		p.refused(t, p.on(held.Reference, payment.Capture, 300))
		return
	}
	p.succeeds(t, p.on(held.Reference, payment.Capture, 300))
	p.refused(t, p.on(held.Reference, payment.Capture, 501))
	p.succeeds(t, p.on(held.Reference, payment.Capture, 500))
}

func unknownHold(t *testing.T, p till) {
	for _, kind := range []payment.Kind{payment.Capture, payment.Void, payment.Refund} {
		p.refused(t, p.on("no-such-hold", kind, 100))
	}
}

func otherCurrency(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(Approves, 1000))
	other := p.on(held.Reference, payment.Capture, 1000)
	other.Currency = "JPY"
	if p.Currency == "JPY" {
		other.Currency = "USD"
	}
	p.refused(t, other)
	p.succeeds(t, p.on(held.Reference, payment.Capture, 1000))
}

func voidLetsGo(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(Approves, 1000))
	req := p.on(held.Reference, payment.Void, 1000)
	p.stands(t, req, p.succeeds(t, req))
}

func voidedNotCaptured(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(Approves, 1000))
	p.succeeds(t, p.on(held.Reference, payment.Void, 1000))
	p.refused(t, p.on(held.Reference, payment.Capture, 1))
	p.refused(t, p.on(held.Reference, payment.Refund, 1))
	p.refused(t, p.on(held.Reference, payment.Void, 1000)) // under another key: nothing is left
}

// voidOfRest: how much that is, is the gateway's to say.
func voidOfRest(t *testing.T, p till) {
	if !p.Gateway.Policy().MultiCapture {
		return // the first capture released the rest
	}
	held := p.succeeds(t, p.authorize(Approves, 1000))
	p.succeeds(t, p.on(held.Reference, payment.Capture, 300))
	void := p.on(held.Reference, payment.Void, 700)
	p.stands(t, void, p.succeeds(t, void))
	p.refused(t, p.on(held.Reference, payment.Capture, 1))
	p.succeeds(t, p.on(held.Reference, payment.Refund, 300)) // what was taken can be given back
}

func nothingToVoid(t *testing.T, p till) {
	p.refused(t, p.on(p.captured(t, Approves, 1000), payment.Void, 1000))
}

func refundsWithinCaptures(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(Approves, 1000))
	p.refused(t, p.on(held.Reference, payment.Refund, 1)) // held is not taken
	p.succeeds(t, p.on(held.Reference, payment.Capture, 600))
	p.refused(t, p.on(held.Reference, payment.Refund, 601))
	p.succeeds(t, p.on(held.Reference, payment.Refund, 400))
	p.refused(t, p.on(held.Reference, payment.Refund, 201))
	last := p.on(held.Reference, payment.Refund, 200)
	p.stands(t, last, p.succeeds(t, last))
}

func concurrentRefundsWithinCaptures(t *testing.T, p till) {
	authorization := p.captured(t, Approves, 1000)
	require.Equal(t, int64(900), p.sumAtOnce(t, p.several(authorization, payment.Refund, 300)))
}

func captureRefused(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(RefusesCapture, 1000))
	p.refused(t, p.on(held.Reference, payment.Capture, 1000))
	p.refused(t, p.on(held.Reference, payment.Capture, 400))
	p.refused(t, p.on(held.Reference, payment.Refund, 1))
}

func captureRefusedOnce(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(RefusesCaptureOnce, 1000))
	first := p.on(held.Reference, payment.Capture, 1000)
	refusal := p.refused(t, first)
	p.succeeds(t, p.on(held.Reference, payment.Capture, 1000))
	p.stands(t, first, refusal)
}

func refundRefused(t *testing.T, p till) {
	authorization := p.captured(t, RefusesRefund, 1000)
	p.refused(t, p.on(authorization, payment.Refund, 1000))
	p.refused(t, p.on(authorization, payment.Refund, 1))
}

// otherAmount performs a request that succeeds with another amount than it asked for.
func (p till) otherAmount(t *testing.T, req payment.Request) payment.Answer {
	t.Helper()
	answer, err := p.perform(t, req)
	require.NoError(t, err)
	require.Equal(t, payment.Succeeded, answer.Outcome)
	require.NotEqual(t, req.Amount, answer.Amount)
	require.Positive(t, answer.Amount)
	require.NotEmpty(t, answer.Reference)
	p.stands(t, req, answer)
	return answer
}

func holdsOtherAmount(t *testing.T, p till) { p.otherAmount(t, p.authorize(HoldsOtherAmount, 1000)) }

// capturesOtherAmount: what was said is also what was done, so just that can be given back.
func capturesOtherAmount(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(CapturesOtherAmount, 1000))
	taken := p.otherAmount(t, p.on(held.Reference, payment.Capture, 1000))
	p.refused(t, p.on(held.Reference, payment.Refund, taken.Amount+1))
	p.succeeds(t, p.on(held.Reference, payment.Refund, taken.Amount))
}
