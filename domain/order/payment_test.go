package order_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

func bankWantsTheCustomer(a *payment.Answer) {
	*a = payment.Answer{Outcome: payment.ActionRequired, Reference: a.Reference, NextURL: "https://bank.example/1"}
}

func TestAuthorized(t *testing.T) {
	w := place(t, readme())
	key := w.answers(payment.Authorize)
	require.Equal(t, "authorize/"+w.o.Payments[0].ID, key)
	require.Equal(t, order.PaymentAuthorized, w.o.Payments[0].Status)
	require.EqualValues(t, 4828, w.o.Payments[0].Open())
	require.Equal(t, "authorized", w.o.PaymentAxis)
	require.Equal(t, []string{"allocate"}, w.steps())
	require.Equal(t, order.WaitingStock, w.o.WaitingFor)
	require.Equal(t, w.now.Add(7*24*time.Hour), *w.o.Deadline, "when the hold lapses, somebody has to look")
}

func TestDeclined(t *testing.T) {
	for _, c := range []struct {
		name     string
		answer   func(*payment.Answer)
		status   order.PaymentStatus
		decision order.Decision
		waits    order.WaitingFor
	}{
		{"by the bank", refused("card_declined"), order.PaymentDeclined, order.DecisionDecline, order.WaitingPayment},
		{"the bank wants the customer", bankWantsTheCustomer, order.PaymentActionRequired, order.DecisionAction, order.WaitingCustomer},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := place(t, readme())
			w.answers(payment.Authorize, c.answer)
			require.Equal(t, order.Received, w.o.Status)
			require.Equal(t, c.decision, w.o.Decision)
			require.Equal(t, c.status, w.o.Payments[0].Status)
			require.Equal(t, c.waits, w.o.WaitingFor)
			require.Equal(t, w.now.Add(w.policy.PaymentGrace), *w.o.WaitingUntil)
			require.Empty(t, w.steps())
			require.Empty(t, w.o.AttentionCode, "that is the customer's affair")

			require.NoError(t, w.pass(time.Hour).pay("tok_2"))
			require.Equal(t, "payment_in_progress", code(w.pay("tok_3")))
			w.answers(payment.Authorize, refused("insufficient_funds"))
			require.Equal(t, morning.Add(w.policy.PaymentGrace), *w.o.WaitingUntil, "a second refusal does not prolong the grace")

			require.NoError(t, w.pay("tok_4"))
			w.answers(payment.Authorize)
			require.Equal(t, c.decision, w.o.Decision, "the answer to placing is given once")
			require.Equal(t, []string{"allocate"}, w.steps())
			require.Equal(t, "payment_not_awaited", code(w.pay("tok_5")))
		})
	}
}

func TestNobodyPaysInTime(t *testing.T) {
	w := place(t, readme())
	w.answers(payment.Authorize, refused("card_declined"))
	w.pass(w.policy.PaymentGrace - time.Second).look()
	require.Equal(t, order.Received, w.o.Status, "not yet")
	w.pass(time.Second).look()
	require.Equal(t, order.Expired, w.o.Status)
	require.True(t, w.o.Settled)
	require.Equal(t, "order_expired", code(w.pay("tok_2")))
	n := len(w.events)
	w.look()
	require.Len(t, w.events, n, "looking again changes nothing")
}

func TestTheCustomerComesBackTooLate(t *testing.T) {
	w := place(t, readme())
	w.answers(payment.Authorize, bankWantsTheCustomer)
	require.NoError(t, w.pass(w.policy.PaymentGrace-time.Second).pay("tok_2"))
	w.pass(time.Second).look()
	require.Equal(t, order.Expired, w.o.Status)
	require.False(t, w.o.Settled, "the second payment may still be held")
	w.answers(payment.Authorize)
	w.answers(payment.Void)
	require.True(t, w.o.Settled)
	require.Equal(t, "voided", w.o.PaymentAxis)
}

// The gateway holds another amount than it was asked for: that is let go, and an operator has to look.
func TestAuthorizedWithAnotherAmount(t *testing.T) {
	for name, change := range map[string]func(*payment.Answer){
		"less": amounting(4827), "more": amounting(4829), "another currency": func(a *payment.Answer) { a.Currency = "EUR" },
	} {
		t.Run(name, func(t *testing.T) {
			w := place(t, readme())
			w.odd = true
			w.answers(payment.Authorize, change)
			require.Equal(t, order.AttentionGatewayMismatch, w.o.AttentionCode)
			require.Equal(t, order.DecisionDecline, w.o.Decision)
			require.Equal(t, []string{"void"}, w.steps(), "nothing is allocated on it")
			w.answers(payment.Void)
			require.NoError(t, w.pay("tok_2"))
			w.answers(payment.Authorize)
			require.Empty(t, w.o.AttentionCode)
			w.allocate()
			require.Equal(t, order.Accepted, w.o.Status)
		})
	}
}

// The first terminal answer stands. The same again changes nothing; another one is for a person.
func TestASecondAnswer(t *testing.T) {
	right := payment.Answer{Outcome: payment.Succeeded, Reference: "ref", Amount: 4828, Currency: "USD"}
	for _, c := range []struct {
		name          string
		first, second payment.Answer
		attention     string
	}{
		{"the same", right, right, ""},
		{"the same refusal", payment.Answer{Outcome: payment.Refused, Code: "x"}, payment.Answer{Outcome: payment.Refused, Code: "x"}, ""},
		{"refused after all", right, payment.Answer{Outcome: payment.Refused, Code: "x"}, order.AttentionGatewayContradict},
		{"held after all", payment.Answer{Outcome: payment.Refused, Code: "x"}, right, order.AttentionGatewayContradict},
		{"another amount", right, payment.Answer{Outcome: payment.Succeeded, Reference: "ref", Amount: 1, Currency: "USD"}, order.AttentionGatewayContradict},
		{"another hold", right, payment.Answer{Outcome: payment.Succeeded, Reference: "ref2", Amount: 4828, Currency: "USD"}, order.AttentionGatewayContradict},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := place(t, readme())
			key := w.o.Operations[0].Key
			w.answer(key, c.first)
			was, n := w.load(), len(w.events)
			w.answer(key, c.second)
			require.Equal(t, c.attention, w.o.AttentionCode)
			require.Equal(t, was.Payments, w.o.Payments, "the books keep the first answer")
			require.Equal(t, was.Operations, w.o.Operations)
			if c.attention == "" {
				require.Len(t, w.events, n)
			}
		})
	}
}

func TestAnAnswerToNothing(t *testing.T) {
	w := place(t, readme())
	was := w.load()
	w.answer("authorize/pay_of_somebody_else", payment.Answer{Outcome: payment.Succeeded, Amount: 4828, Currency: "USD"})
	require.Equal(t, was, w.o)
}

func TestAGatewayThatGivesNoAnswer(t *testing.T) {
	w := place(t, readme())
	key := w.due(payment.Authorize)
	unanswered := func() { w.do(func(o *order.Order, act order.Act) { o.Unanswered(key, "no answer", act) }) }
	unanswered()
	require.Equal(t, payment.Unsettled, w.o.Operation(key).State)
	require.Equal(t, []string{"authorize"}, w.steps(), "it stays due, under the same key")
	require.Empty(t, w.o.AttentionCode)
	w.pass(w.policy.AttentionAfter)
	unanswered()
	require.Equal(t, order.AttentionGatewayUnknown, w.o.AttentionCode)
	require.Equal(t, 2, w.o.Operation(key).Attempts)
	w.answers(payment.Authorize)
	require.Empty(t, w.o.AttentionCode, "an answer takes the call back")
	unanswered()
	require.Equal(t, payment.Done, w.o.Operation(key).State, "late doubt about what is known changes nothing")
}

// A gateway that only ever says "later" calls for somebody too, though nothing is in doubt.
func TestAGatewayThatPutsUsOff(t *testing.T) {
	w := place(t, readme())
	key := w.due(payment.Authorize)
	delayed := func() { w.do(func(o *order.Order, act order.Act) { o.Delayed(key, act) }) }
	was := w.load()
	w.pass(w.policy.AttentionAfter - time.Second)
	delayed()
	require.Equal(t, was, w.o)
	w.pass(time.Second)
	delayed()
	require.Equal(t, order.AttentionGatewayUnknown, w.o.AttentionCode)
	require.Equal(t, payment.Pending, w.o.Operation(key).State, "it was not applied: the next request need not look it up first")
	w.answers(payment.Authorize)
	require.Empty(t, w.o.AttentionCode)
	delayed()
	require.Empty(t, w.o.AttentionCode)
}

// A cancelled order's authorization is only looked up. Found late, it is voided.
func TestAuthorizedAfterTheCancel(t *testing.T) {
	w := place(t, readme())
	key := w.due(payment.Authorize)
	require.NoError(t, w.cancel())
	require.False(t, w.o.Settled)
	require.True(t, w.o.Settling(*w.o.Operation(key)), "nobody sends it any more")
	w.answer(key, payment.Answer{Outcome: payment.Succeeded, Reference: "ref", Amount: 4828, Currency: "USD"})
	require.Equal(t, order.Cancelled, w.o.Status)
	require.Equal(t, []string{"void"}, w.steps())
	require.EqualValues(t, 4828, w.o.Operation(w.due(payment.Void)).Amount)
	w.answers(payment.Void)
	require.True(t, w.o.Settled)
	require.Equal(t, "voided", w.o.PaymentAxis)
}

func TestDeclinedAfterTheCancel(t *testing.T) {
	for name, answer := range map[string]func(*payment.Answer){"declined": refused("card_declined"), "action required": bankWantsTheCustomer} {
		t.Run(name, func(t *testing.T) {
			w := place(t, readme())
			require.NoError(t, w.cancel())
			w.answers(payment.Authorize, answer)
			require.True(t, w.o.Settled)
			require.Empty(t, w.o.Holds, "an order that has ended waits for no payment")
			require.Equal(t, order.Undecided, w.o.Decision)
		})
	}
}

// That a gateway knows nothing of a request proves nothing while the request may still be on its way.
func TestAnAuthorizationThatNobodyKnows(t *testing.T) {
	w := place(t, readme())
	key := w.due(payment.Authorize)
	notFound := func() (settled bool) {
		w.do(func(o *order.Order, act order.Act) { settled = o.NotFound(key, act) })
		return settled
	}
	w.pass(time.Hour)
	require.NoError(t, w.cancel())
	w.pass(w.policy.AbandonAfter - time.Second)
	require.False(t, notFound(), "counted from the cancel, not from when it was first asked")
	require.Equal(t, []string{"authorize"}, w.steps())
	w.pass(time.Second)
	require.True(t, notFound())
	require.Equal(t, payment.Abandoned, w.o.Operation(key).State)
	require.Equal(t, order.PaymentAbandoned, w.o.Payments[0].Status)
	require.True(t, w.o.Settled)

	t.Run("and has it after all", func(t *testing.T) {
		w.pass(time.Hour)
		w.answer(key, payment.Answer{Outcome: payment.Succeeded, Reference: "ref", Amount: 4828, Currency: "USD"})
		require.False(t, w.o.Settled, "the tombstone finds the late effect")
		w.answers(payment.Void)
		require.True(t, w.o.Settled)
	})
}

func TestNotFoundIsNoAnswerWhileThePaymentIsWanted(t *testing.T) {
	w := place(t, readme())
	was := w.load()
	w.do(func(o *order.Order, act order.Act) { require.True(t, o.NotFound(o.Operations[0].Key, act)) })
	require.Equal(t, was, w.o)
}

func TestAHoldThatLapses(t *testing.T) {
	w := accepted(t, readme())
	w.pass(7 * 24 * time.Hour).look()
	p := w.o.Payments[0]
	require.EqualValues(t, 4828, p.Expired)
	require.Zero(t, p.Open())
	require.Equal(t, "expired", w.o.PaymentAxis)
	require.Equal(t, order.AttentionAuthExpired, w.o.AttentionCode)
	require.Equal(t, order.WaitingPayment, w.o.WaitingFor)
	require.Equal(t, "on_hold", w.o.FulfillmentAxis)
	require.Equal(t, "order_on_hold", code(w.try(func(o *order.Order, act order.Act) error {
		return o.Pick(o.Fulfillments[0].ID, everything(o.Fulfillments[0]), act)
	})))
	require.Equal(t, w.now.Add(w.policy.PaymentGrace), *w.o.Deadline)

	require.NoError(t, w.pay("tok_2"))
	w.answers(payment.Authorize)
	require.Empty(t, w.o.AttentionCode)
	w.shipped(w.box(2))
	require.Equal(t, "paid", w.o.PaymentAxis)
}

// The capture was asked for in time; what it took is not written off.
func TestAHoldThatLapsesUnderItsCapture(t *testing.T) {
	w := accepted(t, tees(2))
	w.pick(0).pack(0, w.box(1)).ship(0)
	w.pass(7 * 24 * time.Hour).look()
	require.Empty(t, w.o.Holds)
	w.answers(payment.Capture)
	require.EqualValues(t, 1000, w.o.Payments[0].Captured)
	require.False(t, w.o.Deadline.After(w.now), "the rest is due now")
	w.look()
	require.EqualValues(t, 1000, w.o.Payments[0].Expired)
}

func TestAHoldThatLapsesAndNobodyPaysAgain(t *testing.T) {
	w := accepted(t, readme())
	w.pass(7 * 24 * time.Hour).look()
	w.pass(w.policy.PaymentGrace).look()
	require.Equal(t, order.Expired, w.o.Status)
	require.True(t, w.o.Settled, "nothing is held: nothing to void")
}

// What was shipped is a sale: the grace for the rest ends with a call, not with the order.
func TestAHoldThatLapsesAfterAParcelLeft(t *testing.T) {
	w := accepted(t, readme())
	w.pick(0).pack(0, w.box(1)).ship(0)
	w.answers(payment.Capture)
	w.pass(7 * 24 * time.Hour).look()
	require.NoError(t, w.resume())
	w.pass(w.policy.PaymentGrace).look()
	require.Equal(t, order.Processing, w.o.Status)
	require.Equal(t, order.AttentionPaymentOverdue, w.o.AttentionCode)
	require.Nil(t, w.o.Deadline, "it does not look again every second")
	require.NoError(t, w.resume())
	require.Equal(t, w.now.Add(w.policy.PaymentGrace), *w.o.Deadline, "somebody knows; the wait begins again")
	w.pass(w.policy.PaymentGrace).look()
	require.Equal(t, order.AttentionPaymentOverdue, w.o.AttentionCode)

	require.NoError(t, w.pay("tok_2"))
	require.EqualValues(t, 4828-w.o.Shipments[0].Amount, w.o.LatestPayment().Amount, "what is still to be paid")
	w.answers(payment.Authorize)
	require.Empty(t, w.o.AttentionCode, "it is paid for")
	w.pack(0, w.box(1)).ship(0)
	w.answers(payment.Capture)
	require.Equal(t, "paid", w.o.PaymentAxis)
}

func TestAVoidThatIsRefused(t *testing.T) {
	w := accepted(t, readme())
	require.NoError(t, w.cancel())
	first := w.answers(payment.Void, refused("try_later"))
	require.Equal(t, order.AttentionVoidRefused, w.o.AttentionCode)
	require.EqualValues(t, 4828, w.o.Payments[0].Open(), "the books do not claim that it was let go")
	require.Equal(t, payment.Denied, w.o.Operation(first).State)
}

// While the order goes on, resuming it tries a refused void again, under the next key.
func TestAVoidThatIsRefusedAndTriedAgain(t *testing.T) {
	w := held(t)
	require.NoError(t, w.pay("tok_2"))
	w.answers(payment.Authorize)
	first := w.answers(payment.Void, refused("try_later"))
	require.Equal(t, order.AttentionVoidRefused, w.o.AttentionCode)
	require.NoError(t, w.resume())
	require.Equal(t, first+"/2", w.due(payment.Void))
	w.answers(payment.Void)
	require.Empty(t, w.o.AttentionCode)
	require.Zero(t, w.o.Payments[0].Open())
}

// The same of a refund, as long as something else is left to be done.
func TestARefundThatIsRefusedAndTriedAgain(t *testing.T) {
	w := accepted(t, readme())
	w.odd = true
	w.pick(0).pack(0, w.box(2)).ship(0)
	w.answers(payment.Capture, amounting(4000))
	require.NoError(t, w.cancel())
	first := w.answers(payment.Refund, refused("try_later"))
	require.EqualValues(t, 4000, w.o.Payments[0].Refunding, "it stays reserved: it is still owed")
	require.Equal(t, "refund/"+w.o.Refunds[0].ID, first)
	require.NoError(t, w.resume())
	require.Equal(t, first+"/2", w.due(payment.Refund))
	w.settle()
	require.Equal(t, "refunded", w.o.PaymentAxis)
	require.True(t, w.o.Settled)
}

// A hold that has lapsed cannot be voided and need not be.
func TestAVoidThatComesAfterTheLapse(t *testing.T) {
	w := accepted(t, readme())
	w.pass(7*24*time.Hour - time.Second)
	require.NoError(t, w.cancel())
	w.pass(time.Second)
	w.answers(payment.Void, refused("nothing_to_void"))
	require.EqualValues(t, 4828, w.o.Payments[0].Expired)
	require.Empty(t, w.o.AttentionCode)
	require.True(t, w.o.Settled)
}

func TestAVoidOfAnotherAmount(t *testing.T) {
	w := accepted(t, readme())
	w.odd = true
	require.NoError(t, w.cancel())
	w.answers(payment.Void, amounting(4000))
	require.Equal(t, order.AttentionGatewayMismatch, w.o.AttentionCode)
	require.EqualValues(t, 828, w.o.Payments[0].Open())
}

func TestANewPaymentIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		w    *world
		want string
	}{
		"while the first is asked":     {place(t, readme()), "payment_in_progress"},
		"when nothing is awaited":      {accepted(t, readme()), "payment_not_awaited"},
		"when there is nothing to pay": {accepted(t, goods(order.PlacedLine{SKU: "A", Quantity: 1})), "payment_not_awaited"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, code(c.w.pay("tok_2"))) })
	}
}

func TestANewPaymentIsRefusedWhileACaptureIsUnderWay(t *testing.T) {
	w := accepted(t, tees(2))
	w.pick(0).pack(0, w.box(1), w.box(1)).ship(0)
	w.answers(payment.Capture, refused("capture_refused"))
	require.Equal(t, "capture_in_progress", code(w.pay("tok_2")))
}

// The old hold is let go once the new one stands, never before.
func TestANewPaymentReplacesTheOld(t *testing.T) {
	w := held(t)
	require.NoError(t, w.pay("tok_2"))
	require.Equal(t, []string{"authorize"}, w.steps())
	w.answers(payment.Authorize, refused("card_declined"))
	require.EqualValues(t, 4828, w.o.Payments[0].Open(), "the old one still holds")
	require.NoError(t, w.pay("tok_3"))
	w.answers(payment.Authorize)
	require.Equal(t, []string{"void"}, w.steps())
	require.Equal(t, w.o.Payments[0].ID, w.o.Operation(w.due(payment.Void)).PaymentID)
}

// held is an order whose one parcel is held because its capture was refused.
func held(t tb) *world {
	t.Helper()
	w := accepted(t, readme())
	w.pick(0).pack(0, w.box(2)).ship(0)
	w.answers(payment.Capture, refused("capture_refused"))
	require.Equal(t, order.ShipmentHeld, w.o.Shipments[0].Status)
	return w
}
