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
	require.LessOrEqual(w.t, len(f.Details), 15_000)
	require.True(w.t, utf8.ValidString(f.Details))
	require.True(w.t, strings.HasPrefix(f.Details, "**"), "the headline comes first")
	if f.Attention != "" {
		require.Contains(w.t, f.Details, "**Attention: "+f.Attention+"**")
		require.Contains(w.t, f.Details, order.GuideTo(f.Attention).Meaning)
		require.Contains(w.t, f.Details, order.GuideTo(f.Attention).For(f.OrderID, f.ReturnID))
	}
	require.Equal(w.t, f.Deadline != nil, f.DeadlineFor != "", "a deadline says what for")
	if f.Deadline != nil {
		require.Contains(w.t, f.Details, "**By itself:** ")
		require.Contains(w.t, f.Details, f.Deadline.UTC().Format("2006-01-02 15:04 MST"))
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
`, "ORDER", w.o.ID), strings.TrimSuffix(strings.NewReplacer("`", "'", "\u2003", "_").Replace(w.o.Facts().Details), "\n\u00a0\n"))
}

func TestDetailsSayWhatToDo(t *testing.T) {
	w := held(t)
	require.Contains(t, w.o.Facts().Details, `> **Attention: capture_refused** since 2026-03-01 08:00 UTC

capture of 48.28 USD for parcel 1 was refused: capture_refused

**What it means:** A parcel is packed and the money for it cannot be taken.`)
	require.Contains(t, w.o.Facts().Details, "`POST /v1/orders/"+w.o.ID+"/payment`")
	w = place(t, readme())
	w.answers(payment.Authorize, refused("card_declined"))
	require.Contains(t, w.o.Facts().Details, "**waits for a payment** until 2026-03-02 08:00 UTC")
	require.Equal(t, "payment grace ends, the order expires", w.o.Facts().DeadlineFor)
	require.Contains(t, w.o.Facts().Details, "declined card_declined")
}

func TestDetailsSayWhatRequestCancellationWouldDo(t *testing.T) {
	w := accepted(t, readme()).pick(0)
	w.pack(0, w.box(2))
	require.Contains(t, w.o.Facts().Details, "**Request Cancellation** cancels the whole order")
	w.ship(0)
	require.Contains(t, w.o.Facts().Details, "**Request Cancellation** would be refused: parcel 1 is being shipped")
	w.answers(payment.Capture)
	require.Contains(t, w.o.Facts().Details, "**Request Cancellation** would be refused: parcel 1 was handed to the carrier")
	w.scan(0, shipping.Delivered, time.Hour)
	require.Contains(t, w.o.Facts().Details, "**Request Cancellation** would be refused: parcel 1 was handed to the carrier")
}

// A hold's reason is text that somebody wrote: it must not become markup, end a cell, or grow.
func TestDetailsKeepMarkupOut(t *testing.T) {
	w := accepted(t, goods(order.PlacedLine{SKU: "A|B`<b>\n", Quantity: 1, UnitPrice: 1000}))
	until := w.now.Add(time.Hour)
	require.NoError(t, w.try(func(o *order.Order, act order.Act) error {
		return o.PlaceHold("", order.HoldRequest{Reason: "<img src=x>\n**" + strings.Repeat("long", 200), Deadline: &until}, act)
	}))
	f := w.o.Facts()
	require.Contains(t, f.Details, "| `A/B'<b>`\u2003 |")
	require.Contains(t, f.Details, "**Hold &lt;img src=x> \\*\\*longlong")
	require.Contains(t, f.Details, `the update `+"`release_hold` with `{\"hold_id\":\""+w.o.Holds[0].ID+"\"}`")
	require.Less(t, len(f.Details), 4_000)
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
	require.Less(t, len(f.Details), 15_000)
	require.Contains(t, f.Details, "… and 480 more")
	require.Contains(t, f.Details, "… and 80 more")
	require.Contains(t, f.Details, "As of ", "to its end")
	require.Len(t, f.Steps, 100)
	for _, s := range f.Steps {
		require.Less(t, len(s.Summary), 400)
	}
}

func TestDetailsOfAReturn(t *testing.T) {
	w := arrived(t)
	r, err := w.asks(returns.DoesNotFit, 1)
	require.NoError(t, err)
	d := w.o.ReturnFacts(r).Details
	require.Contains(t, d, "**Requested** · **waits for an operator**")
	require.Contains(t, d, "[order `"+w.o.ID+"`]("+order.RunLink("order/"+w.o.ID)+")")
	require.Contains(t, d, "**Decide:** `POST /v1/returns/"+r+"/approve`")
	require.Contains(t, w.o.Facts().Details, "[Return 1]("+order.RunLink("return/"+r)+"): requested")
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
