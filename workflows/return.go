package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/returns"
)

// Return drives one return as Order drives an order. It is a run of its own, since it outlives its order's, and
// since goods that turn up late begin it again.
func Return(ctx workflow.Context, in ReturnInput) (returns.Status, error) {
	r := &run{subject: activities.On{OrderID: in.OrderID, ReturnID: in.ReturnID}, updates: returnUpdates,
		cancel: func(ctx workflow.Context, r *run, by activities.Caller, reason string) error {
			return r.decide(ctx, "cancel the return, asked by Request Cancellation", a.CancelReturn, activities.ReturnCancellation{Caller: by, Reason: reason})
		}}
	if err := r.drive(ctx, Return, in); err != nil {
		return "", err
	}
	return r.facts.ReturnStatus, nil
}

// returnUpdates registers the commands that a return takes.
func returnUpdates(ctx workflow.Context, r *run) error {
	return firstError(
		handle(ctx, r, UpdateApprove, `Lets the goods come, and buys their label. Data: {}; or {"returnless":true}, which refunds them and leaves them with the customer.`, a.ApproveReturn),
		handle(ctx, r, UpdateDecline, `Says no to a return that was asked for, and why. Data: {"reason":"…"}, which the customer may read.`, a.DeclineReturn),
		handle(ctx, r, UpdateReceive, "Notes what came back. For the returns desk: POST /v1/returns/{id}/receive.", a.ReceiveReturn),
		handle(ctx, r, UpdateInspect, "Grades what came back and refunds what that gives. For the returns desk: POST /v1/returns/{id}/inspect.", a.InspectReturn),
		handle(ctx, r, UpdateCancel, `Calls the return off, as long as nothing came back. Data: {"reason":"…"}`, a.CancelReturn),
		handle(ctx, r, UpdateSettleRefund, `Notes that a refund which its gateway refuses was paid by other means. Data: {"refund_id":"rfd_…","reference":"…"}; the id is in the current details.`, a.SettleRefund),
		handle(ctx, r, UpdateResume, "Takes a call for an operator back and tries again, at once, what was refused or given up. Data: {}", a.ResumeReturn))
}
