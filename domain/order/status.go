package order

import "github.com/waybill-oms/waybill/domain/lifecycle"

// Status is the order's life cycle. Payment, fulfillment and return have axes of their own, see axes.go.
type Status string

const (
	Received   Status = "received"   // stored, not yet decided
	Accepted   Status = "accepted"   // payment held and stock decided
	Processing Status = "processing" // the first unit was picked
	Completed  Status = "completed"  // every unit arrived or was settled otherwise
	Rejected   Status = "rejected"   // never accepted: nothing was held back
	Cancelled  Status = "cancelled"  // by somebody, before anything was handed over
	Expired    Status = "expired"    // nobody paid in time
)

// Statuses lists the life cycle in its order.
func Statuses() []Status {
	return []Status{Received, Accepted, Processing, Completed, Rejected, Cancelled, Expired}
}

// Final reports whether nothing more happens to an order in this status.
func (s Status) Final() bool {
	return s == Completed || s == Rejected || s == Cancelled || s == Expired
}

// The edges of the order's life cycle.
var (
	Accept   = lifecycle.Edge[Status]{Name: "accept", From: []Status{Received}, To: Accepted}
	Reject   = lifecycle.Edge[Status]{Name: "reject", From: []Status{Received}, To: Rejected}
	Start    = lifecycle.Edge[Status]{Name: "start", From: []Status{Accepted}, To: Processing}
	Complete = lifecycle.Edge[Status]{Name: "complete", From: []Status{Processing}, To: Completed}
	Cancel   = lifecycle.Edge[Status]{Name: "cancel", From: []Status{Received, Accepted, Processing}, To: Cancelled}
	Expire   = lifecycle.Edge[Status]{Name: "expire", From: []Status{Received, Accepted, Processing}, To: Expired}
)

// Edges is the order's whole life cycle.
func Edges() []lifecycle.Edge[Status] {
	return []lifecycle.Edge[Status]{Accept, Reject, Start, Complete, Cancel, Expire}
}

// FulfillmentStatus is the life cycle of a fulfillment order: one location's share of an order.
type FulfillmentStatus string

const (
	FulfillmentOpen       FulfillmentStatus = "open"        // may be picked
	FulfillmentInProgress FulfillmentStatus = "in_progress" // being picked, packed, shipped
	FulfillmentOnHold     FulfillmentStatus = "on_hold"     // somebody asked the warehouse to wait
	FulfillmentIncomplete FulfillmentStatus = "incomplete"  // handed over but for units that were not found
	FulfillmentClosed     FulfillmentStatus = "closed"      // every unit was handed over
	FulfillmentCancelled  FulfillmentStatus = "cancelled"   // nothing of it was handed over, nor will be
)

// The edges of a fulfillment order's life cycle.
var (
	StartFulfillment   = lifecycle.Edge[FulfillmentStatus]{Name: "pick", From: []FulfillmentStatus{FulfillmentOpen, FulfillmentInProgress}, To: FulfillmentInProgress}
	HoldFulfillment    = lifecycle.Edge[FulfillmentStatus]{Name: "hold", From: []FulfillmentStatus{FulfillmentOpen, FulfillmentInProgress}, To: FulfillmentOnHold}
	ReleaseFulfillment = lifecycle.Edge[FulfillmentStatus]{Name: "release", From: []FulfillmentStatus{FulfillmentOnHold}, To: FulfillmentOpen}
	ResumeFulfillment  = lifecycle.Edge[FulfillmentStatus]{Name: "resume", From: []FulfillmentStatus{FulfillmentOnHold}, To: FulfillmentInProgress}
	CloseFulfillment   = lifecycle.Edge[FulfillmentStatus]{Name: "close", From: []FulfillmentStatus{FulfillmentInProgress, FulfillmentOnHold}, To: FulfillmentClosed}
	CloseIncomplete    = lifecycle.Edge[FulfillmentStatus]{Name: "close incomplete", From: []FulfillmentStatus{FulfillmentInProgress, FulfillmentOnHold}, To: FulfillmentIncomplete}
	CancelFulfillment  = lifecycle.Edge[FulfillmentStatus]{Name: "cancel", From: []FulfillmentStatus{FulfillmentOpen, FulfillmentInProgress, FulfillmentOnHold}, To: FulfillmentCancelled}
)

// FulfillmentEdges is a fulfillment order's whole life cycle.
func FulfillmentEdges() []lifecycle.Edge[FulfillmentStatus] {
	return []lifecycle.Edge[FulfillmentStatus]{StartFulfillment, HoldFulfillment, ReleaseFulfillment, ResumeFulfillment,
		CloseFulfillment, CloseIncomplete, CancelFulfillment}
}

// Ended reports whether the warehouse has nothing left to do with a fulfillment order in this status.
func (s FulfillmentStatus) Ended() bool {
	return s == FulfillmentClosed || s == FulfillmentIncomplete || s == FulfillmentCancelled
}

// ShipmentStatus is the life cycle of a parcel. Where it is on its way is its tracking, see domain/shipping.
type ShipmentStatus string

const (
	ShipmentPacked       ShipmentStatus = "packed"        // in a box, label asked for
	ShipmentLabelRefused ShipmentStatus = "label_refused" // the carrier will not carry it so
	ShipmentLabeled      ShipmentStatus = "labeled"       // may be shipped
	ShipmentHeld         ShipmentStatus = "held"          // capture refused: stays in the building
	ShipmentShipped      ShipmentStatus = "shipped"       // the carrier has it
	ShipmentDelivered    ShipmentStatus = "delivered"     // it arrived
	ShipmentLost         ShipmentStatus = "lost"          // says the carrier; it may still turn up
	ShipmentReturning    ShipmentStatus = "returning"     // on its way back to us
	ShipmentCancelled    ShipmentStatus = "cancelled"     // never handed over
)

// The edges of a parcel's life cycle.
var (
	LabelShipment   = lifecycle.Edge[ShipmentStatus]{Name: "label", From: []ShipmentStatus{ShipmentPacked}, To: ShipmentLabeled}
	RefuseLabel     = lifecycle.Edge[ShipmentStatus]{Name: "refuse the label of", From: []ShipmentStatus{ShipmentPacked}, To: ShipmentLabelRefused}
	RetryLabel      = lifecycle.Edge[ShipmentStatus]{Name: "label again", From: []ShipmentStatus{ShipmentLabelRefused}, To: ShipmentPacked}
	HoldShipment    = lifecycle.Edge[ShipmentStatus]{Name: "hold", From: []ShipmentStatus{ShipmentLabeled, ShipmentHeld}, To: ShipmentHeld}
	HandOver        = lifecycle.Edge[ShipmentStatus]{Name: "hand over", From: []ShipmentStatus{ShipmentLabeled, ShipmentHeld}, To: ShipmentShipped}
	DeliverShipment = lifecycle.Edge[ShipmentStatus]{Name: "deliver", From: []ShipmentStatus{ShipmentShipped, ShipmentLost, ShipmentReturning}, To: ShipmentDelivered}
	LoseShipment    = lifecycle.Edge[ShipmentStatus]{Name: "lose", From: []ShipmentStatus{ShipmentShipped, ShipmentReturning}, To: ShipmentLost}
	TurnBack        = lifecycle.Edge[ShipmentStatus]{Name: "turn back", From: []ShipmentStatus{ShipmentShipped, ShipmentLost}, To: ShipmentReturning}
	CancelShipment  = lifecycle.Edge[ShipmentStatus]{Name: "cancel", From: []ShipmentStatus{ShipmentPacked, ShipmentLabelRefused, ShipmentLabeled, ShipmentHeld}, To: ShipmentCancelled}
)

// ShipmentEdges is a parcel's whole life cycle.
func ShipmentEdges() []lifecycle.Edge[ShipmentStatus] {
	return []lifecycle.Edge[ShipmentStatus]{LabelShipment, RefuseLabel, RetryLabel, HoldShipment, HandOver,
		DeliverShipment, LoseShipment, TurnBack, CancelShipment}
}

// PaymentStatus is how one attempt to be paid stands.
type PaymentStatus string

const (
	PaymentPending        PaymentStatus = "pending"         // asked, not answered
	PaymentAuthorized     PaymentStatus = "authorized"      // held, or taken elsewhere already
	PaymentDeclined       PaymentStatus = "declined"        // the gateway will not
	PaymentActionRequired PaymentStatus = "action_required" // the bank wants the customer
	PaymentAbandoned      PaymentStatus = "abandoned"       // never asked in earnest: the order ended first
)

// The edges of a payment's life cycle. What was captured, voided or refunded of it is in its balances.
var (
	AuthorizePayment = lifecycle.Edge[PaymentStatus]{Name: "authorize", From: []PaymentStatus{PaymentPending, PaymentAbandoned}, To: PaymentAuthorized}
	DeclinePayment   = lifecycle.Edge[PaymentStatus]{Name: "decline", From: []PaymentStatus{PaymentPending, PaymentAbandoned}, To: PaymentDeclined}
	AskCustomer      = lifecycle.Edge[PaymentStatus]{Name: "ask the customer about", From: []PaymentStatus{PaymentPending, PaymentAbandoned}, To: PaymentActionRequired}
	AbandonPayment   = lifecycle.Edge[PaymentStatus]{Name: "abandon", From: []PaymentStatus{PaymentPending}, To: PaymentAbandoned}
)

// PaymentEdges is a payment's whole life cycle.
func PaymentEdges() []lifecycle.Edge[PaymentStatus] {
	return []lifecycle.Edge[PaymentStatus]{AuthorizePayment, DeclinePayment, AskCustomer, AbandonPayment}
}

// RefundStatus is the life cycle of a refund.
type RefundStatus string

const (
	RefundPending   RefundStatus = "pending"   // asked for; nobody is told that it was paid
	RefundSucceeded RefundStatus = "succeeded" // the gateway gave the money back
	RefundRefused   RefundStatus = "refused"   // the gateway will not; it is tried again
)

// The edges of a refund's life cycle.
var (
	SettleRefund = lifecycle.Edge[RefundStatus]{Name: "settle", From: []RefundStatus{RefundPending, RefundRefused}, To: RefundSucceeded}
	RefuseRefund = lifecycle.Edge[RefundStatus]{Name: "refuse", From: []RefundStatus{RefundPending}, To: RefundRefused}
	RetryRefund  = lifecycle.Edge[RefundStatus]{Name: "retry", From: []RefundStatus{RefundRefused}, To: RefundPending}
)

// RefundEdges is a refund's whole life cycle.
func RefundEdges() []lifecycle.Edge[RefundStatus] {
	return []lifecycle.Edge[RefundStatus]{SettleRefund, RefuseRefund, RetryRefund}
}
