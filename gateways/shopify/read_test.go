package shopify

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

func TestRead(t *testing.T) {
	const bare = `{"id":1,"line_items":[]}`
	const none = "not an order: it has neither line_items nor total_price"
	for _, c := range []struct {
		data   string
		orders []string // what each document is: an order, or why it is none
		err    string
	}{
		{bare, []string{bare}, ""},
		{"\ufeff " + bare, []string{bare}, ""},
		{`{"order":` + bare + `}`, []string{bare}, ""},
		{`{"orders":[` + bare + `,{"order":` + bare + `}]}`, []string{bare, bare}, ""},
		{`[` + bare + `,` + bare + `]`, []string{bare, bare}, ""},
		{`[{"order":` + bare + `},null,[` + bare + `]]`, []string{bare, "neither an order nor a list of orders", "an array, not an order"}, ""},
		{bare + "\n" + `{"order":` + bare + "}\n", []string{bare, bare}, ""},
		{bare + "\n\n" + `{"id":`, []string{bare}, "it is not JSON from line 3 on: unexpected EOF"},
		{"{\n\"id\": 1,\n'x'}", nil, "it is not JSON from line 3 on: invalid character '\\'' looking for beginning of object key string"},
		{bare + "\n{\n,}", []string{bare}, "it is not JSON from line 3 on: invalid character ',' looking for beginning of object key string"},
		{"", nil, "there is no order in it"},
		{"[]", nil, "there is no order in it"},
		{`{"orders":[]}`, nil, "there is no order in it"},
		{`{}`, []string{none}, ""},
		{`{"order":null}`, []string{none}, ""},
		{`{"orders":5}`, []string{none}, ""},
		{`{"orders":[{"orders":[` + bare + `]}]}`, []string{none}, ""},
		{`{"refund":{}}`, []string{"a refund calculation, not an order"}, ""},
		{`{"draft_order":{}}`, []string{"a draft order, not an order"}, ""},
		{`{"errors":"Not Found"}`, []string{"an error message of Shopify, not an order"}, ""},
		{`{"refunds":[],"line_items":[]}`, []string{`{"refunds":[],"line_items":[]}`}, ""},
		{`"x" 5`, []string{"neither an order nor a list of orders", "neither an order nor a list of orders"}, ""},
	} {
		documents, err := Read([]byte(c.data))
		var got []string
		for _, d := range documents {
			got = append(got, d.Other+string(d.Order))
		}
		require.Equal(t, c.orders, got, c.data)
		if c.err == "" {
			require.NoError(t, err, c.data)
		} else {
			require.EqualError(t, err, c.err, c.data)
		}
	}
}
