package payment

import (
	"errors"
	"time"
)

// Kind is what an operation asks of a payment gateway.
type Kind string

const (
	Authorize Kind = "authorize" // hold Amount on Token
	Capture   Kind = "capture"   // take Amount of the hold
	Void      Kind = "void"      // let go of what is left of the hold
	Refund    Kind = "refund"    // give Amount of what was captured back
)

// Request is one operation as it is sent to a gateway. Amounts are minor units of Currency.
//
// Key is the business key: a gateway applies a key once, however often it is asked, and answers the same
// key with another payload by ErrKeyReused.
type Request struct {
	Key           string
	Kind          Kind
	OrderID       string // our reference, printed by the gateway on its own books
	Amount        int64
	Currency      string
	Token         string // authorize only: what the customer pays with
	Authorization string // capture, void, refund: the gateway's reference of the hold
}

// Outcome is a gateway's last word on an operation.
type Outcome string

const (
	Succeeded      Outcome = "succeeded"
	Refused        Outcome = "refused"         // terminal under this key; Code says why
	ActionRequired Outcome = "action_required" // the bank wants the customer; terminal under this key
)

// Answer is what a gateway said. Amount is what it did, which may differ from what it was asked.
type Answer struct {
	Outcome       Outcome
	Reference     string    // the gateway's name for what it made
	Amount        int64     // minor units really authorized, captured, voided or refunded
	Currency      string    // as the gateway understood it
	CaptureBefore time.Time // authorize only: when the hold lapses; zero when it does not
	Captured      bool      // authorize only: the money was already taken elsewhere
	Code          string    // refused: card_declined, insufficient_funds, capture_refused …
	Detail        string    // a sentence for an operator, without personal data
	NextURL       string    // action_required: where the customer goes
}

// What a gateway returns as its error when it gave no terminal answer. Any other error counts as
// ErrUnknown: the request may have been applied.
var (
	// ErrUnknown: the outcome is not known (time-out, connection lost, 5xx, an answer that makes no sense).
	ErrUnknown = errors.New("payment gateway: outcome unknown")
	// ErrKeyInUse: another request under this key is being worked on right now; ask again.
	ErrKeyInUse = errors.New("payment gateway: key in use")
	// ErrKeyReused: this key was used with another payload; nothing was done.
	ErrKeyReused = errors.New("payment gateway: key used with another request")
	// ErrNotFound: Find knows no operation under the key. It proves nothing while a request may be on its way.
	ErrNotFound = errors.New("payment gateway: no such operation")
)

// RateLimited is a gateway's request to slow down; nothing was done.
type RateLimited struct{ RetryAfter time.Duration }

func (e *RateLimited) Error() string {
	return "payment gateway: rate limited, retry after " + e.RetryAfter.String()
}

// Policy is what a gateway declares of itself.
type Policy struct {
	// LocalAttempt is how long the first, in-process attempt may take before a visible, retried activity
	// takes over with the same key.
	LocalAttempt time.Duration
	// RequestTimeout bounds one request, connection and answer together. It is shorter than any activity
	// timeout, so that an abandoned attempt has ended before its answer could surprise anybody.
	RequestTimeout time.Duration
	// MultiCapture: several captures of one authorization are allowed; the rest stays held in between.
	MultiCapture bool
}
