package shopify

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/order"
)

// lines takes the line items over. A line's discount is what was allocated to it; total_discount counts where
// nothing was, as on older orders and drafts: the two tell the same discount twice.
func (d *draft) lines() {
	var untaxed []int64 // what the order's own tax is spread over, where no line tells its tax
	taxed := false
	for _, s := range d.wire.ShippingLines {
		taxed = taxed || len(s.TaxLines) > 0
	}
	seen := map[string]bool{}
	for i := range d.wire.LineItems {
		w := &d.wire.LineItems[i]
		at := "/line_items/" + itoa(i)
		l := order.PlacedLine{ExternalID: digits(w.ID), SKU: d.sku(w, i)}
		if l.ExternalID == "" || seen[l.ExternalID] {
			l.ExternalID = "line-" + itoa(i+1)
		}
		seen[l.ExternalID] = true
		l.Quantity = d.quantity(at+"/quantity", w.Quantity)
		l.UnitPrice = d.required(at+"/price", w.Price)
		if l.Discount = d.sum(at+"/discount_allocations", w.Allocations); len(w.Allocations) == 0 {
			l.Discount = d.amount(at+"/total_discount", w.TotalDiscount)
		}
		l.Tax = d.taxes(at+"/tax_lines", w.TaxLines)
		taxed = taxed || len(w.TaxLines) > 0
		if !d.possible(&l, i) {
			continue
		}
		weight := l.UnitPrice*l.Quantity - l.Discount
		if w.Taxable != nil && !*w.Taxable {
			weight = 0
		}
		untaxed = append(untaxed, weight)
		d.placement.Lines = append(d.placement.Lines, l)
	}
	if len(d.placement.Lines) == 0 && d.wrong == nil {
		d.wrong.Add("/line_items", "too_few", "no line item of the order has a unit to be shipped")
	}
	if !taxed {
		d.spreadTax(untaxed)
	}
}

// possible takes out of a line what no line can have, and says so: such an order is kept, for a person to look at,
// with everything that can be kept of it. It is false when nothing of the line is left.
func (d *draft) possible(l *order.PlacedLine, i int) bool {
	what := fmt.Sprintf("line %d (%s)", i+1, l.SKU)
	if l.Quantity < 1 || l.Quantity > quantityMax {
		d.differ("%s has a quantity of %d and was left out", what, l.Quantity)
		return false
	}
	if l.UnitPrice < 0 {
		d.ignore("the price of "+what, &l.UnitPrice)
	}
	goods, err := money.Mul(l.UnitPrice, l.Quantity)
	if err != nil {
		d.wrong.Add("/line_items/"+itoa(i)+"/price", "out_of_range", "price × quantity is out of range")
		return false
	}
	if l.Discount < 0 || l.Discount > goods {
		d.ignore(fmt.Sprintf("%s comes to %s; its discount", what, d.format(goods)), &l.Discount)
	}
	if l.Tax < 0 {
		d.ignore("the tax on "+what, &l.Tax)
	}
	return true
}

// ignore takes an amount as 0 that no order can have, and says so.
func (d *draft) ignore(what string, amount *int64) {
	d.differ("%s is %s, which cannot be and was taken as 0", what, d.format(*amount))
	*amount = 0
}

// spreadTax is for orders that tell their tax only as a whole.
func (d *draft) spreadTax(weights []int64) {
	tax := d.taxes("/tax_lines", d.wire.TaxLines)
	if len(d.wire.TaxLines) == 0 {
		tax = d.amount("/total_tax", d.wire.TotalTax)
	}
	if tax < 0 {
		d.ignore("the order's tax", &tax)
	}
	if tax == 0 || len(weights) == 0 {
		return
	}
	for i, share := range money.Spread(tax, weights) {
		d.placement.Lines[i].Tax = share
	}
	if len(weights) > 1 {
		d.note("the order tells its tax of %s only as a whole: it was spread over the taxable lines", d.format(tax))
	}
}

// shipping takes over what is paid for shipping. The lines tell more than the total, which is before discounts.
func (d *draft) shipping() {
	s := &d.placement.Shipping
	s.Service = "standard"
	chosen := false
	var before int64
	for i := range d.wire.ShippingLines {
		l, at := &d.wire.ShippingLines[i], "/shipping_lines/"+itoa(i)
		if l.Removed {
			continue
		}
		if name := slug(firstOf(l.Code, l.Title)); name != "" && !chosen {
			s.Service, chosen = name, true
		}
		price := d.amount(at+"/price", l.Price)
		net := price - d.sum(at+"/discount_allocations", l.Allocations)
		if len(l.Allocations) == 0 && l.DiscountedPrice != "" {
			net = d.amount(at+"/discounted_price", l.DiscountedPrice)
		}
		before += price
		s.Amount += net
		s.Tax += d.taxes(at+"/tax_lines", l.TaxLines)
	}
	if set := d.wire.ShippingTotal; set != nil {
		said := d.money("/total_shipping_price_set", set)
		switch {
		case len(d.wire.ShippingLines) == 0:
			s.Amount = said
		case said != before && said != s.Amount:
			d.compare("the shipping lines come to", s.Amount, "total_shipping_price_set", said)
		}
	}
	if s.Amount < 0 {
		d.ignore("shipping", &s.Amount)
	}
	if s.Tax < 0 {
		d.ignore("the tax on shipping", &s.Tax)
	}
}

// discount is what total_discounts has beyond what was allocated to lines and to shipping. Whether shipping's part
// is in it differs between orders.
func (d *draft) discount() {
	if d.wire.TotalDiscounts == "" {
		return
	}
	said := d.amount("/total_discounts", d.wire.TotalDiscounts)
	var onLines, net, onShipping int64
	for _, l := range d.placement.Lines {
		onLines += l.Discount
		net += l.UnitPrice*l.Quantity - l.Discount
	}
	for i := range d.wire.ShippingLines {
		if l := &d.wire.ShippingLines[i]; !l.Removed {
			onShipping += d.sum("/shipping_lines/"+itoa(i)+"/discount_allocations", l.Allocations)
		}
	}
	rest := said - onLines - onShipping
	switch {
	case rest == 0 || said == onLines:
	case rest < 0:
		d.compare("the discounts of lines and shipping come to", onLines+onShipping, "total_discounts", said)
	case rest > net:
		d.ignore(fmt.Sprintf("the lines come to %s; the order's discount", d.format(net)), &rest)
	default:
		d.placement.Discount = rest
	}
}

func (d *draft) quantity(at string, t text) int64 {
	n, err := strconv.ParseInt(string(t), 10, 64)
	if err != nil {
		d.wrong.Add(at, "not_a_quantity", "%q is not a whole number", shorten(clean(t), orderMax))
	}
	return n
}

// amount reads minor units; nothing is 0.
func (d *draft) amount(at string, t text) int64 {
	if t == "" {
		return 0
	}
	n, err := money.Parse(string(t), d.placement.Currency)
	if err != nil {
		d.wrong.Add(at, "not_an_amount", "%q is not an amount of %s", shorten(clean(t), orderMax), d.placement.Currency)
		return 0
	}
	return n
}

func (d *draft) required(at string, t text) int64 {
	if t == "" {
		d.wrong.Add(at, "required", "it is missing")
	}
	return d.amount(at, t)
}

// money reads an amount in the shop's currency, which is the order's.
func (d *draft) money(at string, set *wireSet) int64 {
	if c := clean(set.ShopMoney.Currency); c != "" && !strings.EqualFold(c, d.placement.Currency) {
		d.wrong.Add(at+"/shop_money/currency_code", "another_currency", "%q is not the order's %s", shorten(c, orderMax), d.placement.Currency)
		return 0
	}
	return d.amount(at+"/shop_money/amount", set.ShopMoney.Amount)
}

func (d *draft) taxes(at string, taxes []wirePrice) (sum int64) {
	for i, t := range taxes {
		sum = d.add(sum, at+"/"+itoa(i)+"/price", t.Price)
	}
	return sum
}

func (d *draft) sum(at string, amounts []wireAmount) (sum int64) {
	for i, a := range amounts {
		sum = d.add(sum, at+"/"+itoa(i)+"/amount", a.Amount)
	}
	return sum
}

// add stays inside what an amount can be, whatever the number of summands.
func (d *draft) add(sum int64, at string, t text) int64 {
	sum += d.amount(at, t)
	if sum > money.Max || sum < -money.Max {
		d.wrong.Add(at, "out_of_range", "the sum up to here is out of range")
		return 0
	}
	return sum
}

func (d *draft) format(amount int64) string {
	return money.Format(amount, d.placement.Currency) + " " + d.placement.Currency
}

func (d *draft) differ(format string, args ...any) {
	d.differs = append(d.differs, fmt.Sprintf(format, args...))
}

func (d *draft) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}
