package order_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
)

func TestPlacing(t *testing.T) {
	w := place(t, readme())
	o := w.o
	require.Equal(t, order.Received, o.Status)
	require.Equal(t, order.Undecided, o.Decision)
	require.EqualValues(t, 4828, o.Total)
	require.Equal(t, []string{"authorize"}, w.steps(), "the payment is asked for at once; the stock only when it is held")
	require.EqualValues(t, 4828, o.Operations[0].Amount)
	require.Equal(t, "pending", o.PaymentAxis)
	require.Equal(t, "unfulfilled", o.FulfillmentAxis)
	require.Equal(t, order.WaitingGateway, o.WaitingFor)
	require.Equal(t, []string{order.EventReceived}, w.types(0))
	require.EqualValues(t, 1, o.Version)
	require.Equal(t, readme(), o.Placement(), "what it was placed with can be compared later")
}

func TestNothingToPay(t *testing.T) {
	p := goods(order.PlacedLine{SKU: "FLYER", Quantity: 3})
	require.Zero(t, p.Total)
	w := place(t, p)
	require.Empty(t, w.o.Payments)
	require.Equal(t, []string{"allocate"}, w.steps())
	require.Equal(t, "paid", w.o.PaymentAxis)
	w.allocate()
	w.pick(0).pack(0, w.box(1), w.box(2)).ship(0)
	require.Empty(t, w.o.Payments, "what costs nothing is shipped without asking anybody")
	w.scan(0, "delivered", 0).scan(1, "delivered", 0)
	require.Equal(t, order.Completed, w.o.Status)
	require.True(t, w.o.Settled)
}

func TestHeldPlacement(t *testing.T) {
	p := readme()
	p.Total = 5000
	p.Holds = []order.PlacedHold{{Reason: order.HoldTotalsDiffer, Detail: "the channel says 50.00, its lines come to 48.28"}}
	require.NoError(t, p.Validate("sandbox"), "it is taken in as it is")
	w := place(t, p)
	require.Equal(t, order.DecisionHeld, w.o.Decision)
	require.Equal(t, "on_hold", w.o.FulfillmentAxis)
	require.NotContains(t, w.steps(), "allocate", "nothing is released")
	w.answers(payment.Authorize)
	require.Empty(t, w.steps(), "nor when it is paid for")
	w.allocate()
	require.Equal(t, order.Received, w.o.Status)
	require.Equal(t, order.WaitingOperator, w.o.WaitingFor)
	require.NoError(t, w.cancel())
	w.settle()
	require.True(t, w.o.Settled)
}

// What the channel says is not paid is not asked for: an operator finds out.
func TestAPlacementThatIsNotPaid(t *testing.T) {
	p := readme()
	p.Holds = []order.PlacedHold{{Reason: order.HoldAwaitingPayment, Detail: "the channel says: pending"}}
	w := place(t, p)
	require.Empty(t, w.o.Payments)
	require.Equal(t, order.WaitingPayment, w.o.WaitingFor)
	require.NoError(t, w.resume())
	require.Nil(t, w.o.Deadline, "nothing ends it but an answer")
	require.NoError(t, w.pay("tok_2"))
	w.answers(payment.Authorize)
	require.Equal(t, []string{"allocate"}, w.steps())
}

func TestTurnedAway(t *testing.T) {
	w := &world{t: t, now: morning, policy: order.DefaultPolicy(), placed: readme()}
	act := w.act()
	o := order.Place(readme(), "ord_1", act)
	o.TurnAway([]inventory.Short{{LineID: o.Lines[0].ID, SKU: "TEE-M", Requested: 2, Available: 1, Known: true}}, act)
	w.save(o, act)
	require.Equal(t, order.Rejected, w.o.Status)
	require.Equal(t, order.DecisionShort, w.o.Decision)
	require.Equal(t, []fault.Shortage{{LineID: w.o.Lines[0].ID, SKU: "TEE-M", Requested: 2, Available: 1, Known: true}}, w.o.Shortages)
	require.Empty(t, w.o.Payments, "nobody was asked for money")
	require.True(t, w.o.Settled)
	require.Equal(t, []string{order.EventReceived, order.EventRejected}, w.types(0))
}

func TestNormalizeNumbersTheLines(t *testing.T) {
	p := order.Placement{Lines: []order.PlacedLine{{ExternalID: "a"}, {}, {ExternalID: "c"}, {}}}.Normalize()
	require.Equal(t, []string{"a", "2", "c", "4"}, externalIDs(p))
	require.Equal(t, order.OnShortageReject, p.OnShortage)
	require.Equal(t, p, p.Normalize(), "normalizing again changes nothing")
}

// A line without a name never takes the one that the caller gave to another.
func TestNormalizeTakesNoNameTwice(t *testing.T) {
	p := order.Placement{Lines: []order.PlacedLine{{ExternalID: "2"}, {}, {}, {ExternalID: "3"}}}.Normalize()
	seen := map[string]bool{}
	for _, name := range externalIDs(p) {
		require.False(t, seen[name], name)
		seen[name] = true
	}
	require.Equal(t, "2", p.Lines[0].ExternalID)
	require.Equal(t, "3", p.Lines[3].ExternalID)
	require.Equal(t, p, p.Normalize())
}

func externalIDs(p order.Placement) []string {
	var names []string
	for _, l := range p.Lines {
		names = append(names, l.ExternalID)
	}
	return names
}

func TestNormalizeLeavesTheCallersLinesAlone(t *testing.T) {
	lines := []order.PlacedLine{{SKU: "A"}}
	_ = order.Placement{Lines: lines}.Normalize()
	require.Empty(t, lines[0].ExternalID)
}

func TestTotals(t *testing.T) {
	for _, c := range []struct {
		name  string
		p     order.Placement
		total int64
	}{
		{"two tees with tax and shipping", readme(), 4828},
		{"prices that include tax", func() order.Placement {
			p := readme()
			p.PricesIncludeTax, p.Shipping.Tax = true, 80
			return p
		}(), 4498},
		{"tax on shipping", func() order.Placement {
			p := readme()
			p.Shipping.Tax = 44
			return p
		}(), 4872},
		{"5.00 off, then 15 %; 15 % off; shipping", func() order.Placement {
			p := readme() // 99.00 − 5.00 = 94.00, of which 15 % is 14.10
			p.Lines = []order.PlacedLine{{SKU: "A", Quantity: 1, UnitPrice: 9900, Discount: 500 + 1410},
				{SKU: "B", Quantity: 1, UnitPrice: 10000, Discount: 1500}}
			p.Shipping.Amount = 2200
			return p
		}(), 18690},
		{"an order discount", func() order.Placement {
			p := readme()
			p.Discount = 3998
			return p
		}(), 830},
		{"everything free", goods(order.PlacedLine{SKU: "A", Quantity: 1, UnitPrice: 100, Discount: 100}), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.p.Total = c.total
			p := c.p.Normalize()
			sum, err := p.Sum()
			require.NoError(t, err)
			require.Equal(t, c.total, sum)
			require.NoError(t, p.Validate("sandbox"))
		})
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name  string
		wrong func(*order.Placement)
		want  []string // pointer code
	}{
		{"an unknown currency", func(p *order.Placement) { p.Currency = "usd" }, []string{"/currency unknown_currency"}},
		{"an unknown country", func(p *order.Placement) { p.ShipTo.Country = "UK" }, []string{"/ship_to/country unknown_country"}},
		{"another policy for shortages", func(p *order.Placement) { p.OnShortage = "maybe" }, []string{"/on_shortage unknown_value"}},
		{"no lines", func(p *order.Placement) { p.Lines, p.Total = nil, 500 }, []string{"/lines too_few"}},
		{"a gateway that is not configured", func(p *order.Placement) { p.Payment.Gateway = "acme" }, []string{"/payment/gateway unknown_gateway"}},
		{"two lines of one name", func(p *order.Placement) {
			p.Lines = append(p.Lines, p.Lines[0])
			p.Total += 4328
		}, []string{"/lines/1/external_id duplicate"}},
		{"no quantity", func(p *order.Placement) { p.Lines[0].Quantity = 0 }, []string{"/lines/0/quantity out_of_range"}},
		{"a negative quantity", func(p *order.Placement) { p.Lines[0].Quantity = -1 }, []string{"/lines/0/quantity out_of_range"}},
		{"too large a quantity", func(p *order.Placement) { p.Lines[0].Quantity = 1_000_001 }, []string{"/lines/0/quantity out_of_range"}},
		{"a negative price", func(p *order.Placement) { p.Lines[0].UnitPrice = -1 }, []string{"/lines/0/unit_price out_of_range"}},
		{"a price beyond all bounds", func(p *order.Placement) { p.Lines[0].UnitPrice = money.Max }, []string{"/lines/0/unit_price out_of_range"}},
		{"a negative discount", func(p *order.Placement) { p.Lines[0].Discount = -1 }, []string{"/lines/0/discount out_of_range"}},
		{"more discount than goods", func(p *order.Placement) { p.Lines[0].Discount = 3999 }, []string{"/lines/0/discount out_of_range"}},
		{"a negative tax", func(p *order.Placement) { p.Lines[0].Tax = -1 }, []string{"/lines/0/tax out_of_range"}},
		{"a tax beyond all bounds", func(p *order.Placement) { p.Lines[0].Tax = money.Max + 1 }, []string{"/lines/0/tax out_of_range"}},
		{"a quantity and a tax of one line", func(p *order.Placement) { p.Lines[0].Quantity, p.Lines[0].Tax = 0, -1 },
			[]string{"/lines/0/tax out_of_range", "/lines/0/quantity out_of_range"}},
		{"negative shipping", func(p *order.Placement) { p.Shipping.Amount = -1 }, []string{"/shipping/amount out_of_range"}},
		{"negative tax on shipping", func(p *order.Placement) { p.Shipping.Tax = -1 }, []string{"/shipping/tax out_of_range"}},
		{"both wrong", func(p *order.Placement) { p.Shipping.Amount, p.Shipping.Tax = money.Max+1, money.Max+1 },
			[]string{"/shipping/amount out_of_range", "/shipping/tax out_of_range"}},
		{"a negative order discount", func(p *order.Placement) { p.Discount = -1 }, []string{"/discount out_of_range"}},
		{"more order discount than goods", func(p *order.Placement) { p.Discount = 3999 }, []string{"/discount out_of_range"}},
		{"a total that does not foot", func(p *order.Placement) { p.Total = 4800 }, []string{"/total total_mismatch"}},
		{"a sum beyond all bounds", func(p *order.Placement) {
			p.Lines = []order.PlacedLine{{ExternalID: "a", SKU: "A", Quantity: 1, UnitPrice: money.Max}, {ExternalID: "b", SKU: "B", Quantity: 1, UnitPrice: money.Max}}
		}, []string{"/lines out_of_range"}},
		{"everything at once", func(p *order.Placement) {
			p.Currency, p.ShipTo.Country, p.Lines[0].Tax, p.Shipping.Tax = "XXX", "XX", -1, -1
		}, []string{"/currency unknown_currency", "/ship_to/country unknown_country", "/lines/0/tax out_of_range", "/shipping/tax out_of_range"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := readme()
			c.wrong(&p)
			f := fault.As(p.Validate("sandbox", "external"))
			require.NotNil(t, f)
			require.Equal(t, fault.Invalid, f.Kind)
			var got []string
			for _, field := range f.Fields {
				got = append(got, field.Pointer+" "+field.Code)
				require.NotEmpty(t, field.Detail)
				require.NotContains(t, field.Detail, canary)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestAMismatchSaysByHowMuch(t *testing.T) {
	for total, want := range map[int64]string{
		4800: "the lines, tax, shipping and discounts come to 4828: total is 28 too low",
		4829: "the lines, tax, shipping and discounts come to 4828: total is 1 too high",
	} {
		p := readme()
		p.Total = total
		require.Equal(t, want, fault.As(p.Validate("sandbox")).Fields[0].Detail)
	}
}

// What a channel sent is taken in with holds, as long as it is an amount at all.
func TestAHeldTotalIsStillAnAmount(t *testing.T) {
	for _, total := range []int64{-1, money.Max + 1} {
		p := readme()
		p.Total, p.Holds = total, []order.PlacedHold{{Reason: order.HoldTotalsDiffer, Detail: "they differ"}}
		f := fault.As(p.Validate("sandbox"))
		require.NotNil(t, f, total)
		require.Equal(t, "/total", f.Fields[0].Pointer)
	}
}

// placements foot, whatever they are made of.
var placements = rapid.Custom(func(t *rapid.T) order.Placement {
	p := readme()
	p.Lines, p.PricesIncludeTax = nil, rapid.Bool().Draw(t, "prices include tax")
	var net int64
	for i := range rapid.IntRange(1, 4).Draw(t, "lines") {
		l := order.PlacedLine{SKU: rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "sku"), ExternalID: fmt.Sprint("x", i),
			Quantity:  rapid.OneOf(rapid.Int64Range(1, 7), rapid.Int64Range(1, 1000)).Draw(t, "quantity"),
			UnitPrice: rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 20000)).Draw(t, "price"),
			Tax:       rapid.Int64Range(0, 3000).Draw(t, "tax")}
		l.Discount = rapid.Int64Range(0, l.UnitPrice*l.Quantity).Draw(t, "discount")
		net += l.UnitPrice*l.Quantity - l.Discount
		p.Lines = append(p.Lines, l)
	}
	p.Discount = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, net)).Draw(t, "order discount")
	p.Shipping.Amount = rapid.Int64Range(0, 2000).Draw(t, "shipping")
	p.Shipping.Tax = rapid.Int64Range(0, 300).Draw(t, "shipping tax")
	return footed(p)
})

func TestWhatFootsIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := placements.Draw(t, "placement")
		require.NoError(t, p.Validate("sandbox"))
		require.GreaterOrEqual(t, p.Total, int64(0))
		p.Total += rapid.Int64Range(1, 1000).Draw(t, "off")
		require.Equal(t, "total_mismatch", fault.As(p.Validate("sandbox")).Fields[0].Code)
	})
}
