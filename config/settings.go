package config

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// Setting is a flag with its value, as it may be shown to anybody, and where that came from.
type Setting struct {
	Group     string   `json:"group"`
	Flag      string   `json:"flag"`
	Variables []string `json:"variables"`
	Value     string   `json:"value"`  // of a secret only whether it is set
	Source    string   `json:"source"` // FromCommandLine …, or "" where there is no value
	Name      string   `json:"name"`   // of the variable, the file or the folder
}

// From says in a few words where the value came from.
func (s Setting) From() string {
	switch s.Source {
	case FromEnvironment:
		return "$" + s.Name
	case FromFile, FromFolder:
		return s.Source + " " + s.Name
	}
	return s.Source
}

const (
	isSet    = "(set)"
	isNotURL = "(set, but not a URL)"
	hidden   = "***"
)

// Settings are the flags of the command that stand in the environment too, in the order of its help.
func (p *Parser) Settings(parsed *kong.Context) []Setting {
	given := map[*kong.Flag]bool{}
	for _, part := range parsed.Path {
		if part.Flag != nil && !part.Resolved {
			given[part.Flag] = true
		}
	}
	var settings []Setting
	for _, flag := range commandOf(parsed).Flags {
		if len(flag.Envs) == 0 {
			continue
		}
		value := p.found[flag]
		if given[flag] {
			value = origin{text: text(flag.Target), source: FromCommandLine}
		}
		settings = append(settings, Setting{Group: groupOf(flag), Flag: flag.Name, Variables: Variables(flag), Value: show(flag, value.text),
			Source: value.source, Name: value.name})
	}
	return settings
}

// groupOf is the heading under which a flag stands.
func groupOf(flag *kong.Flag) string {
	if flag.Group == nil {
		return ""
	}
	return strings.TrimSuffix(flag.Group.Title, ":")
}

func text(value reflect.Value) string {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return ""
		}
		value = value.Elem()
	}
	return fmt.Sprint(value.Interface())
}

// show is a value without what is secret in it.
func show(flag *kong.Flag, text string) string {
	secret := flag.Tag.Get(tagSecret)
	switch {
	case text == "":
		return ""
	case secret == "text":
		return isSet
	case secret == "url" && !isDatabaseURL(text):
		return isNotURL
	case secret == "url":
		return withoutPassword(text)
	case strings.Contains(text, "@"): // there may be a password in it, although it has no place there
		return isSet
	}
	return text
}

// withoutPassword hides the password of a database's URL, wherever a driver would look for it.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return isNotURL
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return isNotURL // what cannot be taken apart may have a password anywhere
	}
	for name := range query {
		if !slices.Contains(harmless, name) {
			query.Set(name, hidden)
		}
	}
	if len(query) > 0 {
		u.RawQuery = strings.ReplaceAll(query.Encode(), url.QueryEscape(hidden), hidden)
	}
	return strings.Replace(u.Redacted(), ":xxxxx@", ":"+hidden+"@", 1)
}

// harmless are the options of a database's URL that are shown.
var harmless = []string{"sslmode", "sslrootcert", "host", "port", "dbname", "user", "application_name", "connect_timeout", "target_session_attrs"}

// ownPrefix begins the name of every variable that is Waybill's own.
const ownPrefix = "WAYBILL_"

// ofKubernetes are variables that Kubernetes sets in every container for a service whose name begins with waybill.
var ofKubernetes = regexp.MustCompile(`^[A-Z0-9_]+(_SERVICE_HOST|_SERVICE_PORT(_[A-Z0-9_]+)?|_PORT_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?|_PORT)=([0-9a-f.:]+|(tcp|udp|sctp)(://.*)?)$`)

// Unknown are the variables in the environment that are named as if they were Waybill's and are not: misspelled ones, most
// of the time. Each is a sentence.
func (p *Parser) Unknown() []string {
	known := slices.AppendSeq(p.Variables(), maps.Keys(p.Others))
	var unknown []string
	for _, set := range os.Environ() {
		name, _, _ := strings.Cut(set, "=")
		if !strings.HasPrefix(name, ownPrefix) || slices.Contains(known, name) || ofKubernetes.MatchString(set) {
			continue
		}
		sentence := "no setting is called " + name
		if meant := nearest(name, known); meant != "" {
			sentence += ": did you mean " + meant + "?"
		}
		unknown = append(unknown, sentence)
	}
	slices.Sort(unknown)
	return unknown
}

// Variables are the names of all variables that flags of any command stand in.
func (p *Parser) Variables() []string {
	var names []string
	_ = kong.Visit(p.kong.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			names = append(names, Variables(flag)...)
		}
		return next(nil)
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// nearest is the name that takes the fewest changes of a letter, "" when that is too many for a mistake.
func nearest(name string, known []string) string {
	best, fewest := "", 4
	for _, candidate := range known {
		if n := distance(name, candidate); n < fewest {
			best, fewest = candidate, n
		}
	}
	return best
}

// distance counts the letters to insert, remove and replace between two words, after Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// Effective tells what an unset switch comes to, for those that depend on others: whether TLS is on.
func (c *Config) Effective(settings []Setting) {
	for i, s := range settings {
		if s.Flag == "temporal-tls" && s.Source == "" {
			settings[i].Value, settings[i].Source = strconv.FormatBool(c.Encrypted()), FromDefault
		}
	}
}
