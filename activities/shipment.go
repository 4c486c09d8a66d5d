package activities

import (
	"context"
	"errors"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// Carrier is what the activities need of a carrier. It applies each key once.
type Carrier interface {
	Perform(ctx context.Context, r shipping.Request) (shipping.Answer, error)
	Find(ctx context.Context, r shipping.Request) (shipping.Answer, error)
	Policy() shipping.Policy
}

// BuyLabel buys the label of a parcel, or of the one in which a return comes.
func (a *Activities) BuyLabel(ctx context.Context, s Step) (order.Facts, error) {
	return a.carry(ctx, s)
}

// VoidLabel gives a label back that will not be used.
func (a *Activities) VoidLabel(ctx context.Context, s Step) (order.Facts, error) {
	return a.carry(ctx, s)
}

// carry is to a carrier what pay is to a payment gateway. A label that nobody wants any more is bought all the
// same when its request may have been sent, and then voided: unlike a hold on a customer's card that costs nobody
// anything, and it leaves no doubt.
func (a *Activities) carry(ctx context.Context, s Step) (order.Facts, error) {
	defer alive(ctx)()
	o, op, err := a.due(ctx, s)
	if err != nil {
		return order.Facts{}, border(err)
	}
	if op == nil {
		return facts(o, s.On), nil
	}
	request := o.CarrierRequest(*op)
	a.reached(ctx, BeforeEffect)
	policy := a.Carrier.Policy()
	asking, cancel := context.WithTimeout(ctx, patience(ctx, policy.LocalAttempt, policy.RequestTimeout))
	answer, err := askCarrier(asking, a.Carrier, request, op.State == payment.Unsettled)
	cancel()
	a.reached(ctx, AfterEffect)
	if err != nil {
		return a.unanswered(ctx, s, asPayment(err), false)
	}
	return a.record(ctx, s, func(o *order.Order, act order.Act) { o.CarrierAnswered(s.Key, answer, act) })
}

func askCarrier(ctx context.Context, carrier Carrier, r shipping.Request, sentBefore bool) (shipping.Answer, error) {
	if sentBefore {
		answer, err := carrier.Find(ctx, r)
		if err == nil || !errors.Is(err, shipping.ErrNotFound) {
			return answer, err
		}
	}
	return carrier.Perform(ctx, r)
}

// asPayment names a carrier's lack of an answer as unanswered knows it.
func asPayment(err error) error {
	switch {
	case errors.Is(err, shipping.ErrKeyInUse):
		return payment.ErrKeyInUse
	case errors.Is(err, shipping.ErrKeyReused):
		return payment.ErrKeyReused
	}
	return payment.ErrUnknown
}
