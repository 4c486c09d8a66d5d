package returns

import "github.com/waybill-oms/waybill/domain/lifecycle"

// Status is the life cycle of a return.
type Status string

const (
	Requested Status = "requested"  // asked for, not decided
	Approved  Status = "approved"   // the goods may come
	InTransit Status = "in_transit" // the carrier has them
	Received  Status = "received"   // some of them are here; more may come
	Inspected Status = "inspected"  // whatever came is graded, and nothing else is expected
	Closed    Status = "closed"     // paid back, as far as anything is owed
	Declined  Status = "declined"   // refused, with a reason
	Cancelled Status = "cancelled"  // called off before anything came
	Expired   Status = "expired"    // nothing came in time
)

// Statuses lists the life cycle in its order.
func Statuses() []Status {
	return []Status{Requested, Approved, InTransit, Received, Inspected, Closed, Declined, Cancelled, Expired}
}

// Final reports whether nothing more is expected of a return in this status. Goods that turn up late open it again.
func (s Status) Final() bool {
	return s == Closed || s == Declined || s == Cancelled || s == Expired
}

// The edges of a return's life cycle.
var (
	Approve  = lifecycle.Edge[Status]{Name: "approve", From: []Status{Requested}, To: Approved}
	Decline  = lifecycle.Edge[Status]{Name: "decline", From: []Status{Requested}, To: Declined}
	Dispatch = lifecycle.Edge[Status]{Name: "dispatch", From: []Status{Approved}, To: InTransit}
	Receive  = lifecycle.Edge[Status]{Name: "receive", From: []Status{Approved, InTransit, Received, Inspected, Closed, Cancelled, Expired}, To: Received}
	Inspect  = lifecycle.Edge[Status]{Name: "inspect", From: []Status{Received}, To: Inspected}
	Waive    = lifecycle.Edge[Status]{Name: "waive the goods of", From: []Status{Approved, InTransit}, To: Approved}
	Close    = lifecycle.Edge[Status]{Name: "close", From: []Status{Approved, Inspected}, To: Closed}
	Cancel   = lifecycle.Edge[Status]{Name: "cancel", From: []Status{Requested, Approved, InTransit}, To: Cancelled}
	Expire   = lifecycle.Edge[Status]{Name: "expire", From: []Status{Approved, InTransit}, To: Expired}
)

// Edges is a return's whole life cycle.
func Edges() []lifecycle.Edge[Status] {
	return []lifecycle.Edge[Status]{Approve, Decline, Dispatch, Waive, Receive, Inspect, Close, Cancel, Expire}
}
