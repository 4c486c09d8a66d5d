package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
)

// canary is in every place where a person's data may be, and is in no report.
const canary = "Kanarienvogel"

// FuzzImport imports whatever a file holds. Everything in it has one outcome, with its reason where it was not simply taken
// in; what was taken in foots or is held for not footing; no report has anything of a person; and importing the same again
// changes nothing.
func FuzzImport(f *testing.F) {
	for _, name := range []string{"paid-kwd.json", "stacked-discounts-hkd.json", "authorized-does-not-foot.json", "zero-decimals-vnd.json",
		"voided-test.json", "refund-calculation.json", "many.jsonl"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(data)
	}
	long := strings.Repeat("x", 300)
	f.Add([]byte(`{"id":1,"currency":"USD","financial_status":"paid","total_price":"1","line_items":[{"quantity":1,"price":"1"}],"email":"` + long +
		`","customer":{"first_name":"` + long + `"},"shipping_address":{"name":"` + long + `","address1":"` + long + `","city":"` + long +
		`","zip":"` + long + `","province":"` + long + `","country":"` + long + `"}}`))
	for _, s := range []string{"", "[]", `{"line_items":[{}]}`, `{"id":1,"line_items":[{"quantity":1}],"customer":{"email":[]}}`,
		`{"id":1,"total_price":"1","line_items":[{"quantity":1,"price":"x"}],"shipping_address":{"address1":{"a":1}},"currency":"USD"}`,
		`{"id":1,"currency":"USD","line_items":[{"quantity":1,"price":"1"}],"total_price":"2","shipping_address":{"country":"Nowhere"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := planted(data)
		books := &memory{orders: map[string]*order.Order{}}
		outcomes := imported(t, books, file)
		documents, unread := Read(file)
		want := len(documents)
		if unread != nil {
			want++ // the file itself
		}
		require.Len(t, outcomes, want)
		for _, o := range outcomes {
			require.Contains(t, Results(), o.Result)
			require.Equal(t, o.OrderID != "", slices.Contains([]Result{Imported, Held, Existing}, o.Result), "%+v", o)
			if o.Result == Failed || o.Result == Skipped || o.Result == Held {
				require.NotEmpty(t, o.why(), "no reason: %+v", o)
			}
		}
		for _, placed := range books.orders {
			differs := slices.ContainsFunc(placed.Holds, func(h order.Hold) bool { return h.Reason == order.HoldTotalsDiffer })
			sum, err := placed.Placement().Sum()
			require.NoError(t, err)
			require.True(t, differs || sum == placed.Total, "%d is not %d, and nothing is said of it", sum, placed.Total)
		}
		var report bytes.Buffer
		require.NoError(t, WriteTable(&report, outcomes))
		require.NoError(t, WriteJSON(&report, outcomes))
		require.NotContains(t, report.String(), canary)

		stored := len(books.orders)
		for _, o := range imported(t, books, file) {
			require.Contains(t, []Result{Existing, Skipped, Failed}, o.Result)
		}
		require.Len(t, books.orders, stored)
	})
}

func imported(t *testing.T, books *memory, file []byte) []Outcome {
	n := 0
	id := func(prefix string) string { n++; return prefix + "_" + itoa(len(books.orders)) + "_" + itoa(n) }
	outcomes, err := Import(t.Context(), Deps{Orders: books, Runs: idle{},
		Act: func() order.Act {
			return order.Act{At: time.Unix(0, 0).UTC(), NewID: id, Policy: order.DefaultPolicy()}
		},
		NewID: func() string { return id("ord") },
		Open:  func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil },
	}, []string{"orders.json"}, nil)
	require.NoError(t, err)
	return outcomes
}

// memory keeps orders as the books do: each by its key, once. Nothing is ever in stock.
type memory struct{ orders map[string]*order.Order }

func (m *memory) Place(_ context.Context, p order.Placement, orderID, key string, act order.Act) (*order.Order, bool, error) {
	if o := m.orders[key]; o != nil {
		return o, false, nil
	}
	m.orders[key] = order.Place(p, orderID, act)
	return m.orders[key], true, nil
}

func (m *memory) Order(_ context.Context, orderID string) (*order.Order, error) {
	for _, o := range m.orders {
		if o.ID == orderID {
			return o, nil
		}
	}
	return nil, io.EOF
}

func (m *memory) Stock(context.Context, []string) (inventory.Stock, error) {
	return inventory.Stock{}, nil
}

// idle are runs that do nothing.
type idle struct{}

func (idle) Place(context.Context, *order.Order) (order.Facts, error) { return order.Facts{}, nil }

func (idle) Ensure(context.Context, *order.Order) error { return nil }

// planted puts the canary in the place of every text that is a person's. What is no JSON stays as it is.
func planted(data []byte) []byte {
	var out bytes.Buffer
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	for {
		var v any
		if err := decoder.Decode(&v); err != nil {
			break
		}
		changed, err := json.Marshal(plant(v, false))
		if err != nil {
			break
		}
		out.Write(append(changed, '\n'))
	}
	if out.Len() == 0 {
		return data
	}
	return out.Bytes()
}

// personal are the members of an order that are a person's, or have somebody's inside.
var personal = []string{"email", "contact_email", "phone", "first_name", "last_name", "address1", "address2", "company", "zip", "city"}

func plant(v any, person bool) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			inside := slices.Contains([]string{"customer", "shipping_address", "billing_address"}, name)
			v[name] = plant(value, person && name != "country_code" && name != "id" || inside || slices.Contains(personal, name))
		}
	case []any:
		for i := range v {
			v[i] = plant(v[i], person)
		}
	case string:
		if person && !strings.Contains(v, canary) {
			return canary + " " + v
		}
	}
	return v
}
