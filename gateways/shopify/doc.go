// Package shopify takes the orders of a Shopify shop in, from the JSON that its API and its webhooks give.
//
// It owns what Shopify's fields mean in our terms: Map turns one order into a placement with holds for whatever a
// person has to look at, Read finds the orders in a file, and Import runs them through the same path as orders that
// come by the API. Nothing that a channel says is corrected here: what does not add up, or cannot be an amount of
// an order, is kept in a hold that names the figures; what cannot be read is refused by the name of its field.
//
// It does not own what becomes of an order (domain/order), where orders and stock are kept (store), or the money,
// which stays where it was paid (gateways/external).
//
// What becomes of an order, by what Shopify says of it:
//
//	financial_status paid                 taken as captured there
//	financial_status authorized           taken as authorized there
//	pending, partially_paid, expired …    held, awaiting_payment
//	partially_refunded, edited, archived,
//	partly fulfilled                      held, changed_elsewhere
//	totals that do not add up             held, totals_differ
//	address missing or incomplete         held, address_incomplete
//	some lines that are never shipped     held, not_shippable
//	no stock for it                       held, out_of_stock: it was sold already
//	test, cancelled, voided, refunded,
//	fulfilled, nothing to ship            skipped
package shopify
