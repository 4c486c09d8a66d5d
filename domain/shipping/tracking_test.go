package shipping_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/shipping"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func scan(status shipping.Tracking, after time.Duration) shipping.Scan {
	return shipping.Scan{Status: status, OccurredAt: noon.Add(after)}
}

func TestAdvances(t *testing.T) {
	const sooner, later = -time.Hour, time.Hour
	for _, c := range []struct {
		at     shipping.Tracking
		next   shipping.Tracking
		when   time.Duration
		moves  bool
		reason string
	}{
		{shipping.Pending, shipping.PickedUp, later, true, "the first scan"},
		{shipping.Pending, shipping.InTransit, sooner, true, "the hand-over was noted late"},
		{shipping.Pending, shipping.Delivered, later, true, "carriers skip scans"},
		{shipping.InTransit, shipping.PickedUp, later, false, "never backwards"},
		{shipping.InTransit, shipping.Delayed, later, true, "the same stretch of the way, later"},
		{shipping.Delayed, shipping.InTransit, later, true, "going on"},
		{shipping.InTransit, shipping.Delayed, sooner, false, "old news"},
		{shipping.OutForDelivery, shipping.DeliveryFailed, later, true, "nobody at home"},
		{shipping.DeliveryFailed, shipping.OutForDelivery, later, true, "out again"},
		{shipping.DeliveryFailed, shipping.ReadyForPickup, later, true, "left at a shop"},
		{shipping.OutForDelivery, shipping.InTransit, later, false, "never backwards"},
		{shipping.DeliveryFailed, shipping.ReturnToSender, later, true, "given up"},
		{shipping.InTransit, shipping.Lost, later, true, "lost"},
		{shipping.Lost, shipping.ReturnToSender, later, true, "found, and sent back"},
		{shipping.Lost, shipping.InTransit, later, false, "a parcel is found when it arrives"},
		{shipping.Lost, shipping.Delivered, sooner, true, "found after all"},
		{shipping.ReturnToSender, shipping.Delivered, later, true, "it reached the customer"},
		{shipping.TrackingCancelled, shipping.Lost, sooner, true, "cancelled says the least of the ends"},
		{shipping.Lost, shipping.TrackingCancelled, later, false, "a lost parcel is not on its way again"},
		{shipping.ReturnToSender, shipping.TrackingCancelled, later, false, "nor is one that turned back"},
		{shipping.InTransit, shipping.InTransit, later, false, "the same again"},
		{shipping.InTransit, shipping.Unknown, later, false, "unknown says nothing"},
		{shipping.Pending, shipping.Unknown, later, false, "unknown says nothing"},
		{shipping.Pending, "teleported", later, false, "a word we do not know says nothing"},
	} {
		t.Run(fmt.Sprintf("%s then %s: %s", c.at, c.next, c.reason), func(t *testing.T) {
			require.Equal(t, c.moves, c.at.Advances(noon, scan(c.next, c.when)))
		})
	}
}

func TestDeliveredIsTheEnd(t *testing.T) {
	for _, s := range shipping.Statuses() {
		require.False(t, shipping.Delivered.Advances(noon, scan(s, time.Hour)), s)
	}
}

func TestEveryStatusIsKnownAndNamedOnce(t *testing.T) {
	seen := map[shipping.Tracking]bool{}
	for _, s := range shipping.Statuses() {
		require.True(t, s.Known(), s)
		require.False(t, seen[s], s)
		seen[s] = true
	}
	require.Len(t, seen, 12)
	require.False(t, shipping.Tracking("teleported").Known())
	require.False(t, shipping.Tracking("").Known())
}

func TestExceptionsCallForSomebody(t *testing.T) {
	exceptional := map[shipping.Tracking]bool{shipping.Lost: true, shipping.ReturnToSender: true, shipping.TrackingCancelled: true}
	for _, s := range shipping.Statuses() {
		require.Equal(t, exceptional[s], s.Exception(), s)
	}
}

// Of any two scans at different times exactly one supersedes the other: only so does the end not depend on which
// of them came first.
func TestAnyTwoScansHaveOneOrder(t *testing.T) {
	for _, x := range shipping.Statuses() {
		for _, y := range shipping.Statuses() {
			for _, gap := range []time.Duration{-time.Second, time.Second} {
				if x == y || x == shipping.Unknown || y == shipping.Unknown {
					continue
				}
				forth := x.Advances(noon, scan(y, gap))
				back := y.Advances(noon.Add(gap), scan(x, 0))
				require.NotEqual(t, forth, back, "%s, and %s %s later", x, y, gap)
			}
		}
	}
}

func TestCountriesAreAllOfISO3166(t *testing.T) {
	count := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if shipping.KnownCountry(string(a) + string(b)) {
				count++
			}
		}
	}
	require.Equal(t, 249, count)
	for _, known := range []string{"US", "DE", "GB", "VN", "XK"} {
		require.Equal(t, known != "XK", shipping.KnownCountry(known), known)
	}
	for _, wrong := range []string{"", "U", "us", "USA", "UK", "EU", "ZZ", " US"} {
		require.False(t, shipping.KnownCountry(wrong), wrong)
	}
}
