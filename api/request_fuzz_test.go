package api

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
)

// withBody lists the operations that take a body.
func withBody(t testing.TB) (found []*Operation) {
	for _, op := range contractOf(t).Operations {
		if op.Body() != nil {
			found = append(found, op)
		}
	}
	return found
}

// FuzzBody sends whatever decodes through the contract of any operation. What the contract, read by the library as a
// whole, does not allow is refused, with an entry for each place; what is taken is the same after it was written and read
// again, and nothing of it is lost on the way into an order's type.
func FuzzBody(f *testing.F) {
	operations := withBody(f)
	for i, op := range operations {
		example := mustMarshal(op.Spec.RequestBody.Value.Content.Get("application/json").Example)
		f.Add(uint8(i), example)
		for _, change := range [][2]string{{`"quantity":2`, `"quantity":0`}, {`"quantity":2`, `"quantity":2.0`}, {`"quantity":2`, `"quantity":1000001`},
			{`"sku":"TEE-M"`, `"sku":" "`}, {`"currency":"USD"`, `"currency":"usd"`}, {`"country":"US"`, `"country":null`}, {`"lines":[`, `"lines":[null,`},
			{`"tok_ok"`, `"4111 1111 1111 1111"`}, {`"reject"`, `""`}, {`"total":4828`, `"total":-1`}} {
			if changed := strings.Replace(string(example), change[0], change[1], 1); changed != string(example) {
				f.Add(uint8(i), []byte(changed))
			}
		}
	}
	for _, at := range []string{"2026-01-02T15:04:05Z", "2026-01-02T15:04:05,5Z", "2026-01-02T5:04:05Z", "2026-01-02T15:04:05+24:00",
		"9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59", "2026-06-30T23:59:60Z", "2026-01-02t15:04:05z"} {
		for i := range operations {
			f.Add(uint8(i), []byte(`{"status":"delivered","occurred_at":"`+at+`"}`))
			f.Add(uint8(i), []byte(`{"reason":"x","deadline":"`+at+`"}`))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		op := operations[int(which)%len(operations)]
		schema := op.Body().Value
		if len(data) > 4096 {
			return // the library alone takes minutes with some
		}
		body, err := decodeJSON(data)
		if err != nil {
			return
		}
		var wrong wrongFields
		validate(schema, body, "", &wrong)
		if wrong.err() != nil {
			for _, field := range wrong.fields {
				require.True(t, field.Code != "" && field.Detail != "")
				require.True(t, field.Pointer == "" || strings.HasPrefix(field.Pointer, "/"), field.Pointer)
			}
			return
		}
		require.NoError(t, schema.VisitJSON(body, scalarRules...), "the contract does not allow it")
		fillDefaults(schema, body)
		canonical := mustMarshal(body)
		again, err := decodeJSON(canonical)
		require.NoError(t, err)
		validate(schema, again, "", &wrong)
		require.NoError(t, wrong.err(), "with its defaults it is refused")
		fillDefaults(schema, again)
		require.JSONEq(t, string(canonical), string(mustMarshal(again)))
		taken := takes(op.ID, body)
		if op.ID == "placeOrder" {
			order, err := decodeJSON(mustMarshal(taken))
			require.NoError(t, err)
			fillDefaults(schema, order) // its type leaves out what is 0
			require.JSONEq(t, string(mustMarshal(plain(body))), string(mustMarshal(plain(order))), "the order is another one than was sent")
		}
	})
}

// plain is an order without its time, which may be written in several ways, and without texts that are there and empty.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "promised_at")
		for name, value := range v {
			if v[name] = plain(value); v[name] == "" {
				delete(v, name)
			}
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

// takes reads a valid body as its handler does.
func takes(operation string, body any) any {
	switch operation {
	case "placeOrder":
		return convert[client.OrderRequest](body)
	case "recordTracking", "recordReturnTracking":
		return convert[client.TrackingRequest](body)
	case "holdOrder", "holdFulfillment":
		return convert[client.HoldRequest](body)
	}
	return nil
}

// FuzzQuery reads whatever a query may be as that of any list. What is read is what was sent, allowed by the contract, and
// reads the same when it is sent again; what is refused is refused in one of two ways.
func FuzzQuery(f *testing.F) {
	var lists []*Operation
	for _, op := range contractOf(f).Operations {
		if len(op.parameters(openapi3.ParameterInQuery)) > 0 {
			lists = append(lists, op)
		}
	}
	for i := range lists {
		for _, query := range []string{"", "limit=1", "limit=01", "limit=1&limit=1", "limit=%31", "q=%00", "q=%ff", "q=a+b%20c", "%zz", "a;b",
			"attention=TRUE", "created_from=2026-01-02T15:04:05Z", "created_from=2026-01-02T5:04:05Z", "created_before=9999-12-31T23:59:59-23:59",
			"after=1000000000000&wait=0", "cursor=eyJ2IjoxfQ", "status=accepted&attention=true", "sku=A%2FB&location=sf", "4111111111111111=1"} {
			f.Add(uint8(i), query)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, raw string) {
		op := lists[int(which)%len(lists)]
		var wrong wrongFields
		values, err := readQuery(raw, op, &wrong)
		if err != nil {
			require.Equal(t, fault.Malformed, fault.As(err).Kind)
			return
		}
		if wrong.err() != nil {
			for _, field := range wrong.fields {
				require.True(t, utf8.ValidString(field.Pointer) && !strings.ContainsAny(field.Pointer, "\x00\r\n"), "%q", field.Pointer)
			}
			return
		}
		sent, err := url.ParseQuery(raw)
		require.NoError(t, err)
		back := url.Values{}
		for _, p := range op.parameters(openapi3.ParameterInQuery) {
			value, there := values[p.Name]
			require.Equal(t, sent.Has(p.Name) || p.Schema.Value.Default != nil, there, p.Name)
			if !there {
				continue
			}
			require.LessOrEqual(t, len(sent[p.Name]), 1, "which of them was meant")
			require.NoError(t, p.Schema.Value.VisitJSON(value, scalarRules...), p.Name)
			text := parameterText(value)
			if sent.Has(p.Name) {
				require.Equal(t, sent.Get(p.Name), text, p.Name)
			}
			back.Set(p.Name, text)
		}
		require.Len(t, values, len(back), "something that is no parameter was read")
		again, err := readQuery(back.Encode(), op, &wrong)
		require.NoError(t, err)
		require.JSONEq(t, string(mustMarshal(values)), string(mustMarshal(again)))
		filters := convert[client.ListOrdersParams](times(values))
		for _, at := range []*time.Time{filters.CreatedFrom, filters.CreatedBefore} {
			require.True(t, at == nil || at.UTC().Year() >= 0 && at.UTC().Year() <= 9999, "%v", at)
		}
	})
}

// times are the values that only the list of orders has, and that become more than text.
func times(values map[string]any) map[string]any {
	only := map[string]any{}
	for _, name := range []string{"created_from", "created_before"} {
		if value, there := values[name]; there {
			only[name] = value
		}
	}
	return only
}

func parameterText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	}
	return string(bytes.Trim(mustMarshal(value), `"`)) // a default, as the document writes it
}

// FuzzPosition: a place in a list comes back from its cursor as it was, or is no place that a list can have.
func FuzzPosition(f *testing.F) {
	f.Add("listOrders", int64(1_767_366_245_123_456), "ord_06ask8m1f4q93r7v0h2knctd1o", "")
	f.Add("listInventory", int64(0), "TEE-M", "sf")
	f.Add("listHolders", int64(-1), "<&>\u2028", `"`)
	f.Add("listOrders", int64(1), strings.Repeat("é", 128), strings.Repeat("x", 257))
	f.Add("listOrders", int64(1)<<62, "x", "")
	f.Fuzz(func(t *testing.T, list string, micros int64, key, subKey string) {
		at := time.UnixMicro(micros).UTC()
		if !utf8.ValidString(list) || !utf8.ValidString(key) || !utf8.ValidString(subKey) || at.Year() < 1 || at.Year() > 9999 {
			return // the books have no such text, and no such time
		}
		p := Position{At: at, Key: key, SubKey: subKey}
		text := formatCursor(list, p)
		got, ok := parseCursor(list, text)
		bad := len(key) > 256 || len(subKey) > 256
		for _, s := range []string{key, subKey} {
			code, _ := badText(s)
			bad = bad || code != ""
		}
		require.Equal(t, !bad, ok)
		if ok {
			require.True(t, p.At.Equal(got.At))
			require.Equal(t, []string{p.Key, p.SubKey}, []string{got.Key, got.SubKey})
			_, ok = parseCursor(list+"x", text)
			require.False(t, ok, "a cursor of another list")
		}
	})
}
