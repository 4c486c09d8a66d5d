package worker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// graded returns both units and gives them a grade.
func graded(grade returns.Grade, onHand, unavailable, refunded int64, sku string) func(*testing.T, *app) []string {
	return func(t *testing.T, a *app) []string {
		a.stock("nyc", skuOf(t), 2)
		o := a.bought(on(t, order.OnShortageReject))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(2)
		b.inspect(2, grade)
		b.settled(returns.Closed)
		require.Equal(t, refunded, a.refunded(o.ID))
		require.Equal(t, []string{fmt.Sprintf("%d 0 %d", onHand, unavailable)},
			a.query(`SELECT on_hand, committed, unavailable FROM stock_levels WHERE sku = $1`, skuOf(t)+sku))
		return a.over(b.run())
	}
}

var gradePaths = []path{
	{"returned, grade B", graded(returns.GradeB, 2, 0, 2*1731, "-OPENBOX")},
	{"returned, grade C", graded(returns.GradeC, 2, 2, 2*1082, "")},
	{"returned, grade D", graded(returns.GradeD, 2, 2, 0, "")},
	{"returned, nothing was in the parcel", func(t *testing.T, a *app) []string {
		o := a.bought(placement(t.Name(), "tok_ok"))
		b := a.sendBack(o, 2, returns.ChangedMind)
		b.approve()
		b.receive(0, order.SKUUnits{SKU: "SAND", Quantity: 2})
		b.inspect(2, returns.GradeX)
		b.resume()
		b.settled(returns.Closed)
		require.Zero(t, a.refunded(o.ID))
		return a.over(b.run())
	}},
}
