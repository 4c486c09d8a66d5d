package activities

import (
	"context"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
)

// Load reads the facts. A run begins with it, whatever happened before.
func (a *Activities) Load(ctx context.Context, on On) (order.Facts, error) {
	a.reached(ctx, BeforeEffect)
	o, err := a.Orders.Order(ctx, on.OrderID)
	if err != nil {
		return order.Facts{}, border(err)
	}
	if on.ReturnID != "" && o.Return(on.ReturnID) == nil {
		return order.Facts{}, border(fault.NotFoundf("the order has no return %s", on.ReturnID))
	}
	return facts(o, on), nil
}

// Allocate decides the stock of an order through the allocator.
func (a *Activities) Allocate(ctx context.Context, s Step) (order.Facts, error) {
	defer alive(ctx)()
	a.reached(ctx, BeforeEffect)
	o, err := a.Orders.Allocate(ctx, s.OrderID, a.act(ctx, s.On))
	if err != nil {
		return order.Facts{}, border(err)
	}
	a.reached(ctx, AfterCommit)
	return facts(o, s.On), nil
}

// CancelCommand cancels a whole order, or with lines these units of it.
type CancelCommand struct {
	Caller
	Reason string          `json:"reason"`
	Lines  []order.UnitsOf `json:"lines,omitempty"`
	Whole  bool            `json:"whole,omitempty"` // whoever types a cancellation says so
}

// Cancel ends an order of which nothing was handed over, or takes units out of it that were not. What has to be let
// go, or given back, is due afterwards. Nothing checks what is typed against a schema: a slip in the name of lines must
// not cancel everything.
func (a *Activities) Cancel(ctx context.Context, c CancelCommand) (order.Facts, error) {
	if c.Typed && !c.Whole && len(c.Lines) == 0 {
		return order.Facts{}, border(&fault.Fault{Kind: fault.Invalid, Code: "invalid_fields",
			Detail: `say which units, {"lines":[{"line_id":"lin_…","quantity":1}]}, or {"whole":true} for the whole order`})
	}
	return a.command(ctx, "cancel", c.OrderID, c.Caller, func(o *order.Order, act order.Act) error {
		if len(c.Lines) > 0 {
			return o.CancelUnits(c.Lines, c.Reason, act)
		}
		return o.CancelWhole(c.Reason, act)
	})
}

// ResumeCommand takes a call for a person back.
type ResumeCommand struct{ Caller }

// Resume tries again what was refused or given up.
func (a *Activities) Resume(ctx context.Context, c ResumeCommand) (order.Facts, error) {
	return a.command(ctx, "resume", c.OrderID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.Resume(act)
	})
}

// DeadlinePassed does what is due by now.
func (a *Activities) DeadlinePassed(ctx context.Context, on On) (order.Facts, error) {
	act := a.act(ctx, on)
	return a.change(ctx, on, nil, act, func(o *order.Order) error {
		if on.ReturnID != "" {
			o.ReturnDeadlinePassed(on.ReturnID, act)
		} else {
			o.DeadlinePassed(act)
		}
		return nil
	})
}

// Failure is a step that repeating will not mend.
type Failure struct {
	On
	Step   string `json:"step"`
	Detail string `json:"detail"`
}

// StepFailed calls for a person.
func (a *Activities) StepFailed(ctx context.Context, f Failure) (order.Facts, error) {
	act := a.act(ctx, f.On)
	return a.change(ctx, f.On, nil, act, func(o *order.Order) error {
		if f.ReturnID != "" {
			o.ReturnStepFailed(f.ReturnID, f.Step, f.Detail, act)
		} else {
			o.StepFailed(f.Step, f.Detail, act)
		}
		return nil
	})
}
