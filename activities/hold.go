package activities

import (
	"context"

	"github.com/waybill-oms/waybill/domain/order"
)

// HoldCommand holds an order, or with a fulfillment order only that.
type HoldCommand struct {
	Caller
	FulfillmentID string `json:"fulfillment_id,omitempty"`
	order.HoldRequest
}

// PlaceHold holds an order or one of its fulfillment orders until somebody answers, or until the hold's deadline.
func (a *Activities) PlaceHold(ctx context.Context, c HoldCommand) (order.Facts, error) {
	return a.command(ctx, "hold", held(c.OrderID, c.FulfillmentID), c.Caller, func(o *order.Order, act order.Act) error {
		return o.PlaceHold(c.FulfillmentID, c.HoldRequest, act)
	})
}

// ReleaseHoldCommand takes a hold back.
type ReleaseHoldCommand struct {
	Caller
	FulfillmentID string `json:"fulfillment_id,omitempty"`
	HoldID        string `json:"hold_id"`
}

// ReleaseHold takes a hold back; what it blocked is due afterwards.
func (a *Activities) ReleaseHold(ctx context.Context, c ReleaseHoldCommand) (order.Facts, error) {
	return a.command(ctx, "release_hold", held(c.OrderID, c.FulfillmentID), c.Caller, func(o *order.Order, act order.Act) error {
		return o.ReleaseHold(c.FulfillmentID, c.HoldID, act)
	})
}

// held is the subject of a command on a hold.
func held(orderID, fulfillmentID string) string {
	if fulfillmentID != "" {
		return fulfillmentID
	}
	return orderID
}
