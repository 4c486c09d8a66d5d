package order

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/returns"
)

// Facts is what a run knows of its order: ids and states, never personal data. Every activity returns them, and
// the run does what they say is due.
type Facts struct {
	OrderID           string         `json:"order_id"`
	ReturnID          string         `json:"return_id,omitempty"` // set: these are the facts of a return
	Version           int64          `json:"version"`
	Status            Status         `json:"status"`
	Decision          Decision       `json:"decision,omitempty"`
	PaymentStatus     string         `json:"payment_status"`
	FulfillmentStatus string         `json:"fulfillment_status"`
	ReturnStatus      returns.Status `json:"return_status,omitempty"`
	WaitingFor        WaitingFor     `json:"waiting_for,omitempty"`
	WaitingUntil      *time.Time     `json:"waiting_until,omitempty"`
	Deadline          *time.Time     `json:"deadline,omitempty"`
	Attention         string         `json:"attention,omitempty"`
	Locations         []string       `json:"locations,omitempty"`
	Steps             []Step         `json:"steps,omitempty"`
	Settled           bool           `json:"settled,omitempty"`
	Details           string         `json:"details"` // markdown, for the operator who looks at the run
}

// ReturnRef names a return, and the order that it belongs to.
type ReturnRef struct{ OrderID, ReturnID string }

// Facts sums the order up for its run.
func (o *Order) Facts() Facts {
	f := Facts{OrderID: o.ID, Version: o.Version, Status: o.Status, Decision: o.Decision,
		PaymentStatus: o.PaymentAxis, FulfillmentStatus: o.FulfillmentAxis, WaitingFor: o.WaitingFor,
		WaitingUntil: o.WaitingUntil, Deadline: o.Deadline, Attention: o.AttentionCode,
		Steps: o.Steps(), Settled: o.Settled, Details: o.details()}
	for _, ful := range o.Fulfillments {
		if !slices.Contains(f.Locations, ful.LocationID) {
			f.Locations = append(f.Locations, ful.LocationID)
		}
	}
	return f
}

// ReturnFacts sums a return up for its run. Its version is the order's: every change of a return is one.
func (o *Order) ReturnFacts(returnID string) Facts {
	f := Facts{OrderID: o.ID, ReturnID: returnID, Version: o.Version, Status: o.Status, PaymentStatus: o.PaymentAxis,
		FulfillmentStatus: o.FulfillmentAxis}
	r := o.Return(returnID)
	if r == nil {
		return f
	}
	f.ReturnStatus, f.WaitingFor, f.WaitingUntil, f.Deadline, f.Attention = r.Status, r.WaitingFor, r.Deadline, r.Deadline, r.AttentionCode
	f.Steps, f.Settled, f.Details = o.operationsDue(returnID), r.Settled, o.returnDetails(r)
	for _, l := range r.Lines {
		if !slices.Contains(f.Locations, l.LocationID) {
			f.Locations = append(f.Locations, l.LocationID)
		}
	}
	return f
}

// returnDetails is what an operator sees first when he opens the run of a return.
func (o *Order) returnDetails(r *Return) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** · return %d of order `%s`", r.Status, r.Number, o.ID)
	if r.WaitingFor != WaitingNothing {
		fmt.Fprintf(&b, " · waiting for **%s**%s", r.WaitingFor, until(r.Deadline))
	}
	if r.AttentionCode != "" {
		fmt.Fprintf(&b, "\n\n**Attention, %s:** %s", r.AttentionCode, r.AttentionDetail)
	}
	b.WriteString("\n\n| SKU | announced | received | graded | given up | reason |\n|---|---|---|---|---|---|\n")
	for i, l := range r.Lines {
		if i == 20 {
			fmt.Fprintf(&b, "| … %d more | | | | | |\n", len(r.Lines)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %s |\n", strings.ReplaceAll(l.SKU, "|", "/"), l.Quantity, l.Received, l.Inspected, l.Dismissed, l.Reason)
	}
	if r.TrackingNumber != "" {
		fmt.Fprintf(&b, "\nParcel back: %s %s · %s\n", r.Carrier, r.TrackingNumber, r.TrackingStatus)
	}
	for _, f := range o.Refunds {
		if f.ReturnID == r.ID {
			fmt.Fprintf(&b, "\nRefund %d: %s · %s\n", f.Number, o.format(f.Amount), f.Status)
		}
	}
	return b.String()
}

// details is what an operator sees first when he opens the run.
func (o *Order) details() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** · payment %s · fulfillment %s", o.Status, o.PaymentAxis, o.FulfillmentAxis)
	if o.WaitingFor != WaitingNothing {
		fmt.Fprintf(&b, " · waiting for **%s**", o.WaitingFor)
		b.WriteString(until(o.WaitingUntil))
	}
	if o.AttentionCode != "" {
		fmt.Fprintf(&b, "\n\n**Attention, %s:** %s", o.AttentionCode, o.AttentionDetail)
	}
	for _, h := range o.Holds {
		if h.Active() {
			fmt.Fprintf(&b, "\n\n**Hold, %s** (%s): blocks %s%s", h.Reason, h.Owner, strings.Join(h.Blocks, ", "), until(h.Deadline))
		}
	}
	b.WriteString("\n\n| SKU | ordered | cancelled | open | backordered | shipped | delivered | lost | undelivered | returned |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for i, l := range o.Lines {
		if i == 20 {
			fmt.Fprintf(&b, "| … %d more lines | | | | | | | | | |\n", len(o.Lines)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n", strings.ReplaceAll(l.SKU, "|", "/"), l.Quantity,
			l.Cancelled, l.Open(), l.Backordered, l.Shipped, l.Delivered, l.Lost, l.Undelivered, l.Returned)
	}
	for i, p := range o.Payments {
		if i == 10 {
			break
		}
		fmt.Fprintf(&b, "\nPayment %d (%s): %s · held %s · captured %s · voided %s · refunded %s\n", p.Number, p.Gateway, p.Status,
			o.format(p.Open()), o.format(p.Captured), o.format(p.Voided), o.format(p.Refunded))
	}
	for i, s := range o.Shipments {
		if i == 20 {
			fmt.Fprintf(&b, "\n… %d more parcels\n", len(o.Shipments)-i)
			break
		}
		fmt.Fprintf(&b, "\nParcel %d: %s · %s %s · %s\n", s.Number, s.Status, s.Carrier, s.TrackingNumber, s.TrackingStatus)
	}
	for _, f := range o.Refunds[:min(len(o.Refunds), 10)] {
		fmt.Fprintf(&b, "\nRefund %d: %s · %s (%s)\n", f.Number, o.format(f.Amount), f.Status, f.Cause)
	}
	for _, r := range o.Returns[:min(len(o.Returns), 10)] {
		fmt.Fprintf(&b, "\nReturn %d: %s · `%s`\n", r.Number, r.Status, r.ID)
	}
	return b.String()
}
