package order

import "strings"

// EventType is what subscribers may rely on about one type of event.
type EventType struct {
	Name string
	Says string   // one sentence: what has happened when it is seen
	Has  []string // members that its data always has
	May  []string // members that its data has when there is something to say
}

// EventTypes is the catalog of events, in the order of a life. Every event that an order notes is of one of these.
func EventTypes() []EventType {
	var types []EventType
	for _, group := range [][]EventType{orderEvents, paymentEvents, fulfillmentEvents, shipmentEvents, returnEvents} {
		types = append(types, group...)
	}
	return types
}

// kind makes an entry. Members are named apart by spaces; those that end in a question mark may be missing.
func kind(name, members, says string) EventType {
	t := EventType{Name: name, Says: says}
	for member := range strings.FieldsSeq(members) {
		if optional, ok := strings.CutSuffix(member, "?"); ok {
			t.May = append(t.May, optional)
		} else {
			t.Has = append(t.Has, member)
		}
	}
	return t
}

var orderEvents = []EventType{
	kind(EventReceived, "amount", "The order is stored; `amount` is its total. Nothing is decided yet."),
	kind(EventAccepted, "amount", "The order is taken: its payment is held and its stock is decided. `amount` is its total."),
	kind(EventRejected, "", "The order is turned away, since stock is short. Nothing is held and nothing was charged."),
	kind(EventBackordered, "units promised_at", "Units of the order wait for stock: how many, and until when they are promised."),
	kind(EventStockGranted, "units", "Units that had waited were given stock."),
	kind(EventProcessing, "", "The first unit was picked."),
	kind(EventUnitsCancelled, "units amount", "Some units are cancelled, the order goes on; `amount` is what the customer no longer owes for them, without shipping."),
	kind(EventCancelled, "", "The whole order is cancelled. Nothing of it was shipped."),
	kind(EventExpired, "", "Nobody paid in time: the order is over and its stock is free."),
	kind(EventCompleted, "", "Every unit that was not cancelled was delivered, lost, or could not be delivered."),
	kind(EventHoldPlaced, "hold_id reason fulfillment_id?", "Somebody, or Waybill itself, holds the order, or one fulfillment order of it."),
	kind(EventHoldReleased, "hold_id reason fulfillment_id?", "A hold is over."),
	kind(EventAttention, "code", "A person has to look at the order; `code` is the cause."),
	kind(EventAttentionCleared, "code", "The call for a person is taken back."),
}

var paymentEvents = []EventType{
	kind(EventPaymentRequested, "payment_id amount", "A new payment token was given for what is still to be paid."),
	kind(EventPaymentAuthorized, "payment_id amount", "Money is held, not taken."),
	kind(EventPaymentDeclined, "payment_id amount code", "The gateway declined to hold the money."),
	kind(EventPaymentAction, "payment_id amount", "The bank wants the customer to do something before it holds the money."),
	kind(EventPaymentCaptured, "payment_id amount shipment_id?", "Held money was taken, for a parcel; without one it was taken elsewhere."),
	kind(EventCaptureRefused, "payment_id shipment_id amount code", "The gateway refused to take held money: the parcel stays in the building."),
	kind(EventPaymentVoided, "payment_id amount", "Held money was let go."),
	kind(EventPaymentExpired, "payment_id amount", "An authorization ran out before its money was taken."),
	kind(EventPaymentRefunded, "payment_id refund_id amount reason shipment_id? return_id?", "Captured money was given back: the gateway has done it. `reason` is cancelled, lost, returned or excess."),
	kind(EventPaymentAbandoned, "payment_id amount", "A request that nobody wanted any more is known never to have reached the gateway."),
}

var fulfillmentEvents = []EventType{
	kind(EventFulfillmentOpened, "fulfillment_id location_id", "A location was given units to pick, pack and ship."),
	kind(EventFulfillmentPicked, "fulfillment_id units", "Units were picked."),
	kind(EventFulfillmentShort, "fulfillment_id sku units reason", "Units that should be there were not found, or not fit to sell."),
	kind(EventFulfillmentPacked, "fulfillment_id parcels", "Picked units were packed into parcels."),
	kind(EventFulfillmentClosed, "fulfillment_id", "The location has shipped everything that it was given."),
	kind(EventFulfillmentPartial, "fulfillment_id units", "The location is done, without the units that it could not find."),
	kind(EventFulfillmentCanceled, "fulfillment_id", "The location no longer has to ship anything of it."),
}

var shipmentEvents = []EventType{
	kind(EventShipmentLabeled, "fulfillment_id shipment_id carrier tracking_number", "A parcel has its label."),
	kind(EventLabelRefused, "fulfillment_id shipment_id code", "The carrier will not carry the parcel as it is."),
	kind(EventLabelVoided, "fulfillment_id shipment_id", "The label of a cancelled parcel was given back."),
	kind(EventShipmentHeld, "fulfillment_id shipment_id code", "A packed parcel stays in the building."),
	kind(EventShipmentShipped, "fulfillment_id shipment_id amount carrier tracking_number", "The parcel was handed to the carrier; `amount` is what was taken for it."),
	kind(EventShipmentMoved, "fulfillment_id shipment_id tracking_status", "The carrier reported a new state of the parcel."),
	kind(EventShipmentDelivered, "fulfillment_id shipment_id", "The parcel arrived."),
	kind(EventShipmentLost, "fulfillment_id shipment_id", "The carrier lost the parcel; what was paid for it is given back."),
	kind(EventShipmentReturning, "fulfillment_id shipment_id", "The parcel could not be delivered and comes back."),
	kind(EventShipmentCancelled, "fulfillment_id shipment_id", "The parcel was unpacked before it left."),
}

var returnEvents = []EventType{
	kind(EventReturnRequested, "return_id units", "Somebody wants to send units back."),
	kind(EventReturnApproved, "return_id expires_at? returnless?", "The goods may come until `expires_at`; or, `returnless`, they are refunded and need not."),
	kind(EventReturnDeclined, "return_id", "The goods may not come."),
	kind(EventReturnLabeled, "return_id carrier tracking_number", "The customer has a label to send the goods with."),
	kind(EventReturnLabelRefused, "return_id code", "The carrier sold no label for the return."),
	kind(EventReturnLabelVoided, "return_id", "The label of a return that is off was given back."),
	kind(EventReturnMoved, "return_id tracking_status", "The carrier reported a new state of the parcel that comes back."),
	kind(EventReturnReceived, "return_id units?", "Goods arrived; `units` of them were expected. Without `units`: only what nobody had announced."),
	kind(EventReturnReopened, "return_id", "Goods arrived for a return that was over already: it goes on."),
	kind(EventReturnInspected, "return_id units?", "Units were graded. Without `units`: the rest did not come in time, and the return goes on with what is here."),
	kind(EventReturnClosed, "return_id", "The return is over and what it gives back is paid."),
	kind(EventReturnCancelled, "return_id", "The return was called off."),
	kind(EventReturnExpired, "return_id", "Nothing came in time."),
	kind(EventReturnAttention, "return_id code", "A person has to look at the return; `code` is the cause."),
	kind(EventReturnAttentionCleared, "return_id code", "The call for a person is taken back."),
}
