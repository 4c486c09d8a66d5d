package main

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

//go:embed bugs/*.txt
var files embed.FS

// bug is one thing that goes wrong in such systems, and where in Waybill it would.
type bug struct {
	Name    string // "07-not-found-is-proof"
	Title   string // what it is, in the field's words
	Defense string // what it removes
	Finds   string // the invariants that should find it
	Layer   string // the layer that should
	Why     string // why nothing finds it, where nothing does
	Patches []patch
	Sum     string // of the patches: a result is of these
}

// patch is what a bug changes in one file.
type patch struct {
	File  string // its path in the module
	Hunks []hunk
}

// hunk is a run of lines that stands in the file exactly once, and what stands there instead.
type hunk struct{ old, replacement string }

// planted reads the list.
func planted() ([]bug, error) {
	names, err := fs.Glob(files, "bugs/*.txt")
	if err != nil {
		return nil, err
	}
	var list []bug
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		b, err := parse(strings.TrimSuffix(filepath.Base(name), ".txt"), text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, b)
	}
	return list, nil
}

// parse reads a bug's file: words about it, then a section of hunks for each file that it changes.
func parse(name string, text []byte) (bug, error) {
	archive := txtar.Parse(text)
	b := bug{Name: name}
	title, rest, _ := strings.Cut(string(archive.Comment), "\n")
	b.Title = title
	var defense []string
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "finds":
			b.Finds = value
		case "layer":
			b.Layer = value
		case "why":
			b.Why = value
		default:
			defense = append(defense, line)
		}
	}
	b.Defense = strings.Join(strings.Fields(strings.Join(defense, " ")), " ")
	for _, f := range archive.Files {
		hunks, err := hunksOf(string(f.Data))
		if err != nil {
			return b, fmt.Errorf("%s: %w", f.Name, err)
		}
		b.Patches = append(b.Patches, patch{File: f.Name, Hunks: hunks})
	}
	switch {
	case b.Title == "" || b.Defense == "" || b.Finds == "":
		return b, errors.New("it has to say what it is, which defense it removes, and which invariants find it (finds: …)")
	case !slices.Contains(layerNames(), b.Layer):
		return b, fmt.Errorf("layer: is one of %s", strings.Join(layerNames(), ", "))
	case len(b.Patches) == 0:
		return b, errors.New("it changes nothing")
	}
	b.Sum = sum(b.Patches)
	return b, nil
}

// hunksOf reads hunks that stand apart by a line "@@". A line begins with a space where it stays, with - where it goes, and
// with + where it comes.
func hunksOf(text string) ([]hunk, error) {
	var hunks []hunk
	for part := range strings.SplitSeq(text, "@@\n") {
		var h hunk
		for line := range strings.Lines(part) {
			switch {
			case line == "\n":
				h.old, h.replacement = h.old+line, h.replacement+line
			case line[0] == ' ':
				h.old, h.replacement = h.old+line[1:], h.replacement+line[1:]
			case line[0] == '-':
				h.old += line[1:]
			case line[0] == '+':
				h.replacement += line[1:]
			default:
				return nil, fmt.Errorf("a line begins with a space, - or +: %q", line)
			}
		}
		if h.old == "" || h.old == h.replacement {
			return nil, errors.New("a hunk changes nothing, or says not where")
		}
		hunks = append(hunks, h)
	}
	return hunks, nil
}

func sum(patches []patch) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q", patches)
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// apply gives the file as the patch leaves it. Lines that are not there, or more than once, are an error: the code has changed,
// and the bug has to be planted anew.
func (p patch) apply(root string) (string, error) {
	source, err := os.ReadFile(filepath.Join(root, p.File))
	if err != nil {
		return "", err
	}
	text := string(source)
	for _, h := range p.Hunks {
		at := "\n" + h.old // lines, not parts of them
		if n := strings.Count("\n"+text, at); n != 1 {
			return "", fmt.Errorf("%s: these lines are in it %d times, not once:\n%s", p.File, n, h.old)
		}
		text = strings.TrimPrefix(strings.Replace("\n"+text, at, "\n"+h.replacement, 1), "\n")
	}
	if filepath.Ext(p.File) == ".go" {
		if _, err := parser.ParseFile(token.NewFileSet(), p.File, text, parser.SkipObjectResolution); err != nil {
			return "", err
		}
	}
	return text, nil
}
