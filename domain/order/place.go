package order

import (
	"slices"
	"strconv"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// Decision is the answer to placing an order. It is given once; what happens later is in the status.
type Decision string

const (
	Undecided       Decision = ""
	DecisionAccept  Decision = "accepted"
	DecisionShort   Decision = "out_of_stock"
	DecisionDecline Decision = "declined"
	DecisionAction  Decision = "action_required"
	DecisionHeld    Decision = "held" // taken in, waiting for somebody's answer to a hold
)

// What becomes of an order when units of it are short.
const (
	OnShortageReject    = "reject"    // it is turned away
	OnShortageBackorder = "backorder" // what there is ships, the rest waits for stock
	OnShortagePartial   = "partial"   // what there is ships, the rest is cancelled
)

// priorityMax bounds the priority of an order. Higher is served first from stock that arrives.
const priorityMax = 9

// earliestPromise: a time before it is a mistake, such as a Unix time of zero, and would stand first in the queue.
var earliestPromise = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// quantityMax bounds the units of one line, in an order and in whatever is said of it later.
const quantityMax = 1_000_000

// Placement is an order as a checkout sends it. Amounts are minor units of Currency; a line's Discount and Tax are
// for the whole line.
type Placement struct {
	ExternalID       string           `json:"external_id"`
	Channel          string           `json:"channel"`
	Currency         string           `json:"currency"`
	PricesIncludeTax bool             `json:"prices_include_tax"`
	Test             bool             `json:"test"`
	OnShortage       string           `json:"on_shortage"`
	Priority         int              `json:"priority"`
	PromisedAt       *time.Time       `json:"promised_at"` // what the customer was told, if anything
	Customer         Customer         `json:"customer"`
	ShipTo           shipping.Address `json:"ship_to"`
	Lines            []PlacedLine     `json:"lines"`
	Shipping         PlacedShipping   `json:"shipping"`
	Discount         int64            `json:"discount"`
	Payment          PlacedPayment    `json:"payment"`
	Total            int64            `json:"total"`
	Holds            []PlacedHold     `json:"-"` // what an import found wrong; a checkout cannot send any
}

// PlacedLine is one line of a Placement.
type PlacedLine struct {
	ExternalID string `json:"external_id"`
	SKU        string `json:"sku"`
	Quantity   int64  `json:"quantity"`
	UnitPrice  int64  `json:"unit_price"`
	Discount   int64  `json:"discount"`
	Tax        int64  `json:"tax"`
	FinalSale  bool   `json:"final_sale"` // cannot be returned
}

// PlacedShipping is what the customer pays for shipping.
type PlacedShipping struct {
	Service string `json:"service"`
	Amount  int64  `json:"amount"`
	Tax     int64  `json:"tax"`
}

// PlacedPayment is what the customer pays with.
type PlacedPayment struct {
	Gateway string `json:"gateway"`
	Token   string `json:"token"`
}

// PlacedHold is a hold that the order starts with. It blocks everything until an operator answers.
type PlacedHold struct {
	Reason string
	Detail string
}

// Normalize fills in what may be left out.
func (p Placement) Normalize() Placement {
	if p.OnShortage == "" {
		p.OnShortage = OnShortageReject
	}
	taken := make(map[string]bool, len(p.Lines))
	for _, l := range p.Lines {
		taken[l.ExternalID] = true
	}
	lines := append([]PlacedLine(nil), p.Lines...)
	for i := range lines {
		for n := i + 1; lines[i].ExternalID == ""; n++ {
			if name := strconv.Itoa(n); !taken[name] {
				lines[i].ExternalID, taken[name] = name, true
			}
		}
	}
	p.Lines = lines
	return p
}

// Sum is what the placement's own amounts come to.
func (p Placement) Sum() (int64, error) {
	total := p.Shipping.Amount - p.Discount
	if !p.PricesIncludeTax {
		total += p.Shipping.Tax
	}
	for _, l := range p.Lines {
		goods, err := money.Mul(l.UnitPrice, l.Quantity)
		if err != nil {
			return 0, err
		}
		total += goods - l.Discount
		if !p.PricesIncludeTax {
			total += l.Tax
		}
		if total > money.Max {
			return 0, money.ErrOverflow
		}
	}
	return total, nil
}

// Validate reports every wrong field at once, as an Invalid fault. Shape and limits of text are the contract's.
func (p Placement) Validate(gateways ...string) error {
	var wrong fault.Fields
	p.validateFields(&wrong, gateways)
	p.validateAmounts(&wrong)
	return wrong.Err()
}

func (p Placement) validateFields(wrong *fault.Fields, gateways []string) {
	if _, ok := money.Exponent(p.Currency); !ok {
		wrong.Add("/currency", "unknown_currency", "not an ISO 4217 currency code")
	}
	if !shipping.KnownCountry(p.ShipTo.Country) && len(p.Holds) == 0 {
		wrong.Add("/ship_to/country", "unknown_country", "not an ISO 3166-1 alpha-2 country code")
	}
	if !slices.Contains([]string{OnShortageReject, OnShortageBackorder, OnShortagePartial}, p.OnShortage) {
		wrong.Add("/on_shortage", "unknown_value", "reject, backorder or partial")
	}
	if p.Priority < 0 || p.Priority > priorityMax {
		wrong.Add("/priority", "out_of_range", "a priority is from 0 to %d", priorityMax)
	}
	if p.PromisedAt != nil && p.PromisedAt.Before(earliestPromise) {
		wrong.Add("/promised_at", "out_of_range", "a promise is not from before 2000")
	}
	if len(p.Lines) == 0 {
		wrong.Add("/lines", "too_few", "an order has at least one line")
	}
	known := false
	for _, g := range gateways {
		known = known || g == p.Payment.Gateway
	}
	if !known {
		wrong.Add("/payment/gateway", "unknown_gateway", "no such payment gateway is configured")
	}
	seen := map[string]int{}
	for i, l := range p.Lines {
		if first, twice := seen[l.ExternalID]; twice {
			wrong.Add(pointer("lines", i, "external_id"), "duplicate", "the same external_id as line %d", first)
		}
		seen[l.ExternalID] = i
	}
}

func (p Placement) validateAmounts(wrong *fault.Fields) {
	before := len(*wrong)
	var net int64
	for i, l := range p.Lines {
		if l.Tax < 0 || l.Tax > money.Max {
			wrong.Add(pointer("lines", i, "tax"), "out_of_range", "a tax is 0 or more")
		}
		goods, err := money.Mul(l.UnitPrice, l.Quantity)
		switch {
		case l.Quantity < 1 || l.Quantity > quantityMax:
			wrong.Add(pointer("lines", i, "quantity"), "out_of_range", "a quantity is from 1 to %d", quantityMax)
		case err != nil:
			wrong.Add(pointer("lines", i, "unit_price"), "out_of_range", "unit_price × quantity is out of range")
		case l.Discount < 0 || l.Discount > goods:
			wrong.Add(pointer("lines", i, "discount"), "out_of_range", "a line's discount is from 0 to unit_price × quantity")
		default:
			net += goods - l.Discount
		}
	}
	if p.Shipping.Amount < 0 || p.Shipping.Amount > money.Max {
		wrong.Add("/shipping/amount", "out_of_range", "shipping amounts are 0 or more")
	}
	if p.Shipping.Tax < 0 || p.Shipping.Tax > money.Max {
		wrong.Add("/shipping/tax", "out_of_range", "shipping amounts are 0 or more")
	}
	if len(*wrong) > before {
		return
	}
	if p.Discount < 0 || p.Discount > net {
		wrong.Add("/discount", "out_of_range", "the order's discount is from 0 to what its lines come to (%d)", net)
		return
	}
	p.validateTotal(wrong)
}

// validateTotal lets a placement with holds pass: what does not foot is taken in, and the hold names the difference.
func (p Placement) validateTotal(wrong *fault.Fields) {
	sum, err := p.Sum()
	switch {
	case err != nil:
		wrong.Add("/lines", "out_of_range", "the sum of the lines is out of range")
	case sum != p.Total && len(p.Holds) == 0:
		direction, by := "too high", p.Total-sum
		if by < 0 {
			direction, by = "too low", -by
		}
		wrong.Add("/total", "total_mismatch", "the lines, tax, shipping and discounts come to %d: total is %d %s",
			sum, by, direction)
	case p.Total < 0 || p.Total > money.Max:
		wrong.Add("/total", "out_of_range", "a total is 0 or more")
	}
}

func pointer(collection string, i int, field string) string {
	return "/" + collection + "/" + strconv.Itoa(i) + "/" + field
}

// Place makes an order of a valid, normalized placement. Its payment is asked for at once, unless there is
// nothing to pay or it is the payment that the order is held for. Any other hold blocks taking money, not knowing
// of it: what was paid elsewhere is paid, whatever else a person has to look into.
func Place(p Placement, orderID string, act Act) *Order {
	o := &Order{
		ID: orderID, ExternalID: p.ExternalID, Channel: p.Channel, Currency: p.Currency,
		PricesIncludeTax: p.PricesIncludeTax, Test: p.Test, OnShortage: p.OnShortage, Priority: p.Priority,
		PromisedAt: p.PromisedAt, PromiseGiven: p.PromisedAt != nil, ReturnPolicy: act.Policy.Returns,
		Customer: p.Customer, ShipTo: p.ShipTo,
		ShippingService: p.Shipping.Service, ShippingAmount: p.Shipping.Amount, ShippingTax: p.Shipping.Tax,
		Discount: p.Discount, Total: p.Total, Gateway: p.Payment.Gateway, Token: p.Payment.Token,
		Status: Received, CreatedAt: act.At, UpdatedAt: act.At,
	}
	for i, l := range p.Lines {
		o.Lines = append(o.Lines, Line{ID: act.NewID(id.Line), Position: i, ExternalID: l.ExternalID, SKU: l.SKU,
			Quantity: l.Quantity, UnitPrice: l.UnitPrice, Discount: l.Discount, Tax: l.Tax, FinalSale: l.FinalSale})
	}
	o.splitUnits()
	o.note(act, Event{Type: EventReceived, Amount: &p.Total})
	for _, h := range p.Holds {
		o.hold(act, Hold{Reason: h.Reason, Detail: h.Detail, Owner: OwnerOperator, Blocks: []string{BlockCapture, BlockRelease, BlockShip}})
		o.Decision = DecisionHeld
	}
	if o.Total > 0 && o.activeHold(HoldAwaitingPayment) == nil {
		o.ask(act, p.Payment.Gateway, p.Payment.Token, o.Total)
	}
	o.project(act)
	return o
}

// Placement gives back what the order was placed with, so that a repeated request can be compared with it.
func (o *Order) Placement() Placement {
	p := Placement{
		ExternalID: o.ExternalID, Channel: o.Channel, Currency: o.Currency, PricesIncludeTax: o.PricesIncludeTax,
		Test: o.Test, OnShortage: o.OnShortage, Priority: o.Priority, Customer: o.Customer, ShipTo: o.ShipTo,
		Shipping: PlacedShipping{Service: o.ShippingService, Amount: o.ShippingAmount, Tax: o.ShippingTax},
		Discount: o.Discount, Payment: PlacedPayment{Gateway: o.Gateway, Token: o.Token}, Total: o.Total,
	}
	if o.PromiseGiven {
		p.PromisedAt = o.PromisedAt
	}
	for _, l := range o.Lines {
		p.Lines = append(p.Lines, PlacedLine{ExternalID: l.ExternalID, SKU: l.SKU, Quantity: l.Quantity,
			UnitPrice: l.UnitPrice, Discount: l.Discount, Tax: l.Tax, FinalSale: l.FinalSale})
	}
	return p
}

// ask writes down a new payment and the operation that authorizes it.
func (o *Order) ask(act Act, gateway, token string, amount int64) *Payment {
	p := Payment{ID: act.NewID(id.Payment), Number: len(o.Payments) + 1, Gateway: gateway, Token: token,
		Amount: amount, Currency: o.Currency, Status: PaymentPending}
	o.Payments = append(o.Payments, p)
	o.begin(act, Operation{Kind: string(payment.Authorize), PaymentID: p.ID, Amount: amount})
	return &o.Payments[len(o.Payments)-1]
}
