// Package workflows is the order of steps: what is waited for, what follows what, what is compensated.
//
// It owns the workflows Order and Return, which one interpreter drives, and the names by which they are spoken to.
// Its code is deterministic and does no I/O: the facts, and what is due by them, come from activities, so that a
// rule may change while orders run. It does not own any rule (domain/order), nor how runs are started and asked
// (workflows/runs).
package workflows
