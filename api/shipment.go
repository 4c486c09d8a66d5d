package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

func (s *Service) getShipment(c *gin.Context) error {
	orderID, err := s.Store.OrderOf(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
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
	body, act := Body[client.TrackingRequest](c), s.act(c)
	if body.OccurredAt.After(act.At.Add(clockSkew)) {
		var wrong fault.Fields
		wrong.Add("/occurred_at", "in_the_future", "a scan cannot have happened later than now")
		return wrong.Err()
	}
	orderID, err := s.Store.OrderOf(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	scan := shipping.Scan{Status: shipping.Tracking(body.Status), OccurredAt: body.OccurredAt.UTC().Truncate(time.Microsecond)}
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
