package core

import (
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

// money: V-M1, V-M2, V-M4, V-M5, V-M9, V-M10, V-M12, V-O6.
func (a *audit) money() {
	taking, giving := map[string]int64{}, map[string]int64{}
	for _, op := range a.o.Operations {
		if op.State == payment.Denied || op.State == payment.Abandoned {
			continue
		}
		amount := op.Amount
		if op.State == payment.Done {
			amount = op.Applied
		}
		switch payment.Kind(op.Kind) {
		case payment.Capture:
			taking[op.PaymentID] += amount
			a.alone("V-M4", op)
		case payment.Refund:
			giving[op.PaymentID] += amount
			a.alone("V-M5", op)
		case payment.Authorize, payment.Void:
		default:
			continue
		}
		if op.Amount <= 0 || op.Applied < 0 || op.State == payment.Done && op.Applied == 0 {
			a.fails("V-M9", op.Key, "asked for %d, and %d was done", op.Amount, op.Applied)
		}
	}
	for _, p := range a.o.Payments {
		a.payment(p, taking[p.ID], giving[p.ID])
	}
	a.ledger()
	a.shipped()
	a.total()
}

// alone: no other capture for the same parcel, or refund of the same name, stands or may still stand.
func (a *audit) alone(id string, op order.Operation) {
	for _, other := range a.o.Operations {
		if other.Key != op.Key && other.Kind == op.Kind && other.ShipmentID == op.ShipmentID && other.RefundID == op.RefundID &&
			other.State != payment.Denied && other.State != payment.Abandoned {
			a.fails(id, op.ShipmentID+op.RefundID, "%s stands, and so does %s", op.Key, other.Key)
		}
	}
}

func (a *audit) payment(p order.Payment, taking, giving int64) {
	owing := giving
	for _, r := range a.o.Refunds {
		if r.PaymentID == p.ID && r.Status == order.RefundRefused {
			owing += r.Amount
		}
	}
	if taken := max(taking, p.Capturing+p.Captured); taken+p.Voided+p.Expired > p.Authorized && p.Gateway != "external" {
		a.fails("V-M1", p.ID, "%d captured or being captured, %d let go of, where %d was authorized", taken, p.Voided+p.Expired, p.Authorized)
	}
	if given := max(owing, p.Refunding+p.Refunded); given > p.Captured {
		a.fails("V-M2", p.ID, "%d given back or to be given back, where %d was captured", given, p.Captured)
	}
	if p.Currency != a.o.Currency || p.Amount <= 0 {
		a.fails("V-M9", p.ID, "a payment of %d %s, the order is in %s", p.Amount, p.Currency, a.o.Currency)
	}
}

// ledger: V-M12. The money ledger adds up to the balances, and to the operations that moved them.
func (a *audit) ledger() {
	sums := totals{}
	reserved := totals{}
	for _, e := range a.f.entries {
		sums.add(e.PaymentID, e.Account, e.Amount)
		if e.OperationKey == "" {
			continue
		}
		sums.add(e.OperationKey, e.Account, e.Amount)
		if op := a.o.Operation(e.OperationKey); op == nil {
			a.fails("V-M12", e.OperationKey, "the ledger has an operation that does not exist")
		} else if e.Account == payment.Refunding {
			reserved.add(op.RefundID, "", e.Amount)
		}
	}
	for _, p := range a.o.Payments {
		for _, is := range []total{{name: payment.Authorized, sum: p.Authorized}, {name: payment.Capturing, sum: p.Capturing}, {name: payment.Captured, sum: p.Captured},
			{name: payment.Voided, sum: p.Voided}, {name: payment.Expired, sum: p.Expired}, {name: payment.Refunding, sum: p.Refunding}, {name: payment.Refunded, sum: p.Refunded}} {
			if sum := sums.of(p.ID, is.name); sum != is.sum {
				a.fails("V-M12", p.ID, "%s is %d, and its ledger says %d", is.name, is.sum, sum)
			}
		}
	}
	posted := map[payment.Kind]payment.Account{payment.Authorize: payment.Authorized, payment.Capture: payment.Captured, payment.Void: payment.Voided, payment.Refund: payment.Refunded}
	for _, op := range a.o.Operations {
		name, is := posted[payment.Kind(op.Kind)]
		if !is {
			continue
		}
		applied := int64(0)
		if op.State == payment.Done {
			applied = op.Applied
		}
		if sum := sums.of(op.Key, name); sum != applied {
			a.fails("V-M12", op.Key, "by its operation %d %s, by its ledger %d", applied, name, sum)
		}
		taking := int64(0)
		if open(op) {
			taking = op.Amount
		}
		if sum := sums.of(op.Key, payment.Capturing); op.Kind == string(payment.Capture) && sum != taking {
			a.fails("V-M12", op.Key, "by its operation %d are being captured, by its ledger %d", taking, sum)
		}
	}
	for _, r := range a.o.Refunds {
		due := r.Amount
		if r.Status == order.RefundSucceeded {
			due = 0
		}
		if sum := reserved.of(r.ID, ""); sum != due {
			a.fails("V-M12", r.ID, "the refund of %d is %s, and by its ledger %d is reserved for it", r.Amount, r.Status, sum)
		}
	}
}

// totals are sums by what they are of and by account: so few that looking through them is quicker than a map.
type totals []total

type total struct {
	of   string // a payment, an operation or a refund
	name payment.Account
	sum  int64
}

func (t *totals) add(of string, name payment.Account, amount int64) {
	for i := range *t {
		if have := &(*t)[i]; have.of == of && have.name == name {
			have.sum += amount
			return
		}
	}
	*t = append(*t, total{of, name, amount})
}

func (t totals) of(of string, name payment.Account) int64 {
	for _, have := range t {
		if have.of == of && have.name == name {
			return have.sum
		}
	}
	return 0
}

// shipping is what the customer was charged for it.
func (a *audit) shipping() int64 {
	if a.o.PricesIncludeTax {
		return a.o.ShippingAmount
	}
	return a.o.ShippingAmount + a.o.ShippingTax
}

// shipped: V-M10. What left is paid for and the money still ours, less what was credited for it.
func (a *audit) shipped() {
	var worth, credited, fees int64
	carried := false
	for _, s := range a.o.Shipments {
		var parcel int64
		for _, l := range s.Lines {
			for n := l.FirstUnit; n < l.FirstUnit+l.Quantity; n++ {
				parcel += a.of(l.LineID)[n].worth
			}
		}
		if s.CarriesShipping {
			parcel += a.shipping()
		}
		if parcel != s.Amount {
			a.fails("V-M10", s.ID, "the parcel is charged %d, its units are worth %d", s.Amount, parcel)
		}
		if s.HandedOverAt != nil {
			worth += parcel
			carried = carried || s.CarriesShipping
		}
	}
	for _, c := range a.o.Credits {
		if c.Cause == "lost" || c.Cause == "returned" || c.Cause == "shipping" && carried {
			credited += c.Amount
		}
	}
	for _, r := range a.o.Returns {
		fees += r.FeeCharged
	}
	if worth-credited+fees > kept(a.o) && worth > 0 {
		a.fails("V-M10", a.o.ID, "parcels worth %d were handed over, %d of it was credited, fees are %d, and %d was captured and kept", worth, credited, fees, kept(a.o))
	}
}

// total: V-O6, and V-M17: what is given back fits into what is gone.
func (a *audit) total() {
	sum, gone := a.shipping(), a.shipping()
	for _, l := range a.o.Lines {
		for _, u := range a.of(l.ID) {
			sum += u.worth
			if u.cancelled > 0 || u.lost || u.graded || u.waived {
				gone += u.worth
			}
		}
		var quantity, discount, tax int64
		for _, b := range l.Units {
			if b.FirstUnit != quantity || b.Price != l.UnitPrice {
				a.fails("V-O6", l.ID, "its units are not one after the other, at its price")
			}
			quantity, discount, tax = quantity+b.Quantity, discount+b.Quantity*b.Discount, tax+b.Quantity*b.Tax
		}
		if quantity != l.Quantity || discount != l.Discount+l.OrderDiscount || tax != l.Tax {
			a.fails("V-O6", l.ID, "%d less %d with a tax of %d; its units are %d less %d with %d", l.Quantity, l.Discount+l.OrderDiscount, l.Tax, quantity, discount, tax)
		}
	}
	if sum != a.o.Total {
		a.fails("V-O6", a.o.ID, "the total is %d, and its units with shipping are %d", a.o.Total, sum)
	}
	var given int64
	for _, r := range a.o.Refunds {
		given += r.Amount - r.Excess
	}
	if given > gone {
		a.fails("V-M17", a.o.ID, "%d given back or to be given back, where what is gone is worth %d with the shipping", given, gone)
	}
}

// credits: V-M13, V-M14, V-M15.
func (a *audit) credits() {
	byLine := map[string]int64{}
	for _, c := range a.o.Credits {
		byLine[c.LineID] += c.Amount
		for n := c.FirstUnit; n < c.FirstUnit+c.Quantity; n++ {
			u := a.of(c.LineID)[n]
			if c.Cause == "lost" && !u.lost || c.Cause == "returned" && !u.graded && !u.waived {
				a.fails("V-M14", c.ID, "unit %d of line %s is credited as %s, and is not", n, c.LineID, c.Cause)
			}
		}
	}
	arrived := false
	for _, l := range a.o.Lines {
		if l.Credited != byLine[l.ID] || l.Refunded > l.Credited {
			a.fails("V-M13", l.ID, "%d is credited and %d given back; its credits come to %d", l.Credited, l.Refunded, byLine[l.ID])
		}
		for n, u := range a.of(l.ID) {
			if u.credited > u.worth {
				a.fails("V-M13", l.ID, "unit %d is credited %d, and worth %d", n, u.credited, u.worth)
			}
			arrived = arrived || u.cancelled == 0 && !u.lost
		}
	}
	if shipping := byLine[""]; shipping != a.o.ShippingCredited || shipping > 0 && arrived {
		a.fails("V-M14", a.o.ID, "%d of the shipping is credited, its credits come to %d, and units arrived: %v", a.o.ShippingCredited, shipping, arrived)
	}
	refunded, back := map[string]int64{}, int64(0)
	for _, r := range a.o.Refunds {
		sum := r.Shipping + r.Excess
		back += r.Shipping
		for _, l := range r.Lines {
			sum += l.Amount
			refunded[l.LineID] += l.Amount
		}
		if sum != r.Amount {
			a.fails("V-M15", r.ID, "a refund of %d, and its parts are %d", r.Amount, sum)
		}
	}
	for _, l := range a.o.Lines {
		if l.Refunded != refunded[l.ID] {
			a.fails("V-M15", l.ID, "%d is given back, and its refunds come to %d", l.Refunded, refunded[l.ID])
		}
	}
	if back != a.o.ShippingRefunded || back > a.o.ShippingCredited {
		a.fails("V-M15", a.o.ID, "%d of the shipping is given back of %d credited, and its refunds come to %d", a.o.ShippingRefunded, a.o.ShippingCredited, back)
	}
}
