package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
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

// order is the body of the contract's own example.
const order = `{"external_id":"1001","channel":"web","currency":"USD","prices_include_tax":false,"test":false,
"on_shortage":"reject","customer":{"id":"c-17","name":"Ada Lovelace","email":"ada@example.com"},
"ship_to":{"name":"Ada Lovelace","line1":"548 Market St","city":"San Francisco","region":"CA","postal_code":"94107","country":"US"},
"lines":[{"external_id":"1","sku":"TEE-M","quantity":2,"unit_price":1999,"discount":0,"tax":330}],
"shipping":{"service":"standard","amount":500,"tax":0},"discount":0,
"payment":{"gateway":"sandbox","token":"tok_ok"},"total":4828}`

// keys knows three keys: one that may do everything, one that may only read, and one that cannot be looked up.
type keys struct{}

func (keys) Authenticate(_ context.Context, key string) (api.Principal, error) {
	if len(key) > 256 {
		return api.Principal{}, errors.New("hashing it would be work for nothing")
	}
	read := []string{"orders:read", "fulfillments:read", "returns:read", "inventory:read"}
	switch key {
	case "wb_all":
		return api.Principal{ID: "key_all", Scopes: api.Scopes()}, nil
	case "wb_read":
		return api.Principal{ID: "key_read", Scopes: read}, nil
	case "wb_broken":
		return api.Principal{}, errors.New("pq: connection refused by 10.0.0.7")
	}
	return api.Principal{}, api.ErrKeyInvalid
}

// border is an API whose handlers answer with the contract's examples, but for those that a test gives.
type border struct {
	http.Handler
	log *bytes.Buffer
}

func newBorder(t testing.TB, handlers api.Handlers, checks ...health.Check) *border {
	t.Helper()
	contract, err := api.LoadContract()
	require.NoError(t, err)
	all := api.Handlers{}
	for _, op := range contract.Operations {
		if !op.Public() {
			all[op.ID] = exampleOf(op)
		}
	}
	for id, handler := range handlers {
		all[id] = handler
	}
	b := &border{log: new(bytes.Buffer)}
	engine, err := api.New(api.Options{Handlers: all, Keys: keys{}, Checks: checks, Metrics: prometheus.NewRegistry(),
		Log: slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	require.NoError(t, err)
	b.Handler = engine
	return b
}

func exampleOf(op *api.Operation) api.Handler {
	status := http.StatusOK
	for op.Response(status) == nil {
		status++
	}
	_, body := op.Example(status)
	return func(c *gin.Context) error {
		for name := range op.Response(status).Headers {
			c.Header(name, "/v1/somewhere")
		}
		api.Reply(c, status, body)
		return nil
	}
}

// pathOf is an operation's path, about something with this id.
func pathOf(op *api.Operation, id string) string {
	return strings.NewReplacer("{id}", id, "{hold_id}", id, "{refund_id}", id, "{sku}", id).Replace(op.Path)
}

// fails is a handler that answers with an error.
func fails(err error) api.Handler { return func(*gin.Context) error { return err } }

type request struct {
	method, path, body string
	header             map[string]string // "" takes a header away
}

// answer is what came back.
type answer struct {
	StatusCode int
	Header     http.Header
	Body       io.Reader
}

// send sends a request with a good key, Idempotency-Key and content type, but for what header says.
func (b *border) send(t testing.TB, r request) (answer, client.Problem) {
	t.Helper()
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	req := httptest.NewRequestWithContext(t.Context(), r.method, r.path, body)
	header := map[string]string{"Authorization": "Bearer wb_all"}
	if r.method == http.MethodPost {
		header["Idempotency-Key"] = "k-1"
	}
	if r.body != "" {
		header["Content-Type"] = "application/json"
	}
	for name, value := range r.header {
		header[name] = value
	}
	for name, value := range header {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	w := apitest.Do(t, b.Handler, req)
	var problem client.Problem
	if w.Code >= http.StatusBadRequest && r.path != "/readyz" {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
	}
	return answer{w.Code, w.Header(), w.Body}, problem
}

func (b *border) post(t testing.TB, body string) (answer, client.Problem) {
	t.Helper()
	return b.send(t, request{method: http.MethodPost, path: "/v1/orders", body: body})
}

// with changes the example order in one place.
func with(old, replacement string) string {
	if strings.Count(order, old) != 1 {
		panic("the example order has not exactly one " + old)
	}
	return strings.Replace(order, old, replacement, 1)
}

// lines is the example order with many lines.
func lines(n int) string {
	one := `{"sku":"TEE-M","quantity":1,"unit_price":1}`
	return with(`"lines":[{"external_id":"1","sku":"TEE-M","quantity":2,"unit_price":1999,"discount":0,"tax":330}]`,
		`"lines":[`+strings.TrimSuffix(strings.Repeat(one+",", n), ",")+`]`)
}

func TestUnreadableBodies(t *testing.T) {
	b := newBorder(t, nil)
	deep := func(n int) string { return `{"x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	for name, test := range map[string]struct{ body, code string }{
		"text":                     {`hello`, "not_json"},
		"half an object":           {`{"external_id":"1001"`, "not_json"},
		"comment":                  {`{} // nothing`, "trailing_data"},
		"white space only":         {" \n", "body_missing"},
		"two values":               {order + order, "trailing_data"},
		"a stray brace":            {order + "}", "trailing_data"},
		"the same field twice":     {with(`"total":4828`, `"total":4828,"total":1`), "duplicate_field"},
		"the same, as an escape":   {with(`"total":4828`, `"total":4828,"\u0074otal":1`), "duplicate_field"},
		"the same, deep inside":    {with(`"sku":"TEE-M"`, `"sku":"TEE-M","sku":"TEE-L"`), "duplicate_field"},
		"bad UTF-8":                {with("Francisco", "Fran\xffcisco"), "bad_utf8"},
		"an overlong NUL":          {with("Francisco", "Fran\xc0\x80cisco"), "bad_utf8"},
		"a surrogate in UTF-8":     {with("Francisco", "Fran\xed\xa0\x80cisco"), "bad_utf8"},
		"half a surrogate pair":    {with("Francisco", `Fran\ud83dcisco`), "bad_utf8"},
		"the pair the wrong way":   {with("Francisco", `Fran\ude00\ud83dcisco`), "bad_utf8"},
		"a NUL byte":               {with("Francisco", "Fran\x00cisco"), "not_json"},
		"a NUL byte after the end": {order + "\x00", "trailing_data"},
		"a byte order mark":        {"\ufeff" + order, "not_json"},
		"NaN":                      {with(`"total":4828`, `"total":NaN`), "not_json"},
		"a plus sign":              {with(`"total":4828`, `"total":+4828`), "not_json"},
		"leading zero":             {with(`"total":4828`, `"total":04828`), "not_json"},
		"33 levels":                {deep(32), "too_deep"},
		"9,000 levels":             {deep(9_000), "too_deep"},
		"100,000 levels":           {deep(100_000), "not_json"}, // more than the JSON reader itself takes
	} {
		t.Run(name, func(t *testing.T) {
			res, problem := b.post(t, test.body)
			require.Equal(t, http.StatusBadRequest, res.StatusCode)
			require.Equal(t, test.code, problem.Code)
		})
	}
	t.Run("empty", func(t *testing.T) {
		res, problem := b.post(t, "")
		require.Equal(t, http.StatusBadRequest, res.StatusCode)
		require.Equal(t, "body_missing", problem.Code)
	})
	t.Run("32 levels are read", func(t *testing.T) {
		res, _ := b.post(t, deep(31))
		require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
	})
}

// TestWrongFields has one wrong field in each order; TestAllWrongFieldsAtOnce has many in one.
func TestWrongFields(t *testing.T) {
	b := newBorder(t, nil)
	const quantity, price = `"quantity":2`, `"unit_price":1999`
	for name, test := range map[string]struct{ body, pointer, code string }{
		"not an object":            {`[]`, "", "wrong_type"},
		"unknown field":            {with(`"total":4828`, `"total":4828,"tip":100`), "/tip", "unknown_field"},
		"unknown field in a line":  {with(quantity, quantity+`,"shade":"red"`), "/lines/0/shade", "unknown_field"},
		"wrong case":               {with(`"channel"`, `"Channel"`), "/Channel", "unknown_field"},
		"another style":            {with(`"unit_price"`, `"unitPrice"`), "/lines/0/unitPrice", "unknown_field"},
		"missing":                  {with(`"currency":"USD",`, ``), "/currency", "required"},
		"missing in a line":        {with(`"sku":"TEE-M",`, ``), "/lines/0/sku", "required"},
		"null is not absent":       {with(`"discount":0,"tax":330`, `"discount":null,"tax":330`), "/lines/0/discount", "null"},
		"null for an object":       {with(`"payment":{"gateway":"sandbox","token":"tok_ok"}`, `"payment":null`), "/payment", "null"},
		"number as text":           {with(quantity, `"quantity":"2"`), "/lines/0/quantity", "wrong_type"},
		"text as number":           {with(`"TEE-M"`, `12`), "/lines/0/sku", "wrong_type"},
		"boolean as number":        {with(`"test":false`, `"test":0`), "/test", "wrong_type"},
		"object as list":           {with(`"shipping":{"service":"standard","amount":500,"tax":0}`, `"shipping":[]`), "/shipping", "wrong_type"},
		"quantity zero":            {with(quantity, `"quantity":0`), "/lines/0/quantity", "out_of_range"},
		"quantity minus zero":      {with(quantity, `"quantity":-0`), "/lines/0/quantity", "out_of_range"},
		"quantity negative":        {with(quantity, `"quantity":-1`), "/lines/0/quantity", "out_of_range"},
		"quantity over a million":  {with(quantity, `"quantity":1000001`), "/lines/0/quantity", "out_of_range"},
		"quantity 1.5":             {with(quantity, `"quantity":1.5`), "/lines/0/quantity", "not_whole"},
		"quantity 2.0":             {with(quantity, `"quantity":2.0`), "/lines/0/quantity", "not_whole"},
		"quantity 2e0":             {with(quantity, `"quantity":2e0`), "/lines/0/quantity", "not_whole"},
		"money negative":           {with(price, `"unit_price":-1`), "/lines/0/unit_price", "out_of_range"},
		"money fractional":         {with(price, `"unit_price":19.99`), "/lines/0/unit_price", "not_whole"},
		"money over the limit":     {with(price, `"unit_price":1000000000000001`), "/lines/0/unit_price", "out_of_range"},
		"money over an int64":      {with(price, `"unit_price":9223372036854775808`), "/lines/0/unit_price", "out_of_range"},
		"money over every float":   {with(price, `"unit_price":1`+strings.Repeat("0", 400)), "/lines/0/unit_price", "wrong_type"},
		"unknown currency":         {with(`"USD"`, `"XYZ"`), "/currency", "unknown_currency"},
		"currency in small":        {with(`"USD"`, `"usd"`), "/currency", "bad_format"},
		"unknown country":          {with(`"US"`, `"XX"`), "/ship_to/country", "unknown_country"},
		"unknown value":            {with(`"on_shortage":"reject"`, `"on_shortage":"later"`), "/on_shortage", "unknown_value"},
		"no lines":                 {lines(0), "/lines", "too_few"},
		"501 lines":                {lines(501), "/lines", "too_many"},
		"empty text":               {with(`"c-17"`, `""`), "/customer/id", "too_short"},
		"text over its limit":      {with(`"TEE-M"`, `"`+strings.Repeat("é", 65)+`"`), "/lines/0/sku", "too_long"},
		"a channel with a space":   {with(`"web"`, `"my web"`), "/channel", "bad_format"},
		"a control character":      {with("Francisco", `Fran\ncisco`), "/ship_to/city", "control_character"},
		"an escaped NUL":           {with("Francisco", `Fran\u0000cisco`), "/ship_to/city", "control_character"},
		"a C1 control":             {with("Francisco", `Fran\u0085cisco`), "/ship_to/city", "control_character"},
		"a line separator":         {with("Francisco", `Fran\u2028cisco`), "/ship_to/city", "control_character"},
		"writing turned around":    {with("Francisco", `Fran\u202ecisco`), "/ship_to/city", "bidi_character"},
		"an isolate":               {with("Francisco", `Fran\u2067cisco`), "/ship_to/city", "bidi_character"},
		"a card number as a name":  {with(`"548 Market St"`, `"4111 1111 1111 1111"`), "/ship_to/line1", "card_number"},
		"a card number as a token": {with(`"tok_ok"`, `"378282246310005"`), "/payment/token", "card_number"},
		"a card number in a SKU":   {with(`"TEE-M"`, `"card 5555-5555-5555-4444!"`), "/lines/0/sku", "card_number"},
	} {
		t.Run(name, func(t *testing.T) {
			res, problem := b.post(t, test.body)
			require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
			require.Equal(t, "invalid_fields", problem.Code)
			require.Contains(t, problem.Errors, client.FieldError{Pointer: test.pointer, Code: test.code,
				Detail: detailAt(problem, test.pointer)})
		})
	}
}

func detailAt(problem client.Problem, pointer string) string {
	for _, e := range problem.Errors {
		if e.Pointer == pointer {
			return e.Detail
		}
	}
	return ""
}

func TestAllWrongFieldsAtOnce(t *testing.T) {
	b := newBorder(t, nil)
	res, problem := b.send(t, request{method: http.MethodPost, path: "/v1/orders?dry_run=true", body: `{"external_id":"1","channel":"Web",
		"currency":"usd","tip":5,"customer":{"id":"c","name":"a\u0007b"},"ship_to":{"name":"A","line1":"B","city":"C","postal_code":"1","country":"ZZ"},
		"lines":[{"sku":"A","quantity":1,"unit_price":1},{"sku":"","quantity":0,"unit_price":-1}],
		"shipping":{"service":"standard","amount":5.5},"payment":{"gateway":"sandbox","token":"tok"},"total":1}`})
	require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
	got := map[string]string{}
	for _, e := range problem.Errors {
		got[e.Pointer] = e.Code
	}
	require.Equal(t, map[string]string{
		"/dry_run": "unknown_parameter", "/channel": "bad_format", "/currency": "bad_format", "/tip": "unknown_field",
		"/customer/email": "required", "/customer/name": "control_character", "/ship_to/country": "unknown_country",
		"/lines/1/sku": "too_short", "/lines/1/quantity": "out_of_range", "/lines/1/unit_price": "out_of_range",
		"/shipping/amount": "not_whole",
	}, got)
	require.Equal(t, "11 fields are wrong", problem.Detail)
}

// TestRefusalsAreBounded: an answer names 100 fields at most, and a body full of wrong ones is refused in good time.
func TestRefusalsAreBounded(t *testing.T) {
	b := newBorder(t, nil)
	for name, body := range map[string]string{
		"wrong lines":    with(`{"external_id":"1","sku":"TEE-M","quantity":2,"unit_price":1999,"discount":0,"tax":330}`, strings.Repeat("1,", 120_000)+"1"),
		"empty lines":    with(`{"external_id":"1","sku":"TEE-M","quantity":2,"unit_price":1999,"discount":0,"tax":330}`, strings.Repeat("{},", 80_000)+"{}"),
		"unknown fields": `{` + manyFields(20_000) + `"x":1}`,
		"long numbers":   with(`"total":4828`, `"total":1`+strings.Repeat("0", 250_000)),
		"digits":         with(`"Ada Lovelace","email"`, `"`+strings.Repeat("4 1 ", 60_000)+`","email"`),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			res, problem := b.post(t, body)
			require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
			require.LessOrEqual(t, len(problem.Errors), 100)
			if strings.HasSuffix(name, " lines") {
				require.Equal(t, []client.FieldError{{Pointer: "/lines", Code: "too_many", Detail: "must have at most 500 entries"}}, problem.Errors)
			}
			require.Less(t, time.Since(start), 30*time.Second, "a tenth of a second on a quiet machine; the square of its length would take minutes")
		})
	}
}

func manyFields(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, `"f%d":1,`, i)
	}
	return s.String()
}

func TestNothingSentComesBack(t *testing.T) {
	b := newBorder(t, nil)
	const canary = "kanarienvogel"
	for _, body := range []string{
		with(`"web"`, `"`+strings.ToUpper(canary)+`"`), with(`"USD"`, `"`+canary+`"`), with(`"TEE-M"`, `["`+canary+`"]`),
		with(`"total":4828`, `"total":"`+canary+`"`), with(`"ada@example.com"`, `"`+canary+`"`), canary, `{"a":` + canary,
		with(`"total":4828`, `"total":4828,"`+canary+` is a name":1`), with(`"c-17"`, `"`+canary+strings.Repeat("x", 200)+`"`),
	} {
		res, problem := b.post(t, body)
		require.GreaterOrEqual(t, res.StatusCode, 400)
		require.NotContains(t, strings.ToLower(fmt.Sprint(problem)), canary)
	}
	_, problem := b.send(t, request{method: http.MethodPost, path: "/v1/orders",
		body: with(`"total":4828`, `"total":4828,"4111111111111111":1`)})
	require.NotContains(t, fmt.Sprint(problem), "4111111111111111")
	require.NotContains(t, b.log.String(), canary)
	require.NotContains(t, b.log.String(), "4111111111111111")
}

func TestBodyLimitsAndTypes(t *testing.T) {
	b := newBorder(t, nil)
	large := with(`"Ada Lovelace","email"`, `"`+strings.Repeat("a", 256<<10)+`","email"`)
	for name, test := range map[string]struct {
		body   string
		header map[string]string
		status int
	}{
		"over 256 KiB":      {large, nil, 413},
		"text/plain":        {order, map[string]string{"Content-Type": "text/plain"}, 415},
		"a form":            {order, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 415},
		"no type":           {order, map[string]string{"Content-Type": ""}, 415},
		"a JSON family":     {order, map[string]string{"Content-Type": "application/merge-patch+json"}, 415},
		"a parameter":       {order, map[string]string{"Content-Type": "application/json; profile=x"}, 415},
		"another charset":   {order, map[string]string{"Content-Type": "application/json; charset=utf-16"}, 415},
		"compressed":        {order, map[string]string{"Content-Encoding": "gzip"}, 415},
		"utf-8, said twice": {order, map[string]string{"Content-Type": "application/json; charset=UTF-8"}, 200},
		"in another case":   {order, map[string]string{"Content-Type": "Application/JSON"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			res, _ := b.send(t, request{method: http.MethodPost, path: "/v1/orders", body: test.body, header: test.header})
			require.Equal(t, test.status, res.StatusCode)
		})
	}
	t.Run("over 256 KiB without a length", func(t *testing.T) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/orders", io.MultiReader(strings.NewReader(large)))
		req.ContentLength = -1
		req.Header = http.Header{"Authorization": {"Bearer wb_all"}, "Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
		require.Equal(t, http.StatusRequestEntityTooLarge, apitest.Do(t, b, req).Code)
	})
	t.Run("over 256 KiB by its length alone", func(t *testing.T) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/orders", io.MultiReader(brokenReader{}))
		req.ContentLength = 256<<10 + 1
		req.Header = http.Header{"Authorization": {"Bearer wb_all"}, "Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
		require.Equal(t, http.StatusRequestEntityTooLarge, apitest.Do(t, b, req).Code)
	})
	t.Run("a body that ends early", func(t *testing.T) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/orders", io.MultiReader(strings.NewReader(order), brokenReader{}))
		req.ContentLength = -1
		req.Header = http.Header{"Authorization": {"Bearer wb_all"}, "Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
		require.Equal(t, http.StatusBadRequest, apitest.Do(t, b, req).Code)
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestKeysAndScopes(t *testing.T) {
	b := newBorder(t, nil)
	for name, test := range map[string]struct {
		key, code, challenge string
		status               int
	}{
		"no key":            {"", "key_missing", `Bearer realm="waybill"`, 401},
		"wrong key":         {"Bearer wb_wrong", "key_invalid", `Bearer realm="waybill", error="invalid_token"`, 401},
		"empty key":         {"Bearer ", "key_invalid", `Bearer realm="waybill", error="invalid_token"`, 401},
		"another scheme":    {"Basic d2FsbDp3YWxs", "key_invalid", `Bearer realm="waybill", error="invalid_token"`, 401},
		"a very long key":   {"Bearer " + strings.Repeat("x", 5000), "key_invalid", `Bearer realm="waybill", error="invalid_token"`, 401},
		"two keys in one":   {"Bearer wb_all wb_read", "key_invalid", `Bearer realm="waybill", error="invalid_token"`, 401},
		"scope missing":     {"Bearer wb_read", "scope_missing", `Bearer realm="waybill", error="insufficient_scope", scope="orders:write"`, 403},
		"cannot be checked": {"Bearer wb_broken", "internal", "", 500},
	} {
		t.Run(name, func(t *testing.T) {
			res, problem := b.send(t, request{method: http.MethodPost, path: "/v1/orders", body: "not even JSON",
				header: map[string]string{"Authorization": test.key, "Idempotency-Key": ""}})
			require.Equal(t, test.status, res.StatusCode, "who asks is found out before what is asked")
			require.Equal(t, test.code, problem.Code)
			require.Equal(t, test.challenge, res.Header.Get("WWW-Authenticate"))
		})
	}
	t.Run("the scheme is written in any case", func(t *testing.T) {
		res, _ := b.send(t, request{method: http.MethodGet, path: "/v1/orders", header: map[string]string{"Authorization": "bearer wb_read"}})
		require.Equal(t, http.StatusOK, res.StatusCode)
	})
	t.Run("two headers", func(t *testing.T) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/orders", nil)
		req.Header["Authorization"] = []string{"Bearer wb_all", "Bearer wb_read"}
		require.Equal(t, http.StatusUnauthorized, apitest.Do(t, b, req).Code)
	})
}

// TestScopeOfEachOperation asks every operation with a key that has every scope but the one that it needs.
func TestScopeOfEachOperation(t *testing.T) {
	contract, err := api.LoadContract()
	require.NoError(t, err)
	b := newBorder(t, nil)
	for _, op := range contract.Operations {
		res, problem := b.send(t, request{method: op.Method, path: pathOf(op, "x"),
			header: map[string]string{"Authorization": ""}})
		if op.Public() {
			require.NotContains(t, []int{401, 403}, res.StatusCode, op.ID)
			continue
		}
		require.Equal(t, http.StatusUnauthorized, res.StatusCode, op.ID)
		require.Equal(t, "key_missing", problem.Code)
		if strings.HasSuffix(op.Scope, ":write") {
			res, _ = b.send(t, request{method: op.Method, path: pathOf(op, "x"),
				header: map[string]string{"Authorization": "Bearer wb_read"}})
			require.Equal(t, http.StatusForbidden, res.StatusCode, op.ID)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	seen := ""
	b := newBorder(t, api.Handlers{"resumeOrder": func(c *gin.Context) error {
		seen = api.IdempotencyKey(c)
		return fault.New(fault.Invalid, "idempotency_key_reused", "another body came with this key")
	}})
	for name, test := range map[string]struct {
		values []string
		status int
		code   string
	}{
		"missing":        {nil, 400, "idempotency_key_missing"},
		"empty":          {[]string{""}, 400, "idempotency_key_missing"},
		"256 characters": {[]string{strings.Repeat("k", 256)}, 400, "idempotency_key_too_long"},
		"255 characters": {[]string{strings.Repeat("k", 255)}, 422, "idempotency_key_reused"},
		"not ASCII":      {[]string{"käse"}, 400, "idempotency_key_invalid"},
		"a tab":          {[]string{"a\tb"}, 400, "idempotency_key_invalid"},
		"twice":          {[]string{"a", "b"}, 400, "idempotency_key_invalid"},
		"spaces inside":  {[]string{"place 1001"}, 422, "idempotency_key_reused"},
	} {
		t.Run(name, func(t *testing.T) {
			seen = ""
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/orders/ord_1/resume", strings.NewReader(`{}`))
			req.Header = http.Header{"Authorization": {"Bearer wb_all"}, "Content-Type": {"application/json"}, "Idempotency-Key": test.values}
			res := apitest.Do(t, b, req)
			var problem client.Problem
			require.NoError(t, json.NewDecoder(res.Body).Decode(&problem))
			require.Equal(t, test.status, res.Code)
			require.Equal(t, test.code, problem.Code)
			if test.status == 422 {
				require.Equal(t, test.values[0], seen)
			}
		})
	}
}
