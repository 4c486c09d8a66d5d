package store

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// A plain order, decision by decision, through the database.
func TestPlainOrder(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 10)
	o := place(t, s, placement("1001"))
	require.Equal(t, order.Received, o.Status)

	change(t, s, o.ID, answer)
	o, err := s.Allocate(t.Context(), o.ID, act())
	require.NoError(t, err)
	require.Equal(t, order.Accepted, o.Status)
	require.Len(t, o.Fulfillments, 1)
	f, line := o.Fulfillments[0], o.Lines[0]

	units := []order.UnitsOf{{LineID: line.ID, Quantity: 2}}
	o = change(t, s, o.ID, func(o *order.Order, a order.Act) error { return o.Pick(f.ID, picked(units), a) })
	require.Equal(t, order.Processing, o.Status)
	change(t, s, o.ID, func(o *order.Order, a order.Act) error {
		return o.Pack(f.ID, []order.Parcel{{WeightGrams: 500, Lines: units}}, a)
	})
	change(t, s, o.ID, answer)
	o = change(t, s, o.ID, func(o *order.Order, a order.Act) error { return o.Ship(f.ID, a) })
	require.Equal(t, order.WaitingGateway, o.WaitingFor)
	o = change(t, s, o.ID, answer)
	require.Equal(t, "shipped", o.FulfillmentAxis)
	require.Equal(t, "paid", o.PaymentAxis)
	require.EqualValues(t, 4828, o.Payments[0].Captured)

	o = change(t, s, o.ID, func(o *order.Order, a order.Act) error {
		return o.Scanned(o.Shipments[0].ID, shipping.Scan{Status: shipping.Delivered, OccurredAt: a.At}, a)
	})
	require.Equal(t, order.Completed, o.Status)
	require.True(t, o.Settled)

	again, err := s.Order(t.Context(), o.ID)
	require.NoError(t, err)
	require.Equal(t, o.Facts(), again.Facts())
	levels, err := s.Levels(t.Context(), LevelFilter{SKU: "TEE-M"})
	require.NoError(t, err)
	require.EqualValues(t, 8, levels[0].OnHand)
	require.EqualValues(t, 0, levels[0].Committed)
}
