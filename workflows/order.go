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
		cancel: func(ctx workflow.Context, r *run, by activities.Caller, reason string) {
			_ = r.decide(ctx, "cancel the order", a.Cancel, activities.CancelCommand{Caller: by, Reason: reason})
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
		return r.facts, err
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, UpdatePlace, place, workflow.UpdateHandlerOptions{
		Description: "Answers when the order is decided: accepted, declined, waiting for the customer, out of stock."})
	if err != nil {
		return err
	}
	return firstError(
		handle(ctx, r, UpdateCancel, "Cancels the whole order, or some units of it, as long as they were not handed to a carrier.", a.Cancel),
		handle(ctx, r, UpdatePayment, "Asks for what is still to be paid on another payment token.", a.NewPayment),
		handle(ctx, r, UpdateHold, "Holds the order, or one of its fulfillment orders.", a.PlaceHold),
		handle(ctx, r, UpdateReleaseHold, "Takes a hold back.", a.ReleaseHold),
		handle(ctx, r, UpdatePick, "Notes units taken off the shelf for a fulfillment order.", a.Pick),
		handle(ctx, r, UpdatePack, "Puts picked units into parcels and buys a label for each.", a.Pack),
		handle(ctx, r, UpdateShip, "Captures the money of each labeled parcel and hands it to the carrier.", a.Ship),
		handle(ctx, r, UpdateSettleRefund, "Notes that a refund which its gateway refuses was paid by other means.", a.SettleRefund),
		handle(ctx, r, UpdateResume, "Takes a call for an operator back and tries again what was refused or given up.", a.Resume))
}
