package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

func TestShipments(t *testing.T) {
	s := open(t)
	stock(t, s, "nyc", "TEE-M", 20)
	var parcels []order.Shipment
	for _, name := range []string{"a", "b", "c"} {
		parcels = append(parcels, shipped(t, s, name).Shipments[0])
	}
	gone := delivered(t, s, "d")
	scanned := shipped(t, s, "e")
	scanned = change(t, s, scanned.ID, func(o *order.Order, a order.Act) error {
		return o.Scanned(o.Shipments[0].ID, shipping.Scan{Status: shipping.InTransit, OccurredAt: a.At}, a)
	})
	drop(t, s, `UPDATE shipments SET tracking_at = now() - interval '5 days' WHERE id IN ('`+parcels[0].ID+`', '`+gone.Shipments[0].ID+`')`,
		`UPDATE shipments SET tracking_at = now() - interval '3 days' WHERE id IN ('`+parcels[1].ID+`')`)
	list := func(f ShipmentFilter) (found []string, rows []ShipmentRow) {
		if f.Page.Limit == 0 {
			f.Page.Limit = 10
		}
		rows, err := s.Shipments(t.Context(), f)
		require.NoError(t, err)
		for _, r := range rows {
			found = append(found, r.ID)
		}
		return found, rows
	}
	everything, _ := list(ShipmentFilter{})
	require.Equal(t, []string{scanned.Shipments[0].ID, gone.Shipments[0].ID, parcels[2].ID, parcels[1].ID, parcels[0].ID}, everything, "newest first")
	arrived, rows := list(ShipmentFilter{Status: string(order.ShipmentDelivered)})
	require.Equal(t, []string{gone.Shipments[0].ID}, arrived)
	o, err := s.Order(t.Context(), gone.ID)
	require.NoError(t, err)
	require.Equal(t, ShipmentRow{OrderID: gone.ID, Shipment: o.Shipments[0]}, rows[0], "whole, as its order has it")
	moving, _ := list(ShipmentFilter{Tracking: string(shipping.InTransit)})
	require.Equal(t, []string{scanned.Shipments[0].ID}, moving)

	since := time.Now().Add(-48 * time.Hour)
	stuck, rows := list(ShipmentFilter{StuckBefore: &since})
	require.Equal(t, []string{parcels[0].ID, parcels[1].ID}, stuck, "those that are to be looked for, oldest first")
	rest, _ := list(ShipmentFilter{StuckBefore: &since, Page: Page{Limit: 1, AfterAt: *rows[0].TrackingAt, AfterID: rows[0].ID}})
	require.Equal(t, []string{parcels[1].ID}, rest)
	next, _ := list(ShipmentFilter{Page: Page{Limit: 1, AfterAt: parcels[2].CreatedAt, AfterID: parcels[2].ID}})
	require.Equal(t, []string{parcels[1].ID}, next)
}
