// Package store keeps Waybill's facts in PostgreSQL.
//
// It owns the schema and its migrations, the one way in which an order changes (lock, load, decide, save, commit:
// Store.Change), the allocator, idempotency of commands, and every read. It is the only package that imports sqlx
// and lib/pq, except for the sandbox gateways, which keep books of their own.
//
// It does not own any rule: what may happen to an order is decided by domain/order on what was loaded, and the
// constraints of the schema, each named <table>_<rule>, have the last word.
package store
