// Package order is the pure core of Waybill: what an order is, and what may happen to it.
//
// It owns the aggregate (lines with their units, holds, payments, operations, fulfillment orders, shipments,
// allocations), every decision on it, what is due next, and what it waits for. Decisions are methods that change
// the aggregate in memory and note their effects: events, stock movements, money entries. Nothing here reads a
// clock, makes an id by itself or does I/O: time, ids and the actor come in as an Act.
//
// It does not own how facts are stored and locked (store), who is asked in which order (workflows), how a gateway
// or a carrier speaks (gateways), or where units come from (domain/inventory).
package order
