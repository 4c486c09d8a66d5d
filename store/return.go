package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/waybill-oms/waybill/domain/order"
)

// ReturnFilter narrows a list of returns; zero values do not.
type ReturnFilter struct {
	OrderID, Status string

	Attention *bool // only those that do, or do not, ask for attention
	Page      Page
}

// ReturnRow is one row of a list of returns.
type ReturnRow struct {
	OrderID    string
	ExternalID string // of the order, as Channel is
	Channel    string
	Currency   string
	order.Return
}

// Returns lists returns, newest first, ties by id.
func (s *Store) Returns(ctx context.Context, f ReturnFilter) ([]ReturnRow, error) {
	w := &where{}
	w.text("l.order_id = ?", f.OrderID)
	w.text("l.status = ?", f.Status)
	w.attention("l.attention_code", f.Attention)
	w.page("l.created_at", "l.id", "<", f.Page)
	var found []struct {
		OrderID    string `db:"order_id"`
		ExternalID string `db:"external_id"`
		Channel    string `db:"channel"`
		Currency   string `db:"currency"`
		Document   []byte `db:"document"`
	}
	err := s.db.SelectContext(ctx, &found, `
		SELECT l.order_id, o.external_id, o.channel, o.currency, (SELECT row_to_json(x) FROM (`+returnSQL+` WHERE t.id = l.id) x) AS document
		FROM returns l JOIN orders o ON o.id = l.order_id `+w.String()+
		fmt.Sprintf(` ORDER BY l.created_at DESC, l.id DESC LIMIT %d`, f.Page.Limit), w.args...)
	if err != nil {
		return nil, classify(err)
	}
	rows := make([]ReturnRow, len(found))
	for i, r := range found {
		rows[i].OrderID, rows[i].ExternalID, rows[i].Channel, rows[i].Currency = r.OrderID, r.ExternalID, r.Channel, r.Currency
		if err := json.Unmarshal(r.Document, &rows[i].Return); err != nil {
			return nil, fmt.Errorf("load return: %w", err)
		}
	}
	return rows, nil
}
