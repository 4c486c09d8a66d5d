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

	Count         Kind = "count"          // a picker found less than the books say, or goods not fit for sale
	ReturnReceipt Kind = "return_receipt" // came back: on hand and, until inspected, unavailable
	Disposition   Kind = "disposition"    // what an inspection made of goods that came back
	TransferOut   Kind = "transfer_out"   // left this SKU for another: an open box
	TransferIn    Kind = "transfer_in"    // came from another SKU
)

// Movement is one row of the stock ledger. OnHand, Committed, Unavailable and Damaged are changes, in units; Quantity is
// the number of units concerned, also where no level changes.
type Movement struct {
	SKU         string `json:"sku"`
	LocationID  string `json:"location_id"`
	Kind        Kind   `json:"kind"`
	Quantity    int64  `json:"quantity"`
	OnHand      int64  `json:"on_hand"`
	Committed   int64  `json:"committed"`
	Unavailable int64  `json:"unavailable"`
	Damaged     int64  `json:"damaged"` // of Unavailable; the rest of it is in quality control
	OrderID     string `json:"order_id"`
	LineID      string `json:"line_id"`
	ReturnID    string `json:"return_id"`
	Reference   string `json:"reference"` // shipment, command key … whatever caused it
	Reason      string `json:"reason"`
}
