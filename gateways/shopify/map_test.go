package shopify

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// fixture reads the only order of a file.
func fixture(t testing.TB, name string) json.RawMessage {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	documents, err := Read(data)
	require.NoError(t, err)
	require.Len(t, documents, 1)
	return documents[0].Order
}

// edits are changes of a JSON value, by the path to what is changed; the value drop removes it.
type edits map[string]any

type drop struct{}

func edited(t testing.TB, raw json.RawMessage, changes edits) json.RawMessage {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(raw, &v))
	for path, to := range changes {
		at := v
		steps := strings.Split(path, ".")
		for _, s := range steps[:len(steps)-1] {
			switch x := at.(type) {
			case map[string]any:
				at = x[s]
			case []any:
				i, err := strconv.Atoi(s)
				require.NoError(t, err)
				at = x[i]
			}
		}
		last := steps[len(steps)-1]
		if to == (drop{}) {
			delete(at.(map[string]any), last)
		} else {
			at.(map[string]any)[last] = to
		}
	}
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return out
}

func mapped(t testing.TB, raw json.RawMessage) Reading {
	t.Helper()
	r, err := Map(raw)
	require.NoError(t, err)
	return r
}

func reasons(p order.Placement) (out []string) {
	for _, h := range p.Holds {
		out = append(out, h.Reason)
	}
	return out
}

func TestPaidOrder(t *testing.T) {
	r := mapped(t, fixture(t, "paid-kwd.json"))
	require.Equal(t, Reading{
		Name: "#4001", ExternalID: "7000000000001", Financial: "paid", Total: "24.250 KWD",
		Placement: order.Placement{
			ExternalID: "7000000000001", Channel: "shopify", Currency: "KWD", PricesIncludeTax: true, OnShortage: "reject",
			Customer: order.Customer{ID: "71", Name: "Noor Example", Email: "noor@example.com"},
			ShipTo:   shipping.Address{Name: "Noor Example", Line1: "12 Gulf Road", Line2: "Floor 3", City: "Kuwait City", PostalCode: "13001", Country: "KW"},
			Lines:    []order.PlacedLine{{ExternalID: "701", SKU: "TEE-M", Quantity: 2, UnitPrice: 12500, Discount: 2500, Tax: 1071}},
			Shipping: order.PlacedShipping{Service: "standard-shipping", Amount: 1750},
			Payment:  order.PlacedPayment{Gateway: "external", Token: "paid:7000000000001"},
			Total:    24250,
		},
	}, r)
	require.Equal(t, "import/shopify/7000000000001", r.IdempotencyKey())
}

// 99.00 less 5.00, then 15 %; 100.00 less 15 %; shipping 22.00; 186.90 in all.
func TestStackedDiscounts(t *testing.T) {
	r := mapped(t, fixture(t, "stacked-discounts-hkd.json"))
	p := r.Placement
	require.Equal(t, []order.PlacedLine{
		{ExternalID: "15000000000012", SKU: "variant:50000000000084", Quantity: 1, UnitPrice: 9900, Discount: 1910},
		{ExternalID: "15000000000080", SKU: "variant:50000000000076", Quantity: 1, UnitPrice: 10000, Discount: 1500},
	}, p.Lines)
	require.EqualValues(t, 18690, p.Total)
	require.EqualValues(t, 0, p.Discount)
	require.Equal(t, order.Customer{}, p.Customer)
	require.Equal(t, "paid:5900000000071", p.Payment.Token)
	require.Equal(t, []order.PlacedHold{{Reason: order.HoldAddressIncomplete, Detail: "the order has no shipping address"}}, p.Holds)
	require.Equal(t, []string{"line 1 has no SKU: it is known as variant:50000000000084",
		"line 2 has no SKU: it is known as variant:50000000000076"}, r.Notes)
}

func TestCurrencyWithoutDecimals(t *testing.T) {
	p := mapped(t, fixture(t, "zero-decimals-vnd.json")).Placement
	require.EqualValues(t, 1222, p.Total)
	require.EqualValues(t, 1111, p.Lines[0].UnitPrice)
	require.EqualValues(t, 111, p.Lines[0].Tax)
	require.Equal(t, []order.PlacedHold{{Reason: order.HoldAddressIncomplete,
		Detail: "the shipping address has no street (address1) and no city"}}, p.Holds)
	require.Equal(t, "VN", p.ShipTo.Country)
}

// Taken in with a hold that says what differs, never corrected.
func TestTotalsThatDoNotFoot(t *testing.T) {
	r := mapped(t, fixture(t, "authorized-does-not-foot.json"))
	p := r.Placement
	require.Equal(t, []order.PlacedHold{{Reason: order.HoldTotalsDiffer,
		Detail: "lines, tax, shipping and discounts come to 608.94 USD, total_price says 409.94: 199.00 less; " +
			"the lines come to 597.00 USD, total_line_items_price says 398.00: 199.00 less; " +
			"the discounted lines come to 597.00 USD, subtotal_price says 398.00: 199.00 less"}}, p.Holds)
	require.EqualValues(t, 40994, p.Total)
	require.Len(t, p.Lines, 3)
	for _, l := range p.Lines {
		require.EqualValues(t, 19900, l.UnitPrice)
		require.EqualValues(t, 398, l.Tax)
	}
	require.Equal(t, "authorized:4500000001", p.Payment.Token)
	require.Equal(t, []string{"the order tells its tax of 11.94 USD only as a whole: it was spread over the taxable lines"}, r.Notes)
}

func TestSkipped(t *testing.T) {
	require.Equal(t, "it is a test order, it was cancelled on 2016-05-17 (customer) and its payment was voided",
		mapped(t, fixture(t, "voided-test.json")).Skip)
	for _, c := range []struct {
		changes edits
		why     string
	}{
		{edits{"test": true}, "it is a test order"},
		{edits{"cancelled_at": "2024-02-03T10:00:00Z"}, "it was cancelled on 2024-02-03"},
		{edits{"financial_status": "voided"}, "its payment was voided"},
		{edits{"financial_status": "refunded"}, "its payment was refunded in full"},
		{edits{"fulfillment_status": "fulfilled"}, "it was fulfilled already"},
		{edits{"fulfillment_status": "restocked"}, "its goods were restocked"},
		{edits{"line_items.0.requires_shipping": false}, "nothing in it is to be shipped"},
		{edits{"line_items.0.requires_shipping": nil, "line_items.0.gift_card": true}, "nothing in it is to be shipped"},
		{edits{"test": true, "currency": "XBT"}, "it is a test order"},
	} {
		r := mapped(t, edited(t, fixture(t, "paid-kwd.json"), c.changes))
		require.Equal(t, c.why, r.Skip)
		require.Equal(t, "#4001", r.Name)
	}
}

func TestHolds(t *testing.T) {
	second := map[string]any{"id": 702, "sku": "GIFT", "title": "Gift card", "quantity": 1, "price": "0.000", "requires_shipping": false}
	one := func(reason, detail string) []order.PlacedHold {
		return []order.PlacedHold{{Reason: reason, Detail: detail}}
	}
	for _, c := range []struct {
		changes edits
		holds   []order.PlacedHold
	}{
		{edits{"financial_status": "pending", "total_outstanding": "24.250"},
			one("awaiting_payment", "nothing has been paid in Shopify yet: 24.250 KWD of 24.250 KWD is outstanding")},
		{edits{"financial_status": "partially_paid", "total_outstanding": "4.000"},
			one("awaiting_payment", "only a part has been paid in Shopify: 4.000 KWD of 24.250 KWD is outstanding")},
		{edits{"financial_status": "expired"}, one("awaiting_payment", "the authorization in Shopify has expired")},
		{edits{"financial_status": nil}, one("awaiting_payment", "Shopify says nothing of a payment")},
		{edits{"financial_status": "odd"}, one("awaiting_payment", `Shopify says "odd" of the payment, which is not known here`)},
		{edits{"fulfillment_status": "partial"}, one("changed_elsewhere", "in Shopify a part of it was fulfilled already")},
		{edits{"closed_at": "2024-02-03T10:00:00Z"}, one("changed_elsewhere", "in Shopify it was archived on 2024-02-03")},
		{edits{"current_total_price": "24.250", "line_items.0.current_quantity": 2}, nil},
		{edits{"current_total_price": "12.000", "line_items.0.current_quantity": 1}, one("changed_elsewhere", "in Shopify after edits and refunds it comes to 12.000 KWD; of line 1 (TEE-M) 1 of 2 units are left")},
		{edits{"financial_status": "partially_refunded"}, one("changed_elsewhere", "in Shopify a part was refunded")},
		{edits{"financial_status": "partially_refunded", "refunds": []any{map[string]any{"transactions": []any{
			map[string]any{"kind": "refund", "status": "success", "amount": "1.500"},
			map[string]any{"kind": "refund", "status": "failure", "amount": "9.000"}}}}},
			one("changed_elsewhere", "in Shopify a part was refunded: 1.500 KWD")},
		{edits{"line_items": []any{map[string]any{"id": 701, "sku": "TEE-M", "quantity": 2, "price": "12.500",
			"discount_allocations": []any{map[string]any{"amount": "2.500"}}, "tax_lines": []any{map[string]any{"price": "1.071"}}}, second}},
			one("not_shippable", "to be shipped with nothing: line 2 (GIFT); every line here is served from stock")},
	} {
		r := mapped(t, edited(t, fixture(t, "paid-kwd.json"), c.changes))
		require.Equal(t, c.holds, r.Placement.Holds)
		paid := r.Placement.Payment.Token == "paid:7000000000001"
		awaiting := len(c.holds) > 0 && c.holds[0].Reason == order.HoldAwaitingPayment
		require.NotEqual(t, awaiting, paid)
	}
}

// Nobody pays for nothing: such an order waits for no payment.
func TestFreeOrder(t *testing.T) {
	p := mapped(t, edited(t, fixture(t, "zero-decimals-vnd.json"), edits{"line_items.0.price": "0", "line_items.0.tax_lines": []any{},
		"tax_lines": []any{}, "total_tax": "0", "total_price": "0", "subtotal_price": "0", "total_line_items_price": "0", "financial_status": "pending"})).Placement
	require.Equal(t, []string{order.HoldAddressIncomplete}, reasons(p))
}

// What cannot be an amount of an order is taken out of it, and the hold tells both figures.
func TestImpossibleAmounts(t *testing.T) {
	const sums = "lines, tax, shipping and discounts come to "
	for _, c := range []struct {
		changes edits
		detail  string
		lines   int
	}{
		{edits{"line_items.0.discount_allocations": []any{map[string]any{"amount": "30.000"}}},
			"line 1 (TEE-M) comes to 25.000 KWD; its discount is 30.000 KWD, which cannot be and was taken as 0", 1},
		{edits{"line_items.0.discount_allocations": []any{map[string]any{"amount": "-2.500"}}},
			"its discount is -2.500 KWD, which cannot be and was taken as 0", 1},
		{edits{"line_items.0.price": "-12.500"}, "the price of line 1 (TEE-M) is -12.500 KWD, which cannot be and was taken as 0", 1},
		{edits{"line_items.0.tax_lines": []any{map[string]any{"price": "-1.000"}}}, "the tax on line 1 (TEE-M) is -1.000 KWD, which", 1},
		{edits{"shipping_lines.0.price": "-3.500"}, "shipping is -5.250 KWD, which cannot be and was taken as 0", 1},
		{edits{"shipping_lines.0.tax_lines": []any{map[string]any{"price": "-1.000"}}}, "the tax on shipping is -1.000 KWD, which", 1},
		{edits{"total_price": "-24.250"}, "total_price is -24.250 KWD, which cannot be and was taken as 0", 1},
		{edits{"total_discounts": "99.000"}, "the lines come to 22.500 KWD; the order's discount is 94.750 KWD, which cannot be", 1},
		{edits{"total_discounts": "26.751"}, "the lines come to 22.500 KWD; the order's discount is 22.501 KWD, which cannot be", 1},
		{edits{"line_items": []any{map[string]any{"id": 1, "sku": "A", "quantity": 1, "price": "24.250"},
			map[string]any{"id": 2, "sku": "B", "quantity": 0, "price": "1.000"}}}, "line 2 (B) has a quantity of 0 and was left out", 1},
		{edits{"line_items": []any{map[string]any{"id": 1, "sku": "A", "quantity": 1, "price": "24.250"},
			map[string]any{"id": 2, "sku": "B", "quantity": 1000001, "price": "1.000"}}}, "line 2 (B) has a quantity of 1000001 and was left out", 1},
	} {
		p := mapped(t, edited(t, fixture(t, "paid-kwd.json"), c.changes)).Placement
		require.Equal(t, []string{order.HoldTotalsDiffer}, reasons(p))
		require.Contains(t, p.Holds[0].Detail, c.detail)
		require.Len(t, p.Lines, c.lines)
		if c.changes["line_items.0.tax_lines"] == nil && c.changes["shipping_lines.0.tax_lines"] == nil && c.changes["total_discounts"] == nil {
			require.Contains(t, p.Holds[0].Detail, sums)
		}
	}
}

func TestDiscounts(t *testing.T) {
	for _, c := range []struct {
		changes                  edits
		onLine, onOrder, shipped int64
		differs                  string
	}{
		{nil, 2500, 0, 1750, ""},
		{edits{"total_discounts": "4.250"}, 2500, 0, 1750, ""}, // the same, with shipping's part in it
		{edits{"line_items.0.total_discount": "2.500"}, 2500, 0, 1750, ""},
		{edits{"line_items.0.total_discount": "2.500", "line_items.0.discount_allocations": []any{}}, 2500, 0, 1750, ""},
		{edits{"line_items.0.discount_allocations": []any{}}, 0, 750, 1750, "total_price says 24.250: 1.750 less"}, // 2.500 less shipping's part
		{edits{"line_items.0.discount_allocations": []any{}, "total_discounts": "4.250"}, 0, 2500, 1750, ""},
		{edits{"total_discounts": "1.000"}, 2500, 0, 1750, "the discounts of lines and shipping come to 4.250 KWD, total_discounts says 1.000: 3.250 less"},
		{edits{"total_discounts": nil}, 2500, 0, 1750, ""},
		{edits{"shipping_lines.0.discount_allocations": []any{}}, 2500, 0, 1750, ""},
		{edits{"shipping_lines.0.discounted_price": "3.500"}, 2500, 0, 1750, ""},
	} {
		p := mapped(t, edited(t, fixture(t, "paid-kwd.json"), c.changes)).Placement
		require.Equal(t, c.onLine, p.Lines[0].Discount, "%v", c.changes)
		require.Equal(t, c.onOrder, p.Discount, "%v", c.changes)
		require.Equal(t, c.shipped, p.Shipping.Amount, "%v", c.changes)
		if c.differs == "" {
			require.Empty(t, p.Holds, "%v", c.changes)
		} else {
			require.Contains(t, p.Holds[0].Detail, c.differs)
		}
	}
}

func TestOtherSums(t *testing.T) {
	set := func(amount, currency string) any {
		return map[string]any{"shop_money": map[string]any{"amount": amount, "currency_code": currency}}
	}
	for _, c := range []struct {
		changes edits
		detail  string
	}{
		{edits{"subtotal_price": "20.000"}, "the discounted lines come to 22.500 KWD, subtotal_price says 20.000: 2.500 less"},
		{edits{"total_line_items_price": "26.000"}, "the lines come to 25.000 KWD, total_line_items_price says 26.000: 1.000 more"},
		{edits{"total_tax": "1.072"}, "the taxes of lines and shipping come to 1.071 KWD, total_tax says 1.072: 0.001 more"},
		{edits{"total_shipping_price_set": set("9.000", "KWD")}, "the shipping lines come to 1.750 KWD, total_shipping_price_set says 9.000: 7.250 more"},
		{edits{"total_price": "26.250", "total_tip_received": "2.000"}, "come to 24.250 KWD, total_price says 26.250: 2.000 more, just what total_tip_received says"},
		{edits{"total_price": "26.250", "original_total_duties_set": set("2.000", "KWD")}, "2.000 more, just what original_total_duties_set says"},
		{edits{"total_price": "26.250", "original_total_duties_set": set("1.000", "KWD"), "total_tip_received": 1}, "say together"},
	} {
		p := mapped(t, edited(t, fixture(t, "paid-kwd.json"), c.changes)).Placement
		require.Equal(t, []string{order.HoldTotalsDiffer}, reasons(p), "%v", c.changes)
		require.Contains(t, p.Holds[0].Detail, c.detail)
	}
	for _, foots := range []edits{
		{"total_shipping_price_set": set("3.500", "KWD")}, {"total_shipping_price_set": set("1.750", "")},
		{"shipping_lines": []any{}, "total_shipping_price_set": set("1.750", "KWD")},
	} {
		p := mapped(t, edited(t, fixture(t, "paid-kwd.json"), foots)).Placement
		require.Empty(t, p.Holds)
		require.EqualValues(t, 1750, p.Shipping.Amount)
	}
}

func TestOrderTaxIsSpreadOverTaxableLines(t *testing.T) {
	line := func(id int, sku, price string, taxable any) any {
		return map[string]any{"id": id, "sku": sku, "quantity": 1, "price": price, "taxable": taxable}
	}
	raw := edited(t, fixture(t, "authorized-does-not-foot.json"), edits{
		"line_items":  []any{line(1, "A", "10.00", true), line(2, "B", "90.00", false), line(3, "C", "20.00", nil)},
		"tax_lines":   []any{map[string]any{"price": "100.00"}, map[string]any{"price": "0.01"}},
		"total_price": "220.01", "subtotal_price": "120.00", "total_line_items_price": 120.0, "total_tax": "100.01",
	})
	p := mapped(t, raw).Placement
	require.Empty(t, p.Holds)
	require.EqualValues(t, 3334, p.Lines[0].Tax)
	require.EqualValues(t, 0, p.Lines[1].Tax)
	require.EqualValues(t, 6667, p.Lines[2].Tax)
}

func TestUnreadable(t *testing.T) {
	for _, c := range []struct {
		changes edits
		want    []string
	}{
		{edits{"id": drop{}}, []string{"id: the order has no id"}},
		{edits{"line_items": nil}, []string{"line_items: the order has no line items"}},
		{edits{"line_items": make([]any, 501)}, []string{"line_items: the order has 501 lines of a kind: at most 500 can be taken in"}},
		{edits{"currency": "XBT"}, []string{`currency: "XBT" is not a currency code of ISO 4217`}},
		{edits{"currency": nil}, []string{`currency: "" is not a currency code of ISO 4217`}},
		{edits{"total_price": nil, "line_items.0.price": "1,50"}, []string{`line_items/0/price: "1,50" is not an amount of KWD`, "total_price: it is missing"}},
		{edits{"total_price": "24.2505"}, []string{`total_price: "24.2505" is not an amount of KWD`}},
		{edits{"total_price": 1e30}, []string{`total_price: "1e+30" is not an amount of KWD`}},
		{edits{"line_items.0.quantity": "two"}, []string{`line_items/0/quantity: "two" is not a whole number`}},
		{edits{"line_items.0.quantity": 1.5}, []string{`line_items/0/quantity: "1.5" is not a whole number`}},
		{edits{"line_items.0.quantity": 0}, []string{"line_items: no line item of the order has a unit to be shipped"}},
		{edits{"line_items.0.quantity": 1000000, "line_items.0.price": "999999999999.000"}, []string{"line_items/0/price: price × quantity is out of range"}},
		{edits{"line_items.0.price": map[string]any{"amount": "1"}}, []string{"line_items/price: a value of the JSON type object does not belong there"}},
		{edits{"test": "yes"}, []string{"test: a value of the JSON type string does not belong there"}},
		{edits{"line_items": "none"}, []string{"line_items: a value of the JSON type string does not belong there"}},
		{edits{"total_shipping_price_set": map[string]any{"shop_money": map[string]any{"amount": "1.00", "currency_code": "USD"}}},
			[]string{`total_shipping_price_set/shop_money/currency_code: "USD" is not the order's KWD`}},
	} {
		r, err := Map(edited(t, fixture(t, "paid-kwd.json"), c.changes))
		require.Error(t, err, "%v", c.changes)
		require.NotNil(t, fault.As(err))
		require.Equal(t, c.want, sentences(err))
		require.Equal(t, "#4001", r.Name, "the name tells which order it is")
		require.Zero(t, r.Placement.Lines)
	}
}

func TestSKU(t *testing.T) {
	for _, c := range []struct {
		changes   edits
		sku, note string
	}{
		{nil, "TEE-M", ""},
		{edits{"line_items.0.sku": " TEE-M "}, "TEE-M", ""},
		{edits{"line_items.0.sku": nil}, "variant:801", "line 1 has no SKU: it is known as variant:801"},
		{edits{"line_items.0.sku": "", "line_items.0.variant_id": nil}, "title:Tee", "line 1 has no SKU: it is known as title:Tee"},
		{edits{"line_items.0.sku": "", "line_items.0.variant_id": nil, "line_items.0.name": "Tee - M"}, "title:Tee - M", "it is known as title:Tee - M"},
		{edits{"line_items.0.sku": "", "line_items.0.variant_id": nil, "line_items.0.title": ""}, "item:701", "it is known as item:701"},
		{edits{"line_items.0.sku": "", "line_items.0.variant_id": nil, "line_items.0.title": "", "line_items.0.id": nil}, "item:1", "it is known as item:1"},
		{edits{"line_items.0.sku": strings.Repeat("x", 65)}, "variant:801", "of more than 64 characters: it is known as variant:801"},
		{edits{"line_items.0.sku": "A\u0000B"}, "variant:801", "control characters"},
	} {
		r := mapped(t, edited(t, fixture(t, "paid-kwd.json"), c.changes))
		require.Equal(t, c.sku, r.Placement.Lines[0].SKU)
		require.Contains(t, strings.Join(r.Notes, "\n"), c.note)
		require.Equal(t, c.note == "", len(r.Notes) == 0)
	}
}

func TestAddress(t *testing.T) {
	at := func(field string) string { return "shipping_address." + field }
	for _, c := range []struct {
		changes edits
		to      shipping.Address
		detail  string
	}{
		{edits{at("country_code"): nil}, shipping.Address{Country: "KW"}, ""},
		{edits{at("country_code"): "", at("country"): "the Türkiye"}, shipping.Address{Country: "TR"}, ""},
		{edits{at("country_code"): "us", at("province_code"): "US-CA"}, shipping.Address{Country: "US", Region: "CA"}, ""},
		{edits{at("country_code"): nil, at("country"): "gb"}, shipping.Address{Country: "GB"}, ""},
		{edits{at("country_code"): nil, at("country"): "Atlantis"}, shipping.Address{}, "the shipping address has no country"},
		{edits{at("country_code"): "XK"}, shipping.Address{Country: "XK"}, "country_code XK is not one of ISO 3166-1"},
		{edits{at("zip"): nil}, shipping.Address{Country: "KW"}, ""},
		{edits{at("zip"): nil, at("country_code"): "DE"}, shipping.Address{Country: "DE"}, "the shipping address has no postal code (zip)"},
		{edits{at("province"): "Al Asimah Governorate"}, shipping.Address{Country: "KW"}, "the province has no province_code and was left out"},
		{edits{at("address1"): strings.Repeat("x", 201)}, shipping.Address{Country: "KW"}, "address1 is longer than 200 characters and was cut"},
		{edits{at("name"): nil, at("first_name"): nil}, shipping.Address{Name: "Example", Country: "KW"}, ""},
		{edits{at("name"): "", at("first_name"): "", at("last_name"): "", at("company"): "Gulf Co"}, shipping.Address{Name: "Gulf Co", Country: "KW"}, ""},
		{edits{at("name"): "", at("first_name"): "", at("last_name"): ""}, shipping.Address{Name: "Noor Example", Country: "KW"}, ""},
		{edits{at("company"): "Gulf\nCo"}, shipping.Address{Name: "Noor Example, Gulf Co", Country: "KW"}, ""},
		{edits{at("name"): "", at("first_name"): "", at("last_name"): "", "customer": nil, at("address1"): " ", at("city"): nil}, shipping.Address{Country: "KW"},
			"the shipping address has no name, street (address1) and no city"},
	} {
		p := mapped(t, edited(t, fixture(t, "paid-kwd.json"), c.changes)).Placement
		require.Equal(t, c.to.Country, p.ShipTo.Country, "%v", c.changes)
		require.Equal(t, c.to.Region, p.ShipTo.Region)
		if c.to.Name != "" {
			require.Equal(t, c.to.Name, p.ShipTo.Name)
		}
		if c.detail == "" {
			require.Empty(t, p.Holds)
		} else {
			require.Equal(t, []order.PlacedHold{{Reason: order.HoldAddressIncomplete, Detail: c.detail}}, p.Holds)
		}
	}
}

func TestEveryCountryHasANameAndACode(t *testing.T) {
	codes := map[string]bool{}
	for name, code := range countryByName {
		require.True(t, shipping.KnownCountry(code), name)
		require.NotEmpty(t, name)
		codes[code] = true
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			require.Equal(t, shipping.KnownCountry(code), codes[code], code)
		}
	}
	for code := range strings.FieldsSeq(needPostal) {
		require.True(t, shipping.KnownCountry(code), code)
	}
}

func TestCustomer(t *testing.T) {
	p := mapped(t, edited(t, fixture(t, "paid-kwd.json"), edits{"email": "", "contact_email": nil})).Placement
	require.Equal(t, "noor@example.com", p.Customer.Email)
	p = mapped(t, edited(t, fixture(t, "paid-kwd.json"), edits{"customer": nil, "contact_email": "c@example.com", "email": nil})).Placement
	require.Equal(t, order.Customer{Email: "c@example.com"}, p.Customer)
	r := mapped(t, edited(t, fixture(t, "paid-kwd.json"), edits{"email": strings.Repeat("x", 300)}))
	require.Empty(t, r.Placement.Customer.Email)
	require.Len(t, r.Notes, 1)
}

// Two lines of one id would collide, and a global id names the same order as a number.
func TestIDs(t *testing.T) {
	line := map[string]any{"id": 7, "sku": "A", "quantity": 1, "price": "1.000"}
	r := mapped(t, edited(t, fixture(t, "paid-kwd.json"), edits{"id": "gid://shopify/Order/42", "line_items": []any{line, line}}))
	require.Equal(t, "42", r.ExternalID)
	require.Equal(t, "7", r.Placement.Lines[0].ExternalID)
	require.Equal(t, "line-2", r.Placement.Lines[1].ExternalID)
}

func TestSlug(t *testing.T) {
	for from, to := range map[string]string{"Free Shipping": "free-shipping", "INT.TP": "int-tp", "  ": "", "Экспресс": "",
		"_x": "x", "UPS® Ground (3–5)": "ups-ground-3-5", strings.Repeat("ab ", 40): strings.Trim(strings.Repeat("ab-", 40)[:64], "-")} {
		require.Equal(t, to, slug(from), from)
	}
}
