package order_test

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/order"
)

// FuzzPlace places whatever amounts there are. What is refused is refused with an entry for each wrong field, about a field
// that the placement has. What is taken foots: its total is what its units and its shipping are worth, to the minor unit,
// and units of a line differ by one minor unit at most in each of their amounts.
func FuzzPlace(f *testing.F) {
	f.Add(varints(2, 1999, 0, 330), int64(500), int64(0), int64(0), int64(0), false)
	f.Add(varints(3, 100, 1, 1, 7, 0, 0, 5), int64(1), int64(1), int64(100), int64(0), true)
	f.Add(varints(1, 0, 0, 0), int64(7), int64(3), int64(0), int64(-1), false)
	f.Add(varints(1_000_000, money.Max/1_000_000, 0, money.Max), money.Max, money.Max, money.Max, int64(0), false)
	f.Add(varints(1_000_000, 1, 999_999, 1), int64(1), int64(0), int64(1), int64(0), false)
	f.Add(varints(2, 1<<62, 0, 0), int64(-1), int64(-1), int64(-1), int64(1<<62), false)
	f.Add([]byte{}, int64(0), int64(0), int64(0), int64(0), false)
	f.Fuzz(func(t *testing.T, data []byte, shipping, shippingTax, discount, off int64, included bool) {
		p := placed(data, shipping, shippingTax, discount, off, included)
		if err := p.Validate("sandbox"); err != nil {
			refused := fault.As(err)
			require.NotNil(t, refused)
			require.Equal(t, fault.Invalid, refused.Kind)
			require.NotEmpty(t, refused.Fields)
			for _, field := range refused.Fields {
				require.True(t, has(p, field.Pointer), "nothing is at %s", field.Pointer)
				require.NotEmpty(t, field.Detail)
			}
			return
		}
		require.Zero(t, off, "a total that does not foot")
		n := 0
		o := order.Place(p, "ord_1", order.Act{At: time.Unix(0, 0), Policy: order.DefaultPolicy(),
			NewID: func(prefix string) string { n++; return prefix + strconv.Itoa(n) }})
		require.Equal(t, p.Total, worth(t, o), "the units are worth something else")
		require.Equal(t, p, o.Placement(), "the order was placed with something else")
	})
}

// placed reads lines of four amounts: quantity, price, discount, tax. The total is off by so much.
func placed(data []byte, shipping, shippingTax, discount, off int64, included bool) order.Placement {
	p := order.Placement{ExternalID: "1", Channel: "web", Currency: "USD", PricesIncludeTax: included, Discount: discount,
		Shipping: order.PlacedShipping{Service: "standard", Amount: shipping, Tax: shippingTax},
		Payment:  order.PlacedPayment{Gateway: "sandbox", Token: "tok_ok"}}
	p.ShipTo.Country = "US"
	for len(data) > 0 && len(p.Lines) < 500 {
		var read [4]int64
		for i := range read {
			v, size := binary.Varint(data)
			if size <= 0 {
				size = min(1, len(data))
			}
			read[i], data = v, data[size:]
		}
		p.Lines = append(p.Lines, order.PlacedLine{SKU: "S", Quantity: read[0], UnitPrice: read[1], Discount: read[2], Tax: read[3]})
	}
	sum, _ := p.Sum()
	p.Total = sum + off
	return p.Normalize()
}

func varints(of ...int64) (data []byte) {
	for _, a := range of {
		data = binary.AppendVarint(data, a)
	}
	return data
}

// has reports whether a JSON pointer without escapes names something in the placement.
func has(p order.Placement, pointer string) bool {
	data, _ := json.Marshal(p)
	var at any
	_ = json.Unmarshal(data, &at)
	for _, token := range strings.Split(pointer, "/")[1:] {
		switch v := at.(type) {
		case map[string]any:
			next, ok := v[token]
			if !ok {
				return false
			}
			at = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return false
			}
			at = v[i]
		default:
			return false
		}
	}
	return true
}

// worth adds up every unit of the order.
func worth(t *testing.T, o *order.Order) (sum int64) {
	var shipping, shippingTax, discount int64
	for _, l := range o.Lines {
		var units int64
		first := l.Units[0]
		for _, b := range l.Units {
			require.Equal(t, units, b.FirstUnit)
			units += b.Quantity
			for _, pair := range [][2]int64{{first.Discount, b.Discount}, {first.Tax, b.Tax}, {first.Shipping, b.Shipping}, {first.ShippingTax, b.ShippingTax}} {
				require.True(t, pair[1] >= 0 && pair[0]-pair[1] >= 0 && pair[0]-pair[1] <= 1, "%v", l.Units)
			}
			require.True(t, b.Price == l.UnitPrice && b.Discount <= b.Price)
			sum += b.Quantity * (b.Price - b.Discount + b.Shipping)
			if !o.PricesIncludeTax {
				sum += b.Quantity * (b.Tax + b.ShippingTax)
			}
			shipping, shippingTax, discount = shipping+b.Quantity*b.Shipping, shippingTax+b.Quantity*b.ShippingTax, discount+b.Quantity*b.Discount
		}
		require.Equal(t, l.Quantity, units)
		discount -= l.Discount
	}
	require.Equal(t, []int64{o.ShippingAmount, o.ShippingTax, o.Discount}, []int64{shipping, shippingTax, discount})
	return sum
}
