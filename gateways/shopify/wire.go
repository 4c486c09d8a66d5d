package shopify

import (
	"encoding/json"
	"reflect"
)

// wireOrder is what is read of Shopify's order. Amounts and ids stay text until they are needed, so that no float
// comes near them. Optional parts are null, empty or absent, depending on the age of the order and of the API.
type wireOrder struct {
	ID                text           `json:"id"`
	Name              text           `json:"name"`
	OrderNumber       text           `json:"order_number"`
	Test              bool           `json:"test"`
	Currency          text           `json:"currency"`
	FinancialStatus   text           `json:"financial_status"`
	FulfillmentStatus text           `json:"fulfillment_status"`
	CancelledAt       text           `json:"cancelled_at"`
	CancelReason      text           `json:"cancel_reason"`
	ClosedAt          text           `json:"closed_at"`
	Email             text           `json:"email"`
	ContactEmail      text           `json:"contact_email"`
	TaxesIncluded     bool           `json:"taxes_included"`
	TotalPrice        text           `json:"total_price"`
	CurrentTotal      text           `json:"current_total_price"`
	Subtotal          text           `json:"subtotal_price"`
	LineItemsTotal    text           `json:"total_line_items_price"`
	TotalTax          text           `json:"total_tax"`
	TotalDiscounts    text           `json:"total_discounts"`
	TotalTip          text           `json:"total_tip_received"`
	Outstanding       text           `json:"total_outstanding"`
	ShippingTotal     *wireSet       `json:"total_shipping_price_set"`
	DutiesTotal       *wireSet       `json:"original_total_duties_set"`
	TaxLines          []wirePrice    `json:"tax_lines"`
	LineItems         []wireLine     `json:"line_items"`
	ShippingLines     []wireShipping `json:"shipping_lines"`
	ShippingAddress   *wireAddress   `json:"shipping_address"`
	Customer          *wireCustomer  `json:"customer"`
	Refunds           []wireRefund   `json:"refunds"`
}

type wireLine struct {
	ID               text         `json:"id"`
	VariantID        text         `json:"variant_id"`
	SKU              text         `json:"sku"`
	Title            text         `json:"title"`
	Name             text         `json:"name"` // title and variant together
	Quantity         text         `json:"quantity"`
	CurrentQuantity  text         `json:"current_quantity"` // after edits and refunds
	Price            text         `json:"price"`
	TotalDiscount    text         `json:"total_discount"`
	RequiresShipping *bool        `json:"requires_shipping"`
	GiftCard         bool         `json:"gift_card"`
	Taxable          *bool        `json:"taxable"`
	TaxLines         []wirePrice  `json:"tax_lines"`
	Allocations      []wireAmount `json:"discount_allocations"`
}

type wireShipping struct {
	Code            text         `json:"code"`
	Title           text         `json:"title"`
	Price           text         `json:"price"`
	DiscountedPrice text         `json:"discounted_price"`
	Removed         bool         `json:"is_removed"`
	TaxLines        []wirePrice  `json:"tax_lines"`
	Allocations     []wireAmount `json:"discount_allocations"`
}

type wireAddress struct {
	Name         text `json:"name"`
	FirstName    text `json:"first_name"`
	LastName     text `json:"last_name"`
	Company      text `json:"company"`
	Address1     text `json:"address1"`
	Address2     text `json:"address2"`
	City         text `json:"city"`
	Province     text `json:"province"`
	ProvinceCode text `json:"province_code"`
	Zip          text `json:"zip"`
	Country      text `json:"country"`
	CountryCode  text `json:"country_code"`
}

type wireCustomer struct {
	ID        text `json:"id"`
	FirstName text `json:"first_name"`
	LastName  text `json:"last_name"`
	Email     text `json:"email"`
}

type wireRefund struct {
	Transactions []wireTransaction `json:"transactions"`
}

type wireTransaction struct {
	Kind   text `json:"kind"`
	Status text `json:"status"`
	Amount text `json:"amount"`
}

type wirePrice struct {
	Price text `json:"price"`
}

type wireAmount struct {
	Amount text `json:"amount"`
}

// wireSet is an amount in the shop's currency, which the order's other amounts are in, and in the customer's.
type wireSet struct {
	ShopMoney struct {
		Amount   text `json:"amount"`
		Currency text `json:"currency_code"`
	} `json:"shop_money"`
}

// text is a string or a number, as it was written; null is empty.
type text string

// UnmarshalJSON fails as encoding/json itself does, so that the error comes to carry the field's path.
func (t *text) UnmarshalJSON(b []byte) error {
	var kind string
	switch b[0] {
	case 'n':
		*t = ""
		return nil
	case '"':
		return json.Unmarshal(b, (*string)(t))
	case '{':
		kind = "object"
	case '[':
		kind = "array"
	case 't', 'f':
		kind = "bool"
	default:
		*t = text(b)
		return nil
	}
	return &json.UnmarshalTypeError{Value: kind, Type: reflect.TypeFor[text]()}
}
