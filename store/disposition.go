package store

import (
	"context"
	"strconv"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

// Dispose writes what somebody decided about goods that are not for sale: ledger and levels in one transaction, once
// per command key. What becomes available is granted as what arrives is. Errors: NotFound for the location; Conflict
// not_in_state, line by line, where fewer units are in the state that a line names; Invalid where a line decides
// nothing.
func (s *Store) Dispose(ctx context.Context, cmd *Command, locationID string, lines []inventory.Decided, reason string, act order.Act) error {
	var wrong fault.Fields
	var skus []string
	available := false
	for i, d := range lines {
		if _, ok := d.Movement(locationID); !ok {
			wrong.Add(lineAt(i, "to"), "same_state", "%s units cannot become %s", d.From, d.To)
		}
		skus = append(skus, d.SKU)
		available = available || d.To == inventory.Available
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	if !available {
		skus = nil // nothing to grant
	}
	return s.moveStock(ctx, cmd, locationID, skus, act, func(tx *sqlx.Tx) error {
		return dispose(ctx, tx, cmd.Key, locationID, lines, reason, act)
	})
}

func dispose(ctx context.Context, tx *sqlx.Tx, reference, locationID string, lines []inventory.Decided, reason string, act order.Act) error {
	left, err := disposable(ctx, tx, locationID, lines)
	if err != nil {
		return err
	}
	r := rows{}
	var movements []inventory.Movement
	var came []string
	var missing []fault.Field
	for i, d := range lines {
		in := stateOf{d.SKU, d.From}
		if d.Quantity > left[in] {
			missing = append(missing, fault.Field{Pointer: lineAt(i, "quantity"), Code: "not_in_state",
				Detail: strconv.FormatInt(left[in], 10) + " to be decided about are " + string(d.From) + " at this location"})
			continue
		}
		left[in] -= d.Quantity
		m, _ := d.Movement(locationID)
		m.Reference, m.Reason = reference, reason
		movements = append(movements, m)
		r.add(stockLedgerTable, m, "actor", act.Actor, "request_id", act.RequestID, "at", act.At.Format(timeFormat))
		if d.To == inventory.Available {
			came = append(came, d.SKU)
		}
	}
	if len(missing) > 0 {
		f := fault.Conflictf("not_in_state", "%d of %d lines name more units than are in that state: nothing was changed", len(missing), len(lines))
		f.Fields = missing
		return f
	}
	if _, err := r.write(ctx, tx, 0, nil); err != nil {
		return err
	}
	if err := applyMovements(ctx, tx, movements); err != nil {
		return err
	}
	return arrived(ctx, tx, locationID, came, act)
}

// stateOf is some SKU in some state.
type stateOf struct {
	sku   string
	state inventory.State
}

// disposable counts what is not for sale and may be decided about by hand. What a return received and nobody
// inspected yet is left to its inspection, which could not book it any more. Both are read under the levels' lock,
// which whoever receives or grades goods takes too.
func disposable(ctx context.Context, tx *sqlx.Tx, locationID string, lines []inventory.Decided) (map[stateOf]int64, error) {
	var skus []string
	for _, d := range lines {
		skus = append(skus, d.SKU)
	}
	var levels []Level
	err := tx.SelectContext(ctx, &levels, `
		SELECT l.sku, l.location_id, l.on_hand, l.committed, l.unavailable, l.damaged
		FROM stock_levels l WHERE l.location_id = $1 AND l.sku = ANY($2) ORDER BY l.sku `+stockLock, locationID, pq.Array(skus))
	if err != nil {
		return nil, err
	}
	var uninspected []struct {
		SKU   string `db:"sku"`
		Units int64  `db:"units"`
	}
	err = tx.SelectContext(ctx, &uninspected, `SELECT sku, sum(received - inspected) AS units FROM return_lines
		WHERE location_id = $1 AND sku = ANY($2) AND received > inspected GROUP BY sku`, locationID, pq.Array(skus))
	if err != nil {
		return nil, err
	}
	left := map[stateOf]int64{}
	for _, l := range levels {
		left[stateOf{l.SKU, inventory.QualityControl}] = l.QualityControl()
		left[stateOf{l.SKU, inventory.Damaged}] = l.Damaged
	}
	for _, u := range uninspected {
		left[stateOf{u.SKU, inventory.QualityControl}] -= u.Units
	}
	return left, nil
}

func lineAt(i int, field string) string { return "/lines/" + strconv.Itoa(i) + "/" + field }
