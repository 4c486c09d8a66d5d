package api

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
)

//go:generate go test -run TestReference -write-reference .

var writeReference = flag.Bool("write-reference", false, "write docs/reference/api.md from the contract")

// docs/reference/api.md is the page at /docs for those who read the repository. When this fails, the contract changed:
// go generate ./api
func TestReference(t *testing.T) {
	contract, err := readContract(true)
	require.NoError(t, err)
	page, err := template.New("reference.md.tmpl").Funcs(template.FuncMap{"line": oneLine, "flat": flat, "anchor": anchor}).ParseFiles("docs/reference.md.tmpl")
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, page.Execute(&text, docsView(contract)))
	made := emptyLines.ReplaceAllString(text.String(), "\n\n")
	file := filepath.Join("..", "docs", "reference", "api.md")
	if *writeReference {
		require.NoError(t, os.WriteFile(file, []byte(made), 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, made, string(kept), "the reference is not what the contract says: go generate ./api")
}

var (
	emptyLines = regexp.MustCompile(`\n{3,}`)
	notAnchor  = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// oneLine is a text that can stand in a table.
func oneLine(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

// anchor is what a heading is linked by.
func anchor(heading string) string {
	return strings.ReplaceAll(notAnchor.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// flat lists fields with those inside them: lines, lines.sku …
func flat(fields []fieldView) (all []fieldView) {
	for _, f := range fields {
		all = append(all, f)
		for _, inner := range flat(f.Fields) {
			inner.Name = f.Name + "." + inner.Name
			all = append(all, inner)
		}
	}
	return all
}
