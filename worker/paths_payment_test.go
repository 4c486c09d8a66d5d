package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/workflows"
)

var paymentPaths = []path{
	{"plain", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		a.delivered(o)
		return run(o)
	}},
	{"declined, then another token", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_declined"))
		require.Equal(t, order.DecisionDecline, o.Decision)
		require.Equal(t, order.WaitingPayment, o.WaitingFor)
		require.NoError(t, a.pay(o, "tok_ok", "second"))
		o = a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
		a.delivered(o)
		return run(o)
	}},
	{"action required, then expired", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_action_required"))
		require.Equal(t, order.DecisionAction, o.Decision)
		require.Equal(t, order.WaitingCustomer, o.WaitingFor)
		require.Equal(t, order.Expired, a.settled(o.ID).Status)
		return run(o)
	}},
	{"authorization with a lost answer", func(t *testing.T, a *app) []string {
		o := a.write(placement(t.Name(), "tok_timeout_after"))
		_, _ = a.Runs.Place(a.within(20*time.Second), o)
		o = a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
		a.delivered(o)
		return run(o)
	}},
	{"capture with a lost answer", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_capture_timeout_after"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.ship(o), "asked for: the gateway's answer is awaited by a visible activity")
		a.until(o.ID, "shipped", func(o *order.Order) bool { return o.FulfillmentAxis == "shipped" })
		a.scan(a.order(o.ID), shipping.Delivered)
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		return run(o)
	}},
	{"another amount authorized", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_wrong_amount"))
		require.Equal(t, order.AttentionGatewayMismatch, o.AttentionCode)
		a.until(o.ID, "voided", func(o *order.Order) bool { return o.Payments[0].Voided == 4827 })
		require.NoError(t, a.pay(o, "tok_ok", "second"))
		o = a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
		require.Empty(t, o.AttentionCode)
		a.delivered(o)
		return run(o)
	}},
	{"capture refused, then another token", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_capture_refused"))
		require.NoError(t, a.pick(o))
		require.NoError(t, a.pack(o))
		require.NoError(t, a.ship(o))
		o = a.order(o.ID)
		require.Equal(t, order.ShipmentHeld, o.Shipments[0].Status)
		require.Equal(t, order.AttentionCaptureRefused, o.AttentionCode)
		require.NoError(t, a.pay(o, "tok_ok", "second"))
		require.NoError(t, a.command(o, workflows.UpdateShip, "ship again", activities.ShipCommand{
			Caller: caller(o, "ship again"), FulfillmentID: o.Fulfillments[0].ID}))
		o = a.order(o.ID)
		require.Equal(t, "shipped", o.FulfillmentAxis)
		require.EqualValues(t, 4828, o.Payments[0].Voided)
		require.EqualValues(t, 4828, o.Payments[1].Captured)
		a.scan(o, shipping.Delivered)
		require.Equal(t, order.Completed, a.settled(o.ID).Status)
		return run(o)
	}},
	{"nothing to pay", func(t *testing.T, a *app) []string {
		p := placement(t.Name(), "tok_ok")
		p.Lines[0].UnitPrice, p.Lines[0].Tax, p.Shipping.Amount, p.Total = 0, 0, 0, 0
		o := a.place(p)
		require.Equal(t, order.Accepted, o.Status)
		require.Empty(t, o.Payments)
		a.delivered(o)
		return run(o)
	}},
	{"paid elsewhere", func(t *testing.T, a *app) []string {
		p := placement(t.Name(), "paid:elsewhere-1")
		p.Payment.Gateway = "external"
		o := a.place(p)
		require.Equal(t, "paid", o.PaymentAxis)
		a.delivered(o)
		require.Len(t, a.order(o.ID).Operations, 2, "authorize and label: nothing to capture")
		return run(o)
	}},
	{"the authorization lapsed, then another token", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		at := act()
		o, err := a.Store.Change(t.Context(), o.ID, nil, at, func(o *order.Order) error {
			o.Payments[0].CaptureBefore = &at.At
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, a.Runs.Wake(a.within(20*time.Second), o))
		o = a.until(o.ID, "lapsed", func(o *order.Order) bool { return o.AttentionCode != "" })
		require.Equal(t, order.AttentionAuthExpired, o.AttentionCode)
		require.NoError(t, a.pay(o, "tok_ok", "second"))
		o = a.answered(o)
		require.Empty(t, o.AttentionCode)
		a.delivered(o)
		require.EqualValues(t, 4828, a.order(o.ID).Payments[1].Captured)
		return a.over(run(o))
	}},
}
