package demo

import (
	"context"
	"slices"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// work lists the fulfillment orders that may be worked on.
func (p *play) work() (list []client.Fulfillment) {
	for _, f := range p.order.Fulfillments {
		ended := f.Status == client.FulfillmentOrderStatusClosed || f.Status == client.FulfillmentOrderStatusCancelled ||
			f.Status == client.FulfillmentOrderStatusIncomplete
		if !ended && (p.only == "" || p.only == f.ID) {
			list = append(list, f)
		}
	}
	return list
}

// first does something with the first of the order's fulfillment orders alone.
func first(take step) step {
	return func(ctx context.Context, p *play) error {
		p.only = p.order.Fulfillments[0].ID
		defer func() { p.only = "" }()
		return take(ctx, p)
	}
}

// all does one thing after the other.
func all(steps ...step) step {
	return func(ctx context.Context, p *play) error {
		for _, take := range steps {
			if err := take(ctx, p); err != nil {
				return err
			}
		}
		return nil
	}
}

// pick takes everything off the shelf.
func pick(ctx context.Context, p *play) error { return p.pick(ctx, 0, "") }

// pickShort finds some units fewer than were to be taken, and says why.
func pickShort(fewer int64, why client.ShortReason) step {
	return func(ctx context.Context, p *play) error {
		if err := p.pick(ctx, fewer, why); err != nil {
			return err
		}
		return p.until(ctx, "a decision about the units that were not found", func() bool {
			return len(p.order.ShortPicks) > 0 && !slices.ContainsFunc(p.order.ShortPicks, func(s client.ShortPick) bool { return !s.Decided })
		})
	}
}

func (p *play) pick(ctx context.Context, fewer int64, why client.ShortReason) error {
	for _, f := range p.work() {
		var lines []client.PickedLine
		for _, l := range f.Lines {
			if left := l.Quantity - l.Cancelled - l.Short - l.Picked; left > 0 {
				lines = append(lines, client.PickedLine{LineID: l.LineID, Quantity: left - fewer, Reason: why})
			}
		}
		if len(lines) == 0 {
			continue
		}
		if _, err := p.API.PickFulfillmentWithResponse(ctx, f.ID, &client.PickFulfillmentParams{IdempotencyKey: p.key("pick")},
			client.PickRequest{Lines: lines}); err != nil {
			return err
		}
	}
	return p.read(ctx)
}

// pickOnHold hears that the order is not to be touched.
func pickOnHold(ctx context.Context, p *play) error {
	return refusal("order_on_hold", p.pick(ctx, 0, ""))
}

// pack puts what was picked into one parcel for each fulfillment order.
func pack(ctx context.Context, p *play) error {
	return p.pack(ctx, func(lines []client.LineQuantity) [][]client.LineQuantity { return [][]client.LineQuantity{lines} })
}

// packLineByLine makes a parcel of each line.
func packLineByLine(ctx context.Context, p *play) error {
	return p.pack(ctx, func(lines []client.LineQuantity) (boxes [][]client.LineQuantity) {
		for _, l := range lines {
			boxes = append(boxes, []client.LineQuantity{l})
		}
		return boxes
	})
}

func (p *play) pack(ctx context.Context, into func([]client.LineQuantity) [][]client.LineQuantity) error {
	for _, f := range p.work() {
		var lines []client.LineQuantity
		for _, l := range f.Lines {
			if loose := l.Picked - l.Packed; loose > 0 {
				lines = append(lines, client.LineQuantity{LineID: l.LineID, Quantity: loose})
			}
		}
		if len(lines) == 0 {
			continue
		}
		var boxes []client.Parcel
		for _, inside := range into(lines) {
			boxes = append(boxes, client.Parcel{WeightGrams: p.weight(inside), Lines: inside})
		}
		if _, err := p.API.PackFulfillmentWithResponse(ctx, f.ID, &client.PackFulfillmentParams{IdempotencyKey: p.key("pack")},
			client.PackRequest{Parcels: boxes}); err != nil {
			return err
		}
	}
	return p.until(ctx, "an answer of the carrier about each label", func() bool { return len(p.parcels(client.ShipmentStatusPacked)) == 0 })
}

// carton weighs something too.
const cartonGrams = 120

func (p *play) weight(inside []client.LineQuantity) int64 {
	grams := int64(cartonGrams)
	for _, l := range inside {
		grams += l.Quantity * p.sells.grams
	}
	return grams
}

// parcels lists those in a status.
func (p *play) parcels(status client.ShipmentStatus) (list []client.Shipment) {
	for _, s := range p.order.Shipments {
		if s.Status == status {
			list = append(list, s)
		}
	}
	return list
}

// ship hands every labeled parcel over.
func ship(ctx context.Context, p *play) error {
	if err := p.ship(ctx); err != nil {
		return err
	}
	return p.until(ctx, "parcels that the carrier has", func() bool {
		return !slices.ContainsFunc(p.parcels(client.ShipmentStatusLabeled), func(s client.Shipment) bool { return p.only == "" || s.FulfillmentID == p.only })
	})
}

// shipUnpaid hears that the money cannot be had, and keeps the parcel.
func shipUnpaid(ctx context.Context, p *play) error {
	if err := refusal("capture_refused", p.ship(ctx)); err != nil {
		return err
	}
	return p.read(ctx)
}

func (p *play) ship(ctx context.Context) error {
	for _, f := range p.work() {
		ready := slices.ContainsFunc(p.order.Shipments, func(s client.Shipment) bool {
			return s.FulfillmentID == f.ID && (s.Status == client.ShipmentStatusLabeled || s.Status == client.ShipmentStatusHeld)
		})
		if !ready {
			continue
		}
		if err := p.askToShip(ctx, f.ID); err != nil {
			return err
		}
	}
	return nil
}

// askToShip asks until the gateway has spoken: a 202 says that it has not, and the same request hears it later.
func (p *play) askToShip(ctx context.Context, fulfillmentID string) error {
	params := &client.ShipFulfillmentParams{IdempotencyKey: p.key("ship")}
	for began := time.Now(); ; {
		r, err := p.API.ShipFulfillmentWithResponse(ctx, fulfillmentID, params, struct{}{})
		if err != nil || r.JSON202 == nil || time.Since(began) > p.Patience {
			return err
		}
		if err := client.Pause(ctx, pauseMin); err != nil {
			return err
		}
	}
}

// serve is what a warehouse does when nothing goes wrong.
var serve = all(pick, pack, ship)

// carry scans every parcel that the carrier has, step by step.
func carry(through ...client.TrackingStatus) step {
	return func(ctx context.Context, p *play) error {
		for _, s := range p.order.Shipments {
			if s.HandedOverAt == nil || s.Status == client.ShipmentStatusDelivered {
				continue
			}
			for _, status := range through {
				if _, err := p.API.RecordTrackingWithResponse(ctx, s.ID, &client.RecordTrackingParams{IdempotencyKey: p.key("scan")},
					client.TrackingRequest{Status: status, OccurredAt: time.Now().UTC()}); err != nil {
					return err
				}
			}
		}
		return p.read(ctx)
	}
}

// deliver takes every parcel to the customer's door.
var deliver = carry(client.TrackingStatusPickedUp, client.TrackingStatusInTransit, client.TrackingStatusOutForDelivery, client.TrackingStatusDelivered)
