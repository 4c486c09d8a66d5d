package shipping

import (
	"errors"
	"time"
)

// Address is where a parcel goes. Country is ISO 3166-1 alpha-2, Region the part after the dash of ISO 3166-2.
type Address struct {
	Name       string `json:"name"`
	Line1      string `json:"line1"`
	Line2      string `json:"line2,omitempty"`
	City       string `json:"city"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"`
}

// Kind is what an operation asks of a carrier.
type Kind string

const (
	BuyLabel  Kind = "label"
	VoidLabel Kind = "void_label"
)

// Request is one operation as it is sent to a carrier. A carrier applies a Key once, however often it is asked.
type Request struct {
	Key         string
	Kind        Kind
	OrderID     string
	ShipmentID  string
	Service     string // "standard", "express": what the customer chose
	WeightGrams int64
	To          Address // buy only; for a return, where the parcel comes from
	Return      bool    // the parcel comes back to us; ShipmentID is the return's id then
	Label       string  // void only: the carrier's reference of the label
}

// Outcome is a carrier's last word on an operation.
type Outcome string

const (
	Succeeded Outcome = "succeeded"
	Refused   Outcome = "refused" // terminal under this key; Code says why
)

// Answer is what a carrier said.
type Answer struct {
	Outcome        Outcome
	Reference      string // the carrier's name for the label
	Carrier        string // who carries it
	TrackingNumber string // buy only
	Cost           int64  // minor units of Currency: what the label costs us
	Currency       string
	Code           string // refused: address_rejected, already_scanned …
	Detail         string // a sentence for an operator, without personal data
}

// Scan is one thing a carrier says happened to a parcel.
type Scan struct {
	Status     Tracking
	OccurredAt time.Time
	Location   string
}

// What a carrier returns as its error when it gave no terminal answer. Any other error counts as ErrUnknown.
var (
	ErrUnknown   = errors.New("carrier: outcome unknown")
	ErrKeyInUse  = errors.New("carrier: key in use")
	ErrKeyReused = errors.New("carrier: key used with another request")
	ErrNotFound  = errors.New("carrier: no such operation")
)

// Policy is what a carrier's adapter declares of itself; see payment.Policy.
type Policy struct {
	LocalAttempt   time.Duration
	RequestTimeout time.Duration
}
