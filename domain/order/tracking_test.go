package order_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// onItsWay is an order whose parcels, one unit each, were handed over.
func onItsWay(t tb, parcels int64) *world {
	t.Helper()
	w := accepted(t, tees(parcels))
	var boxes []order.Parcel
	for range parcels {
		boxes = append(boxes, w.box(1))
	}
	return w.shipped(boxes...)
}

func TestScans(t *testing.T) {
	w := onItsWay(t, 1)
	require.Equal(t, shipping.Pending, w.o.Shipments[0].TrackingStatus)
	require.Nil(t, w.o.Shipments[0].FirstScanAt, "the hand-over is no scan")
	n := len(w.events)
	w.scan(0, shipping.InTransit, 2*time.Hour)
	w.scan(0, shipping.PickedUp, time.Hour)
	require.Equal(t, shipping.InTransit, w.o.Shipments[0].TrackingStatus, "never backwards")
	require.Equal(t, morning.Add(time.Hour), *w.o.Shipments[0].FirstScanAt, "the first that happened, not the first that came")
	w.scan(0, shipping.Unknown, 3*time.Hour).scan(0, shipping.InTransit, 2*time.Hour)
	require.Equal(t, []string{order.EventShipmentMoved}, w.types(n), "only what moves it is an event")
	require.Len(t, w.scans, 4, "every scan is kept")
	require.Equal(t, []bool{true, false, false, false}, []bool{w.scans[0].Moved, w.scans[1].Moved, w.scans[2].Moved, w.scans[3].Moved})
	require.Zero(t, w.woken, "the run hears of what matters to it")
	w.scan(0, shipping.Delivered, 4*time.Hour)
	require.Equal(t, 1, w.woken)
	require.Equal(t, morning.Add(4*time.Hour), *w.o.Shipments[0].DeliveredAt)
	require.Equal(t, order.Completed, w.o.Status)
	w.scan(0, shipping.Lost, 5*time.Hour)
	require.Equal(t, order.ShipmentDelivered, w.o.Shipments[0].Status)
	require.Empty(t, w.o.AttentionCode)
	require.Equal(t, 1, w.woken)
}

func TestScansThatMakeNoSense(t *testing.T) {
	w := accepted(t, readme()).pick(0)
	w.pack(0, w.box(2))
	scan := func(id string) error {
		return w.try(func(o *order.Order, act order.Act) error {
			return o.Scanned(id, shipping.Scan{Status: shipping.Delivered, OccurredAt: w.now}, act)
		})
	}
	require.Equal(t, "not_shipped", code(scan(w.o.Shipments[0].ID)))
	require.Equal(t, "not_found", code(scan("shp_x")))
}

func TestOneOfTwoParcelsIsDelivered(t *testing.T) {
	w := onItsWay(t, 2)
	w.scan(0, shipping.Delivered, time.Hour)
	require.Equal(t, order.Processing, w.o.Status)
	require.Equal(t, "partially_delivered", w.o.FulfillmentAxis)
	require.Equal(t, order.WaitingCarrier, w.o.WaitingFor)
	w.scan(1, shipping.Delivered, time.Hour)
	require.Equal(t, order.Completed, w.o.Status)
	require.Equal(t, "delivered", w.o.FulfillmentAxis)
}

func TestLostThenFound(t *testing.T) {
	w := onItsWay(t, 1)
	w.scan(0, shipping.Lost, 2*time.Hour)
	require.EqualValues(t, 1, w.o.Lines[0].Lost)
	require.Equal(t, order.ShipmentLost, w.o.Shipments[0].Status)
	require.Equal(t, order.AttentionParcelLost, w.o.AttentionCode)
	require.Equal(t, order.WaitingGateway, w.o.WaitingFor, "it is refunded")
	require.Equal(t, order.Completed, w.o.Status, "nothing else is to come")
	require.Equal(t, 1, w.woken)
	w.scan(0, shipping.InTransit, 3*time.Hour)
	require.Equal(t, order.ShipmentLost, w.o.Shipments[0].Status, "a scan on the way finds nothing")
	w.scan(0, shipping.Delivered, time.Hour)
	require.Zero(t, w.o.Lines[0].Lost)
	require.EqualValues(t, 1, w.o.Lines[0].Delivered)
	require.Equal(t, order.AttentionParcelFound, w.o.AttentionCode, "somebody may ask for the money; nobody pays twice")
	w.settle()
	require.True(t, w.o.Settled)
	require.Equal(t, "refunded", w.o.PaymentAxis)
}

func TestLostThenSentBackThenDelivered(t *testing.T) {
	w := onItsWay(t, 1)
	w.scan(0, shipping.Lost, time.Hour).scan(0, shipping.ReturnToSender, 2*time.Hour)
	require.Zero(t, w.o.Lines[0].Lost)
	require.Equal(t, order.ShipmentReturning, w.o.Shipments[0].Status)
	require.Equal(t, order.AttentionParcelReturning, w.o.AttentionCode, "the call says what is so now")
	w.scan(0, shipping.Delivered, 3*time.Hour)
	require.Equal(t, order.Completed, w.o.Status)
}

func TestAnExceptionCallsForSomebody(t *testing.T) {
	for status, attention := range map[shipping.Tracking]string{shipping.Lost: order.AttentionParcelLost,
		shipping.ReturnToSender: order.AttentionParcelReturning, shipping.TrackingCancelled: order.AttentionParcelCancelled} {
		t.Run(string(status), func(t *testing.T) {
			w := onItsWay(t, 1)
			w.scan(0, status, time.Hour)
			require.Equal(t, attention, w.o.AttentionCode)
			require.Equal(t, 1, w.woken)
			w.scan(0, shipping.Delivered, 2*time.Hour)
			if status == shipping.Lost {
				attention = order.AttentionParcelFound
			} else {
				attention = ""
			}
			require.Equal(t, attention, w.o.AttentionCode)
		})
	}
}

// A parcel that arrives does not take back the call for another one that is lost.
func TestOneIsLostAndTheOtherArrives(t *testing.T) {
	w := onItsWay(t, 2)
	w.scan(0, shipping.Lost, time.Hour)
	n := len(w.events)
	w.scan(1, shipping.Delivered, time.Hour)
	require.Equal(t, order.AttentionParcelLost, w.o.AttentionCode)
	require.Equal(t, []string{order.EventShipmentDelivered, order.EventCompleted}, w.types(n))
	w.scan(0, shipping.Delivered, 2*time.Hour)
	require.Equal(t, order.AttentionParcelFound, w.o.AttentionCode)
}

// Of two lost parcels one turns up: the call is now for the other.
func TestTwoAreLostAndOneTurnsUp(t *testing.T) {
	w := onItsWay(t, 2)
	w.scan(0, shipping.Lost, time.Hour).scan(1, shipping.ReturnToSender, time.Hour)
	require.Contains(t, w.o.AttentionDetail, "parcel 1")
	w.scan(0, shipping.ReturnToSender, 2*time.Hour).scan(0, shipping.Delivered, 3*time.Hour)
	require.Equal(t, order.AttentionParcelReturning, w.o.AttentionCode)
	require.Contains(t, w.o.AttentionDetail, "parcel 2")
}

// Somebody has looked: what he knows of is not called out again when something else happens.
func TestALostParcelThatSomebodyKnowsOf(t *testing.T) {
	w := onItsWay(t, 2)
	w.scan(0, shipping.Lost, time.Hour)
	require.NoError(t, w.resume())
	w.scan(1, shipping.Delivered, time.Hour)
	require.Empty(t, w.o.AttentionCode)
	require.NoError(t, w.resume(), "there is still a refund to be made")
	w.settle()
	require.Empty(t, w.o.AttentionCode, "who knows of it knows of it, however often he resumes")
	require.True(t, w.o.Settled)
}

// Two scans of two parcels in one decision: the one that matters is not forgotten for the one that does not.
func TestTheRunHearsOfOneOfManyScans(t *testing.T) {
	w := onItsWay(t, 2)
	w.do(func(o *order.Order, act order.Act) {
		require.NoError(w.t, o.Scanned(o.Shipments[0].ID, shipping.Scan{Status: shipping.Delivered, OccurredAt: w.now}, act))
		require.NoError(w.t, o.Scanned(o.Shipments[1].ID, shipping.Scan{Status: shipping.InTransit, OccurredAt: w.now}, act))
	})
	require.Equal(t, 1, w.woken)
}

// ended is all of an order's end that must not depend on the order in which scans came.
func ended(o *order.Order) string {
	var b strings.Builder
	fmt.Fprintln(&b, o.Status, o.FulfillmentAxis)
	if o.AttentionCode != "" && o.AttentionCode != order.AttentionParcelFound { // which depends on what came first
		fmt.Fprintln(&b, o.AttentionCode, o.AttentionDetail)
	}
	for _, l := range o.Lines {
		fmt.Fprintln(&b, l.Open(), l.Shipped, l.Delivered, l.Lost, l.Undelivered, l.ReturnRequested)
	}
	for _, s := range o.Shipments {
		fmt.Fprintln(&b, s.Status, s.TrackingStatus, s.TrackingAt, s.FirstScanAt, s.DeliveredAt)
	}
	return b.String()
}

// scansOf lists up to six scans of one parcel, at distinct times unless one is there twice.
var scansOf = rapid.Custom(func(t *rapid.T) []shipping.Scan {
	n := rapid.IntRange(1, 6).Draw(t, "scans")
	hours := rapid.Permutation([]int{1, 2, 3, 4, 5, 6}).Draw(t, "hours")
	var list []shipping.Scan
	for i := range n {
		if i > 0 && rapid.IntRange(0, 5).Draw(t, "again") == 0 {
			list = append(list, list[rapid.IntRange(0, i-1).Draw(t, "which")])
			continue
		}
		list = append(list, shipping.Scan{Status: rapid.SampledFrom(shipping.Statuses()).Draw(t, "status"),
			OccurredAt: morning.Add(time.Duration(hours[i]) * time.Hour)})
	}
	return list
})

// Late, twice, in any order: the same scans have the same end.
func TestScansInAnyOrderHaveOneEnd(t *testing.T) {
	start := onItsWay(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		scans := scansOf.Draw(t, "scans")
		var first string
		permute(scans, func(came []shipping.Scan) {
			o := *start.o
			o.Lines, o.Shipments, o.Payments = slices.Clone(o.Lines), slices.Clone(o.Shipments), slices.Clone(o.Payments)
			for _, s := range came {
				require.NoError(t, o.Scanned(o.Shipments[0].ID, s, start.act()))
			}
			o.Project(start.act())
			if first == "" {
				first = ended(&o)
			}
			require.Equal(t, first, ended(&o), "%v", came)
			require.LessOrEqual(t, len(o.Refunds), 1, "whatever is said of it, it is paid back once")
		})
	})
}

// permute calls f with every order of the list.
func permute[T any](list []T, f func([]T)) {
	var walk func(n int)
	walk = func(n int) {
		if n == len(list) {
			f(list)
			return
		}
		for i := n; i < len(list); i++ {
			list[n], list[i] = list[i], list[n]
			walk(n + 1)
			list[n], list[i] = list[i], list[n]
		}
	}
	walk(0)
}
