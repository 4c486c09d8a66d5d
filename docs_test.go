package waybill_test

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// page is a Markdown file: what it links to, what may be linked to in it, and what it says.
type page struct {
	links   []string // as they are written, those to other hosts left out
	anchors map[string]bool
	text    string
}

var (
	fence     = regexp.MustCompile("^ *(```|~~~)")
	heading   = regexp.MustCompile(`^#{1,6} +(.+?) *#*$`)
	inline    = regexp.MustCompile("`[^`]*`")
	link      = regexp.MustCompile(`\]\(([^)\s]+)(?: "[^"]*")?\)`)
	named     = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	labels    = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	elsewhere = regexp.MustCompile(`^[a-z]+:`)
)

// pages reads every Markdown file of the repository, by its path with slashes.
func pages(t *testing.T) map[string]page {
	t.Helper()
	found := map[string]page{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(d.Name()) != ".md":
			return nil
		}
		text, err := os.ReadFile(name)
		found[filepath.ToSlash(name)] = read(string(text))
		return err
	})
	require.NoError(t, err)
	return found
}

func read(text string) page {
	p := page{anchors: map[string]bool{}, text: text}
	inFence := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if fence.MatchString(line) {
			inFence = !inFence
		}
		if inFence {
			continue
		}
		if h := heading.FindStringSubmatch(line); h != nil {
			p.anchors[slug(h[1])] = true
		}
		for _, a := range named.FindAllStringSubmatch(line, -1) {
			p.anchors[a[1]] = true
		}
		for _, l := range link.FindAllStringSubmatch(inline.ReplaceAllString(line, "code"), -1) {
			if !elsewhere.MatchString(l[1]) {
				p.links = append(p.links, l[1])
			}
		}
	}
	return p
}

// slug is the anchor that a forge makes of a heading: its text in lower case, without punctuation, dashes for spaces.
func slug(title string) string {
	title = labels.ReplaceAllString(title, "$1")
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		}
	}
	return b.String()
}

// target is the page, or another file, that a link on a page is about, and the anchor in it.
func target(from, written string) (file, anchor string) {
	file, anchor, _ = strings.Cut(written, "#")
	if unescaped, err := url.PathUnescape(file); err == nil {
		file = unescaped
	}
	if file == "" {
		return from, anchor
	}
	return path.Join(path.Dir(from), file), anchor
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	all := pages(t)
	for from, p := range all {
		for _, written := range p.links {
			file, anchor := target(from, written)
			if _, err := os.Stat(filepath.FromSlash(file)); err != nil || strings.HasPrefix(file, "..") {
				t.Errorf("%s: %s: there is no such file", from, written)
				continue
			}
			if to, isPage := all[file]; anchor != "" && isPage && !to.anchors[anchor] {
				t.Errorf("%s: %s: the page has no such heading", from, written)
			}
		}
	}
}

// A page that nothing leads to is not read. The index is docs/README.md; a folder's README leads to what is beside it.
func TestEveryPageCanBeFound(t *testing.T) {
	all := pages(t)
	const index = "docs/README.md"
	_, there := all[index]
	require.True(t, there, index)
	reached, next := map[string]bool{index: true}, []string{index}
	for len(next) > 0 {
		from := next[0]
		next = next[1:]
		for _, written := range all[from].links {
			file, _ := target(from, written)
			if info, err := os.Stat(filepath.FromSlash(file)); err == nil && info.IsDir() {
				file = path.Join(file, "README.md")
			}
			if _, isPage := all[file]; isPage && !reached[file] {
				reached[file] = true
				next = append(next, file)
			}
		}
	}
	for file := range all {
		if strings.HasPrefix(file, "docs/") && !reached[file] {
			t.Errorf("%s cannot be reached from %s", file, index)
		}
	}
}

// A whole Go program on a page is one that is compiled with the tests.
func TestProgramsOnPagesCompile(t *testing.T) {
	program := regexp.MustCompile("(?s)```go\n(package .*?)```")
	examples, err := filepath.Glob(filepath.Join("*", "*", "example_test.go"))
	require.NoError(t, err)
	compiled := map[string]bool{}
	for _, name := range examples {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		compiled[string(text)] = true
	}
	for file, p := range pages(t) {
		for _, shown := range program.FindAllStringSubmatch(p.text, -1) {
			if !compiled[shown[1]] {
				t.Errorf("%s: the program is none of %v", file, examples)
			}
		}
	}
}

// What a page shows was run somewhere; a reader has no such folder.
func TestNoPageNamesAFolderOfOneMachine(t *testing.T) {
	private := regexp.MustCompile(`(^|[\s"'=(\x60])/(work|tmp|root|home/[a-z]+|Users/[A-Za-z]+)(/|\b)`)
	for file, p := range pages(t) {
		for i, line := range strings.Split(p.text, "\n") {
			if found := private.FindString(line); found != "" {
				t.Errorf("%s:%d: %s is a folder of one machine", file, i+1, strings.TrimSpace(found))
			}
		}
	}
}
