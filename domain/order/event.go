package order

// The types of event. A type never changes its meaning; a new meaning is a new type.
const (
	EventReceived            = "order.received"
	EventAccepted            = "order.accepted"
	EventRejected            = "order.rejected"
	EventProcessing          = "order.processing"
	EventCompleted           = "order.completed"
	EventCancelled           = "order.cancelled"
	EventExpired             = "order.expired"
	EventHoldPlaced          = "order.hold_placed"
	EventHoldReleased        = "order.hold_released"
	EventAttention           = "order.attention_raised"
	EventAttentionCleared    = "order.attention_cleared"
	EventPaymentRequested    = "payment.requested"
	EventPaymentAuthorized   = "payment.authorized"
	EventPaymentDeclined     = "payment.declined"
	EventPaymentAction       = "payment.action_required"
	EventPaymentCaptured     = "payment.captured"
	EventCaptureRefused      = "payment.capture_refused"
	EventPaymentVoided       = "payment.voided"
	EventPaymentRefunded     = "payment.refunded"
	EventPaymentExpired      = "payment.authorization_expired"
	EventPaymentAbandoned    = "payment.abandoned"
	EventFulfillmentOpened   = "fulfillment.opened"
	EventFulfillmentPicked   = "fulfillment.picked"
	EventFulfillmentPacked   = "fulfillment.packed"
	EventFulfillmentClosed   = "fulfillment.closed"
	EventFulfillmentCanceled = "fulfillment.cancelled"
	EventShipmentLabeled     = "shipment.labeled"
	EventLabelRefused        = "shipment.label_refused"
	EventLabelVoided         = "shipment.label_voided"
	EventShipmentHeld        = "shipment.held"
	EventShipmentShipped     = "shipment.shipped"
	EventShipmentMoved       = "shipment.tracking_updated"
	EventShipmentDelivered   = "shipment.delivered"
	EventShipmentLost        = "shipment.lost"
	EventShipmentReturning   = "shipment.returning"
	EventShipmentCancelled   = "shipment.cancelled"
)

// note appends an event to the timeline, numbered without gaps.
func (o *Order) note(act Act, e Event) {
	o.Sequence++
	e.Sequence, e.At, e.Actor, e.RequestID, e.Status = o.Sequence, act.At, act.Actor, act.RequestID, o.Status
	o.effects.Events = append(o.effects.Events, e)
}
