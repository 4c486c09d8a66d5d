package demo

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api/client"
)

func TestAnOrderDependsOnItsSeedAndItsNumberAlone(t *testing.T) {
	first := &run{Options: Options{Seed: 7}, code: codeOf(7)}
	again := &run{Options: Options{Seed: 7, Parallel: 9, Orders: 3}, code: codeOf(7)}
	other := &run{Options: Options{Seed: 8}, code: codeOf(8)}
	for i := range 3 * len(scenarios) {
		require.Equal(t, first.newPlay(i).request, again.newPlay(i).request)
		require.NotEqual(t, first.newPlay(i).request.ExternalID, other.newPlay(i).request.ExternalID)
		for _, l := range first.newPlay(i).request.Lines {
			require.Contains(t, l.SKU, first.code, "the run's goods are its own")
		}
	}
}

func TestWhatTheCheckoutSendsIsSensible(t *testing.T) {
	r := &run{Options: Options{Seed: 1}, code: codeOf(1)}
	currencies, totals := map[string]bool{}, map[int64]bool{}
	for i := range 20 * len(scenarios) {
		o := r.newPlay(i).request
		currencies[o.Currency], totals[o.Total] = true, true
		skus := map[string]bool{}
		for _, l := range o.Lines {
			require.False(t, skus[l.SKU], "%s: %s twice", o.ExternalID, l.SKU)
			skus[l.SKU] = true
			require.LessOrEqual(t, len(l.SKU), 64)
		}
		require.LessOrEqual(t, sum(o.Lines), int64(unitsAnOrder))
		require.True(t, strings.HasSuffix(o.Customer.Email, "@example.com"))
		require.Equal(t, o.Customer.Name, o.ShipTo.Name)
		if !scenarios[i%len(scenarios)].is("nothing-to-pay") {
			require.Positive(t, o.Total)
		}
	}
	require.Len(t, currencies, len(markets))
	require.Greater(t, len(totals), 200, "amounts vary")
}

func (s Scenario) is(name string) bool { return s.Name == name }

func sum(lines []client.OrderRequestLine) (units int64) {
	for _, l := range lines {
		units += l.Quantity
	}
	return units
}

func TestEveryScenarioSaysWhatHappens(t *testing.T) {
	names := map[string]bool{}
	for _, s := range Scenarios() {
		require.False(t, names[s.Name], s.Name)
		names[s.Name] = true
		require.True(t, strings.HasSuffix(s.What, "."), s.What)
		require.LessOrEqual(t, utf8.RuneCountInString(s.What), 90, "%s fits beside the names in 120 columns", s.Name)
		require.NotEmpty(t, s.steps, s.Name)
		require.NotEmpty(t, s.Ends, s.Name)
	}
	require.LessOrEqual(t, len(names), 50, "waybill demo as it comes shows every kind")
}

func TestMinor(t *testing.T) {
	for text, got := range map[string]string{"48.28": minor(4828, 2), "0.05": minor(5, 2), "-0.05": minor(-5, 2), "4828": minor(4828, 0),
		"0.00": minor(0, 2), "0": minor(0, 0), "1.005": minor(1005, 3)} {
		require.Equal(t, text, got)
	}
}

// TestBooksThatDoNotFootAreTold: one order of 10.00 that was captured and delivered, tampered with.
func TestBooksThatDoNotFootAreTold(t *testing.T) {
	amount := int64(1000)
	whole := func() tale {
		return tale{
			order: &client.Order{Status: client.OrderStatusCompleted, Currency: "USD", Total: amount,
				Amounts:  client.Amounts{Authorized: amount, Captured: amount, Refunded: 300},
				Payments: []client.Payment{{Status: client.PaymentAttemptStatusAuthorized, Authorized: amount, Captured: amount, Refunded: 300}},
				Refunds:  []client.Refund{{Amount: 300, Status: client.RefundStatusSucceeded}, {Amount: 1, Status: client.RefundStatusPending}},
				Lines:    []client.OrderLine{{Quantity: 2, Shipped: 2, Delivered: 2}}},
			timeline: []client.TimelineEntry{{Type: "payment.captured", Amount: &amount}, {Type: "payment.refunded", Amount: ptr(int64(300))}},
		}
	}
	require.Empty(t, moneyOf([]tale{whole()})[0].Differences)
	require.Empty(t, unitsOf([]tale{whole()}).Differences)
	for what, spoil := range map[string]func(*tale){
		"held, captured and voided come to": func(t *tale) { t.order.Payments[0].Captured = 900 },
		"orders and payments: refunded":     func(t *tale) { t.order.Amounts.Refunded = 0 },
		"refunds that succeeded":            func(t *tale) { t.order.Refunds[1].Status = client.RefundStatusSucceeded },
		"timelines and payments: captured":  func(t *tale) { t.timeline = t.timeline[1:] },
		"timelines and payments: refunded":  func(t *tale) { t.timeline = t.timeline[:1] },
		"cancelled, open and shipped":       func(t *tale) { t.order.Lines[0].Shipped = 1 },
		"on the way, delivered, lost":       func(t *tale) { t.order.Lines[0].Delivered = 1 },
	} {
		spoiled := whole()
		spoil(&spoiled)
		r := Report{Money: moneyOf([]tale{spoiled}), Units: unitsOf([]tale{spoiled})}
		require.False(t, r.Foots(), what)
		var text strings.Builder
		require.NoError(t, r.Write(&text))
		require.Contains(t, text.String(), "IT DOES NOT FOOT  "+what)
	}
}

func ptr[T any](v T) *T { return &v }
