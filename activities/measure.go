package activities

import (
	"context"
	"errors"
	"time"

	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// Asked hears of every request to somebody else's system: whom it went to, what it asked, what came of it, and how long
// that took.
type Asked func(gateway, operation, outcome string, took time.Duration)

// MeasuredGateway is a payment gateway whose requests are told to asked, under the name that orders use.
func MeasuredGateway(name string, gateway PaymentGateway, asked Asked) PaymentGateway {
	return measuredGateway{gateway, name, asked}
}

type measuredGateway struct {
	PaymentGateway
	name  string
	asked Asked
}

// Perform is PaymentGateway's.
func (m measuredGateway) Perform(ctx context.Context, r payment.Request) (payment.Answer, error) {
	began := time.Now()
	answer, err := m.PaymentGateway.Perform(ctx, r)
	m.asked(m.name, string(r.Kind), outcome(string(answer.Outcome), err), time.Since(began))
	return answer, err
}

// Find is PaymentGateway's.
func (m measuredGateway) Find(ctx context.Context, r payment.Request) (payment.Answer, error) {
	began := time.Now()
	answer, err := m.PaymentGateway.Find(ctx, r)
	m.asked(m.name, string(r.Kind)+lookup, outcome(string(answer.Outcome), err), time.Since(began))
	return answer, err
}

// MeasuredCarrier is a carrier whose requests are told to asked.
func MeasuredCarrier(carrier Carrier, asked Asked) Carrier { return measuredCarrier{carrier, asked} }

type measuredCarrier struct {
	Carrier
	asked Asked
}

// carrierName is what the carrier is called among the gateways: there is one.
const carrierName = "carrier"

// lookup is added to an operation that is looked up instead of sent.
const lookup = "_lookup"

// Perform is Carrier's.
func (m measuredCarrier) Perform(ctx context.Context, r shipping.Request) (shipping.Answer, error) {
	began := time.Now()
	answer, err := m.Carrier.Perform(ctx, r)
	m.asked(carrierName, string(r.Kind), outcome(string(answer.Outcome), err), time.Since(began))
	return answer, err
}

// Find is Carrier's.
func (m measuredCarrier) Find(ctx context.Context, r shipping.Request) (shipping.Answer, error) {
	began := time.Now()
	answer, err := m.Carrier.Find(ctx, r)
	m.asked(carrierName, string(r.Kind)+lookup, outcome(string(answer.Outcome), err), time.Since(began))
	return answer, err
}

// outcome names what came of a request: the last word, or why there was none.
func outcome(said string, err error) string {
	var slow *payment.RateLimited
	switch {
	case err == nil:
		return said
	case errors.As(err, &slow):
		return "rate_limited"
	case errors.Is(err, payment.ErrKeyInUse), errors.Is(err, shipping.ErrKeyInUse):
		return "key_in_use"
	case errors.Is(err, payment.ErrKeyReused), errors.Is(err, shipping.ErrKeyReused):
		return "key_reused"
	case errors.Is(err, payment.ErrNotFound), errors.Is(err, shipping.ErrNotFound):
		return "not_found"
	}
	return "unknown"
}
