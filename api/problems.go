package api

// explained is what the page at /docs says of a code. The title is the same in every problem with the code.
type explained struct{ title, text string }

// problems are the codes with an explanation of their own. A code that is not here is still stable; its problem has
// the title of its status, and its detail says what to do.
var problems = map[string]explained{
	"bad_query":       {"The query cannot be decoded", "A percent sign or semicolon in the URL's query is not encoded."},
	"bad_utf8":        {"Not UTF-8", "Text, here or in an escape such as \\ud800, is no valid Unicode."},
	"body_incomplete": {"The body ended early", "The connection ended before the body did, or sent it too slowly."},
	"body_missing":    {"The body is missing", "Send a JSON object; `{}` where there is nothing to say."},
	"body_too_large":  {"The body is too large", "A body has at most 256 KiB."},
	"duplicate_field": {"A field is there twice", "An object has the same field twice, and readers would differ on which one counts."},
	"not_json":        {"Not JSON", "The body cannot be read as JSON."},
	"not_json_media_type": {"Not application/json", "The `Content-Type` header must be `application/json`, and the body neither " +
		"compressed nor in another character set than UTF-8."},
	"too_deep":      {"The body nests too deep", "Objects and arrays may be 32 levels deep."},
	"trailing_data": {"Something follows the body", "One JSON value, and nothing after it."},

	"idempotency_key_missing":  {"No Idempotency-Key", "Every POST carries one. Choose one for each thing that you want done; repeat it on a retry."},
	"idempotency_key_too_long": {"The Idempotency-Key is too long", "It has at most 255 characters."},
	"idempotency_key_invalid":  {"The Idempotency-Key cannot be used", "It is given once, in printable ASCII characters."},
	"idempotency_key_reused": {"The Idempotency-Key was used for something else", "Another body came with this key before. `errors` " +
		"names the fields that differ. Use a new key for something new, and the same body for the same thing."},

	"key_missing": {"No API key", "Send `Authorization: Bearer <key>`."},
	"key_invalid": {"The API key is not valid", "It is wrong, expired or revoked."},
	"scope_missing": {"The API key may not do this", "Each operation names the scope it needs. `waybill keys create` gives a key " +
		"its scopes."},

	"invalid_fields": {"Some fields are wrong", "`errors` has one entry for each: where, a code, and what would be right. Nothing was changed."},
	"not_found": {"There is no such thing", "The path, or what its id names, does not exist, or is not yours to see: the answer is the " +
		"same."},
	"method_not_allowed": {"The path has no such method", "The `Allow` header lists the methods that it has."},

	"payment_declined": {"The payment was refused", "The order waits for another token: `POST /v1/orders/{id}/payment` with the `order_id` " +
		"of the problem, before its grace time ends."},
	"action_required": {"The bank wants to see the customer", "Send the customer to `next_action`, then send the token that comes of it to " +
		"`POST /v1/orders/{id}/payment`."},
	"card_declined":          {"The card was declined", "The order waits for another token until its grace time ends."},
	"insufficient_funds":     {"The card has not enough funds", "The order waits for another token until its grace time ends."},
	"invalid_token":          {"The gateway does not know the token", "The order waits for another token until its grace time ends."},
	"order_completed":        {"The order is completed", "Nothing more happens to it; what the customer sends back is a return."},
	"order_cancelled":        {"The order is cancelled", "Nothing more happens to it: place a new one."},
	"order_expired":          {"The order expired", "Nobody paid in time: place a new one."},
	"order_rejected":         {"The order was rejected", "Its stock could not be had: place a new one."},
	"fulfillment_closed":     {"The fulfillment order is closed", "All of its units were handed over."},
	"fulfillment_cancelled":  {"The fulfillment order is cancelled", "Put picked units back: its stock was released."},
	"fulfillment_incomplete": {"The fulfillment order is closed", "All of its units were handed over but for those that were not found."},
	"fulfillment_on_hold":    {"The fulfillment order is on hold", "Its `holds` say why, who is to answer, and what does not happen until then."},
	"too_many": {"More units than there are", "More units of a line are named than are left to be picked, cancelled, received or " +
		"sent back. Nothing was changed. Read the order, the fulfillment order or the return for what is left."},
	"hold_not_releasable": {"The hold cannot be released by hand", "It ends with what it waits for: an order that awaits its payment goes on " +
		"with one, `POST /v1/orders/{id}/payment`."},
	"not_returnable": {"Some of it cannot be sent back", "`errors` has one entry for each line that is refused, with its own code: " +
		"`final_sale`, `window_closed`, `not_delivered`, or `too_many`. Nothing was changed: leave these lines out."},
	"final_sale":      {"Sold for good", "Of a line that was sold so, only what is the shop's fault comes back."},
	"window_closed":   {"Too late to send it back", "The policy of the order says for how many days from delivery returns are taken."},
	"not_delivered":   {"It was not delivered", "Only what arrived is sent back. What was not shipped yet can be cancelled."},
	"unknown_line":    {"There is no such line", "The line's id is not one of the order, the fulfillment order or the return that the path names."},
	"reason_required": {"A short pick says why", "Fewer units of a line were picked than are left to pick: give a `reason`, or pick the rest too."},
	"facts_refused": {"The books do not take it", "What was asked for breaks a rule of the books that nobody foresaw. Nothing was changed; " +
		"tell us `instance`."},
	"return_exceeds_delivered": {"More than was delivered", "Another return took these units at the same moment. Read the order for what is left."},
	"return_requested":         {"The return is not decided yet", "It has to be approved first: `POST /v1/returns/{id}/approve`."},
	"return_approved":          {"The return is approved", "What was asked for is not possible any more, or not yet: its goods may come."},
	"return_in_transit":        {"The return is on its way", "What was asked for is not possible any more, or not yet: a carrier has its goods."},
	"return_received":          {"The return was received", "Some of its goods are here. What came is inspected; it is not called off."},
	"return_inspected":         {"The return was inspected", "Whatever came is graded, and nothing else is expected."},
	"return_closed":            {"The return is closed", "Everything that is owed for it was given back. Only goods that turn up late open it again."},
	"return_declined":          {"The return was declined", "Ask for another one, if there is reason to."},
	"return_cancelled":         {"The return was called off", "Ask for another one. Only goods that turn up late open it again."},
	"return_expired":           {"The return expired", "Nothing came in time. Only goods that turn up late open it again."},
	"not_received":             {"More than was received", "Only units that were received, and not graded yet, are inspected. Receive them first."},
	"return_returnless":        {"The return needs no goods", "The customer keeps them, and is being refunded: there is nothing to be called off."},
	"return_undeliverable":     {"The parcel is on its way back", "It could not be delivered and comes whoever wants it. Receive it, or approve the return as returnless when nobody expects it any more."},
	"return_superseded":        {"The units are in another return", "This one ended without them, and they were announced again. Receive them there."},
	"received_elsewhere":       {"Some were received somewhere else", "Units of one line are received at one location."},
	"refund_exceeds_credit":    {"More than is owed", "No more is given back than the customer no longer owes."},
	"credit_exceeds_charge":    {"More than was charged", "No more is credited than was charged."},
	"not_authorized":           {"No payment holds this money", "Send a new token to `POST /v1/orders/{id}/payment`, then ship again."},
	"below_zero":               {"Less than nothing on hand", "Nothing was changed."},
	"database_unavailable":     {"The database does not answer", "Send the same request again, with the same key, after `Retry-After`."},
	"out_of_stock": {"Not enough stock", "`shortages` has each line that is short, what it asked for and what there was. " +
		"Nothing was held."},
	"external_id_taken": {"Another order has this external id", "The channel has an order with this `external_id` and other content."},
	"below_committed": {"These units are held, or not for sale", "Fewer units would be on hand than orders hold and than are in quality " +
		"control or damaged. `holders` has the orders: cancel or ship some of them first. Goods that are not for sale go by " +
		"`POST /v1/inventory/dispositions`."},
	"not_in_state": {"Fewer units are in that state", "`errors` names the lines. What a return received is decided about by its " +
		"inspection. Nothing was changed."},
	"refund_pending":      {"The refund is under way", "Its gateway is being asked, and may still give the money back: wait for its answer."},
	"already_shipped":     {"A carrier has it", "What a carrier has cannot be cancelled: it comes back as a return."},
	"being_shipped":       {"A parcel is being shipped", "Its capture has not been answered yet. Ask again when it has."},
	"nothing_to_ship":     {"Nothing is ready to ship", "No parcel of this fulfillment order is packed and labeled."},
	"not_picked":          {"More than was picked", "Only picked units can be packed. Report them as picked first."},
	"not_shipped":         {"The parcel was not shipped", "A carrier's scan is about a parcel that was handed over."},
	"order_on_hold":       {"The order is on hold", "`holds` of the order says why, who is to answer, and what does not happen until then."},
	"payment_in_progress": {"A payment is being decided", "The payment before has not been answered yet. Wait for its answer, or ask for the order."},
	"payment_not_awaited": {"The order waits for no payment", "It is paid for, or final."},
	"capture_refused":     {"The money could not be taken", "The gateway refused the capture. The parcel is held and must not leave."},

	"position_ahead": {"The feed is shorter than you think", "`after` is beyond the last position: the database was put back to an " +
		"earlier time. Compare the `id` of the events that you have with those at their positions, and go on from the last one " +
		"that is the same."},

	"too_many_commands": {"Too many requests for one order", "At most 8 are at work for an order at a time. Wait for their answers."},
	"rate_limited":      {"Too many requests", "Come back after `Retry-After`."},
	"overloaded":        {"Too busy", "Nothing was changed. Come back after `Retry-After`."},
	"unavailable":       {"Something does not answer", "What is needed for this does not answer. Come back after `Retry-After`."},
	"outcome_unknown": {"Not known whether it was done", "The request may or may not take effect. Send it again with the same key: it is " +
		"done once, and the answer says what became of it."},
	"internal": {"Broken on our side", "Nothing that you sent is wrong. The `instance` finds the cause in the logs."},
}
