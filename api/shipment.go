package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
)

// listShipments lists parcels, newest first; of those that are stuck the ones that have not moved for the longest.
func (s *Service) listShipments(c *gin.Context) error {
	page, err := PageOf(c)
	if err != nil {
		return err
	}
	q := Params[client.ListShipmentsParams](c)
	f := store.ShipmentFilter{Status: string(value(q.Status)), Tracking: string(value(q.TrackingStatus)), Page: after(page)}
	if q.StuckDays != nil {
		before := s.Now().UTC().Add(-time.Duration(*q.StuckDays) * 24 * time.Hour)
		f.StuckBefore = &before
	}
	found, err := s.Store.Shipments(c.Request.Context(), f)
	if err != nil {
		return err
	}
	answer := client.ShipmentPage{Data: make([]client.Shipment, 0, len(found))}
	for i, p := range found {
		if i == page.Limit {
			last := Position{At: found[i-1].CreatedAt, Key: found[i-1].ID}
			if f.StuckBefore != nil {
				last.At = *found[i-1].TrackingAt
			}
			answer.NextCursor = NextCursor(c, last)
			break
		}
		answer.Data = append(answer.Data, renderShipment(p.OrderID, p.Shipment))
	}
	Reply(c, http.StatusOK, answer)
	return nil
}

func (s *Service) getShipment(c *gin.Context) error {
	orderID, err := s.Store.OrderOf(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	about(c, orderID)
	o, err := s.Store.Order(c.Request.Context(), orderID)
	if err != nil {
		return err
	}
	return replyShipment(c, o)
}

// clockSkew is how far ahead of ours a carrier's clock may be.
const clockSkew = 5 * time.Minute

// recordTracking writes a scan down. Scans are facts: they need no run, which hears of what matters to it.
func (s *Service) recordTracking(c *gin.Context) error {
	act := s.act(c)
	scan, err := scanOf(Body[client.TrackingRequest](c), act.At)
	if err != nil {
		return err
	}
	orderID, err := s.Store.OrderOf(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	about(c, orderID)
	o, err := s.Store.Change(c.Request.Context(), orderID, command(c, "tracking", c.Param("id")), act, func(o *order.Order) error {
		return o.Scanned(c.Param("id"), scan, act)
	})
	if fault.Is(err, "idempotency_key_reused") {
		return s.reusedMeanwhile(c, err)
	}
	if err != nil {
		return err
	}
	return replyShipment(c, o)
}

func replyShipment(c *gin.Context, o *order.Order) error {
	p := o.Shipment(c.Param("id"))
	if p == nil {
		return notFound("shipment")
	}
	Reply(c, http.StatusOK, renderShipment(o.ID, *p))
	return nil
}
