// Package life plays the real workflows, the real activities and the real store in a world that a seed decides: months
// of business in seconds, on Temporal's test environment and a PostgreSQL database of its own.
//
// It owns everybody around Waybill (customers, warehouse, carrier, supplier, operators, and what API and relay do for
// them), what goes wrong (gateways and carrier that lose requests and answers, workers that die, runs that are
// terminated, a database that is away), and the judgment at the end: `waybill verify` on what is left, with the sandbox
// gateways' own books as the witness, and that everything has ended.
//
// It does not own how a seed decides, nor what a run leaves behind (package simulation), nor any rule of Waybill: what it
// promises is asked of Waybill itself.
//
// # One thing at a time
//
// A world is one workflow in one test environment. Its people are coroutines of it; the runs of orders and returns are its
// children, as many at once as there are. Time is the environment's: it passes when everybody waits. The environment would
// run an activity on a goroutine beside the workflow, and let wall-clock time decide which of two comes first; here an
// activity runs, by the SDK's own executor, where its workflow stands, with delays before and after it that the seed
// draws. So everything interleaves, and the same seed gives the same trace.
//
// A fault is a pure function of the seed, the operation and the attempt. Its id says so: "capture/shp_002_01#2:lost_answer".
package life
