package api

import (
	"slices"
	"strconv"
	"time"

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
		FulfillmentStatus: client.FulfillmentStatus(o.FulfillmentAxis), ReturnStatus: client.ReturnStatus(o.ReturnAxis),
		Priority: o.Priority, PromisedAt: o.PromisedAt,
		WaitingFor: waitingFor(o.WaitingFor), WaitingUntil: o.WaitingUntil, NextTimer: o.Deadline,
		Total: o.Total, Discount: o.Discount,
		Customer: client.OrderCustomer{ID: o.Customer.ID, Name: o.Customer.Name, Email: o.Customer.Email},
		ShipTo: client.OrderAddress{Name: o.ShipTo.Name, Line1: o.ShipTo.Line1, Line2: o.ShipTo.Line2, City: o.ShipTo.City,
			Region: o.ShipTo.Region, PostalCode: o.ShipTo.PostalCode, Country: o.ShipTo.Country},
		Shipping:  client.Shipping{Service: o.ShippingService, Amount: o.ShippingAmount, Tax: o.ShippingTax},
		CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
		Lines: []client.OrderLine{}, Holds: []client.Hold{}, Payments: []client.Payment{},
		Refunds: renderRefunds(o, ""), Credits: []client.Credit{}, ShortPicks: []client.ShortPick{},
		Fulfillments: []client.Fulfillment{}, Shipments: []client.Shipment{},
		Attention: attention(o.AttentionCode, o.AttentionDetail, o.AttentionSince),
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
	for _, f := range o.Credits {
		r.Credits = append(r.Credits, renderCredit(f))
	}
	for _, f := range o.Fulfillments {
		r.Fulfillments = append(r.Fulfillments, renderFulfillment(o.ID, f))
	}
	for _, p := range o.ShortPicks {
		r.ShortPicks = append(r.ShortPicks, client.ShortPick{FulfillmentID: p.FulfillmentID, LineID: p.LineID, SKU: p.SKU,
			Location: p.LocationID, Quantity: p.Quantity, Reason: client.ShortReason(p.Reason), Decided: p.Decided, At: p.At})
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
		Discount: l.Discount, OrderDiscount: l.OrderDiscount, Tax: l.Tax, Total: total, FinalSale: l.FinalSale,
		Cancelled: l.Cancelled, Open: l.Open(), Backordered: l.Backordered, Shipped: l.Shipped, Delivered: l.Delivered,
		Lost: l.Lost, Undelivered: l.Undelivered, ReturnRequested: l.ReturnRequested, Returned: l.Returned,
		Dismissed: l.Dismissed, Credited: l.Credited, Refunded: refunded(o, l.ID)}
}

// refunded is what was given back of a line. The line's own counter also has what is only asked for.
func refunded(o *order.Order, lineID string) (amount int64) {
	for _, r := range o.Refunds {
		if r.Status != order.RefundSucceeded {
			continue
		}
		for _, l := range r.Lines {
			if l.LineID == lineID {
				amount += l.Amount
			}
		}
	}
	return amount
}

// renderRefunds shows an order's refunds, or those of one of its returns.
func renderRefunds(o *order.Order, returnID string) []client.Refund {
	found := []client.Refund{}
	for _, f := range o.Refunds {
		if returnID != "" && f.ReturnID != returnID {
			continue
		}
		r := client.Refund{ID: f.ID, Number: f.Number, PaymentID: f.PaymentID, Amount: f.Amount, Shipping: f.Shipping,
			Excess: f.Excess, Currency: o.Currency, Cause: client.RefundCause(f.Cause), Status: client.RefundStatus(f.Status),
			ReturnID: optional(f.ReturnID), ShipmentID: optional(f.ShipmentID), CreatedAt: f.CreatedAt, SettledAt: f.SettledAt,
			Lines: []client.RefundLine{}}
		for _, l := range f.Lines {
			r.Lines = append(r.Lines, client.RefundLine{LineID: l.LineID, Quantity: l.Quantity, Amount: l.Amount})
		}
		found = append(found, r)
	}
	return found
}

func renderCredit(c order.Credit) client.Credit {
	return client.Credit{ID: c.ID, Cause: client.CreditCause(c.Cause), LineID: optional(c.LineID), Quantity: c.Quantity,
		Amount: c.Amount, ShipmentID: optional(c.ShipmentID), ReturnID: optional(c.ReturnID), Reason: c.Reason, At: c.At}
}

func renderHold(h order.Hold) client.Hold {
	r := client.Hold{ID: h.ID, FulfillmentID: optional(h.FulfillmentID), Reason: h.Reason, Detail: h.Detail, Owner: h.Owner,
		Blocks: []client.HoldBlock{}, Deadline: h.Deadline, OnDeadline: optional(client.OnDeadline(h.OnDeadline)),
		PlacedAt: h.PlacedAt, ReleasedAt: h.ReleasedAt}
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

// renderFulfillment shows one entry for each order line: commands name lines, whatever ranges of units they are in.
func renderFulfillment(orderID string, f order.Fulfillment) client.Fulfillment {
	r := client.Fulfillment{ID: f.ID, OrderID: orderID, Location: f.LocationID,
		Status: client.FulfillmentOrderStatus(f.Status), Lines: []client.FulfillmentLine{}}
	for _, l := range f.Lines {
		sum := entry(&r.Lines, func(e client.FulfillmentLine) bool { return e.LineID == l.LineID })
		sum.LineID, sum.SKU = l.LineID, l.SKU
		sum.Quantity += l.Quantity
		sum.Cancelled += l.Cancelled
		sum.Short += l.Short
		sum.Picked += l.Picked
		sum.Packed += l.Packed
		sum.Shipped += l.Shipped
	}
	return r
}

func renderFulfillmentDetail(o *order.Order, f order.Fulfillment) client.FulfillmentDetail {
	bare := renderFulfillment(o.ID, f)
	r := client.FulfillmentDetail{ID: bare.ID, OrderID: bare.OrderID, Location: bare.Location, Status: bare.Status,
		Lines: bare.Lines, Holds: []client.Hold{}, Shipments: []client.Shipment{}}
	for _, h := range o.Holds {
		if h.FulfillmentID == f.ID {
			r.Holds = append(r.Holds, renderHold(h))
		}
	}
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
		TrackingAt: s.TrackingAt, HandedOverAt: s.HandedOverAt, FirstScanAt: s.FirstScanAt, DeliveredAt: s.DeliveredAt, Lines: []client.ShipmentLine{}}
	if s.HandedOverAt != nil {
		r.TrackingStatus = optional(client.TrackingStatus(s.TrackingStatus))
	}
	for _, l := range s.Lines {
		sum := entry(&r.Lines, func(e client.ShipmentLine) bool { return e.LineID == l.LineID })
		sum.LineID, sum.SKU = l.LineID, l.SKU
		sum.Quantity += l.Quantity
	}
	return r
}

func renderSummary(o store.OrderSummary) client.OrderSummary {
	return client.OrderSummary{ID: o.ID, ExternalID: o.ExternalID, Channel: o.Channel, Currency: o.Currency, Total: o.Total,
		Test: o.Test, Customer: client.OrderCustomer{ID: o.CustomerID, Name: o.CustomerName, Email: o.CustomerEmail},
		Status: client.OrderStatus(o.Status), PaymentStatus: client.PaymentStatus(o.PaymentStatus),
		FulfillmentStatus: client.FulfillmentStatus(o.FulfillmentStatus), ReturnStatus: client.ReturnStatus(o.ReturnStatus),
		WaitingFor: waitingFor(o.WaitingFor), WaitingUntil: o.WaitingUntil, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
		Attention: attention(o.AttentionCode, o.AttentionDetail, o.AttentionSince)}
}

func renderEvent(e order.Event) client.TimelineEntry {
	return client.TimelineEntry{Sequence: e.Sequence, Type: e.Type, At: e.At, Actor: e.Actor, RequestID: optional(e.RequestID),
		Status: client.OrderStatus(e.Status), Detail: e.Detail, FulfillmentID: optional(e.FulfillmentID),
		ShipmentID: optional(e.ShipmentID), PaymentID: optional(e.PaymentID), ReturnID: optional(e.ReturnID), Amount: e.Amount}
}

func renderLevel(l store.Level) client.InventoryLevel {
	return client.InventoryLevel{SKU: l.SKU, Location: l.LocationID, OnHand: l.OnHand, Committed: l.Committed,
		Unavailable: l.Unavailable, Damaged: l.Damaged, QualityControl: l.QualityControl(), Available: l.Available()}
}

func renderMovement(m store.LedgerRow) client.LedgerEntry {
	return client.LedgerEntry{ID: strconv.FormatInt(m.ID, 10), SKU: m.SKU, Location: m.LocationID,
		Kind: client.MovementKind(m.Kind), Quantity: m.Quantity, OnHand: m.OnHand, Committed: m.Committed,
		Unavailable: m.Unavailable, Damaged: m.Damaged, OrderID: optional(m.OrderID), LineID: optional(m.LineID),
		ReturnID: optional(m.ReturnID), Reference: optional(m.Reference), Reason: optional(m.Reason), At: m.At}
}

func renderReturn(o *order.Order, t *order.Return) client.Return {
	r := client.Return{ID: t.ID, OrderID: o.ID, ExternalID: o.ExternalID, Channel: o.Channel, Number: t.Number, Status: client.ReturnLifeStatus(t.Status),
		Origin: client.ReturnOrigin(t.Origin), DeclineReason: optional(t.DeclineReason), Returnless: t.Returnless,
		Lines: renderReturnLines(t), Inspections: []client.Inspection{}, Unexpected: []client.UnexpectedItem{},
		Estimate: renderEstimate(o, t), Refunds: renderRefunds(o, t.ID), WaitingFor: waitingFor(t.WaitingFor),
		Attention: attention(t.AttentionCode, t.AttentionDetail, t.AttentionSince), ExpiresAt: t.ExpiresAt,
		ApprovedAt: t.ApprovedAt, ClosedAt: t.ClosedAt, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt}
	if t.TrackingNumber != "" {
		r.Label = &client.ReturnLabel{Carrier: t.Carrier, TrackingNumber: t.TrackingNumber}
		if t.TrackingAt != nil {
			r.Label.TrackingStatus = optional(client.TrackingStatus(t.TrackingStatus))
		}
	}
	for _, i := range t.Inspections {
		r.Inspections = append(r.Inspections, client.Inspection{LineID: i.LineID, SKU: i.SKU, Quantity: i.Quantity,
			Grade: client.Grade(i.Grade), Disposition: client.Disposition(i.Stock), Location: i.LocationID,
			RefundPercent: int(i.Percent), Amount: i.Amount, At: i.At})
	}
	for _, u := range t.Unexpected {
		r.Unexpected = append(r.Unexpected, client.UnexpectedItem{SKU: u.SKU, Quantity: u.Quantity, Location: u.LocationID, At: u.At})
	}
	return r
}

// renderReturnLines shows one entry for each order line, whatever parcels its units came in.
func renderReturnLines(t *order.Return) []client.ReturnLine {
	lines := []client.ReturnLine{}
	for _, l := range t.Lines {
		sum := entry(&lines, func(e client.ReturnLine) bool { return e.LineID == l.LineID })
		if sum.LineID == "" {
			sum.LineID, sum.SKU, sum.Reason, sum.Shipments = l.LineID, l.SKU, client.ReturnedReason(l.Reason), []client.ID{}
		}
		if !slices.Contains(sum.Shipments, l.ShipmentID) {
			sum.Shipments = append(sum.Shipments, l.ShipmentID)
		}
		sum.Quantity += l.Quantity
		sum.Received += l.Received
		sum.Inspected += l.Inspected
		sum.Dismissed += l.Dismissed
	}
	return lines
}

func renderReturnSummary(t store.ReturnRow) client.ReturnSummary {
	return client.ReturnSummary{ID: t.ID, OrderID: t.OrderID, ExternalID: t.ExternalID, Channel: t.Channel, Number: t.Number, Status: client.ReturnLifeStatus(t.Status),
		Origin: client.ReturnOrigin(t.Origin), Returnless: t.Returnless, Lines: renderReturnLines(&t.Return),
		Attention:  attention(t.AttentionCode, t.AttentionDetail, t.AttentionSince),
		WaitingFor: waitingFor(t.WaitingFor), ExpiresAt: t.ExpiresAt, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt}
}

func renderPreview(o *order.Order, t *order.Return) client.ReturnPreview {
	r := client.ReturnPreview{OrderID: o.ID, Status: client.ReturnLifeStatus(t.Status), Estimate: renderEstimate(o, t),
		Lines: []client.ReturnPreviewLine{}}
	for _, l := range renderReturnLines(t) {
		r.Lines = append(r.Lines, client.ReturnPreviewLine{LineID: l.LineID, SKU: l.SKU, Quantity: l.Quantity,
			Reason: client.ReturnReason(l.Reason)})
	}
	return r
}

func renderEstimate(o *order.Order, t *order.Return) client.ReturnEstimate {
	e := o.Estimate(*t)
	return client.ReturnEstimate{Goods: e.Goods, RestockingFee: e.RestockingFee, LabelFee: e.LabelFee, Refund: e.Refund,
		Currency: o.Currency}
}

// entry is the one of a list that is meant, or a new one at its end.
func entry[E any](list *[]E, meant func(E) bool) *E {
	i := slices.IndexFunc(*list, meant)
	if i < 0 {
		var fresh E
		i = len(*list)
		*list = append(*list, fresh)
	}
	return &(*list)[i]
}

func attention(code, detail string, since *time.Time) *client.Attention {
	if code == "" {
		return nil
	}
	return &client.Attention{Code: code, Detail: detail, Since: *since}
}

func waitingFor(w order.WaitingFor) *client.WaitingFor { return optional(client.WaitingFor(w)) }
