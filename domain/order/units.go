package order

import "github.com/waybill-oms/waybill/domain/money"

// Band is a run of units of one line that are worth the same. A line's amounts are split into whole minor units
// per unit once, when the order is placed; captures, refunds and reports only ever add stored units. Since the
// units of a line differ by one minor unit at most per amount, a line of any quantity has a handful of bands.
type Band struct {
	FirstUnit   int64 `json:"first_unit"`
	Quantity    int64 `json:"quantity"`
	Price       int64 `json:"price"`
	Discount    int64 `json:"discount"` // the line's own and the order's, together
	Tax         int64 `json:"tax"`
	Shipping    int64 `json:"shipping"`     // share of the order's shipping
	ShippingTax int64 `json:"shipping_tax"` // share of the tax on it
}

// value is what one unit of the band is worth, without shipping.
func (b Band) value(pricesIncludeTax bool) int64 {
	v := b.Price - b.Discount
	if !pricesIncludeTax {
		v += b.Tax
	}
	return v
}

// splitUnits spreads the order's amounts over its lines, and each line's over its units.
func (o *Order) splitUnits() {
	net := make([]int64, len(o.Lines))
	for i, l := range o.Lines {
		net[i] = l.UnitPrice*l.Quantity - l.Discount
	}
	discounts := money.Spread(o.Discount, net)
	shipping := money.Spread(o.ShippingAmount, net)
	shippingTax := money.Spread(o.ShippingTax, net)
	for i := range o.Lines {
		l := &o.Lines[i]
		l.OrderDiscount = discounts[i]
		l.Units = bands(*l, shipping[i], shippingTax[i])
	}
}

// bands splits a line's amounts evenly: the first units carry what does not divide.
func bands(l Line, shipping, shippingTax int64) []Band {
	amounts := []int64{l.Discount + l.OrderDiscount, l.Tax, shipping, shippingTax}
	cuts := []int64{l.Quantity}
	for _, a := range amounts {
		if r := a % l.Quantity; r > 0 {
			cuts = append(cuts, r)
		}
	}
	at := func(amount, unit int64) int64 {
		share := amount / l.Quantity
		if unit < amount%l.Quantity {
			share++
		}
		return share
	}
	var out []Band
	for first := int64(0); first < l.Quantity; {
		next := l.Quantity
		for _, c := range cuts {
			if c > first && c < next {
				next = c
			}
		}
		out = append(out, Band{FirstUnit: first, Quantity: next - first, Price: l.UnitPrice,
			Discount: at(amounts[0], first), Tax: at(amounts[1], first),
			Shipping: at(amounts[2], first), ShippingTax: at(amounts[3], first)})
		first = next
	}
	return out
}

// value adds up the stored units [first, first+quantity) of a line, without shipping.
func (o *Order) value(lineID string, first, quantity int64) int64 {
	var sum int64
	for _, b := range o.line(lineID).Units {
		from, to := max(first, b.FirstUnit), min(first+quantity, b.FirstUnit+b.Quantity)
		if from < to {
			sum += (to - from) * b.value(o.PricesIncludeTax)
		}
	}
	return sum
}

// shippingCharge is what the customer pays for shipping, with its tax.
func (o *Order) shippingCharge() int64 {
	if o.PricesIncludeTax {
		return o.ShippingAmount
	}
	return o.ShippingAmount + o.ShippingTax
}
