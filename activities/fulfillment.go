package activities

import (
	"context"

	"github.com/waybill-oms/waybill/domain/order"
)

// PickCommand notes units taken off the shelf, and with a reason that there were no more.
type PickCommand struct {
	Caller
	FulfillmentID string              `json:"fulfillment_id"`
	Lines         []order.PickedUnits `json:"lines"`
}

// Pick notes units taken off the shelf for a fulfillment order. What was short is due to be allocated anew.
func (a *Activities) Pick(ctx context.Context, c PickCommand) (order.Facts, error) {
	return a.command(ctx, "pick", c.FulfillmentID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.Pick(c.FulfillmentID, c.Lines, act)
	})
}

// PackCommand puts picked units into parcels.
type PackCommand struct {
	Caller
	FulfillmentID string         `json:"fulfillment_id"`
	Parcels       []order.Parcel `json:"parcels"`
}

// Pack puts picked units into parcels; a label for each is due afterwards.
func (a *Activities) Pack(ctx context.Context, c PackCommand) (order.Facts, error) {
	return a.command(ctx, "pack", c.FulfillmentID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.Pack(c.FulfillmentID, c.Parcels, act)
	})
}

// ShipCommand hands the labeled parcels of a fulfillment order over.
type ShipCommand struct {
	Caller
	FulfillmentID string `json:"fulfillment_id"`
}

// Ship asks to hand parcels over; a capture for each is due afterwards, and hands it over when it succeeds.
func (a *Activities) Ship(ctx context.Context, c ShipCommand) (order.Facts, error) {
	return a.command(ctx, "ship", c.FulfillmentID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.Ship(c.FulfillmentID, act)
	})
}
