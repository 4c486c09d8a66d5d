package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// short is the README's order of a SKU that is short, with more of a kind said about it.
func short(externalID, sku, more string) string {
	return strings.Replace(orderBody(externalID, sku, "tok_ok"), `"currency"`, more+`,"currency"`, 1)
}

func TestBackorder(t *testing.T) {
	s := open(t)
	s.stock("RARE", 1)
	first := s.sendAs("first", "POST", "/v1/orders", short("1", "RARE", `"on_shortage":"backorder"`))
	require.Equal(t, 201, first.status, "%v", first.body)
	require.Equal(t, "accepted", first.text("status"))
	require.EqualValues(t, 1, first.at("lines", 0, "backordered"))
	require.NotNil(t, first.at("promised_at"), "the house's own date")
	again := s.sendAs("again", "POST", "/v1/orders", short("1", "RARE", `"on_shortage":"backorder"`))
	require.Equal(t, 200, again.status, "what the house promised is no part of what was asked: %v", again.body)

	promised := `"on_shortage":"backorder","priority":9,"promised_at":"2030-01-02T05:04:05.1234567+02:00"`
	urgent := s.sendAs("urgent", "POST", "/v1/orders", short("2", "RARE", promised))
	require.Equal(t, 201, urgent.status, "%v", urgent.body)
	require.EqualValues(t, 9, urgent.at("priority"))
	require.Equal(t, "2030-01-02T03:04:05.123456Z", urgent.text("promised_at"))
	require.Equal(t, 201, s.sendAs("urgent", "POST", "/v1/orders", short("2", "RARE", promised)).status)

	s.stock("RARE", 2)
	o := s.until("/v1/orders/"+urgent.text("id"), func(a answer) bool { return a.at("lines", 0, "backordered") == 0.0 })
	require.Equal(t, "warehouse", o.text("waiting_for"))
	require.EqualValues(t, 1, s.get("/v1/orders/"+first.text("id")).at("lines", 0, "backordered"), "a higher priority is served first")
	s.stock("RARE", 1)
	s.until("/v1/orders/"+first.text("id"), func(a answer) bool { return a.at("lines", 0, "backordered") == 0.0 })
}

func TestPartial(t *testing.T) {
	s := open(t)
	s.stock("RARE", 1)
	o := s.must(201, "POST", "/v1/orders", short("1", "RARE", `"on_shortage":"partial"`))
	require.EqualValues(t, 1, o.at("lines", 0, "cancelled"))
	require.EqualValues(t, 2164, o.at("lines", 0, "credited"))
	require.Equal(t, "cancelled", o.text("credits", 0, "cause"))
	require.EqualValues(t, 0, o.at("lines", 0, "refunded"), "nothing was taken for it")
}

func TestCancelUnits(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_ok")
	path, line := "/v1/orders/"+o.text("id"), o.text("lines", 0, "id")
	one := fmt.Sprintf(`{"line_id":%q,"quantity":1}`, line)
	require.Equal(t, "duplicate", s.must(422, "POST", path+"/cancel", `{"lines":[`+one+`,`+one+`]}`).text("errors", 0, "code"))
	require.Equal(t, "too_many", s.must(409, "POST", path+"/cancel", fmt.Sprintf(`{"lines":[{"line_id":%q,"quantity":3}]}`, line)).text("code"))
	require.Equal(t, "unknown_line", s.must(422, "POST", path+"/cancel", `{"lines":[{"line_id":"lin_1","quantity":1}]}`).text("errors", 0, "code"))

	o = s.must(200, "POST", path+"/cancel", `{"reason":"one is enough","lines":[`+one+`]}`)
	require.Equal(t, "accepted", o.text("status"))
	require.EqualValues(t, 1, o.at("lines", 0, "cancelled"))
	require.EqualValues(t, 1, o.at("fulfillments", 0, "lines", 0, "cancelled"))
	require.EqualValues(t, 2164, o.at("credits", 0, "amount"))
	require.EqualValues(t, 1, s.get("/v1/inventory?sku=TEE-M").at("data", 0, "committed"))
	o = s.must(200, "POST", path+"/cancel", `{"lines":[`+one+`]}`)
	require.Equal(t, "cancelled", o.text("status"))
	require.Equal(t, "order_cancelled", s.must(409, "POST", path+"/cancel", `{"lines":[`+one+`]}`).text("code"))
}

func TestHolds(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_ok")
	order, ful := "/v1/orders/"+o.text("id"), "/v1/fulfillments/"+o.text("fulfillments", 0, "id")
	pick := fmt.Sprintf(`{"lines":[{"line_id":%q,"quantity":2}]}`, o.text("lines", 0, "id"))

	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)
	held := s.sendAs("hold", "POST", order+"/holds", fmt.Sprintf(`{"reason":"address_check","owner":"customer","deadline":%q,"on_deadline":"cancel"}`, until))
	require.Equal(t, 201, held.status, "%v", held.body)
	require.Equal(t, "address_check", held.text("holds", 0, "reason"))
	require.Equal(t, "cancel", held.text("holds", 0, "on_deadline"))
	require.Nil(t, held.at("holds", 0, "fulfillment_id"))
	require.Len(t, held.at("holds", 0, "blocks"), 3)
	require.Equal(t, "order_on_hold", s.must(409, "POST", ful+"/pick", pick).text("code"))
	release := order + "/holds/" + held.text("holds", 0, "id") + "/release"
	s.must(404, "POST", ful+"/holds/"+held.text("holds", 0, "id")+"/release", `{}`)
	require.NotNil(t, s.must(200, "POST", release, `{}`).at("holds", 0, "released_at"))
	s.must(200, "POST", release, `{}`)
	again := s.sendAs("hold", "POST", order+"/holds", fmt.Sprintf(`{"reason":"address_check","owner":"customer","deadline":%q,"on_deadline":"cancel"}`, until))
	require.Equal(t, 201, again.status)
	require.Len(t, again.at("holds"), 1, "the same key holds once")

	f := s.must(201, "POST", ful+"/holds", `{"reason":"stock_check","detail":"wet","blocks":["release"]}`)
	require.Equal(t, "on_hold", f.text("status"))
	require.Equal(t, "stock_check", f.text("holds", 0, "reason"))
	require.Nil(t, f.at("holds", 0, "on_deadline"))
	require.Equal(t, f.at("id"), s.get(order).at("holds", 1, "fulfillment_id"))
	require.Equal(t, "fulfillment_on_hold", s.must(409, "POST", ful+"/pick", pick).text("code"))
	require.Equal(t, "open", s.must(200, "POST", ful+"/holds/"+f.text("holds", 0, "id")+"/release", `{}`).text("status"))
	s.must(200, "POST", ful+"/pick", pick)

	for body, want := range map[string]string{
		`{"reason":"x","deadline":"2020-01-01T00:00:00Z"}`: "/deadline in_the_past",
		`{"reason":"x","on_deadline":"release"}`:           "/on_deadline no_deadline",
		`{"reason":"awaiting_payment"}`:                    "/reason reserved",
	} {
		for _, path := range []string{order, ful} {
			a := s.must(422, "POST", path+"/holds", body)
			require.Equal(t, want, a.text("errors", 0, "pointer")+" "+a.text("errors", 0, "code"))
		}
	}
	s.must(404, "POST", order+"/holds/hld_1/release", `{}`)
	s.must(404, "POST", "/v1/fulfillments/ful_1/holds", `{"reason":"x"}`)
	s.must(200, "POST", order+"/cancel", `{}`)
	require.Equal(t, "order_cancelled", s.must(409, "POST", order+"/holds", `{"reason":"x"}`).text("code"))
}

func TestShortPick(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_ok")
	pick := "/v1/fulfillments/" + o.text("fulfillments", 0, "id") + "/pick"
	line := func(more string) string {
		return fmt.Sprintf(`{"lines":[{"line_id":%q,%s}]}`, o.text("lines", 0, "id"), more)
	}
	a := s.must(422, "POST", pick, line(`"quantity":1`))
	require.Equal(t, "/lines/0/reason reason_required", a.text("errors", 0, "pointer")+" "+a.text("errors", 0, "code"))
	s.must(422, "POST", pick, line(`"quantity":0`))
	f := s.must(200, "POST", pick, line(`"quantity":1,"reason":"damaged"`))
	require.EqualValues(t, 1, f.at("lines", 0, "short"))
	o = s.until("/v1/orders/"+o.text("id"), func(a answer) bool { return a.at("short_picks", 0, "decided") == true })
	require.Equal(t, "damaged", o.text("short_picks", 0, "reason"))
	require.Equal(t, "sf", o.text("short_picks", 0, "location"))
	require.EqualValues(t, 1, o.at("lines", 0, "cancelled"), "there is no other location")
	require.EqualValues(t, 2164, o.at("lines", 0, "credited"))
	require.EqualValues(t, 1, s.get("/v1/inventory?sku=TEE-M").at("data", 0, "damaged"))
	require.EqualValues(t, 1, s.get("/v1/inventory?sku=TEE-M").at("data", 0, "unavailable"))
}

func TestStuckParcels(t *testing.T) {
	s := open(t)
	for i := range 3 {
		s.warehouse(s.place(fmt.Sprint(i), "tok_ok"), "ship")
	}
	s.warehouse(s.place("packed", "tok_ok"), "pack")
	require.Len(t, s.get("/v1/shipments").at("data"), 4)
	require.Len(t, s.get("/v1/shipments?status=shipped").at("data"), 3)
	require.Len(t, s.get("/v1/shipments?tracking_status=pending").at("data"), 3, "a packed one is nowhere on its way")
	require.Empty(t, s.get("/v1/shipments?tracking_status=delivered").at("data"))
	require.Empty(t, s.get("/v1/shipments?stuck_days=1").at("data"))

	later := s.later(5 * 24 * time.Hour)
	page := later.get("/v1/shipments?stuck_days=5&limit=2")
	require.Empty(t, later.get("/v1/shipments?stuck_days=6").at("data"))
	require.Len(t, page.at("data"), 2)
	next := later.get("/v1/shipments?stuck_days=5&limit=2&cursor=" + page.text("next_cursor"))
	require.Len(t, next.at("data"), 1)
	require.Nil(t, next.at("next_cursor"))
	at := []string{page.text("data", 0, "tracking_at"), page.text("data", 1, "tracking_at"), next.text("data", 0, "tracking_at")}
	require.IsIncreasing(t, at, "those that are stuck for the longest come first")
}
