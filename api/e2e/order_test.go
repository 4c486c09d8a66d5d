package e2e_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestJourney(t *testing.T) {
	s := open(t)
	o := s.place("1001", "tok_ok")
	require.Equal(t, "accepted", o.text("status"))
	require.Equal(t, "authorized", o.text("payment_status"))
	require.Equal(t, "warehouse", o.text("waiting_for"))
	path := "/v1/orders/" + o.text("id")
	require.Equal(t, true, s.get(path+"/progress").at("running"))

	shipped := s.warehouse(o, "ship")
	parcel := "/v1/shipments/" + shipped.text("shipments", 0, "id")
	require.Equal(t, "shipped", s.get(parcel).text("status"))
	for _, at := range []string{"1999-12-31T23:59:59Z", "2099-01-01T00:00:00Z"} {
		s.must(422, "POST", parcel+"/tracking", fmt.Sprintf(`{"status":"picked_up","occurred_at":%q}`, at))
	}
	for i, status := range []string{"picked_up", "in_transit", "in_transit", "out_for_delivery", "picked_up", "delivered"} {
		a := s.must(200, "POST", parcel+"/tracking", fmt.Sprintf(`{"status":%q,"occurred_at":"2026-01-02T15:%02d:05Z"}`, status, i))
		if i == 4 {
			require.Equal(t, "out_for_delivery", a.text("tracking_status"), "a parcel never moves backwards")
		}
	}
	o = s.get(path)
	require.Equal(t, "completed", o.text("status"))
	require.Equal(t, "paid", o.text("payment_status"))
	require.Equal(t, "delivered", o.text("fulfillment_status"))
	require.Nil(t, o.at("waiting_for"))
	require.EqualValues(t, 4828, o.at("amounts", "captured"))
	s.until(path+"/progress", func(a answer) bool { return a.at("running") == false })

	var types []string
	for next := path + "/timeline?limit=4"; ; {
		page := s.get(next)
		for i := range page.at("data").([]any) {
			require.EqualValues(t, len(types)+1, page.at("data", i, "sequence"))
			types = append(types, page.text("data", i, "type"))
		}
		if page.at("next_cursor") == nil {
			break
		}
		next = path + "/timeline?limit=4&cursor=" + url.QueryEscape(page.text("next_cursor"))
	}
	require.Equal(t, "order.received", types[0])
	require.Equal(t, "order.completed", types[len(types)-1])
}

func TestPlacingTwice(t *testing.T) {
	s := open(t)
	body := orderBody("1001", "TEE-M", "tok_ok")
	first := s.sendAs("key-1", "POST", "/v1/orders", body)
	require.Equal(t, 201, first.status)

	again := s.sendAs("key-1", "POST", "/v1/orders", body)
	require.Equal(t, 201, again.status)
	require.Equal(t, first.body, again.body)

	other := s.sendAs("key-1", "POST", "/v1/orders", strings.Replace(body, `"c-17"`, `"c-18"`, 1))
	require.Equal(t, 422, other.status)
	require.Equal(t, "idempotency_key_reused", other.text("code"))
	require.Equal(t, "/customer/id", other.text("errors", 0, "pointer"))

	same := s.sendAs("key-2", "POST", "/v1/orders", body)
	require.Equal(t, 200, same.status)
	require.Equal(t, first.at("id"), same.at("id"))

	taken := s.sendAs("key-3", "POST", "/v1/orders", strings.Replace(body, `"c-17"`, `"c-18"`, 1))
	require.Equal(t, 409, taken.status)
	require.Equal(t, "external_id_taken", taken.text("code"))
	require.Equal(t, first.at("id"), taken.at("order_id"))
}

func TestPlacingManyTimesAtOnce(t *testing.T) {
	s := open(t)
	answers := make([]answer, 6)
	var wait sync.WaitGroup
	for i := range answers {
		wait.Go(func() {
			answers[i] = s.sendAs("key-1", "POST", "/v1/orders", orderBody("1001", "TEE-M", "tok_ok"))
		})
	}
	wait.Wait()
	for _, a := range answers {
		require.Equal(t, 201, a.status, "%v", a.body)
		require.Equal(t, answers[0].at("id"), a.at("id"))
	}
	require.EqualValues(t, 2, s.get("/v1/inventory?sku=TEE-M").at("data", 0, "committed"))
}

func TestShort(t *testing.T) {
	s := open(t)
	s.stock("RARE", 1)
	a := s.must(409, "POST", "/v1/orders", orderBody("1", "RARE", "tok_ok"))
	require.Equal(t, "out_of_stock", a.text("code"))
	require.EqualValues(t, 1, a.at("shortages", 0, "available"))
	require.Equal(t, true, a.at("shortages", 0, "known"))
	o := s.get("/v1/orders/" + a.text("order_id"))
	require.Equal(t, "rejected", o.text("status"))
	require.Empty(t, o.at("payments"), "nothing was asked of any gateway")

	a = s.must(409, "POST", "/v1/orders", orderBody("2", "NEVER-SEEN", "tok_ok"))
	require.EqualValues(t, 0, a.at("shortages", 0, "available"))
	require.Equal(t, false, a.at("shortages", 0, "known"))

	again := s.sendAs("same", "POST", "/v1/orders", orderBody("3", "RARE", "tok_ok"))
	s.stock("RARE", 10)
	then := s.sendAs("same", "POST", "/v1/orders", orderBody("3", "RARE", "tok_ok"))
	require.Equal(t, again.at("shortages"), then.at("shortages"), "the same key gives the same answer")
}

func TestPayments(t *testing.T) {
	s := open(t)
	a := s.must(402, "POST", "/v1/orders", orderBody("1", "TEE-M", "tok_insufficient_funds"))
	require.Equal(t, "insufficient_funds", a.text("code"))
	path := "/v1/orders/" + a.text("order_id")
	require.Equal(t, "payment", s.get(path).text("waiting_for"))
	s.must(402, "POST", path+"/payment", `{"gateway":"sandbox","token":"tok_declined"}`)
	o := s.must(200, "POST", path+"/payment", `{"gateway":"sandbox","token":"tok_ok"}`)
	require.Equal(t, "accepted", o.text("status"))
	require.Len(t, o.at("payments"), 3)
	require.Equal(t, "payment_not_awaited", s.must(409, "POST", path+"/payment", `{"gateway":"sandbox","token":"tok_ok"}`).text("code"))
	require.Equal(t, "/gateway", s.must(422, "POST", path+"/payment", `{"gateway":"nowhere","token":"tok_ok"}`).text("errors", 0, "pointer"))

	a = s.must(402, "POST", "/v1/orders", orderBody("2", "TEE-M", "tok_action_required"))
	require.Equal(t, "action_required", a.text("code"))
	require.Equal(t, "redirect", a.text("next_action", "type"))
	require.Equal(t, "customer", s.get("/v1/orders/"+a.text("order_id")).text("waiting_for"))
}

func TestPlacingNonsense(t *testing.T) {
	s := open(t)
	good := orderBody("1", "TEE-M", "tok_ok")
	for name, c := range map[string]struct{ from, to, pointer, detail string }{
		"total too low":     {`4828`, `4818`, "/total", "come to 4828: total is 10 too low"},
		"unknown currency":  {`"USD"`, `"XYZ"`, "/currency", "ISO 4217"},
		"unknown country":   {`"country":"US"`, `"country":"XX"`, "/ship_to/country", "ISO 3166"},
		"unknown gateway":   {`"sandbox"`, `"nowhere"`, "/payment/gateway", "configured"},
		"too much discount": {`"tax":330`, `"tax":330,"discount":9999`, "/lines/0/discount", "from 0"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.must(422, "POST", "/v1/orders", strings.Replace(good, c.from, c.to, 1))
			require.Equal(t, c.pointer, a.text("errors", 0, "pointer"))
			require.Contains(t, a.text("errors", 0, "detail"), c.detail)
		})
	}
	require.Empty(t, s.get("/v1/orders").at("data"), "nothing was stored")
}

func TestCancel(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_ok")
	s.warehouse(o, "pack")
	path := "/v1/orders/" + o.text("id")
	c := s.must(200, "POST", path+"/cancel", `{"reason":"ordered twice"}`)
	require.Equal(t, "cancelled", c.text("status"))
	require.Equal(t, "voided", c.text("payment_status"))
	require.EqualValues(t, 0, s.get("/v1/inventory?sku=TEE-M").at("data", 0, "committed"))
	s.must(200, "POST", path+"/cancel", `{}`)
	require.Equal(t, "order_cancelled", s.must(409, "POST", path+"/resume", `{}`).text("code"))
	require.Equal(t, "fulfillment_cancelled", s.must(409, "POST", "/v1/fulfillments/"+o.text("fulfillments", 0, "id")+"/ship", `{}`).text("code"))

	o = s.place("2", "tok_ok")
	s.warehouse(o, "ship")
	require.Equal(t, "already_shipped", s.must(409, "POST", "/v1/orders/"+o.text("id")+"/cancel", `{}`).text("code"))
}

// After the database was put back to an earlier time, a run still gives its answer of later to a command that comes
// again, and the facts have nothing of it: it is asked once more, and does it.
func TestACommandThatWasAnsweredBeforeTheDatabaseWasPutBack(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_ok")
	s.runs.early.Store(true)
	a := s.must(200, "POST", "/v1/orders/"+o.text("id")+"/cancel", `{}`)
	require.Equal(t, "cancelled", a.text("status"))
}

func TestCaptureRefused(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_capture_refused_once")
	s.warehouse(o, "pack")
	ship := "/v1/fulfillments/" + o.text("fulfillments", 0, "id") + "/ship"
	a := s.must(409, "POST", ship, `{}`)
	require.Equal(t, "capture_refused", a.text("code"))
	held := s.get("/v1/orders/" + o.text("id"))
	require.Equal(t, "held", held.text("shipments", 0, "status"))
	require.Equal(t, "capture_refused", held.text("attention", "code"))
	require.EqualValues(t, 1, len(s.get("/v1/orders?attention=true").at("data").([]any)))
	require.Equal(t, "shipped", s.must(200, "POST", ship, `{}`).text("shipments", 0, "status"))
}

func TestLists(t *testing.T) {
	s := open(t)
	for i := range 7 {
		s.place(fmt.Sprintf("A-%d", i), "tok_ok")
	}
	s.must(402, "POST", "/v1/orders", orderBody("B-1", "TEE-M", "tok_declined"))
	var seen []string
	for next := "/v1/orders?limit=3"; ; {
		page := s.get(next)
		for i := range page.at("data").([]any) {
			seen = append(seen, page.text("data", i, "external_id"))
		}
		if page.at("next_cursor") == nil {
			break
		}
		next = "/v1/orders?limit=3&cursor=" + url.QueryEscape(page.text("next_cursor"))
	}
	require.Equal(t, []string{"B-1", "A-6", "A-5", "A-4", "A-3", "A-2", "A-1", "A-0"}, seen)
	now := url.QueryEscape(time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	for query, n := range map[string]int{
		"status=accepted": 7, "status=received": 1, "channel=web": 8, "channel=pos": 0, "external_id=A-3": 1,
		"customer=c-17": 8, "customer=c-1": 0, "sku=TEE-M": 8, "sku=MUG": 0, "waiting_for=payment": 1,
		"waiting_for=warehouse": 7, "attention=true": 0, "attention=false": 8, "q=A-": 7, "q=ada%40": 8, "q=ADA": 8,
		"q=%25": 0, "created_from=" + now: 0, "created_before=" + now: 8, "status=accepted&q=B": 0,
	} {
		require.Len(t, s.get("/v1/orders?"+query).at("data"), n, query)
	}
	require.Equal(t, "/cursor", s.must(422, "GET", "/v1/orders?cursor=nonsense", "").text("errors", 0, "pointer"))
	require.Len(t, s.get("/v1/fulfillments?location=sf&status=open").at("data"), 7)
	require.Len(t, s.get("/v1/fulfillments?location=la").at("data"), 0)
	first := s.get("/v1/fulfillments?limit=5")
	require.Len(t, s.get("/v1/fulfillments?limit=5&cursor="+url.QueryEscape(first.text("next_cursor"))).at("data"), 2)
	require.Equal(t, "not_found", s.must(404, "GET", "/v1/orders/ord_"+strings.Repeat("0", 26), "").text("code"))
}
