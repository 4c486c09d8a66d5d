package shopify

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/order"
)

// generated is an order that adds up, as Shopify would write it, and what it comes to.
type generated struct {
	json     map[string]any
	currency string
	total    int64
}

func generate(t *rapid.T) generated {
	currency := rapid.SampledFrom([]string{"JPY", "USD", "KWD"}).Draw(t, "currency")
	included := rapid.Bool().Draw(t, "taxes_included")
	format := func(amount int64) any { return money.Format(amount, currency) }
	priced := func(name string, amount int64) []any { return []any{map[string]any{name: format(amount)}} }
	var lines []any
	var goods, off, taxes, net int64
	for i := range rapid.IntRange(1, 6).Draw(t, "lines") {
		quantity := rapid.Int64Range(1, 50).Draw(t, "quantity")
		price := rapid.Int64Range(0, 1_000_000).Draw(t, "price")
		discount := rapid.Int64Range(0, price*quantity).Draw(t, "discount")
		tax := rapid.Int64Range(0, 100_000).Draw(t, "tax")
		line := map[string]any{"id": i + 1, "sku": "SKU", "quantity": quantity, "price": format(price), "requires_shipping": true,
			"tax_lines": priced("price", tax)}
		if rapid.Bool().Draw(t, "allocated") {
			part := rapid.Int64Range(0, discount).Draw(t, "part")
			line["discount_allocations"] = append(priced("amount", part), priced("amount", discount-part)...)
			line["total_discount"] = format(rapid.SampledFrom([]int64{0, discount}).Draw(t, "told twice"))
		} else {
			line["total_discount"] = format(discount)
		}
		lines = append(lines, line)
		goods, off, taxes, net = goods+price*quantity, off+discount, taxes+tax, net+price*quantity-discount
	}
	rest := rapid.Int64Range(0, net).Draw(t, "order discount")
	shipping := rapid.Int64Range(0, 10_000).Draw(t, "shipping")
	less := rapid.Int64Range(0, shipping).Draw(t, "shipping discount")
	shippingTax := rapid.Int64Range(0, 1000).Draw(t, "shipping tax")
	total := net - rest + shipping - less
	if !included {
		total += taxes + shippingTax
	}
	return generated{currency: currency, total: total, json: map[string]any{
		"id": 1, "name": "#1", "currency": currency, "financial_status": "paid", "taxes_included": included,
		"total_line_items_price": format(goods), "subtotal_price": format(net - rest), "total_tax": format(taxes + shippingTax),
		"total_discounts": format(off + rest + less), "total_price": format(total), "line_items": lines,
		"shipping_lines": []any{map[string]any{"code": "standard", "price": format(shipping), "discounted_price": format(shipping - less),
			"discount_allocations": priced("amount", less), "tax_lines": priced("price", shippingTax)}},
		"shipping_address": map[string]any{"name": "A", "address1": "B", "city": "C", "zip": "1", "country_code": "US"},
	}}
}

func TestAnOrderThatAddsUpIsPlacedAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generate(t)
		raw, err := json.Marshal(g.json)
		require.NoError(t, err)
		r, err := Map(raw)
		require.NoError(t, err)
		require.Empty(t, r.Placement.Holds)
		require.NoError(t, r.Placement.Validate(gateway))
		sum, err := r.Placement.Sum()
		require.NoError(t, err)
		require.Equal(t, g.total, sum)
		require.Equal(t, g.total, r.Placement.Total)
		sound(t, r)
	})
}

func TestAnOrderThatDoesNotAddUpIsHeldAndKeepsItsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generate(t)
		by := rapid.Int64Range(-g.total, 1_000_000).Filter(func(n int64) bool { return n != 0 }).Draw(t, "by")
		g.json["total_price"] = money.Format(g.total+by, g.currency)
		raw, err := json.Marshal(g.json)
		require.NoError(t, err)
		r, err := Map(raw)
		require.NoError(t, err)
		require.Equal(t, g.total+by, r.Placement.Total)
		require.Equal(t, []string{order.HoldTotalsDiffer}, reasons(r.Placement))
		direction := " more"
		if by < 0 {
			direction = " less"
		}
		require.Contains(t, r.Placement.Holds[0].Detail, ": "+money.Format(max(by, -by), g.currency)+direction)
	})
}

// sound is what holds for whatever is read: it can be stored, read back through the API, and split into units.
func sound(t require.TestingT, r Reading) {
	require.LessOrEqual(t, utf8.RuneCountInString(r.Name), orderMax)
	if r.Skip != "" {
		return
	}
	p := r.Placement
	require.NoError(t, p.Validate(gateway))
	require.NotEmpty(t, p.ExternalID)
	for _, text := range []struct {
		value string
		max   int
	}{{p.Customer.Name, nameMax}, {p.Customer.Email, emailMax}, {p.Customer.ID, idMax}, {p.ShipTo.Name, nameMax}, {p.ShipTo.Line1, lineMax},
		{p.ShipTo.Line2, lineMax}, {p.ShipTo.City, cityMax}, {p.ShipTo.Region, regionMax}, {p.ShipTo.PostalCode, postalMax}, {p.ShipTo.Country, 2},
		{p.Shipping.Service, serviceMax}} {
		require.LessOrEqual(t, utf8.RuneCountInString(text.value), text.max)
		require.Equal(t, -1, strings.IndexFunc(text.value, unreadable))
	}
	require.Regexp(t, `^[a-z0-9][a-z0-9_-]*$`, p.Shipping.Service)
	for _, h := range p.Holds {
		require.NotEmpty(t, h.Detail)
		require.LessOrEqual(t, utf8.RuneCountInString(h.Detail), detailMax)
		require.Equal(t, -1, strings.IndexFunc(h.Detail, unreadable))
	}
	n := 0
	o := order.Place(p, "ord_1", order.Act{At: time.Unix(0, 0), NewID: func(prefix string) string { n++; return prefix + itoa(n) }, Policy: order.DefaultPolicy()})
	for _, l := range o.Lines {
		require.Regexp(t, `^[^\s](.*[^\s])?$`, l.SKU)
		require.LessOrEqual(t, utf8.RuneCountInString(l.SKU), skuMax)
		var units, discount, tax int64
		for _, b := range l.Units {
			require.True(t, b.Price >= 0 && b.Discount >= 0 && b.Discount <= b.Price && b.Tax >= 0 && b.Shipping >= 0 && b.ShippingTax >= 0)
			units, discount, tax = units+b.Quantity, discount+b.Discount*b.Quantity, tax+b.Tax*b.Quantity
		}
		require.Equal(t, l.Quantity, units)
		require.Equal(t, l.Discount+l.OrderDiscount, discount)
		require.Equal(t, l.Tax, tax)
	}
	require.Equal(t, o.Placement().Lines, p.Lines)
}

// strange is any JSON value that has no business where it is put.
func strange() *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		return rapid.SampledFrom([]any{nil, true, "", " ", "-1", "-12.500", "0", "1e9", "99999999999999.99", "999999999999999999999", "\u0000\u202e", "NaN",
			-1, 0, 1.5, 1e300, 500000, []any{}, []any{nil}, map[string]any{}, map[string]any{"amount": "-3"}, []any{[]any{"x"}},
			strings.Repeat("é", 300), "paid", "pending", "USD", "JPY", "2024-01-01T00:00:00Z"}).Draw(t, "strange")
	})
}

// mutate changes one place, anywhere in a JSON value.
func mutate(t *rapid.T, v any) any {
	if rapid.IntRange(0, 5).Draw(t, "here") == 0 {
		return strange().Draw(t, "value")
	}
	switch x := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		if len(keys) == 0 {
			return strange().Draw(t, "value")
		}
		k := rapid.SampledFrom(sorted(keys)).Draw(t, "key")
		if rapid.IntRange(0, 9).Draw(t, "drop") == 0 {
			delete(x, k)
		} else {
			x[k] = mutate(t, x[k])
		}
		return x
	case []any:
		if len(x) == 0 {
			return strange().Draw(t, "value")
		}
		i := rapid.IntRange(0, len(x)-1).Draw(t, "index")
		if rapid.IntRange(0, 5).Draw(t, "twice") == 0 {
			return append(x, x[i])
		}
		x[i] = mutate(t, x[i])
		return x
	}
	return strange().Draw(t, "value")
}

func TestNothingStrangePanicsOrGetsThrough(t *testing.T) {
	for _, name := range []string{"paid-kwd.json", "stacked-discounts-hkd.json", "authorized-does-not-foot.json", "zero-decimals-vnd.json"} {
		raw := fixture(t, name)
		rapid.Check(t, func(t *rapid.T) {
			var v any
			require.NoError(t, json.Unmarshal(raw, &v))
			for range rapid.IntRange(1, 4).Draw(t, "mutations") {
				v = mutate(t, v)
			}
			changed, err := json.Marshal(v)
			require.NoError(t, err)
			if r, err := Map(changed); err == nil {
				sound(t, r)
			} else {
				require.NotEmpty(t, sentences(err))
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/*.json*")
	require.NoError(f, err)
	require.NotEmpty(f, names)
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
	}
	for _, s := range []string{"", "null", "[]", "[[[]]]", `{"orders":{}}`, `{"orders":[1,null,{"order":null}]}`, "{}\n{}\n{", "\ufeff{\"line_items\":[{}]}", `"x"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		documents, _ := Read(data)
		for i, d := range documents {
			require.Equal(t, i+1, d.Number)
			require.NotEqual(t, d.Order == nil, d.Other == "")
			if d.Order == nil {
				continue
			}
			if r, err := Map(d.Order); err == nil {
				sound(t, r)
			}
		}
	})
}
