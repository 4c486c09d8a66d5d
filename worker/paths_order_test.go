package worker_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/waybill-oms/waybill/domain/order"
)

var orderPaths = []path{
	{"race for the stock lost", func(t *testing.T, a *app) []string {
		a.stock("nyc", "RARE", 2)
		p, q := placement(t.Name()+"/winner", "tok_ok"), placement(t.Name()+"/loser", "tok_ok")
		p.Lines[0].SKU, q.Lines[0].SKU = "RARE", "RARE"
		winner, loser := a.write(p), a.write(q)
		a.decided(winner)
		a.decided(loser)
		statuses := []order.Status{a.order(winner.ID).Status, a.order(loser.ID).Status}
		require.ElementsMatch(t, []order.Status{order.Accepted, order.Rejected}, statuses)
		if statuses[0] == order.Rejected { // the sweeper may have been first
			winner, loser = loser, winner
		}
		o := a.settled(loser.ID)
		require.Equal(t, order.DecisionShort, o.Decision)
		require.EqualValues(t, 4828, o.Payments[0].Voided)
		return run(o)
	}},
	{"told of its delivery, and asked whether it has heard", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		o = a.serve(o, o.Fulfillments[0].ID)
		a.complete(o)
		return a.over(run(o))
	}},
	{"terminated when packed", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		a.drive(o.ID, 1, 3)
		require.NoError(t, a.client.TerminateWorkflow(t.Context(), "order/"+o.ID, "", "by hand"))
		a.drive(o.ID, 3, len(stages))
		return run(o)
	}},
	{"reset to the first task when shipped", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		a.drive(o.ID, 1, 4)
		a.reset(o.ID, 0)
		a.drive(o.ID, 4, len(stages))
		return run(o)
	}},
	{"cancellation requested in Temporal", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		require.NoError(t, a.client.CancelWorkflow(t.Context(), "order/"+o.ID, ""))
		require.Equal(t, order.Cancelled, a.settled(o.ID).Status)
		return run(o)
	}},
	{"cancellation requested in Temporal too late", func(t *testing.T, a *app) []string {
		o := a.place(placement(t.Name(), "tok_ok"))
		o = a.serve(o, o.Fulfillments[0].ID)
		require.NoError(t, a.client.CancelWorkflow(t.Context(), "order/"+o.ID, ""))
		a.complete(o)
		return a.over(run(o))
	}},
	{"unknown gateway, given up and resumed", func(t *testing.T, a *app) []string {
		p := placement(t.Name(), "tok_ok")
		p.Payment.Gateway = "gone"
		o, _, err := a.Store.Place(t.Context(), p, "ord_"+strings.Repeat("0", 26), "key-gone", act())
		require.NoError(t, err)
		o = a.until(o.ID, "in need of attention", func(o *order.Order) bool { return o.AttentionCode == order.AttentionStepFailed })
		require.NoError(t, a.resume(o))
		a.until(o.ID, "in need of attention again", func(o *order.Order) bool { return o.AttentionCode == order.AttentionStepFailed })
		require.NoError(t, a.client.TerminateWorkflow(t.Context(), "order/"+o.ID, "", "the end of the test"))
		return run(o)
	}},
}
