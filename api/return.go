package api

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
)

// requestReturn writes the return down, as a scan is: it needs no run, which is started afterwards, by a sweeper if
// not from here. The key's command names the return, so that whoever asks again gets the same one.
func (s *Service) requestReturn(c *gin.Context) error {
	request, act, ctx := returnRequest(c), s.act(c), c.Request.Context()
	cmd := command(c, "request_return", s.NewID(id.Return))
	act.NewID = naming(id.Return, cmd.Subject, act.NewID)
	o, err := s.Store.Change(ctx, c.Param("id"), cmd, act, func(o *order.Order) error {
		_, err := o.RequestReturn(request, act)
		return err
	})
	if fault.Is(err, "idempotency_key_reused") {
		return s.reusedMeanwhile(c, err)
	}
	if err != nil {
		return err
	}
	done, found, err := s.Store.CommandDone(ctx, IdempotencyKey(c))
	if err != nil {
		return err
	}
	if !found || o.Return(done.Subject) == nil {
		return notFound("return")
	}
	if !o.Return(done.Subject).Settled {
		limit, cancel := limited(c, startLimit)
		defer cancel()
		_ = s.Runs.EnsureReturn(limit, o, done.Subject) // whatever went wrong: a sweeper starts what has no run
	}
	c.Header("Location", "/v1/returns/"+done.Subject)
	Reply(c, http.StatusCreated, renderReturn(o, o.Return(done.Subject)))
	return nil
}

// naming is a source of ids that gives one thing a name chosen beforehand.
func naming(prefix, name string, others id.Source) id.Source {
	return func(p string) string {
		if p == prefix {
			return name
		}
		return others(p)
	}
}

// previewReturn asks the decisions themselves, of an order that nobody saves: the request's, and then, as that is
// when the policy says whether the goods have to come at all, the approval's.
func (s *Service) previewReturn(c *gin.Context) error {
	o, err := s.Store.Order(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	auto := o.ReturnPolicy.AutoApprove
	o.ReturnPolicy.AutoApprove = false // what was credited already is in no estimate
	r, err := o.RequestReturn(returnRequest(c), s.act(c))
	if err != nil {
		return err
	}
	answer := renderPreview(o, r)
	if err := o.ApproveReturn(r.ID, false, s.act(c)); err != nil {
		return err
	}
	if r = o.Return(r.ID); r.Returnless { // and without a label there is no fee for one
		answer.Returnless, answer.Estimate.LabelFee = true, 0
		answer.Estimate.Refund = answer.Estimate.Goods - answer.Estimate.RestockingFee
	}
	if auto {
		answer.Status = client.ReturnLifeStatus(r.Status)
	}
	Reply(c, http.StatusOK, answer)
	return nil
}

func returnRequest(c *gin.Context) order.ReturnRequest {
	var r order.ReturnRequest
	for _, l := range Body[client.ReturnRequest](c).Lines {
		r.Lines = append(r.Lines, order.ReturnedUnits{LineID: l.LineID, Quantity: l.Quantity, Reason: returns.Reason(l.Reason)})
	}
	return r
}

func (s *Service) listReturns(c *gin.Context) error {
	page, err := PageOf(c)
	if err != nil {
		return err
	}
	q := Params[client.ListReturnsParams](c)
	found, err := s.Store.Returns(c.Request.Context(), store.ReturnFilter{OrderID: value(q.OrderID),
		Status: string(value(q.Status)), Attention: q.Attention, Page: after(page)})
	if err != nil {
		return err
	}
	answer := client.ReturnPage{Data: make([]client.ReturnSummary, 0, len(found))}
	for i, r := range found {
		if i == page.Limit {
			answer.NextCursor = NextCursor(c, Position{At: found[i-1].CreatedAt, Key: found[i-1].ID})
			break
		}
		answer.Data = append(answer.Data, renderReturnSummary(r))
	}
	Reply(c, http.StatusOK, answer)
	return nil
}

func (s *Service) getReturn(c *gin.Context) error {
	o, err := s.orderOfReturn(c)
	if err != nil {
		return err
	}
	return replyReturn(c, o)
}

// orderOfReturn loads the order of the return that the path names.
func (s *Service) orderOfReturn(c *gin.Context) (*order.Order, error) {
	orderID, err := s.Store.OrderOf(c.Request.Context(), c.Param("id"))
	if fault.Is(err, "not_found") {
		return nil, notFound("return")
	}
	if err != nil {
		return nil, err
	}
	about(c, orderID)
	o, err := s.Store.Order(c.Request.Context(), orderID)
	if err != nil {
		return nil, err
	}
	if o.Return(c.Param("id")) == nil {
		return nil, notFound("return")
	}
	return o, nil
}

func replyReturn(c *gin.Context, o *order.Order) error {
	Reply(c, http.StatusOK, renderReturn(o, o.Return(c.Param("id"))))
	return nil
}

func (s *Service) approveReturn(c *gin.Context) error {
	body := Body[client.ReturnApproveRequest](c)
	return s.commandReturn(c, workflows.UpdateApprove, func(caller activities.Caller) any {
		return activities.ReturnApproval{Caller: caller, Returnless: body.Returnless}
	}, func(o *order.Order) error { return o.ApproveReturn(c.Param("id"), body.Returnless, s.act(c)) })
}

func (s *Service) declineReturn(c *gin.Context) error {
	body := Body[client.ReturnDeclineRequest](c)
	return s.commandReturn(c, workflows.UpdateDecline, func(caller activities.Caller) any {
		return activities.ReturnRefusal{Caller: caller, Reason: body.Reason}
	}, func(o *order.Order) error { return o.DeclineReturn(c.Param("id"), body.Reason, s.act(c)) })
}

func (s *Service) cancelReturn(c *gin.Context) error {
	body := Body[client.ReturnCancelRequest](c)
	return s.commandReturn(c, workflows.UpdateCancel, func(caller activities.Caller) any {
		return activities.ReturnCancellation{Caller: caller, Reason: body.Reason}
	}, func(o *order.Order) error { return o.CancelReturn(c.Param("id"), body.Reason, s.act(c)) })
}

func (s *Service) resumeReturn(c *gin.Context) error {
	return s.commandReturn(c, workflows.UpdateResume, func(caller activities.Caller) any {
		return activities.ResumeCommand{Caller: caller}
	}, func(o *order.Order) error { return o.ResumeReturn(c.Param("id"), s.act(c)) })
}

func (s *Service) receiveReturn(c *gin.Context) error {
	body := Body[client.ReturnReceiveRequest](c)
	if err := s.receivable(c, body); err != nil {
		return err
	}
	items := order.ReceivedItems{LocationID: body.Location, Lines: unitsOf(body.Lines)}
	for _, u := range body.Unexpected {
		items.Unexpected = append(items.Unexpected, order.SKUUnits{SKU: u.SKU, Quantity: u.Quantity})
	}
	return s.commandReturn(c, workflows.UpdateReceive, func(caller activities.Caller) any {
		return activities.ReturnReceipt{Caller: caller, ReceivedItems: items}
	}, func(o *order.Order) error { return o.ReceiveReturn(c.Param("id"), items, s.act(c)) })
}

// receivable refuses what says nothing, and a place that does not exist, which the books alone know.
func (s *Service) receivable(c *gin.Context, body client.ReturnReceiveRequest) error {
	var wrong fault.Fields
	if len(body.Lines)+len(body.Unexpected) == 0 {
		wrong.Add("/lines", "too_few", "name at least one line, or one unexpected item")
	}
	if body.Location != "" {
		_, err := s.Store.Location(c.Request.Context(), body.Location)
		switch {
		case fault.Is(err, "not_found"):
			wrong.Add("/location", "unknown_location", "there is no such location: create it first")
		case err != nil:
			return err
		}
	}
	return wrong.Err()
}

func (s *Service) inspectReturn(c *gin.Context) error {
	var units []order.InspectedUnits
	for _, l := range Body[client.ReturnInspectRequest](c).Lines {
		units = append(units, order.InspectedUnits{LineID: l.LineID, Quantity: l.Quantity, Grade: returns.Grade(l.Grade),
			NoRefund: l.Refund != nil && !*l.Refund})
	}
	return s.commandReturn(c, workflows.UpdateInspect, func(caller activities.Caller) any {
		return activities.ReturnInspection{Caller: caller, Lines: units}
	}, func(o *order.Order) error { return o.InspectReturn(c.Param("id"), units, s.act(c)) })
}

func (s *Service) commandReturn(c *gin.Context, name string, build func(activities.Caller) any, decide func(*order.Order) error) error {
	o, err := s.send(c, id.Return, c.Param("id"), name, build, decide)
	if err != nil {
		return err
	}
	return replyReturn(c, o)
}

// recordReturnTracking writes a scan of the parcel on its way back down.
func (s *Service) recordReturnTracking(c *gin.Context) error {
	act := s.act(c)
	scan, err := scanOf(Body[client.TrackingRequest](c), act.At)
	if err != nil {
		return err
	}
	o, err := s.orderOfReturn(c)
	if err != nil {
		return err
	}
	o, err = s.Store.Change(c.Request.Context(), o.ID, command(c, "return_tracking", c.Param("id")), act, func(o *order.Order) error {
		return o.ReturnScanned(c.Param("id"), scan, act)
	})
	if fault.Is(err, "idempotency_key_reused") {
		return s.reusedMeanwhile(c, err)
	}
	if err != nil {
		return err
	}
	return replyReturn(c, o)
}

// scanOf reads a carrier's scan. Now bounds when it can have happened.
func scanOf(body client.TrackingRequest, now time.Time) (shipping.Scan, error) {
	var wrong fault.Fields
	if body.OccurredAt.After(now.Add(clockSkew)) {
		wrong.Add("/occurred_at", "in_the_future", "a scan cannot have happened later than now")
	}
	if body.OccurredAt.Year() < 2000 {
		wrong.Add("/occurred_at", "out_of_range", "a scan is not from before 2000")
	}
	return shipping.Scan{Status: shipping.Tracking(body.Status), OccurredAt: body.OccurredAt.UTC().Truncate(time.Microsecond)}, wrong.Err()
}
