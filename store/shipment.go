package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
)

// ShipmentFilter narrows a list of parcels; zero values do not.
type ShipmentFilter struct {
	Status, Tracking string

	StuckBefore *time.Time // only those on their way of which nothing was heard since then
	Page        Page
}

// ShipmentRow is one row of a list of parcels.
type ShipmentRow struct {
	OrderID string
	order.Shipment
}

// Shipments lists parcels, newest first, ties by id. Those that are stuck come in the order in which somebody has to
// look for them: by the time of the last scan, or of the handover, oldest first; that time is the cursor's then.
func (s *Store) Shipments(ctx context.Context, f ShipmentFilter) ([]ShipmentRow, error) {
	w := &where{}
	w.text("l.status = ?", f.Status)
	w.text("l.tracking_status = ? AND l.handed_over_at IS NOT NULL", f.Tracking) // before that it is nowhere
	sorting := "l.created_at DESC, l.id DESC"
	if f.StuckBefore == nil {
		w.page("l.created_at", "l.id", "<", f.Page)
	} else {
		w.add("l.status IN ('shipped', 'returning') AND l.tracking_at < ?", *f.StuckBefore)
		w.page("l.tracking_at", "l.id", ">", f.Page)
		sorting = "l.tracking_at, l.id"
	}
	var found []struct {
		OrderID  string `db:"order_id"`
		Document []byte `db:"document"`
	}
	err := s.db.SelectContext(ctx, &found, `
		SELECT l.order_id, (SELECT row_to_json(x) FROM (`+shipmentSQL+` WHERE s.id = l.id) x) AS document
		FROM shipments l `+w.String()+fmt.Sprintf(` ORDER BY %s LIMIT %d`, sorting, f.Page.Limit), w.args...)
	if err != nil {
		return nil, classify(err)
	}
	rows := make([]ShipmentRow, len(found))
	for i, r := range found {
		rows[i].OrderID = r.OrderID
		if err := json.Unmarshal(r.Document, &rows[i].Shipment); err != nil {
			return nil, fmt.Errorf("load shipment: %w", err)
		}
	}
	return rows, nil
}
