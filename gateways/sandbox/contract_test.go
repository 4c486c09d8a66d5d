package sandbox

import (
	"testing"
	"time"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/gatewaytest"
)

func TestPaymentsContract(t *testing.T) {
	s := open(t, devtest.Database(t), quick)
	gatewaytest.Payments(t, func(*testing.T) gatewaytest.PaymentsUnderTest {
		return gatewaytest.PaymentsUnderTest{
			Gateway:  s.Payments(),
			Currency: "EUR",
			Tokens: map[gatewaytest.Situation]string{
				gatewaytest.Approves:            "tok_ok",
				gatewaytest.Declines:            "tok_declined",
				gatewaytest.RefusesToken:        "tok_that_nobody_knows",
				gatewaytest.AsksCustomer:        "tok_action_required",
				gatewaytest.RefusesCapture:      "tok_capture_refused",
				gatewaytest.RefusesCaptureOnce:  "tok_capture_refused_once",
				gatewaytest.RefusesRefund:       "tok_refund_refused",
				gatewaytest.LosesRequest:        "tok_timeout_before",
				gatewaytest.LosesAnswer:         "tok_timeout_after",
				gatewaytest.LosesCaptureRequest: "tok_capture_timeout_before",
				gatewaytest.LosesCaptureAnswer:  "tok_capture_timeout_after",
				gatewaytest.LosesVoidAnswer:     "tok_void_timeout_after",
				gatewaytest.LosesRefundAnswer:   "tok_refund_timeout_after",
				gatewaytest.GarblesAnswer:       "tok_garbage",
				gatewaytest.Breaks:              "tok_error_500",
				gatewaytest.LimitsRate:          "tok_rate_limited",
				gatewaytest.KeyInUse:            "tok_key_in_use",
				gatewaytest.AnswersSlowly:       "tok_slow",
				gatewaytest.HoldsOtherAmount:    "tok_wrong_amount",
				gatewaytest.CapturesOtherAmount: "tok_capture_wrong_amount",
				gatewaytest.RemembersKeys:       "",
				gatewaytest.CapturesAndRefunds:  "",
				gatewaytest.LetsGo:              "",
			},
			Absent: map[gatewaytest.Situation]string{
				gatewaytest.PaidElsewhere: "the sandbox only knows money that it holds itself",
			},
		}
	})
	checkBooks(t, s)
}

func TestCarrierContract(t *testing.T) {
	url := devtest.Database(t)
	address := func(code string) shipping.Address {
		return shipping.Address{Name: "Ada Example", Line1: "1 Test Street", City: "Testville", PostalCode: code, Country: "US"}
	}
	gatewaytest.Carrier(t, func(t *testing.T) gatewaytest.CarrierUnderTest {
		passed := newClock()
		start := time.Now()
		options := quick
		options.Clock = func() time.Time { return passed.now().Add(time.Since(start)) } // runs, and can be moved
		return gatewaytest.CarrierUnderTest{
			Carrier: open(t, url, options).Carrier(),
			Service: "standard",
			To: map[gatewaytest.Journey]shipping.Address{
				gatewaytest.Delivers:           address("94107"),
				gatewaytest.RefusesLabel:       address("00001"),
				gatewaytest.LosesLabelRequest:  address("00002"),
				gatewaytest.LosesLabelAnswer:   address("00003"),
				gatewaytest.SellsSlowly:        address("00004"),
				gatewaytest.BreaksOnLabel:      address("00005"),
				gatewaytest.LabelKeyInUse:      address("00006"),
				gatewaytest.GarblesLabelAnswer: address("00007"),
				gatewaytest.RefusesVoid:        address("00011"),
				gatewaytest.LosesLabelVoid:     address("00012"),
				gatewaytest.ArrivesLate:        address("00021"),
				gatewaytest.FailsDeliveryOnce:  address("00022"),
				gatewaytest.WaitsForPickup:     address("00023"),
				gatewaytest.GoesBack:           address("00024"),
				gatewaytest.GetsLost:           address("00025"),
				gatewaytest.RemembersLabels:    {},
			},
			Arrive: func() { passed.pass(30 * 24 * time.Hour) },
		}
	})
}

// checkBooks compares what was done to every hold with the ledger's sums, in both directions.
func checkBooks(t *testing.T, s *Sandbox) {
	t.Helper()
	const differing = `
		SELECT count(*) FROM sandbox.authorizations a FULL JOIN (
			SELECT authorization_reference,
				sum(amount) FILTER (WHERE kind = 'authorize') AS authorized,
				coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0) AS captured,
				coalesce(sum(amount) FILTER (WHERE kind = 'void'), 0) AS voided,
				coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0) AS refunded
			FROM sandbox.payment_ledger WHERE outcome = 'succeeded' GROUP BY authorization_reference
		) l ON l.authorization_reference = a.reference
		WHERE (a.authorized, a.captured, a.voided, a.refunded)
			IS DISTINCT FROM (l.authorized, l.captured, l.voided, l.refunded)`
	if n := count(t, s, differing); n != 0 {
		t.Errorf("%d holds differ from the ledger", n)
	}
	const unasked = `
		SELECT count(*) FROM sandbox.payment_ledger l
		LEFT JOIN sandbox.requests r ON r.gateway = 'payments' AND r.key = l.key WHERE r.key IS NULL`
	if n := count(t, s, unasked); n != 0 {
		t.Errorf("%d ledger rows without a request", n)
	}
}
