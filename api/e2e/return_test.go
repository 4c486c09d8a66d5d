package e2e_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
)

// deliver takes an order of one line with two units to the customer.
func (s *shop) deliver(externalID string) answer {
	s.t.Helper()
	o := s.place(externalID, "tok_ok")
	parcel := "/v1/shipments/" + s.warehouse(o, "ship").text("shipments", 0, "id")
	s.must(200, "POST", parcel+"/tracking", scan("delivered"))
	return s.until("/v1/orders/"+o.text("id"), func(a answer) bool { return a.text("status") == "completed" })
}

func scan(status string) string {
	return fmt.Sprintf(`{"status":%q,"occurred_at":%q}`, status, time.Now().UTC().Format(time.RFC3339Nano))
}

func units(o answer, quantity int, more string) string {
	return fmt.Sprintf(`{"lines":[{"line_id":%q,"quantity":%d%s}]}`, o.text("lines", 0, "line_id"), quantity, more)
}

// asking is the body that asks to send units of the order's line back.
func asking(o answer, quantity int, reason string) string {
	return fmt.Sprintf(`{"lines":[{"line_id":%q,"quantity":%d,"reason":%q}]}`, o.text("lines", 0, "id"), quantity, reason)
}

func TestReturn(t *testing.T) {
	s := open(t)
	o := s.deliver("1")
	order := "/v1/orders/" + o.text("id")
	require.Equal(t, "none", o.text("return_status"))

	preview := s.must(200, "POST", order+"/returns/preview", asking(o, 1, "does_not_fit"))
	require.EqualValues(t, 2164, preview.at("estimate", "refund"))
	require.Equal(t, "requested", preview.text("status"))
	require.Empty(t, s.get("/v1/returns").at("data"), "a preview writes nothing")
	require.Equal(t, o.body, s.get(order).body)

	asked := s.sendAs("ask", "POST", order+"/returns", asking(o, 1, "does_not_fit"))
	require.Equal(t, 201, asked.status, "%v", asked.body)
	path := "/v1/returns/" + asked.text("id")
	require.Equal(t, path, asked.header.Get("Location"))
	require.Equal(t, "requested", asked.text("status"))
	require.Equal(t, preview.at("estimate"), asked.at("estimate"))
	require.Equal(t, "operator", asked.text("waiting_for"))
	require.Equal(t, []any{"1", "web"}, []any{asked.at("external_id"), asked.at("channel")})
	require.Equal(t, []any{o.at("shipments", 0, "id")}, asked.at("lines", 0, "shipments"))

	r := s.must(200, "POST", path+"/approve", `{}`)
	require.Equal(t, "approved", r.text("status"))
	require.Equal(t, "Sandbox Parcel", r.text("label", "carrier"))
	require.Nil(t, r.at("label", "tracking_status"))
	require.NotNil(t, r.at("expires_at"))
	require.Equal(t, "in_transit", s.must(200, "POST", path+"/tracking", scan("in_transit")).text("status"))
	r = s.must(200, "POST", path+"/receive", units(r, 1, ""))
	require.Equal(t, "received", r.text("status"))
	require.Equal(t, "in_transit", r.text("label", "tracking_status"))
	require.EqualValues(t, 1, s.get("/v1/inventory?sku=TEE-M").at("data", 0, "quality_control"))

	inspect := units(r, 1, `,"grade":"A"`)
	r = s.must(200, "POST", path+"/inspect", inspect)
	require.Equal(t, "A", r.text("inspections", 0, "grade"))
	require.EqualValues(t, 2164, r.at("inspections", 0, "amount"))
	r = s.until(path, func(a answer) bool { return a.text("status") == "closed" })
	require.Equal(t, "succeeded", r.text("refunds", 0, "status"))
	require.EqualValues(t, 2164, r.at("refunds", 0, "amount"))
	require.Nil(t, r.at("waiting_for"))

	o = s.get(order)
	require.EqualValues(t, 2164, o.at("lines", 0, "refunded"))
	require.EqualValues(t, 2164, o.at("amounts", "refunded"))
	require.EqualValues(t, 1, o.at("lines", 0, "returned"))
	require.Equal(t, r.text("id"), o.text("refunds", 0, "return_id"))
	require.Equal(t, "returned", o.text("credits", 0, "cause"))
	require.Equal(t, "partially_refunded", o.text("payment_status"))
	stock := s.get("/v1/inventory?sku=TEE-M")
	require.EqualValues(t, 0, stock.at("data", 0, "quality_control"))
	require.EqualValues(t, 99, stock.at("data", 0, "available"))
	require.Equal(t, "disposition", s.get("/v1/inventory/ledger?sku=TEE-M&limit=1").text("data", 0, "kind"))
	require.Equal(t, r.at("id"), s.get("/v1/inventory/ledger?sku=TEE-M&limit=1").at("data", 0, "return_id"))

	again := s.sendAs("ask", "POST", order+"/returns", asking(o, 1, "does_not_fit"))
	require.Equal(t, 201, again.status)
	require.Equal(t, r.at("id"), again.at("id"), "the same key answers with the same return")
	require.Equal(t, path, again.header.Get("Location"))
	require.Equal(t, "idempotency_key_reused", s.sendAs("ask", "POST", order+"/returns", asking(o, 2, "does_not_fit")).text("code"))
	require.Equal(t, "return_closed", s.must(409, "POST", path+"/inspect", inspect).text("code"))
	require.Equal(t, "return_closed", s.must(409, "POST", path+"/resume", `{}`).text("code"))
	require.Equal(t, "return_closed", s.must(409, "POST", path+"/cancel", `{}`).text("code"))
}

func TestReturnsRefused(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_ok")
	order := "/v1/orders/" + o.text("id")
	for _, path := range []string{order + "/returns", order + "/returns/preview"} {
		a := s.must(409, "POST", path, asking(o, 1, "damaged"))
		require.Equal(t, "not_returnable", a.text("code"))
		require.Equal(t, "not_delivered", a.text("errors", 0, "code"))
		require.Equal(t, "/lines/0/line_id", a.text("errors", 0, "pointer"))
		a = s.must(422, "POST", path, strings.Replace(asking(o, 1, "damaged"), `"lin_`, `"lin_0`, 1))
		require.Equal(t, "unknown_line", a.text("errors", 0, "code"))
		s.must(404, "POST", strings.Replace(path, "ord_", "ord_0", 1), asking(o, 1, "damaged"))
	}
	o = s.deliver("2")
	order = "/v1/orders/" + o.text("id")
	require.Equal(t, "too_many", s.must(409, "POST", order+"/returns", asking(o, 3, "damaged")).text("errors", 0, "code"))

	final := s.must(201, "POST", "/v1/orders", strings.Replace(orderBody("3", "TEE-M", "tok_ok"), `"tax":330`, `"tax":330,"final_sale":true`, 1))
	require.Equal(t, true, final.at("lines", 0, "final_sale"))
	parcel := s.warehouse(final, "ship").text("shipments", 0, "id")
	s.must(200, "POST", "/v1/shipments/"+parcel+"/tracking", scan("delivered"))
	a := s.must(409, "POST", "/v1/orders/"+final.text("id")+"/returns", asking(final, 1, "changed_mind"))
	require.Equal(t, "final_sale", a.text("errors", 0, "code"))
}

// TestReturningOneUnitAtOnce: two units were delivered, and eight customers want one of them back.
func TestReturningOneUnitAtOnce(t *testing.T) {
	s := open(t)
	o := s.deliver("1")
	order := "/v1/orders/" + o.text("id")
	answers := make([]answer, 8)
	var wait sync.WaitGroup
	for i := range answers {
		wait.Go(func() { answers[i] = s.send("POST", order+"/returns", asking(o, 1, "other")) })
	}
	wait.Wait()
	count := map[int]int{}
	for _, a := range answers {
		count[a.status]++
	}
	require.Equal(t, map[int]int{201: 2, 409: 6}, count)
	require.EqualValues(t, 2, s.get(order).at("lines", 0, "return_requested"))
	require.Len(t, s.get("/v1/returns?order_id="+o.text("id")).at("data"), 2)
}

// TestOneKeyAsksForOneReturn, however often it is sent at once.
func TestOneKeyAsksForOneReturn(t *testing.T) {
	s := open(t)
	o := s.deliver("1")
	answers := make([]answer, 6)
	var wait sync.WaitGroup
	for i := range answers {
		wait.Go(func() {
			answers[i] = s.sendAs("one", "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "other"))
		})
	}
	wait.Wait()
	for _, a := range answers {
		require.Equal(t, 201, a.status, "%v", a.body)
		require.Equal(t, answers[0].at("id"), a.at("id"))
	}
	require.Len(t, s.get("/v1/returns").at("data"), 1)
}

func TestReturnsDecided(t *testing.T) {
	s := open(t)
	o := s.deliver("1")
	ask := func() (path string) {
		return "/v1/returns/" + s.must(201, "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "changed_mind")).text("id")
	}
	declined := ask()
	require.Equal(t, "/reason", s.must(422, "POST", declined+"/decline", `{"reason":"  "}`).text("errors", 0, "pointer"))
	r := s.must(200, "POST", declined+"/decline", `{"reason":"It was worn."}`)
	require.Equal(t, "declined", r.text("status"))
	require.Equal(t, "It was worn.", r.text("decline_reason"))
	require.Equal(t, "return_declined", s.must(409, "POST", declined+"/approve", `{}`).text("code"))
	require.Equal(t, "return_declined", s.must(409, "POST", declined+"/tracking", scan("in_transit")).text("code"))

	cancelled := ask()
	s.must(200, "POST", cancelled+"/approve", `{}`)
	require.Equal(t, "cancelled", s.must(200, "POST", cancelled+"/cancel", `{"reason":"keeps it"}`).text("status"))
	require.Equal(t, "cancelled", s.must(200, "POST", cancelled+"/cancel", `{}`).text("status"))

	kept := ask()
	r = s.must(200, "POST", kept+"/approve", `{"returnless":true}`)
	require.Equal(t, true, r.at("returnless"))
	r = s.until(kept, func(a answer) bool { return a.text("status") == "closed" })
	require.EqualValues(t, 2164, r.at("refunds", 0, "amount"))
	require.Equal(t, "succeeded", r.text("refunds", 0, "status"))
	require.EqualValues(t, 1, s.get("/v1/orders/"+o.text("id")).at("lines", 0, "dismissed"))

	for query, n := range map[string]int{"status=closed": 1, "status=declined": 1, "status=approved": 0, "attention=true": 0,
		"attention=false": 3, "order_id=" + o.text("id"): 3, "order_id=ord_1": 0, "status=closed&order_id=" + o.text("id"): 1} {
		require.Len(t, s.get("/v1/returns?"+query).at("data"), n, query)
	}
	require.Equal(t, "1", s.get("/v1/returns").text("data", 0, "external_id"))
	require.Equal(t, "web", s.get("/v1/returns").text("data", 0, "channel"))
	page := s.get("/v1/returns?limit=2")
	require.Equal(t, r.at("id"), page.at("data", 0, "id"), "newest first")
	page = s.get("/v1/returns?limit=2&cursor=" + page.text("next_cursor"))
	require.Len(t, page.at("data"), 1)
	require.Nil(t, page.at("next_cursor"))
	require.Equal(t, "there is no such return", s.must(404, "GET", "/v1/returns/ret_1", "").text("detail"))
	require.Equal(t, "there is no such return", s.must(404, "POST", "/v1/returns/ret_1/cancel", `{}`).text("detail"))
	s.must(404, "GET", "/v1/returns/"+o.text("shipments", 0, "id"), "")
	s.must(404, "POST", "/v1/returns/"+o.text("fulfillments", 0, "id")+"/approve", `{}`)
}

// TestALateParcelOpensAReturnAgain: nothing was left to be done, and there is no run any more.
func TestALateParcelOpensAReturnAgain(t *testing.T) {
	s := open(t)
	o := s.deliver("1")
	asked := s.must(201, "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "changed_mind"))
	path := "/v1/returns/" + asked.text("id")
	s.must(200, "POST", path+"/cancel", `{}`)
	require.Equal(t, "return_cancelled", s.must(409, "POST", path+"/approve", `{}`).text("code"))
	require.Equal(t, "too_many", s.must(409, "POST", path+"/receive", units(asked, 2, "")).text("code"))

	require.Equal(t, "/location", s.must(422, "POST", path+"/receive", strings.Replace(units(asked, 1, ""), `{"lines"`, `{"location":"nowhere","lines"`, 1)).text("errors", 0, "pointer"))
	require.Equal(t, "/lines", s.must(422, "POST", path+"/receive", `{}`).text("errors", 0, "pointer"))
	surprise := s.must(200, "POST", path+"/receive", `{"unexpected":[{"sku":"CAP","quantity":1}]}`)
	require.Equal(t, "cancelled", surprise.text("status"), "nothing of what was announced came")
	r := s.must(200, "POST", path+"/receive", strings.Replace(units(asked, 1, ""), `]}`, `],"unexpected":[{"sku":"MUG","quantity":3}]}`, 1))
	require.Equal(t, "received", r.text("status"))
	require.Equal(t, "MUG", r.text("unexpected", 1, "sku"))
	require.Equal(t, "unexpected_items", r.text("attention", "code"))
	require.EqualValues(t, 3, s.get("/v1/inventory?sku=MUG").at("data", 0, "quality_control"))

	require.Equal(t, "not_received", s.must(409, "POST", path+"/inspect", units(r, 2, `,"grade":"A"`)).text("code"))
	r = s.must(200, "POST", path+"/inspect", units(r, 1, `,"grade":"B","refund":false`))
	require.Empty(t, r.at("refunds"))
	require.EqualValues(t, 0, r.at("inspections", 0, "amount"))
	require.EqualValues(t, 1, s.get("/v1/inventory?sku=TEE-M-OPENBOX").at("data", 0, "available"))
	require.Nil(t, s.must(200, "POST", path+"/resume", `{}`).at("attention"))
}

// TestAPreviewIsWhatIsPaid, also where the policy takes a fee, needs nobody's approval and does not want the goods.
func TestAPreviewIsWhatIsPaid(t *testing.T) {
	for name, upTo := range map[string]int64{"returnless": 2164, "sent back": 2163} {
		t.Run(name, func(t *testing.T) {
			policy := order.DefaultPolicy()
			policy.Returns.Name, policy.Returns.AutoApprove, policy.Returns.RestockingPercent = "strict", true, 10
			policy.Returns.ReturnlessUpTo, policy.Returns.LabelFee = map[string]int64{"USD": upTo}, map[string]int64{"USD": 500}
			s := openWith(t, policy)
			o := s.deliver("1")
			path := "/v1/orders/" + o.text("id") + "/returns"
			preview := s.must(200, "POST", path+"/preview", asking(o, 1, "changed_mind"))
			require.EqualValues(t, 2164, preview.at("estimate", "goods"))
			require.EqualValues(t, 217, preview.at("estimate", "restocking_fee"))
			require.Equal(t, name == "returnless", preview.at("returnless"))

			r := s.must(201, "POST", path, asking(o, 1, "changed_mind"))
			require.Equal(t, preview.text("status"), r.text("status"))
			require.Equal(t, preview.at("returnless"), r.at("returnless"))
			back := "/v1/returns/" + r.text("id")
			if name != "returnless" {
				s.must(200, "POST", back+"/receive", units(r, 1, ""))
				s.must(200, "POST", back+"/inspect", units(r, 1, `,"grade":"A"`))
			}
			r = s.until(back, func(a answer) bool { return a.text("status") == "closed" })
			require.Equal(t, preview.at("estimate", "refund"), r.at("refunds", 0, "amount"))
			require.EqualValues(t, map[bool]int{true: 1947, false: 1447}[name == "returnless"], preview.at("estimate", "refund"))
		})
	}
}

// TestAReturnIsAFactBeforeItIsARun: without Temporal it is written down all the same, and goes on when it is back.
func TestAReturnIsAFactBeforeItIsARun(t *testing.T) {
	s := open(t)
	o := s.deliver("1")
	s.runs.away.Store(true)
	r := s.must(201, "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "damaged"))
	require.Equal(t, "requested", r.text("status"))
	s.must(200, "POST", "/v1/returns/"+r.text("id")+"/approve", `{}`)
	s.until("/v1/returns/"+r.text("id"), func(a answer) bool { return a.at("label") != nil })
}

// TestARefusedRefundIsNotRefunded, and is tried again when somebody resumes.
func TestARefusedRefundIsNotRefunded(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_refund_refused")
	parcel := s.warehouse(o, "ship").text("shipments", 0, "id")
	s.must(200, "POST", "/v1/shipments/"+parcel+"/tracking", scan("delivered"))
	r := s.must(201, "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "damaged"))
	path := "/v1/returns/" + r.text("id")
	s.must(200, "POST", path+"/approve", `{}`)
	s.must(200, "POST", path+"/receive", units(r, 1, ""))
	s.must(200, "POST", path+"/inspect", units(r, 1, `,"grade":"A"`))
	refused := func(a answer) bool {
		return a.text("refunds", 0, "status") == "refused" && a.text("attention", "code") == "refund_refused"
	}
	r = s.until(path, refused)
	require.Equal(t, "inspected", r.text("status"), "nobody is told that it is closed")
	require.Len(t, s.get("/v1/returns?attention=true").at("data"), 1)
	o = s.get("/v1/orders/" + o.text("id"))
	require.EqualValues(t, 2164, o.at("lines", 0, "credited"))
	require.EqualValues(t, 0, o.at("lines", 0, "refunded"))
	require.EqualValues(t, 0, o.at("amounts", "refunded"))
	require.Equal(t, "paid", o.text("payment_status"))
	s.must(200, "POST", path+"/resume", `{}`)
	s.until(path, refused)
}
