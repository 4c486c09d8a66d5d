package verify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Options say what to verify. Only DatabaseURL is needed.
type Options struct {
	DatabaseURL string
	// SandboxURL is the database with the sandbox gateways' ledgers; the one at DatabaseURL when empty.
	SandboxURL string
	// Temporal is asked for the runs of orders, in its namespace. A client.Client is one. Without it their invariants
	// are not checked.
	Temporal Temporal
	// TaskQueue narrows which runs are ours, where a namespace has those of others; every task queue when empty.
	TaskQueue string
	// ClientLog and ReceiverLog are files that clients and receivers of events have kept themselves: Answer and Arrival, one
	// JSON object a line. What they are witnesses of is asked, and among the findings, only with them.
	ClientLog, ReceiverLog string
	// Now is the clock by which things are late; time.Now. The database's own is not asked: holds expire by the
	// clock of those who set them.
	Now func() time.Time
}

// listed bounds how many violations of one invariant are spelled out.
const listed = 100

// Violation is one thing that must not be.
type Violation struct {
	Subject string `json:"subject"` // the id of what is wrong
	Detail  string `json:"detail"`  // a sentence for an operator, without personal data
}

// Finding is what came of one invariant.
type Finding struct {
	ID         string      `json:"id"`
	Protects   string      `json:"protects"`
	Violations []Violation `json:"violations"` // at most 100, by subject
	Count      int64       `json:"count"`      // of all violations, also those that are not listed
	// InFlight counts what would be a violation if it were not still under way.
	InFlight int64 `json:"in_flight"`
	// Attention counts what would be a violation if no operator had been called for it.
	Attention int64 `json:"attention"`
	// NotChecked says why nothing is known; empty when the invariant was checked.
	NotChecked string `json:"not_checked,omitempty"`
}

// Holds reports whether the invariant was checked and nothing violates it.
func (f Finding) Holds() bool { return f.NotChecked == "" && f.Count == 0 }

func (f *Finding) violated(subject, detail string) {
	f.Count++
	if len(f.Violations) < listed {
		f.Violations = append(f.Violations, Violation{Subject: subject, Detail: detail})
	}
}

// Violated counts the violations in all findings. What was not checked counts for nothing here: see NotChecked.
func Violated(findings []Finding) (violations int64) {
	for _, f := range findings {
		violations += f.Count
	}
	return violations
}

// NotChecked counts the invariants of which nothing is known.
func NotChecked(findings []Finding) (invariants int) {
	for _, f := range findings {
		if f.NotChecked != "" {
			invariants++
		}
	}
	return invariants
}

// Run checks every invariant and returns one finding for each that the options allow to ask, in the order of the table. It changes nothing and
// may run at any time, on a database at work.
//
// An error without findings means that the database could not be asked. An error with findings means that a
// witness could not be asked: what depends on it is not checked, the rest is.
func Run(ctx context.Context, o Options) ([]Finding, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	q, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer q.close()
	var findings []Finding
	err = q.inOneMoment(ctx, func() error {
		for _, i := range asked(o) {
			f, err := q.ask(ctx, i)
			if err != nil {
				return fmt.Errorf("%s could not be checked: %w", i.id, err)
			}
			findings = append(findings, f)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	ofRuns, err := q.askTemporal(ctx)
	return append(findings, ofRuns...), errors.Join(q.sandboxErr, err)
}
