package worker_test

import (
	"slices"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
)

// story is an order's whole life, told the same way whoever dies in it.
type story struct {
	name       string
	change     func(*order.Placement) // of the README's order
	policy     func(*order.Policy)
	tell       func(c *crash)
	activities []string       // at whose points somebody dies, by whose run asks for them
	second     []string       // at whose points somebody dies at the second visit
	others     map[string]int // how often more than once the story has an activity decide
	// What there is at the end, of which a crash must change nothing.
	status     order.Status
	attention  string           // where the story ends without the order being settled
	events     []string         // of the timeline
	operations []string         // in the gateway's and the carrier's own ledgers
	onHand     int64            // of the ten units
	more       map[string]int64 // of ten units more, by location
}

// deaths are the points at which somebody dies in the story.
func (s story) deaths() []death {
	var found []death
	for visit, names := range [][]string{s.activities, s.second} {
		for _, name := range names {
			points := []string{activities.BeforeEffect, activities.AfterEffect, activities.AfterCommit}
			if strings.HasSuffix(name, "/Load") {
				points = points[:1] // it only reads
			}
			for _, point := range points {
				found = append(found, death{At: name + "/" + point, Visit: int64(visit + 1)})
			}
		}
	}
	return found
}

var stories = slices.Concat(plainStories, warehouseStories, returnStories)

var plainStories = []story{
	{
		name: "plain", tell: func(c *crash) { c.place(); c.pick(); c.pack(); c.ship(); c.deliver() },
		activities: []string{"Order/Load", "Order/Authorize", "Order/Allocate", "Order/Pick", "Order/Pack", "Order/BuyLabel", "Order/Ship", "Order/Capture"},
		status:     order.Completed, onHand: 8,
		events:     slices.Concat(accepted, picked, packed, shipped),
		operations: plain.applied,
	},
	{
		name: "cancelled when packed", tell: func(c *crash) { c.place(); c.pick(); c.pack(); c.cancel() },
		activities: []string{"Order/Cancel", "Order/Void", "Order/VoidLabel"},
		status:     order.Cancelled, onHand: 10,
		events:     slices.Concat(accepted, picked, packed, cancelledParcel, []string{"payment.voided", "shipment.label_voided"}),
		operations: []string{"authorize 4828", "void 4828", "label", "void_label"},
	},
	{
		name:   "paid at the second attempt",
		change: func(p *order.Placement) { p.Payment.Token = "tok_declined" },
		tell: func(c *crash) {
			c.place()
			c.pay("tok_ok")
			c.pick()
			c.pack()
			c.ship()
			c.deliver()
		},
		activities: []string{"Order/NewPayment"},
		status:     order.Completed, onHand: 8,
		events:     slices.Concat(declined, []string{"payment.requested", "payment.authorized", "order.hold_released"}, accepted[2:], picked, packed, shipped),
		operations: []string{"authorize refused", "authorize 4828", "capture 4828", "label"},
	},
	{
		name: "never paid", policy: func(p *order.Policy) { p.PaymentGrace = time.Millisecond },
		change:     func(p *order.Placement) { p.Payment.Token = "tok_declined" },
		tell:       func(c *crash) { c.place() },
		activities: []string{"Order/DeadlinePassed"},
		status:     order.Expired, onHand: 10,
		events:     slices.Concat(declined, []string{"order.hold_released", "order.expired"}),
		operations: []string{"authorize refused"},
	},
	{
		name:       "captured wrongly and cancelled",
		change:     func(p *order.Placement) { p.Payment.Token = "tok_capture_wrong_amount" },
		tell:       func(c *crash) { c.place(); c.pick(); c.pack(); c.ship(); c.cancel() },
		activities: []string{"Order/Refund"},
		status:     order.Cancelled, onHand: 10,
		events: slices.Concat(accepted, picked, packed, []string{"payment.captured", "shipment.held", "order.attention_raised",
			"order.attention_cleared"}, cancelledParcel, []string{"payment.voided", "payment.refunded", "shipment.label_voided"}),
		operations: []string{"authorize 4828", "capture 4827", "void 1", "refund 4827", "label", "void_label"},
	},
	{
		name:       "no label, resumed and cancelled",
		change:     func(p *order.Placement) { p.ShipTo.PostalCode = "00001" },
		tell:       func(c *crash) { c.place(); c.pick(); c.pack(); c.resume(); c.cancel() },
		activities: []string{"Order/Resume"},
		status:     order.Cancelled, onHand: 10,
		events: slices.Concat(accepted, picked, []string{"fulfillment.packed", "shipment.label_refused", "order.attention_raised",
			"order.attention_cleared", "shipment.label_refused", "order.attention_raised", "order.attention_cleared"},
			cancelledParcel, []string{"payment.voided"}),
		operations: []string{"authorize 4828", "void 4828", "label refused", "label refused"},
	},
	{
		name:       "paid by a gateway that is gone",
		change:     func(p *order.Placement) { p.Payment.Gateway = "gone" },
		tell:       func(c *crash) { c.place() },
		activities: []string{"Order/StepFailed"},
		status:     order.Received, attention: order.AttentionStepFailed, onHand: 10,
		events: []string{"order.received", "order.attention_raised"},
	},
}

// What happens in the stories, event by event.
var (
	accepted        = []string{"order.received", "payment.authorized", "order.accepted", "fulfillment.opened"}
	declined        = []string{"order.received", "payment.declined", "order.hold_placed"}
	picked          = []string{"fulfillment.picked", "order.processing"}
	packed          = []string{"fulfillment.packed", "shipment.labeled"}
	shipped         = []string{"payment.captured", "shipment.shipped", "fulfillment.closed", "shipment.delivered", "order.completed"}
	cancelledParcel = []string{"order.cancelled", "fulfillment.cancelled", "shipment.cancelled"}
)

// The activities that ask somebody else, and for what.
var asks = map[string]string{"Authorize": "authorize", "Capture": "capture", "Void": "void", "Refund": "refund",
	"BuyLabel": "label", "VoidLabel": "void_label"}
