package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybill-oms/waybill/api"
)

// spoiling is one way to make a good request a bad one, and how that is answered. It is false where there is nothing to spoil.
type spoiling struct {
	name   string
	status []int
	spoil  func(g *generator, r *request) bool
}

// spoilings are everything that is refused before anybody is asked.
func spoilings() []spoiling {
	return slices.Concat(spoiledHeaders(), spoiledBodies(), spoiledFields(), spoiledPaths(), spoiledQueries())
}

func secured(op *api.Operation) bool { return !op.Public() }

// header spoils a header of those operations that need it.
func header(name, of string, status int, needs func(op *api.Operation) bool, values ...string) spoiling {
	return spoiling{name, []int{status}, func(_ *generator, r *request) bool {
		r.header[of] = values
		return needs(r.operation)
	}}
}

func spoiledHeaders() []spoiling {
	posts := func(op *api.Operation) bool { return secured(op) && op.Method == http.MethodPost }
	sends := func(op *api.Operation) bool { return op.Body() != nil }
	return []spoiling{
		header("no key", "Authorization", 401, secured),
		header("an unknown key", "Authorization", 401, secured, "Bearer wb_00000000000000000000000000_x"),
		header("another scheme", "Authorization", 401, secured, "Basic d2F5YmlsbDp4"),
		header("two keys", "Authorization", 401, secured, "Bearer a", "Bearer b"),
		header("a key of 10,000 characters", "Authorization", 401, secured, "Bearer "+strings.Repeat("k", 10_000)),
		{"a key without the scope", []int{403}, func(g *generator, r *request) bool {
			r.header.Set("Authorization", "Bearer "+g.without[r.operation.Scope])
			return secured(r.operation)
		}},
		header("no idempotency key", "Idempotency-Key", 400, posts),
		header("an empty idempotency key", "Idempotency-Key", 400, posts, ""),
		header("a long idempotency key", "Idempotency-Key", 400, posts, strings.Repeat("k", 256)),
		header("an idempotency key that is not ASCII", "Idempotency-Key", 400, posts, "schlüssel"),
		header("two idempotency keys", "Idempotency-Key", 400, posts, "a", "b"),
		header("text", "Content-Type", 415, sends, "text/plain"),
		header("a form", "Content-Type", 415, sends, "application/x-www-form-urlencoded"),
		header("no content type", "Content-Type", 415, sends),
		header("another character set", "Content-Type", 415, sends, "application/json; charset=latin1"),
		header("two content types", "Content-Type", 415, sends, "application/json", "application/json"),
		header("a compressed body", "Content-Encoding", 415, sends, "gzip"),
		{"another method", []int{405}, func(g *generator, r *request) bool {
			r.method = pick(g, []string{"DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"})
			return true
		}},
	}
}

// body replaces or changes the whole body.
func body(name string, status int, change func(g *generator, b []byte) []byte) spoiling {
	return spoiling{name, []int{status}, func(g *generator, r *request) bool {
		if len(r.body) > 0 {
			r.body = change(g, r.body)
		}
		return r.operation.Body() != nil
	}}
}

// first puts members in front of all others.
func first(members string) func(*generator, []byte) []byte {
	return func(_ *generator, b []byte) []byte {
		if b[1] != '}' {
			return []byte("{" + members + "," + string(b[1:]))
		}
		return []byte("{" + members + "}")
	}
}

func instead(text string) func(*generator, []byte) []byte {
	return func(*generator, []byte) []byte { return []byte(text) }
}

func spoiledBodies() []spoiling {
	return []spoiling{
		body("no body", 400, instead("")),
		body("white space", 400, instead(" \n")),
		body("no JSON", 400, instead("hello")),
		body("half of it", 400, func(g *generator, b []byte) []byte { return b[:1+g.IntN(len(b)-1)] }),
		body("something after it", 400, func(_ *generator, b []byte) []byte { return append(b, "{}"...) }),
		body("a field twice", 400, first(`"a":1,"a":1`)),
		body("a field twice, as an escape", 400, first(`"a":1,"\u0061":1`)),
		body("nested deeply", 400, first(`"a":`+strings.Repeat("[", 100)+strings.Repeat("]", 100))),
		body("nested very deeply", 400, first(`"a":`+strings.Repeat(`[`, 100_000)+strings.Repeat("]", 100_000))),
		body("bad UTF-8", 400, first("\"a\":\"\xff\"")),
		body("half a character", 400, first(`"a":"\ud83d"`)),
		body("a byte order mark", 400, func(_ *generator, b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }),
		body("too large", 413, func(_ *generator, b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), 256<<10)...) }),
		body("too large, and nothing in it", 413, instead(strings.Repeat("[", 300<<10))),
		body("a list", 422, func(_ *generator, b []byte) []byte { return append(append([]byte("["), b...), ']') }),
		body("null", 422, instead("null")),
		body("a number", 422, instead("1e999")),
		body("an unknown field", 422, first(`"surprise":{"a":[1,2,{"b":null}]}`)),
		body("many unknown fields", 422, first(`"surprise":1`+manyFields(5000))),
		body("a field without a name", 422, first(`"":1`)),
		body("a field with a NUL in its name", 422, first(`"a\u0000b":1`)),
		body("a card number for a name", 422, first(`"4111111111111111":1`)),
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"f` + strings.Repeat("x", i%50) + string(rune('a'+i%26)) + jsonText(i) + `":1`)
	}
	return b.String()
}

func jsonText(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// place is a value somewhere in a body.
type place struct {
	schema *openapi3.Schema
	in     map[string]any // the object that it is a member of
	name   string
	parent *openapi3.Schema
}

// places lists every member of every object in a body, in an order that is always the same.
func places(s *openapi3.Schema, v any) (found []place) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			of := s.Properties[name].Value
			found = append(append(found, place{of, v, name, s}), places(of, v[name])...)
		}
	case []any:
		for _, element := range v {
			found = append(found, places(s.Items.Value, element)...)
		}
	}
	return found
}

// field spoils one of those fields of the body for which there is a bad value.
func field(name string, bad func(g *generator, s *openapi3.Schema) any) spoiling {
	return member(name, func(g *generator, at place) bool {
		value := bad(g, at.schema)
		if value != nil {
			at.in[at.name] = value
		}
		return value != nil
	})
}

// member spoils the body at a place, the first of all in a random order at which it can be.
func member(name string, spoil func(g *generator, at place) bool) spoiling {
	return spoiling{name, []int{422}, func(g *generator, r *request) bool {
		if r.fields == nil {
			return false
		}
		all := places(r.operation.Body().Value, r.fields)
		g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if !slices.ContainsFunc(all, func(at place) bool { return spoil(g, at) }) {
			return false
		}
		r.marshal()
		return true
	}}
}

func text(s string) func(*generator, *openapi3.Schema) any {
	return func(_ *generator, of *openapi3.Schema) any {
		if of.Type.Is(openapi3.TypeString) {
			return s
		}
		return nil
	}
}

func number(raw string) func(*generator, *openapi3.Schema) any {
	return func(_ *generator, of *openapi3.Schema) any {
		if of.Type.Is(openapi3.TypeInteger) {
			return json.RawMessage(raw)
		}
		return nil
	}
}

func spoiledFields() []spoiling {
	return []spoiling{
		member("a field is missing", func(_ *generator, at place) bool {
			delete(at.in, at.name)
			return slices.Contains(at.parent.Required, at.name)
		}),
		member("a field in another case", func(_ *generator, at place) bool {
			at.in[strings.ToUpper(at.name)] = at.in[at.name]
			delete(at.in, at.name)
			return true
		}),
		field("null", func(*generator, *openapi3.Schema) any { return json.RawMessage("null") }),
		field("another type", func(_ *generator, s *openapi3.Schema) any {
			if s.Type.Is(openapi3.TypeBoolean) {
				return "true"
			}
			return true
		}),
		field("an object for a value", func(_ *generator, s *openapi3.Schema) any {
			if s.Type.Is(openapi3.TypeObject) {
				return []any{}
			}
			return map[string]any{"a": 1}
		}),
		field("a number as text", func(g *generator, s *openapi3.Schema) any {
			if s.Type.Is(openapi3.TypeInteger) {
				return "1"
			}
			return nil
		}),
		field("a NUL", text("a\x00b")), field("a line break", text("a\nb")), field("writing backwards", text("a\u202eb")),
		field("a card number", text("4111 1111 1111 1111")), field("a long text", text(strings.Repeat("x", 5000))),
		field("a fraction", number("1.5")), field("a fraction of nothing", number("1.0")), field("an exponent", number("1e3")),
		field("minus nothing", number("-0")), field("a huge number", number("123456789012345678901234567890")),
		field("a number beyond all", number("1e400")), field("the largest int64", number("9223372036854775807")),
		field("one more than that", number("9223372036854775808")), field("the smallest int64", number("-9223372036854775808")),
		field("one too few", func(_ *generator, s *openapi3.Schema) any {
			if s.Min == nil {
				return nil
			}
			return int64(*s.Min) - 1
		}),
		field("one too many", func(_ *generator, s *openapi3.Schema) any {
			if s.Max == nil {
				return nil
			}
			return int64(*s.Max) + 1
		}),
		field("a word that is not one of them", func(_ *generator, s *openapi3.Schema) any {
			if len(s.Enum) == 0 {
				return nil
			}
			return "no such word"
		}),
		field("a list of nothing", func(_ *generator, s *openapi3.Schema) any {
			if s.MinItems == 0 {
				return nil
			}
			return []any{}
		}),
		field("a list without end", func(_ *generator, s *openapi3.Schema) any {
			if s.MaxItems == nil {
				return nil
			}
			return slices.Repeat([]any{1}, int(*s.MaxItems)+1)
		}),
		field("no time", func(g *generator, s *openapi3.Schema) any {
			if s.Format != "date-time" {
				return nil
			}
			return pick(g, noTimes)
		}),
	}
}

// noTimes look like times, and are none that can be kept.
var noTimes = []string{"yesterday", "2026-02-30T00:00:00Z", "2026-01-02T15:04:05", "2026-01-02", "1767366245", "2026-01-02T15:04:05+24:00",
	"9999-12-31T23:59:59-12:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+12:00", "2026-01-02T15:04:05+15:59", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z"}

func spoiledPaths() []spoiling {
	var all []spoiling
	for name, id := range map[string]string{"any text: a quote in the path": "ord'1", "any text: a way out of the path": "..%2F..%2Fetc", "a NUL in the path": "a%00b",
		"bad UTF-8 in the path": "%FF", "a long path": strings.Repeat("a", 5000), "a card number in the path": "4111111111111111", "a line break in the path": "a%0Ab"} {
		all = append(all, spoiling{name, []int{400, 404, 422}, func(_ *generator, r *request) bool {
			before, after, found := strings.Cut(r.operation.Path, "{")
			if !found || strings.HasPrefix(after, "sku}") && strings.HasPrefix(name, "any text: ") {
				return false
			}
			_, after, _ = strings.Cut(after, "}")
			r.path = before + id + strings.NewReplacer("{", "", "}", "").Replace(after)
			return true
		}})
	}
	slices.SortFunc(all, func(a, b spoiling) int { return strings.Compare(a.name, b.name) })
	return append(all, spoiling{"a slash too many", []int{404}, func(_ *generator, r *request) bool { r.path += "/"; return true }})
}

func spoiledQueries() []spoiling {
	raw := func(name, query string, status int) spoiling {
		return spoiling{name, []int{status}, func(_ *generator, r *request) bool { r.query = query; return secured(r.operation) }}
	}
	one := func(name string, bad func(g *generator, s *openapi3.Schema) string) spoiling {
		return spoiling{name, []int{422}, func(g *generator, r *request) bool {
			for _, i := range g.Perm(len(r.operation.Spec.Parameters)) {
				p := r.operation.Spec.Parameters[i].Value
				if p.In != openapi3.ParameterInQuery {
					continue
				}
				if value := bad(g, p.Schema.Value); value != "" {
					r.query = url.QueryEscape(p.Name) + "=" + value
					return true
				}
			}
			return false
		}}
	}
	is := func(kind string, values ...string) func(*generator, *openapi3.Schema) string {
		return func(g *generator, s *openapi3.Schema) string {
			if s.Type.Is(kind) {
				return pick(g, values)
			}
			return ""
		}
	}
	cursor := func(name string, made func(op string) string) spoiling {
		return spoiling{name, []int{422}, func(_ *generator, r *request) bool {
			r.query = "cursor=" + made(r.operation.ID)
			return r.operation.Spec.Parameters.GetByInAndName("query", "cursor") != nil
		}}
	}
	forged := func(text string) func(op string) string {
		return func(op string) string {
			return base64.RawURLEncoding.EncodeToString([]byte(strings.ReplaceAll(text, "LIST", op)))
		}
	}
	return []spoiling{
		raw("a bad escape in the query", "q=%zz", 400), raw("bad UTF-8 in the query", "q=%ff", 400), raw("a semicolon in the query", "q=a;b", 400),
		raw("an unknown parameter", "surprise=1", 422), raw("a parameter in another case", "LIMIT=1", 422),
		raw("an unknown parameter with a NUL", "a%00b=1", 422),
		one("a parameter that is no number", is(openapi3.TypeInteger, "", "x", "1.0", "%2B5", "1e2", "01", "-0", "0x1", "99999999999999999999", "-1")),
		one("a parameter that is not true or false", is(openapi3.TypeBoolean, "TRUE", "1", "yes", "null")),
		one("a parameter with a NUL", is(openapi3.TypeString, "%00", "a%0Ab", "%E2%80%AE", "4111111111111111")),
		one("a long parameter", is(openapi3.TypeString, strings.Repeat("x", 5000))),
		one("a parameter that is no time", func(g *generator, s *openapi3.Schema) string {
			if s.Format != "date-time" {
				return ""
			}
			return url.QueryEscape(pick(g, noTimes))
		}),
		one("a parameter that is not one of the words", func(_ *generator, s *openapi3.Schema) string {
			if len(s.Enum) == 0 {
				return ""
			}
			return "accepted_"
		}),
		cursor("a cursor that is none", func(string) string { return "abc" }),
		cursor("a cursor of another list", forged(`{"v":1,"l":"listNothing","k":"x"}`)),
		cursor("a cursor of another version", forged(`{"v":2,"l":"LIST","k":"x"}`)),
		cursor("a cursor written otherwise", forged(`{"l":"LIST","v":1,"k":"x"}`)),
		cursor("a cursor with a NUL", forged(`{"v":1,"l":"LIST","k":"\u0000"}`)),
		cursor("a cursor with a statement in another field", forged(`{"v":1,"l":"LIST","k":"x","z":"'; DROP TABLE orders"}`)),
	}
}
