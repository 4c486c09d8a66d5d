package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/domain/money"
)

// generator makes requests out of the contract. What it has learned from answers makes them about something that is there.
type generator struct {
	*rand.Rand
	key     string              // an API key that may do everything
	without map[string]string   // API keys that may do everything but what has this scope
	ids     map[string][]string // what answers have named, by the prefix of its id
	beside  map[string][]string // order lines that were in an answer together with an id
	ready   map[string][]string // what waits for just this command, by operation
	numbers int                 // how many names were made up
}

func newGenerator(seed uint64, key string, without map[string]string) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, seed)), key: key, without: without, ids: map[string][]string{}, beside: map[string][]string{},
		ready: map[string][]string{}}
}

// request is one that the contract allows, until somebody spoils it.
type request struct {
	operation *api.Operation
	method    string
	path      string
	query     string
	header    http.Header
	body      []byte
	fields    map[string]any // what the body was made of
}

func (r request) String() string {
	body := string(r.body)
	if len(body) > 1500 {
		body = body[:1500] + "…"
	}
	return fmt.Sprintf("%s: %s %s?%s %v %s", r.operation.ID, r.method, r.path, r.query, r.header, body)
}

// good makes a request that the contract allows.
func (g *generator) good(op *api.Operation) request {
	r := request{operation: op, method: op.Method, header: http.Header{"Authorization": {"Bearer " + g.key}}}
	subject := ""
	r.path = op.Path
	query := url.Values{}
	for _, ref := range op.Spec.Parameters {
		switch p := ref.Value; p.In {
		case openapi3.ParameterInPath:
			value := g.subject(op, p, subject)
			if subject == "" {
				subject = value
			}
			r.path = strings.Replace(r.path, "{"+p.Name+"}", url.PathEscape(value), 1)
		case openapi3.ParameterInQuery:
			if p.Name != "cursor" && p.Name != "wait" && g.IntN(3) == 0 { // nobody makes up a cursor, or has the time to wait
				query.Set(p.Name, fmt.Sprint(g.value(p.Name, p.Schema.Value, "")))
			}
		case openapi3.ParameterInHeader:
			r.header.Set(p.Name, g.name("key"))
		}
	}
	r.query = query.Encode()
	if op.Public() {
		r.query = pick(g, []string{"", "x=1", "a%20b&&=%zz", "q=%ff"}) // probes and scrapers add what they like
	}
	if schema := op.Body(); schema != nil {
		r.header.Set("Content-Type", "application/json")
		r.fields, _ = g.value("", schema.Value, subject).(map[string]any)
		if op.ID == "placeOrder" {
			foot(r.fields)
		}
		r.marshal()
	}
	return r
}

func (r *request) marshal() {
	body, err := json.Marshal(r.fields)
	if err != nil {
		panic(err)
	}
	r.body = body
}

// foot makes an order's total what its amounts come to, as a checkout does.
func foot(order map[string]any) {
	number := func(m map[string]any, name string) int64 { n, _ := m[name].(int64); return n }
	taxed := order["prices_include_tax"] != true
	shipping := order["shipping"].(map[string]any)
	total := number(shipping, "amount") - number(order, "discount")
	if taxed {
		total += number(shipping, "tax")
	}
	for _, line := range order["lines"].([]any) {
		l := line.(map[string]any)
		total += number(l, "quantity")*number(l, "unit_price") - number(l, "discount")
		if taxed {
			total += number(l, "tax")
		}
	}
	if total >= 0 && total <= money.Max {
		order["total"] = total
	}
}

func (g *generator) name(prefix string) string {
	g.numbers++
	return fmt.Sprintf("%s-%d", prefix, g.numbers)
}

func pick[T any](g *generator, of []T) T { return of[g.IntN(len(of))] }

// subject is what a path is about: most often something that is there, and of a hold or a refund, one of the same order.
func (g *generator) subject(op *api.Operation, p *openapi3.Parameter, owner string) string {
	prefix := map[string]string{"orders": "ord", "fulfillments": "ful", "shipments": "shp", "returns": "ret"}[strings.Split(op.Path, "/")[2]]
	if waits := g.ready[op.ID]; len(waits) > 0 && p.Name == "id" {
		g.ready[op.ID] = waits[1:]
		return waits[0]
	}
	switch {
	case p.Name == "sku":
		return pick(g, []string{"TEE-M", "MUG", "A/B", "né"})
	case op.ID == "putLocation":
		return pick(g, []string{"sf", "nyc", g.name("loc")})
	case p.Name == "hold_id":
		prefix = "hld"
	case p.Name == "refund_id":
		prefix = "rfd"
	}
	known := g.ids[prefix]
	if owner != "" {
		if of := slices.DeleteFunc(slices.Clone(g.beside[owner]), func(id string) bool { return !strings.HasPrefix(id, prefix) }); len(of) > 0 {
			known = of
		}
	}
	if len(known) == 0 || g.IntN(10) == 0 {
		return prefix + "_06ask8m1f4q93r7v0h2knctd1o"
	}
	if g.IntN(2) == 0 {
		return known[len(known)-1] // the newest has most left to be done
	}
	return pick(g, known)
}

// learn remembers every id in an answer, and which stood together.
func (g *generator) learn(body any) {
	var found []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(v[name])
			}
		case []any:
			for _, element := range v {
				walk(element)
			}
		case string:
			if prefix, rest, ok := strings.Cut(v, "_"); ok && len(prefix) == 3 && len(rest) == 26 && !slices.Contains(found, v) {
				found = append(found, v)
			}
		}
	}
	walk(body)
	for _, id := range found {
		if !slices.Contains(g.ids[id[:3]], id) {
			g.ids[id[:3]] = append(g.ids[id[:3]], id)
		}
		if _, list := body.(map[string]any)["data"]; !list {
			g.beside[id] = found
		}
	}
}

// value makes a value that the schema allows. Under a name that means something here it is most often one that fits.
func (g *generator) value(name string, s *openapi3.Schema, about string) any {
	if fitting := g.fitting(name, about); fitting != nil && g.IntN(10) > 0 {
		return fitting
	}
	switch {
	case len(s.Enum) > 0:
		return pick(g, s.Enum)
	case s.Type.Is(openapi3.TypeObject):
		object := map[string]any{}
		for _, property := range slices.Sorted(maps.Keys(s.Properties)) {
			if slices.Contains(s.Required, property) || g.IntN(3) == 0 {
				object[property] = g.value(property, s.Properties[property].Value, about)
			}
		}
		return object
	case s.Type.Is(openapi3.TypeArray):
		n := max(int(s.MinItems), 1)
		if most := uint64(n); s.MaxItems == nil || most < *s.MaxItems {
			n += g.IntN(2)
		}
		array := make([]any, n)
		for i := range array {
			array[i] = g.value("", s.Items.Value, about)
		}
		return array
	case s.Type.Is(openapi3.TypeInteger):
		least, most := int64(*s.Min), int64(*s.Max)
		return pick(g, []int64{least, most, least + 1, least + g.Int64N(min(most-least, 100)+1), least + g.Int64N(most-least+1)})
	case s.Type.Is(openapi3.TypeBoolean):
		return g.IntN(2) == 0
	}
	return g.text(s)
}

// fitting is what a field of this name may be about in this shop.
func (g *generator) fitting(name, about string) any {
	switch name {
	case "sku":
		return pick(g, []string{"TEE-M", "TEE-M", "MUG"})
	case "location":
		return pick(g, []string{"sf", "sf", "nyc"})
	case "line_id":
		of := slices.DeleteFunc(slices.Clone(g.beside[about]), func(id string) bool { return !strings.HasPrefix(id, "lin_") })
		if len(of) > 0 {
			return pick(g, of)
		}
	case "quantity":
		return int64(1 + g.IntN(2))
	case "unit_price", "amount", "tax":
		return int64(g.IntN(3000))
	case "discount":
		return int64(0)
	case "gateway":
		return "sandbox"
	case "token":
		return pick(g, []string{"tok_ok", "tok_ok", "tok_ok", "tok_ok", "tok_declined", "tok_action_required", "tok_refund_refused"})
	case "channel":
		return pick(g, []string{"web", "app"})
	case "external_id":
		return g.name("x")
	case "occurred_at", "promised_at":
		return time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)
	case "deadline":
		return time.Now().UTC().Add(240 * time.Hour).Format(time.RFC3339)
	}
	return nil
}

// text makes a text of the schema's format, form and length.
func (g *generator) text(s *openapi3.Schema) string {
	switch s.Format {
	case "date-time":
		return pick(g, []string{"2026-01-02T15:04:05Z", "2026-06-30T23:59:59.123456789+14:00", "1970-01-01T00:00:00-12:00",
			"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"})
	case "currency":
		return pick(g, []string{"USD", "JPY", "KWD"})
	case "country":
		return pick(g, []string{"US", "DE", "JP"})
	}
	most := 200
	if s.MaxLength != nil {
		most = int(*s.MaxLength)
	}
	for range 100 {
		var made string
		if s.Pattern != "" {
			made = rapid.StringMatching(s.Pattern).Example(g.Int())
		} else {
			made = strings.Repeat(pick(g, []string{"x", "é", "株", "👩", "'", "<b>", "%", "\\", `"`}), 1+g.IntN(3))
			if g.IntN(5) == 0 {
				made = strings.Repeat("é", most)
			}
		}
		made = strings.Map(func(r rune) rune {
			if unreadable(r) {
				return -1
			}
			return r
		}, made)
		if made = cut(made, most); s.VisitJSON(made) == nil {
			return made
		}
	}
	panic("the generator knows no text for " + s.Pattern)
}

func unreadable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == unicode.ReplacementChar
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
