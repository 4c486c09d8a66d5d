package order

import (
	"slices"
	"strconv"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
)

// What a hold may block.
const (
	BlockCapture = "capture" // no money is taken
	BlockRelease = "release" // no stock is given to the order, and nothing is picked or packed
	BlockShip    = "ship"    // nothing is handed to a carrier
)

// Who is to answer a hold.
const (
	OwnerCustomer = "customer"
	OwnerOperator = "operator"
)

// What happens when nobody answers a hold until its deadline.
const (
	OnDeadlineRelease   = "release"   // it goes on as if there had been no hold
	OnDeadlineCancel    = "cancel"    // what has not been shipped is cancelled
	OnDeadlineAttention = "attention" // the hold stays, and a person is called
	OnDeadlineExpire    = "expire"    // the order ends unpaid; only of awaiting_payment
)

// The reasons for which Waybill holds an order by itself. People give any other.
const (
	HoldAwaitingPayment   = "awaiting_payment"
	HoldTotalsDiffer      = "totals_differ"
	HoldAddressIncomplete = "address_incomplete"
	HoldChangedElsewhere  = "changed_elsewhere" // shipped, refunded or edited in part where the order came from
	HoldNotShippable      = "not_shippable"     // a line is nothing that stock and parcels could serve
	HoldOutOfStock        = "out_of_stock"      // sold by a channel that could not be told no
)

// HoldRequest is what somebody wants held.
type HoldRequest struct {
	Reason     string     `json:"reason"`
	Detail     string     `json:"detail"`
	Owner      string     `json:"owner"`  // customer or operator, which is the default
	Blocks     []string   `json:"blocks"` // some of capture, release, ship; all of them when empty
	Deadline   *time.Time `json:"deadline"`
	OnDeadline string     `json:"on_deadline"` // release, cancel or attention, which is the default
}

// Active reports whether the hold still stands.
func (h Hold) Active() bool { return h.ReleasedAt == nil }

// overdue reports whether nobody answered the hold in time, and a person was called.
func (h Hold) overdue() bool { return h.Active() && h.OnDeadline != "" && h.Deadline == nil }

func (h Hold) unanswered() cause {
	return cause{AttentionHoldOverdue, "nobody answered the hold " + h.Reason + " in time"}
}

// PlaceHold holds an order, or, with a fulfillment order's id, that one.
func (o *Order) PlaceHold(fulfillmentID string, r HoldRequest, act Act) error {
	if o.Status.Final() {
		return fault.Conflictf("order_"+string(o.Status), "cannot hold the order: it is %s", o.Status)
	}
	f := o.Fulfillment(fulfillmentID)
	switch {
	case fulfillmentID != "" && f == nil:
		return fault.NotFoundf("the order has no such fulfillment order")
	case f != nil && f.Status.Ended():
		return fault.Conflictf("fulfillment_"+string(f.Status), "cannot hold the fulfillment order: it is %s", f.Status)
	}
	if err := r.validate(act); err != nil {
		return err
	}
	h := Hold{FulfillmentID: fulfillmentID, Reason: r.Reason, Detail: r.Detail, Owner: r.Owner, Blocks: r.Blocks,
		Deadline: r.Deadline, OnDeadline: r.OnDeadline}
	if h.Owner == "" {
		h.Owner = OwnerOperator
	}
	if len(h.Blocks) == 0 {
		h.Blocks = []string{BlockCapture, BlockRelease, BlockShip}
	}
	if h.Deadline != nil && h.OnDeadline == "" {
		h.OnDeadline = OnDeadlineAttention
	}
	o.hold(act, h)
	if f != nil && slices.Contains(h.Blocks, BlockRelease) && HoldFulfillment.Allows(f.Status) {
		_ = HoldFulfillment.Take(&f.Status, "fulfillment")
		f.UpdatedAt = act.At
	}
	return nil
}

func (r HoldRequest) validate(act Act) error {
	var wrong fault.Fields
	switch r.Reason {
	case "":
		wrong.Add("/reason", "required", "a hold says why")
	case HoldAwaitingPayment:
		wrong.Add("/reason", "reserved", "only a payment that fails makes an order await one")
	}
	if r.Owner != "" && r.Owner != OwnerCustomer && r.Owner != OwnerOperator {
		wrong.Add("/owner", "unknown_value", "customer or operator")
	}
	for i, b := range r.Blocks {
		if b != BlockCapture && b != BlockRelease && b != BlockShip {
			wrong.Add("/blocks/"+strconv.Itoa(i), "unknown_value", "capture, release or ship")
		}
	}
	if r.Deadline != nil && !r.Deadline.After(act.At) {
		wrong.Add("/deadline", "in_the_past", "a deadline lies in the future")
	}
	switch {
	case r.OnDeadline != "" && r.Deadline == nil:
		wrong.Add("/on_deadline", "no_deadline", "without a deadline nothing happens by itself")
	case r.OnDeadline != "" && r.OnDeadline != OnDeadlineRelease && r.OnDeadline != OnDeadlineCancel && r.OnDeadline != OnDeadlineAttention:
		wrong.Add("/on_deadline", "unknown_value", "release, cancel or attention")
	}
	return wrong.Err()
}

// ReleaseHold takes a hold back, of an order or of a fulfillment order. Releasing it again changes nothing.
func (o *Order) ReleaseHold(fulfillmentID, holdID string, act Act) error {
	for i := range o.Holds {
		h := &o.Holds[i]
		switch {
		case h.ID != holdID || h.FulfillmentID != fulfillmentID:
			continue
		case !h.Active():
			return nil
		case h.Reason == HoldAwaitingPayment:
			return fault.Conflictf("hold_not_releasable", "the order waits for a payment: send another payment token, or cancel the order")
		}
		o.letGoHold(act, h)
		return nil
	}
	return fault.NotFoundf("there is no such hold")
}

func (o *Order) hold(act Act, h Hold) {
	h.ID, h.PlacedAt = act.NewID(id.Hold), act.At
	o.Holds = append(o.Holds, h)
	o.note(act, Event{Type: EventHoldPlaced, FulfillmentID: h.FulfillmentID, Detail: h.Reason + ": " + h.Detail,
		Data: EventData{HoldID: h.ID, Reason: h.Reason}})
}

func (o *Order) letGoHold(act Act, h *Hold) {
	at := act.At
	h.ReleasedAt = &at
	o.note(act, Event{Type: EventHoldReleased, FulfillmentID: h.FulfillmentID, Detail: h.Reason,
		Data: EventData{HoldID: h.ID, Reason: h.Reason}})
	if !slices.ContainsFunc(o.Holds, Hold.overdue) {
		o.clear(act, AttentionHoldOverdue)
	}
	f := o.Fulfillment(h.FulfillmentID)
	if f == nil || f.Status != FulfillmentOnHold || o.blocked(f, BlockRelease) {
		return
	}
	back := ReleaseFulfillment
	if slices.ContainsFunc(f.Lines, func(l FulfillmentLine) bool { return l.Picked+l.Short > 0 }) {
		back = ResumeFulfillment
	}
	_ = back.Take(&f.Status, "fulfillment")
	f.UpdatedAt = act.At
}

// letGoHoldsOf takes the holds back on a fulfillment order that ended.
func (o *Order) letGoHoldsOf(act Act, f *Fulfillment) {
	for i := range o.Holds {
		if h := &o.Holds[i]; h.Active() && h.FulfillmentID == f.ID {
			o.letGoHold(act, h)
		}
	}
}

// activeHold returns the order's standing hold with this reason, or nil.
func (o *Order) activeHold(reason string) *Hold {
	for i := range o.Holds {
		if o.Holds[i].Reason == reason && o.Holds[i].FulfillmentID == "" && o.Holds[i].Active() {
			return &o.Holds[i]
		}
	}
	return nil
}

// Blocked reports whether a standing hold on the whole order blocks this.
func (o *Order) Blocked(what string) bool { return o.blockedIn("", what) }

// blocked reports whether a standing hold on a fulfillment order itself blocks this.
func (o *Order) blocked(f *Fulfillment, what string) bool { return o.blockedIn(f.ID, what) }

func (o *Order) blockedIn(fulfillmentID, what string) bool {
	return slices.ContainsFunc(o.Holds, func(h Hold) bool {
		return h.Active() && h.FulfillmentID == fulfillmentID && slices.Contains(h.Blocks, what)
	})
}

// awaitPayment holds the order until somebody pays. A second refusal does not prolong the grace of the first.
func (o *Order) awaitPayment(act Act, owner, detail string) {
	if h := o.activeHold(HoldAwaitingPayment); h != nil {
		h.Owner, h.Detail = owner, detail
		return
	}
	until := act.At.Add(act.Policy.PaymentGrace)
	o.hold(act, Hold{Reason: HoldAwaitingPayment, Detail: detail, Owner: owner, Deadline: &until, OnDeadline: OnDeadlineExpire,
		Blocks: []string{BlockCapture, BlockRelease, BlockShip}})
}

// releaseHolds takes holds on the order back, and, without reasons, every hold.
func (o *Order) releaseHolds(act Act, reasons ...string) {
	for i := range o.Holds {
		h := &o.Holds[i]
		if h.Active() && (len(reasons) == 0 || h.FulfillmentID == "" && slices.Contains(reasons, h.Reason)) {
			o.letGoHold(act, h)
		}
	}
}

// holdsLapse does what the holds say that nobody answered in time.
func (o *Order) holdsLapse(act Act) {
	for i := range o.Holds {
		h := &o.Holds[i]
		if o.Status.Final() || !h.Active() || h.Deadline == nil || act.At.Before(*h.Deadline) {
			continue
		}
		switch h.OnDeadline {
		case OnDeadlineRelease:
			o.letGoHold(act, h)
		case OnDeadlineCancel:
			o.cancelHeld(act, h)
		case OnDeadlineExpire:
			o.expire(act, h)
		default:
			h.Deadline = nil
			o.call(act, h.unanswered())
		}
	}
}

// cancelHeld cancels what a hold keeps from being shipped. What is leaving at this moment calls for a person.
func (o *Order) cancelHeld(act Act, h *Hold) {
	why := "hold " + h.Reason + " was not answered in time"
	h.Deadline = nil
	if slices.ContainsFunc(o.Shipments, func(s Shipment) bool {
		return s.ShipRequested && (h.FulfillmentID == "" || s.FulfillmentID == h.FulfillmentID)
	}) {
		o.raise(act, AttentionHoldOverdue, why+", and its units are being shipped")
		return
	}
	if f := o.Fulfillment(h.FulfillmentID); f != nil {
		o.letGoHold(act, h)
		if !f.Status.Ended() {
			o.cancelServed(f, why, act)
		}
		return
	}
	if o.stillHere() == nil {
		_ = o.CancelWhole(why, act) // nothing speaks against it: nothing has left, and the order is not final
	} else {
		_ = o.CancelUnits(o.openUnits(), why, act)
	}
	if h.Active() {
		o.letGoHold(act, h)
	}
}

// openUnits are those that have not left.
func (o *Order) openUnits() []UnitsOf {
	var found []UnitsOf
	for _, l := range o.Lines {
		if open := l.Open(); open > 0 {
			found = append(found, UnitsOf{LineID: l.ID, Quantity: open})
		}
	}
	return found
}
