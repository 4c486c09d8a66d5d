package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/waybill-oms/waybill/domain/payment"
)

// orAbsent turns the absence of a row into a plain false.
func orAbsent[A any](row A, err error) (A, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return row, false, nil
	}
	return row, err == nil, err
}

// readPayment gives the answer that stands under key; sql.ErrNoRows when there is none.
func readPayment(ctx context.Context, q sqlx.QueryerContext, key string) (payment.Answer, error) {
	const query = `
		SELECT outcome, reference, amount, currency, capture_before, code, detail, next_url
		FROM sandbox.payment_ledger WHERE key = $1`
	var row struct {
		Outcome       string     `db:"outcome"`
		Reference     string     `db:"reference"`
		Amount        int64      `db:"amount"`
		Currency      string     `db:"currency"`
		CaptureBefore *time.Time `db:"capture_before"`
		Code          string     `db:"code"`
		Detail        string     `db:"detail"`
		NextURL       string     `db:"next_url"`
	}
	if err := sqlx.GetContext(ctx, q, &row, query, key); err != nil {
		return payment.Answer{}, err
	}
	answer := payment.Answer{Outcome: payment.Outcome(row.Outcome), Reference: row.Reference, Amount: row.Amount,
		Currency: row.Currency, Code: row.Code, Detail: row.Detail, NextURL: row.NextURL}
	if row.CaptureBefore != nil {
		answer.CaptureBefore = row.CaptureBefore.UTC()
	}
	return answer, nil
}

// writePayment adds a terminal answer to the ledger. An authorization's row carries its own reference as
// authorization_reference once it holds something, so that one column groups all rows of a hold.
func writePayment(ctx context.Context, tx *sqlx.Tx, req payment.Request, answer payment.Answer, now time.Time) error {
	const query = `
		INSERT INTO sandbox.payment_ledger (key, kind, order_id, authorization_reference, requested_amount, amount,
			currency, outcome, code, detail, reference, next_url, capture_before, applied_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	authorization := req.Authorization
	if req.Kind == payment.Authorize {
		authorization = ""
		if answer.Outcome == payment.Succeeded {
			authorization = answer.Reference
		}
	}
	var before *time.Time
	if !answer.CaptureBefore.IsZero() {
		before = &answer.CaptureBefore
	}
	_, err := tx.ExecContext(ctx, query, req.Key, req.Kind, req.OrderID, authorization, req.Amount, answer.Amount,
		answer.Currency, answer.Outcome, answer.Code, answer.Detail, answer.Reference, answer.NextURL, before, now)
	return err
}

// refusedBefore reports whether an operation of the same kind on the same hold was refused by code.
func refusedBefore(ctx context.Context, tx *sqlx.Tx, req payment.Request, code string) (bool, error) {
	const query = `
		SELECT EXISTS (
			SELECT 1 FROM sandbox.payment_ledger
			WHERE authorization_reference = $1 AND kind = $2 AND code = $3)`
	var refused bool
	err := tx.GetContext(ctx, &refused, query, req.Authorization, req.Kind, code)
	return refused, err
}

// lockHold reads a hold that the transaction may change; found is false for an unknown reference.
func lockHold(ctx context.Context, tx *sqlx.Tx, reference string) (h hold, found bool, err error) {
	const query = `
		SELECT reference, key, order_id, token, currency, authorized, captured, voided, refunded, capture_before,
			created_at
		FROM sandbox.authorizations WHERE reference = $1 FOR UPDATE`
	err = tx.GetContext(ctx, &h, query, reference)
	return orAbsent(h, err)
}

func insertHold(ctx context.Context, tx *sqlx.Tx, h hold) error {
	const query = `
		INSERT INTO sandbox.authorizations (reference, key, order_id, token, currency, authorized, captured, voided,
			refunded, capture_before, created_at)
		VALUES (:reference, :key, :order_id, :token, :currency, :authorized, :captured, :voided, :refunded,
			:capture_before, :created_at)`
	_, err := tx.NamedExecContext(ctx, query, h)
	return err
}

func updateHold(ctx context.Context, tx *sqlx.Tx, h hold) error {
	const query = `
		UPDATE sandbox.authorizations SET captured = :captured, voided = :voided, refunded = :refunded
		WHERE reference = :reference`
	_, err := tx.NamedExecContext(ctx, query, h)
	return err
}
