package store

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

// Location is a place that keeps stock and ships it. A lower priority is asked first.
type Location struct {
	ID        string    `db:"id"`
	Name      string    `db:"name"`
	Country   string    `db:"country"`
	Priority  int       `db:"priority"`
	CreatedAt time.Time `db:"created_at"`
	UpdatedAt time.Time `db:"updated_at"`
}

// PutLocation creates or changes a location. The first result is true when it is new.
func (s *Store) PutLocation(ctx context.Context, l Location, act order.Act) (created bool, err error) {
	err = s.db.GetContext(ctx, &created, `
		INSERT INTO locations (id, name, country, priority, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
		ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, country = EXCLUDED.country,
			priority = EXCLUDED.priority, updated_at = EXCLUDED.updated_at
		RETURNING xmax = 0`, l.ID, l.Name, l.Country, l.Priority, act.At)
	return created, classify(err)
}

// Location reads one. Errors: NotFound.
func (s *Store) Location(ctx context.Context, id string) (Location, error) {
	var found []Location
	err := s.db.SelectContext(ctx, &found, `SELECT id, name, country, priority, created_at, updated_at FROM locations WHERE id = $1`, id)
	if err != nil {
		return Location{}, classify(err)
	}
	if len(found) == 0 {
		return Location{}, fault.NotFoundf("there is no such location")
	}
	return found[0], nil
}

// StockChange is some units of one SKU: positive for a receipt, either sign for an adjustment.
type StockChange struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// ChangeStock writes a receipt or an adjustment at a location: ledger and levels in one transaction, once per
// command key. What arrives is granted in the same transaction to orders that wait for it. Errors: NotFound for the
// location; Conflict below_committed with the holders when it would leave less than is committed to orders or not
// for sale.
func (s *Store) ChangeStock(ctx context.Context, cmd *Command, kind inventory.Kind, locationID string, changes []StockChange, reason string, act order.Act) error {
	var skus []string // of which something arrives, with all that moves beside it
	if slices.ContainsFunc(changes, func(c StockChange) bool { return c.Quantity > 0 }) {
		for _, c := range changes {
			skus = append(skus, c.SKU)
		}
	}
	err := s.moveStock(ctx, cmd, locationID, skus, act, func(tx *sqlx.Tx) error {
		return writeStock(ctx, tx, kind, locationID, changes, reason, cmd.Key, act)
	})
	if fault.Is(err, "below_committed") || fault.Is(err, "below_zero") {
		return s.withHolders(ctx, fault.As(err), locationID, changes)
	}
	return err
}

// moveStock has write move stock at a location, once per command key, and grants what arrives of the SKUs to orders
// that wait for it. Nothing fails because of them: goods that are here are here. When they cannot be granted in time,
// or at all, stock is moved without, and GrantBackorders tries again.
func (s *Store) moveStock(ctx context.Context, cmd *Command, locationID string, skus []string, act order.Act, write func(*sqlx.Tx) error) error {
	granting := false
	var given []*order.Order
	move := func(tx *sqlx.Tx) error {
		granting, given = false, nil
		done, err := claim(ctx, tx, cmd, act)
		if err != nil || done {
			return err
		}
		var known bool
		if err := tx.GetContext(ctx, &known, `SELECT EXISTS (SELECT 1 FROM locations WHERE id = $1)`, locationID); err != nil {
			return err
		}
		if !known {
			return fault.NotFoundf("there is no such location: create it first")
		}
		queue, err := candidates(ctx, tx, skus)
		if err != nil {
			return err
		}
		if len(queue) == 0 {
			return write(tx)
		}
		granting = true
		given, err = grant(ctx, tx, queue, skus, act, func() error { return write(tx) })
		return err
	}
	err := s.inTx(ctx, move)
	if err != nil && granting {
		skus = nil
		err = s.inTx(ctx, move)
	}
	if err == nil {
		s.seen.keep(given...)
	}
	return err
}

func writeStock(ctx context.Context, tx *sqlx.Tx, kind inventory.Kind, locationID string, changes []StockChange, reason, reference string, act order.Act) error {
	r := rows{}
	var movements []inventory.Movement
	for _, c := range changes {
		m := inventory.Movement{SKU: c.SKU, LocationID: locationID, Kind: kind, Quantity: max(c.Quantity, -c.Quantity),
			OnHand: c.Quantity, Reference: reference, Reason: reason}
		movements = append(movements, m)
		r.add(stockLedgerTable, m, "actor", act.Actor, "request_id", act.RequestID, "at", act.At.Format(timeFormat))
	}
	if err := ensureLevels(ctx, tx, movements); err != nil {
		return err
	}
	if _, err := r.write(ctx, tx, 0, nil); err != nil {
		return err
	}
	if err := applyMovements(ctx, tx, movements); err != nil {
		return err
	}
	var came []string
	for _, c := range changes {
		if c.Quantity > 0 {
			came = append(came, c.SKU)
		}
	}
	return arrived(ctx, tx, locationID, came, act)
}

// arrived notes that units of some SKUs came, or may be sold again: where a picker found none there may be some now.
func arrived(ctx context.Context, tx *sqlx.Tx, locationID string, skus []string, act order.Act) error {
	_, err := tx.ExecContext(ctx, `UPDATE stock_levels SET arrived_at = $3 WHERE location_id = $1 AND sku = ANY($2)`, locationID, pq.Array(skus), act.At)
	return err
}

// withHolders adds to a refusal who holds the units in question.
func (s *Store) withHolders(ctx context.Context, f *fault.Fault, locationID string, changes []StockChange) error {
	refusal := *f
	for _, c := range changes {
		if c.Quantity >= 0 {
			continue
		}
		held, err := s.Holders(ctx, HolderFilter{SKU: c.SKU, LocationID: locationID, Limit: 100})
		if err != nil {
			return err
		}
		for _, h := range held {
			refusal.Holders = append(refusal.Holders, h.Holder)
		}
	}
	return &refusal
}

// HolderFilter says whose holders to list; AfterID continues.
type HolderFilter struct {
	SKU, LocationID string // LocationID may be empty
	AfterID         string
	Limit           int
}

// HolderRow is one allocation that still commits units.
type HolderRow struct {
	ID string // of the allocation
	fault.Holder
}

// Holders lists the orders that hold units of a SKU, in the order in which they got them.
func (s *Store) Holders(ctx context.Context, f HolderFilter) ([]HolderRow, error) {
	var found []struct {
		ID         string `db:"id"`
		OrderID    string `db:"order_id"`
		LineID     string `db:"line_id"`
		SKU        string `db:"sku"`
		LocationID string `db:"location_id"`
		Quantity   int64  `db:"quantity"`
	}
	err := s.db.SelectContext(ctx, &found, `
		SELECT id, order_id, line_id, sku, location_id, quantity - released - consumed AS quantity
		FROM allocations WHERE sku = $1 AND ($2 = '' OR location_id = $2) AND released + consumed < quantity AND id > $3
		ORDER BY id LIMIT $4`, f.SKU, f.LocationID, f.AfterID, f.Limit)
	rows := make([]HolderRow, len(found))
	for i, h := range found {
		rows[i] = HolderRow{ID: h.ID, Holder: fault.Holder{OrderID: h.OrderID, LineID: h.LineID, SKU: h.SKU,
			LocationID: h.LocationID, Quantity: h.Quantity}}
	}
	return rows, classify(err)
}
