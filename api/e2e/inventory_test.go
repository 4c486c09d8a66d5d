package e2e_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInventory(t *testing.T) {
	s := open(t)
	a := s.sendAs("rcp", "POST", "/v1/inventory/receipts", `{"location":"sf","lines":[{"sku":"MUG","quantity":3},{"sku":"MUG","quantity":2}]}`)
	require.Equal(t, 201, a.status)
	require.EqualValues(t, 5, a.at("levels", 0, "available"))
	a = s.sendAs("rcp", "POST", "/v1/inventory/receipts", `{"location":"sf","lines":[{"sku":"MUG","quantity":3},{"sku":"MUG","quantity":2}]}`)
	require.EqualValues(t, 5, a.at("levels", 0, "on_hand"), "the same key books once")
	a = s.sendAs("rcp", "POST", "/v1/inventory/receipts", `{"location":"sf","lines":[{"sku":"MUG","quantity":4}]}`)
	require.Equal(t, "idempotency_key_reused", a.text("code"))

	o := s.must(201, "POST", "/v1/orders", orderBody("1", "MUG", "tok_ok"))
	a = s.must(409, "POST", "/v1/inventory/adjustments", `{"location":"sf","lines":[{"sku":"MUG","quantity":-4}],"reason":"broken"}`)
	require.Equal(t, "below_committed", a.text("code"))
	require.Contains(t, a.text("detail"), "than is committed to orders or not for sale")
	require.Equal(t, o.at("id"), a.at("holders", 0, "order_id"))
	a = s.must(201, "POST", "/v1/inventory/adjustments", `{"location":"sf","lines":[{"sku":"MUG","quantity":-3}],"reason":"broken"}`)
	require.EqualValues(t, 0, a.at("levels", 0, "available"))
	require.Equal(t, o.at("id"), s.get("/v1/inventory/MUG/holders").at("data", 0, "order_id"))
	require.Empty(t, s.get("/v1/inventory/MUG/holders?location=la").at("data"))

	page := s.get("/v1/inventory/ledger?sku=MUG&limit=2")
	require.Equal(t, "adjustment", page.text("data", 0, "kind"))
	require.Equal(t, "reservation", page.text("data", 1, "kind"))
	page = s.get("/v1/inventory/ledger?sku=MUG&limit=2&cursor=" + url.QueryEscape(page.text("next_cursor")))
	require.Equal(t, "receipt", page.text("data", 0, "kind"))
	require.Nil(t, page.at("next_cursor"))
	require.Len(t, s.get("/v1/inventory?location=sf&limit=1").at("data"), 1)

	require.Equal(t, "/location", s.must(422, "POST", "/v1/inventory/receipts", `{"location":"nowhere","lines":[{"sku":"MUG","quantity":1}]}`).text("errors", 0, "pointer"))
	s.must(200, "PUT", "/v1/locations/sf", `{"name":"SF","country":"US","priority":2}`)
	require.Equal(t, "/country", s.must(422, "PUT", "/v1/locations/la", `{"name":"LA","country":"XX","priority":2}`).text("errors", 0, "pointer"))
}

// TestGoodsNotForSale are decided about by hand: what nobody announced has no inspection.
func TestGoodsNotForSale(t *testing.T) {
	s := open(t)
	o := s.deliver("1")
	r := s.must(201, "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "changed_mind"))
	path := "/v1/returns/" + r.text("id")
	s.must(200, "POST", path+"/approve", `{}`)
	s.must(200, "POST", path+"/receive", strings.Replace(units(r, 1, ""), `]}`, `],"unexpected":[{"sku":"TEE-M","quantity":3}]}`, 1))
	require.EqualValues(t, 4, s.get("/v1/inventory?sku=TEE-M").at("data", 0, "quality_control"))

	const body = `{"location":"sf","lines":[{"sku":"TEE-M","quantity":%d,"from":%q,"to":%q}]%s}`
	decide := func(status, quantity int, from, to string) answer {
		return s.must(status, "POST", "/v1/inventory/dispositions", fmt.Sprintf(body, quantity, from, to, `,"reason":"looked at"`))
	}
	a := decide(409, 4, "quality_control", "available")
	require.Equal(t, "not_in_state", a.text("code"))
	require.Equal(t, "/lines/0/quantity", a.text("errors", 0, "pointer"))
	require.Contains(t, a.text("errors", 0, "detail"), "3 to be decided about", "one is the return's to inspect")
	require.Equal(t, "/lines/0/to", decide(422, 1, "damaged", "damaged").text("errors", 0, "pointer"))
	require.Equal(t, "/location", s.must(422, "POST", "/v1/inventory/dispositions", strings.Replace(fmt.Sprintf(body, 1, "damaged", "scrapped", ""),
		`"sf"`, `"nowhere"`, 1)).text("errors", 0, "pointer"))

	sold := fmt.Sprintf(body, 1, "quality_control", "available", "")
	for range 2 {
		a = s.sendAs("sell", "POST", "/v1/inventory/dispositions", sold)
		require.Equal(t, 201, a.status, "%v", a.body)
		require.EqualValues(t, 99, a.at("levels", 0, "available"))
		require.EqualValues(t, 3, a.at("levels", 0, "quality_control"), "the same key decides once")
	}
	require.Equal(t, "idempotency_key_reused", s.sendAs("sell", "POST", "/v1/inventory/dispositions", strings.Replace(sold, "available", "scrapped", 1)).text("code"))
	require.EqualValues(t, 2, decide(201, 2, "quality_control", "damaged").at("levels", 0, "damaged"))
	a = decide(201, 2, "damaged", "scrapped")
	require.EqualValues(t, 100, a.at("levels", 0, "on_hand"))
	require.EqualValues(t, 1, a.at("levels", 0, "unavailable"))
	moved := s.get("/v1/inventory/ledger?sku=TEE-M&limit=1")
	require.Equal(t, []any{"disposition", "looked at", nil}, []any{moved.at("data", 0, "kind"), moved.at("data", 0, "reason"), moved.at("data", 0, "return_id")})
	s.must(200, "POST", path+"/inspect", units(r, 1, `,"grade":"A"`))
	require.EqualValues(t, 0, s.get("/v1/inventory?sku=TEE-M").at("data", 0, "unavailable"))
}

// TestARepairedUnitIsGranted to who waits for it, in the same moment.
func TestARepairedUnitIsGranted(t *testing.T) {
	s := open(t)
	o := s.deliver("1")
	r := s.must(201, "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "changed_mind"))
	path := "/v1/returns/" + r.text("id")
	s.must(200, "POST", path+"/approve", `{}`)
	s.must(200, "POST", path+"/receive", strings.Replace(units(r, 1, ""), `]}`, `],"unexpected":[{"sku":"MUG","quantity":2}]}`, 1))
	waits := s.must(201, "POST", "/v1/orders", strings.Replace(orderBody("2", "MUG", "tok_ok"), `"total"`, `"on_shortage":"backorder","total"`, 1))
	require.EqualValues(t, 2, waits.at("lines", 0, "backordered"))
	a := s.must(201, "POST", "/v1/inventory/dispositions", `{"location":"sf","lines":[{"sku":"MUG","quantity":2,"from":"quality_control","to":"available"}]}`)
	require.EqualValues(t, 2, a.at("levels", 0, "committed"))
	s.warehouse(s.get("/v1/orders/"+waits.text("id")), "ship")
}
