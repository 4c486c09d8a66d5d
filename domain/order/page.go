package order

import (
	"fmt"
	"slices"
	"strings"
)

// The marks that stand in details for words that are always the same. A mark begins a line.
const (
	markGuide  = "{guide}"  // what the cause of attention means, and what to do
	markCancel = "{cancel}" // Request Cancellation would cancel
	markEnd    = "{end} "   // and the time of the facts
)

// The tables in details. The mark of each is its name in braces, with a plus when its rows have an id beside.
const (
	tableLines      = "lines"
	tableWarehouse  = "warehouse"
	tableMoney      = "money"
	tableParcels    = "parcels"
	tableRefunds    = "refunds"
	tableReturn     = "return"
	tableGraded     = "graded"
	tableUnexpected = "unexpected"
)

// tables are the titles and the headers.
var tables = map[string][]string{
	tableLines:      {"Lines", "SKU", "ordered", "now"},
	tableWarehouse:  {"Warehouse", "fulfillment order", "status", "units", "of them"},
	tableMoney:      {"Money", "payment", "status", "held", "captured", "let go", "refunded"},
	tableParcels:    {"Parcels", "parcel", "status", "carrier", "tracking number"},
	tableRefunds:    {"Refunds", "refund", "amount", "for what was", "status", "id"},
	tableReturn:     {"Lines", "SKU", "announced", "because", "now"},
	tableGraded:     {"Graded", "SKU", "units", "grade", "of its price", "stock", "at"},
	tableUnexpected: {"Not announced", "SKU", "units", "at"},
}

// mark is that of a table whose rows have so many cells.
func mark(table string, cells int) string {
	if cells >= len(tables[table]) {
		table += "+"
	}
	return "{" + table + "}"
}

// Page lays the details out for the web UI: words take the places of marks. It is not done where the facts are made,
// since a run's history would carry the same words in each of its events.
func (f Facts) Page() string {
	const end = "\n\n\u00a0\n" // the web UI hides the last line: it is empty
	lines := strings.Split(f.Details, "\n")
	for i, line := range lines {
		lines[i] = f.layOut(line)
	}
	return strings.TrimSuffix(strings.Join(lines, "\n"), end) + end
}

// layOut lays out one line.
func (f Facts) layOut(line string) string {
	name, rest, marked := strings.Cut(strings.TrimPrefix(line, "{"), "}")
	switch {
	case strings.HasPrefix(line, "| "):
		return spaced(line)
	case !marked || !strings.HasPrefix(line, "{"):
		return line
	case line == markGuide:
		return f.guide()
	case line == markCancel:
		return "**Request Cancellation** " + f.cancels()
	case strings.HasPrefix(line, markEnd):
		return f.ending(strings.TrimPrefix(line, markEnd))
	}
	table, ids := strings.CutSuffix(name, "+")
	header, found := tables[table]
	if !found {
		return line
	}
	header = slices.Clone(header)
	if ids {
		header = append(header, "id")
	}
	return fmt.Sprintf("**%s%s**\n\n%s\n%s|", header[0], rest, spaced("| "+strings.Join(header[1:], " | ")+" |"),
		strings.Repeat("|:---", len(header)-1))
}

// spaced keeps the cells of a table apart: the web UI draws no lines between them and trims plain spaces.
func spaced(row string) string {
	inner, _ := strings.CutSuffix(row, " |")
	return strings.ReplaceAll(inner, " | ", "\u2003 | ") + " |"
}

func (f Facts) guide() string {
	g := GuideTo(f.Attention)
	how := "Commands of this run may also be sent from this page: *More Actions*, *Send an Update*. Each says what data it wants."
	if f.Settled {
		how = "This run has ended, so that it takes no updates: send it to the API."
	}
	return fmt.Sprintf("**What it means:** %s\n\n**What to do:** %s\n\n%s", g.Meaning, g.For(f.OrderID, f.ReturnID), how)
}

func (f Facts) cancels() string {
	if f.ReturnID != "" {
		return "calls the return off: its label is voided, and its units may be announced again"
	}
	return "cancels the whole order: held money is let go and taken money refunded, stock released, labels voided"
}

// ending says of when the facts are, and where to find what is not here.
func (f Facts) ending(at string) string {
	everything := fmt.Sprintf("`GET /v1/orders/%s`, what happened: `GET /v1/orders/%s/timeline`", f.OrderID, f.OrderID)
	if f.ReturnID != "" {
		everything = fmt.Sprintf("`GET /v1/returns/%s`", f.ReturnID)
	}
	if f.Settled {
		return fmt.Sprintf("As of %s, version %d, when this run ended. What came after it is not on this page. Everything: %s", at, f.Version, everything)
	}
	return fmt.Sprintf("As of %s, version %d. Everything: %s", at, f.Version, everything)
}
