package order

import (
	"time"

	"github.com/waybill-oms/waybill/domain/payment"
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
	o.PaymentAxis = o.paymentAxis()
	o.FulfillmentAxis = o.fulfillmentAxis()
	o.Deadline = o.deadline()
	o.WaitingFor, o.WaitingUntil = o.waiting()
	o.Settled = o.Status.Final() && len(o.Steps()) == 0
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
	case sum.Captured >= o.Total:
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
	for _, f := range o.Fulfillments {
		if f.Status == FulfillmentInProgress {
			return "in_progress"
		}
	}
	return "unfulfilled"
}

// deadline is the next time at which something happens by itself.
func (o *Order) deadline() *time.Time {
	if o.Status.Final() {
		return nil
	}
	var next *time.Time
	for _, h := range o.Holds {
		if h.Active() {
			next = earlier(next, h.Deadline)
		}
	}
	for _, p := range o.Payments {
		if !p.Unwanted && p.Open() > 0 && p.Capturing == 0 {
			next = earlier(next, p.CaptureBefore)
		}
	}
	return next
}

// waiting says what the order waits for, the most pressing first, and until when.
func (o *Order) waiting() (WaitingFor, *time.Time) {
	for _, op := range o.Operations {
		if op.State.Open() {
			return WaitingGateway, nil
		}
	}
	if o.Status.Final() {
		return WaitingNothing, nil
	}
	if o.AttentionCode != "" && o.activeHold(HoldAwaitingPayment) == nil {
		return WaitingOperator, nil
	}
	for _, h := range o.Holds {
		switch {
		case !h.Active():
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
	for _, l := range o.Lines {
		if l.Open() > 0 {
			return WaitingWarehouse, nil
		}
	}
	return WaitingCarrier, nil
}
