package demo

import (
	"math/rand/v2"
	"strings"

	"github.com/waybill-oms/waybill/api/client"
)

// warehouse is a place that ships. The last ones by priority, so that nobody else's goods are asked for here first.
type warehouse struct{ id, name, country string }

var warehouses = []warehouse{
	{"demo-reno", "Reno, Nevada", "US"},
	{"demo-newark", "Newark, New Jersey", "US"},
	{"demo-leipzig", "Leipzig", "DE"},
}

// good is something that is sold. Its warehouse is the only one that has it, unless a scenario says otherwise.
type good struct {
	sku       string
	cents     int64 // of a US dollar
	grams     int64
	warehouse int
}

var goods = []good{
	{"TEE-NAVY-M", 1999, 180, 0},
	{"TEE-SAND-L", 1999, 190, 0},
	{"HOODIE-GREY-M", 5450, 620, 0},
	{"CAP-OLIVE", 2495, 110, 0},
	{"MUG-SPECKLED", 1480, 390, 1},
	{"TEAPOT-CAST-IRON", 7900, 1450, 1},
	{"PLATE-STONE-27", 1850, 640, 1},
	{"KNIFE-CHEF-20", 11900, 260, 1},
	{"LAMP-OAK-DESK", 8925, 1900, 2},
	{"NOTEBOOK-A5-DOT", 1299, 310, 2},
	{"PEN-BRASS", 3440, 45, 2},
	{"BACKPACK-22L", 12900, 980, 2},
}

// market is where customers live and what they pay in.
type market struct {
	currency, country string
	decimals          int
	rate              int64 // minor units for 100 cents
	tax               int64 // percent
	included          bool  // the prices have it inside
	cities            []city
}

type city struct {
	name, region, postal string
	streets              []string
}

var markets = []market{
	{"USD", "US", 2, 100, 8, false, []city{
		{"Portland", "OR", "97205", []string{"1420 SW Alder St", "815 NW 23rd Ave"}},
		{"Madison", "WI", "53703", []string{"302 E Gorham St", "119 King St"}},
		{"Savannah", "GA", "31401", []string{"48 Whitaker St", "607 Drayton St"}},
		{"Santa Fe", "NM", "87501", []string{"211 Galisteo St", "530 Canyon Rd"}}}},
	{"EUR", "DE", 2, 92, 19, true, []city{
		{"Freiburg", "BW", "79098", []string{"Konviktstraße 12", "Gerberau 31"}},
		{"Bremen", "HB", "28203", []string{"Ostertorsteinweg 77", "Fedelhören 8"}}}},
	{"GBP", "GB", 2, 79, 20, true, []city{
		{"Bristol", "", "BS8 4EJ", []string{"14 Regent Street", "3 Boyces Avenue"}},
		{"Edinburgh", "", "EH3 6RH", []string{"27 St Stephen Street", "62 Raeburn Place"}}}},
	{"JPY", "JP", 0, 150, 10, false, []city{
		{"Kanazawa", "17", "920-0902", []string{"Owaricho 1-4-5", "Hashibacho 3-2"}},
		{"Matsumoto", "20", "390-0874", []string{"Ote 4-10-13", "Nakamachi 2-5"}}}},
}

// decimals is how many digits a currency of the demo has after the point.
func decimals(currency string) int {
	for _, m := range markets {
		if m.currency == currency {
			return m.decimals
		}
	}
	return 0
}

// Nobody in particular.
var (
	firstNames = []string{"Amara", "Bjarne", "Carmen", "Dilip", "Edda", "Farid", "Greta", "Hiroshi", "Ines", "Jonas", "Keiko", "Liam",
		"Mireille", "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Sanjay", "Thea", "Ulrike", "Viktor", "Wanda", "Yusuf", "Zoe"}
	lastNames = []string{"Abernathy", "Bergstrom", "Castellano", "Dubois", "Ekholm", "Fairweather", "Grunwald", "Hashimoto", "Ivanova",
		"Jankowski", "Kowalczyk", "Lindqvist", "Marchetti", "Nakagawa", "Okonkwo", "Petrov", "Quiroga", "Rasmussen", "Sandoval",
		"Thornbury", "Umarov", "Venkataraman", "Whitlock", "Yamazaki", "Zielinski"}
)

func one[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// somebody is a customer with an address in a market.
func somebody(r *rand.Rand, m market) (client.Customer, client.Address) {
	first, last := one(r, firstNames), one(r, lastNames)
	id := strings.ToLower(first + "." + last)
	c := one(r, m.cities)
	return client.Customer{ID: id, Name: first + " " + last, Email: id + "@example.com"},
		client.Address{Name: first + " " + last, Line1: one(r, c.streets), City: c.name, Region: c.region, PostalCode: c.postal, Country: m.country}
}

// basket is an order as a checkout sends it, but for its lines.
func basket(r *rand.Rand) (client.OrderRequest, market) {
	m := markets[max(r.IntN(8)-4, 0)] // most pay in dollars
	customer, address := somebody(r, m)
	return client.OrderRequest{
		Channel: one(r, []string{"web", "web", "app", "phone"}), Currency: m.currency, PricesIncludeTax: m.included,
		Customer: customer, ShipTo: address,
		Shipping: client.OrderRequestShipping{Service: "standard", Amount: one(r, []int64{0, 490, 750}) * m.rate / 100},
		Payment:  client.PaymentRequest{Gateway: "sandbox", Token: "tok_ok"},
	}, m
}

// line is some units of a good, priced for a market: now and then with a discount, always with its tax.
func line(r *rand.Rand, m market, g good, sku string, quantity int64) client.OrderRequestLine {
	l := client.OrderRequestLine{SKU: sku, Quantity: quantity, UnitPrice: g.cents * m.rate / 100}
	gross := l.UnitPrice * quantity
	if r.IntN(4) == 0 {
		l.Discount = gross / 10
	}
	if l.Tax = (gross - l.Discount) * m.tax / 100; m.included {
		l.Tax = (gross - l.Discount) * m.tax / (100 + m.tax)
	}
	return l
}

// foot writes the total under an order.
func foot(o *client.OrderRequest) {
	o.Total = o.Shipping.Amount - o.Discount
	for _, l := range o.Lines {
		o.Total += l.UnitPrice*l.Quantity - l.Discount
		if !o.PricesIncludeTax {
			o.Total += l.Tax
		}
	}
}
