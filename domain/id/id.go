// Package id makes the ids of everything Waybill stores.
//
// An id is a prefix that says what it names and a time-ordered UUID (v7) in lower-case base32, so that ids sort
// by the time they were made, are safe in URLs, logs and Temporal workflow ids, and tell a person what they are
// looking at: ord_01jd3k…  It does not own uniqueness: the database's primary keys do.
package id

import (
	"encoding/base32"
	"strings"

	"github.com/google/uuid"
)

// The prefixes in use.
const (
	Order       = "ord"
	Line        = "lin"
	Hold        = "hld"
	Payment     = "pay"
	Fulfillment = "ful"
	Shipment    = "shp"
	Allocation  = "alc"
	Return      = "ret"
	Refund      = "rfd"
	Credit      = "crd"
	ShortPick   = "spk"
	APIKey      = "key"
	Request     = "req"
)

// base32hex keeps the order of the bytes it encodes.
var encoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// Source makes a new id for a prefix. Decisions take one as an argument, so that tests and simulations get the
// same ids every time.
type Source func(prefix string) string

// New is the Source of real life. It panics when the machine has no randomness left, as nothing could go on.
func New(prefix string) string {
	u := uuid.Must(uuid.NewV7())
	return prefix + "_" + encoding.EncodeToString(u[:])
}

// Valid reports whether s could be an id of this prefix: what the API checks before it asks the database.
func Valid(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	if !ok || len(rest) != 26 {
		return false
	}
	raw, err := encoding.DecodeString(rest) // which skips line breaks
	return err == nil && len(raw) == 16
}
