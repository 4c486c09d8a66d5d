package inventory

// Kind says why stock moved. A level is the sum of its movements.
type Kind string

const (
	Receipt     Kind = "receipt"     // came in: on hand
	Adjustment  Kind = "adjustment"  // corrected by a person: on hand
	Reservation Kind = "reservation" // committed to an order
	Release     Kind = "release"     // given back by an order
	Pick        Kind = "pick"        // taken off the shelf for an order; moves no level
	Shipment    Kind = "shipment"    // handed to the carrier: off hand and no longer committed
)

// Movement is one row of the stock ledger. OnHand, Committed and Unavailable are changes, in units; Quantity is
// the number of units concerned, also where no level changes.
type Movement struct {
	SKU         string `json:"sku"`
	LocationID  string `json:"location_id"`
	Kind        Kind   `json:"kind"`
	Quantity    int64  `json:"quantity"`
	OnHand      int64  `json:"on_hand"`
	Committed   int64  `json:"committed"`
	Unavailable int64  `json:"unavailable"`
	OrderID     string `json:"order_id"`
	LineID      string `json:"line_id"`
	Reference   string `json:"reference"` // shipment, command key … whatever caused it
	Reason      string `json:"reason"`
}
