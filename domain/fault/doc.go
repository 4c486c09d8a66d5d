// Package fault is the one error type that crosses Waybill's process borders.
//
// It owns what a refusal is: its kind, a stable code, a sentence a person can act on, and the fields it
// concerns. It does not own how a refusal looks on the wire: the API turns a Fault into problem+json, the
// activities turn it into a Temporal application error and back. An error of any other type is a bug or a
// broken dependency, and its text never leaves the process.
package fault
