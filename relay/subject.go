package relay

import (
	"context"

	"github.com/waybill-oms/waybill/domain/order"
)

// subject is whom a run drives: a return, or without a return's id the order itself.
type subject order.ReturnRef

func (s subject) id() string {
	if s.ReturnID != "" {
		return s.ReturnID
	}
	return s.OrderID
}

// settled reports whether it needs no run. A return that its order does not have needs none.
func (s subject) settled(o *order.Order) bool {
	if s.ReturnID == "" {
		return o.Settled
	}
	ret := o.Return(s.ReturnID)
	return ret == nil || ret.Settled
}

func (s subject) running(ctx context.Context, r Runs) (bool, error) {
	if s.ReturnID != "" {
		return r.RunningReturn(ctx, s.ReturnID)
	}
	return r.Running(ctx, s.OrderID)
}

func (s subject) wake(ctx context.Context, r Runs, o *order.Order) error {
	if s.ReturnID != "" {
		return r.WakeReturn(ctx, o, s.ReturnID)
	}
	return r.Wake(ctx, o)
}

func (s subject) ensure(ctx context.Context, r Runs, o *order.Order) error {
	if s.ReturnID != "" {
		return r.EnsureReturn(ctx, o, s.ReturnID)
	}
	return r.Ensure(ctx, o)
}
