package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
)

// Order drives one order from whatever its facts say to its end. It does what is due by the facts, takes commands,
// and waits. It holds nothing that the facts do not: terminated, reset or lost, the next run goes on from there.
func Order(ctx workflow.Context, in OrderInput) (order.Status, error) {
	r := &run{subject: activities.On{OrderID: in.OrderID}, updates: orderUpdates,
		cancel: func(ctx workflow.Context, r *run, by activities.Caller, reason string) error {
			return r.decide(ctx, "cancel the order, asked by Request Cancellation", a.Cancel, activities.CancelCommand{Caller: by, Reason: reason})
		}}
	if err := r.drive(ctx, Order, in); err != nil {
		return "", err
	}
	return r.facts.Status, nil
}

// orderUpdates registers the commands that an order takes.
func orderUpdates(ctx workflow.Context, r *run) error {
	place := func(ctx workflow.Context) (order.Facts, error) {
		ctx, _ = workflow.NewDisconnectedContext(ctx)
		err := workflow.Await(ctx, func() bool {
			return r.loaded && (r.facts.Decision != order.Undecided || r.facts.Status.Final() || r.facts.Attention != "")
		})
		return r.answer(), err
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, UpdatePlace, place, workflow.UpdateHandlerOptions{
		Description: "Changes nothing: answers when the order is decided (accepted, declined, waiting for the customer, out of stock). No data."})
	if err != nil {
		return err
	}
	return firstError(
		handle(ctx, r, UpdateCancel, `Cancels the order, as long as nothing of it was handed to a carrier: money is let go or refunded, stock released. Data: {"reason":"…","whole":true}; of some units only: {"reason":"…","lines":[{"line_id":"lin_…","quantity":1}]}`, a.Cancel),
		handle(ctx, r, UpdatePayment, `Asks for what is still to be paid on another payment token. Data: {"gateway":"…","token":"…"}, which stands in the run's history: send a token that is worth something through the API.`, a.NewPayment),
		handle(ctx, r, UpdateHold, `Holds the order, or one of its fulfillment orders, until somebody answers. Data: {"reason":"fraud_review","deadline":"2026-12-01T12:00:00Z","on_deadline":"cancel"}; without a deadline it stands until it is released.`, a.PlaceHold),
		handle(ctx, r, UpdateReleaseHold, `Takes a hold back. Data: {"hold_id":"hld_…"}; of a fulfillment order with "fulfillment_id" too. The id is in the current details.`, a.ReleaseHold),
		handle(ctx, r, UpdatePick, "Notes units taken off the shelf for a fulfillment order. For the warehouse: POST /v1/fulfillments/{id}/pick.", a.Pick),
		handle(ctx, r, UpdatePack, "Puts picked units into parcels and buys a label for each. For the warehouse: POST /v1/fulfillments/{id}/pack.", a.Pack),
		handle(ctx, r, UpdateShip, `Captures the money of each labeled parcel and hands it to the carrier. Data: {"fulfillment_id":"ful_…"}`, a.Ship),
		handle(ctx, r, UpdateSettleRefund, `Notes that a refund which its gateway refuses was paid by other means. Data: {"refund_id":"rfd_…","reference":"…"}; the id is in the current details.`, a.SettleRefund),
		handle(ctx, r, UpdateResume, "Takes a call for an operator back and tries again, at once, what was refused or given up. Data: {}", a.Resume))
}
