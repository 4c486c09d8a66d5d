package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The files that -write makes.
const (
	resultsFile = "planted/results.json"
	pageFile    = "docs/reference/planted-bugs.md"
)

// results are what the last runs found.
type results struct {
	Control []finding `json:"control"` // the build as it is
	Bugs    []outcome `json:"bugs"`
}

func readResults(root string) (results, error) {
	var r results
	body, err := os.ReadFile(filepath.Join(root, resultsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(body, &r)
}

// merge puts what was found now in the place of what was found before, layer by layer, and leaves out what is about a bug
// that is another now.
func (r results) merge(all []bug, control []finding, now []outcome) results {
	merged := results{Control: over(r.Control, control)}
	for _, b := range all {
		o := outcome{Bug: b.Name, Sum: b.Sum}
		for _, list := range [][]outcome{r.Bugs, now} {
			if known := find(list, b); known != nil {
				o.Findings = over(o.Findings, known.Findings)
			}
		}
		if len(o.Findings) > 0 {
			merged.Bugs = append(merged.Bugs, o)
		}
	}
	return merged
}

// find returns what is known of a bug as it is now, or nil.
func find(list []outcome, b bug) *outcome {
	for i := range list {
		if list[i].Bug == b.Name && list[i].Sum == b.Sum {
			return &list[i]
		}
	}
	return nil
}

// over puts newer findings in the place of older ones, in the order of the layers.
func over(older, newer []finding) []finding {
	var found []finding
	for _, name := range layerNames() {
		for _, list := range [][]finding{newer, older} {
			if i := slices.IndexFunc(list, func(f finding) bool { return f.Layer == name }); i >= 0 {
				found = append(found, list[i])
				break
			}
		}
	}
	return found
}

// write puts the results and their page into the tree.
func (r results) write(root string, all []bug) error {
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, resultsFile), append(body, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, pageFile), []byte(r.page(all)), 0o644)
}

// page tells what was planted and what found it.
func (r results) page(all []bug) string {
	var page strings.Builder
	fmt.Fprintf(&page, pageHead, len(all), r.count(all, nil), r.counts(all), r.controls())
	page.WriteString("\n| | Bug | Core | Life | Chaos | Found as |\n| --- | --- | --- | --- | --- | --- |\n")
	var unfound []bug
	for _, b := range all {
		o := find(r.Bugs, b)
		number, _, _ := strings.Cut(b.Name, "-")
		fmt.Fprintf(&page, "| [%s](../../planted/bugs/%s.txt) | %s |", number, b.Name, cell(b.Title))
		for _, name := range layerNames() {
			fmt.Fprintf(&page, " %s |", o.cell(name))
		}
		fmt.Fprintf(&page, " %s |\n", cell(strings.Join(o.violated(), ", ")))
		if o == nil || o.red() == nil {
			unfound = append(unfound, b)
		}
	}
	if len(unfound) > 0 {
		page.WriteString("\n## Not found\n\n")
		for _, b := range unfound {
			fmt.Fprintf(&page, "- **%s**: %s. %s\n", b.Name, b.Title, b.Why)
		}
	}
	page.WriteString("\n## What each one takes away\n\n| | Defense |\n| --- | --- |\n")
	for _, b := range all {
		number, _, _ := strings.Cut(b.Name, "-")
		fmt.Fprintf(&page, "| %s | %s |\n", number, cell(b.Defense))
	}
	return page.String()
}

const pageHead = `<!-- Made by "go run ./planted -write". Do not edit. -->

# Planted bugs

A harness that has never been red proves nothing. So %d bugs were written down, each a few lines that take one of Waybill's
defenses away, before any of them was looked for; then each was built in, and the layers of the proof were run on it, the
cheapest first, until one went red. %d of them were found.

%s
The control run is the build as it is, on the same seeds: %s.

- **core** is ` + "`waybill simulate --layer core`" + `: the pure domain in a simulated world.
- **life** is ` + "`waybill simulate --layer life`" + `: the real workflows, activities and store, on PostgreSQL, in Temporal's test environment.
- **chaos** is ` + "`waybill chaos`" + `: real processes, and real faults between them.

` + "`go run ./planted -bug 07`" + ` repeats one of them, ` + "`make planted`" + ` all. A number in the table is the first seed that was red; *green* means that no
seed was, and a dash that nobody asked. Where a bug was real and nobody saw it at first, the layer learned what it had missed, and the list
stayed as it was. What a bug was found as is the id of the invariant
that did not hold (` + "`waybill verify`" + ` lists those that begin with V), or of the constraint of the schema that would have refused.
`

// counts says which layer found how many, first.
func (r results) counts(all []bug) string {
	var said []string
	for _, name := range layerNames() {
		if n := r.count(all, func(f finding) bool { return f.Layer == name }); n > 0 {
			said = append(said, fmt.Sprintf("%s found %d of them", name, n))
		}
	}
	if len(said) == 0 {
		return ""
	}
	text := strings.Join(said, ", ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

// count says how many bugs were found, first by such a layer.
func (r results) count(all []bug, such func(finding) bool) int {
	n := 0
	for _, b := range all {
		if o := find(r.Bugs, b); o != nil && o.red() != nil && (such == nil || such(*o.red())) {
			n++
		}
	}
	return n
}

func (r results) controls() string {
	var said []string
	for _, f := range r.Control {
		said = append(said, fmt.Sprintf("%s green on %d", f.Layer, f.Seeds))
	}
	return strings.Join(said, ", ")
}

// cell says what a layer made of the bug.
func (o *outcome) cell(layer string) string {
	if o == nil {
		return "–"
	}
	for _, f := range o.Findings {
		switch {
		case f.Layer != layer:
		case f.green():
			return "green"
		default:
			return fmt.Sprintf("**%d**", f.Red)
		}
	}
	return "–"
}

// violated is what did not hold, by the layer that found it first.
func (o *outcome) violated() []string {
	if o == nil || o.red() == nil {
		return nil
	}
	return o.red().Violated
}

// cell is text that does not end a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
