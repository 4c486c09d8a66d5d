package worker_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

// press is a command that somebody presses the button for three times.
type press struct {
	name    string
	change  func(*order.Placement)       // of the README's order
	ready   func(a *app, o *order.Order) // from accepted to where the button can be pressed
	send    func(a *app, o *order.Order, update, key string) error
	others  []string // what requests under other keys may be told, as conflicts
	allPass bool     // those too find it done, and are content
	each    bool     // another key asks for another one
	event   string   // what happens once
	finish  func(a *app, o *order.Order)
	applied []string // in the gateway's and the carrier's own ledgers
}

var presses = slices.Concat(orderPresses, returnPresses)

var orderPresses = []press{
	{name: "pay", change: func(p *order.Placement) { p.Payment.Token = "tok_declined" },
		send: func(a *app, o *order.Order, update, key string) error {
			return a.command(o, workflows.UpdatePayment, update, activities.PaymentCommand{Caller: caller(o, key), Gateway: "sandbox", Token: "tok_ok"})
		},
		others: []string{"payment_in_progress", "payment_not_awaited"}, event: "payment.requested",
		finish: (*app).fulfill, applied: paidAgain.applied},
	{name: "pick",
		send: func(a *app, o *order.Order, update, key string) error {
			f := o.Fulfillments[0]
			return a.command(o, workflows.UpdatePick, update, activities.PickCommand{Caller: caller(o, key), FulfillmentID: f.ID, Lines: found(f)})
		},
		others: []string{"too_many"}, event: "fulfillment.picked",
		finish: func(a *app, o *order.Order) {
			require.NoError(a.t, a.pack(o))
			require.NoError(a.t, a.ship(a.answered(o)))
			a.arrived(o)
		}, applied: plain.applied},
	{name: "pack", ready: func(a *app, o *order.Order) { require.NoError(a.t, a.pick(o)) },
		send: func(a *app, o *order.Order, update, key string) error {
			f := o.Fulfillments[0]
			return a.command(o, workflows.UpdatePack, update, activities.PackCommand{Caller: caller(o, key), FulfillmentID: f.ID,
				Parcels: []order.Parcel{{WeightGrams: 500, Lines: units(f)}}})
		},
		others: []string{"not_picked"}, event: "fulfillment.packed",
		finish: func(a *app, o *order.Order) {
			require.NoError(a.t, a.ship(o))
			a.arrived(o)
		}, applied: plain.applied},
	{name: "ship", ready: func(a *app, o *order.Order) { a.boxed(o) },
		send: func(a *app, o *order.Order, update, key string) error {
			return a.command(o, workflows.UpdateShip, update, activities.ShipCommand{Caller: caller(o, key), FulfillmentID: o.Fulfillments[0].ID})
		},
		others: []string{"fulfillment_closed"}, allPass: true, event: "shipment.shipped",
		finish: (*app).arrived, applied: plain.applied},
	{name: "cancel", ready: func(a *app, o *order.Order) { a.boxed(o) },
		send: func(a *app, o *order.Order, update, key string) error {
			return a.command(o, workflows.UpdateCancel, update, activities.CancelCommand{Caller: caller(o, key), Reason: "changed my mind"})
		},
		others: []string{"order_cancelled"}, allPass: true, event: "order.cancelled",
		finish:  func(a *app, o *order.Order) { require.Equal(a.t, order.Cancelled, a.order(o.ID).Status) },
		applied: []string{"authorize 4828", "void 4828", "label", "void_label"}},
	{name: "cancel units", change: threeUnits,
		send: func(a *app, o *order.Order, update, key string) error {
			return a.command(o, workflows.UpdateCancel, update, activities.CancelCommand{Caller: caller(o, key), Reason: "one is enough", Lines: some(o, 2)})
		},
		others: []string{"too_many"}, event: "order.units_cancelled",
		finish:  func(a *app, o *order.Order) { a.home(o) },
		applied: []string{"authorize 6992", "capture 2664", "void 4328", "label"}},
	{name: "hold",
		send: func(a *app, o *order.Order, update, key string) error {
			return a.command(o, workflows.UpdateHold, update, activities.HoldCommand{Caller: caller(o, key), HoldRequest: order.HoldRequest{Reason: "fraud_review"}})
		},
		allPass: true, each: true, event: "order.hold_placed",
		finish: func(a *app, o *order.Order) {
			for _, h := range o.Holds {
				require.NoError(a.t, a.letGo(o, h.ID, h.ID))
			}
			a.home(o)
		}, applied: plain.applied},
	{name: "release a hold",
		ready: func(a *app, o *order.Order) {
			require.NoError(a.t, a.hold(o, "hold", order.HoldRequest{Reason: "fraud_review"}))
		},
		send: func(a *app, o *order.Order, update, key string) error {
			return a.command(o, workflows.UpdateReleaseHold, update, activities.ReleaseHoldCommand{Caller: caller(o, key), HoldID: o.Holds[0].ID})
		},
		allPass: true, event: "order.hold_released",
		finish: func(a *app, o *order.Order) { a.home(o) }, applied: plain.applied},
	{name: "find one of two",
		send: func(a *app, o *order.Order, update, key string) error {
			f := o.Fulfillments[0]
			return a.command(o, workflows.UpdatePick, update, activities.PickCommand{Caller: caller(o, key), FulfillmentID: f.ID,
				Lines: []order.PickedUnits{{LineID: f.Lines[0].LineID, Quantity: 1, Reason: order.ShortStockout}}})
		},
		others: []string{"too_many"}, event: "fulfillment.short_picked",
		finish:  func(a *app, o *order.Order) { a.home(o) },
		applied: []string{"authorize 4828", "capture 2664", "void 2164", "label"}},
}

// threeUnits makes it an order of three units.
func threeUnits(p *order.Placement) {
	p.Lines[0].Quantity, p.Lines[0].Tax, p.Total = 3, 495, 6992
}

// pressed is a press on the order's first return, which is brought there by some commands.
func pressed(p press, name string, before, after []string, applied ...string) press {
	p.ready = func(a *app, o *order.Order) {
		returnID := a.announced(a.home(o)).ID
		a.through(a.order(o.ID), returnID, before...)
	}
	p.send = func(a *app, o *order.Order, update, key string) error {
		return a.ofReturn(o, o.Returns[0].ID, name, update, key, func(c activities.Caller) any { return onReturn[name](o, c) })
	}
	p.finish = func(a *app, o *order.Order) { a.through(o, o.Returns[0].ID, after...) }
	p.applied = slices.Concat(applied, plain.applied)
	return p
}

var returnPresses = []press{
	pressed(press{name: "approve a return", others: []string{"return_approved"}, event: "return.approved"}, workflows.UpdateApprove,
		nil, []string{workflows.UpdateReceive, workflows.UpdateInspect}, "label", "refund 4328"),
	pressed(press{name: "decline a return", others: []string{"return_declined"}, event: "return.declined"}, workflows.UpdateDecline, nil, nil),
	pressed(press{name: "cancel a return", allPass: true, event: "return.cancelled"}, workflows.UpdateCancel,
		[]string{workflows.UpdateApprove}, nil, "label", "void_label"),
	pressed(press{name: "receive a return", others: []string{"too_many"}, event: "return.received"}, workflows.UpdateReceive,
		[]string{workflows.UpdateApprove}, []string{workflows.UpdateInspect}, "label", "refund 4328"),
	pressed(press{name: "inspect a return", others: []string{"return_inspected", "return_closed"}, event: "return.inspected"}, workflows.UpdateInspect,
		[]string{workflows.UpdateApprove, workflows.UpdateReceive}, nil, "label", "refund 4328"),
	pressed(press{name: "settle a refund", allPass: true, event: "payment.refunded", change: func(p *order.Placement) { p.Payment.Token = "tok_refund_refused" }},
		workflows.UpdateSettleRefund, []string{workflows.UpdateApprove, workflows.UpdateReceive, workflows.UpdateInspect}, nil, "label", "refund refused"),
	{name: "request a return", ready: func(a *app, o *order.Order) { a.home(o) },
		send: func(a *app, o *order.Order, _, key string) error {
			returnID, err := a.announce(o, key, 2)
			if err == nil {
				require.Equal(a.t, a.order(o.ID).Returns[0].ID, returnID, "whoever asks again gets the same one")
			}
			return err
		},
		others: []string{"not_returnable"}, event: "return.requested",
		finish: func(a *app, o *order.Order) {
			require.Len(a.t, o.Returns, 1)
			a.through(o, o.Returns[0].ID, workflows.UpdateApprove, workflows.UpdateReceive, workflows.UpdateInspect)
		}, applied: append([]string{"label", "refund 4328"}, plain.applied...)},
}

// TestThreeAtOnce sends every command three times at the same moment. It is done once, whether the three share a key
// and an update of the run, only the key, or nothing.
func TestThreeAtOnce(t *testing.T) {
	t.Parallel()
	a, _ := withAnother(t)
	a.stock("nyc", "TEE-M", 900) // more than all the orders below can take
	var all sync.WaitGroup
	for _, p := range presses {
		for _, shared := range []string{"update", "key", "nothing"} {
			all.Go(func() { t.Run(p.name+", sharing "+shared, func(t *testing.T) { p.thrice(a.in(t), shared) }) })
		}
	}
	for _, shared := range []string{"key", "nothing"} {
		all.Go(func() { t.Run("place, sharing "+shared, func(t *testing.T) { a.in(t).placeThrice(shared) }) })
	}
	all.Wait()
	a.books()
}

func (p press) thrice(a *app, shared string) {
	placed := placement(p.name+shared, "tok_ok")
	if p.change != nil {
		p.change(&placed)
	}
	o := a.write(placed)
	a.decided(o)
	if o = a.answered(o); p.ready != nil {
		p.ready(a, o)
		o = a.order(o.ID)
	}
	codes := a.atOnce(3, func(i int) error {
		update, key := p.name, p.name
		if shared != "update" {
			update = fmt.Sprint(p.name, i)
		}
		if shared == "nothing" {
			key = update
		}
		return p.send(a, o, update, key)
	})
	passed := 0
	for _, code := range codes {
		if code == "" {
			passed++
			continue
		}
		require.Contains(a.t, p.others, code)
	}
	times := 1
	switch {
	case shared != "nothing":
		require.Equal(a.t, 3, passed, "all three hear the same")
	case p.each:
		require.Equal(a.t, 3, passed)
		times = 3
	case p.allPass:
		require.Positive(a.t, passed)
	default:
		require.Equal(a.t, 1, passed)
	}
	o = a.answered(o)
	require.Equal(a.t, times, a.happened(o, p.event))
	p.finish(a, o)
	o = a.until(o.ID, "settled, with its return", func(o *order.Order) bool {
		return o.Settled && (len(o.Returns) == 0 || o.Returns[0].Settled)
	})
	require.LessOrEqual(a.t, len(o.Shipments), 1)
	require.ElementsMatch(a.t, p.applied, a.applied(o.ID))
}

func (a *app) placeThrice(shared string) {
	p := placement("place"+shared, "tok_ok")
	var mu sync.Mutex
	fresh, ids := 0, map[string]bool{}
	require.Equal(a.t, []string{"", "", ""}, a.atOnce(3, func(i int) error {
		key := "place"
		if shared == "nothing" {
			key = fmt.Sprint("place", i)
		}
		o, first, err := a.Store.Place(a.t.Context(), p, id.New(id.Order), key, act())
		if err != nil {
			return err
		}
		mu.Lock()
		ids[o.ID] = true
		if first {
			fresh++
		}
		mu.Unlock()
		a.decided(o)
		return nil
	}))
	require.Equal(a.t, 1, fresh)
	require.Len(a.t, ids, 1)
	for orderID := range ids {
		a.fulfill(a.answered(a.order(orderID)))
		a.settled(orderID)
		require.ElementsMatch(a.t, plain.applied, a.applied(orderID))
	}
}
