package gatewaytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/shipping"
)

// trackingChecks are about scans: in order, in known terms, and never taken back.
func trackingChecks() []carrierCheck {
	ends := func(journey Journey, end shipping.Tracking, passes ...shipping.Tracking) carrierCheck {
		return carrierCheck{"a parcel that " + string(journey), []Journey{journey}, func(t *testing.T, c counter) {
			journeyEnds(t, c, journey, end, passes...)
		}}
	}
	return []carrierCheck{
		{"a number that was never given out is not found", []Journey{Delivers}, unknownNumberNotFound},
		{"scans are never taken back", []Journey{Delivers}, scansAreKept},
		{"a voided label is cancelled", []Journey{Delivers}, voidedIsCancelled},
		ends(Delivers, shipping.Delivered, shipping.PickedUp, shipping.InTransit),
		ends(ArrivesLate, shipping.Delivered, shipping.Delayed),
		ends(FailsDeliveryOnce, shipping.Delivered, shipping.DeliveryFailed),
		ends(WaitsForPickup, shipping.Delivered, shipping.ReadyForPickup),
		ends(GoesBack, shipping.ReturnToSender),
		ends(GetsLost, shipping.Lost),
	}
}

func unknownNumberNotFound(t *testing.T, c counter) {
	for _, number := range []string{"", "no-such-number"} {
		_, err := c.Carrier.Track(t.Context(), number)
		require.ErrorIs(t, err, shipping.ErrNotFound, "%q", number)
	}
}

// track gives the scans of a parcel, in order and in known terms.
func (c counter) track(t *testing.T, number string) []shipping.Scan {
	t.Helper()
	scans, err := c.Carrier.Track(t.Context(), number)
	require.NoError(t, err)
	for i, scan := range scans {
		require.True(t, scan.Status.Known(), "%q", scan.Status)
		require.False(t, scan.OccurredAt.IsZero())
		if i > 0 {
			require.False(t, scan.OccurredAt.Before(scans[i-1].OccurredAt), "scan %d is older than the one before", i)
		}
	}
	return scans
}

func scansAreKept(t *testing.T, c counter) {
	bought := c.succeeds(t, c.buy(Delivers))
	before := c.track(t, bought.TrackingNumber)
	c.Arrive()
	after := c.track(t, bought.TrackingNumber)
	require.GreaterOrEqual(t, len(after), len(before))
	equal(t, before, after[:len(before)], "the scans that were there")
	equal(t, after, c.track(t, bought.TrackingNumber), "the scans of a parcel that has arrived")
}

func voidedIsCancelled(t *testing.T, c counter) {
	bought := c.succeeds(t, c.buy(Delivers))
	c.succeeds(t, c.void(bought.Reference))
	c.Arrive()
	require.Equal(t, shipping.TrackingCancelled, state(c.track(t, bought.TrackingNumber)))
}

func journeyEnds(t *testing.T, c counter, journey Journey, end shipping.Tracking, passes ...shipping.Tracking) {
	t.Helper()
	bought := c.succeeds(t, c.buy(journey))
	c.Arrive()
	scans := c.track(t, bought.TrackingNumber)
	require.Equal(t, end, state(scans))
	var seen []shipping.Tracking
	for _, scan := range scans {
		seen = append(seen, scan.Status)
	}
	for _, pass := range passes {
		require.Contains(t, seen, pass)
	}
}

// state is where the scans leave a parcel by the rules of the domain.
func state(scans []shipping.Scan) shipping.Tracking {
	at, since := shipping.Pending, time.Time{}
	for _, scan := range scans {
		if at.Advances(since, scan) {
			at, since = scan.Status, scan.OccurredAt
		}
	}
	return at
}
