package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
)

// TestWrongFieldsOfCommands has one wrong field for each rule that a command's body has of its own.
func TestWrongFieldsOfCommands(t *testing.T) {
	b := newBorder(t, nil)
	many := func(n int, one string) string { return `[` + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + `]` }
	const unit = `{"line_id":"lin_1","quantity":1}`
	for name, test := range map[string]struct{ path, body, pointer, code string }{
		"a priority over 9":            {"/v1/orders", with(`"test":false`, `"test":false,"priority":10`), "/priority", "out_of_range"},
		"a priority below 0":           {"/v1/orders", with(`"test":false`, `"test":false,"priority":-1`), "/priority", "out_of_range"},
		"a promise that is no time":    {"/v1/orders", with(`"test":false`, `"test":false,"promised_at":"soon"`), "/promised_at", "bad_format"},
		"a promise of nothing":         {"/v1/orders", with(`"test":false`, `"test":false,"promised_at":null`), "/promised_at", "null"},
		"final sale as text":           {"/v1/orders", with(`"tax":330`, `"tax":330,"final_sale":"yes"`), "/lines/0/final_sale", "wrong_type"},
		"cancel no lines":              {"/v1/orders/x/cancel", `{"lines":[]}`, "/lines", "too_few"},
		"cancel 501 lines":             {"/v1/orders/x/cancel", `{"lines":` + many(501, unit) + `}`, "/lines", "too_many"},
		"cancel no units":              {"/v1/orders/x/cancel", `{"lines":[{"line_id":"lin_1","quantity":0}]}`, "/lines/0/quantity", "out_of_range"},
		"cancel a line by its SKU":     {"/v1/orders/x/cancel", `{"lines":[{"sku":"TEE-M","quantity":1}]}`, "/lines/0/sku", "unknown_field"},
		"hold for no reason":           {"/v1/orders/x/holds", `{}`, "/reason", "required"},
		"hold for a sentence":          {"/v1/orders/x/holds", `{"reason":"Ask him."}`, "/reason", "bad_format"},
		"hold by nobody":               {"/v1/orders/x/holds", `{"reason":"x","owner":"boss"}`, "/owner", "unknown_value"},
		"hold that blocks nothing":     {"/v1/orders/x/holds", `{"reason":"x","blocks":[]}`, "/blocks", "too_few"},
		"hold that blocks the rest":    {"/v1/orders/x/holds", `{"reason":"x","blocks":["all"]}`, "/blocks/0", "unknown_value"},
		"hold until someday":           {"/v1/orders/x/holds", `{"reason":"x","deadline":"someday"}`, "/deadline", "bad_format"},
		"hold that expires the order":  {"/v1/orders/x/holds", `{"reason":"x","on_deadline":"expire"}`, "/on_deadline", "unknown_value"},
		"hold a fulfillment order so":  {"/v1/fulfillments/x/holds", `{"reason":"x","detail":""}`, "/detail", "too_short"},
		"release with a reason":        {"/v1/orders/x/holds/y/release", `{"reason":"x"}`, "/reason", "unknown_field"},
		"release the fulfillment's so": {"/v1/fulfillments/x/holds/y/release", `{"reason":"x"}`, "/reason", "unknown_field"},
		"pick less than nothing":       {"/v1/fulfillments/x/pick", `{"lines":[{"line_id":"lin_1","quantity":-1}]}`, "/lines/0/quantity", "out_of_range"},
		"pick for a reason of my own":  {"/v1/fulfillments/x/pick", `{"lines":[{"line_id":"lin_1","quantity":0,"reason":"lazy"}]}`, "/lines/0/reason", "unknown_value"},
		"pack nothing":                 {"/v1/fulfillments/x/pack", `{"parcels":[{"weight_grams":1,"lines":[{"line_id":"lin_1","quantity":0}]}]}`, "/parcels/0/lines/0/quantity", "out_of_range"},
		"return nothing":               {"/v1/orders/x/returns", `{"lines":[]}`, "/lines", "too_few"},
		"return without a reason":      {"/v1/orders/x/returns", `{"lines":[` + unit + `]}`, "/lines/0/reason", "required"},
		"return as undeliverable":      {"/v1/orders/x/returns", `{"lines":[{"line_id":"lin_1","quantity":1,"reason":"undeliverable"}]}`, "/lines/0/reason", "unknown_value"},
		"preview half a unit":          {"/v1/orders/x/returns/preview", `{"lines":[{"line_id":"lin_1","quantity":0.5,"reason":"other"}]}`, "/lines/0/quantity", "not_whole"},
		"approve somehow":              {"/v1/returns/x/approve", `{"returnless":"no"}`, "/returnless", "wrong_type"},
		"decline without a reason":     {"/v1/returns/x/decline", `{}`, "/reason", "required"},
		"decline with a card number":   {"/v1/returns/x/decline", `{"reason":"see 4111 1111 1111 1111"}`, "/reason", "card_number"},
		"receive at no place":          {"/v1/returns/x/receive", `{"location":"","lines":[` + unit + `]}`, "/location", "too_short"},
		"receive 501 lines":            {"/v1/returns/x/receive", `{"lines":` + many(501, unit) + `}`, "/lines", "too_many"},
		"receive 101 surprises":        {"/v1/returns/x/receive", `{"unexpected":` + many(101, `{"sku":"A","quantity":1}`) + `}`, "/unexpected", "too_many"},
		"receive nothing of a SKU":     {"/v1/returns/x/receive", `{"unexpected":[{"sku":"A","quantity":0}]}`, "/unexpected/0/quantity", "out_of_range"},
		"inspect without a grade":      {"/v1/returns/x/inspect", `{"lines":[` + unit + `]}`, "/lines/0/grade", "required"},
		"grade E":                      {"/v1/returns/x/inspect", `{"lines":[{"line_id":"lin_1","quantity":1,"grade":"E"}]}`, "/lines/0/grade", "unknown_value"},
		"a small grade":                {"/v1/returns/x/inspect", `{"lines":[{"line_id":"lin_1","quantity":1,"grade":"a"}]}`, "/lines/0/grade", "unknown_value"},
		"refund an amount":             {"/v1/returns/x/inspect", `{"lines":[{"line_id":"lin_1","quantity":1,"grade":"A","refund":100}]}`, "/lines/0/refund", "wrong_type"},
		"cancel a return for nothing":  {"/v1/returns/x/cancel", `{"reason":""}`, "/reason", "too_short"},
		"resume a return and more":     {"/v1/returns/x/resume", `{"force":true}`, "/force", "unknown_field"},
		"settle without a reference":   {"/v1/orders/x/refunds/y/settle", `{}`, "/reference", "required"},
		"settle with a blank one":      {"/v1/orders/x/refunds/y/settle", `{"reference":" "}`, "/reference", "bad_format"},
		"settle another amount":        {"/v1/orders/x/refunds/y/settle", `{"reference":"x","amount":1}`, "/amount", "unknown_field"},
		"dispose of nothing":           {"/v1/inventory/dispositions", `{"location":"sf","lines":[]}`, "/lines", "too_few"},
		"dispose of what is for sale":  {"/v1/inventory/dispositions", `{"location":"sf","lines":[{"sku":"A","quantity":1,"from":"available","to":"scrapped"}]}`, "/lines/0/from", "unknown_value"},
		"put away to quality control":  {"/v1/inventory/dispositions", `{"location":"sf","lines":[{"sku":"A","quantity":1,"from":"damaged","to":"quality_control"}]}`, "/lines/0/to", "unknown_value"},
		"dispose of less than nothing": {"/v1/inventory/dispositions", `{"location":"sf","lines":[{"sku":"A","quantity":-1,"from":"damaged","to":"scrapped"}]}`, "/lines/0/quantity", "out_of_range"},
		"a return seen nowhere":        {"/v1/returns/x/tracking", `{"status":"vanished","occurred_at":"2026-01-12T15:04:05Z"}`, "/status", "unknown_value"},
		"a return seen some time":      {"/v1/returns/x/tracking", `{"status":"in_transit"}`, "/occurred_at", "required"},
	} {
		t.Run(name, func(t *testing.T) {
			res, problem := b.send(t, request{method: http.MethodPost, path: test.path, body: test.body})
			require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
			require.Equal(t, "invalid_fields", problem.Code)
			require.Contains(t, problem.Errors, client.FieldError{Pointer: test.pointer, Code: test.code, Detail: detailAt(problem, test.pointer)})
		})
	}
}

// TestEveryCommandIsReadStrictly: what no body may be, sent to each operation that takes one.
func TestEveryCommandIsReadStrictly(t *testing.T) {
	contract, err := api.LoadContract()
	require.NoError(t, err)
	b := newBorder(t, nil)
	for _, op := range contract.Operations {
		if op.Body() == nil {
			continue
		}
		send := func(body string, header map[string]string) (answer, client.Problem) {
			return b.send(t, request{method: op.Method, path: pathOf(op, "x"), body: body, header: header})
		}
		for body, want := range map[string]string{`nonsense`: "not_json", `{}{}`: "trailing_data", `{"a":1,"a":2}`: "duplicate_field",
			"{\"a\":\"\xff\"}": "bad_utf8", " ": "body_missing"} {
			res, problem := send(body, nil)
			require.Equal(t, http.StatusBadRequest, res.StatusCode, op.ID)
			require.Equal(t, want, problem.Code, op.ID)
		}
		for _, body := range []string{`[]`, `null`, `{"no_such_field":1}`} {
			res, problem := send(body, nil)
			require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode, op.ID+body)
			require.Equal(t, "invalid_fields", problem.Code, op.ID)
		}
		res, _ := send(`{}`, map[string]string{"Content-Type": "text/plain"})
		require.Equal(t, http.StatusUnsupportedMediaType, res.StatusCode, op.ID)
		if op.Method == http.MethodPost {
			_, problem := send(`{}`, map[string]string{"Idempotency-Key": ""})
			require.Equal(t, "idempotency_key_missing", problem.Code, op.ID)
		}
	}
}

func TestQueriesOfParcelsAndReturns(t *testing.T) {
	b := newBorder(t, nil)
	for path, want := range map[string]string{
		"/v1/shipments?stuck_days=0": "/stuck_days out_of_range", "/v1/shipments?stuck_days=366": "/stuck_days out_of_range",
		"/v1/shipments?stuck_days=two": "/stuck_days not_whole", "/v1/shipments?status=gone": "/status unknown_value",
		"/v1/shipments?tracking_status=gone": "/tracking_status unknown_value", "/v1/shipments?location=sf": "/location unknown_parameter",
		"/v1/shipments?cursor=abc!": "/cursor bad_format",
		"/v1/returns?status=done":   "/status unknown_value", "/v1/returns?attention=1": "/attention wrong_type",
		"/v1/returns?order_id=ord'1": "/order_id bad_format", "/v1/returns?order=ord_1": "/order unknown_parameter",
		"/v1/returns?limit=201": "/limit out_of_range",
	} {
		res, problem := b.send(t, request{method: http.MethodGet, path: path})
		require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode, path)
		require.Len(t, problem.Errors, 1, path)
		require.Equal(t, want, problem.Errors[0].Pointer+" "+problem.Errors[0].Code, path)
	}
	for _, path := range []string{"/v1/returns/ret'1", "/v1/returns/4111111111111111", "/v1/shipments/"} {
		res, _ := b.send(t, request{method: http.MethodGet, path: path})
		require.Equal(t, http.StatusNotFound, res.StatusCode, path)
	}
	res, _ := b.send(t, request{method: http.MethodPost, path: "/v1/orders/ord_1/holds/hld'1/release", body: `{}`})
	require.Equal(t, http.StatusNotFound, res.StatusCode)
}

// TestScopesOfReturns: a customer's account may ask for returns and call them off; the rest is the warehouse's, but that
// money was given back elsewhere takes a scope that neither has.
func TestScopesOfReturns(t *testing.T) {
	contract, err := api.LoadContract()
	require.NoError(t, err)
	want := map[string]string{"requestReturn": "returns:write", "previewReturn": "returns:write", "cancelReturn": "returns:write",
		"listReturns": "returns:read", "getReturn": "returns:read", "approveReturn": "fulfillments:write", "declineReturn": "fulfillments:write",
		"receiveReturn": "fulfillments:write", "inspectReturn": "fulfillments:write", "resumeReturn": "fulfillments:write",
		"recordReturnTracking": "fulfillments:write", "listShipments": "fulfillments:read", "holdOrder": "orders:write",
		"settleRefund": "refunds:write", "disposeStock": "inventory:write", "adjustStock": "inventory:write", "releaseOrderHold": "orders:write", "holdFulfillment": "fulfillments:write", "releaseFulfillmentHold": "fulfillments:write"}
	for id, scope := range want {
		require.Equal(t, scope, contract.Operation(id).Scope, id)
	}
}

// TestAConflictNamesItsLines: a refused return has one entry for each line, with the line's own code.
func TestAConflictNamesItsLines(t *testing.T) {
	refused := fault.Conflictf("not_returnable", "2 of 2 lines cannot be returned")
	refused.Fields = []fault.Field{{Pointer: "/lines/0/line_id", Code: "final_sale", Detail: "sold for good"},
		{Pointer: "/lines/1/line_id", Code: "window_closed", Detail: "30 days from delivery"}}
	b := newBorder(t, api.Handlers{"requestReturn": fails(refused)})
	res, problem := b.send(t, request{method: http.MethodPost, path: "/v1/orders/ord_1/returns",
		body: `{"lines":[{"line_id":"lin_1","quantity":1,"reason":"other"},{"line_id":"lin_2","quantity":1,"reason":"other"}]}`})
	require.Equal(t, http.StatusConflict, res.StatusCode)
	require.Equal(t, "/docs#problem-not_returnable", problem.Type)
	got, err := json.Marshal(problem.Errors)
	require.NoError(t, err)
	require.JSONEq(t, `[{"pointer":"/lines/0/line_id","code":"final_sale","detail":"sold for good"},
		{"pointer":"/lines/1/line_id","code":"window_closed","detail":"30 days from delivery"}]`, string(got))
}
