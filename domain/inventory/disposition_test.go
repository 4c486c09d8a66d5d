package inventory_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/inventory"
)

func TestWhatADecisionMoves(t *testing.T) {
	type levels struct{ onHand, unavailable, damaged int64 }
	qc, damaged := inventory.QualityControl, inventory.Damaged
	for from, outcomes := range map[inventory.State]map[inventory.State]levels{
		qc:      {inventory.Available: {0, -3, 0}, damaged: {0, 0, 3}, inventory.Scrapped: {-3, -3, 0}},
		damaged: {inventory.Available: {0, -3, -3}, inventory.Scrapped: {-3, -3, -3}},
	} {
		for to, want := range outcomes {
			m, ok := inventory.Decided{SKU: "TEE", Quantity: 3, From: from, To: to}.Movement("nyc")
			require.True(t, ok)
			require.Equal(t, inventory.Movement{SKU: "TEE", LocationID: "nyc", Kind: inventory.Disposition, Quantity: 3,
				OnHand: want.onHand, Unavailable: want.unavailable, Damaged: want.damaged}, m)
		}
	}
	for _, d := range []inventory.Decided{{From: qc, To: qc}, {From: damaged, To: damaged}, {From: damaged, To: qc},
		{From: inventory.Available, To: damaged}, {From: inventory.Scrapped, To: inventory.Available}, {From: qc, To: "sold"}, {}} {
		_, ok := d.Movement("nyc")
		require.False(t, ok, d)
	}
}
