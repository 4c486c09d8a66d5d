package demo

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"
)

// Write prints the report for people, in at most 120 columns, but for links and orders that went wrong.
func (r *Report) Write(to io.Writer) error {
	w := bufio.NewWriter(to)
	fmt.Fprintf(w, "Demo %s: %d orders in %.1f s, %d as their scenarios say, %d not (seed %d)\n", r.Code, r.Played, r.Seconds,
		r.Played-len(r.Failures), len(r.Failures), r.Seed)
	if r.CutShort > 0 || r.Played < r.Wanted {
		fmt.Fprintf(w, "Interrupted: %d of %d orders were not played, and %d were left in the middle\n", r.Wanted-r.Played-r.CutShort, r.Wanted, r.CutShort)
	}
	r.writeOutcomes(w)
	r.writeMoney(w)
	r.writeUnits(w)
	r.writeStages(w)
	r.writeKinds(w)
	r.writeFailures(w)
	return w.Flush()
}

func (r *Report) writeOutcomes(w io.Writer) {
	title(w, "ORDERS BY OUTCOME", fmt.Sprintf("all %d that GET /v1/orders has of this run", r.Read))
	rows := [][]string{}
	for _, o := range r.Outcomes {
		rows = append(rows, []string{fmt.Sprint(o.Orders), string(o.Status), string(o.Payment), string(o.Fulfillment), string(o.Return)})
	}
	table(w, []string{">orders", "status", "payment", "fulfillment", "returns"}, rows)
}

func (r *Report) writeMoney(w io.Writer) {
	title(w, "MONEY", "authorized = held + captured + voided; kept = captured − refunded")
	rows := [][]string{}
	for _, m := range r.Money {
		row := []string{m.Currency, fmt.Sprint(m.Orders)}
		for _, amount := range []int64{m.Ordered, m.Authorized, m.Held, m.Captured, m.Voided, m.Refunded, m.Kept} {
			row = append(row, minor(amount, m.Decimals))
		}
		rows = append(rows, row)
	}
	table(w, []string{"", ">orders", ">ordered", ">authorized", ">held", ">captured", ">voided", ">refunded", ">kept"}, rows)
	differences := []string{}
	for _, m := range r.Money {
		differences = append(differences, m.Differences...)
	}
	foots(w, "It foots to the cent: payments, orders, refunds and timelines say the same.", differences)
}

func (r *Report) writeUnits(w io.Writer) {
	u := r.Units
	title(w, "UNITS", "ordered = cancelled + open + shipped; shipped = on the way + delivered + lost + undelivered")
	row := []string{}
	for _, n := range []int64{u.Ordered, u.Cancelled, u.Open, u.Backordered, u.Shipped, u.OnTheWay, u.Delivered, u.Lost, u.Undelivered, u.Returned, u.TurnedAway} {
		row = append(row, fmt.Sprint(n))
	}
	table(w, []string{">ordered", ">cancelled", ">open", ">backordered", ">shipped", ">on the way", ">delivered", ">lost", ">undelivered", ">returned", ">turned away"},
		[][]string{row})
	foots(w, "Backordered units are open ones; returned ones came back after they were delivered, or undelivered.", u.Differences)
}

func (r *Report) writeStages(w io.Writer) {
	title(w, "TIME PER STAGE", "by the timelines; the people in it are a program, and do not dawdle")
	rows := [][]string{}
	for _, s := range r.Stages {
		if s.Times == 0 {
			continue
		}
		rows = append(rows, []string{s.Name, fmt.Sprint(s.Times), brief(s.Median), brief(s.Slowest), s.Counts})
	}
	table(w, []string{"", ">times", ">median", ">slowest", "what it counts"}, rows)
}

func (r *Report) writeKinds(w io.Writer) {
	linked := slices.ContainsFunc(r.Kinds, func(k Kind) bool { return len(k.Links) > 0 })
	what := "what happens, and how the first order of the kind stands"
	if linked {
		what = "what happens, how the first order of the kind stands, its run and its return's"
	}
	title(w, "ONE ORDER OF EACH KIND", what)
	width := 0
	for _, k := range r.Kinds {
		width = max(width, utf8.RuneCountInString(k.Name))
	}
	for _, k := range r.Kinds {
		lines := append([]string{k.What, k.Stands}, k.Links...)
		switch {
		case !linked:
			lines[1] = k.OrderID + "  " + k.Stands
		case !k.Run:
			lines = append(lines, k.OrderID+"  needed no run")
		}
		for i, line := range lines {
			name := k.Name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(w, "  %-*s  %s\n", width, name, line)
		}
	}
}

func (r *Report) writeFailures(w io.Writer) {
	if len(r.Failures) == 0 {
		return
	}
	title(w, "NOT AS EXPECTED", fmt.Sprintf("%d orders", len(r.Failures)))
	for _, f := range r.Failures {
		order := f.OrderID
		if order == "" {
			order = "(no order)"
		}
		fmt.Fprintf(w, "  %s  %s %s, at %q\n    expected  %s\n    got       %s\n", f.Scenario, f.ExternalID, order, f.Step, f.Expected, f.Got)
	}
}

func title(w io.Writer, name, about string) { fmt.Fprintf(w, "\n%s  %s\n", name, about) }

// foots says that all is well, or what is not.
func foots(w io.Writer, well string, differences []string) {
	if len(differences) == 0 {
		fmt.Fprintf(w, "  %s\n", well)
		return
	}
	for _, d := range differences {
		fmt.Fprintf(w, "  IT DOES NOT FOOT  %s\n", d)
	}
}

// table writes rows under their headings. Columns whose heading begins with > are flush right.
func table(w io.Writer, heading []string, rows [][]string) {
	rows = append([][]string{slices.Clone(heading)}, rows...)
	for column := range heading {
		name, right := strings.CutPrefix(heading[column], ">")
		rows[0][column] = strings.ToUpper(name)
		if !right {
			continue
		}
		width := 0
		for _, row := range rows {
			width = max(width, utf8.RuneCountInString(row[column]))
		}
		for _, row := range rows {
			row[column] = fmt.Sprintf("%*s", width, row[column])
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.TrimRight("  "+strings.Join(row, "\t"), "\t "))
	}
	_ = t.Flush() // the writer below keeps its error
}

// minor writes minor units with their point.
func minor(amount int64, decimals int) string {
	sign := ""
	if amount < 0 {
		sign, amount = "-", -amount
	}
	digits := fmt.Sprintf("%0*d", decimals+1, amount)
	if decimals == 0 {
		return sign + digits
	}
	return sign + digits[:len(digits)-decimals] + "." + digits[len(digits)-decimals:]
}

// brief is as exact as a person wants to know it.
func brief(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.3f s", d.Seconds())
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}
