package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

// PaymentGateway is what the activities need of a payment gateway. It applies each key once.
type PaymentGateway interface {
	// Perform sends an operation. An error means that there is no terminal answer yet: see payment.ErrUnknown.
	Perform(ctx context.Context, r payment.Request) (payment.Answer, error)
	// Find looks an operation up by its key: payment.ErrNotFound proves nothing while a request may be on its way.
	Find(ctx context.Context, r payment.Request) (payment.Answer, error)
	Policy() payment.Policy
}

// PaymentCommand is another way to pay.
type PaymentCommand struct {
	Caller
	Gateway string `json:"gateway"`
	Token   string `json:"token"`
}

// NewPayment asks for what is still to be paid on another token; its authorization is due afterwards.
func (a *Activities) NewPayment(ctx context.Context, c PaymentCommand) (order.Facts, error) {
	return a.command(ctx, "payment", c.OrderID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.NewToken(c.Gateway, c.Token, act)
	})
}

// RefundCommand says that a refund which its gateway refuses was paid by other means.
type RefundCommand struct {
	Caller
	RefundID  string `json:"refund_id"`
	Reference string `json:"reference"` // where that payment can be found
}

// SettleRefund notes that a refund was paid by other means.
func (a *Activities) SettleRefund(ctx context.Context, c RefundCommand) (order.Facts, error) {
	return a.command(ctx, "settle_refund", c.RefundID, c.Caller, func(o *order.Order, act order.Act) error {
		return o.SettleRefund(c.RefundID, c.Reference, act)
	})
}

// Authorize holds money.
func (a *Activities) Authorize(ctx context.Context, s Step) (order.Facts, error) {
	return a.pay(ctx, s)
}

// Capture takes held money, and hands the parcel over that it was taken for.
func (a *Activities) Capture(ctx context.Context, s Step) (order.Facts, error) { return a.pay(ctx, s) }

// Void lets held money go.
func (a *Activities) Void(ctx context.Context, s Step) (order.Facts, error) { return a.pay(ctx, s) }

// Refund gives captured money back.
func (a *Activities) Refund(ctx context.Context, s Step) (order.Facts, error) { return a.pay(ctx, s) }

// pay finds out what became of an operation, sending it when that is what it takes, and writes the answer.
func (a *Activities) pay(ctx context.Context, s Step) (order.Facts, error) {
	defer alive(ctx)()
	o, op, err := a.due(ctx, s)
	if err != nil {
		return order.Facts{}, border(err)
	}
	if op == nil {
		return facts(o, s.On), nil
	}
	request := o.PaymentRequest(*op)
	gateway, ok := a.Payments[o.Payment(op.PaymentID).Gateway]
	if !ok {
		return order.Facts{}, border(fault.Conflictf("unknown_gateway", "no payment gateway of this name is configured"))
	}
	a.reached(ctx, BeforeEffect)
	policy := gateway.Policy()
	asking, cancel := context.WithTimeout(ctx, patience(ctx, policy.LocalAttempt, policy.RequestTimeout))
	answer, err := ask(asking, gateway, request, o.Settling(*op), op.State == payment.Unsettled)
	cancel()
	a.reached(ctx, AfterEffect)
	if err != nil {
		return a.unanswered(ctx, s, err, o.Settling(*op) && errors.Is(err, payment.ErrNotFound))
	}
	return a.record(ctx, s, func(o *order.Order, act order.Act) { o.PaymentAnswered(s.Key, answer, act) })
}

// due is the operation that a step asks for, while it is open. That it is open may be some seconds old; that it is not
// is what the facts say now.
func (a *Activities) due(ctx context.Context, s Step) (*order.Order, *order.Operation, error) {
	var o *order.Order
	for _, read := range []func(context.Context, string) (*order.Order, error){a.Orders.Recent, a.Orders.Order} {
		var err error
		if o, err = read(ctx, s.OrderID); err != nil {
			return nil, nil, err
		}
		if op := o.Operation(s.Key); op != nil && op.State.Open() {
			return o, op, nil
		}
	}
	return o, nil, nil
}

// ask looks before it leaps: what was sent before is looked up first, and what nobody wants any more is only
// looked up. Otherwise the request goes out, again under the same key.
func ask(ctx context.Context, gateway PaymentGateway, r payment.Request, settling, sentBefore bool) (payment.Answer, error) {
	if settling || sentBefore {
		answer, err := gateway.Find(ctx, r)
		if err == nil || settling || !errors.Is(err, payment.ErrNotFound) {
			return answer, err
		}
	}
	return gateway.Perform(ctx, r)
}

// patience is how long one request may take: the first attempt, inside a workflow task, is short.
func patience(ctx context.Context, local, request time.Duration) time.Duration {
	if activity.IsActivity(ctx) && activity.GetInfo(ctx).IsLocalActivity {
		return local
	}
	return request
}

// record writes an answer. The gateway has spoken: it is written down even when the activity's time is up.
func (a *Activities) record(ctx context.Context, s Step, write func(*order.Order, order.Act)) (order.Facts, error) {
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	act := a.act(ctx, s.On)
	o, err := a.Orders.Change(writing, s.OrderID, nil, act, func(o *order.Order) error {
		write(o, act)
		return nil
	})
	if err != nil {
		return order.Facts{}, border(err)
	}
	a.reached(ctx, AfterCommit)
	return facts(o, s.On), nil
}

const recordTimeout = 5 * time.Second

// unanswered decides what no answer means: wait for another request that is under way, slow down, give up what
// nobody wants and the other side does not know, or note the doubt and try again.
func (a *Activities) unanswered(ctx context.Context, s Step, cause error, unwanted bool) (order.Facts, error) {
	var slow *payment.RateLimited
	switch {
	case errors.As(cause, &slow):
		return a.delayed(ctx, s, "rate_limited", "it answers that we ask too often: it is asked again more slowly", max(slow.RetryAfter, time.Second))
	case errors.Is(cause, payment.ErrKeyInUse):
		return a.delayed(ctx, s, "key_in_use", "it is still working on an earlier request under this key: it is asked again for the answer", time.Second)
	case errors.Is(cause, payment.ErrKeyReused):
		return order.Facts{}, border(fault.Conflictf("gateway_key_reused", "the gateway knows %s with another request: somebody else uses our keys, or its account; compare with its own records, then resume", s.Key))
	case unwanted:
		settled := false
		known, err := a.record(ctx, s, func(o *order.Order, act order.Act) { settled = o.NotFound(s.Key, act) })
		if err != nil || settled {
			return known, err
		}
		return known, later("perhaps_on_its_way", s.Key+": nobody wants it any more. The gateway does not know it, and it may still be on its way: it is looked up until that is ruled out. Nothing to do", 5*time.Second)
	}
	var advice string
	if _, err := a.record(ctx, s, func(o *order.Order, act order.Act) {
		o.Unanswered(s.Key, "no answer", act)
		advice = todo(o, s.Key, act)
	}); err != nil {
		return order.Facts{}, err
	}
	return order.Facts{}, later("outcome_unknown", s.Key+": no answer, it may or may not have been done. It is looked up and asked again under the same key. "+advice, 0)
}

// delayed tries again later, and lets the facts know: whoever is put off for long enough calls for a person.
func (a *Activities) delayed(ctx context.Context, s Step, code, detail string, after time.Duration) (order.Facts, error) {
	var advice string
	if _, err := a.record(ctx, s, func(o *order.Order, act order.Act) {
		o.Delayed(s.Key, act)
		advice = todo(o, s.Key, act)
	}); err != nil {
		return order.Facts{}, err
	}
	return order.Facts{}, later(code, s.Key+": "+detail+". "+advice, after)
}

// todo says to whoever looks at an operation in trouble from when on it is his affair.
func todo(o *order.Order, key string, act order.Act) string {
	op := o.Operation(key)
	if op == nil || !op.State.Open() {
		return "It has been answered meanwhile"
	}
	if at := op.CreatedAt.Add(act.Policy.AttentionAfter); act.At.Before(at) {
		return "Nothing to do before " + at.UTC().Format("2006-01-02 15:04 MST") + ", when an operator is called"
	}
	return "It has gone on for too long: what to do stands under Attention in the current details"
}

// later is an error that is worth another try: its code for machines, and a sentence for who looks at the activity.
func later(code, detail string, after time.Duration) error {
	return temporal.NewApplicationErrorWithOptions(detail, code, temporal.ApplicationErrorOptions{NextRetryDelay: after})
}
