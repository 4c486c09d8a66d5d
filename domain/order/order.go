package order

import (
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/payment"
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
}

// DefaultPolicy is what holds when nobody configured anything.
func DefaultPolicy() Policy {
	return Policy{PaymentGrace: 24 * time.Hour, AttentionAfter: 10 * time.Minute, AbandonAfter: 30 * time.Second}
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

	Status          Status           `json:"status"`
	Decision        Decision         `json:"decision"` // the answer to placing; set once
	Shortages       []fault.Shortage `json:"shortages"`
	WaitingFor      WaitingFor       `json:"waiting_for"`
	WaitingUntil    *time.Time       `json:"waiting_until"`
	Deadline        *time.Time       `json:"deadline"` // when the run looks again by itself
	AttentionCode   string           `json:"attention_code"`
	AttentionDetail string           `json:"attention_detail"`
	AttentionSince  *time.Time       `json:"attention_since"`
	PaymentAxis     string           `json:"payment_status"`
	FulfillmentAxis string           `json:"fulfillment_status"`
	Settled         bool             `json:"settled"`  // final, and nothing is left to be done or found out
	Version         int64            `json:"version"`  // one more with every change
	Sequence        int64            `json:"sequence"` // number of the last event
	CreatedAt       time.Time        `json:"created_at"`
	UpdatedAt       time.Time        `json:"updated_at"`

	Lines        []Line        `json:"lines"`
	Holds        []Hold        `json:"holds"`
	Payments     []Payment     `json:"payments"`
	Operations   []Operation   `json:"operations"`
	Fulfillments []Fulfillment `json:"fulfillments"`
	Shipments    []Shipment    `json:"shipments"`
	Allocations  []Allocation  `json:"allocations"`

	effects Effects
}

// Customer is who ordered.
type Customer struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Line is one line of the order. Quantity never changes; what became of the units is in the counters:
// quantity = cancelled + open + (shipped − delivered − lost) + delivered + lost.
type Line struct {
	ID            string `json:"id"`
	Position      int    `json:"position"`
	ExternalID    string `json:"external_id"`
	SKU           string `json:"sku"`
	Quantity      int64  `json:"quantity"`
	UnitPrice     int64  `json:"unit_price"`
	Discount      int64  `json:"discount"`       // for the whole line
	OrderDiscount int64  `json:"order_discount"` // the line's share of the order's discount
	Tax           int64  `json:"tax"`            // for the whole line
	Cancelled     int64  `json:"cancelled"`
	Shipped       int64  `json:"shipped"` // handed to a carrier, ever
	Delivered     int64  `json:"delivered"`
	Lost          int64  `json:"lost"`
	Units         []Band `json:"units"`
}

// Open is the number of units that are neither cancelled nor handed over.
func (l Line) Open() int64 { return l.Quantity - l.Cancelled - l.Shipped }

// Hold is a reason not to go on. An order may have several.
type Hold struct {
	ID         string     `json:"id"`
	Reason     string     `json:"reason"` // awaiting_payment, totals_differ …, see hold.go
	Detail     string     `json:"detail"`
	Owner      string     `json:"owner"`  // who is to answer: customer, operator
	Blocks     []string   `json:"blocks"` // capture, release, ship
	Deadline   *time.Time `json:"deadline"`
	PlacedAt   time.Time  `json:"placed_at"`
	ReleasedAt *time.Time `json:"released_at"`
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
// sent. Key: authorize/<payment>, capture/<shipment>, void/<payment>, refund/<payment>, label/<shipment>,
// void_label/<shipment>, each with /<epoch> from the second epoch on, which only a refusal of the one before opens.
type Operation struct {
	Key        string        `json:"key"`
	Kind       string        `json:"kind"` // a payment.Kind or a shipping.Kind
	PaymentID  string        `json:"payment_id"`
	ShipmentID string        `json:"shipment_id"`
	Amount     int64         `json:"amount"` // asked for; 0 for labels
	Applied    int64         `json:"applied"`
	State      payment.State `json:"state"`
	Attempts   int           `json:"attempts"` // whose answers were lost
	Reference  string        `json:"reference"`
	Code       string        `json:"code"`
	Detail     string        `json:"detail"`
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

// FulfillmentLine is the units [FirstUnit, FirstUnit+Quantity) of an order line.
type FulfillmentLine struct {
	LineID    string `json:"line_id"`
	SKU       string `json:"sku"`
	FirstUnit int64  `json:"first_unit"`
	Quantity  int64  `json:"quantity"`
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

// Effects is what a decision wants written beside the aggregate itself.
type Effects struct {
	Events    []Event
	Scans     []Scan
	Movements []inventory.Movement
	Entries   []payment.Entry
	Wake      bool // the run has to hear of it, though nobody told it
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
	Amount        *int64    `json:"amount"`
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
