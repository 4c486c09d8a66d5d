package core

import (
	"slices"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// refusal is what a constraint says.
type refusal struct{ constraint, detail string }

// refuse says which constraint of the schema an order's rows would violate, with what is new in its ledgers, or nil.
// The names are those of store/migrations; those of the rows that are written once end in frozen.
func (b *books) refuse(f *folio, o *order.Order, e order.Effects) *refusal {
	c := &constraints{seen: b.seen[:0]}
	c.orders(o)
	c.payments(o)
	c.warehouse(o)
	c.returns(o)
	c.keys(o)
	if f.order != nil {
		c.frozen(f.order, o)
	}
	for i, event := range e.Events {
		c.hold("events_pkey", o.ID, event.Sequence == int64(len(f.events)+i+1))
	}
	for _, entry := range e.Entries {
		c.hold("money_ledger_amount_not_zero", entry.PaymentID, entry.Amount != 0)
	}
	b.seen = c.seen
	return c.broken
}

// constraints remembers the first that a row does not keep.
type constraints struct {
	broken *refusal
	seen   []unique // so few that looking through them is quicker than a map
}

// unique is a row's key under one unique constraint.
type unique struct {
	constraint, of, and string
	number              int64
}

func (c *constraints) hold(constraint, subject string, holds bool) {
	if !holds && c.broken == nil {
		c.broken = &refusal{constraint, subject}
	}
}

func (c *constraints) once(constraint, of, and string, number int64) {
	key := unique{constraint, of, and, number}
	c.hold(constraint, of, !slices.Contains(c.seen, key))
	c.seen = append(c.seen, key)
}

func (c *constraints) orders(o *order.Order) {
	charge := o.ShippingAmount
	if !o.PricesIncludeTax {
		charge += o.ShippingTax
	}
	c.hold("orders_settled_when_final", o.ID, !o.Settled || ended[o.Status])
	c.hold("orders_amounts_not_negative", o.ID, min(o.Total, o.Discount, o.ShippingAmount, o.ShippingTax) >= 0)
	c.hold("orders_shipping_credit_within_charge", o.ID, o.ShippingCredited >= 0 && o.ShippingCredited <= charge)
	c.hold("orders_shipping_refund_within_credit", o.ID, o.ShippingRefunded >= 0 && o.ShippingRefunded <= o.ShippingCredited)
	for _, l := range o.Lines {
		c.hold("order_lines_quantity_positive", l.ID, l.Quantity > 0)
		c.hold("order_lines_counters_not_negative", l.ID, min(l.Cancelled, l.Shipped, l.Delivered, l.Lost) >= 0)
		c.hold("order_lines_more_counters_not_negative", l.ID, min(l.Backordered, l.Undelivered, l.ReturnRequested, l.Returned, l.Dismissed) >= 0)
		c.hold("order_lines_units_conserved", l.ID, l.Cancelled+l.Shipped <= l.Quantity && l.Delivered+l.Lost+l.Undelivered <= l.Shipped &&
			l.Backordered <= l.Quantity-l.Cancelled-l.Shipped)
		c.hold("order_lines_returns_within_delivered", l.ID, l.ReturnRequested <= l.Delivered+l.Undelivered && l.Returned+l.Dismissed <= l.ReturnRequested)
		c.hold("order_lines_refund_within_credit", l.ID, l.Credited >= 0 && l.Refunded >= 0 && l.Refunded <= l.Credited)
	}
	for _, r := range o.Credits {
		shipping := r.Cause == order.CreditShipping
		of := r.LineID != "" && r.Quantity > 0 // units of a line
		c.hold("credits_amount_not_negative", r.ID, r.Amount >= 0)
		c.hold("credits_units_or_shipping", r.ID, (shipping && r.LineID == "" && r.Quantity == 0 || !shipping && of) && r.FirstUnit >= 0)
	}
}

func (c *constraints) payments(o *order.Order) {
	for _, p := range o.Payments {
		c.hold("payments_amount_positive", p.ID, p.Amount > 0)
		c.hold("payments_balances_not_negative", p.ID, min(p.Authorized, p.Capturing, p.Captured, p.Voided, p.Expired, p.Refunding, p.Refunded) >= 0)
		c.hold("payments_captures_within_authorized", p.ID, p.Capturing+p.Captured+p.Voided+p.Expired <= p.Authorized)
		c.hold("payments_refunds_within_captured", p.ID, p.Refunding+p.Refunded <= p.Captured)
	}
	for _, op := range o.Operations {
		c.hold("operations_amount_not_negative", op.Key, op.Amount >= 0)
	}
	for _, r := range o.Refunds {
		c.hold("refunds_amount_positive", r.ID, r.Amount > 0 && r.Shipping >= 0 && r.Excess >= 0 && r.Shipping+r.Excess <= r.Amount)
		c.hold("refunds_settled_when_succeeded", r.ID, (r.SettledAt != nil) == (r.Status == order.RefundSucceeded))
		for _, l := range r.Lines {
			c.hold("refund_lines_amount_positive", r.ID, l.Amount > 0 && l.Quantity >= 0)
		}
	}
}

func (c *constraints) warehouse(o *order.Order) {
	for _, f := range o.Fulfillments {
		for _, l := range f.Lines {
			c.hold("fulfillment_lines_quantity_positive", f.ID, l.Quantity > 0)
			c.hold("fulfillment_lines_in_order", f.ID, 0 <= l.Shipped && l.Shipped <= l.Packed && l.Packed <= l.Picked &&
				l.Picked <= l.Quantity-l.Cancelled-l.Short && l.Cancelled >= 0 && l.Short >= 0)
		}
	}
	for _, s := range o.Shipments {
		left := s.Status == order.ShipmentShipped || s.Status == order.ShipmentDelivered || s.Status == order.ShipmentLost || s.Status == order.ShipmentReturning
		c.hold("shipments_handed_over_when_shipped", s.ID, left == (s.HandedOverAt != nil))
		for _, l := range s.Lines {
			c.hold("shipment_lines_quantity_positive", s.ID, l.Quantity > 0)
		}
	}
	for _, a := range o.Allocations {
		c.hold("allocations_quantity_positive", a.ID, a.Quantity > 0)
		c.hold("allocations_close_once", a.ID, a.Released >= 0 && a.Consumed >= 0 && a.Released+a.Consumed <= a.Quantity)
	}
	for _, p := range o.ShortPicks {
		c.hold("short_picks_quantity_positive", p.ID, p.Quantity > 0)
		c.hold("short_picks_reason_known", p.ID, slices.Contains([]string{"stockout", "damaged", "could_not_locate", "expired"}, p.Reason))
	}
}

func (c *constraints) returns(o *order.Order) {
	for _, r := range o.Returns {
		over := r.Status == "closed" || r.Status == "declined" || r.Status == "cancelled" || r.Status == "expired"
		c.hold("returns_fee_within_label_fee", r.ID, r.FeeCharged >= 0 && r.FeeCharged <= r.LabelFee)
		c.hold("returns_settled_when_final", r.ID, !r.Settled || over)
		for _, l := range r.Lines {
			c.hold("return_lines_quantity_positive", r.ID, l.Quantity > 0)
			c.hold("return_lines_in_order", r.ID, 0 <= l.Inspected && l.Inspected <= l.Received && l.Dismissed >= 0 && l.Received+l.Dismissed <= l.Quantity)
		}
		for _, i := range r.Inspections {
			c.hold("return_inspections_quantity_positive", r.ID, i.Quantity > 0)
			c.hold("return_inspections_amount_not_negative", r.ID, i.Amount >= 0 && i.Percent >= 0 && i.Percent <= 100)
		}
		for _, u := range r.Unexpected {
			c.hold("return_unexpected_quantity_positive", r.ID, u.Quantity > 0)
		}
	}
}

// keys are the primary keys and unique indexes.
func (c *constraints) keys(o *order.Order) {
	for _, op := range o.Operations {
		c.once("operations_pkey", op.Key, "", 0)
		live := op.State == payment.Pending || op.State == payment.Unsettled || op.State == payment.Done
		label := op.Kind == string(shipping.BuyLabel) || op.Kind == string(shipping.VoidLabel)
		switch {
		case !live:
		case op.RefundID != "":
			c.once("operations_one_live_per_refund", op.RefundID, "", 0)
		case op.ShipmentID != "":
			c.once("operations_one_live_per_shipment", op.ShipmentID, op.Kind, 0)
		case op.ReturnID != "" && label:
			c.once("operations_one_live_label_per_return", op.ReturnID, op.Kind, 0)
		}
	}
	for _, p := range o.Payments {
		c.once("payments_number_once", o.ID, "", int64(p.Number))
	}
	for _, f := range o.Fulfillments {
		c.once("fulfillments_number_once", o.ID, "", int64(f.Number))
		for _, l := range f.Lines {
			c.once("fulfillment_lines_pkey", f.ID, l.LineID, l.FirstUnit)
		}
	}
	for _, s := range o.Shipments {
		c.once("shipments_number_once", o.ID, "", int64(s.Number))
		if s.CarriesShipping && s.Status != order.ShipmentCancelled {
			c.once("shipments_shipping_charged_once", o.ID, "", 0)
		}
		for _, l := range s.Lines {
			c.once("shipment_lines_pkey", s.ID, l.LineID, l.FirstUnit)
		}
	}
	for _, a := range o.Allocations {
		c.once("allocations_once_per_fulfillment", a.FulfillmentID, a.LineID, int64(a.Generation))
	}
	for _, p := range o.ShortPicks {
		c.once("short_picks_unit_once", p.FulfillmentID, p.LineID, p.FirstUnit)
	}
	for _, r := range o.Credits {
		if r.Cause == order.CreditCancelled {
			c.once("credits_cancelled_once", r.LineID, "", r.FirstUnit)
		}
	}
	for _, r := range o.Refunds {
		c.once("refunds_number_once", o.ID, "", int64(r.Number))
	}
	for _, r := range o.Returns {
		c.once("returns_number_once", o.ID, "", int64(r.Number))
		for _, l := range r.Lines {
			c.once("return_lines_pkey", r.ID, l.LineID, l.FirstUnit)
		}
		for _, i := range r.Inspections {
			c.once("return_inspections_pkey", r.ID, i.LineID, i.FirstUnit)
		}
	}
}

// frozen: what is written once is not written again. The store would keep the first, and nobody would hear of it.
func (c *constraints) frozen(was, o *order.Order) {
	c.hold("orders_frozen", o.ID, was.Total == o.Total && was.Currency == o.Currency && was.Discount == o.Discount &&
		(was.Decision == order.Undecided || was.Decision == o.Decision) && (was.PromisedAt == nil || was.PromisedAt == o.PromisedAt))
	for i, l := range was.Lines {
		n := o.Lines[i]
		c.hold("order_lines_frozen", l.ID, l.ID == n.ID && l.SKU == n.SKU && l.Quantity == n.Quantity && l.UnitPrice == n.UnitPrice &&
			l.Tax == n.Tax && slices.Equal(l.Units, n.Units) && l.Cancelled <= n.Cancelled && l.Shipped <= n.Shipped && l.Delivered <= n.Delivered &&
			l.Returned <= n.Returned && l.Credited <= n.Credited && l.Refunded <= n.Refunded)
	}
	for _, op := range was.Operations {
		n := o.Operation(op.Key)
		c.hold("operations_frozen", op.Key, n != nil && op.Amount == n.Amount && op.Kind == n.Kind && op.PaymentID == n.PaymentID &&
			op.ShipmentID == n.ShipmentID && op.RefundID == n.RefundID && op.ReturnID == n.ReturnID)
	}
	for _, r := range was.Refunds {
		n := o.Refund(r.ID)
		c.hold("refunds_frozen", r.ID, n != nil && r.Amount == n.Amount && r.PaymentID == n.PaymentID && slices.Equal(r.Lines, n.Lines))
	}
	for i, a := range was.Allocations {
		n := o.Allocations[i]
		c.hold("allocations_frozen", a.ID, a.ID == n.ID && a.Quantity == n.Quantity && a.LocationID == n.LocationID && a.Released <= n.Released && a.Consumed <= n.Consumed)
	}
	for _, credit := range was.Credits {
		c.hold("credits_frozen", credit.ID, slices.Contains(o.Credits, credit))
	}
}
