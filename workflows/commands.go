package workflows

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
)

// listen registers everything by which a run is spoken to, before it first waits. No handler looks at the state
// to refuse: after a reset the commands come again, and the facts, with the command's key, know what was done.
func (r *run) listen(ctx, asked workflow.Context) error {
	if err := r.updates(ctx, r); err != nil {
		return err
	}
	facts := workflow.GetSignalChannelWithOptions(ctx, SignalFacts, workflow.SignalChannelOptions{
		Description: "The facts changed by themselves (a carrier's scan, stock that arrived): load them again."})
	workflow.Go(asked, func(ctx workflow.Context) {
		for facts.Receive(ctx, nil) {
			_ = r.load(ctx)
		}
	})
	// Request Cancellation in the Temporal UI is the business cancel.
	workflow.Go(ctx, func(ctx workflow.Context) {
		ctx.Done().Receive(ctx, nil)
		ctx, _ = workflow.NewDisconnectedContext(ctx)
		r.cancel(ctx, r, activities.Caller{On: r.on(ctx), Actor: "temporal"}, "cancellation requested in Temporal")
	})
	return workflow.SetQueryHandlerWithOptions(ctx, QueryProgress, r.progress, workflow.QueryHandlerOptions{
		Description: "What the run is doing: steps, next timer, what it waits for."})
}

// handle registers a command: one activity writes it, then the steps that it made due are performed; the answer
// waits until each of them has been tried once. What is in trouble by then goes on by itself.
func handle[C any, P asker[C]](ctx workflow.Context, r *run, name, description string, activity func(context.Context, C) (order.Facts, error)) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, command C) (order.Facts, error) {
		ctx, _ = workflow.NewDisconnectedContext(ctx)
		_ = workflow.Await(ctx, func() bool { return r.loaded })
		P(&command).Ask(r.on(ctx))
		if err := r.decide(ctx, name, activity, command); err != nil {
			return order.Facts{}, refusal(err)
		}
		if name == UpdateResume {
			r.forgive()
		}
		_ = workflow.Await(ctx, r.quiet)
		return r.facts, nil
	}, workflow.UpdateHandlerOptions{Description: description})
}

// asker is a command: it has a caller, who is told what the command is about.
type asker[C any] interface {
	*C
	Ask(on activities.On)
}

// refusal is the fault itself, without the activity that it came from around it.
func refusal(err error) error {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app
	}
	return err
}

// forgive takes the steps on again that were given up.
func (r *run) forgive() {
	for _, due := range r.facts.Steps {
		if s := r.steps[due.Key]; s != nil && s.failed {
			delete(r.steps, due.Key)
		}
	}
	r.changes++
}

func (r *run) progress() (Progress, error) {
	p := Progress{Facts: r.facts}
	for _, due := range r.facts.Steps {
		if s := r.steps[due.Key]; s != nil {
			p.Steps = append(p.Steps, StepProgress{Name: due.Name, Key: due.Key, Since: s.since, Visible: s.visible, Failed: s.failed})
		}
	}
	if !r.timer.IsZero() {
		at := r.timer
		p.NextTimer = &at
	}
	return p, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
