// Package sandboxtest says how the sandbox brings every situation of the contract suites about, for whoever has it under
// test: the sandbox itself, and what reaches one in another process.
//
// It owns which token and which postal code stand for which situation. It does not own what they do, nor the suites. It
// is imported by tests only.
package sandboxtest

import (
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/gatewaytest"
)

// Payments declares a payment gateway that is the sandbox's.
func Payments(gateway gatewaytest.PaymentGateway) gatewaytest.PaymentsUnderTest {
	return gatewaytest.PaymentsUnderTest{
		Gateway:  gateway,
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
}

// Carrier declares a carrier that is the sandbox's. arrive lets all the time pass that parcels need.
func Carrier(carrier gatewaytest.CarrierGateway, arrive func()) gatewaytest.CarrierUnderTest {
	return gatewaytest.CarrierUnderTest{
		Carrier: carrier,
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
		Arrive: arrive,
	}
}

func address(code string) shipping.Address {
	return shipping.Address{Name: "Ada Example", Line1: "1 Test Street", City: "Testville", PostalCode: code, Country: "US"}
}
