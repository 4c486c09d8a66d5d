package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/waybill-oms/waybill/domain/shipping"
)

// Carrier is the sandbox's carrier. It is safe for concurrent use, also from several processes.
type Carrier struct{ desk desk }

// Policy declares the same limits as the payment gateway's.
func (c *Carrier) Policy() shipping.Policy {
	return shipping.Policy{LocalAttempt: time.Second, RequestTimeout: c.desk.options.RequestTimeout}
}

// Perform applies req.Key at most once and answers. A request that cannot be read (no key, a kind that does
// not exist, a text over 255 bytes or not UTF-8) is refused as invalid_request and leaves no trace; every
// other terminal answer stands in the ledger. Errors: shipping.ErrUnknown, ErrKeyInUse and ErrKeyReused.
func (c *Carrier) Perform(ctx context.Context, req shipping.Request) (shipping.Answer, error) {
	if !shippingReadable(req) {
		return shipping.Answer{Outcome: shipping.Refused, Carrier: carrierName, Code: "invalid_request",
			Detail: "the request has no key, an unknown kind or a text that cannot be kept"}, nil
	}
	k := call{gateway: c.desk.gateway, key: req.Key, kind: string(req.Kind), fingerprint: shippingFingerprint(req)}
	return serve(ctx, c.desk, k, &carrierOperation{now: c.desk.now(), req: req})
}

// Find gives the terminal answer under req.Key; the rest of req is not looked at. Errors:
// shipping.ErrNotFound, ErrKeyInUse while the key is being worked on, ErrUnknown.
func (c *Carrier) Find(ctx context.Context, req shipping.Request) (shipping.Answer, error) {
	return find(ctx, c.desk, req.Key, func(ctx context.Context, q sqlx.QueryerContext) (shipping.Answer, error) {
		return readCarrier(ctx, q, req.Key)
	})
}

// Track gives what has been seen of a parcel so far, oldest first: nothing right after the label was bought,
// one scan more each time the clock passes the next one of its script. Errors: shipping.ErrNotFound for a
// number that was never given out, ErrUnknown.
func (c *Carrier) Track(ctx context.Context, trackingNumber string) ([]shipping.Scan, error) {
	ctx, cancel := context.WithTimeout(ctx, c.desk.options.RequestTimeout)
	defer cancel()
	if !readable(trackingNumber) {
		return nil, shipping.ErrNotFound
	}
	l, err := labelByTrackingNumber(ctx, c.desk.db, trackingNumber)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, shipping.ErrNotFound
	}
	if err != nil {
		return nil, c.desk.lost(ctx, err)
	}
	return scansUntil(l, c.desk.now(), c.desk.options.CarrierDay), nil
}

func shippingReadable(req shipping.Request) bool {
	to := req.To
	return req.Key != "" && (req.Kind == shipping.BuyLabel || req.Kind == shipping.VoidLabel) &&
		readable(req.Key, req.OrderID, req.ShipmentID, req.Service, req.Label,
			to.Name, to.Line1, to.Line2, to.City, to.Region, to.PostalCode, to.Country)
}

func shippingFingerprint(req shipping.Request) string {
	to := req.To
	return fingerprint(req.Kind, req.OrderID, req.ShipmentID, req.Service, req.WeightGrams, req.Label, req.Return,
		to.Name, to.Line1, to.Line2, to.City, to.Region, to.PostalCode, to.Country)
}

// carrierOperation is one request while it is being applied.
type carrierOperation struct {
	now time.Time
	req shipping.Request

	label label // empty for a purchase, or when the reference is unknown
}

func (o *carrierOperation) stored(ctx context.Context, tx *sqlx.Tx) (shipping.Answer, bool, error) {
	answer, err := readCarrier(ctx, tx, o.req.Key)
	return orAbsent(answer, err)
}

// lock takes the label that is to be voided. The script is the postal code's that the label goes to.
func (o *carrierOperation) lock(ctx context.Context, tx *sqlx.Tx) (fault, error) {
	if o.req.Kind == shipping.BuyLabel {
		return postalCode(o.req.To.PostalCode).on[shipping.BuyLabel], nil
	}
	l, found, err := lockLabel(ctx, tx, o.req.Label)
	if err != nil || !found {
		return none, err
	}
	o.label = l
	return postalCode(l.PostalCode).on[shipping.VoidLabel], nil
}

func (o *carrierOperation) apply(ctx context.Context, tx *sqlx.Tx) (shipping.Answer, error) {
	if o.req.Kind == shipping.VoidLabel {
		answer, after := decideVoidLabel(o.label, o.now)
		if err := writeCarrier(ctx, tx, o.req, answer, o.now); err != nil {
			return shipping.Answer{}, err
		}
		if answer.Outcome != shipping.Succeeded {
			return answer, nil
		}
		return answer, voidLabel(ctx, tx, after)
	}
	answer, bought := decideLabel(o.req, o.now)
	if answer.Outcome == shipping.Succeeded {
		number, err := freeTrackingNumber(ctx, tx, o.req.Key)
		if err != nil {
			return shipping.Answer{}, err
		}
		answer.TrackingNumber, bought.TrackingNumber = number, number
	}
	if err := writeCarrier(ctx, tx, o.req, answer, o.now); err != nil {
		return shipping.Answer{}, err
	}
	if answer.Outcome != shipping.Succeeded {
		return answer, nil
	}
	return answer, insertLabel(ctx, tx, bought)
}
