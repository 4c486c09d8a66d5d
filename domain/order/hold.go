package order

import (
	"slices"
	"time"

	"github.com/waybill-oms/waybill/domain/id"
)

// What a hold may block.
const (
	BlockCapture = "capture"
	BlockRelease = "release"
	BlockShip    = "ship"
)

// Who is to answer a hold.
const (
	OwnerCustomer = "customer"
	OwnerOperator = "operator"
)

// The reasons for a hold.
const (
	HoldAwaitingPayment   = "awaiting_payment"
	HoldTotalsDiffer      = "totals_differ"
	HoldAddressIncomplete = "address_incomplete"
	HoldChangedElsewhere  = "changed_elsewhere" // shipped, refunded or edited in part where the order came from
	HoldNotShippable      = "not_shippable"     // a line is nothing that stock and parcels could serve
	HoldOutOfStock        = "out_of_stock"      // sold by a channel that could not be told no
)

// Active reports whether the hold still stands.
func (h Hold) Active() bool { return h.ReleasedAt == nil }

func (o *Order) hold(act Act, h Hold) {
	h.ID, h.PlacedAt = act.NewID(id.Hold), act.At
	o.Holds = append(o.Holds, h)
	o.note(act, Event{Type: EventHoldPlaced, Detail: h.Reason + ": " + h.Detail})
}

// activeHold returns the standing hold with this reason, or nil.
func (o *Order) activeHold(reason string) *Hold {
	for i := range o.Holds {
		if o.Holds[i].Reason == reason && o.Holds[i].Active() {
			return &o.Holds[i]
		}
	}
	return nil
}

// Blocked reports whether a standing hold blocks this.
func (o *Order) Blocked(what string) bool {
	return slices.ContainsFunc(o.Holds, func(h Hold) bool { return h.Active() && slices.Contains(h.Blocks, what) })
}

// awaitPayment holds the order until somebody pays. A second refusal does not prolong the grace of the first.
func (o *Order) awaitPayment(act Act, owner, detail string) {
	if h := o.activeHold(HoldAwaitingPayment); h != nil {
		h.Owner, h.Detail = owner, detail
		return
	}
	until := act.At.Add(act.Policy.PaymentGrace)
	o.hold(act, Hold{Reason: HoldAwaitingPayment, Detail: detail, Owner: owner, Deadline: &until,
		Blocks: []string{BlockCapture, BlockRelease, BlockShip}})
}

func (o *Order) releaseHolds(act Act, reasons ...string) {
	for i := range o.Holds {
		h := &o.Holds[i]
		if h.Active() && (len(reasons) == 0 || slices.Contains(reasons, h.Reason)) {
			at := act.At
			h.ReleasedAt = &at
			o.note(act, Event{Type: EventHoldReleased, Detail: h.Reason})
		}
	}
}

// raise calls for a person. The first cause stays until it is cleared.
func (o *Order) raise(act Act, code, detail string) {
	if o.AttentionCode != "" {
		return
	}
	at := act.At
	o.AttentionCode, o.AttentionDetail, o.AttentionSince = code, detail, &at
	o.note(act, Event{Type: EventAttention, Detail: code + ": " + detail})
}

// clear takes the call back; with codes, only when it was for one of them.
func (o *Order) clear(act Act, codes ...string) {
	if o.AttentionCode == "" || len(codes) > 0 && !slices.Contains(codes, o.AttentionCode) {
		return
	}
	o.note(act, Event{Type: EventAttentionCleared, Detail: o.AttentionCode})
	o.AttentionCode, o.AttentionDetail, o.AttentionSince = "", "", nil
}

// The causes of attention.
const (
	AttentionGatewayUnknown    = "gateway_unknown"     // a gateway has left an operation unanswered for too long
	AttentionGatewayMismatch   = "gateway_mismatch"    // a gateway did something other than it was asked
	AttentionGatewayContradict = "gateway_contradicts" // two different terminal answers under one key
	AttentionCaptureRefused    = "capture_refused"     // packed, and the money cannot be had
	AttentionVoidRefused       = "void_refused"        // held money that will not be let go
	AttentionRefundRefused     = "refund_refused"      // captured money that cannot be given back here
	AttentionLabelRefused      = "label_refused"       // the carrier will not carry a parcel
	AttentionLabelVoidRefused  = "label_void_refused"  // a label of a cancelled parcel cannot be voided
	AttentionAuthExpired       = "authorization_expired"
	AttentionPaymentOverdue    = "payment_overdue" // the grace is over and something was shipped already
	AttentionParcelLost        = "parcel_lost"
	AttentionParcelReturning   = "parcel_returning"
	AttentionParcelCancelled   = "parcel_cancelled" // handed over, and the carrier says that it is cancelled
	AttentionStepFailed        = "step_failed"      // a step of the run failed in a way that repeating will not mend
)

// earlier returns the earlier of two times of which either may be nil.
func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}
