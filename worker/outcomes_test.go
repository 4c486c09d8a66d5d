package worker_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

// outcome is what becomes of an order that is paid with a token, or goes to a postal code.
type outcome struct {
	live    func(a *app, o *order.Order) // from its placing to its end
	status  order.Status
	applied []string // in the gateway's and the carrier's own ledgers
}

var (
	plain = outcome{(*app).fulfill, order.Completed, []string{"authorize 4828", "capture 4828", "label"}}

	paidAgain = outcome{func(a *app, o *order.Order) {
		require.Equal(a.t, order.Received, o.Status)
		require.NoError(a.t, a.pay(o, "tok_ok", "second"))
		a.fulfill(a.answered(o))
	}, order.Completed, []string{"authorize refused", "authorize 4828", "capture 4828", "label"}}
)

// answered waits until nobody owes an order an answer, or somebody was called. A command is answered before that when
// a gateway takes its time.
func (a *app) answered(o *order.Order) *order.Order {
	a.t.Helper()
	return a.until(o.ID, "answered", func(o *order.Order) bool {
		return len(o.Steps()) == 0 || o.AttentionCode == order.AttentionStepFailed
	})
}

// boxed takes an accepted order to where its parcel is packed, and labeled if that can be.
func (a *app) boxed(o *order.Order) *order.Order {
	a.t.Helper()
	require.NoError(a.t, a.pick(o))
	require.NoError(a.t, a.pack(o))
	return a.answered(o)
}

// fulfill takes an accepted order to the customer.
func (a *app) fulfill(o *order.Order) {
	a.t.Helper()
	require.NoError(a.t, a.ship(a.boxed(o)))
	a.arrived(o)
}

// arrived delivers what was shipped.
func (a *app) arrived(o *order.Order) {
	a.t.Helper()
	o = a.answered(o)
	require.Equal(a.t, "shipped", o.FulfillmentAxis)
	a.scan(o, shipping.Delivered)
}

// held takes an order to where its capture was refused and its parcel stays.
func (a *app) held(o *order.Order, attention string) *order.Order {
	a.t.Helper()
	require.NoError(a.t, a.ship(a.boxed(o)))
	o = a.answered(o)
	require.Equal(a.t, order.ShipmentHeld, o.Shipments[0].Status)
	require.Equal(a.t, attention, o.AttentionCode)
	require.Nil(a.t, o.Shipments[0].HandedOverAt)
	return o
}

func (a *app) shipAgain(o *order.Order) error {
	a.t.Helper()
	return a.command(o, workflows.UpdateShip, "ship again",
		activities.ShipCommand{Caller: caller(o, "ship again"), FulfillmentID: o.Fulfillments[0].ID})
}

func cancelBoxed(a *app, o *order.Order) { require.NoError(a.t, a.cancel(a.boxed(o))) }

var byToken = map[string]outcome{
	"tok_ok":                     plain,
	"tok_short_window":           plain,
	"tok_refund_refused":         paidBack("refund refused"),
	"tok_refund_timeout_after":   paidBack(),
	"tok_timeout_before":         plain,
	"tok_timeout_after":          plain,
	"tok_key_in_use":             plain,
	"tok_slow":                   plain,
	"tok_rate_limited":           plain,
	"tok_error_500":              plain,
	"tok_garbage":                plain,
	"tok_capture_timeout_before": plain,
	"tok_capture_timeout_after":  plain,
	"tok_declined":               paidAgain,
	"tok_insufficient_funds":     paidAgain,
	"tok_of_nobody":              paidAgain,
	"tok_action_required": {paidAgain.live, order.Completed,
		[]string{"authorize action_required", "authorize 4828", "capture 4828", "label"}},
	"tok_void_timeout_after": {cancelBoxed, order.Cancelled, []string{"authorize 4828", "void 4828", "label", "void_label"}},
	"tok_wrong_amount": {func(a *app, o *order.Order) {
		require.Equal(a.t, order.AttentionGatewayMismatch, o.AttentionCode)
		paidAgain.live(a, o)
	}, order.Completed, []string{"authorize 4827", "void 4827", "authorize 4828", "capture 4828", "label"}},
	"tok_capture_refused_once": {func(a *app, o *order.Order) {
		require.NoError(a.t, a.shipAgain(a.held(o, order.AttentionCaptureRefused)))
		a.arrived(o)
	}, order.Completed, []string{"authorize 4828", "capture refused", "capture 4828", "label"}},
	"tok_capture_refused": {func(a *app, o *order.Order) {
		o = a.held(o, order.AttentionCaptureRefused)
		require.NoError(a.t, a.pay(o, "tok_ok", "second"))
		require.NoError(a.t, a.shipAgain(a.answered(o)))
		a.arrived(o)
	}, order.Completed, []string{"authorize 4828", "capture refused", "authorize 4828", "void 4828", "capture 4828", "label"}},
	"tok_capture_wrong_amount": {func(a *app, o *order.Order) {
		o = a.held(o, order.AttentionGatewayMismatch)
		requireCode(a.t, a.shipAgain(o), "gateway_mismatch") // what was captured is not captured again
		require.NoError(a.t, a.cancel(o))
	}, order.Cancelled, []string{"authorize 4828", "capture 4827", "void 1", "refund 4827", "label", "void_label"}},
}

var byPostalCode = map[string]outcome{
	"00001": {func(a *app, o *order.Order) {
		require.Equal(a.t, order.AttentionLabelRefused, a.boxed(o).AttentionCode)
		requireCode(a.t, a.ship(o), "nothing_to_ship")
		require.NoError(a.t, a.resume(o)) // the address is what it was
		require.Equal(a.t, order.AttentionLabelRefused, a.answered(o).AttentionCode)
		require.NoError(a.t, a.cancel(o))
	}, order.Cancelled, []string{"authorize 4828", "void 4828", "label refused", "label refused"}},
	"00002": plain, "00003": plain, "00004": plain, "00005": plain, "00006": plain, "00007": plain,
	"00011": {cancelBoxed, order.Cancelled, []string{"authorize 4828", "void 4828", "label", "void_label refused"}},
	"00012": {cancelBoxed, order.Cancelled, []string{"authorize 4828", "void 4828", "label", "void_label"}},
	"00020": plain, "00021": plain, "00022": plain, "00023": plain, "00027": plain,
	"00024": gone(order.AttentionParcelReturning, nil, shipping.ReturnToSender),
	"00025": gone(order.AttentionParcelLost, []string{"refund 4828"}, shipping.Lost),
	"00026": gone(order.AttentionParcelFound, []string{"refund 4828"}, shipping.Lost, shipping.Delivered),
}

// applied is what the sandbox's own ledgers say was done for an order.
func (a *app) applied(orderID string) []string {
	a.t.Helper()
	return a.query(`
		SELECT kind || ' ' || CASE outcome WHEN 'succeeded' THEN amount::text ELSE outcome END
		FROM sandbox.payment_ledger WHERE order_id = $1
		UNION ALL SELECT kind || CASE outcome WHEN 'succeeded' THEN '' ELSE ' ' || outcome END
		FROM sandbox.carrier_ledger WHERE order_id = $1`, orderID)
}

// TestEveryOutcome pays with every token and ships to every postal code that the sandbox has a script for, all at
// once, and compares the ends with the sandbox's own books.
func TestEveryOutcome(t *testing.T) {
	t.Parallel()
	for _, token := range sandbox.Tokens() {
		require.Contains(t, byToken, token.Name, "a token without an outcome here")
	}
	for _, code := range sandbox.PostalCodes() {
		require.Contains(t, byPostalCode, code.Code, "a postal code without an outcome here")
	}
	a := start(t)
	a.stock("nyc", "TEE-M", 1000)
	var all sync.WaitGroup
	for token, want := range byToken {
		all.Go(func() { t.Run(token, func(t *testing.T) { want.check(a.in(t), placement(token, token)) }) })
	}
	for code, want := range byPostalCode {
		p := placement(code, "tok_ok")
		p.ShipTo.PostalCode = code
		all.Go(func() { t.Run(code, func(t *testing.T) { want.check(a.in(t), p) }) })
	}
	all.Wait()
	a.books()
}

// in is the app as a subtest uses it.
func (a *app) in(t *testing.T) *app {
	b := *a
	b.t = t
	return &b
}

func (want outcome) check(a *app, p order.Placement) {
	a.t.Helper()
	o := a.write(p)
	a.decided(o)
	want.live(a, a.answered(o))
	o = a.settled(o.ID)
	require.Equal(a.t, want.status, o.Status)
	require.ElementsMatch(a.t, want.applied, a.applied(o.ID))
}

// decided waits for an order's decision for as long as it takes. As in the API, the facts have the last word: the
// sweeper may have started the run, and the run may be over.
func (a *app) decided(o *order.Order) {
	a.t.Helper()
	require.NoError(a.t, a.insist(func() error {
		_, err := a.Runs.Place(a.within(20*time.Second), o)
		if now := a.order(o.ID); now.Decision != order.Undecided || now.Status.Final() || now.AttentionCode != "" {
			return nil
		}
		return err
	}))
}

// Nobody pays in time: the order expires with everything let go that it still held.
func TestGraceExpires(t *testing.T) {
	t.Parallel()
	policy := order.DefaultPolicy()
	policy.PaymentGrace = time.Millisecond
	a := start(t, func(o *worker.Options) { o.Policy = &policy })
	var all sync.WaitGroup
	for token, applied := range map[string][]string{
		"tok_declined":        {"authorize refused"},
		"tok_action_required": {"authorize action_required"},
		"tok_wrong_amount":    {"authorize 4827", "void 4827"},
		"tok_of_nobody":       {"authorize refused"},
	} {
		want := outcome{func(*app, *order.Order) {}, order.Expired, applied}
		all.Go(func() { t.Run(token, func(t *testing.T) { want.check(a.in(t), placement(token, token)) }) })
	}
	all.Wait()
	require.Equal(t, []string{"10 0"}, a.query(`SELECT on_hand, committed FROM stock_levels`))
	a.books()
}

// TestCancelEverywhere cancels an order at every point at which it still can be.
func TestCancelEverywhere(t *testing.T) {
	t.Parallel()
	policy := order.DefaultPolicy()
	policy.AbandonAfter = 5 * time.Second // longer than a request to the sandbox
	a := start(t, func(o *worker.Options) { o.Policy = &policy })
	a.stock("nyc", "TEE-M", 90)
	cancelled := func(until func(a *app, o *order.Order), applied ...string) outcome {
		return outcome{func(a *app, o *order.Order) {
			until(a, o)
			require.NoError(a.t, a.cancel(o))
		}, order.Cancelled, applied}
	}
	var all sync.WaitGroup
	for name, c := range map[string]struct {
		token string
		outcome
	}{
		"declined": {"tok_declined", cancelled(func(*app, *order.Order) {}, "authorize refused")},
		"accepted": {"tok_ok", cancelled(func(*app, *order.Order) {}, "authorize 4828", "void 4828")},
		"picked": {"tok_ok", cancelled(func(a *app, o *order.Order) { require.NoError(a.t, a.pick(o)) },
			"authorize 4828", "void 4828")},
		"packed": {"tok_ok", cancelled(func(a *app, o *order.Order) { a.boxed(o) }, "authorize 4828", "void 4828", "label", "void_label")},
		"held": {"tok_capture_refused", cancelled(func(a *app, o *order.Order) { a.held(o, order.AttentionCaptureRefused) },
			"authorize 4828", "capture refused", "void 4828", "label", "void_label")},
		"held, with another payment": {"tok_capture_refused", cancelled(func(a *app, o *order.Order) {
			require.NoError(a.t, a.pay(a.held(o, order.AttentionCaptureRefused), "tok_ok", "second"))
			a.answered(o)
		}, "authorize 4828", "capture refused", "void 4828", "authorize 4828", "void 4828", "label", "void_label")},
	} {
		all.Go(func() { t.Run(name, func(t *testing.T) { c.check(a.in(t), placement(name, c.token)) }) })
	}
	all.Go(func() {
		t.Run("being paid, and it never arrived", func(t *testing.T) { a.in(t).cancelUnpaid("tok_timeout_before") })
	})
	all.Go(func() {
		t.Run("being paid, and the answer is lost", func(t *testing.T) { a.in(t).cancelUnpaid("tok_timeout_after", "authorize 4828", "void 4828") })
	})
	all.Wait()
	require.Equal(t, []string{"100 0"}, a.query(`SELECT on_hand, committed FROM stock_levels`))
	a.books()
}

// cancelUnpaid cancels while the gateway still owes the answer to the authorization.
func (a *app) cancelUnpaid(token string, applied ...string) {
	a.t.Helper()
	o := a.write(placement(token, token))
	require.NoError(a.t, a.Runs.Ensure(a.t.Context(), o))
	a.until(o.ID, "in doubt", func(o *order.Order) bool { return o.Operations[0].Attempts > 0 })
	require.NoError(a.t, a.cancel(o))
	o = a.settled(o.ID)
	require.Equal(a.t, order.Cancelled, o.Status)
	require.Empty(a.t, o.Payments[0].Open())
	require.Subset(a.t, []string{"authorize 4828", "void 4828"}, a.applied(o.ID))
	if len(applied) > 0 {
		require.ElementsMatch(a.t, applied, a.applied(o.ID))
	}
}
