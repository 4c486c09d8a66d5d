package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind groups faults by what the caller can do about them. The API maps each to one HTTP status.
type Kind string

const (
	Malformed     Kind = "malformed"     // the request cannot be read (400)
	Unauthorized  Kind = "unauthorized"  // no key, or a wrong one (401)
	Payment       Kind = "payment"       // the payment was refused or needs the customer (402)
	Forbidden     Kind = "forbidden"     // the key lacks the scope (403)
	NotFound      Kind = "not_found"     // absent, or somebody else's (404)
	Conflict      Kind = "conflict"      // the state does not allow it (409)
	TooLarge      Kind = "too_large"     // the body is over its limit (413)
	MediaType     Kind = "media_type"    // not application/json (415)
	Invalid       Kind = "invalid"       // read, and wrong: one Field per problem (422)
	TooMany       Kind = "too_many"      // slow down (429, Retry-After)
	Unavailable   Kind = "unavailable"   // try the same again later (503, Retry-After)
	Method        Kind = "method"        // the path exists, the method does not (405)
	Precondition  Kind = "precondition"  // stale version (412)
	Unimplemented Kind = "unimplemented" // announced, not there yet (501)
)

// Fault is a refusal that somebody can act on.
type Fault struct {
	Kind       Kind          `json:"kind"`
	Code       string        `json:"code"`             // stable, snake_case: programs switch on it
	Detail     string        `json:"detail"`           // one sentence for a person, without personal data
	Fields     []Field       `json:"fields,omitempty"` // every wrong field at once
	RetryAfter time.Duration `json:"retry_after,omitempty"`

	OrderID    string      `json:"order_id,omitempty"`    // the order that exists in spite of the refusal
	NextAction *NextAction `json:"next_action,omitempty"` // what the bank wants of the customer
	Shortages  []Shortage  `json:"shortages,omitempty"`   // what is short, line by line
	Holders    []Holder    `json:"holders,omitempty"`     // the orders that hold the units in question
}

// Field is one wrong field of a request. Pointer is an RFC 6901 JSON pointer ("/lines/0/quantity").
type Field struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// NextAction is what the customer must do before the payment can go on.
type NextAction struct {
	Type string `json:"type"`          // "redirect"
	URL  string `json:"url,omitempty"` // where the customer goes
}

// Shortage says what a line asked for and what there was. Known is false for a SKU that no location ever had.
type Shortage struct {
	LineID    string `json:"line_id,omitempty"`
	SKU       string `json:"sku"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
	Known     bool   `json:"known"`
}

// Holder is an order that holds units of a SKU at a location.
type Holder struct {
	OrderID    string `json:"order_id"`
	LineID     string `json:"line_id"`
	SKU        string `json:"sku"`
	LocationID string `json:"location"`
	Quantity   int64  `json:"quantity"`
}

func (f *Fault) Error() string { return string(f.Kind) + " " + f.Code + ": " + f.Detail }

// New makes a Fault whose detail is formatted as fmt.Sprintf does.
func New(kind Kind, code, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Conflictf is New(Conflict, …), by far the most frequent kind in the domain.
func Conflictf(code, format string, args ...any) *Fault { return New(Conflict, code, format, args...) }

// NotFoundf is New(NotFound, "not_found", …).
func NotFoundf(format string, args ...any) *Fault { return New(NotFound, "not_found", format, args...) }

// As returns the Fault in err's chain, or nil.
func As(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return nil
}

// Is reports whether err is a Fault with this code.
func Is(err error, code string) bool {
	f := As(err)
	return f != nil && f.Code == code
}

// Fields collects what is wrong with an input, so that a caller hears of everything at once.
type Fields []Field

// Add notes one wrong field.
func (f *Fields) Add(pointer, code, format string, args ...any) {
	*f = append(*f, Field{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
}

// Err is nil when nothing was noted, else one Invalid fault with every field.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}
	noun := "fields are"
	if len(f) == 1 {
		noun = "field is"
	}
	return &Fault{Kind: Invalid, Code: "invalid_fields", Detail: fmt.Sprintf("%d %s wrong", len(f), noun), Fields: f}
}
