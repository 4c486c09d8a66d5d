package api

import (
	"strconv"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
)

// renderOrder shows an order as the contract has it.
func renderOrder(o *order.Order) client.Order {
	r := client.Order{
		ID: o.ID, ExternalID: o.ExternalID, Channel: o.Channel, Currency: o.Currency, Test: o.Test,
		PricesIncludeTax: o.PricesIncludeTax, OnShortage: client.OnShortage(o.OnShortage),
		Status: client.OrderStatus(o.Status), PaymentStatus: client.PaymentStatus(o.PaymentAxis),
		FulfillmentStatus: client.FulfillmentStatus(o.FulfillmentAxis), ReturnStatus: "none",
		WaitingFor: waitingFor(o.WaitingFor), WaitingUntil: o.WaitingUntil, NextTimer: o.Deadline,
		Total: o.Total, Discount: o.Discount,
		Customer: client.OrderCustomer{ID: o.Customer.ID, Name: o.Customer.Name, Email: o.Customer.Email},
		ShipTo: client.OrderAddress{Name: o.ShipTo.Name, Line1: o.ShipTo.Line1, Line2: o.ShipTo.Line2, City: o.ShipTo.City,
			Region: o.ShipTo.Region, PostalCode: o.ShipTo.PostalCode, Country: o.ShipTo.Country},
		Shipping:  client.Shipping{Service: o.ShippingService, Amount: o.ShippingAmount, Tax: o.ShippingTax},
		CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
		Lines: []client.OrderLine{}, Holds: []client.Hold{}, Payments: []client.Payment{},
		Fulfillments: []client.Fulfillment{}, Shipments: []client.Shipment{},
	}
	if o.AttentionCode != "" {
		r.Attention = &client.Attention{Code: o.AttentionCode, Detail: o.AttentionDetail, Since: *o.AttentionSince}
	}
	for _, l := range o.Lines {
		r.Lines = append(r.Lines, renderLine(o, l))
	}
	for _, h := range o.Holds {
		r.Holds = append(r.Holds, renderHold(h))
	}
	for _, p := range o.Payments {
		r.Payments = append(r.Payments, renderPayment(p))
		r.Amounts.Authorized += p.Authorized
		r.Amounts.Captured += p.Captured
		r.Amounts.Voided += p.Voided
		r.Amounts.Refunded += p.Refunded
	}
	for _, f := range o.Fulfillments {
		r.Fulfillments = append(r.Fulfillments, renderFulfillment(o.ID, f))
	}
	for _, s := range o.Shipments {
		r.Shipments = append(r.Shipments, renderShipment(o.ID, s))
	}
	return r
}

func renderLine(o *order.Order, l order.Line) client.OrderLine {
	total := l.UnitPrice*l.Quantity - l.Discount - l.OrderDiscount
	if !o.PricesIncludeTax {
		total += l.Tax
	}
	return client.OrderLine{ID: l.ID, ExternalID: l.ExternalID, SKU: l.SKU, Quantity: l.Quantity, UnitPrice: l.UnitPrice,
		Discount: l.Discount, OrderDiscount: l.OrderDiscount, Tax: l.Tax, Total: total, Cancelled: l.Cancelled,
		Open: l.Open(), Shipped: l.Shipped, Delivered: l.Delivered, Lost: l.Lost}
}

func renderHold(h order.Hold) client.Hold {
	r := client.Hold{ID: h.ID, Reason: h.Reason, Detail: h.Detail, Owner: h.Owner, Blocks: []client.HoldBlock{},
		Deadline: h.Deadline, PlacedAt: h.PlacedAt, ReleasedAt: h.ReleasedAt}
	for _, b := range h.Blocks {
		r.Blocks = append(r.Blocks, client.HoldBlock(b))
	}
	return r
}

func renderPayment(p order.Payment) client.Payment {
	r := client.Payment{ID: p.ID, Gateway: p.Gateway, Status: client.PaymentAttemptStatus(p.Status), Amount: p.Amount,
		Authorized: p.Authorized, Captured: p.Captured, Voided: p.Voided, Refunded: p.Refunded,
		CaptureBefore: p.CaptureBefore, RefusalCode: optional(p.RefusalCode)}
	if p.Status == order.PaymentActionRequired {
		r.NextAction = &client.NextAction{Type: "redirect", URL: p.NextURL}
	}
	return r
}

func renderFulfillment(orderID string, f order.Fulfillment) client.Fulfillment {
	r := client.Fulfillment{ID: f.ID, OrderID: orderID, Location: f.LocationID,
		Status: client.FulfillmentOrderStatus(f.Status), Lines: []client.FulfillmentLine{}}
	for _, l := range f.Lines {
		r.Lines = append(r.Lines, client.FulfillmentLine{LineID: l.LineID, SKU: l.SKU, Quantity: l.Quantity,
			Picked: l.Picked, Packed: l.Packed, Shipped: l.Shipped})
	}
	return r
}

func renderFulfillmentDetail(o *order.Order, f order.Fulfillment) client.FulfillmentDetail {
	bare := renderFulfillment(o.ID, f)
	r := client.FulfillmentDetail{ID: bare.ID, OrderID: bare.OrderID, Location: bare.Location, Status: bare.Status,
		Lines: bare.Lines, Shipments: []client.Shipment{}}
	for _, s := range o.Shipments {
		if s.FulfillmentID == f.ID {
			r.Shipments = append(r.Shipments, renderShipment(o.ID, s))
		}
	}
	return r
}

func renderShipment(orderID string, s order.Shipment) client.Shipment {
	r := client.Shipment{ID: s.ID, OrderID: orderID, FulfillmentID: s.FulfillmentID, Status: client.ShipmentStatus(s.Status),
		Carrier: optional(s.Carrier), TrackingNumber: optional(s.TrackingNumber), WeightGrams: s.WeightGrams,
		HandedOverAt: s.HandedOverAt, FirstScanAt: s.FirstScanAt, DeliveredAt: s.DeliveredAt, Lines: []client.ShipmentLine{}}
	if s.HandedOverAt != nil {
		r.TrackingStatus = optional(client.TrackingStatus(s.TrackingStatus))
	}
	for _, l := range s.Lines {
		r.Lines = append(r.Lines, client.ShipmentLine{LineID: l.LineID, SKU: l.SKU, Quantity: l.Quantity})
	}
	return r
}

func renderSummary(o store.OrderSummary) client.OrderSummary {
	r := client.OrderSummary{ID: o.ID, ExternalID: o.ExternalID, Channel: o.Channel, Currency: o.Currency, Total: o.Total,
		Test: o.Test, Customer: client.OrderCustomer{ID: o.CustomerID, Name: o.CustomerName, Email: o.CustomerEmail},
		Status: client.OrderStatus(o.Status), PaymentStatus: client.PaymentStatus(o.PaymentStatus),
		FulfillmentStatus: client.FulfillmentStatus(o.FulfillmentStatus), ReturnStatus: "none",
		WaitingFor: waitingFor(o.WaitingFor), WaitingUntil: o.WaitingUntil, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt}
	if o.AttentionCode != "" {
		r.Attention = &client.Attention{Code: o.AttentionCode, Detail: o.AttentionDetail, Since: *o.AttentionSince}
	}
	return r
}

func renderEvent(e order.Event) client.TimelineEntry {
	return client.TimelineEntry{Sequence: e.Sequence, Type: e.Type, At: e.At, Actor: e.Actor, RequestID: optional(e.RequestID),
		Status: client.OrderStatus(e.Status), Detail: e.Detail, FulfillmentID: optional(e.FulfillmentID),
		ShipmentID: optional(e.ShipmentID), PaymentID: optional(e.PaymentID), Amount: e.Amount}
}

func renderLevel(l store.Level) client.InventoryLevel {
	return client.InventoryLevel{SKU: l.SKU, Location: l.LocationID, OnHand: l.OnHand, Committed: l.Committed,
		Unavailable: l.Unavailable, Available: l.Available()}
}

func renderMovement(m store.LedgerRow) client.LedgerEntry {
	return client.LedgerEntry{ID: strconv.FormatInt(m.ID, 10), SKU: m.SKU, Location: m.LocationID,
		Kind: client.MovementKind(m.Kind), Quantity: m.Quantity, OnHand: m.OnHand, Committed: m.Committed,
		Unavailable: m.Unavailable, OrderID: optional(m.OrderID), LineID: optional(m.LineID),
		Reference: optional(m.Reference), Reason: optional(m.Reason), At: m.At}
}

func waitingFor(w order.WaitingFor) *client.WaitingFor { return optional(client.WaitingFor(w)) }
