package order

import (
	"fmt"
	"strings"
	"time"
)

// Facts is what a run knows of its order: ids and states, never personal data. Every activity returns them, and
// the run does what they say is due.
type Facts struct {
	OrderID           string     `json:"order_id"`
	Version           int64      `json:"version"`
	Status            Status     `json:"status"`
	Decision          Decision   `json:"decision,omitempty"`
	PaymentStatus     string     `json:"payment_status"`
	FulfillmentStatus string     `json:"fulfillment_status"`
	WaitingFor        WaitingFor `json:"waiting_for,omitempty"`
	WaitingUntil      *time.Time `json:"waiting_until,omitempty"`
	Deadline          *time.Time `json:"deadline,omitempty"`
	Attention         string     `json:"attention,omitempty"`
	Locations         []string   `json:"locations,omitempty"`
	Steps             []Step     `json:"steps,omitempty"`
	Settled           bool       `json:"settled,omitempty"`
	Details           string     `json:"details"` // markdown, for the operator who looks at the run
}

// Facts sums the order up for its run.
func (o *Order) Facts() Facts {
	f := Facts{OrderID: o.ID, Version: o.Version, Status: o.Status, Decision: o.Decision,
		PaymentStatus: o.PaymentAxis, FulfillmentStatus: o.FulfillmentAxis, WaitingFor: o.WaitingFor,
		WaitingUntil: o.WaitingUntil, Deadline: o.Deadline, Attention: o.AttentionCode,
		Steps: o.Steps(), Settled: o.Settled, Details: o.details()}
	for _, ful := range o.Fulfillments {
		f.Locations = append(f.Locations, ful.LocationID)
	}
	return f
}

// details is what an operator sees first when he opens the run.
func (o *Order) details() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** · payment %s · fulfillment %s", o.Status, o.PaymentAxis, o.FulfillmentAxis)
	if o.WaitingFor != WaitingNothing {
		fmt.Fprintf(&b, " · waiting for **%s**", o.WaitingFor)
		if o.WaitingUntil != nil {
			fmt.Fprintf(&b, " until %s", o.WaitingUntil.UTC().Format("2006-01-02 15:04 MST"))
		}
	}
	if o.AttentionCode != "" {
		fmt.Fprintf(&b, "\n\n**Attention, %s:** %s", o.AttentionCode, o.AttentionDetail)
	}
	b.WriteString("\n\n| SKU | ordered | cancelled | open | shipped | delivered | lost |\n|---|---|---|---|---|---|---|\n")
	for i, l := range o.Lines {
		if i == 20 {
			fmt.Fprintf(&b, "| … %d more lines | | | | | | |\n", len(o.Lines)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d |\n", strings.ReplaceAll(l.SKU, "|", "/"), l.Quantity,
			l.Cancelled, l.Open(), l.Shipped, l.Delivered, l.Lost)
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
	return b.String()
}
