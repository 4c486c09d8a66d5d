package order

import (
	"slices"
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
	DeadlineFor       string         `json:"deadline_for,omitempty"` // what happens then, for the timer's summary
	Attention         string         `json:"attention,omitempty"`
	Locations         []string       `json:"locations,omitempty"`
	Steps             []Step         `json:"steps,omitempty"`
	Settled           bool           `json:"settled,omitempty"`
	Details           string         `json:"details"` // markdown with marks, for the operator who looks at the run: see Page
}

// ReturnRef names a return, and the order that it belongs to.
type ReturnRef struct{ OrderID, ReturnID string }

// Facts sums the order up for its run.
func (o *Order) Facts() Facts {
	f := Facts{OrderID: o.ID, Version: o.Version, Status: o.Status, Decision: o.Decision,
		PaymentStatus: o.PaymentAxis, FulfillmentStatus: o.FulfillmentAxis, WaitingFor: o.WaitingFor,
		WaitingUntil: o.WaitingUntil, Deadline: o.Deadline, DeadlineFor: o.alarm().what, Attention: o.AttentionCode,
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
	f.DeadlineFor = o.returnAlarm(r).what
	f.Steps, f.Settled, f.Details = o.operationsDue(returnID), r.Settled, o.returnDetails(r)
	for _, l := range r.Lines {
		if !slices.Contains(f.Locations, l.LocationID) {
			f.Locations = append(f.Locations, l.LocationID)
		}
	}
	return f
}
