package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	looked := func(ctx workflow.Context) error {
		ctx, _ = workflow.NewDisconnectedContext(ctx)
		if !r.loaded { // it is being started by this, and looks anyway
			return workflow.Await(ctx, func() bool { return r.loaded })
		}
		return r.load(ctx)
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateFacts, looked, workflow.UpdateHandlerOptions{
		Description: "Loads the facts again and does what they say is due. Harmless at any time; no data."}); err != nil {
		return err
	}
	facts := workflow.GetSignalChannelWithOptions(ctx, SignalFacts, workflow.SignalChannelOptions{
		Description: "What the update of this name does, for when no worker is there to answer it."})
	workflow.Go(asked, func(ctx workflow.Context) {
		for facts.Receive(ctx, nil) {
			_ = r.load(ctx)
		}
	})
	// Request Cancellation in the Temporal UI is the business cancel.
	workflow.Go(ctx, func(ctx workflow.Context) {
		ctx.Done().Receive(ctx, nil)
		ctx, _ = workflow.NewDisconnectedContext(ctx)
		asked := workflow.Now(ctx)
		if err := r.cancel(ctx, r, activities.Caller{On: r.on(ctx), Actor: activities.InTemporal}, "cancellation requested in Temporal"); err != nil {
			r.notice = refusedCancellation(asked, err)
			r.changes++
		}
	})
	return workflow.SetQueryHandlerWithOptions(ctx, QueryProgress, r.progress, workflow.QueryHandlerOptions{
		Description: "What the run knows and does: the facts, the steps that are under way or given up, the next timer."})
}

// handle registers a command: one activity writes it, then the steps that it made due are performed; the answer
// waits until each of them has been tried once. What is in trouble by then goes on by itself.
func handle[C any, P asker[C]](ctx workflow.Context, r *run, name, description string, activity func(context.Context, C) (order.Facts, error)) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, command C) (order.Facts, error) {
		ctx, _ = workflow.NewDisconnectedContext(ctx)
		_ = workflow.Await(ctx, func() bool { return r.loaded })
		by := P(&command).Ask(r.on(ctx), workflow.GetCurrentUpdateInfo(ctx).ID)
		if err := r.decide(ctx, name+", asked by "+by, activity, command); err != nil {
			return order.Facts{}, refusal(err)
		}
		if name == UpdateResume {
			r.forgive()
		}
		_ = workflow.Await(ctx, r.quiet)
		return r.answer(), nil
	}, workflow.UpdateHandlerOptions{Description: description})
}

// answer is what the run knows, without the details: those are on its page, and only make its history longer.
func (r *run) answer() order.Facts {
	facts := r.facts
	facts.Details = ""
	return facts
}

// asker is a command: it has a caller, who is told what the command is about, and says who he is.
type asker[C any] interface {
	*C
	Ask(on activities.On, updateID string) (actor string)
}

// refusedCancellation tells who pressed Request Cancellation that nothing came of it: the button has no answer of its
// own, and Temporal takes one such request in the life of a run.
func refusedCancellation(asked time.Time, err error) string {
	why := "it failed; see the run's history"
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		why = app.Type() + ", " + app.Message()
	}
	return fmt.Sprintf("**Cancellation was requested at %s and refused:** %s. This run takes no second request: to cancel later, or some units only, send the update `cancel`.",
		asked.UTC().Format("2006-01-02 15:04 MST"), why)
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
	p := Progress{Facts: r.answer()}
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
