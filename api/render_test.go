package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// TestOnlyWhatSettledIsRefunded: the books reserve a refund from the moment it is asked for; nobody is shown money
// that is not back.
func TestOnlyWhatSettledIsRefunded(t *testing.T) {
	at := time.Now()
	lines := func(amount int64) []order.RefundLine {
		return []order.RefundLine{{LineID: "lin_1", Quantity: 1, Amount: amount}}
	}
	o := &order.Order{ID: "ord_1", Currency: "USD", Lines: []order.Line{{ID: "lin_1", Quantity: 3, Credited: 600, Refunded: 600}},
		Refunds: []order.Refund{
			{ID: "rfd_1", Number: 1, Amount: 100, Status: order.RefundSucceeded, SettledAt: &at, ReturnID: "ret_1", Lines: lines(100)},
			{ID: "rfd_2", Number: 2, Amount: 200, Status: order.RefundPending, ReturnID: "ret_2", Lines: lines(200)},
			{ID: "rfd_3", Number: 3, Amount: 300, Status: order.RefundRefused, Lines: lines(300)},
		}}
	shown := renderOrder(o)
	require.EqualValues(t, 100, shown.Lines[0].Refunded)
	require.EqualValues(t, 600, shown.Lines[0].Credited)
	require.Len(t, shown.Refunds, 3)
	require.Equal(t, client.RefundStatusPending, shown.Refunds[1].Status)
	require.Nil(t, shown.Refunds[1].SettledAt)
	require.Nil(t, shown.Refunds[2].ReturnID)
	require.Equal(t, "USD", shown.Refunds[0].Currency)
	of := renderReturn(o, &order.Return{ID: "ret_2"})
	require.Len(t, of.Refunds, 1, "a return shows its own")
	require.Equal(t, "rfd_2", of.Refunds[0].ID)
}

// TestALineIsOneEntry, whatever ranges of its units are where.
func TestALineIsOneEntry(t *testing.T) {
	f := renderFulfillment("ord_1", order.Fulfillment{Lines: []order.FulfillmentLine{
		{LineID: "lin_1", SKU: "A", FirstUnit: 0, Quantity: 3, Cancelled: 1, Picked: 2, Packed: 1, Shipped: 1},
		{LineID: "lin_2", SKU: "B", Quantity: 1},
		{LineID: "lin_1", SKU: "A", FirstUnit: 5, Quantity: 4, Short: 1, Picked: 2, Packed: 1},
	}})
	require.Equal(t, []client.FulfillmentLine{
		{LineID: "lin_1", SKU: "A", Quantity: 7, Cancelled: 1, Short: 1, Picked: 4, Packed: 2, Shipped: 1},
		{LineID: "lin_2", SKU: "B", Quantity: 1},
	}, f.Lines)

	p := renderShipment("ord_1", order.Shipment{Lines: []order.ShipmentLine{{LineID: "lin_1", SKU: "A", Quantity: 1},
		{LineID: "lin_1", SKU: "A", FirstUnit: 4, Quantity: 2}}})
	require.Equal(t, []client.ShipmentLine{{LineID: "lin_1", SKU: "A", Quantity: 3}}, p.Lines)

	back := renderReturnLines(&order.Return{Lines: []order.ReturnLine{
		{LineID: "lin_1", SKU: "A", Quantity: 2, Received: 2, Inspected: 1, Reason: returns.Damaged, ShipmentID: "shp_1"},
		{LineID: "lin_1", SKU: "A", FirstUnit: 4, Quantity: 1, Dismissed: 1, Reason: returns.Damaged, ShipmentID: "shp_2"},
		{LineID: "lin_1", SKU: "A", FirstUnit: 7, Quantity: 1, Reason: returns.Damaged, ShipmentID: "shp_1"}}})
	require.Equal(t, []client.ReturnLine{{LineID: "lin_1", SKU: "A", Quantity: 4, Received: 2, Inspected: 1, Dismissed: 1,
		Reason: client.ReturnedReasonDamaged, Shipments: []client.ID{"shp_1", "shp_2"}}}, back)
}

func TestALabelIsShownOnceThereIsOne(t *testing.T) {
	o, at := &order.Order{}, time.Now()
	r := &order.Return{TrackingStatus: shipping.Pending}
	require.Nil(t, renderReturn(o, r).Label)
	r.Carrier, r.TrackingNumber = "Parcel", "P1"
	require.Equal(t, &client.ReturnLabel{Carrier: "Parcel", TrackingNumber: "P1"}, renderReturn(o, r).Label)
	r.TrackingStatus, r.TrackingAt = shipping.InTransit, &at
	require.Equal(t, client.TrackingStatusInTransit, *renderReturn(o, r).Label.TrackingStatus)
}

// TestTriedLeavesTheOrderAlone: it is asked what a decision would do, and nothing is done.
func TestTriedLeavesTheOrderAlone(t *testing.T) {
	o := &order.Order{ID: "ord_1", Lines: []order.Line{{ID: "lin_1", Quantity: 2}}}
	before, err := json.Marshal(o)
	require.NoError(t, err)
	changes, err := tried(o, func(o *order.Order) error { o.Lines[0].Cancelled, o.Status = 2, order.Cancelled; return nil })
	require.NoError(t, err)
	require.True(t, changes)
	after, err := json.Marshal(o)
	require.NoError(t, err)
	require.JSONEq(t, string(before), string(after))
	changes, err = tried(o, func(*order.Order) error { return nil })
	require.NoError(t, err)
	require.False(t, changes)
	_, err = tried(o, func(*order.Order) error { return errNotFound })
	require.ErrorIs(t, err, errNotFound)
}
