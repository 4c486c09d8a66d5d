package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/waybill-oms/waybill/domain/shipping"
)

// numberTriesMax bounds the search for a free tracking number. With a billion labels sold out of a million
// million numbers, one try in a thousand meets a taken one.
const numberTriesMax = 10

// readCarrier gives the answer that stands under key; sql.ErrNoRows when there is none.
func readCarrier(ctx context.Context, q sqlx.QueryerContext, key string) (shipping.Answer, error) {
	const query = `
		SELECT outcome, reference, tracking_number, cost, currency, code, detail
		FROM sandbox.carrier_ledger WHERE key = $1`
	var row struct {
		Outcome        string `db:"outcome"`
		Reference      string `db:"reference"`
		TrackingNumber string `db:"tracking_number"`
		Cost           int64  `db:"cost"`
		Currency       string `db:"currency"`
		Code           string `db:"code"`
		Detail         string `db:"detail"`
	}
	if err := sqlx.GetContext(ctx, q, &row, query, key); err != nil {
		return shipping.Answer{}, err
	}
	return shipping.Answer{Outcome: shipping.Outcome(row.Outcome), Reference: row.Reference, Carrier: carrierName,
		TrackingNumber: row.TrackingNumber, Cost: row.Cost, Currency: row.Currency, Code: row.Code,
		Detail: row.Detail}, nil
}

// writeCarrier adds a terminal answer to the ledger. A purchase's row carries its own reference as
// label_reference once it made a label, so that one column groups all rows of a label.
func writeCarrier(ctx context.Context, tx *sqlx.Tx, req shipping.Request, answer shipping.Answer, now time.Time) error {
	const query = `
		INSERT INTO sandbox.carrier_ledger (key, kind, order_id, shipment_id, label_reference, tracking_number,
			service, cost, currency, outcome, code, detail, reference, applied_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	label := req.Label
	if req.Kind == shipping.BuyLabel {
		label = ""
		if answer.Outcome == shipping.Succeeded {
			label = answer.Reference
		}
	}
	_, err := tx.ExecContext(ctx, query, req.Key, req.Kind, req.OrderID, req.ShipmentID, label,
		answer.TrackingNumber, req.Service, answer.Cost, answer.Currency, answer.Outcome, answer.Code, answer.Detail,
		answer.Reference, now)
	return err
}

// freeTrackingNumber is the first candidate of a key that no label has. Two purchases that want the same
// number at the same moment are told apart by labels_tracking_number; the loser's caller asks again.
func freeTrackingNumber(ctx context.Context, tx *sqlx.Tx, key string) (string, error) {
	const query = `SELECT EXISTS (SELECT 1 FROM sandbox.labels WHERE tracking_number = $1)`
	for try := range numberTriesMax {
		number := trackingNumber(key, try)
		var taken bool
		if err := tx.GetContext(ctx, &taken, query, number); err != nil {
			return "", err
		}
		if !taken {
			return number, nil
		}
	}
	return "", fmt.Errorf("no free tracking number in %d tries", numberTriesMax)
}

// lockLabel reads a label that the transaction may change; found is false for an unknown reference.
func lockLabel(ctx context.Context, tx *sqlx.Tx, reference string) (l label, found bool, err error) {
	const query = `
		SELECT reference, key, order_id, shipment_id, tracking_number, service, weight_grams, postal_code,
			purchased_at, voided_at
		FROM sandbox.labels WHERE reference = $1 FOR UPDATE`
	err = tx.GetContext(ctx, &l, query, reference)
	return orAbsent(l, err)
}

// labelByTrackingNumber gives sql.ErrNoRows for a number that was never given out.
func labelByTrackingNumber(ctx context.Context, q sqlx.QueryerContext, number string) (label, error) {
	const query = `
		SELECT reference, key, order_id, shipment_id, tracking_number, service, weight_grams, postal_code,
			purchased_at, voided_at
		FROM sandbox.labels WHERE tracking_number = $1`
	var l label
	err := sqlx.GetContext(ctx, q, &l, query, number)
	return l, err
}

func insertLabel(ctx context.Context, tx *sqlx.Tx, l label) error {
	const query = `
		INSERT INTO sandbox.labels (reference, key, order_id, shipment_id, tracking_number, service, weight_grams,
			postal_code, purchased_at, voided_at)
		VALUES (:reference, :key, :order_id, :shipment_id, :tracking_number, :service, :weight_grams,
			:postal_code, :purchased_at, :voided_at)`
	_, err := tx.NamedExecContext(ctx, query, l)
	return err
}

func voidLabel(ctx context.Context, tx *sqlx.Tx, l label) error {
	const query = `UPDATE sandbox.labels SET voided_at = :voided_at WHERE reference = :reference`
	_, err := tx.NamedExecContext(ctx, query, l)
	return err
}
