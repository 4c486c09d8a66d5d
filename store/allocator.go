package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/telemetry"
)

const (
	// allocatorBatch is how many orders share one transaction at most: beyond it a batch holds its locks for
	// longer than it saves commits.
	allocatorBatch = 128
	// allocatorWorkers: one commits while the other decides.
	allocatorWorkers = 2
	// allocatorPatience is how many orders are waited for at once that somebody else holds.
	allocatorPatience = 2
)

// allocator commits the allocations of many orders together: whatever arrives while one batch commits is the next
// batch. Under load a hot SKU is locked once per batch instead of once per order; alone, an order waits for nobody.
// Refusals are only ever decided under the lock, never from what was read before. An order that somebody else holds
// makes nobody wait but itself: it is left out of its batch and comes into the other queue.
type allocator struct {
	store *Store
	batch func(orders int, took time.Duration) // hears of every transaction
	queue chan *allocation
	held  chan *allocation
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

func newAllocator(s *Store, batch func(orders int, took time.Duration)) *allocator {
	ctx, stop := context.WithCancel(context.TODO()) // lives until close, not for one request
	if batch == nil {
		batch = func(int, time.Duration) {}
	}
	a := &allocator{store: s, batch: batch, queue: make(chan *allocation, 4*allocatorBatch), held: make(chan *allocation, 4*allocatorBatch), stop: stop}
	for range allocatorWorkers {
		a.done.Go(func() { a.work(ctx, a.queue, func(first *allocation) { a.serve(ctx, a.drain(first)) }) })
	}
	for range allocatorPatience {
		a.done.Go(func() { a.work(ctx, a.held, func(r *allocation) { a.wait(ctx, r) }) })
	}
	return a
}

func (a *allocator) close() {
	a.stop()
	a.done.Wait()
}

// Allocate decides the stock of an order: what there is of what it wants is committed to it, and what is short
// rejects it, waits, or is cancelled, as the order says. An order that does not wait for stock comes back as it
// stands, so asking again is harmless.
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

func (a *allocator) work(ctx context.Context, queue <-chan *allocation, serve func(*allocation)) {
	for {
		select {
		case <-ctx.Done():
			return
		case next := <-queue:
			serve(next)
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
// is the database that fails, everybody hears so at once. Orders that somebody else holds are left to wait.
func (a *allocator) serve(ctx context.Context, batch []*allocation) {
	live := slices.DeleteFunc(batch, func(r *allocation) bool { return r.ctx.Err() != nil })
	if len(live) == 0 {
		return
	}
	held, err := a.commit(ctx, live, lockFree())
	if f := fault.As(err); err != nil && (len(live) == 1 || f != nil && f.Kind == fault.Unavailable) {
		for _, r := range live {
			r.answer <- allocated{err: err}
		}
		return
	}
	if err != nil {
		for _, r := range live {
			a.serve(ctx, []*allocation{r})
		}
		return
	}
	for _, r := range held {
		select {
		case a.held <- r:
		default: // more than anybody should ever hold: they wait here
			a.wait(ctx, r)
		}
	}
}

// wait commits an order by itself, when whoever holds it is done.
func (a *allocator) wait(ctx context.Context, r *allocation) {
	if r.ctx.Err() != nil {
		return
	}
	missing, err := a.commit(ctx, []*allocation{r}, lockClause)
	if err == nil && len(missing) > 0 {
		err = fault.NotFoundf("there is no such order")
	}
	if err != nil {
		r.answer <- allocated{err: err}
	}
}

// commit decides and writes a batch in one transaction and answers everybody whose order could be locked; the
// others come back. Locks are taken in the order that everybody keeps: orders by id, then stock by (sku, location).
func (a *allocator) commit(ctx context.Context, batch []*allocation, lock string) (rest []*allocation, err error) {
	ids := make([]string, 0, len(batch))
	for _, r := range batch {
		ids = append(ids, r.orderID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	byID := map[string]*order.Order{}
	began := time.Now()
	ctx = telemetry.Within(ctx, batch[0].ctx)
	err = a.store.inTx(ctx, func(tx *sqlx.Tx) error {
		clear(byID)
		orders, err := lockAll(ctx, tx, ids, lock)
		if err != nil || len(orders) == 0 {
			return err
		}
		before := snapshot(orders)
		for _, o := range orders {
			byID[o.ID] = o
		}
		acted, err := decide(ctx, tx, batch, byID)
		if err != nil {
			return err
		}
		return save(ctx, tx, before, acted)
	})
	if err != nil {
		return nil, err
	}
	if len(byID) > 0 {
		a.batch(len(byID), time.Since(began))
	}
	for _, r := range batch {
		if o := byID[r.orderID]; o != nil {
			a.store.seen.keep(o)
			r.answer <- allocated{order: o}
		} else {
			rest = append(rest, r)
		}
	}
	return rest, nil
}

// lockAll locks orders in the order of their ids, and loads them as they are then.
func lockAll(ctx context.Context, tx *sqlx.Tx, ids []string, lock string) ([]*order.Order, error) {
	var locked []string
	err := tx.SelectContext(ctx, &locked, `SELECT id FROM orders WHERE id = ANY($1) ORDER BY id `+lock, pq.Array(ids))
	if err != nil || len(locked) == 0 {
		return nil, err
	}
	return load(ctx, tx, locked)
}

// decide allocates the orders one after the other, in the order in which they asked, each from what the ones
// before it left, less what others wait for.
func decide(ctx context.Context, tx *sqlx.Tx, batch []*allocation, byID map[string]*order.Order) ([]acted, error) {
	var skus []string
	for _, o := range byID {
		skus = append(skus, skusOf(o.Needs())...)
	}
	stock, err := readStock(ctx, tx, skus, stockLock)
	if err != nil {
		return nil, err
	}
	waiting, err := readWaiting(ctx, tx, skus)
	if err != nil {
		return nil, err
	}
	var changed []acted
	for _, r := range batch {
		o := byID[r.orderID]
		if o == nil {
			continue
		}
		waiting.without(o)
		stock.Take(allocate(o, stock.SetAside(waiting), r.act))
		waiting.with(o)
		if !slices.ContainsFunc(changed, func(c acted) bool { return c.order == o }) {
			changed = append(changed, acted{o, r.act})
		}
	}
	return changed, nil
}

// allocate decides one order and returns what it took.
func allocate(o *order.Order, stock inventory.Stock, act order.Act) []inventory.Grant {
	plan := inventory.AllocateSome(o.Needs(), stock)
	if o.AllOrNothing() {
		plan = inventory.Allocate(o.Needs(), stock)
	}
	before := len(o.Allocations)
	o.Allocate(plan, act)
	return taken(o, before)
}

// taken is what an order was given since it had so many allocations.
func taken(o *order.Order, before int) []inventory.Grant {
	var grants []inventory.Grant
	for _, a := range o.Allocations[before:] {
		grants = append(grants, inventory.Grant{LineID: a.LineID, SKU: a.SKU, LocationID: a.LocationID, Quantity: a.Quantity})
	}
	return grants
}

func skusOf(needs []inventory.Need) []string {
	var skus []string
	for _, n := range needs {
		skus = append(skus, n.SKU)
	}
	return skus
}

// stockLock is a variable for the same reason as lockClause.
var stockLock = "FOR NO KEY UPDATE OF l"

// lockFree locks only what nobody else holds.
func lockFree() string {
	if lockClause == "" {
		return ""
	}
	return lockClause + " SKIP LOCKED"
}

// readStock reads what is available of some SKUs, by location. With a lock clause nobody else can change it
// until the transaction ends.
func readStock(ctx context.Context, q sqlx.QueryerContext, skus []string, lock string) (inventory.Stock, error) {
	slices.Sort(skus)
	skus = slices.Compact(skus)
	var levels []struct {
		SKU        string     `db:"sku"`
		LocationID string     `db:"location_id"`
		Available  int64      `db:"available"`
		Priority   int        `db:"priority"`
		ArrivedAt  *time.Time `db:"arrived_at"`
	}
	err := sqlx.SelectContext(ctx, q, &levels, `
		SELECT l.sku, l.location_id, l.on_hand - l.committed - l.unavailable AS available, p.priority,
			l.arrived_at
		FROM stock_levels l JOIN locations p ON p.id = l.location_id
		WHERE l.sku = ANY($1) ORDER BY l.sku, l.location_id `+lock, pq.Array(skus))
	if err != nil {
		return inventory.Stock{}, err
	}
	stock := inventory.Stock{Available: map[string]map[string]int64{}, Arrived: map[string]map[string]time.Time{}}
	for _, l := range levels {
		if stock.Available[l.LocationID] == nil {
			stock.Available[l.LocationID], stock.Arrived[l.LocationID] = map[string]int64{}, map[string]time.Time{}
			stock.Locations = append(stock.Locations, inventory.Location{ID: l.LocationID, Priority: l.Priority})
		}
		stock.Available[l.LocationID][l.SKU] = l.Available
		if l.ArrivedAt != nil {
			stock.Arrived[l.LocationID][l.SKU] = *l.ArrivedAt
		}
	}
	return stock, nil
}
