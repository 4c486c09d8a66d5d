// Package inventory decides where units come from.
//
// It owns the kinds of stock movement and the allocation of an order's needs over locations, as a pure function
// that returns a plan. It does not own the levels themselves, nor does it reserve anything: the store writes the
// plan under the locks and constraints that have the last word.
package inventory
