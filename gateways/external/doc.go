// Package external is the payment gateway of orders whose payment lives in another system: imported orders,
// and channels that take the money themselves.
//
// It owns what Waybill may believe about such a payment, which its token says:
//
//	paid:<ref>        the money was taken there; authorizing succeeds as already captured, its reference is <ref>
//	authorized:<ref>  the money is held there; authorizing succeeds, its reference is the whole token
//
// <ref> is the other system's name for the payment. Any other token is refused as invalid_token.
//
// It does not own the money: nothing is held, taken or given back by asking here, so a capture is refused as
// capture_elsewhere and a refund as refund_elsewhere, for somebody to do it where the money is. A void of an
// authorized payment succeeds as a note that Waybill needs the hold no longer; the hold lapses there, or is
// let go there.
package external
