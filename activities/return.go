package activities

import (
	"context"

	"github.com/waybill-oms/waybill/domain/order"
)

// ReturnApproval lets a return come, or with Returnless refunds it and leaves the goods with the customer.
type ReturnApproval struct {
	Caller
	Returnless bool `json:"returnless"`
}

// ApproveReturn says yes to a return; its label, or its refund, is due afterwards.
func (a *Activities) ApproveReturn(ctx context.Context, c ReturnApproval) (order.Facts, error) {
	return a.command(ctx, "approve", c.ReturnID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.ApproveReturn(c.ReturnID, c.Returnless, act)
	})
}

// ReturnRefusal says no to a return, and why.
type ReturnRefusal struct {
	Caller
	Reason string `json:"reason"`
}

// DeclineReturn says no to a return.
func (a *Activities) DeclineReturn(ctx context.Context, c ReturnRefusal) (order.Facts, error) {
	return a.command(ctx, "decline", c.ReturnID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.DeclineReturn(c.ReturnID, c.Reason, act)
	})
}

// ReturnCancellation calls a return off, and says why.
type ReturnCancellation struct {
	Caller
	Reason string `json:"reason"`
}

// CancelReturn calls a return off of which nothing arrived; its label is voided afterwards.
func (a *Activities) CancelReturn(ctx context.Context, c ReturnCancellation) (order.Facts, error) {
	return a.command(ctx, "cancel", c.ReturnID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.CancelReturn(c.ReturnID, c.Reason, act)
	})
}

// ReturnReceipt is what was found in a parcel that came back.
type ReturnReceipt struct {
	Caller
	order.ReceivedItems
}

// ReceiveReturn notes what came back. A return that nobody expected any more goes on with it.
func (a *Activities) ReceiveReturn(ctx context.Context, c ReturnReceipt) (order.Facts, error) {
	return a.command(ctx, "receive", c.ReturnID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.ReceiveReturn(c.ReturnID, c.ReceivedItems, act)
	})
}

// ReturnInspection is what was found of goods that came back.
type ReturnInspection struct {
	Caller
	Lines []order.InspectedUnits `json:"lines"`
}

// InspectReturn grades goods that came back: their stock is decided at once, their refund is due afterwards.
func (a *Activities) InspectReturn(ctx context.Context, c ReturnInspection) (order.Facts, error) {
	return a.command(ctx, "inspect", c.ReturnID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.InspectReturn(c.ReturnID, c.Lines, act)
	})
}

// ResumeReturn takes a call for a person back and tries again what was refused or given up.
func (a *Activities) ResumeReturn(ctx context.Context, c ResumeCommand) (order.Facts, error) {
	return a.command(ctx, "resume", c.ReturnID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.ResumeReturn(c.ReturnID, act)
	})
}
