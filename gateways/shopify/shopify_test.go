package shopify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/gateways/shopify"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
)

var fixtures = []string{"testdata/paid-kwd.json", "testdata/stacked-discounts-hkd.json", "testdata/zero-decimals-vnd.json",
	"testdata/authorized-does-not-foot.json", "testdata/voided-test.json", "testdata/refund-calculation.json"}

// expect is what is to be reported of an order and what it is to become.
type expect struct {
	name    string
	result  shopify.Result
	status  order.Status
	payment string // the order's payment axis, in the end
	reason  string // of its hold
	why     string
}

func (a *app) check(outcomes []shopify.Outcome, want []expect) {
	a.t.Helper()
	require.Len(a.t, outcomes, len(want))
	for i, w := range want {
		o := outcomes[i]
		require.Equal(a.t, w.name, o.Name)
		require.Equal(a.t, w.result, o.Result, "%s: %+v", w.name, o)
		require.Equal(a.t, w.status, o.Status, w.name)
		require.Equal(a.t, w.status == "", o.OrderID == "", w.name)
		if w.reason == "" {
			require.Empty(a.t, o.Holds, w.name)
		} else {
			require.Len(a.t, o.Holds, 1, w.name)
			require.Equal(a.t, w.reason, o.Holds[0].Reason, w.name)
			require.Contains(a.t, o.Holds[0].Detail, w.why, w.name)
		}
		if w.reason == "" && w.why != "" {
			require.Contains(a.t, o.Notes, w.why, w.name)
		}
		if o.OrderID != "" {
			a.until(o.OrderID, w.payment, func(x *order.Order) bool { return x.PaymentAxis == w.payment })
		}
	}
}

func TestImportOfEveryKindOfFile(t *testing.T) {
	a := start(t)
	a.stock("TEE-M", 10)
	outcomes := a.run(fixtures...)
	want := []expect{
		{name: "#4001", result: shopify.Imported, status: order.Accepted, payment: "paid"},
		{name: "#2071", result: shopify.Held, status: order.Received, payment: "paid", reason: "address_incomplete", why: "no shipping address"},
		{name: "#3001", result: shopify.Held, status: order.Received, payment: "paid", reason: "address_incomplete", why: "no street (address1) and no city"},
		{name: "#1001", result: shopify.Held, status: order.Received, payment: "authorized", reason: "totals_differ",
			why: "lines, tax, shipping and discounts come to 608.94 USD, total_price says 409.94: 199.00 less"},
		{name: "#9999", result: shopify.Skipped, why: "it is a test order, it was cancelled on 2016-05-17 (customer) and its payment was voided"},
		{result: shopify.Skipped, why: "a refund calculation, not an order"},
	}
	a.check(outcomes, want)
	require.True(t, shopify.Complete(outcomes))
	for _, o := range outcomes[1:4] {
		held := a.until(o.OrderID, "waiting for an operator", func(x *order.Order) bool { return x.WaitingFor == order.WaitingOperator })
		require.Equal(t, "on_hold", held.FulfillmentAxis)
		require.Equal(t, order.DecisionHeld, held.Decision)
		require.Empty(t, held.Allocations)
		require.Empty(t, held.AttentionCode)
	}
	accepted := a.order(outcomes[0].OrderID)
	require.Equal(t, "shopify", accepted.Channel)
	require.Equal(t, "7000000000001", accepted.ExternalID)
	require.Equal(t, "import/shopify/7000000000001", accepted.IdempotencyKey)
	require.EqualValues(t, 24250, accepted.Payments[0].Captured)
	require.EqualValues(t, 2, accepted.Allocations[0].Quantity)
	a.clean()
	a.nothingChanges(outcomes)
	a.clean()
}

// nothingChanges imports the same again and compares everything that is stored.
func (a *app) nothingChanges(outcomes []shopify.Outcome) {
	a.t.Helper()
	var before []*order.Order
	for _, o := range outcomes {
		if o.OrderID != "" {
			before = append(before, a.order(o.OrderID))
		}
	}
	again := a.run(fixtures...)
	for i, o := range again {
		if outcomes[i].OrderID == "" {
			require.Equal(a.t, outcomes[i], o)
			continue
		}
		require.Equal(a.t, shopify.Existing, o.Result)
		require.Equal(a.t, outcomes[i].OrderID, o.OrderID)
		require.Equal(a.t, outcomes[i].Holds, o.Holds)
		require.Empty(a.t, o.Notes)
	}
	for _, o := range before {
		require.Equal(a.t, o, a.order(o.ID))
	}
	all, err := a.Store.Orders(a.t.Context(), store.OrderFilter{Page: store.Page{Limit: 100}})
	require.NoError(a.t, err)
	require.Len(a.t, all, len(before))
}

func TestImportOfManyOrdersInAFile(t *testing.T) {
	a := start(t)
	a.stock("TEE-M", 6)
	outcomes := a.run("testdata/many.json", "testdata/many.jsonl", "testdata/none.json")
	a.check(outcomes, []expect{
		{name: "#5001", result: shopify.Imported, status: order.Accepted, payment: "paid"},
		{name: "#5002", result: shopify.Held, status: order.Received, payment: "pending", reason: "awaiting_payment", why: "48.28 USD of 48.28 USD is outstanding"},
		{name: "#5003", result: shopify.Held, status: order.Received, payment: "paid", reason: "changed_elsewhere", why: "a part was refunded: 10.00 USD"},
		{name: "#5004", result: shopify.Skipped, why: "its payment was refunded in full"},
		{name: "#5005", result: shopify.Skipped, why: "it was fulfilled already"},
		{name: "#5006", result: shopify.Held, status: order.Received, payment: "paid", reason: "out_of_stock",
			why: "sold in Shopify, but short here: 1 of HAT-L, 0 available (no location has ever had it)"},
		{name: "#5007", result: shopify.Failed, why: `currency: "XBT" is not a currency code of ISO 4217`},
		{name: "#5008", result: shopify.Failed, why: `total_price: "48.2O" is not an amount of USD`},
		{name: "#5011", result: shopify.Imported, status: order.Accepted, payment: "paid"},
		{name: "#5012", result: shopify.Imported, status: order.Accepted, payment: "authorized"},
		{name: "#5013", result: shopify.Failed, why: "id: the order has no id"},
		{result: shopify.Failed, why: "it cannot be opened: no such file or directory"},
	})
	require.False(t, shopify.Complete(outcomes))
	a.clean()
	require.Equal(t, []int{8, 1, 0}, []int{outcomes[7].Number, outcomes[8].Number, outcomes[11].Number})
}

// An order that was paid elsewhere goes all the way without asking anybody for money.
func TestPaidOrderIsShippedWithoutACapture(t *testing.T) {
	a := start(t)
	a.stock("TEE-M", 2)
	o := a.order(a.run("testdata/paid-kwd.json")[0].OrderID)
	caller := func(name string) activities.Caller {
		return activities.Caller{On: activities.On{OrderID: o.ID}, Key: name + o.ID, Fingerprint: name, Actor: "test"}
	}
	ful := o.Fulfillments[0]
	units := []order.UnitsOf{{LineID: o.Lines[0].ID, Quantity: 2}}
	for _, c := range []struct {
		name    string
		command any
	}{
		{workflows.UpdatePick, activities.PickCommand{Caller: caller("pick"), FulfillmentID: ful.ID,
			Lines: []order.PickedUnits{{LineID: o.Lines[0].ID, Quantity: 2}}}},
		{workflows.UpdatePack, activities.PackCommand{Caller: caller("pack"), FulfillmentID: ful.ID, Parcels: []order.Parcel{{WeightGrams: 500, Lines: units}}}},
		{workflows.UpdateShip, activities.ShipCommand{Caller: caller("ship"), FulfillmentID: ful.ID}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := a.command(ctx, o.ID, c.name, c.name+o.ID, c.command)
		cancel()
		require.NoError(t, err)
	}
	o = a.order(o.ID)
	require.Equal(t, "shipped", o.FulfillmentAxis)
	require.Equal(t, "paid", o.PaymentAxis)
	require.Len(t, o.Operations, 2) // authorize, label
	a.clean()
}

// Nobody has paid yet; when they have, the order is told so like any other, and goes on.
func TestAwaitedPaymentIsTold(t *testing.T) {
	a := start(t)
	a.stock("TEE-M", 10)
	o := a.order(a.run("testdata/many.json")[1].OrderID)
	require.Equal(t, order.WaitingPayment, o.WaitingFor)
	require.Nil(t, o.Deadline, "it does not expire: people pay by bank transfer")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := a.command(ctx, o.ID, workflows.UpdatePayment, "pay"+o.ID, activities.PaymentCommand{
		Caller:  activities.Caller{On: activities.On{OrderID: o.ID}, Key: "pay" + o.ID, Fingerprint: "pay", Actor: "test"},
		Gateway: "external", Token: "paid:8000000000002"})
	require.NoError(t, err)
	o = a.until(o.ID, "accepted", func(o *order.Order) bool { return o.Status == order.Accepted })
	require.Equal(t, "paid", o.PaymentAxis)
}

// A paid order that is cancelled while it is held calls for somebody: the money has to be given back elsewhere.
func TestCancelledWhileHeldAndPaid(t *testing.T) {
	a := start(t)
	o := a.order(a.run("testdata/stacked-discounts-hkd.json")[0].OrderID)
	a.until(o.ID, "paid", func(o *order.Order) bool { return o.PaymentAxis == "paid" })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := a.command(ctx, o.ID, workflows.UpdateCancel, "cancel"+o.ID, activities.CancelCommand{
		Caller: activities.Caller{On: activities.On{OrderID: o.ID}, Key: "cancel" + o.ID, Fingerprint: "cancel", Actor: "test"}, Reason: "no address"})
	require.NoError(t, err)
	o = a.until(o.ID, "called for", func(o *order.Order) bool { return o.AttentionCode != "" })
	require.Equal(t, order.Cancelled, o.Status)
	require.Equal(t, order.AttentionRefundRefused, o.AttentionCode)
	require.Contains(t, o.AttentionDetail, "refund_elsewhere")
	a.clean()
}

// plenty is a stock that is gone again before anybody can have it.
type plenty struct{ shopify.Orders }

func (plenty) Stock(_ context.Context, skus []string) (inventory.Stock, error) {
	stock := inventory.Stock{Locations: []inventory.Location{{ID: "nyc"}}, Available: map[string]map[string]int64{"nyc": {}}}
	for _, sku := range skus {
		stock.Available["nyc"][sku] = 1000
	}
	return stock, nil
}

func TestTurnedAwayAfterAllIsSaidLoudly(t *testing.T) {
	a := start(t)
	a.stock("TEE-M", 1)
	a.Orders = plenty{a.Store}
	outcomes := a.run("testdata/paid-kwd.json")
	require.Equal(t, shopify.Rejected, outcomes[0].Result)
	require.Equal(t, []string{"out of stock: 2 of TEE-M, 1 available; paid elsewhere: REFUND IT THERE"}, outcomes[0].Notes)
	require.False(t, shopify.Complete(outcomes))
	again := a.run("testdata/paid-kwd.json")
	require.Equal(t, shopify.Existing, again[0].Result)
	require.Equal(t, outcomes[0].Notes, again[0].Notes)
}

func TestImportedBeforeAndDifferentNow(t *testing.T) {
	a := start(t)
	a.stock("TEE-M", 10)
	first := a.run("testdata/paid-kwd.json")[0]
	before := a.until(first.OrderID, "paid", func(o *order.Order) bool { return o.PaymentAxis == "paid" })
	a.Open = openText(map[string]string{"new": replace(t, "testdata/paid-kwd.json", `"quantity": 2`, `"quantity": 3`)})
	again := a.run("new")[0]
	require.Equal(t, shopify.Existing, again.Result)
	require.Equal(t, []string{"it was imported before and now reads otherwise, which changes nothing here: lines"}, again.Notes)
	require.Equal(t, before, a.order(first.OrderID))
}

func TestReport(t *testing.T) {
	a := start(t)
	a.stock("TEE-M", 10)
	outcomes := a.run(append(fixtures, "testdata/many.json")...)
	var table, body bytes.Buffer
	require.NoError(t, shopify.WriteTable(&table, outcomes))
	t.Log("\n" + table.String())
	for _, s := range []string{"#1001", "409.94 USD", "totals_differ: lines, tax", "testdata/refund-calculation.json, no. 1: a refund calculation",
		"testdata/many.json, no. 8: total_price:", "14 orders: 2 imported, 6 held, 4 skipped, 2 failed"} {
		require.Contains(t, table.String(), s)
	}
	require.NoError(t, shopify.WriteJSON(&body, outcomes))
	var report struct {
		Complete bool
		Counts   map[string]int
		Orders   []shopify.Outcome
	}
	require.NoError(t, json.Unmarshal(body.Bytes(), &report))
	require.False(t, report.Complete)
	require.Equal(t, map[string]int{"imported": 2, "held": 6, "skipped": 4, "failed": 2}, report.Counts)
	require.Len(t, report.Orders, 14)
	require.NotContains(t, body.String(), "null")
	for _, private := range []string{"example.com", "Chestnut", "Ada", "94107"} {
		require.NotContains(t, body.String()+table.String(), private)
	}
}
