package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
)

// refusedReturn is a return of one unit, graded, of an order whose gateway refuses every refund.
func (s *shop) refusedReturn(externalID, gateway, token string) (o, r answer) {
	s.t.Helper()
	body := strings.Replace(orderBody(externalID, "TEE-M", token), `"gateway":"sandbox"`, fmt.Sprintf(`"gateway":%q`, gateway), 1)
	o = s.must(201, "POST", "/v1/orders", body)
	parcel := s.warehouse(o, "ship").text("shipments", 0, "id")
	s.must(200, "POST", "/v1/shipments/"+parcel+"/tracking", scan("delivered"))
	r = s.must(201, "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "damaged"))
	path := "/v1/returns/" + r.text("id")
	s.must(200, "POST", path+"/approve", `{}`)
	s.must(200, "POST", path+"/receive", units(r, 1, ""))
	s.must(200, "POST", path+"/inspect", units(r, 1, `,"grade":"A"`))
	return o, s.until(path, func(a answer) bool { return a.text("refunds", 0, "status") == "refused" })
}

// TestAnOrderPaidElsewhereIsRefundedElsewhere: its gateway refuses every refund, and its return closes all the same.
func TestAnOrderPaidElsewhereIsRefundedElsewhere(t *testing.T) {
	s := open(t)
	o, r := s.refusedReturn("1", "external", "paid:shop-4711")
	path, returned := "/v1/orders/"+o.text("id"), "/v1/returns/"+r.text("id")
	r = s.until(returned, func(a answer) bool { return a.at("attention") != nil })
	require.Equal(t, "inspected", r.text("status"))
	require.Contains(t, r.text("attention", "detail"), "refund_elsewhere")
	require.Equal(t, "paid", s.get(path).text("payment_status"))
	settle := path + "/refunds/" + r.text("refunds", 0, "id") + "/settle"

	s.must(404, "POST", path+"/refunds/rfd_1/settle", `{"reference":"x"}`)
	s.must(404, "POST", strings.Replace(settle, "ord_", "ord_0", 1), `{"reference":"x"}`)
	for range 2 {
		settled := s.sendAs("settle", "POST", settle, `{"reference":"Shop refund 99"}`)
		require.Equal(t, 200, settled.status, "%v", settled.body)
		require.Equal(t, "succeeded", settled.text("refunds", 0, "status"))
	}
	run, _ := s.runs.asked.Load(workflows.UpdateSettleRefund)
	require.Equal(t, r.at("id"), run, "the return's run performs the refund, and is the one to hear of it")
	require.Equal(t, "idempotency_key_reused", s.sendAs("settle", "POST", settle, `{"reference":"Shop refund 98"}`).text("code"))
	r = s.until(returned, func(a answer) bool { return a.text("status") == "closed" })
	require.Nil(t, r.at("attention"))
	require.NotNil(t, r.at("refunds", 0, "settled_at"))
	s.must(200, "POST", settle, `{"reference":"once more"}`)

	o = s.get(path)
	require.Equal(t, "partially_refunded", o.text("payment_status"))
	require.Equal(t, []any{2164., 2164., 2164.}, []any{o.at("amounts", "refunded"), o.at("lines", 0, "refunded"), o.at("lines", 0, "credited")})
	require.EqualValues(t, 4828, o.at("amounts", "captured"))
	var sums map[string]int64
	books, err := s.store.Order(t.Context(), o.text("id"))
	require.NoError(t, err)
	for _, p := range books.Payments {
		sums = map[string]int64{"captured": p.Captured, "refunding": p.Refunding, "refunded": p.Refunded}
	}
	require.Equal(t, map[string]int64{"captured": 4828, "refunding": 0, "refunded": 2164}, sums)
}

// TestARefundThatIsNoReturnsIsSettledByItsOrder, also when nothing of the order was left to be done.
func TestARefundThatIsNoReturnsIsSettledByItsOrder(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_refund_refused")
	path := "/v1/orders/" + o.text("id")
	parcel := s.warehouse(o, "ship").text("shipments", 0, "id")
	s.must(200, "POST", "/v1/shipments/"+parcel+"/tracking", scan("lost"))
	o = s.until(path, func(a answer) bool { return a.text("refunds", 0, "status") == "refused" })
	settled := s.must(200, "POST", path+"/refunds/"+o.text("refunds", 0, "id")+"/settle", `{"reference":"Bank transfer 1"}`)
	require.Equal(t, "succeeded", settled.text("refunds", 0, "status"))
	run, _ := s.runs.asked.Load(workflows.UpdateSettleRefund)
	require.Equal(t, o.at("id"), run)
	require.Equal(t, "refunded", settled.text("payment_status"))
	require.EqualValues(t, 4828, settled.at("amounts", "refunded"))
}

// TestWhatARunMissedItLooksAt: a command was done, its run was lost before anybody heard, and the same request comes
// again. A sweeper would find it too, in its own time.
func TestWhatARunMissedItLooksAt(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_ok")
	path := "/v1/orders/" + o.text("id")
	act := func() order.Act {
		return order.Act{At: time.Now().UTC().Truncate(time.Microsecond), Actor: "test", NewID: id.New, Policy: order.DefaultPolicy()}
	}
	done := func(c activities.Caller, name string, decide func(*order.Order, order.Act) error) {
		a := act()
		_, err := s.store.Change(t.Context(), o.text("id"), &store.Command{Key: c.Key, Name: name, Subject: o.text("id"), Fingerprint: c.Fingerprint, Request: c.Request}, a,
			func(o *order.Order) error { return decide(o, a) })
		require.NoError(t, err)
	}
	lost := func(does func(command any)) { s.runs.loses.Store(&does) }

	lost(func(command any) {
		done(command.(activities.CancelCommand).Caller, "cancel", func(o *order.Order, a order.Act) error { return o.CancelWhole("", a) })
	})
	require.Equal(t, 503, s.sendAs("cancel", "POST", path+"/cancel", `{}`).status)
	s.runs.loses.Store(nil)
	_, told := s.runs.woken.Load(o.text("id"))
	require.False(t, told)
	a := s.sendAs("cancel", "POST", path+"/cancel", `{}`)
	require.Equal(t, 200, a.status, "%v", a.body)
	_, told = s.runs.woken.Load(o.text("id"))
	require.True(t, told)
	s.until(path, func(a answer) bool { return a.text("payment_status") == "voided" })

	o = s.deliver("2")
	r := s.must(201, "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "changed_mind"))
	lost(func(command any) {
		done(command.(activities.ReturnApproval).Caller, "approve", func(o *order.Order, a order.Act) error {
			return o.ApproveReturn(r.text("id"), false, a)
		})
	})
	path = "/v1/returns/" + r.text("id")
	require.Equal(t, 503, s.sendAs("approve", "POST", path+"/approve", `{}`).status)
	s.runs.loses.Store(nil)
	require.Equal(t, 200, s.sendAs("approve", "POST", path+"/approve", `{}`).status)
	_, told = s.runs.woken.Load(r.text("id"))
	require.True(t, told)
	s.until(path, func(a answer) bool { return a.at("label") != nil })
}

// TestALostParcelIsWaived: it was to come back, its parcel was lost, and an operator refunds it all the same.
func TestALostParcelIsWaived(t *testing.T) {
	s := open(t)
	o := s.deliver("1")
	r := s.must(201, "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "changed_mind"))
	path := "/v1/returns/" + r.text("id")
	s.must(200, "POST", path+"/approve", `{}`)
	s.until(path, func(a answer) bool { return a.at("label") != nil })
	s.must(200, "POST", path+"/tracking", scan("in_transit"))
	require.Equal(t, "return_in_transit", s.must(409, "POST", path+"/approve", `{}`).text("code"))
	s.must(200, "POST", path+"/resume", `{}`)
	require.Equal(t, true, s.must(200, "POST", path+"/approve", `{"returnless":true}`).at("returnless"))
	r = s.until(path, func(a answer) bool { return a.text("status") == "closed" })
	require.EqualValues(t, 2164, r.at("refunds", 0, "amount"))
	require.Equal(t, "return_closed", s.must(409, "POST", path+"/resume", `{}`).text("code"))
}

func TestAPromiseFromBeforeItsTime(t *testing.T) {
	s := open(t)
	body := strings.Replace(orderBody("1", "TEE-M", "tok_ok"), `"total"`, `"promised_at":"1999-12-31T23:59:59Z","total"`, 1)
	require.Equal(t, "/promised_at", s.must(422, "POST", "/v1/orders", body).text("errors", 0, "pointer"))
	s.must(201, "POST", "/v1/orders", strings.Replace(body, "1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z", 1))
}
