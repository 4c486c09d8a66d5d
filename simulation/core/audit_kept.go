package core

import (
	"slices"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// held: V-S11, and what a hold is for. While one stands, no parcel leaves and no stock is given, if that is what it
// blocks. That the order waits for a payment keeps no parcel here that is paid for.
func (a *audit) held(before *order.Order) {
	if before == nil {
		return
	}
	holds := func(fulfillmentID, what string) bool {
		return slices.ContainsFunc(before.Holds, func(h order.Hold) bool {
			unpaid := h.Reason == order.HoldAwaitingPayment && what == order.BlockShip
			return h.ReleasedAt == nil && !unpaid && (h.FulfillmentID == "" || h.FulfillmentID == fulfillmentID) && slices.Contains(h.Blocks, what)
		})
	}
	for _, s := range a.o.Shipments {
		was := before.Shipment(s.ID)
		if s.HandedOverAt != nil && (was == nil || was.HandedOverAt == nil) && holds(s.FulfillmentID, order.BlockShip) {
			a.fails("shipped_under_hold", s.ID, "the parcel left, and a hold stood that blocks it")
		}
	}
	if len(a.o.Allocations) > len(before.Allocations) && holds("", order.BlockRelease) {
		a.fails("V-S11", a.o.ID, "it was given stock, and a hold stood that keeps stock from it")
	}
}

// queue: V-S11. An order that is accepted leaves what others wait for, as far as it is there.
func (a *audit) queue(before *order.Order) {
	if before == nil || before.Status != order.Received || a.o.Status != order.Accepted {
		return
	}
	waiting, free := a.w.books.waiting(a.o.ID), map[string]int64{}
	for _, p := range a.w.books.places {
		free[p.sku] += a.w.books.levels[p].available()
	}
	for _, al := range a.o.Allocations {
		if free[al.SKU] < waiting[al.SKU] {
			a.fails("V-S11", a.o.ID, "it was given %d of %s, of which %d are left, and others wait for %d", al.Quantity, al.SKU, free[al.SKU], waiting[al.SKU])
		}
	}
}

// finding is something that somebody found of goods, and where.
type finding struct{ owner, line, sku, location, kind, as string }

// findings: V-S12. What a picker missed and what came back is in the stock ledger, as what it was found to be.
func (a *audit) findings() {
	found, booked := map[finding]int64{}, map[finding]int64{}
	for _, p := range a.o.ShortPicks {
		found[finding{a.o.ID, p.LineID, p.SKU, p.LocationID, "count", p.Reason}] += p.Quantity
	}
	for _, r := range a.o.Returns {
		for _, l := range r.Lines {
			if l.Received > 0 {
				found[finding{r.ID, l.LineID, l.SKU, l.LocationID, "receipt", ""}] += l.Received
			}
		}
		for _, u := range r.Unexpected {
			found[finding{r.ID, "", u.SKU, u.LocationID, "receipt", ""}] += u.Quantity
		}
		for _, i := range r.Inspections {
			found[finding{r.ID, i.LineID, i.SKU, i.LocationID, "disposition", string(i.Stock)}] += i.Quantity
		}
	}
	for _, m := range a.f.movements {
		f := finding{m.ReturnID, m.LineID, m.SKU, m.LocationID, "disposition", m.Reason}
		switch m.Kind {
		case inventory.Count:
			f.owner, f.kind = m.OrderID, "count"
		case inventory.ReturnReceipt:
			f.kind, f.as = "receipt", ""
		case inventory.Disposition, inventory.TransferOut:
		default:
			continue
		}
		booked[f] += m.Quantity
		if want := effect(f, m.Quantity); (level{onHand: m.OnHand, unavailable: m.Unavailable, damaged: m.Damaged}) != want {
			a.fails("V-S12", f.owner, "%d of %s at %s, %s %s: booked as %d on hand, %d unavailable, %d damaged", m.Quantity, m.SKU, m.LocationID, f.kind, f.as, m.OnHand, m.Unavailable, m.Damaged)
			return
		}
	}
	for f, n := range found {
		if booked[f] != n || len(found) != len(booked) {
			a.fails("V-S12", f.owner, "%d of %s at %s, %s %s; by the stock ledger %d", n, f.sku, f.location, f.kind, f.as, booked[f])
			return
		}
	}
}

// effect is what a finding does to the level.
func effect(f finding, n int64) level {
	switch {
	case f.kind == "receipt":
		return level{onHand: n, unavailable: n}
	case f.kind == "count" && (f.as == "damaged" || f.as == "expired"):
		return level{unavailable: n, damaged: n}
	case f.kind == "count":
		return level{onHand: -n}
	case f.as == string(returns.StockAvailable):
		return level{unavailable: -n}
	case f.as == string(returns.StockDamaged):
		return level{damaged: n}
	case f.as == string(returns.StockOpenBox):
		return level{onHand: -n, unavailable: -n}
	}
	return level{}
}

// labels: nothing is paid for that does not travel. The label of a parcel, or of a return, that was called off is voided
// in the end, or the carrier would not.
func (a *audit) labels() {
	unused := map[string]bool{}
	for _, s := range a.o.Shipments {
		unused[s.ID] = s.Status == order.ShipmentCancelled
	}
	for _, r := range a.o.Returns {
		over := r.Status == returns.Cancelled || r.Status == returns.Expired || r.Returnless
		unused[r.ID] = over && r.TrackingStatus == shipping.Pending && r.Origin == order.OriginCustomer
	}
	for _, op := range a.o.Operations {
		of := op.ShipmentID + op.ReturnID
		if op.Kind != string(shipping.BuyLabel) || op.State != payment.Done || !unused[of] {
			continue
		}
		if !slices.ContainsFunc(a.o.Operations, func(void order.Operation) bool {
			return void.Kind == string(shipping.VoidLabel) && void.ShipmentID+void.ReturnID == of && !open(void)
		}) {
			a.fails("label_kept", op.Key, "what it was bought for was called off, and nobody voids it")
		}
	}
}
