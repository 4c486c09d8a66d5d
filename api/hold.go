package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

func (s *Service) holdOrder(c *gin.Context) error {
	return s.commandOrderTo(c, http.StatusCreated, workflows.UpdateHold, placeHold(c, ""), s.placedHold(c, ""))
}

func (s *Service) releaseOrderHold(c *gin.Context) error {
	return s.commandOrder(c, workflows.UpdateReleaseHold, releaseHold(c, ""), s.releasedHold(c, ""))
}

func (s *Service) holdFulfillment(c *gin.Context) error {
	o, err := s.commandFulfillment(c, workflows.UpdateHold, placeHold(c, c.Param("id")), s.placedHold(c, c.Param("id")))
	if err != nil {
		return err
	}
	return s.replyFulfillment(c, o, http.StatusCreated)
}

func (s *Service) releaseFulfillmentHold(c *gin.Context) error {
	o, err := s.commandFulfillment(c, workflows.UpdateReleaseHold, releaseHold(c, c.Param("id")), s.releasedHold(c, c.Param("id")))
	if err != nil {
		return err
	}
	return s.replyFulfillment(c, o, http.StatusOK)
}

func placeHold(c *gin.Context, fulfillmentID string) func(activities.Caller) any {
	return func(caller activities.Caller) any {
		return activities.HoldCommand{Caller: caller, FulfillmentID: fulfillmentID, HoldRequest: holdRequest(c)}
	}
}

func (s *Service) placedHold(c *gin.Context, fulfillmentID string) func(*order.Order) error {
	return func(o *order.Order) error { return o.PlaceHold(fulfillmentID, holdRequest(c), s.act(c)) }
}

func releaseHold(c *gin.Context, fulfillmentID string) func(activities.Caller) any {
	return func(caller activities.Caller) any {
		return activities.ReleaseHoldCommand{Caller: caller, FulfillmentID: fulfillmentID, HoldID: c.Param("hold_id")}
	}
}

func (s *Service) releasedHold(c *gin.Context, fulfillmentID string) func(*order.Order) error {
	return func(o *order.Order) error { return o.ReleaseHold(fulfillmentID, c.Param("hold_id"), s.act(c)) }
}

func holdRequest(c *gin.Context) order.HoldRequest {
	body := Body[client.HoldRequest](c)
	h := order.HoldRequest{Reason: body.Reason, Detail: body.Detail, Owner: string(body.Owner),
		Deadline: stored(body.Deadline), OnDeadline: string(body.OnDeadline)}
	for _, b := range body.Blocks {
		h.Blocks = append(h.Blocks, string(b))
	}
	return h
}
