package sandbox

import (
	"slices"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/shipping"
)

// PostalCode is one test value to ship to. No country gives these codes to anybody.
type PostalCode struct {
	Code   string
	Effect string // one sentence for whoever chooses a code

	on    map[shipping.Kind]fault
	code  string // what a refusal under this code says
	scans []step // nil: plain
}

// step is one scan of a script: what is seen, where, and how long after the label was bought, given for a
// carrier's day of 24 hours.
type step struct {
	status shipping.Tracking
	after  time.Duration
	where  string
}

const (
	origin      = "Origin depot"
	hub         = "Sorting center"
	destination = "Destination depot"
	doorstep    = "Delivery address"
)

// collected is how every script begins.
var collected = []step{
	{shipping.PickedUp, 4 * time.Hour, origin},
	{shipping.InTransit, 12 * time.Hour, hub},
}

// plain is what happens to a parcel for any other postal code.
var plain = script(
	step{shipping.OutForDelivery, 44 * time.Hour, destination},
	step{shipping.Delivered, 48 * time.Hour, doorstep},
)

func script(then ...step) []step { return slices.Concat(collected, then) }

var postalCodes = []PostalCode{
	{Code: "00001", Effect: "the label is refused: address_rejected",
		on: map[shipping.Kind]fault{shipping.BuyLabel: refuse}, code: "address_rejected"},
	{Code: "00002", Effect: "the label's first request hangs and nothing is bought; asked again it works",
		on: map[shipping.Kind]fault{shipping.BuyLabel: noArrival}},
	{Code: "00003", Effect: "it is bought and the answer is lost; a look-up or asking again gives it",
		on: map[shipping.Kind]fault{shipping.BuyLabel: noAnswer}},
	{Code: "00004", Effect: "it is bought at once and the answer takes two seconds",
		on: map[shipping.Kind]fault{shipping.BuyLabel: slow}},
	{Code: "00005", Effect: "the label's first request meets an error 500 and nothing is bought; asked again it works",
		on: map[shipping.Kind]fault{shipping.BuyLabel: broken}},
	{Code: "00006", Effect: "for a moment the label's key counts as in use and nothing is bought; then it works",
		on: map[shipping.Kind]fault{shipping.BuyLabel: busy}},
	{Code: "00007", Effect: "it is bought and the first answer makes no sense; a look-up or asking again gives it",
		on: map[shipping.Kind]fault{shipping.BuyLabel: garbage}},

	{Code: "00011", Effect: "voiding the label is refused: already_scanned",
		on: map[shipping.Kind]fault{shipping.VoidLabel: refuse}, code: "already_scanned"},
	{Code: "00012", Effect: "the void is done and the answer is lost; a look-up or asking again gives it",
		on: map[shipping.Kind]fault{shipping.VoidLabel: noAnswer}},

	{Code: "00020", Effect: "delivered after two days, as for every postal code that is not listed"},
	{Code: "00021", Effect: "delayed, and delivered after ten days", scans: script(
		step{shipping.Delayed, 48 * time.Hour, hub},
		step{shipping.InTransit, 216 * time.Hour, hub},
		step{shipping.OutForDelivery, 236 * time.Hour, destination},
		step{shipping.Delivered, 240 * time.Hour, doorstep})},
	{Code: "00022", Effect: "delivery fails on day two and works on day three", scans: script(
		step{shipping.OutForDelivery, 44 * time.Hour, destination},
		step{shipping.DeliveryFailed, 48 * time.Hour, doorstep},
		step{shipping.OutForDelivery, 68 * time.Hour, destination},
		step{shipping.Delivered, 72 * time.Hour, doorstep})},
	{Code: "00023", Effect: "waits at a pickup point from day two and is collected on day four", scans: script(
		step{shipping.ReadyForPickup, 44 * time.Hour, destination},
		step{shipping.Delivered, 96 * time.Hour, destination})},
	{Code: "00024", Effect: "delivery fails on day two and the parcel goes back to its sender on day three", scans: script(
		step{shipping.OutForDelivery, 44 * time.Hour, destination},
		step{shipping.DeliveryFailed, 48 * time.Hour, doorstep},
		step{shipping.ReturnToSender, 72 * time.Hour, destination})},
	{Code: "00025", Effect: "declared lost on day ten", scans: script(
		step{shipping.Lost, 240 * time.Hour, hub})},
	{Code: "00026", Effect: "declared lost on day ten, and delivered on day fourteen after all", scans: script(
		step{shipping.Lost, 240 * time.Hour, hub},
		step{shipping.Delivered, 336 * time.Hour, doorstep})},
	{Code: "00027", Effect: "never seen again after the sorting center, and never declared lost", scans: script()},
}

// PostalCodes lists every test postal code, for a command line or a page of documentation. A label for any
// other code is sold and its parcel delivered after two days.
func PostalCodes() []PostalCode { return slices.Clone(postalCodes) }

// postalCode is the script for an address; the empty PostalCode when the address has none.
func postalCode(code string) PostalCode {
	code = strings.TrimSpace(code)
	i := slices.IndexFunc(postalCodes, func(p PostalCode) bool { return p.Code == code })
	if i < 0 {
		return PostalCode{}
	}
	return postalCodes[i]
}

// script is what happens to a parcel under this code, oldest first.
func (p PostalCode) script() []step {
	if p.scans == nil {
		return plain
	}
	return p.scans
}
