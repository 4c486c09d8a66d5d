package api_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api"
)

// TestDocs: the page shows the whole contract, asks for nothing from anywhere, and every link on it leads somewhere.
func TestDocs(t *testing.T) {
	contract, err := api.LoadContract()
	require.NoError(t, err)
	res, _ := newBorder(t, nil).send(t, request{method: http.MethodGet, path: "/docs"})
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	page := string(body)
	for _, op := range contract.Operations {
		require.Contains(t, page, `<article id="`+op.ID+`">`)
		require.Contains(t, page, op.Path)
	}
	for name := range contract.Doc.Components.Schemas {
		require.Contains(t, page, `id="schema-`+name+`"`)
	}
	require.Contains(t, page, `id="problem-out_of_stock"`)
	require.Contains(t, page, `&#34;external_id&#34;: &#34;1001&#34;`)
	require.NotContains(t, page, "ZgotmplZ", "the template refused something")
	require.NotContains(t, page, "<script")
	require.NotRegexp(t, `(src|srcset|data|poster)=|<link|@import|url\(`, page)
	for _, match := range regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if anchor, ok := strings.CutPrefix(match[1], "#"); ok {
			require.Contains(t, page, `id="`+anchor+`"`, "a link that leads nowhere")
		} else {
			require.Equal(t, "/openapi.yaml", match[1])
		}
	}
	policy := res.Header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'; style-src 'sha256-")
	require.NotContains(t, policy, "unsafe")
	require.Less(t, len(page), 650_000)
	require.NotContains(t, page, " style=", "the policy would ignore it")
}

func TestContractIsServedAsItIs(t *testing.T) {
	res, _ := newBorder(t, nil).send(t, request{method: http.MethodGet, path: "/openapi.yaml"})
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(body), "openapi: 3.1.0\n"))
}
