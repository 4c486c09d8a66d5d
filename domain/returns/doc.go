// Package returns holds the terms in which Waybill talks about goods that come back.
//
// It owns the life cycle of a return, the reasons and grades, and the policy: until when goods may come back, which
// grade they get, what becomes of them and how much of their price is given back. It does not own which units come
// back or what was paid for them (domain/order), nor the stock that they become (domain/inventory).
package returns
