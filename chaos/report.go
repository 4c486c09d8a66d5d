//go:build unix

package chaos

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/waybill-oms/waybill/demo"
	"github.com/waybill-oms/waybill/store/verify"
)

// Report is what came of a run.
type Report struct {
	Seed     uint64         `json:"seed"`
	Command  string         `json:"command"` // that repeats it
	Orders   int            `json:"orders"`  // that were played, those of the sale included
	Outcomes []demo.Outcome `json:"outcomes"`
	Sold     int            `json:"sold"`   // of the sale's units
	Turned   int            `json:"turned"` // buyers who were too late for one
	Answers  map[int]int    `json:"answers"`
	Events   int64          `json:"events"` // that the subscriber has received
	Faults   []Done         `json:"faults"`
	Starts   map[string]int `json:"starts"` // of each process

	Settle     time.Duration    `json:"settle"`       // from the last fault on, until people were done and nothing was under way
	Last       []string         `json:"settled_last"` // what was under way until shortly before
	Unsettled  []string         `json:"unsettled"`    // what was under way all the same
	Wrong      []string         `json:"wrong"`        // what people were answered or saw, and should not have
	Invariants []verify.Finding `json:"invariants"`

	Logs string `json:"logs,omitempty"` // the folder, when something was wrong
}

// Passed reports whether everything was done, held, and has settled.
func (r *Report) Passed() bool {
	troubled := slices.ContainsFunc(r.Faults, func(d Done) bool { return d.Trouble != "" })
	return len(r.Unsettled) == 0 && len(r.Wrong) == 0 && !troubled && verify.Violated(r.Invariants) == 0
}

func (r *run) report(played *demo.Report, findings []verify.Finding) *Report {
	report := &Report{Seed: uint64(r.Seed), Orders: played.Read + r.sale.buyers, Outcomes: played.Outcomes, Sold: r.sale.sold,
		Turned: r.sale.turned, Answers: r.people.statuses, Events: r.subscriber.after, Faults: r.breaker.done,
		Starts: map[string]int{}, Invariants: findings}
	for name, p := range r.stack.parts {
		report.Starts[name] = int(p.starts.Load())
	}
	for i, f := range report.Faults {
		report.Faults[i].Recovery = -1
		if worked, ok := r.people.workedAfter(f.Healed); ok {
			report.Faults[i].Recovery = worked.Sub(f.Healed)
		}
	}
	return report
}

// Write shows it to people.
func (r *Report) Write(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ORDERS\tSTATUS\tPAYMENT\tFULFILLMENT\tRETURN")
	for _, o := range r.Outcomes {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", o.Orders, o.Status, o.Payment, o.Fulfillment, o.Return)
	}
	fmt.Fprintf(w, "%d\tsale: sold\t\t\t\n%d\tsale: too late\t\t\t\n", r.Sold, r.Turned)
	fmt.Fprintln(w, "\t\t\t\t\nFAULT\tTIMES\tRECOVERY MEDIAN\tMOST\t")
	for _, kind := range Kinds() {
		if times := r.recoveries(kind); len(times) > 0 {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\t\n", kind, len(times), tenths(times[len(times)/2]), tenths(times[len(times)-1]))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nAnswers: %s. Events received: %d. Settled %s after the last fault.\n", r.answers(), r.Events, tenths(r.Settle))
	for _, line := range r.Last {
		fmt.Fprintf(&b, "Settled last: %s\n", line)
	}
	fmt.Fprintf(&b, "Invariants: %d, %d violations.\n", len(r.Invariants), verify.Violated(r.Invariants))
	r.complain(&b)
	fmt.Fprintf(&b, "Seed %d.\n", r.Seed)
	if r.Command != "" {
		fmt.Fprintf(&b, "Again: %s\n", r.Command)
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// complain lists everything that is wrong.
func (r *Report) complain(b *strings.Builder) {
	for _, f := range r.Invariants {
		for _, v := range f.Violations {
			fmt.Fprintf(b, "%s VIOLATED: %s: %s\n", f.ID, v.Subject, v.Detail)
		}
	}
	for _, line := range r.Unsettled {
		fmt.Fprintf(b, "NOT SETTLED: %s\n", line)
	}
	for _, line := range r.Wrong {
		fmt.Fprintf(b, "WRONG: %s\n", line)
	}
	for _, f := range r.Faults {
		if f.Trouble != "" {
			fmt.Fprintf(b, "%s was not done as it should: %s\n", f.Fault, f.Trouble)
		}
	}
	if r.Logs != "" {
		fmt.Fprintf(b, "The logs of every process and witness are in %s\n", r.Logs)
	}
}

// recoveries of a kind, the shortest first.
func (r *Report) recoveries(kind Kind) (times []time.Duration) {
	for _, f := range r.Faults {
		if f.Kind == kind {
			times = append(times, f.Recovery)
		}
	}
	slices.Sort(times)
	return times
}

func (r *Report) answers() string {
	var list []string
	for _, status := range slices.SortedFunc(maps.Keys(r.Answers), cmp.Compare) {
		list = append(list, fmt.Sprintf("%d × %d", r.Answers[status], status))
	}
	return strings.Join(list, ", ")
}

func tenths(d time.Duration) string {
	if d < 0 {
		return "–"
	}
	return d.Round(100 * time.Millisecond).String()
}
