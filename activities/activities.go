package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
)

// Orders is what the activities need of the store.
type Orders interface {
	Order(ctx context.Context, orderID string) (*order.Order, error)
	// Recent may be some seconds old: enough to know what to ask of others, who may be asked late in any case.
	Recent(ctx context.Context, orderID string) (*order.Order, error)
	Change(ctx context.Context, orderID string, cmd *store.Command, act order.Act, decide func(*order.Order) error) (*order.Order, error)
	Allocate(ctx context.Context, orderID string, act order.Act) (*order.Order, error)
}

// Activities are registered with the worker; their names are the activity types.
type Activities struct {
	Orders   Orders
	Payments map[string]PaymentGateway // by the name that orders use
	Carrier  Carrier
	Policy   order.Policy
	NewID    id.Source
	// Reached, when set, hears of every point at which a crash would leave something half done, as
	// "Order/Capture/after-effect". For tests.
	Reached func(point string)
}

// The points of an activity at which a crash is interesting.
const (
	BeforeEffect = "before-effect" // nothing happened yet
	AfterEffect  = "after-effect"  // somebody else's system, or an open transaction, knows; our facts do not
	AfterCommit  = "after-commit"  // the facts know; Temporal does not
)

// On says which order an activity is about, or which return of it, and what time it is for the run that asks.
type On struct {
	OrderID  string    `json:"order_id"`
	ReturnID string    `json:"return_id,omitempty"` // set: the run is this return's
	At       time.Time `json:"at"`
}

// Subject is whom it is about: an order, and with a return's id that return of it.
func (on On) Subject() (orderID, returnID string) { return on.OrderID, on.ReturnID }

// Step names the operation that is due.
type Step struct {
	On
	Key string `json:"key"`
}

// Caller is who sent a command, and under which key.
type Caller struct {
	On
	Key         string          `json:"key"` // of the command
	Fingerprint string          `json:"fingerprint"`
	Request     json.RawMessage `json:"request,omitempty"` // as it was sent
	Actor       string          `json:"actor"`
	RequestID   string          `json:"request_id"`
	Typed       bool            `json:"typed,omitempty"` // by hand, in Temporal's UI or command line
}

// InTemporal is the actor of what somebody does in Temporal's own UI or command line, who is not known by name.
const InTemporal = "temporal"

// Ask makes a command one on this, whatever its sender said, and returns who he is. A command that somebody typed in
// Temporal's UI has no key: it gets that of its update, so that a reset, which sends it again, does not repeat it. An
// update's id is only its run's.
func (c *Caller) Ask(on On, updateID string) (actor string) {
	c.On = on
	if c.Typed = c.Key == ""; c.Typed {
		c.Key, c.Actor = InTemporal+"/"+cmp.Or(on.ReturnID, on.OrderID)+"/"+updateID, InTemporal
	}
	c.Actor = cmp.Or(c.Actor, InTemporal)
	return fmt.Sprintf("%.80s", c.Actor) // for a summary, which has to be short
}

// now is the run's time: what it was when the activity was asked for, plus what has passed since. Retries that go
// on for hours notice that hours have passed, and a test that skips time is believed.
func (on On) now(ctx context.Context) time.Time {
	at := on.At
	if activity.IsActivity(ctx) {
		// Both times are the server's, or both this process's: clocks that differ do not add up to a delay.
		info := activity.GetInfo(ctx)
		at = at.Add(max(0, info.StartedTime.Sub(info.ScheduledTime)))
	}
	return at.UTC().Truncate(time.Microsecond)
}

// act is the run itself acting, by no command.
func (a *Activities) act(ctx context.Context, on On) order.Act {
	return order.Act{At: on.now(ctx), Actor: "workflow", NewID: a.NewID, Policy: a.Policy}
}

// heartbeatEvery is well under the heartbeat timeout of the steps in trouble.
const heartbeatEvery = 4 * time.Second

// alive tells Temporal that this worker is still at it, until stop is called. The first attempt of a step, inside the
// workflow task, needs no such thing.
func alive(ctx context.Context) (stop func()) {
	if !activity.IsActivity(ctx) || activity.GetInfo(ctx).IsLocalActivity {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(heartbeatEvery)
		defer tick.Stop()
		for {
			activity.RecordHeartbeat(ctx)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done) }
}

// facts are those of whom an activity was asked by: the return's run knows of the return, the order's of the order.
func facts(o *order.Order, on On) order.Facts {
	if on.ReturnID != "" {
		return o.ReturnFacts(on.ReturnID)
	}
	return o.Facts()
}

func (a *Activities) reached(ctx context.Context, point string) {
	if a.Reached != nil {
		info := activity.GetInfo(ctx)
		a.Reached(info.WorkflowType.Name + "/" + info.ActivityType.Name + "/" + point)
	}
}

// change runs one decision on the facts.
func (a *Activities) change(ctx context.Context, on On, cmd *store.Command, act order.Act, decide func(*order.Order) error) (order.Facts, error) {
	a.reached(ctx, BeforeEffect)
	o, err := a.Orders.Change(ctx, on.OrderID, cmd, act, func(o *order.Order) error {
		if err := decide(o); err != nil {
			return err
		}
		a.reached(ctx, AfterEffect)
		return nil
	})
	if err != nil {
		return order.Facts{}, border(err)
	}
	a.reached(ctx, AfterCommit)
	return facts(o, on), nil
}

// command runs a caller's command: as change does, once per key.
func (a *Activities) command(ctx context.Context, name, subject string, c Caller, decide func(*order.Order, order.Act) error) (order.Facts, error) {
	act := order.Act{At: c.now(ctx), Actor: c.Actor, RequestID: c.RequestID, NewID: a.NewID, Policy: a.Policy}
	var cmd *store.Command
	if c.Key != "" {
		cmd = &store.Command{Key: c.Key, Name: name, Subject: subject, Fingerprint: c.Fingerprint, Request: c.Request}
	}
	known, err := a.change(ctx, c.On, cmd, act, func(o *order.Order) error { return decide(o, act) })
	if err != nil && activity.GetInfo(ctx).Attempt >= commandAttempts && !errors.As(err, new(*temporal.ApplicationError)) {
		return known, temporal.NewNonRetryableApplicationError("the command fails every time; see the worker's log", "internal_error", err,
			&fault.Fault{Kind: fault.Unavailable, Code: "internal_error", RetryAfter: time.Minute, Detail: "the command fails every time: an operator has to look"})
	}
	return known, err
}

// commandAttempts: a command that fails so often, and not because the database is away, fails for its caller too
// instead of keeping its run busy for ever.
const commandAttempts = 10

// border turns a fault into what Temporal understands: a refusal is final and nobody's fault; an unavailable
// database is worth another try. Other errors are retried, and their text stays in the run.
func border(err error) error {
	f := fault.As(err)
	if f == nil {
		return err
	}
	if f.Kind == fault.Unavailable {
		return temporal.NewApplicationErrorWithOptions(f.Detail, f.Code,
			temporal.ApplicationErrorOptions{NextRetryDelay: f.RetryAfter, Details: []any{f}})
	}
	return temporal.NewApplicationErrorWithOptions(f.Detail, f.Code, temporal.ApplicationErrorOptions{
		NonRetryable: true, Category: temporal.ApplicationErrorCategoryBenign, Details: []any{f}})
}
