package telemetry

import (
	"context"
	"log/slog"
	"slices"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
)

// requestHeader is the header in which a request's id goes through Temporal.
const requestHeader = "waybill-request-id"

func writeRequest(header map[string]*commonpb.Payload, requestID string) {
	if requestID == "" || header == nil {
		return
	}
	if payload, err := converter.GetDefaultDataConverter().ToPayload(requestID); err == nil {
		header[requestHeader] = payload
	}
}

func readRequest(header map[string]*commonpb.Payload) (requestID string) {
	if payload := header[requestHeader]; payload != nil {
		_ = converter.GetDefaultDataConverter().FromPayload(payload, &requestID) // none, when it is not one of ours
	}
	return requestID
}

// carrier takes a request's id from the API through the run into the activities that it causes.
type carrier struct {
	interceptor.InterceptorBase
	log *slog.Logger
}

// InterceptClient is interceptor.ClientInterceptor's.
func (c *carrier) InterceptClient(next interceptor.ClientOutboundInterceptor) interceptor.ClientOutboundInterceptor {
	out := &carrierClient{}
	out.Next = next
	return out
}

// InterceptActivity is interceptor.WorkerInterceptor's.
func (c *carrier) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &carrierActivity{carrier: c}
	in.Next = next
	return in
}

// InterceptWorkflow is interceptor.WorkerInterceptor's.
func (c *carrier) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	in := &carrierRun{run: &run{}}
	in.Next = next
	return in
}

type carrierClient struct {
	interceptor.ClientOutboundInterceptorBase
}

func (c *carrierClient) ExecuteWorkflow(ctx context.Context, in *interceptor.ClientExecuteWorkflowInput) (client.WorkflowRun, error) {
	writeRequest(interceptor.Header(ctx), Get(ctx, RequestID))
	return c.Next.ExecuteWorkflow(ctx, in)
}

func (c *carrierClient) SignalWithStartWorkflow(ctx context.Context, in *interceptor.ClientSignalWithStartWorkflowInput) (client.WorkflowRun, error) {
	writeRequest(interceptor.Header(ctx), Get(ctx, RequestID))
	return c.Next.SignalWithStartWorkflow(ctx, in)
}

func (c *carrierClient) UpdateWorkflow(ctx context.Context, in *interceptor.ClientUpdateWorkflowInput) (client.WorkflowUpdateHandle, error) {
	writeRequest(interceptor.Header(ctx), Get(ctx, RequestID))
	return c.Next.UpdateWorkflow(ctx, in)
}

func (c *carrierClient) UpdateWithStartWorkflow(ctx context.Context, in *interceptor.ClientUpdateWithStartWorkflowInput) (client.WorkflowUpdateHandle, error) {
	writeRequest(interceptor.Header(ctx), Get(ctx, RequestID))
	return c.Next.UpdateWithStartWorkflow(ctx, in)
}

type carrierActivity struct {
	interceptor.ActivityInboundInterceptorBase
	carrier *carrier
}

func (a *carrierActivity) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	return a.carrier.attempt(ctx, in, a.Next)
}

// run knows which commands a run is handling. A step is performed by the run's own coroutine, but it is the command
// being handled that made it due, and that waits for it. A run that had a command and then acts by itself, at a deadline,
// acts on no request.
type run struct {
	begun    string // the request that started the run; until its first command, it is what the run acts on
	heard    bool   // there was a command
	commands []*command
}

// command is one that is being handled.
type command struct {
	requestID string
	span      any
}

// commandKey is set in the context of a command's handler.
type commandKey struct{}

func (r *run) enter(c *command) { r.heard, r.commands = true, append(r.commands, c) }

func (r *run) leave(c *command) {
	r.commands = slices.DeleteFunc(r.commands, func(other *command) bool { return other == c })
}

// cause puts what an activity is done for into its context and header.
func (r *run) cause(ctx workflow.Context) workflow.Context {
	c, own := ctx.Value(commandKey{}).(*command)
	switch {
	case own:
	case len(r.commands) > 0:
		c = r.commands[len(r.commands)-1]
		if c.span != nil {
			ctx = workflow.WithValue(ctx, spanKey{}, c.span)
		}
	case !r.heard:
		c = &command{requestID: r.begun}
	default:
		return ctx
	}
	writeRequest(interceptor.WorkflowHeader(ctx), c.requestID)
	return ctx
}

type carrierRun struct {
	interceptor.WorkflowInboundInterceptorBase
	run *run
}

func (r *carrierRun) Init(next interceptor.WorkflowOutboundInterceptor) error {
	out := &carrierOut{run: r.run}
	out.Next = next
	return r.Next.Init(out)
}

func (r *carrierRun) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	r.run.begun = readRequest(interceptor.WorkflowHeader(ctx))
	return r.Next.ExecuteWorkflow(ctx, in)
}

func (r *carrierRun) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	c := &command{requestID: readRequest(interceptor.WorkflowHeader(ctx)), span: ctx.Value(spanKey{})}
	r.run.enter(c)
	defer r.run.leave(c)
	return r.Next.ExecuteUpdate(workflow.WithValue(ctx, commandKey{}, c), in)
}

type carrierOut struct {
	interceptor.WorkflowOutboundInterceptorBase
	run *run
}

func (o *carrierOut) ExecuteActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	return o.Next.ExecuteActivity(o.run.cause(ctx), activityType, args...)
}

func (o *carrierOut) ExecuteLocalActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	return o.Next.ExecuteLocalActivity(o.run.cause(ctx), activityType, args...)
}
