// Package gatewaytest is the contract that every adapter of a payment gateway or a carrier passes, the
// sandbox as well as the real ones: what the rest of Waybill relies on, in checks that know an adapter only by
// its methods and by the test values that lead to each situation.
//
// An adapter's test calls Payments or Carrier and says for every situation how to bring it about. A situation
// that cannot be brought about in a test is declared as absent, with its reason; one that is not mentioned
// fails the test, so nothing is left out by accident.
//
// It does not own what is particular to an adapter (what a token means, how long a hold lasts): that is tested
// beside the adapter.
package gatewaytest
