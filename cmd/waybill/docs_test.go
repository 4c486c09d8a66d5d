package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The pages that a newcomer follows command by command. Every block of ```sh in which commands stand after a $ is
// typed into one shell, page after page, on a fresh waybill dev, and what comes out is compared with what the page
// shows. What cannot be the same twice (ids, times, tracking numbers, ports) counts as the same, and … stands for any lines.
var followed = []struct{ page, before string }{
	{"README.md", ""},
	{"docs/tutorial.md", ""},
	{"docs/how-to/follow-events.md", ""},
	{"docs/how-to/connect-a-checkout.md", ""},
	{"docs/how-to/returns.md", deliveredOrder},
}

// deliveredOrder is what a page begins with that says so: a delivered order $O with two units of line $L.
const deliveredOrder = `
call POST /v1/orders "$(jq -c '.external_id="delivered"' <<< "$ORDER")" > order.json
O=$(jq -r .id order.json) F=$(jq -r '.fulfillments[0].id' order.json) L=$(jq -r '.lines[0].id' order.json)
call POST /v1/fulfillments/$F/pick "{\"lines\":[{\"line_id\":\"$L\",\"quantity\":2}]}" > picked.json
call POST /v1/fulfillments/$F/pack "{\"parcels\":[{\"weight_grams\":500,\"lines\":[{\"line_id\":\"$L\",\"quantity\":2}]}]}" > packed.json
call POST /v1/fulfillments/$F/ship '{}' > shipped.json
scan $(jq -r '.shipments[0].id' shipped.json) delivered > delivered.json; jq -r .status delivered.json`

func TestWhatThePagesShow(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the pages use %s, which is not here", tool)
		}
	}
	d := startDev(t, folder(t), anyPorts...)
	home := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(home, "bin"), 0o755))
	require.NoError(t, os.Symlink(filepath.Join(built, "waybill"), filepath.Join(home, "bin", "waybill")))
	sh := openShell(t, home, "WAYBILL_DATA="+d.dir)
	for _, f := range followed {
		page := filepath.Join("..", "..", f.page)
		if f.before != "" {
			require.Equal(t, "delivered", strings.TrimSpace(sh.run(t, f.before)))
		}
		body, err := os.ReadFile(page)
		require.NoError(t, err)
		commands := commandsOf(string(body))
		require.NotEmpty(t, commands, "%s has no commands", page)
		lines := strings.Split(string(body), "\n")
		for _, c := range commands {
			got := sh.run(t, c.text)
			if *writePages && !strings.Contains(c.shown, "…") {
				shows := c.line - 1 + strings.Count(c.text, "\n") + 1 // the line after the command
				for i := range strings.Count(c.shown, "\n") {
					lines[shows+i] = gone
				}
				if now := reprinted(got, c.shown); now != "" {
					lines[shows-1] += "\n" + strings.TrimSuffix(now, "\n")
				}
				continue
			}
			require.Regexp(t, pattern(c.shown), same(got), "%s:%d: $ %s\nprinted:\n%s", page, c.line, c.text, got)
		}
		if *writePages {
			lines = slices.DeleteFunc(lines, func(line string) bool { return line == gone })
			require.NoError(t, os.WriteFile(page, []byte(strings.Join(lines, "\n")), 0o644))
		}
	}
}

var writePages = flag.Bool("write-pages", false, "write into the pages what their commands print")

// gone stands for a line that a page no longer has.
const gone = "\x00"

// reprinted is what a page is to show, with the empty line that parts it from the next command where there was one.
func reprinted(got, before string) string {
	got = strings.Trim(got, "\n")
	if got != "" {
		got += "\n"
	}
	if strings.HasSuffix("\n"+before, "\n\n") {
		got += "\n"
	}
	return got
}

// command is what a page says to type, and what it shows for it.
type command struct {
	line        int
	text, shown string
}

// commandsOf reads the commands of a page. A command goes on in the lines after it that are indented.
func commandsOf(page string) (found []command) {
	inside, typing, current := false, false, -1
	for i, line := range strings.Split(page, "\n") {
		switch text, isCommand := strings.CutPrefix(line, "$ "); {
		case strings.HasPrefix(line, "```"):
			inside, typing, current = line == "```sh", false, -1
		case inside && isCommand:
			found = append(found, command{line: i + 1, text: text})
			typing, current = true, len(found)-1
		case current < 0: // not in a block that is typed
		case typing && strings.HasPrefix(line, "  "):
			found[current].text += "\n" + line
		default:
			typing = false
			found[current].shown += line + "\n"
		}
	}
	return found
}

// changing is what differs from one time to the next, and what stands for it.
var changing = []struct {
	is      *regexp.Regexp
	becomes string
}{
	{regexp.MustCompile(`(ord|lin|ful|shp|pay|ret|rfd|ref|hld|req|key)_[0-9a-v]{20,}`), "${1}_ID"},
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?`), "TIME"},
	{regexp.MustCompile(`\b[A-Z][a-z]{2} \d{1,2} \d\d:\d\d\b`), "TIME"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d(\.\d+)?`), "TIME"},
	{regexp.MustCompile(`\+(\d+ min )?\d+(\.\d+)? (ms|s)\b`), ""},
	{regexp.MustCompile(`SBX\d+`), "SBX"},
	{regexp.MustCompile(`sbx_([a-z]+)_[0-9a-f]+`), "sbx_${1}"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1"},
	{regexp.MustCompile(`[ \t]+`), " "},
	{regexp.MustCompile(`(?m)^ | $`), ""},
}

// same is a text without what differs from one time to the next.
func same(text string) string {
	for _, c := range changing {
		text = c.is.ReplaceAllString(text, c.becomes)
	}
	return strings.TrimSpace(text)
}

// pattern is a regular expression for what a page shows.
func pattern(shown string) string {
	parts := strings.Split(same(shown), "…")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return `^` + strings.Join(parts, `(?s:.*)`) + `$`
}

// shell is a bash in which one command is typed after the other.
type shell struct {
	in  io.Writer
	out *bufio.Reader
}

func openShell(t *testing.T, dir string, env ...string) *shell {
	t.Helper()
	bash := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc")
	bash.Dir, bash.Env = dir, append(os.Environ(), append(env, "HOME="+dir, "TERM=dumb")...)
	in, err := bash.StdinPipe()
	require.NoError(t, err)
	out, err := bash.StdoutPipe()
	require.NoError(t, err)
	bash.Stderr = bash.Stdout
	require.NoError(t, bash.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = bash.Wait()
	})
	return &shell{in: in, out: bufio.NewReader(out)}
}

// run types a command and returns what it prints.
func (s *shell) run(t *testing.T, text string) string {
	t.Helper()
	const end = "-- that was it --"
	_, err := fmt.Fprintf(s.in, "%s\nprintf '\\n%%s\\n' '%s'\n", text, end)
	require.NoError(t, err)
	var printed strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		require.NoError(t, err, "the shell ended in: %s", text)
		if line == end+"\n" {
			return printed.String()
		}
		printed.WriteString(line)
	}
}
