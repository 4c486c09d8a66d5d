package order

import "encoding/json"

// The types of event. A type never changes its meaning; a new meaning is a new type. EventTypes says what each one
// means and carries.
const (
	EventReceived               = "order.received"
	EventAccepted               = "order.accepted"
	EventRejected               = "order.rejected"
	EventProcessing             = "order.processing"
	EventCompleted              = "order.completed"
	EventCancelled              = "order.cancelled"
	EventExpired                = "order.expired"
	EventBackordered            = "order.backordered"
	EventUnitsCancelled         = "order.units_cancelled"
	EventStockGranted           = "order.stock_granted"
	EventHoldPlaced             = "order.hold_placed"
	EventHoldReleased           = "order.hold_released"
	EventAttention              = "order.attention_raised"
	EventAttentionCleared       = "order.attention_cleared"
	EventPaymentRequested       = "payment.requested"
	EventPaymentAuthorized      = "payment.authorized"
	EventPaymentDeclined        = "payment.declined"
	EventPaymentAction          = "payment.action_required"
	EventPaymentCaptured        = "payment.captured"
	EventCaptureRefused         = "payment.capture_refused"
	EventPaymentVoided          = "payment.voided"
	EventPaymentRefunded        = "payment.refunded"
	EventPaymentExpired         = "payment.authorization_expired"
	EventPaymentAbandoned       = "payment.abandoned"
	EventFulfillmentOpened      = "fulfillment.opened"
	EventFulfillmentPicked      = "fulfillment.picked"
	EventFulfillmentPacked      = "fulfillment.packed"
	EventFulfillmentShort       = "fulfillment.short_picked"
	EventFulfillmentClosed      = "fulfillment.closed"
	EventFulfillmentPartial     = "fulfillment.closed_incomplete"
	EventFulfillmentCanceled    = "fulfillment.cancelled"
	EventShipmentLabeled        = "shipment.labeled"
	EventLabelRefused           = "shipment.label_refused"
	EventLabelVoided            = "shipment.label_voided"
	EventShipmentHeld           = "shipment.held"
	EventShipmentShipped        = "shipment.shipped"
	EventShipmentMoved          = "shipment.tracking_updated"
	EventShipmentDelivered      = "shipment.delivered"
	EventShipmentLost           = "shipment.lost"
	EventShipmentReturning      = "shipment.returning"
	EventShipmentCancelled      = "shipment.cancelled"
	EventReturnRequested        = "return.requested"
	EventReturnApproved         = "return.approved"
	EventReturnDeclined         = "return.declined"
	EventReturnLabeled          = "return.labeled"
	EventReturnLabelRefused     = "return.label_refused"
	EventReturnLabelVoided      = "return.label_voided"
	EventReturnMoved            = "return.tracking_updated"
	EventReturnReceived         = "return.received"
	EventReturnReopened         = "return.reopened"
	EventReturnInspected        = "return.inspected"
	EventReturnClosed           = "return.closed"
	EventReturnCancelled        = "return.cancelled"
	EventReturnExpired          = "return.expired"
	EventReturnAttention        = "return.attention_raised"
	EventReturnAttentionCleared = "return.attention_cleared"
)

// note appends an event to the timeline, numbered without gaps.
func (o *Order) note(act Act, e Event) {
	o.Sequence++
	e.Sequence, e.At, e.Actor, e.RequestID, e.Status = o.Sequence, act.At, act.Actor, act.RequestID, o.Status
	o.effects.Events = append(o.effects.Events, e)
}

// Members returns what the event says as its type's members: ids, amounts in minor units of the order's currency,
// codes. It leaves out what it has nothing to say about, and its detail, which is for people.
func (e Event) Members() map[string]any {
	members := map[string]any{}
	body, _ := json.Marshal(e.Data) // it has nothing that does not marshal
	_ = json.Unmarshal(body, &members)
	for name, id := range map[string]string{"fulfillment_id": e.FulfillmentID, "shipment_id": e.ShipmentID,
		"payment_id": e.PaymentID, "return_id": e.ReturnID} {
		if id != "" {
			members[name] = id
		}
	}
	if e.Amount != nil {
		members["amount"] = *e.Amount
	}
	return members
}
