package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

func (w *world) tryHold(fulfillmentID string, r order.HoldRequest) error {
	w.t.Helper()
	return w.try(func(o *order.Order, act order.Act) error { return o.PlaceHold(fulfillmentID, r, act) })
}

func (w *world) tryRelease(hold int) error {
	w.t.Helper()
	h := w.o.Holds[hold]
	return w.try(func(o *order.Order, act order.Act) error { return o.ReleaseHold(h.FulfillmentID, h.ID, act) })
}

// What is wrong with a hold is said of every field at once.
func TestAHoldThatMakesNoSense(t *testing.T) {
	w := accepted(t, tees(2))
	past, future := w.now, w.now.Add(time.Hour)
	for name, c := range map[string]struct {
		r    order.HoldRequest
		want []string
	}{
		"no reason":          {order.HoldRequest{}, []string{"/reason required"}},
		"a reserved reason":  {order.HoldRequest{Reason: order.HoldAwaitingPayment}, []string{"/reason reserved"}},
		"an unknown owner":   {order.HoldRequest{Reason: "x", Owner: "me"}, []string{"/owner unknown_value"}},
		"an unknown block":   {order.HoldRequest{Reason: "x", Blocks: []string{"ship", "all"}}, []string{"/blocks/1 unknown_value"}},
		"a deadline now":     {order.HoldRequest{Reason: "x", Deadline: &past}, []string{"/deadline in_the_past"}},
		"no deadline":        {order.HoldRequest{Reason: "x", OnDeadline: order.OnDeadlineCancel}, []string{"/on_deadline no_deadline"}},
		"an unknown end":     {order.HoldRequest{Reason: "x", Deadline: &future, OnDeadline: "explode"}, []string{"/on_deadline unknown_value"}},
		"an end for payment": {order.HoldRequest{Reason: "x", Deadline: &future, OnDeadline: order.OnDeadlineExpire}, []string{"/on_deadline unknown_value"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range fault.As(w.tryHold("", c.r)).Fields {
				got = append(got, f.Pointer+" "+f.Code)
			}
			require.Equal(t, c.want, got)
		})
	}
	require.Equal(t, "not_found", code(w.tryHold("ful_x", order.HoldRequest{Reason: "x"})))
	require.NoError(t, w.tryHold("", order.HoldRequest{Reason: "x"}))
	require.Equal(t, order.OwnerOperator, w.o.Holds[0].Owner)
	require.Equal(t, []string{"capture", "release", "ship"}, w.o.Holds[0].Blocks)
	require.NoError(t, w.tryRelease(0))
	was := w.load()
	require.NoError(t, w.tryRelease(0), "releasing it again changes nothing")
	require.Equal(t, was, w.o)
	require.Equal(t, "not_found", code(w.try(func(o *order.Order, act order.Act) error { return o.ReleaseHold("", "hld_x", act) })))
	require.NoError(t, w.cancel())
	require.Equal(t, "order_cancelled", code(w.tryHold("", order.HoldRequest{Reason: "x"})))
}

func TestOnlyAPaymentReleasesTheWaitForOne(t *testing.T) {
	w := place(t, readme())
	w.answers(payment.Authorize, refused("card_declined"))
	require.Equal(t, "hold_not_releasable", code(w.tryRelease(0)))
}

// Each block keeps back exactly its own: money, the warehouse's work, or the carrier.
func TestWhatAHoldBlocks(t *testing.T) {
	packed := func() *world {
		w := accepted(t, tees(2))
		return w.short(0, 2, "").pack(0, w.box(1))
	}
	for _, c := range []struct {
		block                  string
		picks, packs, captures bool
		free                   bool // hands over what costs nothing more
	}{
		{order.BlockCapture, true, true, false, true},
		{order.BlockRelease, false, false, true, true},
		{order.BlockShip, true, true, false, false},
	} {
		for _, of := range []string{"order", "fulfillment"} {
			t.Run(c.block+" of the "+of, func(t *testing.T) {
				hold := func(w *world) string {
					if of == "order" {
						require.NoError(t, w.tryHold("", order.HoldRequest{Reason: "x", Blocks: []string{c.block}}))
						return "order_on_hold"
					}
					require.NoError(t, w.tryHold(w.o.Fulfillments[0].ID, order.HoldRequest{Reason: "x", Blocks: []string{c.block}}))
					require.Equal(t, c.block == order.BlockRelease, w.o.Fulfillments[0].Status == order.FulfillmentOnHold)
					return "fulfillment_on_hold"
				}
				is := func(allowed bool, refusal string, err error) {
					t.Helper()
					if allowed {
						require.NoError(t, err)
					} else {
						require.Equal(t, refusal, code(err))
					}
				}
				w := accepted(t, tees(2))
				is(c.picks, hold(w), w.tryPick(order.UnitsOf{LineID: w.o.Lines[0].ID, Quantity: 2}))
				w = packed()
				refusal := hold(w)
				is(c.packs, refusal, w.tryPack(0, w.box(1)))
				is(c.captures, refusal, w.tryShip(0))
				require.NoError(t, w.tryRelease(0))
				w.ship(0)
				w = prepaid(t, tees(2))
				w.pick(0).pack(0, w.box(2))
				is(c.free, hold(w), w.tryShip(0))
			})
		}
	}
}

func TestAHoldOnAFulfillmentOrder(t *testing.T) {
	w := accepted(t, tees(2))
	f := w.o.Fulfillments[0].ID
	require.NoError(t, w.tryHold(f, order.HoldRequest{Reason: "x"}))
	require.NoError(t, w.tryHold(f, order.HoldRequest{Reason: "y"}))
	require.Equal(t, order.WaitingOperator, w.o.WaitingFor)
	require.Equal(t, "on_hold", w.o.FulfillmentAxis)
	require.NoError(t, w.tryRelease(0))
	require.Equal(t, order.FulfillmentOnHold, w.o.Fulfillments[0].Status, "the other still stands")
	require.NoError(t, w.tryRelease(1))
	require.Equal(t, order.FulfillmentOpen, w.o.Fulfillments[0].Status)
	w.pick(0)
	require.NoError(t, w.tryHold(f, order.HoldRequest{Reason: "z"}))
	require.NoError(t, w.tryRelease(2))
	require.Equal(t, order.FulfillmentInProgress, w.o.Fulfillments[0].Status, "it goes on where it stood")
	w.pack(0, w.box(2)).ship(0)
	w.answers(payment.Capture)
	require.Equal(t, "fulfillment_closed", code(w.tryHold(f, order.HoldRequest{Reason: "x"})))
}

func TestHoldsThatNobodyAnswers(t *testing.T) {
	soon := func(w *world, on string) order.HoldRequest {
		until := w.now.Add(time.Hour)
		return order.HoldRequest{Reason: "address", Deadline: &until, OnDeadline: on}
	}
	t.Run("release", func(t *testing.T) {
		w := accepted(t, tees(2))
		require.NoError(t, w.tryHold("", soon(w, order.OnDeadlineRelease)))
		require.Equal(t, w.now.Add(time.Hour), *w.o.Deadline)
		w.pass(time.Hour).look()
		require.False(t, w.o.Holds[0].Active())
		require.Empty(t, w.o.AttentionCode)
		w.pick(0)
	})
	t.Run("attention, also when nothing is said", func(t *testing.T) {
		w := accepted(t, tees(2))
		require.NoError(t, w.tryHold("", soon(w, "")))
		w.pass(time.Hour).look()
		require.True(t, w.o.Holds[0].Active())
		require.Equal(t, order.AttentionHoldOverdue, w.o.AttentionCode)
	})
	t.Run("cancel of an order of which nothing left", func(t *testing.T) {
		w := accepted(t, tees(2))
		require.NoError(t, w.tryHold("", soon(w, order.OnDeadlineCancel)))
		w.pass(time.Hour).look()
		require.Equal(t, order.Cancelled, w.o.Status)
		w.settle()
		require.True(t, w.o.Settled)
	})
	t.Run("cancel of the rest of an order", func(t *testing.T) {
		w := accepted(t, tees(3))
		w.shipped(w.box(1))
		require.NoError(t, w.tryHold("", soon(w, order.OnDeadlineCancel)))
		w.pass(time.Hour).look()
		require.EqualValues(t, 2, w.o.Lines[0].Cancelled)
		require.Equal(t, order.FulfillmentClosed, w.o.Fulfillments[0].Status)
		require.False(t, w.o.Holds[0].Active())
		require.Equal(t, order.WaitingGateway, w.o.WaitingFor, "the rest of the authorization is let go")
	})
	t.Run("cancel of what is leaving is for a person", func(t *testing.T) {
		w := accepted(t, tees(2))
		w.pick(0).pack(0, w.box(2)).ship(0)
		require.NoError(t, w.tryHold("", soon(w, order.OnDeadlineCancel)))
		w.pass(time.Hour).look()
		require.Equal(t, order.AttentionHoldOverdue, w.o.AttentionCode)
		require.True(t, w.o.Holds[0].Active())
	})
	t.Run("cancel of a fulfillment order takes its own units and no others", func(t *testing.T) {
		p := tees(5)
		p.OnShortage = order.OnShortageBackorder
		w := accepted(t, p, level("nyc", "TEE-M", 2), level("lax", "TEE-M", 1))
		w.pick(0).pack(0, w.box(1))
		require.NoError(t, w.tryHold(w.o.Fulfillments[0].ID, soon(w, order.OnDeadlineCancel)))
		w.pass(time.Hour).look()
		require.Equal(t, order.FulfillmentCancelled, w.o.Fulfillments[0].Status)
		require.Equal(t, order.FulfillmentOpen, w.o.Fulfillments[1].Status)
		require.Equal(t, []order.ShipmentStatus{order.ShipmentCancelled}, statuses(w.o))
		require.Equal(t, []int64{2, 2}, []int64{w.o.Lines[0].Cancelled, w.o.Lines[0].Backordered})
		require.Equal(t, []string{"void_label"}, w.steps())
	})
}

// A hold that comes while the money is being taken keeps the parcel here. Its money is its own: no other parcel is
// sent for it, and when it leaves nothing more is taken.
func TestAHoldThatComesDuringTheCapture(t *testing.T) {
	w := accepted(t, goods(order.PlacedLine{SKU: "A", Quantity: 1, UnitPrice: 1000}, order.PlacedLine{SKU: "B", Quantity: 1, UnitPrice: 900}),
		level("nyc", "A", 1), level("lax", "B", 1))
	w.pick(0).pack(0, w.box(1)).pick(1).pack(1, w.box(0, 1)).ship(0)
	require.NoError(t, w.tryHold(w.o.Fulfillments[0].ID, order.HoldRequest{Reason: "recall"}))
	w.answers(payment.Capture)
	require.Equal(t, []order.ShipmentStatus{order.ShipmentHeld, order.ShipmentLabeled}, statuses(w.o))
	require.Empty(t, w.o.AttentionCode)
	require.Equal(t, "fulfillment_on_hold", code(w.tryShip(0)))
	w.ship(1)
	require.EqualValues(t, 900, w.o.Operation(w.due(payment.Capture)).Amount)
	w.answers(payment.Capture)
	require.NoError(t, w.tryRelease(0))
	w.ship(0)
	require.Empty(t, w.steps())
	require.Equal(t, []order.ShipmentStatus{order.ShipmentShipped, order.ShipmentShipped}, statuses(w.o))
	require.EqualValues(t, 1900, w.o.Payments[0].Captured)
}
