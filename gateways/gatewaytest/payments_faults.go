package gatewaytest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/payment"
)

// paymentFaultChecks are about answers that do not come: what a look-up and a repeat say then.
func paymentFaultChecks() []paymentCheck {
	return []paymentCheck{
		{"a lost request can be repeated", []Situation{LosesRequest}, losesRequest},
		{"a lost answer is found", []Situation{LosesAnswer}, lostAnswerFound},
		{"a lost answer is repeated", []Situation{LosesAnswer}, lostAnswerRepeated},
		{"a lost capture request can be repeated", []Situation{LosesCaptureRequest, CapturesAndRefunds}, losesCaptureRequest},
		{"a lost capture answer is found", []Situation{LosesCaptureAnswer, CapturesAndRefunds}, losesCaptureAnswer},
		{"a lost void answer is found", []Situation{LosesVoidAnswer, LetsGo}, losesVoidAnswer},
		{"a lost refund answer is found", []Situation{LosesRefundAnswer, CapturesAndRefunds}, losesRefundAnswer},
		{"an answer that makes no sense is no answer", []Situation{GarblesAnswer}, garblesAnswer},
		{"an error 500 is no answer", []Situation{Breaks}, breaks},
		{"a rate limit says how long and does nothing", []Situation{LimitsRate}, limitsRate},
		{"a key in use is free later", []Situation{KeyInUse}, keyInUseLater},
		{"a slow answer arrives", []Situation{AnswersSlowly}, answersSlowly},
	}
}

// unknown performs a request whose outcome has to stay open.
func (p till) unknown(t *testing.T, req payment.Request) {
	t.Helper()
	answer, err := p.Gateway.Perform(t.Context(), req)
	require.ErrorIs(t, err, payment.ErrUnknown, "%s", req.Kind)
	require.Zero(t, answer, "%s", req.Kind)
}

// lostRequest loses a request: the look-up finds nothing, the repeat does it, and from then on it stands.
func (p till) lostRequest(t *testing.T, req payment.Request) payment.Answer {
	t.Helper()
	p.unknown(t, req)
	_, err := p.find(t, req)
	require.ErrorIs(t, err, payment.ErrNotFound)
	answer := p.succeeds(t, req)
	p.stands(t, req, answer)
	return answer
}

// lostAnswer loses an answer: the look-up gives it, and the repeat gives the same.
func (p till) lostAnswer(t *testing.T, req payment.Request) payment.Answer {
	t.Helper()
	p.unknown(t, req)
	found, err := p.find(t, req)
	require.NoError(t, err)
	equal(t, p.succeeds(t, req), found, "the look-up and the repeat")
	p.stands(t, req, found)
	return found
}

// refusedAtLast performs a request that has to be refused, and whose refusal may get lost too.
func (p till) refusedAtLast(t *testing.T, req payment.Request) {
	t.Helper()
	_, err := settled(t, func() (payment.Answer, error) { return p.Gateway.Perform(t.Context(), req) },
		func(err error) bool { return inUse(err) || errors.Is(err, payment.ErrUnknown) })
	require.NoError(t, err)
	p.refused(t, req)
}

func losesRequest(t *testing.T, p till) { p.lostRequest(t, p.authorize(LosesRequest, 1000)) }

func lostAnswerFound(t *testing.T, p till) { p.lostAnswer(t, p.authorize(LosesAnswer, 1000)) }

func lostAnswerRepeated(t *testing.T, p till) {
	req := p.authorize(LosesAnswer, 1000)
	p.unknown(t, req)
	p.stands(t, req, p.succeeds(t, req))
}

func losesCaptureRequest(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(LosesCaptureRequest, 1000))
	p.lostRequest(t, p.on(held.Reference, payment.Capture, 1000))
	p.refused(t, p.on(held.Reference, payment.Refund, 1001))
}

// losesCaptureAnswer shows by what can be given back that the capture took place once.
func losesCaptureAnswer(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(LosesCaptureAnswer, 1000))
	p.lostAnswer(t, p.on(held.Reference, payment.Capture, 400))
	p.refused(t, p.on(held.Reference, payment.Refund, 401))
	p.succeeds(t, p.on(held.Reference, payment.Refund, 400))
}

func losesVoidAnswer(t *testing.T, p till) {
	held := p.succeeds(t, p.authorize(LosesVoidAnswer, 1000))
	p.lostAnswer(t, p.on(held.Reference, payment.Void, 1000))
	p.refusedAtLast(t, p.on(held.Reference, payment.Void, 1000))
}

func losesRefundAnswer(t *testing.T, p till) {
	authorization := p.captured(t, LosesRefundAnswer, 1000)
	p.lostAnswer(t, p.on(authorization, payment.Refund, 600))
	p.refusedAtLast(t, p.on(authorization, payment.Refund, 401))
}

// garblesAnswer and breaks leave open whether anything was done; asked again, it is done once.
func garblesAnswer(t *testing.T, p till) { p.openThenDone(t, p.authorize(GarblesAnswer, 1000)) }

func breaks(t *testing.T, p till) { p.openThenDone(t, p.authorize(Breaks, 1000)) }

func (p till) openThenDone(t *testing.T, req payment.Request) {
	t.Helper()
	p.unknown(t, req)
	p.stands(t, req, p.succeeds(t, req))
}

func limitsRate(t *testing.T, p till) {
	req := p.authorize(LimitsRate, 1000)
	_, err := p.Gateway.Perform(t.Context(), req)
	var limited *payment.RateLimited
	require.ErrorAs(t, err, &limited)
	require.Positive(t, limited.RetryAfter)
	_, err = p.find(t, req)
	require.ErrorIs(t, err, payment.ErrNotFound)
	answer, err := settled(t, func() (payment.Answer, error) { return p.perform(t, req) },
		func(err error) bool { return errors.As(err, &limited) })
	require.NoError(t, err)
	require.Equal(t, payment.Succeeded, answer.Outcome)
	p.stands(t, req, answer)
}

func keyInUseLater(t *testing.T, p till) {
	req := p.authorize(KeyInUse, 1000)
	_, err := p.Gateway.Perform(t.Context(), req)
	require.ErrorIs(t, err, payment.ErrKeyInUse)
	p.stands(t, req, p.succeeds(t, req))
}

func answersSlowly(t *testing.T, p till) {
	req := p.authorize(AnswersSlowly, 1000)
	p.stands(t, req, p.succeeds(t, req))
}
