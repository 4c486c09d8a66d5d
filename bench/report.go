package bench

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// Figures are what one side did while it was counted, and what it cost. Whatever is per order is divided by the orders
// that were completed in that time; those that had begun before and those that ended after even out.
type Figures struct {
	Orders    int     `json:"orders"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"orders_per_s"`
	// Requests are the attempts that were answered, by what was asked, and from end to end.
	Requests map[string]Latency `json:"requests"`
	// Also counts what else happened: attempts that were to be sent again, orders that were decided after their answer.
	Also   map[string]int `json:"also"`
	Failed int            `json:"failed"` // orders that did not get through
	Reason string         `json:"failure,omitempty"`
	// CPU is the milliseconds of CPU time per order, by process, of user and system together.
	CPU map[string]float64 `json:"cpu_ms_per_order"`
	// Statements are those of Waybill's own database, the sandbox gateways' included, without BEGIN and COMMIT; nil when
	// the server has no pg_stat_statements.
	Statements   *float64 `json:"sql_statements_per_order"`
	Transactions float64  `json:"sql_transactions_per_order"`
	// The mean of a sample of runs, from start to end.
	Actions     float64 `json:"actions_per_order"`
	Events      float64 `json:"history_events_per_order"`
	Transitions float64 `json:"state_transitions_per_order"`
}

// Level is both sides at one number in flight.
type Level struct {
	InFlight int     `json:"in_flight"`
	Waybill  Figures `json:"waybill"`
	Bare     Figures `json:"bare"`
	Ratio    float64 `json:"ratio"`               // of the orders a second: Waybill's by the bare one's
	Place    float64 `json:"place_p99_ratio"`     // of the 99th percentile of placing
	Scaling  float64 `json:"scaling,omitempty"`   // Waybill's orders a second by those of the first level
	CPU      float64 `json:"cpu_ratio,omitempty"` // of the whole CPU time of an order
}

// Goal is what was to be reached, and whether it was.
type Goal struct {
	Goal     string  `json:"goal"`
	Measured float64 `json:"measured"`
	Holds    bool    `json:"holds"`
}

// Report is what came of a benchmark. The first level is told at the top, too.
type Report struct {
	Waybill       Figures `json:"waybill"`
	Bare          Figures `json:"bare"`
	Ratio         float64 `json:"ratio"`
	Levels        []Level `json:"levels"`
	Goals         []Goal  `json:"goals"`
	TemporalStore string  `json:"temporal_store"`
	Lines         int     `json:"lines_per_order"`
	OrdersBefore  int     `json:"orders_before"` // in the database
}

func (s *side) orders() int {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	return len(s.tally.ids)
}

func (s *side) figures(mean cost, statements bool) Figures {
	f := Figures{Orders: s.orders(), Seconds: round(s.seconds), Requests: s.tally.latencies(), Also: s.tally.counts, Failed: s.tally.failed,
		CPU: map[string]float64{}, Actions: round(mean.actions), Events: round(mean.events), Transitions: round(mean.transitions)}
	if s.tally.failure != nil {
		f.Reason = s.tally.failure.Error()
	}
	if f.Orders == 0 {
		return f
	}
	n := float64(f.Orders)
	f.PerSecond, f.Transactions = round(ratio(n, s.seconds)), round(float64(s.transactions)/n)
	for name, used := range s.cpu {
		f.CPU[name] = round(millis(used) / n)
	}
	if statements {
		per := round(float64(s.statements) / n)
		f.Statements = &per
	}
	return f
}

// cpu is that of all processes.
func (f Figures) cpu() (sum float64) {
	for _, used := range f.CPU {
		sum += used
	}
	return sum
}

func (l *Level) compare() {
	l.Ratio = round(ratio(l.Waybill.PerSecond, l.Bare.PerSecond))
	l.Place = round(ratio(l.Waybill.Requests["place"].P99, l.Bare.Requests["place"].P99))
	l.CPU = round(ratio(l.Waybill.cpu(), l.Bare.cpu()))
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// The goals. What depends on the machine is a ratio to the bare workflow on the same one.
const (
	ratioMin       = 0.75
	placeRatioMax  = 1.5
	scalingMin     = 0.9
	acceptedMaxMS  = 2000
	actionsMax     = 16
	eventsMax      = 48
	transitionsMax = 10
)

// conclude tells the first level at the top, and holds everything against the goals.
func (r *Report) conclude() {
	first := &r.Levels[0]
	r.Waybill, r.Bare, r.Ratio = first.Waybill, first.Bare, first.Ratio
	at := fmt.Sprintf(" at %d in flight", first.InFlight)
	r.least("orders/s by those of the bare workflow"+at, first.Ratio, ratioMin)
	r.most("p99 of placing by that of the bare update-with-start"+at, first.Place, placeRatioMax)
	r.most("Temporal actions of an order", first.Waybill.Actions, actionsMax)
	r.most("history events of an order", first.Waybill.Events, eventsMax)
	r.most("state transitions of an order", first.Waybill.Transitions, transitionsMax)
	for i := range r.Levels[1:] {
		l := &r.Levels[i+1]
		l.Scaling = round(ratio(l.Waybill.PerSecond, first.Waybill.PerSecond))
		at := fmt.Sprintf(" at %d in flight", l.InFlight)
		r.least(fmt.Sprintf("orders/s%s by those at %d", at, first.InFlight), l.Scaling, scalingMin)
		r.most("p99 of an accepted POST in ms"+at, l.Waybill.Requests["place"].P99, acceptedMaxMS)
	}
}

func (r *Report) least(goal string, measured, bound float64) {
	r.Goals = append(r.Goals, Goal{fmt.Sprintf("%s: at least %v", goal, bound), measured, measured >= bound})
}

func (r *Report) most(goal string, measured, bound float64) {
	r.Goals = append(r.Goals, Goal{fmt.Sprintf("%s: at most %v", goal, bound), measured, measured > 0 && measured <= bound})
}

// Failed is how many orders did not get through.
func (r *Report) Failed() (orders int) {
	for _, l := range r.Levels {
		orders += l.Waybill.Failed + l.Bare.Failed
	}
	return orders
}

// Write prints the report for people.
func (r *Report) Write(to io.Writer) error {
	fmt.Fprintf(to, "Temporal on %s; orders of %d lines; %d orders were in the database before\n", r.TemporalStore, r.Lines, r.OrdersBefore)
	for _, l := range r.Levels {
		if err := l.write(to); err != nil {
			return err
		}
	}
	fmt.Fprintln(to, "\nGoals")
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, g := range r.Goals {
		mark := "missed"
		if g.Holds {
			mark = "ok"
		}
		fmt.Fprintf(w, "  %s\t%v\t%s\n", mark, g.Measured, g.Goal)
	}
	return w.Flush()
}

func (l Level) write(to io.Writer) error {
	fmt.Fprintf(to, "\n%d in flight: %.2f of the bare workflow's orders/s\n", l.InFlight, l.Ratio)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(what string, of func(Figures) string) {
		fmt.Fprintf(w, "  %s\t%s\t%s\t\n", what, of(l.Waybill), of(l.Bare))
	}
	fmt.Fprintln(w, "  \tWaybill\tbare\t")
	row("orders/s", func(f Figures) string { return fmt.Sprintf("%.1f", f.PerSecond) })
	row("orders, counted", func(f Figures) string { return fmt.Sprint(f.Orders) })
	for _, what := range asked(l) {
		row(what+", p50 / p99 ms", func(f Figures) string {
			if took, there := f.Requests[what]; there {
				return fmt.Sprintf("%.0f / %.0f", took.P50, took.P99)
			}
			return ""
		})
	}
	row("CPU ms per order", func(f Figures) string { return fmt.Sprintf("%.1f", f.cpu()) })
	for _, name := range union(l.Waybill.CPU, l.Bare.CPU) {
		row("  "+name, func(f Figures) string { return fmt.Sprintf("%.1f", f.CPU[name]) })
	}
	row("Temporal actions", func(f Figures) string { return fmt.Sprintf("%.1f", f.Actions) })
	row("history events", func(f Figures) string { return fmt.Sprintf("%.1f", f.Events) })
	row("state transitions", func(f Figures) string { return fmt.Sprintf("%.1f", f.Transitions) })
	row("SQL statements", func(f Figures) string {
		if f.Statements == nil {
			return "not known"
		}
		return fmt.Sprintf("%.1f", *f.Statements)
	})
	row("SQL transactions", func(f Figures) string { return fmt.Sprintf("%.1f", f.Transactions) })
	for _, what := range union(l.Waybill.Also, l.Bare.Also) {
		row(what, func(f Figures) string { return fmt.Sprint(f.Also[what]) })
	}
	if l.Waybill.Failed+l.Bare.Failed > 0 {
		row("orders that failed", func(f Figures) string { return fmt.Sprint(f.Failed) })
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, reason := range []string{l.Waybill.Reason, l.Bare.Reason} {
		if reason != "" {
			fmt.Fprintf(to, "  the first that failed: %s\n", reason)
		}
	}
	return nil
}

// asked lists what was asked, in the order in which it is.
func asked(l Level) (list []string) {
	known := []string{endToEnd, "place", "look", "pick", "pack", "ship", "scan", "deliver"}
	for _, what := range union(l.Waybill.Requests, l.Bare.Requests) {
		if !slices.Contains(known, what) {
			known = append(known, what)
		}
	}
	return slices.DeleteFunc(known, func(what string) bool {
		_, ours := l.Waybill.Requests[what]
		_, theirs := l.Bare.Requests[what]
		return !ours && !theirs
	})
}

func union[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return slices.SortedFunc(maps.Keys(all), strings.Compare)
}
