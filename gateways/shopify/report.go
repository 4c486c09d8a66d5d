package shopify

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTable writes an import's report for people: a row for each order, what somebody has to know of it under
// another, and a line that counts.
func WriteTable(w io.Writer, outcomes []Outcome) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ORDER\tTOTAL\tIN SHOPIFY\tRESULT\tSTATUS\tWAYBILL ORDER\tWHY")
	for _, o := range outcomes {
		why := o.why()
		if len(why) == 0 {
			why = []string{""}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.label(), dash(o.Total), dash(o.Financial), o.Result,
			dash(string(o.Status)), dash(o.OrderID), why[0])
		for _, more := range why[1:] {
			fmt.Fprintf(t, "\t\t\t\t\t\t%s\n", more)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, Summary(outcomes))
	return err
}

// why is everything that a person has to know of an outcome. Where it is in a file matters only for what has to be
// looked for there.
func (o Outcome) why() []string {
	var why []string
	for _, h := range o.Holds {
		why = append(why, h.Reason+": "+h.Detail)
	}
	why = append(why, o.Notes...)
	if len(why) > 0 && (o.Result == Failed || o.Result == Skipped && o.Name == "") {
		where := o.File
		if o.Number > 0 {
			where += fmt.Sprintf(", no. %d", o.Number)
		}
		why[0] = where + ": " + why[0]
	}
	return why
}

// Summary counts an import's outcomes in one line: "5 orders: 2 imported, 1 held, 2 skipped".
func Summary(outcomes []Outcome) string {
	counts := Count(outcomes)
	var parts []string
	for _, r := range Results() {
		if n := counts[r]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, r))
		}
	}
	if len(parts) == 0 {
		return "nothing was imported"
	}
	noun := "orders"
	if len(outcomes) == 1 {
		noun = "order"
	}
	return fmt.Sprintf("%d %s: %s", len(outcomes), noun, strings.Join(parts, ", "))
}

// WriteJSON writes an import's report for programs.
func WriteJSON(w io.Writer, outcomes []Outcome) error {
	report := struct {
		Complete bool           `json:"complete"`
		Counts   map[Result]int `json:"counts"`
		Orders   []Outcome      `json:"orders"`
	}{Complete(outcomes), Count(outcomes), make([]Outcome, 0, len(outcomes))}
	for _, o := range outcomes {
		o.Holds = append([]OutcomeHold{}, o.Holds...) // a program gets an empty list, never null
		o.Notes = append([]string{}, o.Notes...)
		report.Orders = append(report.Orders, o)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(report)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
