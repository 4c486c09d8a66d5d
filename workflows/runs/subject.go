package runs

import (
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/workflows"
)

// subject is whom a run drives, and what the run is started with: the same whoever starts it, the API, the sweeper,
// or a scan.
type subject struct {
	runID           string
	noun            string
	workflow, input any
	summary         string
	attributes      temporal.SearchAttributes
}

func ofOrder(o *order.Order) subject {
	return subject{
		runID: workflows.WorkflowID(o.ID), noun: "order",
		workflow: workflows.Order, input: workflows.OrderInput{OrderID: o.ID},
		summary: fmt.Sprintf("%s %s · %s %s · %s", o.Channel, o.ExternalID,
			money.Format(o.Total, o.Currency), o.Currency, count(int64(len(o.Lines)), "line")),
		attributes: temporal.NewSearchAttributes(
			workflows.AttributeOrderStatus.ValueSet(string(o.Status)),
			workflows.AttributePaymentStatus.ValueSet(o.PaymentAxis),
			workflows.AttributeFulfillmentStatus.ValueSet(o.FulfillmentAxis),
			workflows.AttributeChannel.ValueSet(o.Channel),
			workflows.AttributeOrderTotal.ValueSet(o.Total),
		),
	}
}

func ofReturn(o *order.Order, returnID string) (subject, error) {
	ret := o.Return(returnID)
	if ret == nil {
		return subject{}, fault.NotFoundf("the order has no return %s", returnID)
	}
	var units int64
	for _, l := range ret.Lines {
		units += l.Quantity
	}
	return subject{
		runID: workflows.ReturnWorkflowID(ret.ID), noun: "return",
		workflow: workflows.Return, input: workflows.ReturnInput{OrderID: o.ID, ReturnID: ret.ID},
		summary: fmt.Sprintf("return %d of %s %s · %s", ret.Number, o.Channel, o.ExternalID, count(units, "unit")),
		attributes: temporal.NewSearchAttributes(
			workflows.AttributeReturnStatus.ValueSet(string(ret.Status)),
			workflows.AttributeChannel.ValueSet(o.Channel),
		),
	}, nil
}

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (r *Runs) startOptions(s subject, reuse enumspb.WorkflowIdReusePolicy) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: s.runID, TaskQueue: r.taskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    reuse,
		StaticSummary:            s.summary,
		TypedSearchAttributes:    s.attributes,
	}
}
