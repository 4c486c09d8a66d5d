package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/api/client"
)

// TestPages walks a list of two pages as a client would, and gives the list a cursor that it never made.
func TestPages(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	var pages []api.Page
	list := func(c *gin.Context) error {
		page, err := api.PageOf(c)
		if err != nil {
			return err
		}
		pages = append(pages, page)
		answer := client.OrderPage{Data: []client.OrderSummary{}}
		if page.After == nil {
			answer.NextCursor = api.NextCursor(c, api.Position{At: at, Key: "ord_1"})
		}
		api.Reply(c, http.StatusOK, answer)
		return nil
	}
	b := newBorder(t, api.Handlers{"listOrders": list})
	c, err := client.Connect("http://waybill.test", "wb_all", client.WithHTTPClient(through{t, b}))
	require.NoError(t, err)
	first, err := c.ListOrdersWithResponse(t.Context(), &client.ListOrdersParams{Limit: new(2)})
	require.NoError(t, err)
	require.NotNil(t, first.JSON200.NextCursor)
	second, err := c.ListOrdersWithResponse(t.Context(), &client.ListOrdersParams{Cursor: first.JSON200.NextCursor})
	require.NoError(t, err)
	require.Nil(t, second.JSON200.NextCursor)
	require.Equal(t, []api.Page{{Limit: 2}, {Limit: 50, After: &api.Position{At: at, Key: "ord_1"}}}, pages)

	_, problem := b.send(t, request{method: http.MethodGet, path: "/v1/orders?cursor=abc"})
	require.Equal(t, "/cursor", problem.Errors[0].Pointer)
	require.Equal(t, "bad_cursor", problem.Errors[0].Code)
}
