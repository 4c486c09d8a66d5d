package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

// settleRefund goes to the run that performs the refund: that of the return which it is for, or the order's.
func (s *Service) settleRefund(c *gin.Context) error {
	o, err := s.Store.Order(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	r := o.Refund(c.Param("refund_id"))
	if r == nil {
		return notFound("refund")
	}
	reference := Body[client.RefundSettleRequest](c).Reference
	build := func(caller activities.Caller) any {
		return activities.RefundCommand{Caller: caller, RefundID: r.ID, Reference: reference}
	}
	decide := func(o *order.Order) error { return o.SettleRefund(r.ID, reference, s.act(c)) }
	kind, subject := id.Order, o.ID
	if r.ReturnID != "" {
		kind, subject = id.Return, r.ReturnID
	}
	if o, err = s.send(c, kind, subject, workflows.UpdateSettleRefund, build, decide); err != nil {
		return err
	}
	Reply(c, http.StatusOK, renderOrder(o))
	return nil
}
