package order

import (
	"fmt"
	"slices"
	"time"

	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
)

// WaitingFor says on whom or what an order waits.
type WaitingFor string

const (
	WaitingNothing   WaitingFor = ""
	WaitingPayment   WaitingFor = "payment"
	WaitingStock     WaitingFor = "stock"
	WaitingWarehouse WaitingFor = "warehouse"
	WaitingCarrier   WaitingFor = "carrier"
	WaitingCustomer  WaitingFor = "customer"
	WaitingOperator  WaitingFor = "operator"
	WaitingGateway   WaitingFor = "gateway"
)

// Project derives everything that is never set by hand: the axes, what the order waits for, its deadline and
// whether it is settled. Whoever changes an order calls it last.
func (o *Order) Project(act Act) {
	o.UpdatedAt = act.At
	o.project(act)
}

func (o *Order) project(Act) {
	waits := o.Status == Accepted || o.Status == Processing
	for i := range o.Lines {
		l := &o.Lines[i]
		if l.Backordered = 0; waits {
			l.Backordered = units(o.unallocated(l))
		}
	}
	o.Grantable = o.waitsForStock()
	o.PaymentAxis = o.paymentAxis()
	o.FulfillmentAxis = o.fulfillmentAxis()
	o.Deadline = o.alarm().at
	o.WaitingFor, o.WaitingUntil = o.waiting()
	o.Settled = o.Status.Final() && len(o.Steps()) == 0 && o.retry("").at == nil
	for i := range o.Returns {
		o.projectReturn(&o.Returns[i])
	}
	o.ReturnAxis = o.returnAxis()
}

func (o *Order) paymentAxis() string {
	var sum payment.Balances
	var open int64
	for _, p := range o.Payments {
		sum.Captured += p.Captured
		sum.Refunded += p.Refunded
		sum.Voided += p.Voided
		sum.Expired += p.Expired
		if !p.Unwanted || p.Status == PaymentAuthorized {
			open += p.Open() + p.Capturing
		}
	}
	switch {
	case o.Total == 0:
		return "paid"
	case sum.Refunded > 0 && sum.Refunded >= sum.Captured:
		return "refunded"
	case sum.Refunded > 0:
		return "partially_refunded"
	case sum.Captured > 0 && sum.Captured >= o.owed():
		return "paid"
	case sum.Captured > 0:
		return "partially_paid"
	case open > 0:
		return "authorized"
	case sum.Voided > 0:
		return "voided"
	case sum.Expired > 0:
		return "expired"
	}
	return "pending"
}

func (o *Order) fulfillmentAxis() string {
	var active, shipped, delivered int64
	for _, l := range o.Lines {
		active += l.Quantity - l.Cancelled
		shipped += l.Shipped
		delivered += l.Delivered
	}
	switch {
	case active == 0:
		return "unfulfilled"
	case delivered == active:
		return "delivered"
	case delivered > 0:
		return "partially_delivered"
	case shipped == active:
		return "shipped"
	case shipped > 0:
		return "partially_shipped"
	case o.Blocked(BlockShip):
		return "on_hold"
	}
	if slices.ContainsFunc(o.Fulfillments, func(f Fulfillment) bool { return f.Status == FulfillmentInProgress }) {
		return "in_progress"
	}
	if slices.ContainsFunc(o.Fulfillments, func(f Fulfillment) bool { return f.Status == FulfillmentOnHold }) {
		return "on_hold"
	}
	if o.Status == Accepted && o.backordered() == active {
		return "scheduled" // all of it waits for stock
	}
	return "unfulfilled"
}

// returnAxis says how the order's returns stand, the least finished first.
func (o *Order) returnAxis() string {
	at := func(statuses ...returns.Status) bool {
		return slices.ContainsFunc(o.Returns, func(r Return) bool { return slices.Contains(statuses, r.Status) })
	}
	switch {
	case at(returns.Requested):
		return "requested"
	case at(returns.Approved, returns.InTransit, returns.Received):
		return "in_progress"
	case at(returns.Inspected):
		return "inspection_complete"
	case at(returns.Closed):
		return "returned"
	case at(returns.Declined, returns.Expired):
		return "failed"
	}
	return "none"
}

// alarm is a time at which something happens by itself, and what.
type alarm struct {
	at   *time.Time
	what string
}

// or returns the earlier of two alarms; the first of two at the same time.
func (a alarm) or(at *time.Time, what string) alarm {
	if at == nil || a.at != nil && !at.Before(*a.at) {
		return a
	}
	return alarm{at, what}
}

// alarm is the next time at which something happens by itself to the order.
func (o *Order) alarm() alarm {
	next := o.retry("")
	if o.Status.Final() {
		return next
	}
	if o.backordered() > 0 && !o.PromiseBroken && o.Status != Received {
		next = next.or(o.PromisedAt, "promised date of what waits for stock")
	}
	for _, h := range o.Holds {
		if h.Active() {
			next = next.or(h.Deadline, h.lapse())
		}
	}
	for _, p := range o.Payments {
		if !p.Unwanted && p.Open() > 0 && p.Capturing == 0 {
			next = next.or(p.CaptureBefore, fmt.Sprintf("authorization of payment %d lapses", p.Number))
		}
	}
	return next
}

// lapse says what happens when nobody answers the hold.
func (h Hold) lapse() string {
	switch h.OnDeadline {
	case OnDeadlineExpire:
		return "payment grace ends, the order expires"
	case OnDeadlineRelease:
		return "hold " + oneLine(h.Reason, 60) + " ends, and it goes on"
	case OnDeadlineCancel:
		return "hold " + oneLine(h.Reason, 60) + " ends, what has not shipped is cancelled"
	}
	return "hold " + oneLine(h.Reason, 60) + " ends, an operator is called"
}

// waiting says what the order waits for, the most pressing first, and until when.
func (o *Order) waiting() (WaitingFor, *time.Time) {
	if len(o.operationsDue("")) > 0 {
		return WaitingGateway, nil
	}
	if o.Status.Final() {
		return WaitingNothing, nil
	}
	if o.AttentionCode != "" && o.activeHold(HoldAwaitingPayment) == nil {
		return WaitingOperator, nil
	}
	for _, h := range o.Holds {
		switch {
		case !h.Active() || h.FulfillmentID != "":
		case h.Reason != HoldAwaitingPayment:
			return WaitingOperator, h.Deadline
		case o.LatestPayment() != nil && o.LatestPayment().Status == PaymentActionRequired:
			return WaitingCustomer, h.Deadline
		default:
			return WaitingPayment, h.Deadline
		}
	}
	if o.Status == Received {
		return WaitingStock, nil
	}
	return o.waitingOn()
}

// waitingOn says where an accepted order's units are: in a warehouse that may work on them, in one that was asked to
// wait, nowhere yet, or under way.
func (o *Order) waitingOn() (WaitingFor, *time.Time) {
	onHold := false
	for _, f := range o.Fulfillments {
		switch {
		case f.Status == FulfillmentOnHold:
			onHold = true
		case !f.Status.Ended():
			return WaitingWarehouse, nil
		}
	}
	switch {
	case onHold:
		return WaitingOperator, nil
	case o.backordered() > 0:
		return WaitingStock, o.PromisedAt
	}
	return WaitingCarrier, nil
}
