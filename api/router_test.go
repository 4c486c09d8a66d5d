package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/api/apitest"
	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/health"
)

// TestRoutesArePaths: gin has exactly the contract's paths, in both directions.
func TestRoutesArePaths(t *testing.T) {
	contract, err := api.LoadContract()
	require.NoError(t, err)
	engine, ok := newBorder(t, nil).Handler.(*gin.Engine)
	require.True(t, ok)
	var routes, paths []string
	for _, route := range engine.Routes() {
		routes = append(routes, route.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(route.Path, "{$1}"))
	}
	for path, item := range contract.Doc.Paths.Map() {
		for method := range item.Operations() {
			paths = append(paths, method+" "+path)
		}
	}
	slices.Sort(routes)
	slices.Sort(paths)
	require.Equal(t, paths, routes)
}

func TestHandlersAreOperations(t *testing.T) {
	options := api.Options{Keys: keys{}, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	options.Handlers = api.Handlers{"listOrder": fails(nil), "getHealth": fails(nil)}
	_, err := api.New(options)
	require.ErrorContains(t, err, `no operation "listOrder"`)
	require.ErrorContains(t, err, `nothing answers "listOrders"`)
	require.ErrorContains(t, err, `"getHealth" is answered by the border itself`)
	_, err = api.New(api.Options{})
	require.Error(t, err)
}

// TestEveryOperationAnswers: the examples of the contract go through the border, and are answers of the contract.
func TestEveryOperationAnswers(t *testing.T) {
	contract, err := api.LoadContract()
	require.NoError(t, err)
	b := newBorder(t, nil)
	for _, op := range contract.Operations {
		r := request{method: op.Method, path: pathOf(op, "sf")}
		if op.Body() != nil {
			body, err := json.Marshal(op.Spec.RequestBody.Value.Content.Get("application/json").Example)
			require.NoError(t, err)
			r.body = string(body)
		}
		res, _ := b.send(t, r)
		require.Less(t, res.StatusCode, 300, op.ID)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	b := newBorder(t, nil)
	for path, want := range map[string]struct {
		method string
		status int
		allow  string
	}{
		"/":                       {"GET", 404, ""},
		"/v1/order":               {"GET", 404, ""},
		"/v1/orders/":             {"GET", 404, ""}, // no redirect
		"/v1//orders":             {"GET", 404, ""},
		"/V1/orders":              {"GET", 404, ""},
		"/v1/orders/a/b/c":        {"GET", 404, ""},
		"/v1/orders":              {"PUT", 405, "GET, POST"},
		"/v1/orders?x":            {"DELETE", 405, "GET, POST"},
		"/v1/orders/ord_1":        {"PATCH", 405, "GET"},
		"/v1/inventory/ledger":    {"POST", 405, "GET"},
		"/v1/orders/ord_1/cancel": {"GET", 405, "POST"},
		"/healthz":                {"POST", 405, "GET"},
		"/docs":                   {"HEAD", 405, "GET"},
		"/v1/locations/sf":        {"MADE-UP", 405, "PUT"},
	} {
		t.Run(want.method+path, func(t *testing.T) {
			res, problem := b.send(t, request{method: want.method, path: path})
			require.Equal(t, want.status, res.StatusCode)
			require.Equal(t, map[int]string{404: "not_found", 405: "method_not_allowed"}[want.status], problem.Code)
			allow := strings.Split(res.Header.Get("Allow"), ", ")
			slices.Sort(allow)
			require.Equal(t, want.allow, strings.Join(allow, ", "))
		})
	}
	require.NotContains(t, b.log.String(), "MADE-UP")
}

func TestPathParameters(t *testing.T) {
	var got string
	keep := func(name string, op *api.Operation) api.Handler {
		return func(c *gin.Context) error {
			got = c.Param(name)
			return exampleOf(op)(c)
		}
	}
	contract, err := api.LoadContract()
	require.NoError(t, err)
	b := newBorder(t, api.Handlers{
		"listHolders": keep("sku", contract.Operation("listHolders")), "getOrder": keep("id", contract.Operation("getOrder")),
		"putLocation": keep("id", contract.Operation("putLocation")),
	})
	for path, want := range map[string]struct {
		value  string
		status int
	}{
		"/v1/inventory/A%2FB/holders":                           {"A/B", 200},
		"/v1/inventory/A+B/holders":                             {"A+B", 200},
		"/v1/inventory/A%20B/holders":                           {"A B", 200},
		"/v1/inventory/%C3%A9/holders":                          {"é", 200},
		"/v1/inventory/ledger/holders":                          {"ledger", 200},
		"/v1/inventory/%FF/holders":                             {"", 404},
		"/v1/inventory/A%0AB/holders":                           {"", 404},
		"/v1/inventory/%20A/holders":                            {"", 404},
		"/v1/inventory/" + strings.Repeat("A", 65) + "/holders": {"", 404},
		"/v1/orders/ord_1":                                      {"ord_1", 200},
		"/v1/orders/ord'1":                                      {"", 404},
		"/v1/orders/..%2F..%2Fetc":                              {"", 404},
		"/v1/orders/4111111111111111":                           {"", 404},
	} {
		got = ""
		res, _ := b.send(t, request{method: http.MethodGet, path: path})
		require.Equal(t, want.status, res.StatusCode, path)
		require.Equal(t, want.value, got, path)
	}
	res, problem := b.send(t, request{method: http.MethodPut, path: "/v1/locations/%FF", body: `{"name":"x","country":"US","priority":1}`})
	require.Equal(t, http.StatusBadRequest, res.StatusCode)
	require.Equal(t, "bad_utf8", problem.Code)
	res, problem = b.send(t, request{method: http.MethodPut, path: "/v1/locations/san%20francisco",
		body: `{"name":"","country":"US","priority":1}`})
	require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
	require.Len(t, problem.Errors, 2, "the path and the body are wrong, and both are said")
	require.Equal(t, "/id", problem.Errors[0].Pointer)
	require.Equal(t, "/name", problem.Errors[1].Pointer)
}

func TestQueryParameters(t *testing.T) {
	var got client.ListOrdersParams
	b := newBorder(t, api.Handlers{"listOrders": func(c *gin.Context) error {
		got = api.Params[client.ListOrdersParams](c)
		api.Reply(c, http.StatusOK, client.OrderPage{Data: []client.OrderSummary{}})
		return nil
	}})
	get := func(query string) (answer, client.Problem) {
		return b.send(t, request{method: http.MethodGet, path: "/v1/orders" + query})
	}
	res, _ := get("?status=accepted&limit=7&attention=true&created_from=2026-01-02T15:04:05%2B01:00&q=ada%20l")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, client.OrderStatusAccepted, *got.Status)
	require.Equal(t, 7, *got.Limit)
	require.True(t, *got.Attention)
	require.Equal(t, "2026-01-02T14:04:05Z", got.CreatedFrom.UTC().Format(time.RFC3339))
	require.Equal(t, "ada l", *got.Q)
	require.Nil(t, got.Channel)

	res, _ = get("")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, client.ListOrdersParams{Limit: new(50)}, got)

	for query, want := range map[string]string{
		"?limit=0": "/limit out_of_range", "?limit=201": "/limit out_of_range", "?limit=5.0": "/limit not_whole",
		"?limit=%2B5": "/limit not_whole", "?limit=": "/limit not_whole", "?limit=99999999999999999999": "/limit out_of_range",
		"?limit=1&limit=2": "/limit repeated", "?status=done": "/status unknown_value", "?Status=accepted": "/Status unknown_parameter",
		"?sort=total;drop": "", "?sort=total": "/sort unknown_parameter", "?attention=1": "/attention wrong_type",
		"?created_from=yesterday": "/created_from bad_format", "?created_from=2026-02-30T00:00:00Z": "/created_from bad_format",
		"?created_from=9999-12-31T23:59:59-01:00": "/created_from bad_format", "?created_from=0001-01-01T00:00:00%2B01:00": "/created_from bad_format",
		"?created_from=2026-01-02T15:04:05%2B14:01": "/created_from bad_format",
		"?q=": "/q too_short", "?q=%00": "/q control_character", "?q=4111-1111-1111-1111": "/q card_number",
		"?cursor=abc!": "/cursor bad_format", "?a%20b=1": " unknown_parameter",
	} {
		res, problem := get(query)
		if want == "" {
			require.Equal(t, http.StatusBadRequest, res.StatusCode, query)
			continue
		}
		require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode, query)
		require.Len(t, problem.Errors, 1, query)
		require.Equal(t, want, problem.Errors[0].Pointer+" "+problem.Errors[0].Code, query)
	}
	for _, query := range []string{"?q=%zz", "?q=%ff", "?%ff=1"} {
		res, _ := get(query)
		require.Equal(t, http.StatusBadRequest, res.StatusCode, query)
	}
}

// TestFaults: each kind of fault has its status and its headers, and everything that it carries arrives.
func TestFaults(t *testing.T) {
	unavailable := fault.New(fault.Unavailable, "outcome_unknown", "ask again")
	unavailable.RetryAfter = 1500 * time.Millisecond
	short := fault.Conflictf("out_of_stock", "1 line is short")
	short.OrderID = "ord_1"
	short.Shortages = []fault.Shortage{{LineID: "lin_1", SKU: "TEE-M", Requested: 2, Available: 1, Known: true}}
	held := fault.Conflictf("below_committed", "orders hold these units")
	held.Holders = []fault.Holder{{OrderID: "ord_1", LineID: "lin_1", SKU: "TEE-M", LocationID: "sf", Quantity: 2}}
	action := fault.New(fault.Payment, "payment_action_required", "the bank wants the customer")
	action.OrderID, action.NextAction = "ord_1", &fault.NextAction{Type: "redirect", URL: "https://bank.example/3ds"}
	var fields fault.Fields
	fields.Add("/total", "total_mismatch", "total is 1 too low")

	for name, test := range map[string]struct {
		err                    error
		status                 int
		code, title, retry     string
		shows                  string
		problemType, operation string
	}{
		"unavailable":          {err: unavailable, status: 503, code: "outcome_unknown", retry: "2", problemType: "/docs#problem-outcome_unknown"},
		"unavailable, no time": {err: fault.New(fault.Unavailable, "odd", "later"), status: 503, code: "odd", retry: "2", title: "Service Unavailable", problemType: "about:blank"},
		"too many":             {err: fault.New(fault.TooMany, "too_many_commands", "wait"), status: 429, code: "too_many_commands", retry: "1"},
		"short":                {err: short, status: 409, code: "out_of_stock", shows: `"shortages":[{"available":1,"known":true,"line_id":"lin_1","requested":2,"sku":"TEE-M"}]`},
		"held":                 {err: held, status: 409, code: "below_committed", shows: `"holders":[{"line_id":"lin_1","location":"sf","order_id":"ord_1","quantity":2,"sku":"TEE-M"}]`},
		"action":               {err: action, status: 402, code: "payment_action_required", shows: `"next_action":{"type":"redirect","url":"https://bank.example/3ds"}`},
		"fields":               {err: fields.Err(), status: 422, code: "invalid_fields", shows: `"pointer":"/total"`},
		"wrapped":              {err: errors.Join(errors.New("while placing"), short), status: 409, code: "out_of_stock"},
		"not typed":            {err: errors.New(`pq: duplicate key value violates "orders_pkey" (ada@example.com)`), status: 500, code: "internal", title: "Broken on our side"},
		"a deadline":           {err: context.DeadlineExceeded, status: 500, code: "internal"},
		"an unknown kind":      {err: fault.New("odd", "odd", "select secret from books"), status: 500, code: "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBorder(t, api.Handlers{"placeOrder": fails(test.err)})
			w := httptest.NewRecorder()
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/orders", strings.NewReader(order))
			req.Header = http.Header{"Authorization": {"Bearer wb_all"}, "Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
			apitest.Wrap(t, b).ServeHTTP(w, req)
			require.Equal(t, test.status, w.Code)
			require.Contains(t, w.Body.String(), `"code":"`+test.code+`"`)
			require.Contains(t, w.Body.String(), test.shows)
			require.Equal(t, test.retry, w.Header().Get("Retry-After"))
			var problem client.Problem
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
			require.True(t, test.title == "" || problem.Title == test.title, problem.Title)
			require.True(t, test.problemType == "" || problem.Type == test.problemType, problem.Type)
			require.NotNil(t, problem.Errors)
			if test.code == "internal" {
				require.Contains(t, b.log.String(), `"msg":"request failed","request_id":"`+w.Header().Get("X-Request-Id"))
			}
		})
	}
}

// TestKindsThatOtherOperationsUse are not in placeOrder's contract, so the answers are looked at by themselves.
func TestKindsThatOtherOperationsUse(t *testing.T) {
	for kind, status := range map[fault.Kind]int{fault.NotFound: 404, fault.Precondition: 412, fault.Unimplemented: 501} {
		b := newBorder(t, api.Handlers{"listOrders": fails(fault.New(kind, "x", "y"))})
		w := httptest.NewRecorder()
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/orders", nil)
		req.Header.Set("Authorization", "Bearer wb_all")
		b.ServeHTTP(w, req)
		require.Equal(t, status, w.Code)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.ErrorContains(t, apitest.Check(req, w.Code, w.Header(), w.Body.Bytes()), "does not declare")
	}
}

func TestPanics(t *testing.T) {
	b := newBorder(t, api.Handlers{"getOrder": func(*gin.Context) error { panic("secret of 4111 1111 1111 1111") }})
	res, problem := b.send(t, request{method: http.MethodGet, path: "/v1/orders/ord_1"})
	require.Equal(t, http.StatusInternalServerError, res.StatusCode)
	require.Equal(t, "internal", problem.Code)
	require.NotContains(t, problem.Detail, "secret")
	require.Contains(t, b.log.String(), "panic in a handler")
	require.Contains(t, b.log.String(), "router_test.go")
	require.NotContains(t, b.log.String(), "4111")
	require.Contains(t, b.log.String(), `"status":500`)

	b = newBorder(t, api.Handlers{"getOrder": func(*gin.Context) error { panic(http.ErrAbortHandler) }})
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/orders/ord_1", nil)
		req.Header.Set("Authorization", "Bearer wb_all")
		b.ServeHTTP(httptest.NewRecorder(), req)
	})
}

func TestRequestIDs(t *testing.T) {
	b := newBorder(t, nil)
	for given, taken := range map[string]bool{
		"checkout-7f3a91": true, "0190b1c2-aaaa-7bbb-8ccc-ddddeeeeffff": true,
		"": false, "short": false, "has a space in it": false, "new\r\nline-here": false, strings.Repeat("x", 65): false,
		"4111111111111111": false, `"quoted-id-here"`: false,
	} {
		res, _ := b.send(t, request{method: http.MethodGet, path: "/v1/orders", header: map[string]string{"X-Request-Id": given}})
		got := res.Header.Get("X-Request-Id")
		if taken {
			require.Equal(t, given, got)
		} else {
			require.Regexp(t, `^req_[0-9a-v]{26}$`, got)
		}
	}
}

// TestLogs: one line for a request, with nothing in it that the request brought.
func TestLogs(t *testing.T) {
	b := newBorder(t, nil)
	const canary = "Kanarienvogel"
	_, _ = b.send(t, request{method: http.MethodGet, path: "/v1/orders/" + canary + "?q=" + canary, header: map[string]string{
		"User-Agent": canary, "Referer": canary, "X-Forwarded-For": canary, "Cookie": canary}})
	_, _ = b.send(t, request{method: http.MethodPost, path: "/v1/orders", body: with("Ada Lovelace\",\"email", canary+"\",\"email")})
	require.NotContains(t, b.log.String(), canary)
	require.NotContains(t, b.log.String(), "wb_all")
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.Split(b.log.String(), "\n")[0]), &line))
	for _, name := range []string{"time", "level", "msg", "request_id", "method", "operation", "status", "code", "caller", "duration_ms", "bytes_in", "bytes_out"} {
		require.Contains(t, line, name)
		delete(line, name)
	}
	require.Empty(t, line)
}

func TestMetrics(t *testing.T) {
	b := newBorder(t, nil)
	_, _ = b.send(t, request{method: http.MethodGet, path: "/v1/orders"})
	_, _ = b.send(t, request{method: http.MethodGet, path: "/v1/orders?x=1"})
	_, _ = b.send(t, request{method: http.MethodGet, path: "/nowhere/at/all"})
	res, _ := b.send(t, request{method: http.MethodGet, path: "/metrics"})
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	for _, want := range []string{`_count{operation="listOrders",status="200"} 1`, `_count{operation="listOrders",status="422"} 1`,
		`_count{operation="none",status="404"} 1`, "waybill_http_requests_in_flight 1"} {
		require.Contains(t, string(text), want)
	}
	require.NotContains(t, string(text), "nowhere")
}

func TestHealthAndReadiness(t *testing.T) {
	b := newBorder(t, nil, health.Check{Name: "postgresql", Run: func(context.Context) error { return nil }})
	for _, path := range []string{"/healthz", "/readyz", "/healthz?at=1767366245", "/readyz?q=%ff"} {
		res, _ := b.send(t, request{method: http.MethodGet, path: path, header: map[string]string{"Authorization": ""}})
		require.Equal(t, http.StatusOK, res.StatusCode)
	}
}

func TestNotReady(t *testing.T) {
	b := newBorder(t, nil,
		health.Check{Name: "postgresql", Run: func(context.Context) error { return nil }},
		health.Check{Name: "worker", Run: func(context.Context) error { return health.Down("no worker polls") }},
	)
	res, _ := b.send(t, request{method: http.MethodGet, path: "/readyz", header: map[string]string{"Authorization": ""}})
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	var ready client.Readiness
	require.NoError(t, json.NewDecoder(res.Body).Decode(&ready))
	require.Equal(t, client.Readiness{Ready: false, Checks: []client.Check{
		{Name: "postgresql", Ok: true, Detail: "ok"}, {Name: "worker", Detail: "no worker polls"}}}, ready)
}

// TestForwardedHeadersAreNotBelieved: gin believes everybody, as it comes.
func TestForwardedHeadersAreNotBelieved(t *testing.T) {
	var address string
	b := newBorder(t, api.Handlers{"listOrders": func(c *gin.Context) error {
		address = c.ClientIP()
		api.Reply(c, http.StatusOK, client.OrderPage{Data: []client.OrderSummary{}})
		return nil
	}})
	_, _ = b.send(t, request{method: http.MethodGet, path: "/v1/orders", header: map[string]string{
		"X-Forwarded-For": "6.6.6.6", "X-Real-Ip": "6.6.6.6", "CF-Connecting-IP": "6.6.6.6"}})
	require.Equal(t, "192.0.2.1", address, "the recorder's own")
}

// TestServer: the real server, and a handler that takes longer than a body may.
func TestServer(t *testing.T) {
	var canceled error
	b := newBorder(t, api.Handlers{"resumeOrder": func(c *gin.Context) error {
		select {
		case <-c.Request.Context().Done():
		case <-time.After(300 * time.Millisecond):
		}
		canceled = c.Request.Context().Err()
		return fault.Conflictf("busy", "busy")
	}})
	server := api.Server(apitest.Wrap(t, b), slog.New(slog.DiscardHandler))
	server.ReadTimeout = 50 * time.Millisecond
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://"+listener.Addr().String()+"/v1/orders/ord_1/resume", strings.NewReader(`{}`))
	require.NoError(t, err)
	req.Header = http.Header{"Authorization": {"Bearer wb_all"}, "Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, http.StatusConflict, res.StatusCode)
	require.NoError(t, canceled, "the time to read a request is not the time to answer it")
}
