package worker_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/sandbox"
)

// graded takes an order that arrived back to where its goods are graded and its money is asked for.
func (a *app) graded(o *order.Order) back {
	a.t.Helper()
	a.fulfill(o)
	b := a.sendBack(a.settled(o.ID), 2, returns.ChangedMind)
	b.approve()
	b.labeled()
	b.receive(2)
	b.inspect(2, returns.GradeA)
	return b
}

// paidBack is an order of which both units are returned, and paid back as the token says.
func paidBack(more ...string) outcome {
	return outcome{func(a *app, o *order.Order) {
		b := a.graded(o)
		r := b.until("answered", func(r *order.Return) bool { return r.Settled || r.AttentionCode != "" })
		if r.AttentionCode != "" {
			require.Equal(a.t, order.AttentionRefundRefused, r.AttentionCode)
			a.relent(o.ID)
			b.resume()
		}
		b.settled(returns.Closed)
		require.EqualValues(a.t, 4328, a.refunded(o.ID))
	}, order.Completed, append([]string{"authorize 4828", "capture 4828", "label", "label", "refund 4328"}, more...)}
}

// gone is an order whose parcel ends as the carrier says, one scan after the other.
func gone(attention string, applied []string, ends ...shipping.Tracking) outcome {
	return outcome{func(a *app, o *order.Order) {
		require.NoError(a.t, a.ship(a.boxed(o)))
		o = a.answered(o)
		for _, end := range ends {
			a.scan(o, end)
		}
		require.Equal(a.t, attention, a.order(o.ID).AttentionCode)
	}, order.Completed, append([]string{"authorize 4828", "capture 4828", "label"}, applied...)}
}

// ofReturnLabels is what a postal code does to the label of a way back, by its code; with what the carrier's own
// ledger says of it.
var ofReturnLabels = map[string][]string{
	"00001": {"label refused", "label", "void_label"}, // once the address is mended
	"00002": boughtAndVoided, "00003": boughtAndVoided, "00004": boughtAndVoided, "00005": boughtAndVoided,
	"00006": boughtAndVoided, "00007": boughtAndVoided,
	"00011": {"label", "void_label refused"},
	"00012": boughtAndVoided,
}

var boughtAndVoided = []string{"label", "void_label"}

// TestEveryOutcomeOfAReturnLabel buys the label of a return, and voids it, under every postal code that has a script
// for that.
func TestEveryOutcomeOfAReturnLabel(t *testing.T) {
	t.Parallel()
	for _, code := range sandbox.PostalCodes() {
		if code.Code < "00020" {
			require.Contains(t, ofReturnLabels, code.Code, "a postal code without an outcome here")
		}
	}
	a := start(t)
	a.stock("nyc", "TEE-M", 1000)
	var all sync.WaitGroup
	for code, applied := range ofReturnLabels {
		all.Go(func() {
			t.Run(code, func(t *testing.T) { a.in(t).labelBack(code, applied) })
		})
	}
	all.Wait()
	a.books()
}

func (a *app) labelBack(code string, applied []string) {
	a.t.Helper()
	o := a.write(placement(code, "tok_ok"))
	a.decided(o)
	a.fulfill(a.answered(o))
	o = a.settled(o.ID)
	a.livesAt(o.ID, code)
	b := a.sendBack(o, 2, returns.ChangedMind)
	b.approve()
	r := b.until("answered", func(r *order.Return) bool { return r.TrackingNumber != "" || r.LabelCode != "" })
	if r.LabelCode != "" {
		require.Equal(a.t, order.AttentionLabelRefused, r.AttentionCode)
		a.livesAt(o.ID, "94107")
		b.resume()
		b.labeled()
	}
	b.cancel()
	r = b.settled(returns.Cancelled)
	if code == "00011" {
		require.Equal(a.t, order.AttentionLabelVoidRefused, r.AttentionCode)
	}
	require.ElementsMatch(a.t, slices.Concat(applied, []string{"authorize 4828", "capture 4828", "label"}), a.applied(o.ID))
}
