package store

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

// Place stores a valid, normalized placement as an order: received, or rejected when a look at the stock, which
// reserves nothing, shows that it is plainly short. When the key, or the (channel, external_id), was used before, the order of then comes back and
// fresh is false; whether it is the same order is for the caller to compare.
func (s *Store) Place(ctx context.Context, p order.Placement, orderID, key string, act order.Act) (placed *order.Order, fresh bool, err error) {
	placed = order.Place(p, orderID, act)
	placed.IdempotencyKey = key
	if placed.Decision == order.Undecided {
		if err := s.peek(ctx, placed, act); err != nil {
			return nil, false, classify(err)
		}
	}
	d := differing(nil, []acted{{placed, act}})
	_, err = d.rows.write(ctx, s.db, d.orders, nil) // a new order moves no stock
	if violates(err, "orders_idempotency_key_once") || violates(err, "orders_external_id_once") {
		placed, err = s.placedBefore(ctx, key, p)
		return placed, false, err
	}
	return placed, err == nil, classify(err)
}

// peek rejects an order that wants all or nothing and cannot have it: what is not there, and what others wait for.
func (s *Store) peek(ctx context.Context, o *order.Order, act order.Act) error {
	if !o.AllOrNothing() {
		return nil
	}
	needs := o.Needs()
	stock, err := forSale(ctx, s.db, skusOf(needs))
	if err != nil {
		return err
	}
	if plan := inventory.Allocate(needs, stock); len(plan.Short) > 0 {
		o.TurnAway(plan.Short, act)
	}
	return nil
}

// Stock is what a new order can have of some SKUs at this moment, at all locations. It reserves nothing.
func (s *Store) Stock(ctx context.Context, skus []string) (inventory.Stock, error) {
	stock, err := forSale(ctx, s.db, skus)
	return stock, classify(err)
}

// forSale reads what is available of some SKUs, less what orders wait for.
func forSale(ctx context.Context, q sqlx.QueryerContext, skus []string) (inventory.Stock, error) {
	stock, err := readStock(ctx, q, skus, "")
	if err != nil {
		return inventory.Stock{}, err
	}
	waiting, err := readWaiting(ctx, q, skus)
	return stock.SetAside(waiting), err
}

// placedBefore finds the order that stands in the way: by its key first, since that is what the caller repeats.
func (s *Store) placedBefore(ctx context.Context, key string, p order.Placement) (*order.Order, error) {
	var ids []string
	err := s.db.SelectContext(ctx, &ids, `
		SELECT id FROM orders WHERE idempotency_key = $1 OR (channel = $2 AND external_id = $3)
		ORDER BY idempotency_key = $1 DESC LIMIT 1`, key, p.Channel, p.ExternalID)
	if err != nil {
		return nil, classify(err)
	}
	if len(ids) == 0 {
		return nil, fault.NotFoundf("there is no such order")
	}
	return s.Order(ctx, ids[0])
}
