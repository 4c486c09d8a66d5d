// Package sandbox is the payment gateway and the carrier that Waybill has when it has no other: somebody
// else's system, in the same process, so that everything can be tried, tested and broken without an account
// anywhere.
//
// It owns books of its own (the schema "sandbox" in PostgreSQL, through a pool of its own): what it applied
// and refused, what it holds, which labels it sold, and how often each request arrived. Those books are a
// witness: Waybill never reads them to decide and never shares a transaction with them, so a checker can
// compare both accounts. It does not own whether an order is paid or shipped: that is Waybill's own record.
//
// # Books
//
//	payment_ledger   append-only: one row per payment operation that was applied or terminally refused
//	authorizations   the state of every hold; its CHECKs are the limits of captures, voids and refunds
//	carrier_ledger   append-only: one row per carrier operation that was applied or terminally refused
//	labels           every label that was sold
//	requests         one row per key: how many requests arrived, how many look-ups
//
// A key is applied once. The same key with the same payload is answered from the ledger, with another payload
// by ErrKeyReused. Requests under one key wait for each other, from however many processes they come. A void
// lets go of the whole rest of its hold, whatever amount it mentions. Once a hold lapses it can neither be
// captured nor voided; what was captured can be refunded for ever.
//
// # Tokens
//
// What a customer pays with decides what happens. Any other token is refused: invalid_token. "First" is the
// first request that ever arrived under a key; it is counted in the database, so a fault is not given again
// after a restart, nor to another process. The same list is Tokens().
//
//	tok_ok                      everything works
//	tok_short_window            everything works, and the hold lapses after an hour
//	tok_declined                the hold is refused: card_declined
//	tok_insufficient_funds      the hold is refused: insufficient_funds
//	tok_action_required         the bank wants the customer: action_required, with a next URL
//	tok_capture_refused         the hold works, each of its captures is refused: capture_refused
//	tok_capture_refused_once    the hold works, its first capture is refused, one under another key works
//	tok_refund_refused          hold and captures work, each refund is refused: refund_refused
//	tok_timeout_before          the first request hangs and nothing is held; asked again it works
//	tok_timeout_after           it is held and the answer is lost; a look-up or asking again gives it
//	tok_capture_timeout_before  each capture's first request hangs and nothing is taken; asked again it works
//	tok_capture_timeout_after   each capture is taken and its answer lost; a look-up or asking again gives it
//	tok_void_timeout_after      the void is done and its answer lost; a look-up or asking again gives it
//	tok_refund_timeout_after    each refund is given and its answer lost; a look-up or asking again gives it
//	tok_key_in_use              for a moment the key counts as in use and nothing is held; then it works
//	tok_slow                    it is held at once and the answer takes two seconds
//	tok_rate_limited            the first request is told to slow down and nothing is held; asked again it works
//	tok_error_500               the first request meets an error 500 and nothing is held; asked again it works
//	tok_garbage                 it is held and the first answer makes no sense; a look-up or asking again gives it
//	tok_wrong_amount            one minor unit less is held than was asked for
//	tok_capture_wrong_amount    each capture takes one minor unit less than was asked for
//
// Refusals that follow from the state of a hold: unknown_authorization, authorization_voided,
// authorization_expired, amount_too_large, already_voided, nothing_to_void; from the request: invalid_amount,
// invalid_currency, currency_mismatch, invalid_request.
//
// # Postal codes
//
// Where a parcel goes decides what happens to it. Any other code is delivered after two days. A carrier's day
// has 24 hours, unless Options.CarrierDay says otherwise. The same list is PostalCodes().
//
//	00001  the label is refused: address_rejected
//	00002  the label's first request hangs and nothing is bought; asked again it works
//	00003  it is bought and the answer is lost; a look-up or asking again gives it
//	00004  it is bought at once and the answer takes two seconds
//	00005  the label's first request meets an error 500 and nothing is bought; asked again it works
//	00006  for a moment the label's key counts as in use and nothing is bought; then it works
//	00007  it is bought and the first answer makes no sense; a look-up or asking again gives it
//	00011  voiding the label is refused: already_scanned
//	00012  the void is done and the answer is lost; a look-up or asking again gives it
//	00020  delivered after two days, as for every postal code that is not listed
//	00021  delayed, and delivered after ten days
//	00022  delivery fails on day two and works on day three
//	00023  waits at a pickup point from day two and is collected on day four
//	00024  delivery fails on day two and the parcel goes back to its sender on day three
//	00025  declared lost on day ten
//	00026  declared lost on day ten, and delivered on day fourteen after all
//	00027  never seen again after the sorting center, and never declared lost
//
// Refusals that follow from the state of a label: unknown_label, already_voided; from the request:
// address_rejected (no first line, no country code), invalid_weight, invalid_service, invalid_request.
package sandbox
