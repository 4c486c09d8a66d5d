package order_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

func twoLinesOfOneSKU() order.Placement {
	return goods(order.PlacedLine{SKU: "TEE", Quantity: 3, UnitPrice: 1000}, order.PlacedLine{SKU: "TEE", Quantity: 3, UnitPrice: 900})
}

func TestAllocatedAtOneLocation(t *testing.T) {
	w := accepted(t, twoLinesOfOneSKU(), level("nyc", "TEE", 6))
	require.Equal(t, order.DecisionAccept, w.o.Decision)
	require.Len(t, w.o.Fulfillments, 1, "one fulfillment order per location")
	f := w.o.Fulfillments[0]
	require.Equal(t, order.FulfillmentOpen, f.Status)
	require.Equal(t, []order.FulfillmentLine{{LineID: w.o.Lines[0].ID, SKU: "TEE", Quantity: 3}, {LineID: w.o.Lines[1].ID, SKU: "TEE", Quantity: 3}}, f.Lines)
	require.Len(t, w.o.Allocations, 2)
	require.Equal(t, []string{order.EventAccepted, order.EventFulfillmentOpened}, w.types(2))
}

func TestAllocatedAtTwoLocations(t *testing.T) {
	w := accepted(t, twoLinesOfOneSKU(), level("nyc", "TEE", 2), level("lax", "TEE", 4))
	a, b := w.o.Lines[0].ID, w.o.Lines[1].ID
	require.Equal(t, "lax", w.o.Fulfillments[0].LocationID)
	require.Equal(t, []order.FulfillmentLine{{LineID: a, SKU: "TEE", FirstUnit: 0, Quantity: 3}, {LineID: b, SKU: "TEE", FirstUnit: 0, Quantity: 1}}, w.o.Fulfillments[0].Lines)
	require.Equal(t, "nyc", w.o.Fulfillments[1].LocationID)
	require.Equal(t, []order.FulfillmentLine{{LineID: b, SKU: "TEE", FirstUnit: 1, Quantity: 2}}, w.o.Fulfillments[1].Lines)
	w.pick(0).pack(0, w.box(3, 1)).ship(0)
	w.answers(payment.Capture)
	require.Equal(t, order.FulfillmentClosed, w.o.Fulfillments[0].Status)
	require.Equal(t, order.FulfillmentOpen, w.o.Fulfillments[1].Status)
	require.Equal(t, "partially_shipped", w.o.FulfillmentAxis)
	require.Equal(t, order.WaitingWarehouse, w.o.WaitingFor)
	w.pick(1).pack(1, w.box(0, 2)).ship(1)
	w.answers(payment.Capture)
	require.Equal(t, "shipped", w.o.FulfillmentAxis)
	w.scan(0, "delivered", 0)
	require.Equal(t, "partially_delivered", w.o.FulfillmentAxis)
	w.scan(1, "delivered", 0)
	require.Equal(t, order.Completed, w.o.Status)
}

func TestShortAfterThePaymentWasHeld(t *testing.T) {
	w := place(t, twoLinesOfOneSKU())
	w.answers(payment.Authorize)
	w.allocate(level("nyc", "TEE", 5))
	require.Equal(t, order.Rejected, w.o.Status)
	require.Equal(t, order.DecisionShort, w.o.Decision)
	require.Equal(t, []fault.Shortage{{LineID: w.o.Lines[1].ID, SKU: "TEE", Requested: 3, Available: 2, Known: true}}, w.o.Shortages)
	require.Empty(t, w.o.Allocations, "nothing was reserved")
	require.Equal(t, []string{"void"}, w.steps())
	w.answers(payment.Void)
	require.True(t, w.o.Settled)
}

func TestAllocatingAgainChangesNothing(t *testing.T) {
	for name, w := range map[string]*world{
		"accepted": accepted(t, readme()),
		"not paid": place(t, readme()),
		"cancelled": func() *world {
			w := accepted(t, readme())
			require.NoError(t, w.cancel())
			return w
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			was := w.load()
			w.allocate()
			w.allocate(level("nyc", "TEE-M", 0))
			require.Equal(t, was, w.o)
		})
	}
}

// drop cancels units of a line, by its position.
func (w *world) drop(line int, units int64) error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error {
		return o.CancelUnits([]order.UnitsOf{{LineID: o.Lines[line].ID, Quantity: units}}, "changed my mind", act)
	})
}

func TestNeedsAreTheOpenUnits(t *testing.T) {
	w := accepted(t, twoLinesOfOneSKU())
	require.Empty(t, w.o.Needs(), "what a fulfillment order serves is not asked for again")
	w = place(t, twoLinesOfOneSKU())
	a, b := w.o.Lines[0].ID, w.o.Lines[1].ID
	require.Equal(t, []int64{3, 3}, needed(w.o.Needs(), a, b))
	require.NoError(t, w.drop(0, 1))
	require.Equal(t, []int64{2, 3}, needed(w.o.Needs(), a, b))
}

// needed is how many units each of these lines needs.
func needed(needs []inventory.Need, lines ...string) []int64 {
	units := make([]int64, len(lines))
	for _, n := range needs {
		units[slices.Index(lines, n.LineID)] += n.Quantity
	}
	return units
}

// levels are stock at a few locations, scarce enough that orders are split and turned away.
var levels = rapid.Custom(func(t *rapid.T) []inventory.Grant {
	var list []inventory.Grant
	for i := range rapid.IntRange(1, 4).Draw(t, "locations") {
		for _, sku := range []string{"A", "B", "C"} {
			list = append(list, level(fmt.Sprint("loc", i), sku, rapid.Int64Range(-2, 1200).Draw(t, sku)))
		}
	}
	return list
})

// However the stock lies, the fulfillment orders share each line out whole: the world checks it, and that what is
// committed is what is asked.
func TestFulfillmentOrdersPartitionTheLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := place(t, placements.Draw(t, "placement"))
		if w.o.Total > 0 {
			w.answers(payment.Authorize)
		}
		w.allocate(levels.Draw(t, "levels")...)
		if w.o.Status == order.Rejected {
			require.NotEmpty(t, w.o.Shortages)
			require.Empty(t, w.o.Fulfillments)
			return
		}
		require.Equal(t, order.Accepted, w.o.Status)
		seen := map[string]bool{}
		for i, f := range w.o.Fulfillments {
			require.Equal(t, i+1, f.Number)
			require.False(t, seen[f.LocationID], "one per location")
			seen[f.LocationID] = true
		}
		require.Equal(t, len(w.o.Fulfillments), len(w.o.Facts().Locations))
	})
}
