package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// step is one thing that somebody does, and what has to come of it.
type step func(context.Context, *play) error

// want is something about an order before it is placed.
type want func(*play)

// of makes the order one of so many units of one good, so many of another …
func of(units ...int64) want { return func(p *play) { p.units = units } }

// scarce makes the order one of a good of its own, of which each warehouse has so many.
func scarce(units int64, stock ...int64) want {
	return func(p *play) { p.units, p.stock = []int64{units}, append([]int64{}, stock...) }
}

func paying(token string) want { return func(p *play) { p.request.Payment.Token = token } }

func shippedTo(postal string) want { return func(p *play) { p.request.ShipTo.PostalCode = postal } }

func onShortage(what client.OnShortage) want { return func(p *play) { p.request.OnShortage = what } }

// shippingPaid is for scenarios whose end depends on it.
func shippingPaid(p *play) { p.request.Shipping.Amount = max(p.request.Shipping.Amount, 490) }

func nothingToPay(p *play) { p.free = true }

// checkout sends the order, and says what the checkout is answered.
func (p *play) checkout(ctx context.Context) error {
	for i, units := range p.stock {
		if err := p.arrive(ctx, i, units); err != nil {
			return err
		}
	}
	err := p.askForDecision(ctx)
	if err == nil {
		return nil
	}
	var refused *client.Error
	if errors.As(err, &refused) && refused.OrderID != "" {
		if loading := p.load(ctx, refused.OrderID); loading != nil {
			return loading
		}
	}
	return err
}

// askForDecision sends the order, and again while it is stored and not decided: the same request is answered with the
// decision once there is one.
func (p *play) askForDecision(ctx context.Context) error {
	params := &client.PlaceOrderParams{IdempotencyKey: p.key("place")}
	for began := time.Now(); ; {
		r, err := p.API.PlaceOrderWithResponse(ctx, params, p.request)
		if err != nil {
			return err
		}
		if p.order, err = only(r.JSON201, r.JSON202, r.JSON200); err != nil || r.JSON202 == nil || time.Since(began) > p.Patience {
			return err
		}
		if err := client.Pause(ctx, pauseMin); err != nil {
			return err
		}
	}
}

// place is a checkout that works, if not always at once.
func place(ctx context.Context, p *play) error {
	if err := p.checkout(ctx); err != nil {
		return err
	}
	return p.until(ctx, "an accepted order", func() bool { return p.order.Status != client.OrderStatusReceived })
}

// turnedAway is a checkout that hears why not. The order is kept all the same.
func turnedAway(code string) step {
	return func(ctx context.Context, p *play) error { return refusal(code, p.checkout(ctx)) }
}

// pay sends the next token.
func pay(token string) step {
	return func(ctx context.Context, p *play) error {
		_, err := p.API.PayOrderWithResponse(ctx, p.order.ID, &client.PayOrderParams{IdempotencyKey: p.key("pay")},
			client.PaymentRequest{Gateway: "sandbox", Token: token})
		if err != nil {
			return err
		}
		return p.until(ctx, "an order that is paid for", func() bool {
			newest := p.order.Payments[len(p.order.Payments)-1]
			return newest.Status == client.PaymentAttemptStatusAuthorized && p.order.Status != client.OrderStatusReceived
		})
	}
}

// arrive books units of the order's own good at a warehouse.
func (p *play) arrive(ctx context.Context, warehouse int, units int64) error {
	if units == 0 {
		return nil
	}
	return p.receive(ctx, p.key("receive"), warehouse, client.ReceiptLine{SKU: p.ownSKU(), Quantity: units})
}

// stockArrives brings what the order waits for, and waits until it has it.
func stockArrives(warehouse int, units int64) step {
	return func(ctx context.Context, p *play) error {
		if err := p.arrive(ctx, warehouse, units); err != nil {
			return err
		}
		return p.until(ctx, "an order that has its stock", func() bool {
			return count(p.order, backordered) == 0 && len(p.work()) > 0
		})
	}
}

// cancel cancels whatever is left of the order.
func cancel(ctx context.Context, p *play) error {
	return p.cancel(ctx, client.CancelRequest{Reason: "The customer changed his mind."})
}

// cancelUnits cancels some units of the order's first line.
func cancelUnits(units int64) step {
	return func(ctx context.Context, p *play) error {
		return p.cancel(ctx, client.CancelRequest{Reason: "The customer needs fewer.",
			Lines: []client.LineQuantity{{LineID: p.order.Lines[0].ID, Quantity: units}}})
	}
}

// cancelLine cancels all of the order's last line.
func cancelLine(ctx context.Context, p *play) error {
	l := p.order.Lines[len(p.order.Lines)-1]
	return p.cancel(ctx, client.CancelRequest{Reason: "Ordered twice.", Lines: []client.LineQuantity{{LineID: l.ID, Quantity: l.Quantity}}})
}

// cancelTooLate hears that a carrier has it.
func cancelTooLate(ctx context.Context, p *play) error {
	return refusal("already_shipped", p.cancel(ctx, client.CancelRequest{Reason: "The customer changed his mind."}))
}

func (p *play) cancel(ctx context.Context, request client.CancelRequest) error {
	r, err := p.API.CancelOrderWithResponse(ctx, p.order.ID, &client.CancelOrderParams{IdempotencyKey: p.key("cancel")}, request)
	if err != nil {
		return err
	}
	p.order, err = only(r.JSON200)
	return err
}

// hold stops the order.
func hold(request client.HoldRequest) step {
	return func(ctx context.Context, p *play) error {
		r, err := p.API.HoldOrderWithResponse(ctx, p.order.ID, &client.HoldOrderParams{IdempotencyKey: p.key("hold")}, request)
		if err != nil {
			return err
		}
		p.order, err = only(r.JSON201)
		return err
	}
}

// unansweredFor is how long the demo waits for somebody who is not going to answer.
const unansweredFor = 5 * time.Second

// holdUntilCancelled stops the order until nobody has answered in time. Where it takes so long to be heard that the time
// is over, another is set.
func holdUntilCancelled(ctx context.Context, p *play) error {
	for began := time.Now(); ; {
		by := time.Now().Add(unansweredFor).UTC()
		err := hold(client.HoldRequest{Reason: "fraud_review", Detail: "The card and the address are of two countries.",
			Deadline: &by, OnDeadline: client.HoldRequestOnDeadlineCancel})(ctx, p)
		if client.CodeOf(err) != "invalid_fields" || time.Now().Before(by) || time.Since(began) > p.Patience {
			return err
		}
	}
}

// release lets go of every hold that somebody placed.
func release(ctx context.Context, p *play) error {
	for _, h := range p.order.Holds {
		if h.ReleasedAt != nil {
			continue
		}
		_, err := p.API.ReleaseOrderHoldWithResponse(ctx, p.order.ID, h.ID, &client.ReleaseOrderHoldParams{IdempotencyKey: p.key("release")}, struct{}{})
		if err != nil {
			return err
		}
	}
	return p.read(ctx)
}

// settle pays a refused refund back by other means.
func settle(ctx context.Context, p *play) error {
	for _, refund := range p.order.Refunds {
		_, err := p.API.SettleRefundWithResponse(ctx, p.order.ID, refund.ID, &client.SettleRefundParams{IdempotencyKey: p.key("settle")},
			client.RefundSettleRequest{Reference: "Bank transfer " + p.externalID()})
		if err != nil {
			return err
		}
	}
	return p.read(ctx)
}

// units are counted over all lines of an order.
type units func(client.OrderLine) int64

func ordered(l client.OrderLine) int64     { return l.Quantity }
func cancelled(l client.OrderLine) int64   { return l.Cancelled }
func open(l client.OrderLine) int64        { return l.Open }
func backordered(l client.OrderLine) int64 { return l.Backordered }
func shipped(l client.OrderLine) int64     { return l.Shipped }
func delivered(l client.OrderLine) int64   { return l.Delivered }
func lost(l client.OrderLine) int64        { return l.Lost }
func undelivered(l client.OrderLine) int64 { return l.Undelivered }
func returned(l client.OrderLine) int64    { return l.Returned }

func count(o *client.Order, of units) (sum int64) {
	for _, l := range o.Lines {
		sum += of(l)
	}
	return sum
}

// counts looks whether so many units of the order are what they should be.
func counts(what string, of units, expected int64) step {
	return func(ctx context.Context, p *play) error {
		p.at = "count " + what
		if err := p.read(ctx); err != nil {
			return err
		}
		if got := count(p.order, of); got != expected {
			return &unexpected{fmt.Sprintf("%d units %s", expected, what), fmt.Sprintf("%d", got)}
		}
		return nil
	}
}

// parcels looks whether the order was packed into so many parcels, unpacked ones included.
func parcels(expected int) step {
	return func(ctx context.Context, p *play) error {
		p.at = "count parcels"
		if err := p.read(ctx); err != nil {
			return err
		}
		if got := len(p.order.Shipments); got != expected {
			return &unexpected{fmt.Sprintf("%d parcels", expected), fmt.Sprintf("%d", got)}
		}
		return nil
	}
}
