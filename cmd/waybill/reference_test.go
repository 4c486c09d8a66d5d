package main

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/workflows"
)

//go:generate go test -run TestConfigurationReference -write-reference .

var writeReference = flag.Bool("write-reference", false, "write docs/reference/configuration.md from the flags of the commands")

const (
	docs = "../../docs"
	none = "–"
)

// The reference is made from the flags. When this fails, one of them is another: go generate ./cmd/waybill
func TestConfigurationReference(t *testing.T) {
	text := reference(t)
	file := filepath.Join(docs, "reference", "configuration.md")
	if *writeReference {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	stored, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, text, string(stored), "the reference is not what the commands take: go generate ./cmd/waybill")
}

// commandLine is the parser of the program.
func commandLine(t *testing.T) *config.Parser {
	t.Helper()
	parser, err := newParser(t.Context(), &cli{})
	require.NoError(t, err)
	return parser
}

const referenceBegins = `<!-- Made from the flags of the commands by ` + "`go generate ./cmd/waybill`" + `. Do not edit. -->

# Configuration

Everything is set by flags and by environment variables; ` + "`waybill config`" + ` shows each setting, its value and where that came
from, and what is wrong.

- A flag goes before the data folder (` + "`--data`" + `), that before the environment, that before the default. With a data folder named,
  what is about another Waybill is not looked for in the environment: addresses, the namespace, TLS, keys, secrets.
- Of several variables, the first that is set counts. An empty variable is one that is not set.
- A secret may come from a file: the variable that ends in ` + "`_FILE`" + ` names it. Secrets and passwords are never shown.
- Everything that is wrong in the environment is said at once, before anything starts; the exit code is 2, that of
  ` + "`waybill config`" + ` is 1.
- A variable whose name begins with ` + "`WAYBILL_`" + ` and that is not listed here is probably misspelled: ` + "`waybill config`" + ` and the logs of
  ` + "`waybill api`" + ` and ` + "`waybill worker`" + ` say so.
`

// reference makes the page: a table of each group of settings.
func reference(t *testing.T) string {
	parser := commandLine(t)
	takers, all := settingsOf(parser.Model())
	var b strings.Builder
	b.WriteString(referenceBegins)
	group := ""
	for _, f := range all {
		if title := strings.TrimSuffix(f.Group.Title, ":"); title != group {
			group = title
			fmt.Fprintf(&b, "\n## %s\n\n| Flag | Environment | Default | Meaning | Commands |\n|---|---|---|---|---|\n", group)
		}
		by := none
		if f.HasDefault {
			by = code([]string{f.Default})
		}
		name := f.Name
		if f.IsBool() {
			name = "[no-]" + name
		}
		fmt.Fprintf(&b, "| `--%s` | %s | %s | %s | %s |\n", name, code(config.Variables(f)), by, cell(f.Help), code(takers[f.Name]))
	}
	b.WriteString("\n## Variables without a flag\n\n| Environment | Meaning |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(parser.Others)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, cell(parser.Others[name]))
	}
	return b.String()
}

func code(words []string) string {
	if len(words) == 0 {
		return none
	}
	return "`" + strings.Join(words, "` `") + "`"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// settingsOf lists the settings, in the order of waybill config, and the commands that take each.
func settingsOf(model *kong.Application) (takers map[string][]string, all []*kong.Flag) {
	takers = map[string][]string{}
	for _, command := range model.Leaves(true) {
		for _, f := range command.Flags {
			switch {
			case len(f.Envs) == 0:
			case command.Name == "config":
				all = append(all, f)
			default:
				takers[f.Name] = append(takers[f.Name], command.Path())
			}
		}
	}
	return takers, all
}

// A setting is the same one wherever it is taken, and waybill config knows all.
func TestASettingHasOneNameAndOneDefault(t *testing.T) {
	model := commandLine(t).Model()
	_, all := settingsOf(model)
	known := map[string]*kong.Flag{}
	for _, f := range all {
		known[f.Name] = f
	}
	for _, command := range model.Leaves(true) {
		for _, f := range command.Flags {
			if len(f.Envs) == 0 {
				require.NotContains(t, known, f.Name, "%s has a flag of the name of a setting", command.Path())
				continue
			}
			require.Contains(t, known, f.Name, "%s takes it", command.Path())
			require.Equal(t, config.Variables(known[f.Name]), config.Variables(f), "--%s of %s", f.Name, command.Path())
			require.Equal(t, known[f.Name].Default, f.Default, "--%s of %s", f.Name, command.Path())
		}
	}
}

// What the documentation tells people to set exists.
func TestTheDocumentationKnowsTheVariables(t *testing.T) {
	parser := commandLine(t)
	known := slices.AppendSeq(parser.Variables(), maps.Keys(parser.Others))
	known = append(known, "WAYBILL_RECORD_HISTORIES", "WAYBILL_REQUESTS") // of tests
	named := regexp.MustCompile(`\bWAYBILL_[A-Z_]*[A-Z]\b`)
	files := []string{"../../README.md", "../../ARCHITECTURE.md"}
	require.NoError(t, filepath.WalkDir(docs, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			files = append(files, path)
		}
		return err
	}))
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range named.FindAllString(string(text), -1) {
			require.Contains(t, known, name, file)
		}
	}
}

// The page lists by hand what has to be created by hand.
func TestTheDocumentationKnowsTheSearchAttributes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docs, "how-to", "temporal-cloud.md"))
	require.NoError(t, err)
	for name, kind := range workflows.SearchAttributes() {
		require.Contains(t, string(text), fmt.Sprintf("--sa \"%s=%s\"", name, kind))
	}
}
