package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Table writes findings for a person to read: one line for each, and under it what violates it.
func Table(w io.Writer, findings []Finding) error {
	states, width := make([]string, len(findings)), 0
	for i, f := range findings {
		states[i] = f.state()
		width = max(width, len(states[i]))
	}
	var b strings.Builder
	for i, f := range findings {
		fmt.Fprintf(&b, "%-5s  %-*s  %s\n", f.ID, width, states[i], f.Protects)
		for _, v := range f.Violations {
			fmt.Fprintf(&b, "       ✗ %s: %s\n", v.Subject, v.Detail)
		}
		if more := f.Count - int64(len(f.Violations)); more > 0 {
			fmt.Fprintf(&b, "       ✗ … and %d more\n", more)
		}
	}
	b.WriteString("\n" + summary(findings) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// state is what there is to say of a finding in a few words.
func (f Finding) state() string {
	var words []string
	switch {
	case f.NotChecked != "":
		return "not checked: " + f.NotChecked
	case f.Count == 1:
		words = append(words, "1 VIOLATION")
	case f.Count > 1:
		words = append(words, fmt.Sprintf("%d VIOLATIONS", f.Count))
	default:
		words = append(words, "ok")
	}
	if f.InFlight > 0 {
		words = append(words, fmt.Sprintf("in flight: %d", f.InFlight))
	}
	if f.Attention > 0 {
		words = append(words, fmt.Sprintf("with an operator: %d", f.Attention))
	}
	return strings.Join(words, ", ")
}

func summary(findings []Finding) string {
	violated, unchecked := 0, NotChecked(findings)
	for _, f := range findings {
		if f.Count > 0 {
			violated++
		}
	}
	s := fmt.Sprintf("%d invariants: %d hold", len(findings), len(findings)-violated-unchecked)
	if violated > 0 {
		s += fmt.Sprintf(", %d violated (%d violations)", violated, Violated(findings))
	}
	if unchecked > 0 {
		s += fmt.Sprintf(", %d not checked", unchecked)
	}
	return s
}

// JSON writes findings for a program to read: an array, in the order of the table.
func JSON(w io.Writer, findings []Finding) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(findings)
}
