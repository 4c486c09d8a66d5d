package runs

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

// subject is whom a run drives. What begins its run is asked for only where there is none.
type subject struct {
	runID string
	noun  string
	begin func(context.Context) (beginning, error)
}

// beginning is what a run is started with: the same whoever starts it, the API, the sweeper, or a scan.
type beginning struct {
	workflow, input any
	summary         string
	details         string
	attributes      temporal.SearchAttributes
}

// Load reads an order.
type Load func(context.Context) (*order.Order, error)

// loaded is an order that was read already.
func loaded(o *order.Order) Load {
	return func(context.Context) (*order.Order, error) { return o, nil }
}

func ofOrder(o *order.Order) subject { return of(order.ReturnRef{OrderID: o.ID}, loaded(o)) }

func ofReturn(o *order.Order, returnID string) subject {
	return of(order.ReturnRef{OrderID: o.ID, ReturnID: returnID}, loaded(o))
}

// of is the subject that a reference names: a return, or without a return's id the order.
func of(ref order.ReturnRef, load Load) subject {
	s := subject{runID: workflows.WorkflowID(ref.OrderID), noun: "order"}
	if ref.ReturnID != "" {
		s = subject{runID: workflows.ReturnWorkflowID(ref.ReturnID), noun: "return"}
	}
	s.begin = func(ctx context.Context) (beginning, error) {
		o, err := load(ctx)
		if err != nil {
			return beginning{}, err
		}
		if ref.ReturnID != "" {
			return beginReturn(o, ref.ReturnID)
		}
		return beginOrder(o), nil
	}
	return s
}

func beginOrder(o *order.Order) beginning {
	var units int64
	for _, l := range o.Lines {
		units += l.Quantity
	}
	return beginning{
		workflow: workflows.Order, input: workflows.OrderInput{OrderID: o.ID},
		summary: fmt.Sprintf("%.40s %.80s · %s %s · %s", o.Channel, o.ExternalID,
			money.Format(o.Total, o.Currency), o.Currency, count(units, "unit")),
		details: fmt.Sprintf("Order `%s`, placed %s, %s in %s\n\n%s", o.ID, o.CreatedAt.UTC().Format("2006-01-02 15:04 MST"),
			count(units, "unit"), count(int64(len(o.Lines)), "line"), fmt.Sprintf(fromHere, "cancels the order as long as nothing of it was shipped: money is let go or refunded, stock released, labels voided")),
		attributes: temporal.NewSearchAttributes(
			workflows.AttributeOrderStatus.ValueSet(string(o.Status)),
			workflows.AttributePaymentStatus.ValueSet(o.PaymentAxis),
			workflows.AttributeFulfillmentStatus.ValueSet(o.FulfillmentAxis),
			workflows.AttributeChannel.ValueSet(o.Channel),
			workflows.AttributeOrderTotal.ValueSet(o.Total),
		),
	}
}

func beginReturn(o *order.Order, returnID string) (beginning, error) {
	ret := o.Return(returnID)
	if ret == nil {
		return beginning{}, fault.NotFoundf("the order has no return %s", returnID)
	}
	var units int64
	for _, l := range ret.Lines {
		units += l.Quantity
	}
	return beginning{
		workflow: workflows.Return, input: workflows.ReturnInput{OrderID: o.ID, ReturnID: ret.ID},
		summary: fmt.Sprintf("return %d of %.40s %.80s · %s", ret.Number, o.Channel, o.ExternalID, count(units, "unit")),
		details: fmt.Sprintf("Return `%s` of order `%s`, asked for %s\n\n%s", ret.ID, o.ID, ret.CreatedAt.UTC().Format("2006-01-02 15:04 MST"),
			fmt.Sprintf(fromHere, "calls the return off as long as nothing came back: its label is voided")),
		attributes: temporal.NewSearchAttributes(
			workflows.AttributeReturnStatus.ValueSet(string(ret.Status)),
			workflows.AttributeChannel.ValueSet(o.Channel),
		),
	}, nil
}

// fromHere says what the buttons on a run's page do. Where the run stands is beside it, in its current details.
const fromHere = `What may be done from this page:

- **Request Cancellation** %s. What it would do now stands at the end of the current details.
- **Send an Update** takes every command that the API takes. Each says what data it wants.
- **Pending Activities** are requests to a gateway or carrier that are in trouble. They are tried again by themselves; *Reset* tries at once, *Pause* stops that until *Unpause*.
- **Terminate** and **Reset** lose nothing and cancel nothing: within half a minute a run goes on from the facts in PostgreSQL.

docs/operators.md tells the rest.

 
`

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (r *Runs) startOptions(s subject, b beginning, reuse enumspb.WorkflowIdReusePolicy) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: s.runID, TaskQueue: r.taskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    reuse,
		StaticSummary:            b.summary,
		StaticDetails:            b.details,
		TypedSearchAttributes:    b.attributes,
	}
}
