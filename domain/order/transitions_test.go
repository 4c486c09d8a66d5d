package order_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/lifecycle"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// Every status meets every edge: an allowed one moves, any other refuses, says where the subject stands, and changes
// nothing.
func TestEveryStatusMeetsEveryEdge(t *testing.T) {
	t.Run("order", func(t *testing.T) { walk(t, "order", order.Statuses(), order.Edges()) })
	t.Run("fulfillment", func(t *testing.T) { walk(t, "fulfillment", named(order.FulfillmentEdges()), order.FulfillmentEdges()) })
	t.Run("shipment", func(t *testing.T) { walk(t, "shipment", named(order.ShipmentEdges()), order.ShipmentEdges()) })
	t.Run("payment", func(t *testing.T) { walk(t, "payment", named(order.PaymentEdges()), order.PaymentEdges()) })
	t.Run("refund", func(t *testing.T) { walk(t, "refund", named(order.RefundEdges()), order.RefundEdges()) })
	t.Run("return", func(t *testing.T) { walk(t, "return", returns.Statuses(), returns.Edges()) })
}

func walk[S ~string](t *testing.T, subject string, statuses []S, edges []lifecycle.Edge[S]) {
	for _, from := range statuses {
		for _, edge := range edges {
			t.Run(string(from)+" "+edge.Name, func(t *testing.T) {
				allowed := false
				for _, s := range edge.From {
					allowed = allowed || s == from
				}
				at := from
				err := edge.Take(&at, subject)
				if allowed {
					require.NoError(t, err)
					require.Equal(t, edge.To, at)
					return
				}
				require.Equal(t, from, at, "a refusal changes nothing")
				f := fault.As(err)
				require.NotNil(t, f)
				require.Equal(t, fault.Conflict, f.Kind)
				require.Equal(t, subject+"_"+string(from), f.Code)
				require.Contains(t, f.Detail, edge.Name)
			})
		}
	}
}

// named lists the statuses that the edges mention, in the order of first mention.
func named[S ~string](edges []lifecycle.Edge[S]) []S {
	var found []S
	seen := map[S]bool{}
	for _, e := range edges {
		for _, s := range append(append([]S(nil), e.From...), e.To) {
			if !seen[s] {
				seen[s] = true
				found = append(found, s)
			}
		}
	}
	return found
}

func TestEveryStatusIsOnAnEdge(t *testing.T) {
	require.ElementsMatch(t, order.Statuses(), named(order.Edges()))
	require.ElementsMatch(t, returns.Statuses(), named(returns.Edges()))
	require.Len(t, named(order.FulfillmentEdges()), 6)
	require.Len(t, named(order.RefundEdges()), 3)
	require.Len(t, named(order.ShipmentEdges()), 9)
	require.Len(t, named(order.PaymentEdges()), 5)
}

func TestFinalMeansThatNoEdgeLeaves(t *testing.T) {
	for _, s := range order.Statuses() {
		leaves := false
		for _, e := range order.Edges() {
			leaves = leaves || e.Allows(s)
		}
		require.Equal(t, !leaves, s.Final(), s)
	}
}

// Edges are named by verbs that make sense in a refusal: "cannot hand over the shipment: it is packed".
func TestEdgesHaveDistinctNames(t *testing.T) {
	distinct(t, order.Edges())
	distinct(t, order.FulfillmentEdges())
	distinct(t, order.ShipmentEdges())
	distinct(t, order.PaymentEdges())
	distinct(t, order.RefundEdges())
	distinct(t, returns.Edges())
}

func distinct[S ~string](t *testing.T, edges []lifecycle.Edge[S]) {
	seen := map[string]bool{}
	for _, e := range edges {
		require.NotEmpty(t, e.Name)
		require.Equal(t, e.Name, strings.ToLower(e.Name))
		require.False(t, seen[e.Name], e.Name)
		seen[e.Name] = true
	}
}
