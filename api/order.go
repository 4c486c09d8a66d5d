package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
)

// placeOrder waits for its turn, stores the order, then asks its run for the decision. From the moment it is stored
// nothing loses it.
func (s *Service) placeOrder(c *gin.Context) error {
	p := placement(Body[client.OrderRequest](c)).Normalize()
	if err := p.Validate(s.Gateways...); err != nil {
		return err
	}
	deciding, cancel := limited(c, placeLimit)
	defer cancel()
	leave, err := s.placings.take(deciding)
	if err != nil {
		return err
	}
	defer func() { leave() }()
	o, fresh, err := s.Store.Place(c.Request.Context(), p, s.NewID(id.Order), IdempotencyKey(c), s.act(c))
	if err != nil {
		return err
	}
	about(c, o.ID)
	status := http.StatusCreated
	if !fresh {
		if status, err = compare(o, p, IdempotencyKey(c)); err != nil {
			return err
		}
	}
	if o.Decision == order.Undecided && !o.Status.Final() {
		o, leave = s.decided(deciding, o, fresh, leave), func() {}
	}
	return answerPlacing(c, o, status)
}

// compare tells a repeated request from another one that happens to use its names.
func compare(o *order.Order, p order.Placement, key string) (status int, err error) {
	placed := o.Placement()
	placed.PromisedAt = stored(placed.PromisedAt) // in UTC, whatever the database's session is in
	then, now := mustMarshal(placed), mustMarshal(p)
	differing := differences(then, now)
	switch {
	case o.IdempotencyKey == key && len(differing) > 0:
		return 0, reused(then, now)
	case o.IdempotencyKey == key:
		return http.StatusCreated, nil
	case len(differing) > 0:
		f := fault.Conflictf("external_id_taken", "another order of this channel has this external_id")
		f.OrderID = o.ID
		for _, pointer := range differing {
			f.Fields = append(f.Fields, fault.Field{Pointer: pointer, Code: "differs", Detail: "differs from the order that has this external_id"})
		}
		return 0, f
	}
	return http.StatusOK, nil
}

// decided waits for the order's decision for as long as ctx allows. Without one the order is what it was: stored. One
// that could not be started is left to the relay, the first time that it is asked for: whatever goes wrong here, a
// sweeper starts what has no run. The turn is kept while the order is worked on, also when nobody waits any more:
// otherwise the slower decisions are, the more would be begun. When Temporal has not answered anybody for a whole round
// of turns, orders are only stored, and each waits no longer than it takes to see whether that is over.
func (s *Service) decided(ctx context.Context, o *order.Order, fresh bool, leave func()) *order.Order {
	if s.unheard.Load() >= placingsMax {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, askLimit)
		defer cancel()
	}
	working, stop := context.WithTimeout(context.WithoutCancel(ctx), workLimit)
	answered := make(chan error, 1)
	go func() {
		defer leave()
		defer stop()
		_, err := s.Runs.Place(working, o)
		answered <- err
	}()
	var failed error
	select {
	case failed = <-answered:
	case <-ctx.Done():
		failed = ctx.Err()
	}
	ctx = context.WithoutCancel(ctx)
	if failed == nil {
		s.unheard.Store(0)
	} else {
		asking, cancel := context.WithTimeout(ctx, askLimit)
		defer cancel()
		running, err := s.Runs.Running(asking, o.ID)
		if err != nil {
			s.unheard.Add(1)
			stop() // what is not heard needs no turn
		} else {
			s.unheard.Store(0)
		}
		if fresh && !running {
			_ = s.Store.LeaveToRelay(ctx, o.ID, s.Now())
		}
	}
	now, err := s.Store.Order(ctx, o.ID)
	if err != nil {
		return o
	}
	return now
}

// answerPlacing answers what was decided then, also when the order has gone on since.
func answerPlacing(c *gin.Context, o *order.Order, status int) error {
	switch o.Decision {
	case order.DecisionShort:
		f := fault.Conflictf("out_of_stock", "%d of %d lines are short: nothing was held", len(o.Shortages), len(o.Lines))
		f.OrderID, f.Shortages = o.ID, o.Shortages
		return f
	case order.DecisionDecline, order.DecisionAction:
		return unpaid(o, &o.Payments[0])
	case order.Undecided:
		if !o.Status.Final() {
			status = http.StatusAccepted
		}
	}
	Reply(c, status, renderOrder(o))
	return nil
}

// unpaid is the problem of a payment that did not work.
func unpaid(o *order.Order, p *order.Payment) error {
	f := fault.New(fault.Payment, "payment_declined", "the payment was declined; the order waits for another one")
	if p.RefusalCode != "" {
		f.Code = p.RefusalCode
	}
	if p.Status == order.PaymentActionRequired {
		f.Code, f.Detail = "action_required", "the bank wants the customer to confirm the payment; the order waits"
		f.NextAction = &fault.NextAction{Type: "redirect", URL: p.NextURL}
	}
	f.OrderID = o.ID
	return f
}

func (s *Service) getOrder(c *gin.Context) error {
	o, err := s.Store.Order(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	Reply(c, http.StatusOK, renderOrder(o))
	return nil
}

func (s *Service) listOrders(c *gin.Context) error {
	page, err := PageOf(c)
	if err != nil {
		return err
	}
	q := Params[client.ListOrdersParams](c)
	f := store.OrderFilter{Status: string(value(q.Status)), Channel: value(q.Channel), ExternalID: value(q.ExternalID),
		Customer: value(q.Customer), SKU: value(q.SKU), WaitingFor: string(value(q.WaitingFor)), Attention: q.Attention,
		Query: value(q.Q), CreatedFrom: value(q.CreatedFrom), CreatedBefore: value(q.CreatedBefore), Page: after(page)}
	found, err := s.Store.Orders(c.Request.Context(), f)
	if err != nil {
		return err
	}
	answer := client.OrderPage{Data: make([]client.OrderSummary, 0, len(found))}
	for i, o := range found {
		if i == page.Limit {
			answer.NextCursor = NextCursor(c, Position{At: found[i-1].CreatedAt, Key: found[i-1].ID})
			break
		}
		answer.Data = append(answer.Data, renderSummary(o))
	}
	Reply(c, http.StatusOK, answer)
	return nil
}

// after asks the store for one row more than the page has: it tells whether there is another page.
func after(p Page) store.Page {
	page := store.Page{Limit: p.Limit + 1}
	if p.After != nil {
		page.AfterAt, page.AfterID = p.After.At, p.After.Key
	}
	return page
}

func (s *Service) getOrderTimeline(c *gin.Context) error {
	page, err := PageOf(c)
	if err != nil {
		return err
	}
	if _, err := s.Store.Order(c.Request.Context(), c.Param("id")); err != nil {
		return err
	}
	var from int64
	if page.After != nil {
		from, _ = strconv.ParseInt(page.After.Key, 10, 64)
	}
	events, err := s.Store.Timeline(c.Request.Context(), c.Param("id"), from, page.Limit+1)
	if err != nil {
		return err
	}
	answer := client.TimelinePage{Data: make([]client.TimelineEntry, 0, len(events))}
	for i, e := range events {
		if i == page.Limit {
			answer.NextCursor = NextCursor(c, Position{Key: strconv.FormatInt(events[i-1].Sequence, 10)})
			break
		}
		answer.Data = append(answer.Data, renderEvent(e))
	}
	Reply(c, http.StatusOK, answer)
	return nil
}

// getOrderProgress asks the run. When there is none, the books answer.
func (s *Service) getOrderProgress(c *gin.Context) error {
	o, err := s.Store.Order(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	answer := client.Progress{OrderID: o.ID, WorkflowID: workflows.WorkflowID(o.ID), Status: client.OrderStatus(o.Status),
		WaitingFor: waitingFor(o.WaitingFor), WaitingUntil: o.WaitingUntil, Steps: []client.Step{}}
	ctx, cancel := limited(c, progressLimit)
	defer cancel()
	running, err := s.Runs.Running(ctx, o.ID)
	if err != nil {
		return fault.New(fault.Unavailable, "temporal_unavailable", "Temporal does not answer in time: ask again")
	}
	if !running {
		Reply(c, http.StatusOK, answer)
		return nil
	}
	p, execution, err := s.Runs.Progress(ctx, o.ID)
	if err != nil {
		return fault.New(fault.Unavailable, "run_unavailable", "no worker answers for the run in time: ask again")
	}
	answer.Running, answer.RunID, answer.NextTimer = true, optional(execution.GetRunId()), p.NextTimer
	answer.Status, answer.WaitingFor, answer.WaitingUntil = client.OrderStatus(p.Facts.Status), waitingFor(p.Facts.WaitingFor), p.Facts.WaitingUntil
	for _, step := range p.Steps {
		answer.Steps = append(answer.Steps, client.Step{Name: step.Name, Subject: step.Key, Since: step.Since})
	}
	Reply(c, http.StatusOK, answer)
	return nil
}

func (s *Service) cancelOrder(c *gin.Context) error {
	body := Body[client.CancelRequest](c)
	if err := eachOnce(body.Lines); err != nil {
		return err
	}
	lines := unitsOf(body.Lines)
	return s.commandOrder(c, workflows.UpdateCancel, func(caller activities.Caller) any {
		return activities.CancelCommand{Caller: caller, Reason: body.Reason, Lines: lines}
	}, func(o *order.Order) error {
		if len(lines) > 0 {
			return o.CancelUnits(lines, body.Reason, s.act(c))
		}
		return o.CancelWhole(body.Reason, s.act(c))
	})
}

// eachOnce refuses a line that is named twice: of which of the two numbers is meant there is no telling.
func eachOnce(lines []client.LineQuantity) error {
	var wrong fault.Fields
	seen := map[string]bool{}
	for i, l := range lines {
		if seen[l.LineID] {
			wrong.Add("/lines/"+strconv.Itoa(i)+"/line_id", "duplicate", "a line is named once")
		}
		seen[l.LineID] = true
	}
	return wrong.Err()
}

func (s *Service) resumeOrder(c *gin.Context) error {
	return s.commandOrder(c, workflows.UpdateResume, func(caller activities.Caller) any {
		return activities.ResumeCommand{Caller: caller}
	}, func(o *order.Order) error { return o.Resume(s.act(c)) })
}

func (s *Service) commandOrder(c *gin.Context, name string, build func(activities.Caller) any, decide func(*order.Order) error) error {
	return s.commandOrderTo(c, http.StatusOK, name, build, decide)
}

func (s *Service) commandOrderTo(c *gin.Context, status int, name string, build func(activities.Caller) any, decide func(*order.Order) error) error {
	o, err := s.send(c, id.Order, c.Param("id"), name, build, decide)
	if err != nil {
		return err
	}
	Reply(c, status, renderOrder(o))
	return nil
}

// stored is a time as the database keeps it, so that what is read equals what was sent.
func stored(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	at := t.UTC().Truncate(time.Microsecond)
	return &at
}

// payOrder tries another payment. Its answer is what became of it.
func (s *Service) payOrder(c *gin.Context) error {
	body := Body[client.PaymentRequest](c)
	if err := knownGateway(body.Gateway, s.Gateways); err != nil {
		return err
	}
	o, err := s.send(c, id.Order, c.Param("id"), workflows.UpdatePayment, func(caller activities.Caller) any {
		return activities.PaymentCommand{Caller: caller, Gateway: body.Gateway, Token: body.Token}
	}, func(o *order.Order) error { return o.NewToken(body.Gateway, body.Token, s.act(c)) })
	if err != nil {
		return err
	}
	p := o.LatestPayment()
	switch {
	case p.Status == order.PaymentPending:
		return &fault.Fault{Kind: fault.Unavailable, Code: "outcome_unknown", OrderID: o.ID,
			Detail: "the gateway has not answered yet: send the same request again, with the same Idempotency-Key"}
	case p.Status != order.PaymentAuthorized || p.Unwanted && !o.Status.Final():
		return unpaid(o, p)
	}
	Reply(c, http.StatusOK, renderOrder(o))
	return nil
}

func knownGateway(name string, known []string) error {
	for _, g := range known {
		if g == name {
			return nil
		}
	}
	var wrong fault.Fields
	wrong.Add("/gateway", "unknown_gateway", "no such payment gateway is configured")
	return wrong.Err()
}

// placement reads the request's body.
func placement(b client.OrderRequest) order.Placement {
	p := order.Placement{
		ExternalID: b.ExternalID, Channel: b.Channel, Currency: b.Currency, PricesIncludeTax: b.PricesIncludeTax,
		Test: b.Test, OnShortage: string(b.OnShortage), Priority: b.Priority, PromisedAt: stored(b.PromisedAt),
		Customer: order.Customer{ID: b.Customer.ID, Name: b.Customer.Name, Email: b.Customer.Email},
		ShipTo: shipping.Address{Name: b.ShipTo.Name, Line1: b.ShipTo.Line1, Line2: b.ShipTo.Line2, City: b.ShipTo.City,
			Region: b.ShipTo.Region, PostalCode: b.ShipTo.PostalCode, Country: b.ShipTo.Country},
		Shipping: order.PlacedShipping{Service: b.Shipping.Service, Amount: b.Shipping.Amount, Tax: b.Shipping.Tax},
		Discount: b.Discount, Payment: order.PlacedPayment{Gateway: b.Payment.Gateway, Token: b.Payment.Token}, Total: b.Total,
	}
	for _, l := range b.Lines {
		p.Lines = append(p.Lines, order.PlacedLine{ExternalID: l.ExternalID, SKU: l.SKU, Quantity: l.Quantity,
			UnitPrice: l.UnitPrice, Discount: l.Discount, Tax: l.Tax, FinalSale: l.FinalSale})
	}
	return p
}
