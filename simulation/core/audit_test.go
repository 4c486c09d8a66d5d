package core

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/simulation"
)

// lived is a world to its end, in which every promise held.
func lived(t *testing.T, seed simulation.Seed) *world {
	w := newWorld(simulation.Scope{Seed: seed, Orders: DefaultOrders})
	r, err := w.run(t.Context())
	require.NoError(t, err)
	require.Empty(t, r.Violations)
	return w
}

// one finds an order in worlds that have ended, and the world.
func one(t *testing.T, is func(*order.Order) bool) (*world, *life) {
	for seed := range simulation.Seed(40) {
		w := lived(t, seed+1)
		for _, l := range w.lives {
			if is(l.order()) {
				return w, l
			}
		}
	}
	require.FailNow(t, "there is no such order")
	return nil, nil
}

func shippedOrder(o *order.Order) bool {
	return o.Status == order.Completed && len(o.Shipments) > 0 && o.Shipments[0].Status == order.ShipmentDelivered && o.LatestPayment() != nil && o.LatestPayment().Captured > 0
}

func returnedOrder(o *order.Order) bool {
	return shippedOrder(o) && slices.ContainsFunc(o.Returns, func(r order.Return) bool {
		return r.Status == returns.Closed && len(r.Inspections) > 0 && r.Inspections[0].Amount > 0
	})
}

func partlyCancelled(o *order.Order) bool {
	return shippedOrder(o) && slices.ContainsFunc(o.Credits, func(c order.Credit) bool { return c.Cause == order.CreditCancelled && c.Amount > 0 })
}

// Each rule finds what it is there for: a planted fault in an order that had none.
func TestEachRuleBites(t *testing.T) {
	t.Parallel()
	finalReturn := func(o *order.Order) *order.Return {
		return &o.Returns[slices.IndexFunc(o.Returns, func(r order.Return) bool { return len(r.Inspections) > 0 && r.Inspections[0].Amount > 0 })]
	}
	operation := func(o *order.Order, kind payment.Kind) *order.Operation {
		return &o.Operations[slices.IndexFunc(o.Operations, func(op order.Operation) bool { return op.Kind == string(kind) && op.State == payment.Done })]
	}
	credit := func(o *order.Order) *order.Credit {
		return &o.Credits[slices.IndexFunc(o.Credits, func(c order.Credit) bool { return c.Amount > 0 && c.LineID != "" })]
	}
	captured := func(o *order.Order) *order.Payment {
		return o.Payment(operation(o, payment.Capture).PaymentID)
	}
	paidByParcel := func(o *order.Order) bool {
		return shippedOrder(o) && slices.ContainsFunc(o.Operations, func(op order.Operation) bool { return op.Kind == "capture" && op.State == payment.Done })
	}
	for _, test := range []struct {
		id    string
		of    func(*order.Order) bool
		plant func(*order.Order, *folio)
	}{
		{"V-M1", paidByParcel, func(o *order.Order, _ *folio) { captured(o).Authorized -= captured(o).Captured }},
		{"V-M2", paidByParcel, func(o *order.Order, _ *folio) { captured(o).Refunded = captured(o).Captured + 1 }},
		{"V-M4", paidByParcel, func(o *order.Order, _ *folio) {
			again := *operation(o, payment.Capture)
			again.Key += "/2"
			o.Operations = append(o.Operations, again)
		}},
		{"V-M5", returnedOrder, func(o *order.Order, _ *folio) {
			again := *operation(o, payment.Refund)
			again.Key += "/9"
			o.Operations = append(o.Operations, again)
		}},
		{"V-M6", paidByParcel, func(o *order.Order, _ *folio) { operation(o, payment.Capture).Reference = "another" }},
		{"V-M8", shippedOrder, func(o *order.Order, _ *folio) {
			o.Operations = append(o.Operations, order.Operation{Key: "void/x", Kind: "void", Amount: 1, State: payment.Unsettled, CreatedAt: o.CreatedAt})
		}},
		{"V-M9", paidByParcel, func(o *order.Order, _ *folio) { captured(o).Currency = "EUR" }},
		{"V-M10", paidByParcel, func(o *order.Order, _ *folio) { captured(o).Refunded = captured(o).Captured }},
		{"V-M10", paidByParcel, func(o *order.Order, _ *folio) { o.Shipments[0].Amount++ }},
		{"V-M11", func(o *order.Order) bool { return o.Status == order.Cancelled && o.LatestPayment() != nil }, func(o *order.Order, _ *folio) { o.LatestPayment().Captured++ }},
		{"V-M12", paidByParcel, func(_ *order.Order, f *folio) { f.entries = f.entries[1:] }},
		{"V-M13", partlyCancelled, func(o *order.Order, _ *folio) { credit(o).Amount += 100 * credit(o).Quantity }},
		{"V-M14", shippedOrder, func(o *order.Order, _ *folio) {
			o.Credits = append(o.Credits, order.Credit{ID: "crd_x", Cause: order.CreditLost, LineID: o.Shipments[0].Lines[0].LineID, FirstUnit: o.Shipments[0].Lines[0].FirstUnit, Quantity: 1})
		}},
		{"V-M15", returnedOrder, func(o *order.Order, _ *folio) { o.Refunds[0].Excess++ }},
		{"V-M16", returnedOrder, func(o *order.Order, _ *folio) { o.Refunds[0].Status = order.RefundRefused }},
		{"V-M17", returnedOrder, func(o *order.Order, _ *folio) { o.Refunds[0].Amount += o.Total }},
		{"V-S4", shippedOrder, func(o *order.Order, _ *folio) { o.Allocations[0].Released++ }},
		{"V-S6", shippedOrder, func(o *order.Order, _ *folio) { o.Lines[0].Shipped++ }},
		{"V-S7", shippedOrder, func(o *order.Order, _ *folio) { o.Allocations[0].Consumed-- }},
		{"V-S8", partlyCancelled, func(o *order.Order, _ *folio) { credit(o).Quantity++ }},
		{"V-S9", shippedOrder, func(o *order.Order, _ *folio) { o.Fulfillment(o.Shipments[0].FulfillmentID).Lines[0].Packed++ }},
		{"V-S10", shippedOrder, func(o *order.Order, _ *folio) {
			twin := o.Shipments[0]
			twin.ID += "x"
			o.Shipments = append(o.Shipments, twin)
		}},
		{"V-O3", shippedOrder, func(o *order.Order, _ *folio) { o.Settled, o.WaitingFor = false, order.WaitingStock }},
		{"V-O4", shippedOrder, func(_ *order.Order, f *folio) { f.events = f.events[1:] }},
		{"V-O5", shippedOrder, func(o *order.Order, _ *folio) { o.Status = order.Processing }},
		{"V-O6", shippedOrder, func(o *order.Order, _ *folio) { o.Total++ }},
		{"V-O7", shippedOrder, func(o *order.Order, _ *folio) { o.Holds = append(o.Holds, order.Hold{ID: "hld_x"}) }},
		{"parcel_moved_back", shippedOrder, func(o *order.Order, _ *folio) { o.Shipments[0].TrackingStatus = "in_transit" }},
		{"V-E2", shippedOrder, func(o *order.Order, _ *folio) { o.Sequence++ }},
		{"V-R1", returnedOrder, func(o *order.Order, _ *folio) {
			twin := *finalReturn(o)
			twin.ID += "x"
			o.Returns = append(o.Returns, twin)
		}},
		{"V-R2", returnedOrder, func(o *order.Order, _ *folio) { o.Lines[0].Dismissed++ }},
		{"V-R3", returnedOrder, func(o *order.Order, _ *folio) { finalReturn(o).Inspections[0].Amount *= 100 }},
		{"V-R4", returnedOrder, func(o *order.Order, _ *folio) { finalReturn(o).Lines[0].Inspected-- }},
		{"V-R5", returnedOrder, func(o *order.Order, _ *folio) { finalReturn(o).Settled = false }},
		{"V-R6", returnedOrder, func(o *order.Order, _ *folio) { finalReturn(o).FeeCharged += o.Total }},
	} {
		t.Run(test.id, func(t *testing.T) {
			w, l := one(t, test.of)
			f := l.folio()
			f.order = f.order.Clone()
			test.plant(f.order, f)
			l.judge()
			require.True(t, slices.ContainsFunc(w.violations, func(v simulation.Violation) bool { return v.ID == test.id }), "%v", w.violations)
		})
	}
}

// judge asks every rule about an order, as after a change and as at the end.
func (l *life) judge() {
	o := l.order()
	before := &order.Order{Status: o.Status, Version: o.Version - 1, Shipments: slices.Clone(o.Shipments)}
	for i := range before.Shipments {
		if s := &before.Shipments[i]; s.DeliveredAt != nil {
			s.TrackingStatus = "delivered"
		}
	}
	before.Shipments = before.Shipments[:min(1, len(before.Shipments))]
	l.auditChange(written{before: before, effects: order.Effects{Events: l.folio().events}})
	a := l.audit()
	a.count()
	a.over(l)
	a.letGo()
	a.witnesses()
	l.w.shelves()
}

func TestTheRulesLetAnOrderBeThatIsRight(t *testing.T) {
	t.Parallel()
	w := lived(t, 1)
	for _, l := range w.lives {
		l.judge()
	}
	require.Empty(t, w.violations)
}

func TestTheShelvesAreCounted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		id    string
		plant func(*level)
	}{
		{"V-S2", func(l *level) { l.unavailable++ }},
		{"V-S3", func(l *level) { l.committed++ }},
		{"V-S5", func(l *level) { l.onHand -= 500 }},
	} {
		w := lived(t, 1)
		test.plant(w.books.levels[w.books.places[0]])
		w.shelves()
		require.True(t, slices.ContainsFunc(w.violations, func(v simulation.Violation) bool { return v.ID == test.id }), "%s: %v", test.id, w.violations)
	}
}

// The books refuse what PostgreSQL would.
func TestTheBooksRefuse(t *testing.T) {
	t.Parallel()
	_, l := one(t, returnedOrder)
	for name, plant := range map[string]func(*order.Order){
		"orders_settled_when_final":            func(o *order.Order) { o.Status = order.Processing },
		"orders_shipping_credit_within_charge": func(o *order.Order) { o.ShippingCredited = 1 << 40 },
		"order_lines_units_conserved":          func(o *order.Order) { o.Lines[0].Shipped += 100 },
		"order_lines_refund_within_credit":     func(o *order.Order) { o.Lines[0].Refunded = o.Lines[0].Credited + 1 },
		"payments_captures_within_authorized":  func(o *order.Order) { o.Payments[0].Captured = o.Payments[0].Authorized + 1 },
		"payments_refunds_within_captured":     func(o *order.Order) { o.Payments[0].Refunded = o.Payments[0].Captured + 1 },
		"payments_number_once":                 func(o *order.Order) { o.Payments = append(o.Payments, o.Payments[0]) },
		"operations_pkey":                      func(o *order.Order) { o.Operations = append(o.Operations, o.Operations[0]) },
		"operations_frozen":                    func(o *order.Order) { o.Operations[0].Amount++ },
		"allocations_close_once":               func(o *order.Order) { o.Allocations[0].Released++ },
		"fulfillment_lines_in_order":           func(o *order.Order) { o.Fulfillments[0].Lines[0].Picked = 100 },
		"shipments_handed_over_when_shipped":   func(o *order.Order) { o.Shipments[0].HandedOverAt = nil },
		"return_lines_in_order":                func(o *order.Order) { o.Returns[0].Lines[0].Received = 100 },
		"refunds_settled_when_succeeded":       func(o *order.Order) { o.Refunds[0].SettledAt = nil },
		"refunds_frozen":                       func(o *order.Order) { o.Refunds[0].PaymentID = "another" },
		"credits_frozen":                       func(o *order.Order) { o.Credits[0].At = time.Time{} },
		"orders_frozen":                        func(o *order.Order) { o.Total++ },
	} {
		o := l.order().Clone()
		require.Nil(t, l.w.books.refuse(l.folio(), o, order.Effects{}), name)
		plant(o)
		refused := l.w.books.refuse(l.folio(), o, order.Effects{})
		require.NotNil(t, refused, name)
		require.Equal(t, name, refused.constraint)
	}
	p := l.w.books.places[0]
	for name, wrong := range map[string]level{
		"stock_levels_on_hand_not_negative":       {onHand: -1},
		"stock_levels_committed_not_negative":     {committed: -1},
		"stock_levels_unavailable_not_negative":   {unavailable: -1},
		"stock_levels_committed_within_on_hand":   {onHand: 2, committed: 2, unavailable: 1},
		"stock_levels_damaged_within_unavailable": {onHand: 2, unavailable: 1, damaged: 2},
	} {
		require.Equal(t, name, wrong.refusal(p).constraint)
	}
}

// A gateway that does a key again when it is asked again is found, and made small.
func TestAPlantedBugIsFoundAndMadeSmall(t *testing.T) {
	t.Parallel()
	var forgetful simulation.World = func(ctx context.Context, scope simulation.Scope) (simulation.Result, error) {
		w := newWorld(scope)
		w.gateway.forgetful = true
		return w.run(ctx)
	}
	scope := simulation.Scope{Seed: 1, Orders: 20}
	found, err := forgetful(t.Context(), scope)
	require.NoError(t, err)
	require.True(t, found.Red())
	var told []string
	small := simulation.Shrink(t.Context(), forgetful, scope, 400, func(line string) { told = append(told, line) })
	least, err := forgetful(t.Context(), small)
	require.NoError(t, err)
	require.True(t, least.Red())
	require.Equal(t, 1, least.Orders, "%+v", least)
	require.LessOrEqual(t, len(least.Faults), 3, "%v", least.Faults)
	require.NotEmpty(t, told)
	require.True(t, strings.HasPrefix(small.Command("core"), "waybill simulate --layer core --seed 1 --orders 20 --only "), small.Command("core"))
	healthy, err := Run(t.Context(), small)
	require.NoError(t, err)
	require.False(t, healthy.Red())
}

// What panics is a violation, with where it came from.
func TestAPanicIsAViolation(t *testing.T) {
	t.Parallel()
	w := newWorld(simulation.Scope{Seed: 1, Orders: 3})
	w.in(time.Hour, func() { panic("no such thing") })
	r, err := w.run(t.Context())
	require.NoError(t, err)
	require.Equal(t, "panic", r.Violations[0].ID)
	require.Equal(t, "no such thing", r.Violations[0].Detail)
	require.Contains(t, r.Violations[0].Subject, "core.TestAPanicIsAViolation")
}
