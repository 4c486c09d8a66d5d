// Package chaos runs the whole of Waybill as real processes and breaks them: PostgreSQL, a Temporal that keeps its runs
// there, two APIs, two workers, the sandbox gateways, and a proxy on every way between two of them. People place, pack,
// ship and send back meanwhile; then everything is healed, has to settle, and is verified.
//
// It owns the schedule of faults, which is a function of the seed alone, how each is done and undone, the witnesses that
// stand outside (what clients were answered, what a subscriber received), and the report. It does not own what people do,
// which is package demo's, nor what has to hold, which is package verify's. It listens on the loopback address only, keeps
// everything in a folder of its own, and ends what it has started by its own process ids.
//
// A seed repeats which faults hit what, when and for how long, and which orders are placed. What the machine makes of it
// differs from run to run: processes are real.
package chaos
