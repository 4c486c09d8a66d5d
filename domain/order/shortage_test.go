package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// uneven is three units that are worth 10.34, 10.33 and 10.33, and shipping for 5.00: 36.00 in all.
func uneven(onShortage string) order.Placement {
	p := readme()
	p.Lines = []order.PlacedLine{{SKU: "TEE", Quantity: 3, UnitPrice: 1000, Tax: 100}}
	p.OnShortage = onShortage
	return footed(p)
}

// prepaid is an order whose payment was captured elsewhere, allocated.
func prepaid(t tb, p order.Placement, levels ...inventory.Grant) *world {
	t.Helper()
	w := place(t, p)
	w.answers(payment.Authorize, func(a *payment.Answer) { a.Captured, a.CaptureBefore = true, time.Time{} })
	return w.allocate(levels...)
}

// refunds lists the amounts that are, or were, given back.
func (w *world) refunds() []int64 {
	list := []int64{}
	for _, r := range w.o.Refunds {
		list = append(list, r.Amount)
	}
	return list
}

func serves(w *world, f int) []span {
	var spans []span
	for _, l := range w.o.Fulfillments[f].Lines {
		spans = append(spans, span{l.FirstUnit, l.Quantity})
	}
	return spans
}

type span struct{ first, quantity int64 }

// What there is ships; the rest waits, with a promise, and gets what arrives: in a fulfillment order of its own.
func TestBackorderAndGrant(t *testing.T) {
	w := accepted(t, uneven(order.OnShortageBackorder), level("nyc", "TEE", 1))
	require.Equal(t, order.DecisionAccept, w.o.Decision)
	require.EqualValues(t, 2, w.o.Lines[0].Backordered)
	require.True(t, w.o.Grantable)
	require.Equal(t, morning.Add(w.policy.BackorderDate), *w.o.PromisedAt)
	require.False(t, w.o.PromiseGiven)
	require.Contains(t, w.types(0), order.EventBackordered)
	require.Equal(t, order.WaitingWarehouse, w.o.WaitingFor)
	w.shipped(w.box(1))
	require.Equal(t, order.WaitingStock, w.o.WaitingFor)
	require.Equal(t, *w.o.PromisedAt, *w.o.WaitingUntil)
	require.EqualValues(t, 1534, w.o.Payments[0].Captured, "the first unit, and the shipping")

	n, woken := len(w.events), w.woken
	w.stock.receive("lax", "TEE", 1, w.now)
	w.grant()
	require.Equal(t, []string{order.EventStockGranted, order.EventFulfillmentOpened}, w.types(n))
	require.Equal(t, woken+1, w.woken, "the run did not ask: it hears of it")
	require.Equal(t, []span{{1, 1}}, serves(w, 1))
	require.EqualValues(t, 1, w.o.Lines[0].Backordered)
	was := w.load()
	w.grant()
	require.Equal(t, was, w.o, "nothing is left to be given")
	w.stock.receive("nyc", "TEE", 5, w.now)
	w.grant()
	require.False(t, w.o.Grantable)
	require.Equal(t, []span{{2, 1}}, serves(w, 2))
	for f := 1; f < 3; f++ {
		w.pick(f).pack(f, w.box(1)).ship(f)
		w.answers(payment.Capture)
	}
	require.EqualValues(t, 3600, w.o.Payments[0].Captured)
	require.Equal(t, "paid", w.o.PaymentAxis)
}

func TestEverythingWaitsForStock(t *testing.T) {
	w := accepted(t, uneven(order.OnShortageBackorder), level("nyc", "TEE", 0))
	require.Equal(t, "scheduled", w.o.FulfillmentAxis)
	require.Equal(t, order.WaitingStock, w.o.WaitingFor)
	require.NoError(t, w.tryHold("", order.HoldRequest{Reason: "fraud_check", Blocks: []string{order.BlockRelease}}))
	require.False(t, w.o.Grantable, "a hold keeps stock from it")
	w.stock.receive("nyc", "TEE", 3, w.now)
	was := w.load()
	w.grant()
	require.Equal(t, was, w.o)
	require.NoError(t, w.tryRelease(0))
	w.grant()
	require.Equal(t, []span{{0, 3}}, serves(w, 0))
}

// A promise that is not kept calls for a person once; the promise itself stays.
func TestABrokenPromise(t *testing.T) {
	p := uneven(order.OnShortageBackorder)
	by := morning.Add(24 * time.Hour)
	p.PromisedAt = &by
	w := accepted(t, p, level("nyc", "TEE", 0))
	require.Equal(t, by, *w.o.Deadline)
	w.pass(24 * time.Hour).look()
	require.Equal(t, order.AttentionBackorderOverdue, w.o.AttentionCode)
	require.True(t, w.o.PromiseBroken)
	require.NoError(t, w.resume())
	w.pass(time.Hour).look()
	require.Empty(t, w.o.AttentionCode, "somebody knows")
	require.Equal(t, by, *w.o.PromisedAt)

	w = accepted(t, p, level("nyc", "TEE", 2))
	w.pass(24 * time.Hour).look()
	require.Equal(t, order.AttentionBackorderOverdue, w.o.AttentionCode)
	require.NoError(t, w.drop(0, 1))
	require.Empty(t, w.o.AttentionCode, "the unit that waited is cancelled")

	w = place(t, p)
	w.answers(payment.Authorize, refused("card_declined"))
	w.pass(w.policy.PaymentGrace - time.Second).look()
	require.False(t, w.o.PromiseBroken, "what was not accepted waits for no stock")
}

func TestPartial(t *testing.T) {
	t.Run("captured when it ships: what is short is never taken", func(t *testing.T) {
		w := accepted(t, uneven(order.OnShortagePartial), level("nyc", "TEE", 2))
		require.EqualValues(t, 1, w.o.Lines[0].Cancelled)
		require.EqualValues(t, 1033, w.o.Lines[0].Credited)
		require.Empty(t, w.o.Refunds)
		w.shipped(w.box(2))
		require.EqualValues(t, 1034+1033+500, w.o.Payments[0].Captured)
		w.settle()
		require.EqualValues(t, 1033, w.o.Payments[0].Voided)
		w.scan(0, shipping.Delivered, time.Hour)
		require.Equal(t, order.Completed, w.o.Status)
		require.Equal(t, []string{"paid", "delivered"}, []string{w.o.PaymentAxis, w.o.FulfillmentAxis})
	})
	t.Run("paid elsewhere: it is given back", func(t *testing.T) {
		w := prepaid(t, uneven(order.OnShortagePartial), level("nyc", "TEE", 2))
		require.Equal(t, []int64{1033}, w.refunds())
		w.settle()
		require.Equal(t, "partially_refunded", w.o.PaymentAxis)
	})
	t.Run("nothing at all is turned away", func(t *testing.T) {
		w := place(t, uneven(order.OnShortagePartial))
		w.answers(payment.Authorize)
		w.allocate(level("nyc", "TEE", 0))
		require.Equal(t, order.Rejected, w.o.Status)
		require.Equal(t, order.DecisionShort, w.o.Decision)
	})
	t.Run("only free goods are left: nobody's hold is kept for them", func(t *testing.T) {
		p := goods(order.PlacedLine{SKU: "TEE", Quantity: 1, UnitPrice: 1000}, order.PlacedLine{SKU: "FLYER", Quantity: 1})
		p.OnShortage = order.OnShortagePartial
		w := accepted(t, p, level("nyc", "FLYER", 1))
		require.Equal(t, []string{"void"}, w.steps())
		w.settle()
		w.shipped2(w.box(0, 1))
		require.Equal(t, []order.ShipmentStatus{order.ShipmentShipped}, statuses(w.o))
	})
}

// shipped2 ships boxes for which nothing is to be captured.
func (w *world) shipped2(boxes ...order.Parcel) *world { return w.pick(0).pack(0, boxes...).ship(0) }

// short lets the picker of a fulfillment order bring so many of what is left of its first line, and say why.
func (w *world) short(f int, found int64, reason string) *world {
	w.t.Helper()
	require.NoError(w.t, w.try(func(o *order.Order, act order.Act) error {
		return o.Pick(o.Fulfillments[f].ID, []order.PickedUnits{{LineID: o.Lines[0].ID, Quantity: found, Reason: reason}}, act)
	}))
	return w
}

// The ladder of a short pick: another location, else it waits, else it is cancelled with its exact money.
func TestShortPick(t *testing.T) {
	t.Run("another location, never the one where it was short", func(t *testing.T) {
		w := accepted(t, uneven(order.OnShortageReject), level("nyc", "TEE", 9))
		w.stock.set(level("lax", "TEE", 1))
		w.short(0, 2, order.ShortCouldNotLocate)
		require.Equal(t, []string{"allocate"}, w.steps())
		require.Equal(t, []string{"nyc"}, keys(w.o.Needs()[0].Except))
		w.allocate()
		require.Equal(t, "lax", w.o.Fulfillments[1].LocationID)
		require.Equal(t, []span{{2, 1}}, serves(w, 1))
		require.Empty(t, w.o.Credits)
		w.pack(0, w.box(2)).ship(0)
		w.answers(payment.Capture)
		require.Equal(t, order.FulfillmentIncomplete, w.o.Fulfillments[0].Status)
		w.pick(1).pack(1, w.box(1)).ship(1)
		w.answers(payment.Capture)
		require.EqualValues(t, 3600, w.o.Payments[0].Captured)
	})
	t.Run("no other location: it waits", func(t *testing.T) {
		w := accepted(t, uneven(order.OnShortageBackorder), level("nyc", "TEE", 9))
		w.short(0, 0, order.ShortStockout)
		require.Equal(t, order.FulfillmentIncomplete, w.o.Fulfillments[0].Status)
		w.allocate()
		require.EqualValues(t, 3, w.o.Lines[0].Backordered)
		require.Equal(t, order.Processing, w.o.Status)
		require.Empty(t, w.steps())
		require.Empty(t, w.o.Credits)
	})
	t.Run("captured when it ships: cancelled, and never taken", func(t *testing.T) {
		w := accepted(t, uneven(order.OnShortageReject), level("nyc", "TEE", 9))
		w.short(0, 1, order.ShortStockout).allocate()
		require.EqualValues(t, 2, w.o.Lines[0].Cancelled)
		require.EqualValues(t, 2066, w.o.Lines[0].Credited)
		require.Empty(t, w.o.Refunds)
		w.pack(0, w.box(1)).ship(0)
		w.answers(payment.Capture)
		require.EqualValues(t, 1534, w.o.Payments[0].Captured)
		require.Equal(t, []string{"void"}, w.steps())
	})
	t.Run("paid elsewhere: cancelled, and given back", func(t *testing.T) {
		w := prepaid(t, uneven(order.OnShortageReject), level("nyc", "TEE", 9))
		w.short(0, 1, order.ShortDamaged).allocate()
		require.Equal(t, []int64{2066}, w.refunds())
		require.Equal(t, order.CreditCancelled, w.o.Refunds[0].Cause)
		require.Equal(t, []order.RefundLine{{LineID: w.o.Lines[0].ID, Quantity: 2, Amount: 2066}}, w.o.Refunds[0].Lines)
	})
	t.Run("all of it: the order is cancelled, shipping and all", func(t *testing.T) {
		w := prepaid(t, uneven(order.OnShortageReject), level("nyc", "TEE", 9))
		w.short(0, 0, order.ShortExpired).allocate()
		require.Equal(t, order.Cancelled, w.o.Status)
		w.settle()
		require.Equal(t, "refunded", w.o.PaymentAxis)
		require.EqualValues(t, 3600, w.o.Payments[0].Refunded)
	})
}

func keys[V any](m map[string]V) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}

// What was not found is off the books; what is there and not fit for sale is damaged.
func TestShortPicksCorrectTheBooks(t *testing.T) {
	for reason, want := range map[string]shelf{
		order.ShortStockout:       {onHand: 7, committed: 1},
		order.ShortCouldNotLocate: {onHand: 7, committed: 1},
		order.ShortDamaged:        {onHand: 9, committed: 1, unavailable: 2, damaged: 2},
		order.ShortExpired:        {onHand: 9, committed: 1, unavailable: 2, damaged: 2},
	} {
		t.Run(reason, func(t *testing.T) {
			w := accepted(t, uneven(order.OnShortageReject), level("nyc", "TEE", 9))
			w.short(0, 1, reason)
			require.Equal(t, want, *w.stock.at("nyc", "TEE"))
			require.Equal(t, []order.ShortPick{{ID: w.o.ShortPicks[0].ID, FulfillmentID: w.o.Fulfillments[0].ID, LineID: w.o.Lines[0].ID, SKU: "TEE",
				LocationID: "nyc", FirstUnit: 1, Quantity: 2, Reason: reason, At: w.now}}, w.o.ShortPicks)
		})
	}
}

func TestAHoldKeepsARemedyWaiting(t *testing.T) {
	w := accepted(t, uneven(order.OnShortageReject), level("nyc", "TEE", 9))
	w.short(0, 2, order.ShortStockout)
	require.NoError(t, w.tryHold("", order.HoldRequest{Reason: "fraud_check"}))
	require.Empty(t, w.steps())
	require.NoError(t, w.tryRelease(0))
	require.Equal(t, []string{"allocate"}, w.steps())
}
