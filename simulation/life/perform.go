package life

import (
	"cmp"
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
)

// task is an activity that a run asked for.
type task struct {
	run      *run
	runType  string
	activity string
	subject  string // the operation's key, or what else tells it from others
	asked    time.Time
	attempt  int // as the activity knows it
	local    bool
	dies     string // the point at which its worker dies
}

// hands perform the activities of a run.
type hands struct {
	interceptor.WorkflowOutboundInterceptorBase
	scene *scene
}

// ExecuteLocalActivity is interceptor.WorkflowOutboundInterceptor's.
func (h *hands) ExecuteLocalActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o := workflow.GetLocalActivityOptions(ctx)
	return h.perform(ctx, name, args[0], true, persistence{*o.RetryPolicy, cmp.Or(o.ScheduleToCloseTimeout, o.StartToCloseTimeout)})
}

// ExecuteActivity is interceptor.WorkflowOutboundInterceptor's.
func (h *hands) ExecuteActivity(ctx workflow.Context, name string, args ...any) workflow.Future {
	o := workflow.GetActivityOptions(ctx)
	return h.perform(ctx, name, args[0], false, persistence{*o.RetryPolicy, o.ScheduleToCloseTimeout})
}

// persistence is how often, and for how long, an activity is tried.
type persistence struct {
	temporal.RetryPolicy
	limit time.Duration // 0: for ever. Of a local activity that says none the SDK takes that of one attempt.
}

const (
	lostTask      = 10 * time.Second // after which a workflow task is given to another worker
	lostHeartbeat = 15 * time.Second // after which an activity is
)

// perform does what Temporal does with an activity: it is tried until it is done or refused. It returns when that is so:
// the workflows wait for each of their activities at once.
func (h *hands) perform(ctx workflow.Context, name string, input any, local bool, policy persistence) workflow.Future {
	w := h.scene.world
	future, settle := workflow.NewFuture(ctx)
	t := &task{run: h.scene.run, runType: workflow.GetInfo(ctx).WorkflowType.Name, activity: name, asked: workflow.Now(ctx), attempt: 1, local: local}
	t.subject = subjectOf(name, input)
	for {
		if ctx.Err() != nil { // as the SDK does: in a context that was cancelled nothing is begun
			settle.SetError(ctx.Err())
			return future
		}
		n := w.attempt("perform " + t.subject)
		_ = workflow.Sleep(ctx, w.between(time.Millisecond, 40*time.Millisecond, "before", t.subject, n))
		facts, err, died := w.once(t, input, n)
		_ = workflow.Sleep(ctx, w.between(time.Millisecond, longest(err), "after", t.subject, n))
		switch {
		case h.scene.run.killed, h.scene.lost(w.wild/10, t.subject, n):
			_ = workflow.Await(ctx, func() bool { return false }) // nobody hears of it
		case died && local:
			_ = workflow.Sleep(ctx, lostTask)
			continue
		case died:
			_ = workflow.Sleep(ctx, lostHeartbeat)
			t.attempt++
			continue
		}
		pause, again := policy.nextTry(t.attempt, workflow.Now(ctx).Sub(t.asked), err)
		if !again {
			settle.Set(facts, err)
			return future
		}
		_ = workflow.Sleep(ctx, pause)
		t.attempt++
	}
}

// subjectOf names what an activity is about.
func subjectOf(name string, input any) string {
	if step, ok := input.(activities.Step); ok {
		return step.Key
	}
	o, r := input.(interface{ Subject() (string, string) }).Subject()
	if r != "" {
		o = r
	}
	return strings.ToLower(name) + "/" + o
}

// once performs an activity by the SDK's own executor. Its worker may die before, in the middle, or when the facts know and
// nobody else does.
func (w *world) once(t *task, input any, n int) (facts order.Facts, err error, died bool) {
	if w.faulty(w.wild/6, t.subject, n, "died_before") {
		return facts, nil, true
	}
	if w.faulty(w.wild/6, t.subject, n, "died_with_effect") {
		t.dies = activities.AfterEffect
	}
	a := w.base
	orderID, _ := input.(interface{ Subject() (string, string) }).Subject()
	a.NewID = w.naming(scopeOf(orderID))
	w.task = t
	value, err := w.desk.ExecuteLocalActivity(reflect.ValueOf(&a).MethodByName(t.activity).Interface(), input)
	w.task, w.dirty = nil, w.dirty || t.activity != "Load"
	var panicked *temporal.PanicError
	switch {
	case err == nil:
		err = value.Get(&facts)
	case errors.As(err, &panicked) && strings.Contains(panicked.Error(), deathOfWorker):
		w.tell(t.run.id, t.activity+" "+t.subject, "its worker died")
		return facts, nil, true
	case errors.As(err, &panicked):
		w.violated("panic", t.subject, panicked.Error()+"\n"+panicked.StackTrace())
	}
	w.tell(t.run.id, t.activity+" "+t.subject, outcomeOf(err))
	if w.faulty(w.wild/6, t.subject, n, "died_after") {
		return facts, nil, true
	}
	return facts, err, false
}

// deathOfWorker is what a panic says that stands for the end of a worker process.
const deathOfWorker = "the worker dies"

// reached is activities.Activities'. A worker dies only where no transaction is open: this process lives on, and would
// hold its locks.
func (w *world) reached(point string) {
	if t := w.task; t != nil && t.dies != "" && strings.HasSuffix(point, "/"+t.dies) && isStep(t.activity) {
		t.dies = ""
		panic(deathOfWorker)
	}
}

// isStep reports whether an activity asks somebody else's system.
func isStep(name string) bool {
	switch name {
	case "Authorize", "Capture", "Void", "Refund", "BuyLabel", "VoidLabel":
		return true
	}
	return false
}

// outcomeOf says how something went, in a word.
func outcomeOf(err error) string {
	var app *temporal.ApplicationError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &app):
		return app.Type()
	}
	return err.Error()
}

// nextTry says whether, and when, Temporal tries an activity again that has taken so long.
func (p persistence) nextTry(attempt int, took time.Duration, err error) (pause time.Duration, again bool) {
	var app *temporal.ApplicationError
	if err == nil || errors.As(err, &app) && app.NonRetryable() || p.MaximumAttempts > 0 && attempt >= int(p.MaximumAttempts) {
		return 0, false
	}
	if app != nil && app.NextRetryDelay() > 0 {
		pause = app.NextRetryDelay()
	} else {
		pause = time.Duration(float64(p.InitialInterval) * math.Pow(p.BackoffCoefficient, float64(min(attempt-1, 20))))
		pause = min(pause, p.MaximumInterval)
	}
	return pause, p.limit == 0 || took+pause <= p.limit
}

// longest is how long an attempt may have taken: one that the database did not answer, as long as a statement may.
func longest(err error) time.Duration {
	if outcomeOf(err) == broken().Code {
		return 7 * time.Second
	}
	return 40 * time.Millisecond
}

// InterceptActivity is interceptor.WorkerInterceptor's.
func (s *stage) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &prompter{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, world: s.world}
}

type prompter struct {
	interceptor.ActivityInboundInterceptorBase
	world *world
}

// Init is interceptor.ActivityInboundInterceptor's.
func (p *prompter) Init(outbound interceptor.ActivityOutboundInterceptor) error {
	return p.Next.Init(&whisper{ActivityOutboundInterceptorBase: interceptor.ActivityOutboundInterceptorBase{Next: outbound}, world: p.world})
}

// whisper tells an activity what it is in the world: since when it is asked for, by the world's clock, and in which attempt.
type whisper struct {
	interceptor.ActivityOutboundInterceptorBase
	world *world
}

// GetInfo is interceptor.ActivityOutboundInterceptor's.
func (s *whisper) GetInfo(ctx context.Context) activity.Info {
	info, t := s.Next.GetInfo(ctx), s.world.task
	info.ActivityType.Name, info.WorkflowType = t.activity, &workflow.Type{Name: t.runType}
	info.IsLocalActivity, info.Attempt = t.local, int32(t.attempt)
	info.ScheduledTime, info.StartedTime = t.asked, s.world.env.Now()
	return info
}

// RecordHeartbeat is interceptor.ActivityOutboundInterceptor's. Nobody listens: a worker that dies says so.
func (s *whisper) RecordHeartbeat(context.Context, ...any) {}
