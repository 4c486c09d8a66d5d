package shopify

import (
	"fmt"
	"strings"

	"github.com/waybill-oms/waybill/domain/order"
)

// payment says where the money is. What nobody has paid in full is held: once it is, the payment is told to the
// order like any new payment.
func (d *draft) payment() {
	w, p := d.wire, &d.placement
	p.Payment.Gateway = gateway
	awaiting := ""
	switch d.Financial {
	case "paid", "partially_refunded":
		p.Payment.Token = "paid:" + d.ExternalID
	case "authorized":
		p.Payment.Token = "authorized:" + d.ExternalID
	case "pending":
		awaiting = "nothing has been paid in Shopify yet"
	case "partially_paid":
		awaiting = "only a part has been paid in Shopify"
	case "expired":
		awaiting = "the authorization in Shopify has expired"
	case "":
		awaiting = "Shopify says nothing of a payment"
	default:
		awaiting = fmt.Sprintf("Shopify says %q of the payment, which is not known here", shorten(d.Financial, orderMax))
	}
	if awaiting == "" || p.Total == 0 {
		return // for nothing nobody pays
	}
	if open := d.amount("/total_outstanding", w.Outstanding); open > 0 {
		awaiting += fmt.Sprintf(": %s of %s is outstanding", d.format(open), d.format(p.Total))
	}
	d.hold(order.HoldAwaitingPayment, awaiting)
}

// changes holds what happened to the order in Shopify after it was placed, since a placement cannot tell: somebody
// has to see to it that nothing is shipped, or paid back, twice.
func (d *draft) changes() {
	w := d.wire
	var changed []string
	if clean(w.FulfillmentStatus) == "partial" {
		changed = append(changed, "a part of it was fulfilled already")
	}
	if d.Financial == "partially_refunded" {
		changed = append(changed, "a part was refunded"+d.refunded())
	}
	if at := clean(w.ClosedAt); at != "" {
		changed = append(changed, "it was archived on "+day(at))
	}
	if w.CurrentTotal != "" {
		if now := d.amount("/current_total_price", w.CurrentTotal); now != d.amount("/total_price", w.TotalPrice) {
			changed = append(changed, "after edits and refunds it comes to "+d.format(now))
		}
	}
	var unshipped []string
	for i := range w.LineItems {
		l := &w.LineItems[i]
		name := fmt.Sprintf("line %d (%s)", i+1, shorten(firstOf(l.SKU, l.Name, l.Title), skuMax))
		if l.CurrentQuantity != "" && l.CurrentQuantity != l.Quantity {
			changed = append(changed, fmt.Sprintf("of %s %s of %s units are left", name, clean(l.CurrentQuantity), clean(l.Quantity)))
		}
		if !l.ships() {
			unshipped = append(unshipped, name)
		}
	}
	if len(changed) > 0 {
		d.hold(order.HoldChangedElsewhere, "in Shopify "+strings.Join(changed, "; "))
	}
	if len(unshipped) > 0 {
		d.hold(order.HoldNotShippable, "to be shipped with nothing: "+join(unshipped, "and")+"; every line here is served from stock")
	}
}

func (d *draft) refunded() string {
	var sum int64
	for i, r := range d.wire.Refunds {
		for j, t := range r.Transactions {
			if clean(t.Kind) == "refund" && clean(t.Status) == "success" {
				sum = d.add(sum, fmt.Sprintf("/refunds/%d/transactions/%d/amount", i, j), t.Amount)
			}
		}
	}
	if sum <= 0 {
		return ""
	}
	return ": " + d.format(sum)
}

// sku is the name by which stock is kept: the item's own, else its variant's number, else its title. A line's own
// number names nothing on any shelf and is the last resort.
func (d *draft) sku(l *wireLine, i int) string {
	own := strings.TrimSpace(string(l.SKU))
	if own != "" && !long(own, skuMax) && strings.IndexFunc(own, unreadable) < 0 {
		return own
	}
	why := "has no SKU"
	if own != "" {
		why = fmt.Sprintf("has a SKU with control characters, or of more than %d characters", skuMax)
	}
	title := "title:" + firstOf(l.Name, l.Title)
	name := "item:" + digits(l.ID)
	switch {
	case digits(l.VariantID) != "":
		name = "variant:" + digits(l.VariantID)
	case title != "title:" && !long(title, skuMax):
		name = title
	case name == "item:":
		name += itoa(i + 1)
	}
	d.note("line %d %s: it is known as %s", i+1, why, name)
	return name
}
