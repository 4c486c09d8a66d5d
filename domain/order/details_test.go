package order_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// verifyDetails checks what an operator must find in the details of a run, whatever happened.
func (w *world) verifyDetails(f order.Facts) {
	w.t.Helper()
	require.LessOrEqual(w.t, len(f.Details), 12_000)
	page := f.Page()
	require.True(w.t, utf8.ValidString(page))
	require.True(w.t, strings.HasPrefix(page, "**"), "the headline comes first")
	require.NotRegexp(w.t, `(?m)^\{`, page, "a mark that stands for nothing")
	if f.Attention != "" {
		require.Contains(w.t, page, "**Attention: "+f.Attention+"**")
		require.Contains(w.t, page, order.GuideTo(f.Attention).Meaning)
		require.Contains(w.t, page, order.GuideTo(f.Attention).For(f.OrderID, f.ReturnID))
	}
	require.Equal(w.t, f.Deadline != nil, f.DeadlineFor != "", "a deadline says what for")
	if f.Deadline != nil {
		require.Contains(w.t, page, "**By itself:** ")
		require.Contains(w.t, page, f.Deadline.UTC().Format("2006-01-02 15:04 MST"))
	}
	require.Less(w.t, len(f.DeadlineFor), 300, "the summary of a timer")
}

func TestDetailsOfAnOrder(t *testing.T) {
	w := accepted(t, readme())
	require.Equal(t, strings.ReplaceAll(`**Accepted** · **waits for the warehouse** at nyc

payment authorized · fulfillment unfulfilled

**By itself:** authorization of payment 1 lapses, 2026-03-08 08:00 UTC

**Lines**

| SKU_ | ordered_ | now |
|:---|:---|:---|
| 'TEE-M'_ | 2_ | 2 not shipped |

**Warehouse**

| fulfillment order_ | status_ | units_ | of them |
|:---|:---|:---|:---|
| 1 at nyc_ | open_ | 2_ |  |

**Money, USD**

| payment_ | status_ | held_ | captured_ | let go_ | refunded |
|:---|:---|:---|:---|:---|:---|
| 1 on sandbox_ | authorized_ | 48.28_ | 0.00_ | 0.00_ | 0.00 |

**Request Cancellation** cancels the whole order: held money is let go and taken money refunded, stock released, labels voided

As of 2026-03-01 08:00 UTC, version 3. Everything: 'GET /v1/orders/ORDER', what happened: 'GET /v1/orders/ORDER/timeline'
`, "ORDER", w.o.ID), strings.TrimSuffix(strings.NewReplacer("`", "'", "\u2003", "_").Replace(w.o.Facts().Page()), "\n\u00a0\n"))
}

func TestDetailsSayWhatToDo(t *testing.T) {
	w := held(t)
	require.Contains(t, w.o.Facts().Page(), `> **Attention: capture_refused** since 2026-03-01 08:00 UTC
>
> capture of 48.28 USD for parcel 1 was refused: capture_refused

**What it means:** A parcel is packed and the money for it cannot be taken.`)
	require.Contains(t, w.o.Facts().Page(), "`POST /v1/orders/"+w.o.ID+"/payment`")
	w = place(t, readme())
	w.answers(payment.Authorize, refused("card_declined"))
	require.Contains(t, w.o.Facts().Page(), "**waits for a payment** until 2026-03-02 08:00 UTC")
	require.Equal(t, "payment grace ends, the order expires", w.o.Facts().DeadlineFor)
	require.Contains(t, w.o.Facts().Page(), "declined card_declined")
}

func TestDetailsSayWhatRequestCancellationWouldDo(t *testing.T) {
	w := accepted(t, readme()).pick(0)
	w.pack(0, w.box(2))
	require.Contains(t, w.o.Facts().Page(), "**Request Cancellation** cancels the whole order")
	w.ship(0)
	require.Contains(t, w.o.Facts().Page(), "**Request Cancellation** would be refused: parcel 1 is being shipped")
	w.answers(payment.Capture)
	require.Contains(t, w.o.Facts().Page(), "**Request Cancellation** would be refused: parcel 1 was handed to the carrier")
	w.scan(0, shipping.Delivered, time.Hour)
	require.NotContains(t, w.o.Facts().Page(), "**Request Cancellation**", "there is no button any more")
	require.Contains(t, w.o.Facts().Page(), "when this run ended")

	w = accepted(t, tees(3)).pick(0)
	w.pack(0, w.box(2)).ship(0)
	w.answers(payment.Capture)
	require.Contains(t, w.o.Facts().Page(), "**Request Cancellation** would be refused: parcel 1 was handed to the carrier: what is left is a return. "+
		"What has not left is cancelled by the update `cancel` with `{\"lines\":[{\"line_id\":\""+w.o.Lines[0].ID+"\",\"quantity\":1}]}`")
}

// A hold's reason is text that somebody wrote: it must not become markup, end a cell, or grow.
func TestDetailsKeepMarkupOut(t *testing.T) {
	w := accepted(t, goods(order.PlacedLine{SKU: "A|B`<b>\n", Quantity: 1, UnitPrice: 1000}))
	until := w.now.Add(time.Hour)
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error {
		return o.PlaceHold("", order.HoldRequest{Reason: "<img src=x>\n**" + strings.Repeat("long", 200), Deadline: &until}, act)
	}))
	f := w.o.Facts()
	require.Contains(t, f.Page(), "| `A/B'<b>`\u2003 |")
	require.Contains(t, f.Page(), "**Hold &lt;img src=x> \\*\\*longlong")
	require.Contains(t, f.Page(), `the update `+"`release_hold` with `{\"hold_id\":\""+w.o.Holds[0].ID+"\"}`")
	require.Less(t, len(f.Page()), 4_000)
}

// A run takes 20,000 bytes of details and summaries of 400.
func TestDetailsOfALargeOrderStaySmall(t *testing.T) {
	var lines []order.PlacedLine
	for i := range 500 {
		lines = append(lines, order.PlacedLine{SKU: fmt.Sprintf("%d%s", i, strings.Repeat("Ж", 90)), Quantity: 1, UnitPrice: 1000})
	}
	w := accepted(t, goods(lines...)).pick(0)
	var boxes []order.Parcel
	for i := range 100 {
		units := make([]int64, 500)
		units[i] = 1
		boxes = append(boxes, w.box(units...))
	}
	require.NoError(t, w.tryPack(0, boxes...))
	f := w.o.Facts()
	require.Less(t, len(f.Page()), 15_000)
	require.Contains(t, f.Page(), "… and 480 more")
	require.Contains(t, f.Page(), "… and 80 more")
	require.Contains(t, f.Page(), "As of ", "to its end")
	require.Len(t, f.Steps, 100)
	for _, s := range f.Steps {
		require.Less(t, len(s.Summary), 400)
	}
}

func TestDetailsOfAReturn(t *testing.T) {
	w := arrived(t)
	r, err := w.asks(returns.DoesNotFit, 1)
	require.NoError(t, err)
	d := w.o.ReturnFacts(r).Page()
	require.Contains(t, d, "**Requested** · **waits for an operator**")
	require.Contains(t, d, "[order `"+w.o.ID+"`]("+order.RunLink("order/"+w.o.ID)+")")
	require.Contains(t, d, "to decide: the update `approve` or `decline`")
	require.Contains(t, d, "**Pays back** up to 10.34 USD")
	require.Contains(t, w.o.Facts().Page(), "[Return 1]("+order.RunLink("return/"+r)+"): requested")
}

// Units that came back are not on their way any more, and what was found of them stands with the return.
func TestDetailsOfWhatCameBack(t *testing.T) {
	w := accepted(t, tees(2))
	w.shipped(w.box(2)).scan(0, shipping.ReturnToSender, time.Hour)
	require.Contains(t, w.o.Facts().Page(), "| 2 not delivered, coming back |")
	require.NoError(t, w.receive(w.o.Returns[0].ID, 2))
	require.Contains(t, w.o.Facts().Page(), "| 2 not delivered, back here |")

	w = arrived(t)
	r := w.comesBack(returns.ChangedMind, 2)
	require.NotContains(t, w.o.ReturnFacts(r).Page(), "in_transit")
	w.inspect(r, graded(w, 2, returns.GradeC))
	require.Contains(t, w.o.ReturnFacts(r).Page(), "| 2\u2003 | C\u2003 | 50 %\u2003 | quality_control\u2003 | nyc |")
	require.Contains(t, w.o.Facts().Page(), "delivered, 2 of them returned")

	w = arrived(t)
	r, err := w.asks(returns.Damaged, 1)
	require.NoError(t, err)
	require.NoError(t, w.approve(r, true))
	require.Contains(t, w.o.ReturnFacts(r).Page(), "| 1 left with the customer |")
}

// Every activity's result carries the details, so that words which are always the same are put in where they are shown.
func TestDetailsCarryNoConstantWords(t *testing.T) {
	f := accepted(t, readme()).o.Facts()
	require.Less(t, len(f.Details)*2, len(f.Page()))
	for _, words := range []string{"GET /v1", "Request Cancellation", "tracking number", f.OrderID} {
		require.NotContains(t, f.Details, words)
	}
	f = held(t).o.Facts()
	require.NotContains(t, f.Details, order.GuideTo(f.Attention).Meaning)
	require.Contains(t, f.Page(), order.GuideTo(f.Attention).Meaning)
}

// Nothing that somebody wrote is taken for a mark, and details without any, as in histories of earlier days, stay as
// they are.
func TestMarksAreOurs(t *testing.T) {
	w := accepted(t, goods(order.PlacedLine{SKU: "{guide}", Quantity: 1, UnitPrice: 1000}))
	w.do(func(o *order.Order, act order.Act) { o.StepFailed("{money}", "{end} {guide}", act) })
	require.Contains(t, w.o.Facts().Page(), "| `{guide}`\u2003 |")
	require.Contains(t, w.o.Facts().Page(), "> {money}: {end} {guide}\n")
	early := "**Accepted**\n\n{unknown}\n\nAs of today\n\n\u00a0\n"
	require.Equal(t, early, order.Facts{Details: early}.Page())
}

// Whoever is to mend something finds the ids for it on the page.
func TestDetailsHaveTheIdsThatACallNeeds(t *testing.T) {
	w := held(t)
	for _, id := range []string{w.o.Lines[0].ID, w.o.Fulfillments[0].ID, w.o.Shipments[0].ID} {
		require.Contains(t, w.o.Facts().Page(), "`"+id+"` |")
		require.NotContains(t, accepted(t, readme()).o.Facts().Page(), "`"+id+"`")
	}
}

func TestDetailsSayWhatBecameOfAPayment(t *testing.T) {
	w := accepted(t, tees(3)).pick(0)
	w.pack(0, w.box(2)).ship(0)
	w.answers(payment.Capture)
	require.Contains(t, w.o.Facts().Page(), "| 1 on sandbox\u2003 | partially captured\u2003 |")
	w = accepted(t, readme())
	require.NoError(t, w.cancel())
	w.answers(payment.Void)
	require.Contains(t, w.o.Facts().Page(), "| 1 on sandbox\u2003 | voided\u2003 |")
	require.Contains(t, arrived(t).o.Facts().Page(), "| 1 on sandbox\u2003 | captured\u2003 |")
}

// The attempt that finds out that a gateway has been silent for too long fails, and brings no facts back to the run:
// without a call it would show no attention until the gateway answers.
func TestTheRunHearsThatAGatewayIsSilent(t *testing.T) {
	w := accepted(t, readme()).pick(0)
	require.NoError(t, w.tryPack(0, w.box(2)))
	label := w.due(shipping.BuyLabel)
	silent := func(o *order.Order, act order.Act) { o.Unanswered(label, "no answer", act) }
	w.do(silent)
	require.Zero(t, w.woken)
	w.pass(w.policy.AttentionAfter).do(silent)
	require.Equal(t, order.AttentionGatewayUnknown, w.o.AttentionCode)
	require.Equal(t, 1, w.woken)
	w.pass(time.Minute).do(silent)
	require.Equal(t, 1, w.woken, "once is enough")

	w = arrived(t)
	r, err := w.asks(returns.DoesNotFit, 1)
	require.NoError(t, err)
	require.NoError(t, w.approve(r, false))
	label, before := w.stepOf(r), len(w.calls)
	w.pass(w.policy.AttentionAfter).do(silent)
	require.Equal(t, order.AttentionGatewayUnknown, w.o.Return(r).AttentionCode)
	require.Equal(t, []string{r}, w.calls[before:])
}
