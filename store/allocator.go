package store

import (
	"context"
	"slices"
	"sync"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

const (
	// allocatorBatch is how many orders share one transaction at most: beyond it a batch holds its locks for
	// longer than it saves commits.
	allocatorBatch = 128
	// allocatorWorkers: one commits while the other decides.
	allocatorWorkers = 2
)

// allocator commits the allocations of many orders together: whatever arrives while one batch commits is the next
// batch. Under load a hot SKU is locked once per batch instead of once per order; alone, an order waits for nobody.
// Refusals are only ever decided under the lock, never from what was read before.
type allocator struct {
	store *Store
	queue chan *allocation
	stop  context.CancelFunc
	done  sync.WaitGroup
}

type allocation struct {
	ctx     context.Context
	orderID string
	act     order.Act
	answer  chan allocated
}

type allocated struct {
	order *order.Order
	err   error
}

func newAllocator(s *Store) *allocator {
	ctx, stop := context.WithCancel(context.TODO()) // lives until close, not for one request
	a := &allocator{store: s, queue: make(chan *allocation, 4*allocatorBatch), stop: stop}
	for range allocatorWorkers {
		a.done.Go(func() { a.work(ctx) })
	}
	return a
}

func (a *allocator) close() {
	a.stop()
	a.done.Wait()
}

// Allocate decides the stock of an order: accepted with its allocations, or rejected with what is short. An order
// that does not wait for stock comes back as it stands, so asking again is harmless.
func (s *Store) Allocate(ctx context.Context, orderID string, act order.Act) (*order.Order, error) {
	r := &allocation{ctx: ctx, orderID: orderID, act: act, answer: make(chan allocated, 1)}
	select {
	case s.allocator.queue <- r:
	case <-ctx.Done():
		return nil, classify(ctx.Err())
	}
	select {
	case got := <-r.answer:
		return got.order, got.err
	case <-ctx.Done():
		return nil, classify(ctx.Err())
	}
}

func (a *allocator) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-a.queue:
			a.serve(ctx, a.drain(first))
		}
	}
}

// drain takes what is waiting, without waiting for more.
func (a *allocator) drain(first *allocation) []*allocation {
	batch := []*allocation{first}
	for len(batch) < allocatorBatch {
		select {
		case next := <-a.queue:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// serve commits a batch, or, when that fails, each order by itself: a bad order never fails its neighbors. When it
// is the database that fails, everybody hears so at once.
func (a *allocator) serve(ctx context.Context, batch []*allocation) {
	var live []*allocation
	for _, r := range batch {
		if r.ctx.Err() == nil {
			live = append(live, r)
		}
	}
	if len(live) == 0 {
		return
	}
	err := a.commit(ctx, live)
	if f := fault.As(err); err == nil {
		return
	} else if len(live) == 1 || f != nil && f.Kind == fault.Unavailable {
		for _, r := range live {
			r.answer <- allocated{err: err}
		}
		return
	}
	for _, r := range live {
		if err := a.commit(ctx, []*allocation{r}); err != nil {
			r.answer <- allocated{err: err}
		}
	}
}

// commit decides and writes a batch in one transaction and answers everybody in it. Locks are taken in the order
// that everybody keeps: orders by id, then stock by (sku, location).
func (a *allocator) commit(ctx context.Context, batch []*allocation) error {
	ids := make([]string, 0, len(batch))
	for _, r := range batch {
		ids = append(ids, r.orderID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	byID := map[string]*order.Order{}
	err := a.store.inTx(ctx, func(tx *sqlx.Tx) error {
		clear(byID)
		var locked []string
		if err := tx.SelectContext(ctx, &locked, `SELECT id FROM orders WHERE id = ANY($1) ORDER BY id `+lockClause, pq.Array(ids)); err != nil {
			return err
		}
		orders, err := load(ctx, tx, locked)
		if err != nil {
			return err
		}
		before := snapshot(orders)
		for _, o := range orders {
			byID[o.ID] = o
		}
		if err := decide(ctx, tx, batch, byID); err != nil {
			return err
		}
		return save(ctx, tx, before, batch[0].act, orders...)
	})
	if err != nil {
		return err
	}
	for _, r := range batch {
		if o := byID[r.orderID]; o != nil {
			r.answer <- allocated{order: o}
		} else {
			r.answer <- allocated{err: fault.NotFoundf("there is no such order")}
		}
	}
	return nil
}

// decide allocates the orders one after the other, in the order in which they asked, each from what the ones
// before it left.
func decide(ctx context.Context, tx *sqlx.Tx, batch []*allocation, byID map[string]*order.Order) error {
	var skus []string
	for _, o := range byID {
		for _, n := range o.Needs() {
			skus = append(skus, n.SKU)
		}
	}
	stock, err := readStock(ctx, tx, skus, stockLock)
	if err != nil {
		return err
	}
	for _, r := range batch {
		o := byID[r.orderID]
		if o == nil {
			continue
		}
		plan := inventory.Allocate(o.Needs(), stock)
		before := len(o.Allocations)
		o.Allocate(plan, r.act)
		for _, g := range o.Allocations[before:] {
			stock.Available[g.LocationID][g.SKU] -= g.Quantity
		}
	}
	return nil
}

// stockLock is a variable for the same reason as lockClause.
var stockLock = "FOR NO KEY UPDATE OF l"

// readStock reads what is available of some SKUs, by location. With a lock clause nobody else can change it
// until the transaction ends.
func readStock(ctx context.Context, q sqlx.QueryerContext, skus []string, lock string) (inventory.Stock, error) {
	slices.Sort(skus)
	skus = slices.Compact(skus)
	var levels []struct {
		SKU        string `db:"sku"`
		LocationID string `db:"location_id"`
		Available  int64  `db:"available"`
		Priority   int    `db:"priority"`
	}
	err := sqlx.SelectContext(ctx, q, &levels, `
		SELECT l.sku, l.location_id, l.on_hand - l.committed - l.unavailable AS available, p.priority
		FROM stock_levels l JOIN locations p ON p.id = l.location_id
		WHERE l.sku = ANY($1) ORDER BY l.sku, l.location_id `+lock, pq.Array(skus))
	if err != nil {
		return inventory.Stock{}, err
	}
	stock := inventory.Stock{Available: map[string]map[string]int64{}}
	for _, l := range levels {
		if stock.Available[l.LocationID] == nil {
			stock.Available[l.LocationID] = map[string]int64{}
			stock.Locations = append(stock.Locations, inventory.Location{ID: l.LocationID, Priority: l.Priority})
		}
		stock.Available[l.LocationID][l.SKU] = l.Available
	}
	return stock, nil
}
