package workflows

import (
	"net/url"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// The search attributes by which operators find runs. They carry ids and states only, since nothing encrypts them.
var (
	AttributeOrderStatus       = temporal.NewSearchAttributeKeyKeyword("OrderStatus")
	AttributePaymentStatus     = temporal.NewSearchAttributeKeyKeyword("PaymentStatus")
	AttributeFulfillmentStatus = temporal.NewSearchAttributeKeyKeyword("FulfillmentStatus")
	AttributeReturnStatus      = temporal.NewSearchAttributeKeyKeyword("ReturnStatus") // runs of returns only
	AttributeWaitingFor        = temporal.NewSearchAttributeKeyKeyword("WaitingFor")
	AttributeAttention         = temporal.NewSearchAttributeKeyKeyword("Attention")
	AttributeChannel           = temporal.NewSearchAttributeKeyKeyword("Channel")
	AttributeLocation          = temporal.NewSearchAttributeKeyKeywordList("Location")
	AttributeDueAt             = temporal.NewSearchAttributeKeyTime("DueAt")
	AttributeOrderTotal        = temporal.NewSearchAttributeKeyInt64("OrderTotal")
)

// SearchAttributes is what has to be created in a namespace before orders run in it. A server on SQL has room for ten
// of the keywords.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		AttributeOrderStatus.GetName():       enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributePaymentStatus.GetName():     enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributeFulfillmentStatus.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributeReturnStatus.GetName():      enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributeWaitingFor.GetName():        enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributeAttention.GetName():         enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributeChannel.GetName():           enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributeLocation.GetName():          enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST,
		AttributeDueAt.GetName():             enumspb.INDEXED_VALUE_TYPE_DATETIME,
		AttributeOrderTotal.GetName():        enumspb.INDEXED_VALUE_TYPE_INT,
	}
}

// shown is what the search attributes last said, of that which makes them worth changing.
type shown struct {
	payment, attention string
	waiting            order.WaitingFor
	returned           returns.Status
	final              bool
}

// publish tells operators where the run stands: the details with every change, which costs nothing; the search
// attributes, which cost an action each time, only when the money, the cause for attention, what is waited for, or
// a return's status is another: in a plain order when it is decided, shipped and over.
func (r *run) publish(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, r.details(workflow.GetInfo(ctx).Namespace))
	f := r.facts
	now := shown{payment: f.PaymentStatus, attention: f.Attention, waiting: f.WaitingFor, final: f.Status.Final()}
	if r.subject.ReturnID != "" {
		now = shown{attention: f.Attention, waiting: f.WaitingFor, returned: f.ReturnStatus}
	}
	if !r.quiet() || now == r.shown {
		return
	}
	r.shown = now
	updates := []temporal.SearchAttributeUpdate{
		keyword(AttributeWaitingFor, string(f.WaitingFor)),
		keyword(AttributeAttention, f.Attention),
		due(f),
	}
	if r.subject.ReturnID != "" {
		updates = append(updates, AttributeReturnStatus.ValueSet(string(f.ReturnStatus)))
	} else {
		updates = append(updates, AttributeOrderStatus.ValueSet(string(f.Status)),
			AttributePaymentStatus.ValueSet(f.PaymentStatus), AttributeFulfillmentStatus.ValueSet(f.FulfillmentStatus))
	}
	if len(f.Locations) > 0 {
		updates = append(updates, AttributeLocation.ValueSet(f.Locations))
	}
	_ = workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// details are those of the facts, with what only the run knows under their headline: what is in trouble at this moment.
func (r *run) details(namespace string) string {
	headline, rest, _ := strings.Cut(r.facts.Page(), "\n\n")
	said := []string{headline}
	if r.notice != "" {
		said = append(said, r.notice)
	}
	for i, due := range r.facts.Steps {
		if i == troublesMax {
			said = append(said, "… and more under Pending Activities")
			break
		}
		if s := r.steps[due.Key]; s != nil {
			said = append(said, s.trouble(due.Summary))
		}
	}
	return resolve(strings.Join(append(said, rest), "\n\n"), namespace)
}

// troublesMax keeps the details within what Temporal takes.
const troublesMax = 8

// trouble says how a step stands that the run has taken on.
func (s *step) trouble(summary string) string {
	since := s.since.UTC().Format("2006-01-02 15:04 MST")
	switch {
	case s.failed:
		return "**Given up:** " + summary + ", begun " + since + ". It is tried again when somebody resumes."
	case s.visible:
		return "**In trouble:** " + summary + ", begun " + since + ". It goes on by itself, under the same key; its last failure is under *Pending Activities*."
	}
	return "**Under way:** " + summary
}

// resolve makes links to runs in details links of the web UI. They are relative to the page on which the UI renders
// markdown, so that they hold under whatever address the UI is served.
func resolve(details, namespace string) string {
	link := "](namespaces/" + url.PathEscape(namespace) + "/workflows/"
	return strings.NewReplacer("]("+order.RunLink(WorkflowID("")), link+url.PathEscape(WorkflowID("")),
		"]("+order.RunLink(ReturnWorkflowID("")), link+url.PathEscape(ReturnWorkflowID(""))).Replace(details)
}

func keyword(key temporal.SearchAttributeKeyKeyword, value string) temporal.SearchAttributeUpdate {
	if value == "" {
		return key.ValueUnset()
	}
	return key.ValueSet(value)
}

// due is the earlier of the times until which somebody is waited for, and at which something happens by itself.
func due(f order.Facts) temporal.SearchAttributeUpdate {
	at := f.WaitingUntil
	if at == nil || f.Deadline != nil && f.Deadline.Before(*at) {
		at = f.Deadline
	}
	if at == nil {
		return AttributeDueAt.ValueUnset()
	}
	return AttributeDueAt.ValueSet(*at)
}
