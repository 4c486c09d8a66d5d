package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/api/apitest"
	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/health"
)

// through is a client's transport that goes straight to the border, and checks every answer on the way back.
type through struct {
	t testing.TB
	http.Handler
}

func (d through) Do(r *http.Request) (*http.Response, error) {
	return apitest.Do(d.t, d.Handler, r).Result(), nil
}

func TestClientPlacesAnOrder(t *testing.T) {
	var placed client.OrderRequest
	var canonical []byte
	contract, err := api.LoadContract()
	require.NoError(t, err)
	b := newBorder(t, api.Handlers{"placeOrder": func(c *gin.Context) error {
		require.Equal(t, "place-1001", api.IdempotencyKey(c))
		require.Equal(t, "key_all", api.Caller(c).ID)
		require.Equal(t, c.Writer.Header().Get("X-Request-Id"), api.RequestID(c))
		placed, canonical = api.Body[client.OrderRequest](c), api.Canonical(c)
		_, body := contract.Operation("placeOrder").Example(http.StatusCreated)
		api.Reply(c, http.StatusCreated, body)
		return nil
	}})
	server := httptest.NewServer(apitest.Wrap(t, b))
	defer server.Close()
	c, err := client.Connect(server.URL, "wb_all")
	require.NoError(t, err)
	request := client.OrderRequest{ExternalID: "1001", Channel: "web", Currency: "USD",
		Customer: client.Customer{ID: "c-17", Name: "Ada Lovelace", Email: "ada@example.com"},
		ShipTo:   client.Address{Name: "Ada Lovelace", Line1: "548 Market St", City: "San Francisco", Region: "CA", PostalCode: "94107", Country: "US"},
		Lines:    []client.OrderRequestLine{{SKU: "TEE-M", Quantity: 2, UnitPrice: 1999, Tax: 330}},
		Shipping: client.OrderRequestShipping{Service: "standard", Amount: 500},
		Payment:  client.PaymentRequest{Gateway: "sandbox", Token: "tok_ok"}, Total: 4828}
	answer, err := c.PlaceOrderWithResponse(t.Context(), &client.PlaceOrderParams{IdempotencyKey: "place-1001"}, request)
	require.NoError(t, err)
	require.Equal(t, client.OrderStatusAccepted, answer.JSON201.Status)

	want := request
	want.OnShortage = client.OnShortageReject
	require.Equal(t, want, placed, "what arrives is what was sent, with the contract's defaults")
	require.JSONEq(t, `{"channel":"web","currency":"USD","customer":{"email":"ada@example.com","id":"c-17","name":"Ada Lovelace"},
		"discount":0,"external_id":"1001","lines":[{"discount":0,"final_sale":false,"quantity":2,"sku":"TEE-M","tax":330,"unit_price":1999}],
		"on_shortage":"reject","payment":{"gateway":"sandbox","token":"tok_ok"},"prices_include_tax":false,"priority":0,
		"ship_to":{"city":"San Francisco","country":"US","line1":"548 Market St","name":"Ada Lovelace","postal_code":"94107","region":"CA"},
		"shipping":{"amount":500,"service":"standard","tax":0},"test":false,"total":4828}`, string(canonical))
}

// TestCanonical: a body means the same however it is written.
func TestCanonical(t *testing.T) {
	var seen [][]byte
	b := newBorder(t, api.Handlers{"payOrder": func(c *gin.Context) error {
		seen = append(seen, api.Canonical(c))
		return fault.Conflictf("busy", "busy")
	}})
	for _, body := range []string{
		`{"gateway":"sandbox","token":"tok_ok"}`, ` { "token" : "tok_ok" , "gateway" : "s\u0061ndbox" } `,
	} {
		_, _ = b.send(t, request{method: http.MethodPost, path: "/v1/orders/ord_1/payment", body: body})
	}
	require.Equal(t, `{"gateway":"sandbox","token":"tok_ok"}`, string(seen[0]))
	require.Equal(t, seen[0], seen[1])
}

func TestClientReadsRefusals(t *testing.T) {
	busy := fault.New(fault.TooMany, "too_many_commands", "wait")
	busy.RetryAfter = 3 * time.Second
	b := newBorder(t, api.Handlers{"resumeOrder": fails(busy)}, health.Check{Name: "temporal",
		Run: func(context.Context) error { return errors.New("away") }})
	c, err := client.Connect("http://waybill.test", "wb_all", client.WithHTTPClient(through{t, b}))
	require.NoError(t, err)
	_, err = c.ResumeOrderWithResponse(t.Context(), "ord_1", &client.ResumeOrderParams{IdempotencyKey: "k"}, client.ResumeRequest{})
	require.Equal(t, "too_many_commands", client.CodeOf(err))
	var refusal *client.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, 3*time.Second, refusal.RetryAfter)
	require.Equal(t, http.StatusTooManyRequests, refusal.Status)

	ready, err := c.GetReadinessWithResponse(t.Context())
	require.NoError(t, err)
	require.Equal(t, "temporal", ready.JSON503.Checks[0].Name)

	c, err = client.Connect("http://waybill.test", "wb_all", client.WithHTTPClient(through{t, http.NotFoundHandler()}.unchecked()))
	require.NoError(t, err)
	_, err = c.ListOrdersWithResponse(t.Context(), nil)
	require.ErrorContains(t, err, "404")
	require.Empty(t, client.CodeOf(err))
}

// unchecked is a transport to something that is no Waybill.
func (d through) unchecked() doer {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		return w.Result(), nil
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
