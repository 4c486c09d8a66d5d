// Package activities is the border between workflows and the world.
//
// It owns policy at run time: which gateway is asked, whether to look up or to ask again, what an answer means for
// the facts (through domain/order), and which errors a workflow may retry. Every activity is one transaction on
// the facts, or a request to somebody else's system followed by one, and returns the facts as they then stand, so
// that repeating it after a crash at any point is harmless.
//
// It does not own the order of steps or any waiting (workflows), nor SQL (store), nor how a gateway speaks
// (gateways). The interfaces that it needs stand in the file that needs them.
package activities
