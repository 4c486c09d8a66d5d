package external

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/gateways/gatewaytest"
)

func TestContract(t *testing.T) {
	const elsewhere = "the money is in another system, and nothing is asked of it"
	const noFaults = "there is no network between asking and the answer"
	absent := map[gatewaytest.Situation]string{
		gatewaytest.Declines:           "a payment that was declined elsewhere is not imported",
		gatewaytest.AsksCustomer:       "the customer paid elsewhere",
		gatewaytest.RemembersKeys:      "stateless: whoever keeps the operations compares their payloads",
		gatewaytest.CapturesAndRefunds: elsewhere,
	}
	for _, situation := range []gatewaytest.Situation{gatewaytest.RefusesCapture, gatewaytest.RefusesCaptureOnce,
		gatewaytest.RefusesRefund, gatewaytest.LosesCaptureRequest, gatewaytest.LosesCaptureAnswer,
		gatewaytest.LosesRefundAnswer, gatewaytest.CapturesOtherAmount} {
		absent[situation] = elsewhere
	}
	for _, situation := range []gatewaytest.Situation{gatewaytest.LosesRequest, gatewaytest.LosesAnswer,
		gatewaytest.LosesVoidAnswer, gatewaytest.GarblesAnswer, gatewaytest.Breaks, gatewaytest.LimitsRate,
		gatewaytest.KeyInUse, gatewaytest.AnswersSlowly, gatewaytest.HoldsOtherAmount} {
		absent[situation] = noFaults
	}
	gatewaytest.Payments(t, func(*testing.T) gatewaytest.PaymentsUnderTest {
		return gatewaytest.PaymentsUnderTest{
			Gateway:  New(),
			Currency: "EUR",
			Tokens: map[gatewaytest.Situation]string{
				gatewaytest.Approves:      "authorized:7012",
				gatewaytest.PaidElsewhere: "paid:7012",
				gatewaytest.RefusesToken:  "tok_ok",
				gatewaytest.LetsGo:        "",
			},
			Absent: absent,
		}
	})
}

func perform(t *testing.T, req payment.Request) payment.Answer {
	t.Helper()
	req.Key, req.OrderID, req.Currency = "key/1", "order-1", "EUR"
	answer, err := New().Perform(t.Context(), req)
	require.NoError(t, err)
	return answer
}

func TestAuthorize(t *testing.T) {
	for token, want := range map[string]payment.Answer{
		"paid:gid://shop/7012": {Outcome: payment.Succeeded, Reference: "gid://shop/7012", Amount: 1000, Currency: "EUR", Captured: true},
		"authorized:7012":      {Outcome: payment.Succeeded, Reference: "authorized:7012", Amount: 1000, Currency: "EUR"},
	} {
		require.Equal(t, want, perform(t, payment.Request{Kind: payment.Authorize, Amount: 1000, Token: token}), token)
	}
	long := string(make([]byte, textMax))
	for _, token := range []string{"", "paid", "paid:", "paid: ", "paid: 7", "Paid:7", "authorized:", "7012", " paid:7",
		"paid:authorized:7", "authorized:paid:7", "tok_ok", "paid:" + long} {
		answer := perform(t, payment.Request{Kind: payment.Authorize, Amount: 1000, Token: token})
		require.Equal(t, payment.Refused, answer.Outcome, token)
		require.Equal(t, "invalid_token", answer.Code, token)
		require.False(t, answer.Captured)
		require.NotContains(t, answer.Detail, "7012")
	}
}

// TestMoneyStaysElsewhere follows both kinds of payment by the reference that authorizing gave.
func TestMoneyStaysElsewhere(t *testing.T) {
	paid := perform(t, payment.Request{Kind: payment.Authorize, Amount: 1000, Token: "paid:7012"}).Reference
	held := perform(t, payment.Request{Kind: payment.Authorize, Amount: 1000, Token: "authorized:7012"}).Reference
	for _, reference := range []string{paid, held} {
		require.Equal(t, "capture_elsewhere",
			perform(t, payment.Request{Kind: payment.Capture, Amount: 1000, Authorization: reference}).Code)
		require.Equal(t, "refund_elsewhere",
			perform(t, payment.Request{Kind: payment.Refund, Amount: 1000, Authorization: reference}).Code)
	}
	void := perform(t, payment.Request{Kind: payment.Void, Amount: 1000, Authorization: held})
	require.Equal(t, payment.Succeeded, void.Outcome)
	require.Equal(t, int64(1000), void.Amount)
	require.NotEmpty(t, void.Detail)
	require.Equal(t, "nothing_to_void", perform(t, payment.Request{Kind: payment.Void, Amount: 1000, Authorization: paid}).Code)
}
