package shipping

import "time"

// Tracking is where a parcel is on its way, in the carriers' common terms.
type Tracking string

const (
	Pending           Tracking = "pending" // handed over, not yet scanned
	PickedUp          Tracking = "picked_up"
	InTransit         Tracking = "in_transit"
	Delayed           Tracking = "delayed"
	OutForDelivery    Tracking = "out_for_delivery"
	ReadyForPickup    Tracking = "ready_for_pickup"
	DeliveryFailed    Tracking = "delivery_failed"
	ReturnToSender    Tracking = "return_to_sender"
	Delivered         Tracking = "delivered"
	Lost              Tracking = "lost"
	TrackingCancelled Tracking = "cancelled"
	Unknown           Tracking = "unknown"
)

// rank orders the states by how far along the way they are. States of one rank follow each other in either
// direction (out for delivery, failed, out again); a lower rank never follows a higher one. Cancelled, of a parcel
// that was handed over, says less than where the parcel ended.
var rank = map[Tracking]int{
	Pending: 0, PickedUp: 1, InTransit: 2, Delayed: 2,
	OutForDelivery: 3, ReadyForPickup: 3, DeliveryFailed: 3,
	TrackingCancelled: 4, ReturnToSender: 5, Lost: 5, Delivered: 6,
}

// Statuses lists every tracking state that a carrier may report.
func Statuses() []Tracking {
	return []Tracking{Pending, PickedUp, InTransit, Delayed, OutForDelivery, ReadyForPickup, DeliveryFailed,
		ReturnToSender, Delivered, Lost, TrackingCancelled, Unknown}
}

// Known reports whether t is one of Statuses.
func (t Tracking) Known() bool {
	_, ok := rank[t]
	return ok || t == Unknown
}

// Advances reports whether a scan moves a parcel that was last seen at t at this time. Unknown moves nothing, nor
// does a word that nobody knows; nothing moves backwards, neither along the way nor, between states of one rank, in
// time; delivered is the end, also for a parcel that was thought lost.
func (t Tracking) Advances(at time.Time, scan Scan) bool {
	if _, known := rank[scan.Status]; !known || scan.Status == t || t == Delivered {
		return false
	}
	if rank[scan.Status] == rank[t] {
		return scan.OccurredAt.After(at)
	}
	return rank[scan.Status] > rank[t]
}

// Exception reports whether somebody has to look at a parcel in this state.
func (t Tracking) Exception() bool {
	return t == Lost || t == ReturnToSender || t == TrackingCancelled
}
