// Package remote puts the sandbox gateways into a process of their own, as other people's systems are: Handler serves
// them over HTTP, and Gateways asks one that is served elsewhere.
//
// It owns how a request and its answer travel, and what an answer that did not come means: whatever goes wrong on the
// way leaves the outcome unknown. It does not own what the gateways do: that is package sandbox's, and both pass the
// same contract suites.
//
// Requests and answers are the domain's own types, as JSON. Both ends are this package, so nothing is translated that
// could be translated wrongly; a body that is not exactly one of them counts as no answer.
//
//	POST /payments/perform   payment.Request → payment.Answer
//	POST /payments/find      payment.Request → payment.Answer
//	POST /carrier/perform    shipping.Request → shipping.Answer
//	POST /carrier/find       shipping.Request → shipping.Answer
//	POST /carrier/track      a tracking number → []shipping.Scan
//
// Every request carries the secret as a bearer token. What is not an answer is a code: not_found (404), key_in_use
// (409), key_reused (422), rate_limited (429, with Retry-After). Everything else is trouble.
package remote
