package order_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/order"
)

// One of three units at 199.00 under a cart discount of 10.00 is worth 195.67: its share of the discount is 3.33.
func TestAUnitUnderACartDiscount(t *testing.T) {
	p := readme()
	p.Lines = []order.PlacedLine{{SKU: "CHAIR", Quantity: 3, UnitPrice: 19900}}
	p.Shipping.Amount, p.Discount = 0, 1000
	w := accepted(t, footed(p))
	require.EqualValues(t, 58700, w.o.Total)
	require.EqualValues(t, 1000, w.o.Lines[0].OrderDiscount)
	require.Equal(t, []order.Band{
		{FirstUnit: 0, Quantity: 1, Price: 19900, Discount: 334},
		{FirstUnit: 1, Quantity: 2, Price: 19900, Discount: 333},
	}, w.o.Lines[0].Units)
	w.shipped(w.box(1), w.box(1), w.box(1))
	require.Equal(t, []int64{19566, 19567, 19567}, amounts(w.o))
}

// 99.00 less 5.00, then 15 % of what is left: 14.10.
func TestDiscountsOneAfterTheOther(t *testing.T) {
	w := accepted(t, goods(order.PlacedLine{SKU: "A", Quantity: 1, UnitPrice: 9900, Discount: 500 + 1410},
		order.PlacedLine{SKU: "B", Quantity: 1, UnitPrice: 10000, Discount: 1500}))
	require.EqualValues(t, 16490, w.o.Total)
	w.shipped(w.box(1, 0), w.box(0, 1))
	require.Equal(t, []int64{7990, 8500}, amounts(w.o))
}

func amounts(o *order.Order) []int64 {
	var list []int64
	for _, s := range o.Shipments {
		list = append(list, s.Amount)
	}
	return list
}

func TestAnOrderDiscountIsSpreadByWhatTheLinesComeTo(t *testing.T) {
	line := func(price, discount int64) order.PlacedLine {
		return order.PlacedLine{SKU: "A", Quantity: 1, UnitPrice: price, Discount: discount}
	}
	for _, c := range []struct {
		name     string
		lines    []order.PlacedLine
		discount int64
		want     []int64
	}{
		{"evenly", []order.PlacedLine{line(100, 0), line(100, 0)}, 50, []int64{25, 25}},
		{"ties go to the first lines", []order.PlacedLine{line(100, 0), line(100, 0), line(100, 0)}, 100, []int64{34, 33, 33}},
		{"the largest remainder first", []order.PlacedLine{line(100, 0), line(200, 0)}, 100, []int64{33, 67}},
		{"by what is left after the lines' own discounts", []order.PlacedLine{line(100, 100), line(100, 0)}, 10, []int64{0, 10}},
		{"all of it", []order.PlacedLine{line(101, 0), line(299, 0)}, 400, []int64{101, 299}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := goods(c.lines...)
			p.Discount = c.discount
			w := place(t, footed(p))
			var got []int64
			for _, l := range w.o.Lines {
				got = append(got, l.OrderDiscount)
			}
			require.Equal(t, c.want, got)
		})
	}
}

// Each amount of a line is split into whole minor units once: the bands follow each other, are few, and come to the
// line's amounts exactly.
func TestUnitsComeToTheirLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := placements.Draw(t, "placement")
		w := place(t, p)
		var shipping, shippingTax, discount, worth int64
		for _, l := range w.o.Lines {
			require.LessOrEqual(t, len(l.Units), 6)
			var at, bandDiscount, tax int64
			for _, b := range l.Units {
				require.Equal(t, at, b.FirstUnit, "bands are contiguous")
				require.Positive(t, b.Quantity)
				require.Equal(t, l.UnitPrice, b.Price)
				for _, amount := range []int64{b.Discount, b.Tax, b.Shipping, b.ShippingTax, b.Price - b.Discount} {
					require.GreaterOrEqual(t, amount, int64(0))
				}
				at += b.Quantity
				bandDiscount += b.Quantity * b.Discount
				tax += b.Quantity * b.Tax
				shipping += b.Quantity * b.Shipping
				shippingTax += b.Quantity * b.ShippingTax
			}
			require.Equal(t, l.Quantity, at)
			require.Equal(t, l.Discount+l.OrderDiscount, bandDiscount)
			require.Equal(t, l.Tax, tax)
			discount += l.OrderDiscount
			for unit := range l.Quantity {
				worth += unitWorth(w.o, l.ID, unit)
			}
		}
		require.Equal(t, p.Discount, discount)
		require.Equal(t, []int64{p.Shipping.Amount, p.Shipping.Tax}, []int64{shipping, shippingTax})
		charge := p.Shipping.Amount
		if !p.PricesIncludeTax {
			charge += p.Shipping.Tax
		}
		require.Equal(t, p.Total-charge, worth)
	})
}

// However the units are parceled up, the parcels come to the order's total, its shipping on the first that leaves.
func TestAnyParcelsComeToTheTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := placements.Draw(t, "placement")
		for i := range p.Lines {
			p.Lines[i].Quantity = min(p.Lines[i].Quantity, 8)
			p.Lines[i].Discount = min(p.Lines[i].Discount, p.Lines[i].UnitPrice*p.Lines[i].Quantity)
		}
		p.Discount = 0
		p = footed(p)
		w := accepted(t, p)
		w.pick(0)
		var boxes []order.Parcel
		left := make([]int64, len(p.Lines))
		for i, l := range p.Lines {
			left[i] = l.Quantity
		}
		for open := true; open; {
			units := make([]int64, len(left))
			open = false
			for i := range left {
				units[i] = rapid.Int64Range(0, left[i]).Draw(t, "units")
				left[i] -= units[i]
				open = open || left[i] > 0
			}
			if box := w.box(units...); len(box.Lines) > 0 {
				boxes = append(boxes, box)
			}
		}
		w.pack(0, boxes...).ship(0)
		var sum int64
		for _, s := range w.o.Shipments {
			sum += s.Amount
		}
		require.Equal(t, p.Total, sum)
		require.True(t, w.o.Shipments[0].CarriesShipping)
	})
}
