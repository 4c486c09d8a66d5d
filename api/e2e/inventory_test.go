package e2e_test

import (
	"net/url"
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
