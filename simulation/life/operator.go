package life

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

// operator is what somebody who looks at an order may do, by what Waybill's own guide advises.
func (l *life) operator(o *order.Order) []deed {
	deeds := l.holds(o)
	switch o.AttentionCode {
	case "":
		return append(deeds, l.missed(o)...)
	case order.AttentionStepFailed, order.AttentionGatewayContradict:
		l.violated("L1-attention", o.ID, o.AttentionCode+": "+o.AttentionDetail)
		return append(deeds, l.resume())
	case order.AttentionGatewayUnknown:
		if l.seed.Chance(800, "waits for the gateway", l.n, l.step) {
			return deeds
		}
		return append(deeds, l.resume())
	case order.AttentionCaptureRefused:
		deeds = append(deeds, l.pay(o), l.cancel("what cannot be paid for", unshipped(o)))
		return append(deeds, l.shipHeld(o)...)
	case order.AttentionGatewayMismatch:
		if held := unitsIn(o, order.ShipmentHeld); len(held) > 0 {
			return append(deeds, l.cancel("paid wrongly", held))
		}
		return append(deeds, l.pay(o), l.resume())
	case order.AttentionAuthExpired, order.AttentionPaymentOverdue:
		return append(deeds, l.pay(o), l.cancel("not paid", unshipped(o)), l.resume())
	case order.AttentionLabelRefused:
		deeds = append(deeds, l.cancel("no label", unitsIn(o, order.ShipmentLabelRefused)))
		if l.seed.Chance(300, "asks for the label again", l.n, l.step) {
			deeds = append(deeds, l.resume())
		}
		return deeds
	case order.AttentionBackorderOverdue:
		return append(deeds, l.resume(), l.cancel("out of stock", backordered(o)))
	case order.AttentionRefundRefused:
		return append(deeds, l.settle(o, ""), l.resume())
	}
	return append(deeds, l.resume())
}

func (l *life) resume() deed {
	return deed{"operator", "resume " + l.orderID, func(ctx workflow.Context) error {
		return l.send(ctx, "operator", command{name: workflows.UpdateResume, build: func(c activities.Caller) any { return activities.ResumeCommand{Caller: c} }})
	}}
}

// cancel cancels some units, or without any the whole order.
func (l *life) cancel(why string, units []order.UnitsOf) deed {
	return deed{"operator", "cancel " + l.orderID + ", " + why, func(ctx workflow.Context) error {
		return l.send(ctx, "operator", command{name: workflows.UpdateCancel, build: func(c activities.Caller) any {
			return activities.CancelCommand{Caller: c, Reason: why, Lines: units}
		}})
	}}
}

// settle pays a refund that its gateway refuses by other means.
func (l *life) settle(o *order.Order, returnID string) deed {
	refundID := ""
	for _, r := range o.Refunds {
		if r.Status == order.RefundRefused && r.ReturnID == returnID {
			refundID = r.ID
		}
	}
	return deed{"operator", "settle " + refundID, func(ctx workflow.Context) error {
		return l.send(ctx, "operator", command{name: workflows.UpdateSettleRefund, returnID: returnID, build: func(c activities.Caller) any {
			return activities.RefundCommand{Caller: c, RefundID: refundID, Reference: "bank transfer"}
		}})
	}}
}

// shipHeld tries parcels again whose money was refused.
func (l *life) shipHeld(o *order.Order) []deed {
	var deeds []deed
	for _, s := range o.Shipments {
		if s.Status == order.ShipmentHeld && !s.ShipRequested {
			deeds = append(deeds, l.ship(s.FulfillmentID))
		}
	}
	return deeds
}

// holds are answered, by and by.
func (l *life) holds(o *order.Order) []deed {
	var deeds []deed
	for _, h := range o.Holds {
		if !h.Active() || h.Reason == order.HoldAwaitingPayment || h.Deadline != nil && l.seed.Chance(500, "forgets a hold", h.ID) {
			continue
		}
		deeds = append(deeds, deed{"operator", "release " + h.ID, func(ctx workflow.Context) error {
			return l.send(ctx, "operator", command{name: workflows.UpdateReleaseHold, build: func(c activities.Caller) any {
				return activities.ReleaseHoldCommand{Caller: c, FulfillmentID: h.FulfillmentID, HoldID: h.ID}
			}})
		}})
	}
	return deeds
}

// unshipped are the units that have not left.
func unshipped(o *order.Order) []order.UnitsOf {
	var units []order.UnitsOf
	for _, l := range o.Lines {
		if open := l.Open(); open > 0 {
			units = append(units, order.UnitsOf{LineID: l.ID, Quantity: open})
		}
	}
	return units
}

func backordered(o *order.Order) []order.UnitsOf {
	var units []order.UnitsOf
	for _, l := range o.Lines {
		if l.Backordered > 0 {
			units = append(units, order.UnitsOf{LineID: l.ID, Quantity: l.Backordered})
		}
	}
	return units
}

// unitsIn are the units in parcels of a status.
func unitsIn(o *order.Order, status order.ShipmentStatus) []order.UnitsOf {
	var units []order.UnitsOf
	for _, s := range o.Shipments {
		for _, l := range s.Lines {
			if s.Status == status && !s.ShipRequested {
				units = append(units, order.UnitsOf{LineID: l.LineID, Quantity: l.Quantity})
			}
		}
	}
	return units
}

// interference is what somebody does whose time has nothing to do with what goes on.
func (l *life) interference(ctx workflow.Context, i int) {
	o := l.look(l.orderID)
	var d deed
	switch l.seed.Below(8, "interference", l.n, i) {
	case 0:
		d = l.cancel("changed mind", nil)
	case 1, 6:
		line := o.Lines[l.seed.Below(len(o.Lines), "line", l.n, i)]
		d = l.cancel("one less", []order.UnitsOf{{LineID: line.ID, Quantity: 1}})
	case 2, 7:
		d = l.hold(o, i)
	case 3:
		d = l.pay(o)
	case 4:
		d = l.resume()
	case 5:
		d = deed{"operator", "request cancellation", func(workflow.Context) error { return l.requestCancellation() }}
	}
	l.tell(d.who, d.what, outcomeOf(d.do(ctx)))
}

// hold holds the order, or one of its fulfillment orders.
func (l *life) hold(o *order.Order, i int) deed {
	h := order.HoldRequest{Reason: "fraud_review"}
	fulfillmentID := ""
	if len(o.Fulfillments) > 0 && l.seed.Chance(400, "holds a fulfillment", l.n, i) {
		fulfillmentID = o.Fulfillments[0].ID
	}
	if l.seed.Chance(600, "hold has a deadline", l.n, i) {
		until := l.now().Add(l.between(time.Hour, 9*24*time.Hour, "hold", l.n, i))
		h.Deadline = &until
		h.OnDeadline = []string{order.OnDeadlineRelease, order.OnDeadlineCancel, order.OnDeadlineAttention}[l.seed.Below(3, "on deadline", l.n, i)]
	}
	return deed{"operator", "hold " + l.orderID, func(ctx workflow.Context) error {
		return l.send(ctx, "operator", command{name: workflows.UpdateHold, build: func(c activities.Caller) any {
			return activities.HoldCommand{Caller: c, FulfillmentID: fulfillmentID, HoldRequest: h}
		}})
	}}
}

// requestCancellation presses the button in Temporal's UI, on every run that there is.
func (l *life) requestCancellation() error {
	for _, r := range l.runsOf() {
		l.env.CancelWorkflowByID(r.id, "")
	}
	return nil
}
