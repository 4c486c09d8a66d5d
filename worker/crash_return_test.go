package worker_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

var warehouseStories = []story{
	{
		name: "held, and a unit less",
		tell: func(c *crash) {
			c.place()
			c.surely(func(o *order.Order) error { return c.hold(o, "hold", order.HoldRequest{Reason: "fraud_review"}) })
			c.surely(func(o *order.Order) error { return c.letGo(o, "release", o.Holds[0].ID) })
			c.surely(func(o *order.Order) error { return c.cancelUnits(o, "less", 1) })
			c.home()
		},
		activities: []string{"Order/PlaceHold", "Order/ReleaseHold", "Order/Cancel"},
		status:     order.Completed, onHand: 9,
		events: slices.Concat(accepted, []string{"order.hold_placed", "order.hold_released", "order.units_cancelled"},
			picked, packed, shipped, []string{"payment.voided"}),
		operations: []string{"authorize 4828", "capture 2664", "void 2164", "label"},
	},
	{
		name: "not found, and had from elsewhere",
		tell: func(c *crash) {
			c.place()
			c.surely(func(o *order.Order) error { return c.findOne(o, "short") })
			c.home()
		},
		activities: []string{"Order/Pick"}, second: []string{"Order/Allocate"}, others: map[string]int{"Order/Pick": 1},
		status: order.Completed, onHand: 8, more: map[string]int64{"west": 9},
		events: slices.Concat(accepted, picked, []string{"fulfillment.short_picked", "fulfillment.opened"}, packed,
			[]string{"payment.captured", "shipment.shipped", "fulfillment.closed_incomplete", "shipment.delivered"},
			picked[:1], packed, shipped),
		operations: []string{"authorize 4828", "capture 2664", "label", "capture 2164", "label"},
	},
}

var returnStories = []story{
	{
		name: "returned",
		tell: func(c *crash) {
			c.delivered()
			c.announce("back")
			c.tell(workflows.UpdateApprove)
			c.tell(workflows.UpdateReceive)
			c.tell(workflows.UpdateInspect)
		},
		activities: []string{"Return/Load", "Return/ApproveReturn", "Return/BuyLabel", "Return/ReceiveReturn", "Return/InspectReturn", "Return/Refund"},
		status:     order.Completed, onHand: 10,
		events: slices.Concat(accepted, picked, packed, shipped, approved,
			[]string{"return.received", "return.inspected", "payment.refunded", "return.closed"}),
		operations: append([]string{"label", "refund 4328"}, plain.applied...),
	},
	{
		name: "declined, and another called off",
		tell: func(c *crash) {
			c.delivered()
			c.announce("back")
			c.tell(workflows.UpdateDecline)
			c.announce("back again")
			c.tell(workflows.UpdateApprove)
			c.tell(workflows.UpdateCancel)
		},
		activities: []string{"Return/DeclineReturn", "Return/CancelReturn", "Return/VoidLabel"},
		status:     order.Completed, onHand: 8,
		events: slices.Concat(accepted, picked, packed, shipped, []string{"return.requested", "return.declined"}, approved,
			[]string{"return.cancelled", "return.label_voided"}),
		operations: append([]string{"label", "void_label"}, plain.applied...),
	},
	{
		name: "never sent", policy: func(p *order.Policy) { p.Returns.ExpiresAfterDays = 0 },
		tell: func(c *crash) {
			c.delivered()
			c.announce("back")
			c.tell(workflows.UpdateApprove)
		},
		activities: []string{"Return/DeadlinePassed"},
		status:     order.Completed, onHand: 8,
		events: slices.Concat(accepted, picked, packed, shipped, approved,
			[]string{"return.expired", "return.label_voided"}),
		operations: append([]string{"label", "void_label"}, plain.applied...),
	},
	{
		name: "refunded by a gateway that was gone",
		tell: func(c *crash) {
			c.delivered()
			c.announce("back")
			c.tell(workflows.UpdateApprove)
			c.tell(workflows.UpdateReceive)
			c.query(`UPDATE payments SET gateway = 'gone'; UPDATE orders SET version = version + 1`)
			c.tell(workflows.UpdateInspect)
			c.until(c.o.ID, "in need of attention", func(o *order.Order) bool {
				return o.Return(c.returnID).AttentionCode == order.AttentionStepFailed
			})
			c.query(`UPDATE payments SET gateway = 'sandbox'; UPDATE orders SET version = version + 1`)
			c.tell(workflows.UpdateResume)
		},
		activities: []string{"Return/StepFailed", "Return/ResumeReturn"},
		status:     order.Completed, onHand: 10,
		events: slices.Concat(accepted, picked, packed, shipped, approved, []string{"return.received", "return.inspected",
			"return.attention_raised", "return.attention_cleared", "payment.refunded", "return.closed"}),
		operations: append([]string{"label", "refund 4328"}, plain.applied...),
	},
	{
		name: "refunded by other means", change: func(p *order.Placement) { p.Payment.Token = "tok_refund_refused" },
		tell: func(c *crash) {
			c.delivered()
			c.announce("back")
			c.tell(workflows.UpdateApprove)
			c.tell(workflows.UpdateReceive)
			c.tell(workflows.UpdateInspect)
			c.o = c.until(c.o.ID, "refused", func(o *order.Order) bool { return o.Refunds[0].Status == order.RefundRefused })
			c.tell(workflows.UpdateSettleRefund)
		},
		activities: []string{"Return/SettleRefund"},
		status:     order.Completed, onHand: 10,
		events: slices.Concat(accepted, picked, packed, shipped, approved, []string{"return.received", "return.inspected",
			"return.attention_raised", "payment.refunded", "return.attention_cleared", "return.closed"}),
		operations: append([]string{"label", "refund refused"}, plain.applied...),
	},
}

var approved = []string{"return.requested", "return.approved", "return.labeled"}

// delivered takes the order to its customer.
func (c *crash) delivered() {
	c.place()
	c.home()
}

// What no run of this kind ever does.
var never = map[string]string{
	"Return/Authorize": "a return asks nobody for money",
	"Return/Capture":   "a return asks nobody for money",
	"Return/Void":      "what is held is the order's affair; a return gives back what was taken",
	"Return/Allocate":  "a return needs no stock",
}

// TestCrashOfEveryActivity asserts that somebody dies in every activity that is registered; in one that both kinds of
// run ask for, by both.
func TestCrashOfEveryActivity(t *testing.T) {
	told := map[string]bool{}
	for _, s := range stories {
		for _, name := range append(s.activities, s.second...) {
			told[name] = true
		}
	}
	registered := reflect.TypeFor[*activities.Activities]()
	for i := range registered.NumMethod() {
		m := registered.Method(i)
		_, command := m.Type.In(2).FieldByName("Caller")
		ofOrder, ofReturn := "Order/"+m.Name, "Return/"+m.Name
		switch {
		case command:
			require.True(t, told[ofOrder] || told[ofReturn], "nobody dies in %s", m.Name)
		default:
			require.True(t, told[ofOrder] || never[ofOrder] != "", "nobody dies in %s", ofOrder)
			require.True(t, told[ofReturn] || never[ofReturn] != "", "nobody dies in %s", ofReturn)
		}
		delete(told, ofOrder)
		delete(told, ofReturn)
	}
	require.Empty(t, told, "somebody dies where there is no activity")
}
