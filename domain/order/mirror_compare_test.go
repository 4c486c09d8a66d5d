package order_test

import (
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
)

// compare holds the order against the mirror.
func (k *mirror) compare() {
	o := k.o()
	require.Equal(k.t, k.status, o.Status)
	for _, b := range k.boxes {
		s := o.Shipment(b.id)
		require.Equal(k.t, []any{b.status, b.asked}, []any{s.Status, s.ShipRequested}, "parcel %d", s.Number)
	}
	credited := map[string]map[int64]int64{}
	for _, c := range o.Credits {
		if credited[c.LineID] == nil {
			credited[c.LineID] = map[int64]int64{}
		}
		for n := c.FirstUnit; n < c.FirstUnit+c.Quantity; n++ {
			credited[c.LineID][n] += c.Amount / c.Quantity
		}
	}
	for _, l := range o.Lines {
		count := map[string]int64{}
		var open int64
		for _, u := range k.units[l.ID] {
			count[u.fate]++
			if u.fate == "open" && (k.status == order.Accepted || k.status == order.Processing) {
				open++
			}
			require.Equal(k.t, u.credited, credited[l.ID][u.number], "unit %d", u.number)
		}
		require.Equal(k.t, []int64{count["cancelled"], count["delivered"], count["lost"], count["undelivered"], open},
			[]int64{l.Cancelled, l.Delivered, l.Lost, l.Undelivered, l.Backordered}, "cancelled, delivered, lost, undelivered, backordered")
		require.Equal(k.t, count["gone"], l.Shipped-l.Delivered-l.Lost-l.Undelivered, "on their way")
	}
	k.comparePicked()
	k.compareReturns()
	var taken, repaid int64
	for _, p := range o.Payments {
		taken += p.Captured
		repaid += p.Refunding + p.Refunded
	}
	require.Equal(k.t, []int64{k.taken, k.repaid}, []int64{taken, repaid}, "taken, given back")
}

func (k *mirror) comparePicked() {
	for _, f := range k.o().Fulfillments {
		picked := map[string]int64{}
		for _, l := range f.Lines {
			picked[l.LineID] += l.Picked - l.Shipped
		}
		for line, n := range picked {
			require.EqualValues(k.t, k.picked[[2]string{f.ID, line}], n, "picked and still here")
		}
	}
}
