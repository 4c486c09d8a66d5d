package shopify

import (
	"fmt"
	"strings"

	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/order"
)

// foot compares what Shopify says the order comes to with what its parts come to, and its other sums likewise. All
// that differs is one hold: the figures belong together when somebody looks for the cause.
func (d *draft) foot() {
	w, p := d.wire, &d.placement
	if sum, err := p.Sum(); err == nil && sum != p.Total {
		d.differs = append([]string{d.difference("lines, tax, shipping and discounts come to", sum, "total_price", p.Total) +
			d.explain(p.Total-sum)}, d.differs...)
	}
	var goods, off, tax int64
	for _, l := range p.Lines {
		goods += l.UnitPrice * l.Quantity
		off += l.Discount
		tax += l.Tax
	}
	if w.LineItemsTotal != "" {
		d.compare("the lines come to", goods, "total_line_items_price", d.amount("/total_line_items_price", w.LineItemsTotal))
	}
	if w.Subtotal != "" {
		// Whether a discount that is on no line is taken off before the subtotal differs between orders.
		if said := d.amount("/subtotal_price", w.Subtotal); said != goods-off-p.Discount {
			d.compare("the discounted lines come to", goods-off, "subtotal_price", said)
		}
	}
	if w.TotalTax != "" {
		d.compare("the taxes of lines and shipping come to", tax+p.Shipping.Tax, "total_tax", d.amount("/total_tax", w.TotalTax))
	}
	if len(d.differs) > 0 {
		d.hold(order.HoldTotalsDiffer, strings.Join(d.differs, "; "))
	}
}

// explain names a sum that is in total_price and for which an order has no place, when it is just the difference.
func (d *draft) explain(difference int64) string {
	duties := int64(0)
	if d.wire.DutiesTotal != nil {
		duties = d.money("/original_total_duties_set", d.wire.DutiesTotal)
	}
	tip := d.amount("/total_tip_received", d.wire.TotalTip)
	switch {
	case difference <= 0:
	case difference == tip:
		return ", just what total_tip_received says"
	case difference == duties:
		return ", just what original_total_duties_set says"
	case difference == tip+duties:
		return ", just what total_tip_received and original_total_duties_set say together"
	}
	return ""
}

func (d *draft) compare(what string, got int64, field string, said int64) {
	if got != said {
		d.differs = append(d.differs, d.difference(what, got, field, said))
	}
}

// difference reads: the lines come to 597.00 USD, total_line_items_price says 398.00: 199.00 less.
func (d *draft) difference(what string, got int64, field string, said int64) string {
	by, direction := said-got, "more"
	if by < 0 {
		by, direction = -by, "less"
	}
	c := d.placement.Currency
	return fmt.Sprintf("%s %s, %s says %s: %s %s", what, d.format(got), field, money.Format(said, c), money.Format(by, c), direction)
}
