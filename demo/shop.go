package demo

import (
	"context"
	"fmt"

	"github.com/waybill-oms/waybill/api/client"
)

// lastPriority is a location's that is asked after all others.
const lastPriority = 1_000_000

// unitsAnOrder is more than any order takes of one shared good, those that go bad on the way included.
const unitsAnOrder = 8

// open makes the demo's locations, and stock of the run's goods. It refuses a seed that was played here: the names that
// come from it are taken.
func (r *run) open(ctx context.Context) error {
	limit, prefix := 1, r.code+"-"
	before, err := r.API.ListOrdersWithResponse(ctx, &client.ListOrdersParams{Q: &prefix, Limit: &limit})
	if err != nil {
		return err
	}
	if page, err := only(before.JSON200); err != nil || len(page.Data) > 0 {
		return fmt.Errorf("seed %d was played here before: choose another --seed, or none", r.Seed)
	}
	for i, w := range warehouses {
		if _, err := r.API.PutLocationWithResponse(ctx, w.id, client.LocationRequest{Name: w.name, Country: w.country, Priority: lastPriority - len(warehouses) + i}); err != nil {
			return err
		}
		var lines []client.ReceiptLine
		for _, g := range goods {
			if g.warehouse == i {
				lines = append(lines, client.ReceiptLine{SKU: r.sku(g), Quantity: int64(r.Orders * unitsAnOrder)})
			}
		}
		if err := r.receive(ctx, r.code+"/stock/"+w.id, i, lines...); err != nil {
			return err
		}
	}
	return nil
}

// sku is the run's own name of a good.
func (r *run) sku(g good) string { return g.sku + "-" + r.code }

// receive books goods that came in at a warehouse.
func (r *run) receive(ctx context.Context, key string, warehouse int, lines ...client.ReceiptLine) error {
	_, err := r.API.ReceiveStockWithResponse(ctx, &client.ReceiveStockParams{IdempotencyKey: key},
		client.ReceiptRequest{Location: warehouses[warehouse].id, Lines: lines})
	return err
}
