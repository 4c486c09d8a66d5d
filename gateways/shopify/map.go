package shopify

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/order"
)

const (
	// Channel is where the orders come from.
	Channel = "shopify"
	// gateway is where their payments live: anywhere but here.
	gateway = "external"
)

// Reading is what one order of Shopify comes to.
type Reading struct {
	Name       string // as people know it there: "#1001"
	ExternalID string // Shopify's id
	Financial  string // Shopify's financial_status
	Total      string // Shopify's total_price, with its currency
	Skip       string // why it is not to be taken in; empty when it is
	Notes      []string
	Placement  order.Placement // valid, unless it is skipped
}

// IdempotencyKey is the same whenever, and from whatever file, the order is imported.
func (r Reading) IdempotencyKey() string { return "import/shopify/" + r.ExternalID }

// Map reads one order. The error is an Invalid or Malformed fault that names every field that cannot be read; the
// reading then still says which order it is, as far as that is known.
func Map(raw json.RawMessage) (Reading, error) {
	var w wireOrder
	if err := json.Unmarshal(raw, &w); err != nil {
		return identity(raw), unreadableOrder(err)
	}
	d := &draft{wire: &w, Reading: Reading{Name: w.name(), ExternalID: digits(w.ID), Financial: shorten(clean(w.FinancialStatus), orderMax),
		Total: shorten(clean(w.TotalPrice+" "+w.Currency), orderMax)}}
	if d.ExternalID == "" {
		d.wrong.Add("/id", "required", "the order has no id")
	}
	if len(w.LineItems) == 0 {
		d.wrong.Add("/line_items", "too_few", "the order has no line items")
	}
	if n := max(len(w.LineItems), len(w.ShippingLines)); n > linesMax {
		d.wrong.Add("/line_items", "too_many", "the order has %d lines of a kind: at most %d can be taken in", n, linesMax)
	}
	if d.wrong != nil {
		return d.Reading, d.wrong.Err()
	}
	if d.Skip = w.skip(); d.Skip != "" {
		return d.Reading, nil
	}
	return d.Reading, d.fill()
}

// draft is a reading while it is made.
type draft struct {
	Reading
	wire      *wireOrder
	placement order.Placement
	wrong     fault.Fields // what cannot be read
	differs   []string     // what does not add up
}

// fill makes the placement. The order of the holds is the order in which somebody would look into them.
func (d *draft) fill() error {
	w, p := d.wire, &d.placement
	p.ExternalID, p.Channel, p.Test = d.ExternalID, Channel, w.Test
	p.Currency, p.PricesIncludeTax = strings.ToUpper(clean(w.Currency)), w.TaxesIncluded
	if _, ok := money.Exponent(p.Currency); !ok {
		d.wrong.Add("/currency", "unknown_currency", "%q is not a currency code of ISO 4217", shorten(p.Currency, orderMax))
		return d.wrong.Err()
	}
	d.customer()
	d.lines()
	d.shipping()
	d.discount()
	p.Total = d.required("/total_price", w.TotalPrice)
	if p.Total < 0 {
		d.ignore("total_price", &p.Total)
	}
	d.payment()
	d.foot()
	d.address()
	d.changes()
	if d.wrong != nil {
		return d.wrong.Err()
	}
	d.Placement = p.Normalize()
	return d.Placement.Validate(gateway)
}

func (d *draft) customer() {
	w, c := d.wire, &d.placement.Customer
	email := firstOf(w.Email, w.ContactEmail)
	if w.Customer != nil {
		c.ID = digits(w.Customer.ID)
		c.Name = shorten(clean(w.Customer.FirstName+" "+w.Customer.LastName), nameMax)
		if email == "" {
			email = clean(w.Customer.Email)
		}
	}
	if long(email, emailMax) {
		d.note("the customer's email address is longer than %d characters and was left out", emailMax)
		email = ""
	}
	c.Email = email
}

// skip says why an order is nothing for us to do, or is empty.
func (w *wireOrder) skip() string {
	var why []string
	if w.Test {
		why = append(why, "it is a test order")
	}
	if at := clean(w.CancelledAt); at != "" {
		why = append(why, "it was cancelled on "+day(at)+because(w.CancelReason))
	}
	switch clean(w.FinancialStatus) {
	case "voided":
		why = append(why, "its payment was voided")
	case "refunded":
		why = append(why, "its payment was refunded in full")
	}
	switch clean(w.FulfillmentStatus) {
	case "fulfilled":
		why = append(why, "it was fulfilled already")
	case "restocked":
		why = append(why, "its goods were restocked")
	}
	ships := false
	for _, l := range w.LineItems {
		ships = ships || l.ships()
	}
	if !ships {
		why = append(why, "nothing in it is to be shipped")
	}
	return join(why, "and")
}

func (l *wireLine) ships() bool {
	if l.RequiresShipping == nil {
		return !l.GiftCard
	}
	return *l.RequiresShipping
}

// name is what people call the order in the channel, or empty.
func (w *wireOrder) name() string {
	name := clean(w.Name)
	if name == "" && clean(w.OrderNumber) != "" {
		name = "#" + clean(w.OrderNumber)
	}
	return shorten(name, orderMax)
}

// identity finds out which order it is that cannot be read.
func identity(raw json.RawMessage) Reading {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return Reading{}
	}
	get := func(member string) (t text) {
		if v := members[member]; v == nil || json.Unmarshal(v, &t) != nil {
			return ""
		}
		return t
	}
	w := wireOrder{Name: get("name"), OrderNumber: get("order_number")}
	return Reading{Name: w.name(), ExternalID: digits(get("id")), Financial: shorten(clean(get("financial_status")), orderMax)}
}

func unreadableOrder(err error) error {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) || kind.Field == "" {
		return fault.New(fault.Malformed, "malformed", "it is not an order as Shopify writes one")
	}
	var wrong fault.Fields
	wrong.Add("/"+strings.ReplaceAll(kind.Field, ".", "/"), "wrong_type", "a value of the JSON type %s does not belong there", kind.Value)
	return wrong.Err()
}

func (d *draft) hold(reason, detail string) {
	d.placement.Holds = append(d.placement.Holds, order.PlacedHold{Reason: reason, Detail: shorten(detail, detailMax)})
}

// day is the date of a time as Shopify writes it.
func day(at string) string {
	date, _, _ := strings.Cut(at, "T")
	return shorten(date, orderMax)
}

func because(reason text) string {
	if s := clean(reason); s != "" {
		return " (" + shorten(s, orderMax) + ")"
	}
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }
