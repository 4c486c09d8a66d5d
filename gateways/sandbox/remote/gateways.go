package remote

import (
	"context"
	"fmt"

	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// Payments is the payment gateway of another process. It is safe for concurrent use.
type Payments struct{ gateways *Gateways }

// Policy declares what the sandbox's own payment gateway does.
func (p *Payments) Policy() payment.Policy {
	return payment.Policy{LocalAttempt: localAttempt, RequestTimeout: requestTimeout, MultiCapture: true}
}

// Perform sends req. Errors: payment.ErrUnknown, ErrKeyInUse, ErrKeyReused and *payment.RateLimited.
func (p *Payments) Perform(ctx context.Context, req payment.Request) (payment.Answer, error) {
	return p.ask(ctx, "/payments/perform", req)
}

// Find looks req up. Errors: payment.ErrNotFound, ErrKeyInUse, ErrUnknown.
func (p *Payments) Find(ctx context.Context, req payment.Request) (payment.Answer, error) {
	return p.ask(ctx, "/payments/find", req)
}

func (p *Payments) ask(ctx context.Context, path string, req payment.Request) (payment.Answer, error) {
	answer, err := post[payment.Request, payment.Answer](ctx, p.gateways, path, req, paymentErrors)
	if err != nil {
		return payment.Answer{}, err
	}
	switch answer.Outcome {
	case payment.Succeeded, payment.Refused, payment.ActionRequired:
		return answer, nil
	}
	return payment.Answer{}, fmt.Errorf("%w: sandbox gateways: an answer without an outcome", payment.ErrUnknown)
}

// Carrier is the carrier of another process. It is safe for concurrent use.
type Carrier struct{ gateways *Gateways }

// Policy declares the same limits as the payment gateway's.
func (c *Carrier) Policy() shipping.Policy {
	return shipping.Policy{LocalAttempt: localAttempt, RequestTimeout: requestTimeout}
}

// Perform sends req. Errors: shipping.ErrUnknown, ErrKeyInUse and ErrKeyReused.
func (c *Carrier) Perform(ctx context.Context, req shipping.Request) (shipping.Answer, error) {
	return c.ask(ctx, "/carrier/perform", req)
}

// Find looks req up. Errors: shipping.ErrNotFound, ErrKeyInUse, ErrUnknown.
func (c *Carrier) Find(ctx context.Context, req shipping.Request) (shipping.Answer, error) {
	return c.ask(ctx, "/carrier/find", req)
}

func (c *Carrier) ask(ctx context.Context, path string, req shipping.Request) (shipping.Answer, error) {
	answer, err := post[shipping.Request, shipping.Answer](ctx, c.gateways, path, req, carrierErrors)
	if err != nil {
		return shipping.Answer{}, err
	}
	switch answer.Outcome {
	case shipping.Succeeded, shipping.Refused:
		return answer, nil
	}
	return shipping.Answer{}, fmt.Errorf("%w: sandbox gateways: an answer without an outcome", shipping.ErrUnknown)
}

// Track gives what has been seen of a parcel, oldest first. Errors: shipping.ErrNotFound, ErrUnknown.
func (c *Carrier) Track(ctx context.Context, trackingNumber string) ([]shipping.Scan, error) {
	return post[string, []shipping.Scan](ctx, c.gateways, "/carrier/track", trackingNumber, carrierErrors)
}
