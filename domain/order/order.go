package order

import (
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// Act is who does something, when, and on which request. Every decision takes one.
type Act struct {
	At        time.Time
	Actor     string // "api:<key id>", "workflow", "import", "carrier" …
	RequestID string
	NewID     id.Source
	Policy    Policy
}

// Policy is what the house decides. It is data: decisions read it, they do not know better.
type Policy struct {
	PaymentGrace   time.Duration // how long an order waits for a payment that works
	AttentionAfter time.Duration // how long a gateway may leave us in doubt before somebody is called
	AbandonAfter   time.Duration // longer than any request to a gateway can live
	RetryRefused   time.Duration // after which a refused void or refund is tried again; doubled each time, a day at most
	BackorderDate  time.Duration // what a backorder promises when nobody promised a date
	Returns        returns.Policy
}

// DefaultPolicy is what holds when nobody configured anything.
func DefaultPolicy() Policy {
	return Policy{PaymentGrace: 24 * time.Hour, AttentionAfter: 10 * time.Minute, AbandonAfter: 30 * time.Second,
		RetryRefused: time.Hour, BackorderDate: 30 * 24 * time.Hour, Returns: returns.Default()}
}

// Order is the aggregate. Amounts are minor units of Currency. Its JSON names are the names of the columns.
type Order struct {
	ID               string           `json:"id"`
	IdempotencyKey   string           `json:"idempotency_key"`
	ExternalID       string           `json:"external_id"`
	Channel          string           `json:"channel"`
	Currency         string           `json:"currency"`
	PricesIncludeTax bool             `json:"prices_include_tax"`
	Test             bool             `json:"test"`
	OnShortage       string           `json:"on_shortage"`
	Customer         Customer         `json:"customer"`
	ShipTo           shipping.Address `json:"ship_to"`
	ShippingService  string           `json:"shipping_service"`
	ShippingAmount   int64            `json:"shipping_amount"`
	ShippingTax      int64            `json:"shipping_tax"`
	Discount         int64            `json:"discount"`
	Total            int64            `json:"total"` // as placed; never changes
	Gateway          string           `json:"gateway"`
	Token            string           `json:"token"`
	Priority         int              `json:"priority"`      // higher is served first from stock that arrives
	ReturnPolicy     returns.Policy   `json:"return_policy"` // as promised when the order was placed

	Status           Status           `json:"status"`
	Decision         Decision         `json:"decision"` // the answer to placing; set once
	Shortages        []fault.Shortage `json:"shortages"`
	WaitingFor       WaitingFor       `json:"waiting_for"`
	WaitingUntil     *time.Time       `json:"waiting_until"`
	Deadline         *time.Time       `json:"deadline"` // when the run looks again by itself
	AttentionCode    string           `json:"attention_code"`
	AttentionDetail  string           `json:"attention_detail"`
	AttentionSince   *time.Time       `json:"attention_since"`
	PaymentAxis      string           `json:"payment_status"`
	FulfillmentAxis  string           `json:"fulfillment_status"`
	ReturnAxis       string           `json:"return_status"`
	PromisedAt       *time.Time       `json:"promised_at"`       // the first promise; never changes
	PromiseGiven     bool             `json:"promise_given"`     // by whoever placed the order; else it was made when units were backordered
	PromiseBroken    bool             `json:"promise_broken"`    // it passed, units still wait for stock, and a person was called
	Grantable        bool             `json:"grantable"`         // waits for stock, and may be given what arrives
	ShippingCredited int64            `json:"shipping_credited"` // of the shipping charge: what the customer no longer owes
	ShippingRefunded int64            `json:"shipping_refunded"` // and what of it was, or is being, given back
	Settled          bool             `json:"settled"`           // final, and nothing is left to be done or found out
	Version          int64            `json:"version"`           // one more with every change
	Sequence         int64            `json:"sequence"`          // number of the last event
	CreatedAt        time.Time        `json:"created_at"`
	UpdatedAt        time.Time        `json:"updated_at"`

	Lines        []Line        `json:"lines"`
	Holds        []Hold        `json:"holds"`
	Payments     []Payment     `json:"payments"`
	Operations   []Operation   `json:"operations"`
	Fulfillments []Fulfillment `json:"fulfillments"`
	Shipments    []Shipment    `json:"shipments"`
	Allocations  []Allocation  `json:"allocations"`
	ShortPicks   []ShortPick   `json:"short_picks"`
	Credits      []Credit      `json:"credits"`
	Refunds      []Refund      `json:"refunds"`
	Returns      []Return      `json:"returns"`

	effects Effects
}

// Customer is who ordered.
type Customer struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Line is one line of the order. Quantity never changes; what became of the units is in the counters:
// quantity = cancelled + open + (shipped − delivered − lost − undelivered) + delivered + lost + undelivered, and
// delivered + undelivered ≥ return_requested ≥ returned + dismissed.
type Line struct {
	ID              string `json:"id"`
	Position        int    `json:"position"`
	ExternalID      string `json:"external_id"`
	SKU             string `json:"sku"`
	Quantity        int64  `json:"quantity"`
	UnitPrice       int64  `json:"unit_price"`
	Discount        int64  `json:"discount"`       // for the whole line
	OrderDiscount   int64  `json:"order_discount"` // the line's share of the order's discount
	Tax             int64  `json:"tax"`            // for the whole line
	FinalSale       bool   `json:"final_sale"`     // cannot be returned
	Cancelled       int64  `json:"cancelled"`
	Backordered     int64  `json:"backordered"` // of the open ones: waiting for stock
	Shipped         int64  `json:"shipped"`     // handed to a carrier, ever
	Delivered       int64  `json:"delivered"`
	Lost            int64  `json:"lost"`
	Undelivered     int64  `json:"undelivered"`      // on their way back, or back, without having arrived
	ReturnRequested int64  `json:"return_requested"` // in a return that was not declined, cancelled or expired
	Returned        int64  `json:"returned"`         // received back
	Dismissed       int64  `json:"dismissed"`        // announced as coming back, and never came
	Credited        int64  `json:"credited"`         // what the customer no longer owes of the line
	Refunded        int64  `json:"refunded"`         // and what of it was, or is being, given back
	Units           []Band `json:"units"`
}

// Open is the number of units that are neither cancelled nor handed over.
func (l Line) Open() int64 { return l.Quantity - l.Cancelled - l.Shipped }

// Hold is a reason not to go on. An order may have several, and so may a fulfillment order.
type Hold struct {
	ID            string     `json:"id"`
	FulfillmentID string     `json:"fulfillment_id"` // what is held; empty for the whole order
	Reason        string     `json:"reason"`         // awaiting_payment, totals_differ …, see hold.go
	Detail        string     `json:"detail"`
	Owner         string     `json:"owner"`  // who is to answer: customer, operator
	Blocks        []string   `json:"blocks"` // capture, release, ship
	Deadline      *time.Time `json:"deadline"`
	OnDeadline    string     `json:"on_deadline"` // what happens when nobody answers: release, cancel, attention, expire
	PlacedAt      time.Time  `json:"placed_at"`
	ReleasedAt    *time.Time `json:"released_at"`
}

// Payment is one attempt to be paid and what became of it. The newest counts; older ones are voided.
type Payment struct {
	ID            string        `json:"id"`
	Number        int           `json:"number"`
	Gateway       string        `json:"gateway"`
	Token         string        `json:"token"`
	Amount        int64         `json:"amount"` // asked for
	Currency      string        `json:"currency"`
	Status        PaymentStatus `json:"status"`
	Reference     string        `json:"reference"` // the gateway's name of the hold
	CaptureBefore *time.Time    `json:"capture_before"`
	RefusalCode   string        `json:"refusal_code"`
	NextURL       string        `json:"next_url"`
	Unwanted      bool          `json:"unwanted"` // whatever it still holds, or comes to hold, is to be let go
	payment.Balances
}

// Operation is one request to a gateway or carrier, known by its business key and written down before it is
// sent. Key: authorize/<payment>, capture/<shipment>, void/<payment>, refund/<refund>, label/<shipment or return>,
// void_label/<shipment or return>, each with /<epoch> from the second epoch on, which only a refusal of the one
// before opens.
type Operation struct {
	Key        string        `json:"key"`
	Kind       string        `json:"kind"` // a payment.Kind or a shipping.Kind
	PaymentID  string        `json:"payment_id"`
	ShipmentID string        `json:"shipment_id"`
	ReturnID   string        `json:"return_id"` // the return that it serves, whose run performs it; else the order's does
	RefundID   string        `json:"refund_id"`
	Amount     int64         `json:"amount"` // asked for; 0 for labels
	Applied    int64         `json:"applied"`
	State      payment.State `json:"state"`
	Attempts   int           `json:"attempts"` // whose answers were lost
	Reference  string        `json:"reference"`
	Code       string        `json:"code"`
	Detail     string        `json:"detail"`
	RetryAt    *time.Time    `json:"retry_at"` // refused: when the next epoch is opened by itself
	CreatedAt  time.Time     `json:"created_at"`
	UpdatedAt  time.Time     `json:"updated_at"`
}

// Fulfillment is a fulfillment order: what one location is to pick, pack and ship.
type Fulfillment struct {
	ID         string            `json:"id"`
	Number     int               `json:"number"`
	LocationID string            `json:"location_id"`
	Status     FulfillmentStatus `json:"status"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
	Lines      []FulfillmentLine `json:"lines"`
}

// FulfillmentLine is the units [FirstUnit, FirstUnit+Quantity) of an order line, less those of them that were
// cancelled or not found: see Order.Credits and Order.ShortPicks for which. A line may have several.
type FulfillmentLine struct {
	LineID    string `json:"line_id"`
	SKU       string `json:"sku"`
	FirstUnit int64  `json:"first_unit"`
	Quantity  int64  `json:"quantity"` // as it was opened; never changes
	Cancelled int64  `json:"cancelled"`
	Short     int64  `json:"short"` // not found by the picker
	Picked    int64  `json:"picked"`
	Packed    int64  `json:"packed"`
	Shipped   int64  `json:"shipped"`
}

// Shipment is one parcel.
type Shipment struct {
	ID              string            `json:"id"`
	FulfillmentID   string            `json:"fulfillment_id"`
	Number          int               `json:"number"`
	Status          ShipmentStatus    `json:"status"`
	TrackingStatus  shipping.Tracking `json:"tracking_status"`
	TrackingAt      *time.Time        `json:"tracking_at"`
	Carrier         string            `json:"carrier"`
	TrackingNumber  string            `json:"tracking_number"`
	LabelReference  string            `json:"label_reference"`
	WeightGrams     int64             `json:"weight_grams"`
	ShipRequested   bool              `json:"ship_requested"` // asked to ship, waiting for its capture
	CarriesShipping bool              `json:"carries_shipping"`
	Amount          int64             `json:"amount"` // what its units, and perhaps the shipping, are worth
	HandedOverAt    *time.Time        `json:"handed_over_at"`
	FirstScanAt     *time.Time        `json:"first_scan_at"`
	DeliveredAt     *time.Time        `json:"delivered_at"`
	Acknowledged    bool              `json:"acknowledged"` // somebody looked at its trouble and resumed the order
	CreatedAt       time.Time         `json:"created_at"`
	Lines           []ShipmentLine    `json:"lines"`
}

// ShipmentLine is the units [FirstUnit, FirstUnit+Quantity) of an order line in one parcel.
type ShipmentLine struct {
	LineID    string `json:"line_id"`
	SKU       string `json:"sku"`
	FirstUnit int64  `json:"first_unit"`
	Quantity  int64  `json:"quantity"`
}

// Allocation is stock committed to a line. It closes exactly once, unit by unit: released or consumed.
type Allocation struct {
	ID            string    `json:"id"`
	LineID        string    `json:"line_id"`
	Generation    int       `json:"generation"`
	FulfillmentID string    `json:"fulfillment_id"`
	LocationID    string    `json:"location_id"`
	SKU           string    `json:"sku"`
	Quantity      int64     `json:"quantity"`
	Released      int64     `json:"released"`
	Consumed      int64     `json:"consumed"`
	CreatedAt     time.Time `json:"created_at"`
}

// Live is the number of units that the allocation still commits.
func (a Allocation) Live() int64 { return a.Quantity - a.Released - a.Consumed }

// ShortPick is units that a picker was to take and did not find, or not fit for sale.
type ShortPick struct {
	ID            string    `json:"id"`
	FulfillmentID string    `json:"fulfillment_id"`
	LineID        string    `json:"line_id"`
	SKU           string    `json:"sku"`
	LocationID    string    `json:"location_id"`
	FirstUnit     int64     `json:"first_unit"`
	Quantity      int64     `json:"quantity"`
	Reason        string    `json:"reason"`  // stockout, damaged, could_not_locate, expired
	Decided       bool      `json:"decided"` // a remedy was found: another location, a backorder, or cancelled
	At            time.Time `json:"at"`
}

// Credit is units, or shipping, that the customer no longer owes, and why. It is append-only; what was already
// taken for them is given back by a Refund. A unit is never credited with more than it is worth, whatever happens
// to it one after the other.
type Credit struct {
	ID         string    `json:"id"`
	Cause      string    `json:"cause"`   // cancelled, lost, returned, shipping
	LineID     string    `json:"line_id"` // empty: shipping
	FirstUnit  int64     `json:"first_unit"`
	Quantity   int64     `json:"quantity"`
	Amount     int64     `json:"amount"`
	ShipmentID string    `json:"shipment_id"`
	ReturnID   string    `json:"return_id"`
	Reason     string    `json:"reason"`
	At         time.Time `json:"at"`
}

// Refund is money to be given back on one payment. It reserves its amount from the moment it is written down, and
// counts as refunded only when the gateway has done it.
type Refund struct {
	ID         string       `json:"id"`
	Number     int          `json:"number"`
	PaymentID  string       `json:"payment_id"`
	Cause      string       `json:"cause"` // cancelled, lost, returned, excess
	ShipmentID string       `json:"shipment_id"`
	ReturnID   string       `json:"return_id"`
	Amount     int64        `json:"amount"`   // what its lines, Shipping and Excess add up to
	Shipping   int64        `json:"shipping"` // of the shipping charge
	Excess     int64        `json:"excess"`   // taken without ever having been owed
	Status     RefundStatus `json:"status"`
	CreatedAt  time.Time    `json:"created_at"`
	SettledAt  *time.Time   `json:"settled_at"`
	Lines      []RefundLine `json:"lines"`
}

// RefundLine is what a refund gives back for units of one line.
type RefundLine struct {
	LineID   string `json:"line_id"`
	Quantity int64  `json:"quantity"`
	Amount   int64  `json:"amount"`
}

// Return is goods that are to come back, or came.
type Return struct {
	ID              string            `json:"id"`
	Number          int               `json:"number"`
	Status          returns.Status    `json:"status"`
	Origin          string            `json:"origin"` // customer, carrier
	DeclineReason   string            `json:"decline_reason"`
	Returnless      bool              `json:"returnless"` // refunded; the customer keeps the goods
	ApprovedAt      *time.Time        `json:"approved_at"`
	ExpiresAt       *time.Time        `json:"expires_at"`
	ClosedAt        *time.Time        `json:"closed_at"`
	LabelFee        int64             `json:"label_fee"`   // to be taken off the refund, once
	FeeCharged      int64             `json:"fee_charged"` // what of it was
	Carrier         string            `json:"carrier"`
	TrackingNumber  string            `json:"tracking_number"`
	LabelReference  string            `json:"label_reference"`
	LabelCode       string            `json:"label_code"` // why the carrier sold no label
	TrackingStatus  shipping.Tracking `json:"tracking_status"`
	TrackingAt      *time.Time        `json:"tracking_at"`
	WaitingFor      WaitingFor        `json:"waiting_for"`
	Deadline        *time.Time        `json:"deadline"`
	AttentionCode   string            `json:"attention_code"`
	AttentionDetail string            `json:"attention_detail"`
	AttentionSince  *time.Time        `json:"attention_since"`
	Settled         bool              `json:"settled"` // final, and nothing is left to be done or found out
	CreatedAt       time.Time         `json:"created_at"`
	UpdatedAt       time.Time         `json:"updated_at"`
	Lines           []ReturnLine      `json:"lines"`
	Inspections     []Inspection      `json:"inspections"`
	Unexpected      []UnexpectedItem  `json:"unexpected"`
}

// ReturnLine is the units [FirstUnit, FirstUnit+Quantity) of an order line that came in one parcel. A line may have
// several; whatever arrives counts for the first of them.
type ReturnLine struct {
	LineID     string         `json:"line_id"`
	SKU        string         `json:"sku"`
	FirstUnit  int64          `json:"first_unit"`
	Quantity   int64          `json:"quantity"`
	ShipmentID string         `json:"shipment_id"` // the parcel in which they went out
	LocationID string         `json:"location_id"` // from where
	Reason     returns.Reason `json:"reason"`
	Received   int64          `json:"received"`
	Inspected  int64          `json:"inspected"`
	Dismissed  int64          `json:"dismissed"` // never came, or need not
}

// Inspection is what was found of the units [FirstUnit, FirstUnit+Quantity) of an order line.
type Inspection struct {
	LineID     string        `json:"line_id"`
	SKU        string        `json:"sku"`
	FirstUnit  int64         `json:"first_unit"`
	Quantity   int64         `json:"quantity"`
	Grade      returns.Grade `json:"grade"`
	Stock      returns.Stock `json:"stock"`
	LocationID string        `json:"location_id"`
	Percent    int64         `json:"percent"` // of what the units were sold for
	Amount     int64         `json:"amount"`  // what that comes to, less what was credited for these units before
	At         time.Time     `json:"at"`
}

// UnexpectedItem is goods that came with a return and that nobody announced.
type UnexpectedItem struct {
	Number     int       `json:"number"`
	SKU        string    `json:"sku"`
	Quantity   int64     `json:"quantity"`
	LocationID string    `json:"location_id"`
	At         time.Time `json:"at"`
}

// Effects is what a decision wants written beside the aggregate itself.
type Effects struct {
	Events      []Event
	Scans       []Scan
	Movements   []inventory.Movement
	Entries     []payment.Entry
	Wake        bool     // the order's run has to hear of it, though nobody told it
	WakeReturns []string // and these returns' runs
}

// Effects returns what the decisions since loading want written.
func (o *Order) Effects() Effects { return o.effects }

// Event is one thing that happened to an order: a row of its timeline and of the outbox.
type Event struct {
	Sequence      int64     `json:"sequence"`
	Type          string    `json:"type"`
	At            time.Time `json:"at"`
	Actor         string    `json:"actor"`
	RequestID     string    `json:"request_id"`
	Status        Status    `json:"status"` // the order's, after it
	Detail        string    `json:"detail"`
	FulfillmentID string    `json:"fulfillment_id"`
	ShipmentID    string    `json:"shipment_id"`
	PaymentID     string    `json:"payment_id"`
	ReturnID      string    `json:"return_id"`
	Amount        *int64    `json:"amount"`
	Data          EventData `json:"data"`
}

// EventData is what programs learn from an event beyond whom it is about. Which type has which members is in
// EventTypes. No member has what a person typed freely, nor anybody's personal data.
type EventData struct {
	Code           string     `json:"code,omitempty"`
	Reason         string     `json:"reason,omitempty"`
	Units          int64      `json:"units,omitempty"`
	Parcels        int64      `json:"parcels,omitempty"`
	SKU            string     `json:"sku,omitempty"`
	LocationID     string     `json:"location_id,omitempty"`
	HoldID         string     `json:"hold_id,omitempty"`
	RefundID       string     `json:"refund_id,omitempty"`
	Carrier        string     `json:"carrier,omitempty"`
	TrackingNumber string     `json:"tracking_number,omitempty"`
	TrackingStatus string     `json:"tracking_status,omitempty"`
	PromisedAt     *time.Time `json:"promised_at,omitempty"`
	ExpiresAt      *time.Time `json:"expires_at,omitempty"`
	Returnless     bool       `json:"returnless,omitempty"`
}

// Scan is one carrier scan of a parcel, as it came.
type Scan struct {
	ShipmentID string            `json:"shipment_id"`
	Status     shipping.Tracking `json:"status"`
	OccurredAt time.Time         `json:"occurred_at"`
	Location   string            `json:"location"`
	Moved      bool              `json:"moved"` // false: late or out of order, kept and ignored
	At         time.Time         `json:"received_at"`
}
