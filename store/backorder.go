package store

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

const (
	// grantBatch is how many waiting orders are served in one transaction at most. The rest comes next: what is
	// granted always goes to the first in the queue.
	grantBatch = 128
	// grantPatience is how long a grant waits for an order, or for stock, that somebody else holds.
	grantPatience = time.Second
)

// backlog is how many units of each SKU orders wait for.
type backlog map[string]int64

// without leaves out what an order waits for, as it was read: its own units are not kept from it.
func (b backlog) without(o *order.Order) {
	for _, l := range o.Lines {
		if o.Grantable && l.Backordered > 0 {
			b.count(l.SKU, -l.Backordered)
		}
	}
}

// with counts what an order waits for after a decision.
func (b backlog) with(o *order.Order) {
	if o.Status == order.Received || o.Status.Final() || o.Blocked(order.BlockRelease) {
		return
	}
	for _, n := range o.Needs() {
		b.count(n.SKU, n.Quantity)
	}
}

func (b backlog) count(sku string, units int64) {
	if b[sku] += units; b[sku] <= 0 {
		delete(b, sku)
	}
}

// What waits is read by subqueries rather than joins, here and below: a planner that has not noticed how much waits
// compares every waiting order with every waiting line.

// readWaiting reads how many units of some SKUs orders wait for that may be given them when they arrive.
func readWaiting(ctx context.Context, q sqlx.QueryerContext, skus []string) (backlog, error) {
	var rows []struct {
		SKU   string `db:"sku"`
		Units int64  `db:"units"`
	}
	err := sqlx.SelectContext(ctx, q, &rows, `
		SELECT l.sku, sum(l.backordered) AS units FROM order_lines l
		WHERE l.backordered > 0 AND l.sku = ANY($1) AND (SELECT o.grantable FROM orders o WHERE o.id = l.order_id)
		GROUP BY l.sku`, pq.Array(skus))
	waiting := backlog{}
	for _, r := range rows {
		waiting[r.SKU] = r.Units
	}
	return waiting, err
}

// GrantBackorders gives stock that became available otherwise than by a receipt to the orders that wait for it, and
// returns how many orders got some. It serves a bounded number of orders: whoever calls it calls again until it
// returns none.
func (s *Store) GrantBackorders(ctx context.Context, act order.Act) (granted int, err error) {
	var given []*order.Order
	var skus []string
	err = s.db.SelectContext(ctx, &skus, `
		SELECT DISTINCT l.sku FROM order_lines l
		WHERE l.backordered > 0 AND (SELECT o.grantable FROM orders o WHERE o.id = l.order_id)
			AND (SELECT max(s.on_hand - s.committed - s.unavailable) FROM stock_levels s WHERE s.sku = l.sku) > 0
		ORDER BY l.sku LIMIT $1`, grantBatch)
	if err != nil || len(skus) == 0 {
		return 0, classify(err)
	}
	err = s.inTx(ctx, func(tx *sqlx.Tx) error {
		given = nil
		queue, err := candidates(ctx, tx, skus)
		if err != nil || len(queue) == 0 {
			return err
		}
		given, err = grant(ctx, tx, queue, skus, act, func() error { return nil })
		return err
	})
	if err != nil {
		return 0, err
	}
	s.seen.keep(given...)
	return len(given), nil
}

// candidates lists the first orders that wait for some of the SKUs, in the order in which they are served: by
// priority, then by what was promised first, then by who ordered first.
func candidates(ctx context.Context, tx *sqlx.Tx, skus []string) (queue []string, err error) {
	if len(skus) == 0 {
		return nil, nil
	}
	err = tx.SelectContext(ctx, &queue, `
		SELECT o.id FROM orders o WHERE o.grantable AND (SELECT sum(l.backordered) FROM order_lines l
			WHERE l.order_id = o.id AND l.backordered > 0 AND l.sku = ANY($1)) > 0
		ORDER BY o.priority DESC, o.promised_at, o.created_at, o.id LIMIT $2`, pq.Array(skus), grantBatch)
	return queue, err
}

// grant gives what there is of some SKUs to the orders of the queue, each from what the ones before it left. Locks
// are taken in the order that everybody keeps: orders by id, then stock by (sku, location). What arrives is written
// by receive between locking and granting, so that it is granted in the transaction in which it arrives. Nobody is
// waited for longer than grantPatience.
func grant(ctx context.Context, tx *sqlx.Tx, queue, skus []string, act order.Act, receive func() error) (given []*order.Order, err error) {
	if _, err := tx.ExecContext(ctx, `SET LOCAL lock_timeout = `+millis(grantPatience)); err != nil {
		return nil, err
	}
	orders, err := lockAll(ctx, tx, slices.Sorted(slices.Values(queue)), lockClause)
	if err != nil {
		return nil, err
	}
	if _, err := readStock(ctx, tx, skus, stockLock); err != nil {
		return nil, err
	}
	if err := receive(); err != nil {
		return nil, err
	}
	stock, err := readStock(ctx, tx, skus, stockLock)
	if err != nil {
		return nil, err
	}
	before := snapshot(orders)
	slices.SortFunc(orders, func(a, b *order.Order) int {
		return slices.Index(queue, a.ID) - slices.Index(queue, b.ID)
	})
	var changed []acted
	for _, o := range orders {
		if units := grantOne(o, stock, skus, act); len(units) > 0 {
			stock.Take(units)
			changed, given = append(changed, acted{o, act}), append(given, o)
		}
	}
	return given, save(ctx, tx, before, changed)
}

// grantOne gives an order what there is of what it waits for, unless it was changed meanwhile and may not have it.
func grantOne(o *order.Order, stock inventory.Stock, skus []string, act order.Act) []inventory.Grant {
	if !o.Grantable {
		return nil
	}
	needs := slices.DeleteFunc(o.Needs(), func(n inventory.Need) bool { return !slices.Contains(skus, n.SKU) })
	before := len(o.Allocations)
	o.Grant(inventory.AllocateSome(needs, stock), act)
	return taken(o, before)
}
