package apitest_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api/apitest"
)

// TestCheckFindsWhatIsWrong: each answer is one step away from a right one.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	const (
		page    = `{"data":[],"next_cursor":null}`
		problem = `{"type":"about:blank","title":"t","status":429,"detail":"d","instance":"urn:waybill:request:r-1","code":"c","errors":[]}`
	)
	ok := http.Header{"X-Request-Id": {"r-1"}, "Content-Type": {"application/json"}}
	busy := http.Header{"X-Request-Id": {"r-1"}, "Content-Type": {"application/problem+json"}, "Retry-After": {"1"}}
	with := func(h http.Header, name, value string) http.Header {
		h = maps.Clone(h)
		h[name] = []string{value}
		return h
	}
	for name, test := range map[string]struct {
		path   string
		status int
		header http.Header
		body   string
		wrong  string
	}{
		"right":                 {"/v1/orders", 200, ok, page, ""},
		"a right problem":       {"/v1/orders", 429, busy, problem, ""},
		"no request id":         {"/v1/orders", 200, http.Header{"Content-Type": {"application/json"}}, page, "X-Request-Id"},
		"status not declared":   {"/v1/orders", 201, ok, page, "does not declare 201"},
		"another media type":    {"/v1/orders", 200, with(ok, "Content-Type", "text/plain"), page, "media type"},
		"not JSON":              {"/v1/orders", 200, ok, "hello", "not JSON"},
		"two values":            {"/v1/orders", 200, ok, page + page, "follows"},
		"an unknown field":      {"/v1/orders", 200, ok, `{"data":[],"next_cursor":null,"total":1}`, "total"},
		"a missing field":       {"/v1/orders", 200, ok, `{"data":[]}`, "next_cursor"},
		"null for a list":       {"/v1/orders", 200, ok, `{"data":null,"next_cursor":null}`, "data"},
		"no Retry-After":        {"/v1/orders", 429, with(busy, "Retry-After", ""), problem, "Retry-After"},
		"Retry-After of 0":      {"/v1/orders", 429, with(busy, "Retry-After", "0"), problem, "Retry-After"},
		"another status inside": {"/v1/orders", 503, busy, problem, "the problem says 429"},
		"another instance":      {"/v1/orders", 429, with(busy, "X-Request-Id", "r-2"), problem, "instance"},
		"a leak":                {"/v1/orders", 429, busy, `{"detail":"pq: relation does not exist"}`, "inside"},
		"no such path":          {"/v1/order", 200, ok, page, "no such operation"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.path, nil)
			err := apitest.Check(r, test.status, test.header, []byte(test.body))
			if test.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.wrong)
		})
	}
}
