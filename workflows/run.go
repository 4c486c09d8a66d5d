package workflows

import (
	"cmp"
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
)

// run drives an order, or a return of one. What it knows can be had again from the facts.
type run struct {
	subject activities.On // whom it drives; At is not used
	updates func(ctx workflow.Context, r *run) error
	cancel  func(ctx workflow.Context, r *run, by activities.Caller, reason string) error

	loaded  bool
	facts   order.Facts
	steps   map[string]*step // being performed, or given up, by key; never ranged over
	busy    int              // steps being performed, whether they are still due or not
	changes int              // grows with everything that may make the run go on
	alarm   bool             // a deadline is here
	vain    int              // how often in a row that changed nothing
	timer   time.Time        // when the pending timer fires; zero when there is none
	shown   shown            // what the search attributes say
	notice  string           // what the facts do not have and an operator has to read first
}

// step is one step that the run has taken on.
type step struct {
	since   time.Time
	visible bool // the first attempt did not do it
	failed  bool // given up until somebody resumes
}

// drive performs what is due by the facts, takes commands, and waits, until nothing is left. Self and in are the
// workflow itself, for a run that has grown too long.
func (r *run) drive(ctx workflow.Context, self, in any) error {
	asked, _ := workflow.NewDisconnectedContext(ctx) // a cancelled run still has to let everything go
	r.steps = map[string]*step{}
	if err := r.listen(ctx, asked); err != nil {
		return err
	}
	if err := r.load(asked); err != nil {
		return err
	}
	done := func() bool { return r.over() && workflow.AllHandlersFinished(asked) }
	renew := func() bool {
		return workflow.GetInfo(ctx).GetContinueAsNewSuggested() && r.quiet() && r.busy == 0 && workflow.AllHandlersFinished(asked)
	}
	for !done() {
		r.launch(asked)
		r.publish(asked)
		r.arm(asked)
		seen := r.changes
		// The loop never waits for handlers alone: a command that is still being handled may make a step due.
		_ = workflow.Await(asked, func() bool { return r.changes != seen || done() || renew() })
		if r.alarm {
			r.look(asked)
		}
		if renew() {
			return workflow.NewContinueAsNewError(ctx, self, in)
		}
	}
	r.publish(asked)
	return nil
}

func (r *run) on(ctx workflow.Context) activities.On {
	on := r.subject
	on.At = workflow.Now(ctx)
	return on
}

// over reports whether nothing is left to be done, and nothing is being done that is no longer due: a run that ends
// while a visible activity does is refused by the server, and with it the command that ended it. Commands that are
// still being handled are waited for.
func (r *run) over() bool { return r.facts.Settled && r.quiet() && r.busy == 0 }

// quiet reports whether every step that is due has been tried: what is left is in trouble, or given up.
func (r *run) quiet() bool {
	for _, due := range r.facts.Steps {
		if s := r.steps[due.Key]; s == nil || !s.visible && !s.failed {
			return false
		}
	}
	return true
}

// learn takes newer facts; known is the version that the run knew when it asked for them. Older ones were overtaken by
// others on their way. Facts that are older than what was known when they were asked for are of a database that was put
// back to an earlier time: they win over what the run remembers, and what it has given up may be due again.
func (r *run) learn(facts order.Facts, known int64) {
	putBack := r.loaded && facts.Version < known
	if !r.loaded || facts.Version >= r.facts.Version || putBack {
		r.facts, r.loaded = facts, true
	}
	if putBack {
		r.forgive()
	}
	r.changes++
}

func (r *run) load(ctx workflow.Context) error {
	var facts order.Facts
	known := r.facts.Version
	err := workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, factsOptions("load the facts from PostgreSQL")),
		a.Load, r.on(ctx)).Get(ctx, &facts)
	if err == nil {
		r.learn(facts, known)
	}
	return err
}

// decide runs an activity that only touches our own facts. Its refusal is the caller's.
func (r *run) decide(ctx workflow.Context, summary string, activity, input any) error {
	var facts order.Facts
	known := r.facts.Version
	err := workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, factsOptions(summary)), activity, input).Get(ctx, &facts)
	if err == nil {
		r.learn(facts, known)
	}
	r.changes++
	return err
}

// launch performs every step that is due and not taken on yet, each in a coroutine of its own: a gateway in
// trouble holds up nothing but itself.
func (r *run) launch(ctx workflow.Context) {
	for _, due := range r.facts.Steps {
		if r.steps[due.Key] != nil {
			continue
		}
		s := &step{since: workflow.Now(ctx)}
		r.steps[due.Key] = s
		r.busy++
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer func() { r.busy-- }()
			if err := r.perform(ctx, due, s); err != nil {
				s.failed = true
				r.fail(ctx, due, err)
				return
			}
			delete(r.steps, due.Key)
			r.changes++
		})
	}
}

// perform is local first, visible second: one short attempt inside the workflow task; when that does not settle
// it, an activity that operators can see, pause and retry takes over, with the same key. A step that says it is
// done while the facts still call for it would be repeated for ever: it counts as failed.
func (r *run) perform(ctx workflow.Context, due order.Step, s *step) error {
	var facts order.Facts
	activity, input := stepActivity(due.Name), activities.Step{On: r.on(ctx), Key: due.Key}
	if activity == nil {
		return errors.New("this worker does not know the step " + due.Name)
	}
	known := r.facts.Version
	local := workflow.WithLocalActivityOptions(ctx, firstAttempt(due.Summary))
	err := workflow.ExecuteLocalActivity(local, activity, input).Get(ctx, &facts)
	if err != nil && !final(err) {
		s.visible = true
		r.changes++
		input.On, known = r.on(ctx), r.facts.Version
		visible := workflow.WithActivityOptions(ctx, visibleAttempts(due.Summary))
		err = workflow.ExecuteActivity(visible, activity, input).Get(ctx, &facts)
	}
	if err != nil {
		return err
	}
	r.learn(facts, known)
	for _, still := range facts.Steps {
		if still.Key == due.Key {
			return errors.New("the step was performed and is still due")
		}
	}
	return nil
}

// fail calls for a person. The step stays given up until somebody resumes the order.
func (r *run) fail(ctx workflow.Context, due order.Step, cause error) {
	detail := "it failed in a way that repeating will not mend; see the run's history"
	var app *temporal.ApplicationError
	if errors.As(cause, &app) {
		detail = app.Message()
	}
	_ = r.decide(ctx, "call for an operator: "+due.Name+" failed", a.StepFailed,
		activities.Failure{On: r.on(ctx), Step: due.Key, Detail: detail})
}

// final reports whether an error is a refusal, which repeating will not mend.
func final(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.NonRetryable()
}

// look does what is due by now.
func (r *run) look(ctx workflow.Context) {
	r.alarm = false
	_ = r.decide(ctx, "do what is due by now: "+r.dueFor(), a.DeadlinePassed, r.on(ctx))
	if due := r.facts.Deadline; due != nil && !due.After(workflow.Now(ctx)) {
		r.vain++
	} else {
		r.vain = 0
	}
}

// arm sets one timer for the next deadline. A pending timer that fires earlier is left: it looks again then. A
// deadline that stays where it is, because what is due cannot be done, is looked at ever more rarely.
func (r *run) arm(ctx workflow.Context) {
	if r.facts.Deadline == nil {
		return
	}
	due, now := *r.facts.Deadline, workflow.Now(ctx)
	soonest := now.Add(time.Second)
	if !due.After(now) {
		soonest = now.Add(min(time.Second<<min(r.vain, 6), time.Minute))
	}
	if due.Before(soonest) {
		due = soonest
	}
	if !r.timer.IsZero() && !due.Before(r.timer) {
		return
	}
	r.timer = due
	summary := r.dueFor() + ", " + due.UTC().Format("2006-01-02 15:04 MST")
	workflow.Go(ctx, func(ctx workflow.Context) {
		_ = workflow.NewTimerWithOptions(ctx, due.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: summary}).Get(ctx, nil)
		if r.timer.Equal(due) {
			r.timer = time.Time{}
		}
		r.alarm = true
		r.changes++
	})
}

// dueFor says what the next deadline is for. Facts of earlier days do not know.
func (r *run) dueFor() string { return cmp.Or(r.facts.DeadlineFor, "the next deadline") }
