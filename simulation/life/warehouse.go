package life

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
)

// skus are everything that is sold, and locations where it is kept. There is never quite enough.
var (
	skus      = []string{"CAP", "MUG", "TEE"}
	locations = []store.Location{{ID: "ber", Name: "Berlin", Country: "DE", Priority: 2}, {ID: "nyc", Name: "New York", Country: "US", Priority: 1}}
)

// stockUp opens the locations with something in them.
func (w *world) stockUp() {
	for _, at := range locations {
		_, err := w.store.PutLocation(w.ctx, at, w.act("supplier", "supply"))
		w.check("stock", err)
		for _, sku := range skus {
			if units := int64(w.seed.Below(2+w.scope.Orders, "stock", at.ID, sku)); units > 0 {
				w.receive(at.ID, sku, units)
			}
		}
	}
}

// receive has goods arrive.
func (w *world) receive(location, sku string, units int64) {
	cmd := &store.Command{Key: w.naming("supply")("rcp"), Name: "receipt", Subject: location, Fingerprint: "receipt"}
	err := w.store.ChangeStock(w.ctx, cmd, inventory.Receipt, location, []store.StockChange{{SKU: sku, Quantity: units}}, "", w.act("supplier", "supply"))
	w.check("receipt", err)
	w.tell("supplier", "receipt of "+sku+" at "+location, "ok")
	w.dirty = true
}

// supply brings some goods now and then, and in the end enough for everybody who still waits.
func (w *world) supply(ctx workflow.Context) {
	for n := range 5 {
		_ = workflow.Sleep(ctx, w.between(24*time.Hour, 9*24*time.Hour, "supply", n))
		sku := skus[w.seed.Below(len(skus), "supplied", n)]
		w.receive(locations[w.seed.Below(len(locations), "supplied at", n)].ID, sku, int64(1+w.seed.Below(5, "units supplied", n)))
	}
	_ = workflow.Sleep(ctx, 20*24*time.Hour)
	for _, sku := range skus {
		w.receive("nyc", sku, int64(8*w.scope.Orders))
	}
}

// rows adds up what a fulfillment order has of each line.
func rows(f order.Fulfillment) []order.FulfillmentLine {
	var sum []order.FulfillmentLine
	at := map[string]int{}
	for _, l := range f.Lines {
		i, known := at[l.LineID]
		if !known {
			i = len(sum)
			at[l.LineID] = i
			sum = append(sum, order.FulfillmentLine{LineID: l.LineID, SKU: l.SKU})
		}
		s := &sum[i]
		s.Quantity, s.Cancelled, s.Short = s.Quantity+l.Quantity, s.Cancelled+l.Cancelled, s.Short+l.Short
		s.Picked, s.Packed = s.Picked+l.Picked, s.Packed+l.Packed
	}
	return sum
}

// warehouse is what pickers and packers may do.
func (l *life) warehouse(o *order.Order) []deed {
	if o.Blocked(order.BlockRelease) {
		return nil
	}
	var deeds []deed
	for _, f := range o.Fulfillments {
		if f.Status != order.FulfillmentOpen && f.Status != order.FulfillmentInProgress {
			continue
		}
		var picked []order.PickedUnits
		var packable []order.UnitsOf
		for _, r := range rows(f) {
			if left := r.Due() - r.Picked; left > 0 {
				picked = append(picked, l.pick(f, r, left))
			}
			if left := r.Picked - r.Packed; left > 0 {
				packable = append(packable, order.UnitsOf{LineID: r.LineID, Quantity: left})
			}
		}
		if len(picked) > 0 {
			deeds = append(deeds, l.fulfill("pick", workflows.UpdatePick, f, func(c activities.Caller) any {
				return activities.PickCommand{Caller: c, FulfillmentID: f.ID, Lines: picked}
			}))
		}
		if len(packable) > 0 {
			deeds = append(deeds, l.fulfill("pack", workflows.UpdatePack, f, func(c activities.Caller) any {
				return activities.PackCommand{Caller: c, FulfillmentID: f.ID, Parcels: l.boxes(f, packable)}
			}))
		}
		if shippable(o, f) {
			deeds = append(deeds, l.ship(f.ID))
		}
	}
	return deeds
}

func (l *life) fulfill(what, name string, f order.Fulfillment, build func(activities.Caller) any) deed {
	return deed{"warehouse", what + " " + f.ID, func(ctx workflow.Context) error {
		return l.send(ctx, "warehouse", command{name: name, build: build})
	}}
}

func (l *life) ship(fulfillmentID string) deed {
	return deed{"warehouse", "ship " + fulfillmentID, func(ctx workflow.Context) error {
		err := l.send(ctx, "warehouse", command{name: workflows.UpdateShip, build: func(c activities.Caller) any {
			return activities.ShipCommand{Caller: c, FulfillmentID: fulfillmentID}
		}})
		rest := slices.ContainsFunc(l.look(l.orderID).Lines, func(line order.Line) bool { return line.Open() > 0 })
		if rest && l.seed.Chance(500, "cancels too late", fulfillmentID) {
			late := l.cancel("too late", nil)
			l.tell(late.who, late.what, outcomeOf(late.do(ctx)))
		}
		return err
	}}
}

// pick finds the units of a line, or not all of them.
func (l *life) pick(f order.Fulfillment, r order.FulfillmentLine, left int64) order.PickedUnits {
	taken := order.PickedUnits{LineID: r.LineID, Quantity: left}
	if l.seed.Chance(120, "short pick", f.ID, r.LineID, left) {
		taken.Quantity = int64(l.seed.Below(int(left), "found", f.ID, r.LineID, left))
		taken.Reason = order.ShortReasons()[l.seed.Below(4, "short reason", f.ID, r.LineID)]
	}
	return taken
}

// boxes puts units into one parcel, or into two.
func (l *life) boxes(f order.Fulfillment, units []order.UnitsOf) []order.Parcel {
	whole := order.Parcel{WeightGrams: 400, Lines: units}
	if len(units) < 2 || l.seed.Chance(600, "one box", f.ID) {
		return []order.Parcel{whole}
	}
	return []order.Parcel{{WeightGrams: 200, Lines: units[:1]}, {WeightGrams: 300, Lines: units[1:]}}
}

// shippable reports whether a parcel is ready. One whose money was refused is the operator's affair.
func shippable(o *order.Order, f order.Fulfillment) bool {
	if o.AttentionCode == order.AttentionCaptureRefused || o.AttentionCode == order.AttentionGatewayMismatch || o.Blocked(order.BlockShip) {
		return false
	}
	for _, s := range o.Shipments {
		if s.FulfillmentID == f.ID && !s.ShipRequested && (s.Status == order.ShipmentLabeled || s.Status == order.ShipmentHeld) {
			return true
		}
	}
	return false
}
