// Package bench measures what Waybill costs beside what Temporal alone would cost on the same machine.
//
// It owns the load (plain orders through the API, and a bare workflow of the same shape), the slices in which both take
// turns, what is counted meanwhile and where each figure comes from, and the orders that are put into a database
// beforehand. It does not own the goals' truth on any one machine: it prints absolute figures beside every ratio.
package bench
