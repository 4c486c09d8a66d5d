// Package payment holds the terms in which Waybill talks about money held, taken and given back.
//
// It owns the requests and answers of a payment gateway, the life of an operation (one request to a
// gateway, known by its business key) and the balances of a payment. It does not own how a gateway speaks
// (gateways/…), when an operation is due (domain/order) or where it is stored (store).
package payment
