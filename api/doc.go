// Package api is Waybill's HTTP border: it turns requests into calls, and results and faults into answers.
//
// It owns the contract (openapi.yaml), which requests pass it, how keys and scopes are asked for, what a refusal
// looks like on the wire, cursors, the page at /docs, and what is logged and measured of a request. A request is
// refused here, before any handler, when its shape, limits or key are wrong; a handler sees only what the contract
// allows, with its defaults filled in.
//
// It does not own what an order is or may do (domain), the order of steps (workflows), what is stored (store), who
// may have a key (the Keys that the program passes in), or the server's sockets and timeouts (Server has defaults,
// the program listens). The types of bodies are generated into api/client from the same contract and shared by both
// sides.
package api
