package api

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"sort"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
)

// The page at /docs: the contract as HTML, made once and on the first request for it. It has no script and asks for
// nothing, so it works without a network and under the strictest policy.

//go:embed docs/page.html docs/style.css
var docsFiles embed.FS

type docsPage struct {
	html   []byte
	policy string // Content-Security-Policy
}

var docs = sync.OnceValues(renderDocs)

func serveDocs(c *gin.Context) error {
	page, err := docs()
	if err != nil {
		return err
	}
	c.Header("Content-Security-Policy", page.policy)
	c.Data(http.StatusOK, "text/html; charset=utf-8", page.html)
	return nil
}

func renderDocs() (*docsPage, error) {
	contract, err := readContract(true)
	if err != nil {
		return nil, err
	}
	style, err := docsFiles.ReadFile("docs/style.css")
	if err != nil {
		return nil, err
	}
	page, err := template.New("page.html").Funcs(template.FuncMap{"text": markdown}).ParseFS(docsFiles, "docs/page.html")
	if err != nil {
		return nil, err
	}
	view := docsView(contract)
	view.Style = template.CSS(style) // embedded, not anybody's input
	var html bytes.Buffer
	if err := page.Execute(&html, view); err != nil {
		return nil, err
	}
	return &docsPage{html: html.Bytes(), policy: docsPolicy(html.Bytes())}, nil
}

// docsPolicy allows the page its own style element, by its hash, and nothing else.
func docsPolicy(html []byte) string {
	_, rest, _ := bytes.Cut(html, []byte("<style>"))
	style, _, _ := bytes.Cut(rest, []byte("</style>"))
	sum := sha256.Sum256(style)
	return fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		base64.StdEncoding.EncodeToString(sum[:]))
}

type pageView struct {
	Title, Version, Intro string
	Style                 template.CSS
	Groups                []groupView
	Schemas               []fieldView
	Problems              []problemView
}

type groupView struct {
	Name, Text string
	Operations []operationView
}

type operationView struct {
	ID, Method, Path, Summary, Text, Scope string
	Parameters                             []fieldView
	Body                                   *fieldView
	Example, Curl                          string
	Answers, Refusals                      []answerView
}

type answerView struct {
	Status, Text, Media, Schema, Example string
}

type problemView struct{ Code, Title, Text string }

// fieldView is a parameter, a property or a schema.
type fieldView struct {
	Name, In, Type, Schema, Limits, Text string
	Required                             bool
	Fields                               []fieldView // of the object that it is, or that it is a list of
}

func docsView(c *Contract) *pageView {
	info := c.Doc.Info
	view := &pageView{Title: info.Title, Version: info.Version, Intro: info.Description}
	for _, tag := range c.Doc.Tags {
		group := groupView{Name: tag.Name, Text: tag.Description}
		for _, op := range c.Operations {
			if op.Spec.Tags[0] == tag.Name {
				group.Operations = append(group.Operations, operationOf(op))
			}
		}
		view.Groups = append(view.Groups, group)
	}
	for _, name := range sortedKeys(c.Doc.Components.Schemas) {
		field := fieldOf(name, c.Doc.Components.Schemas[name])
		field.Schema = ""
		view.Schemas = append(view.Schemas, field)
	}
	for _, code := range sortedKeys(problems) {
		view.Problems = append(view.Problems, problemView{code, problems[code].title, problems[code].text})
	}
	return view
}

func operationOf(op *Operation) operationView {
	view := operationView{ID: op.ID, Method: op.Method, Path: op.Path, Summary: op.Spec.Summary,
		Text: op.Spec.Description, Scope: op.Scope}
	for _, in := range []string{openapi3.ParameterInPath, openapi3.ParameterInQuery, openapi3.ParameterInHeader} {
		for _, p := range op.parameters(in) {
			field := fieldOf(p.Name, p.Schema)
			field.In, field.Required, field.Text = in, p.Required, p.Description
			view.Parameters = append(view.Parameters, field)
		}
	}
	if body := op.Body(); body != nil {
		field := fieldOf("", body)
		view.Body = &field
		example := op.Spec.RequestBody.Value.Content.Get("application/json").Example
		view.Example = formatJSON(body.Value, example, "")
	}
	view.Curl = curlOf(op, view.Example)
	for _, status := range sortedKeys(op.Spec.Responses.Map()) {
		answer := answerOf(status, op.Spec.Responses.Value(status).Value)
		if answer.Media == "application/problem+json" {
			view.Refusals = append(view.Refusals, answer)
		} else {
			view.Answers = append(view.Answers, answer)
		}
	}
	return view
}

func answerOf(status string, response *openapi3.Response) answerView {
	view := answerView{Status: status, Text: *response.Description}
	for media, content := range response.Content {
		view.Media, view.Schema = media, schemaName(content.Schema.Ref)
		if view.Schema != "" {
			view.Example = formatJSON(content.Schema.Value, sample(content.Schema.Value), "")
		}
	}
	return view
}

// curlOf is a command that can be pasted into a shell where WAYBILL_URL and WAYBILL_KEY are set.
func curlOf(op *Operation, body string) string {
	path := op.Path
	for _, p := range op.parameters(openapi3.ParameterInPath) {
		path = strings.ReplaceAll(path, "{"+p.Name+"}", fmt.Sprint(sample(p.Schema.Value)))
	}
	lines := []string{`curl -sS "$WAYBILL_URL` + path + `"`}
	if op.Method != http.MethodGet {
		lines[0] = `curl -sS -X ` + op.Method + ` "$WAYBILL_URL` + path + `"`
	}
	if !op.Public() {
		lines = append(lines, `-H "Authorization: Bearer $WAYBILL_KEY"`)
	}
	if op.needsKey() {
		lines = append(lines, `-H "Idempotency-Key: $(uuidgen)"`)
	}
	if body != "" {
		lines = append(lines, `-H "Content-Type: application/json"`, "-d '"+strings.ReplaceAll(body, "'", `'\''`)+"'")
	}
	return strings.Join(lines, " \\\n  ")
}

// fieldOf describes a schema with everything inside it.
func fieldOf(name string, ref *openapi3.SchemaRef) fieldView {
	schema := ref.Value
	field := fieldView{Name: name, Schema: schemaName(ref.Ref), Type: typeText(schema), Limits: limits(schema),
		Text: schema.Description}
	inner := notNull(ref)
	if inner.Value.Items != nil {
		inner = inner.Value.Items
	}
	if field.Schema == "" {
		field.Schema = schemaName(inner.Ref)
	}
	for _, property := range propertiesInOrder(inner.Value) {
		child := fieldOf(property, inner.Value.Properties[property])
		for _, required := range inner.Value.Required {
			child.Required = child.Required || required == property
		}
		field.Fields = append(field.Fields, child)
	}
	return field
}

// notNull looks through "this or null".
func notNull(ref *openapi3.SchemaRef) *openapi3.SchemaRef {
	for _, one := range ref.Value.OneOf {
		if !one.Value.Type.Is("null") {
			return one
		}
	}
	return ref
}

func schemaName(ref string) string { return strings.TrimPrefix(ref, "#/components/schemas/") }

// propertiesInOrder lists an object's properties as the document writes them.
func propertiesInOrder(schema *openapi3.Schema) []string {
	names := sortedKeys(schema.Properties)
	line := func(i int) int {
		if origin := schema.Properties[names[i]].Origin; origin != nil && origin.Key != nil {
			return origin.Key.Line
		}
		return 0
	}
	sort.SliceStable(names, func(i, j int) bool { return line(i) < line(j) })
	return names
}

func typeText(schema *openapi3.Schema) string {
	switch {
	case len(schema.OneOf) > 0:
		return typeText(notNull(&openapi3.SchemaRef{Value: schema}).Value) + " or null"
	case schema.Items != nil && schemaName(schema.Items.Ref) != "":
		return "list of " + schemaName(schema.Items.Ref)
	case schema.Items != nil:
		return "list of " + typeText(schema.Items.Value)
	}
	words := make([]string, 0, 2)
	for _, t := range schema.Type.Slice() {
		if schema.Format == "date-time" && t == openapi3.TypeString {
			t = "time"
		}
		words = append(words, t)
	}
	return strings.Join(words, " or ")
}

// limits says in a few words what a value may be.
func limits(schema *openapi3.Schema) string {
	schema = notNull(&openapi3.SchemaRef{Value: schema}).Value
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch len(schema.Enum) {
	case 0:
	case 1:
		add("always %s", enumText(schema))
	default:
		add("one of %s", enumText(schema))
	}
	if schema.Min != nil && schema.Max != nil {
		add("%s to %s", wholeText(*schema.Min), wholeText(*schema.Max))
	}
	switch {
	case schema.MaxLength == nil || schema.Format == "date-time":
	case schema.MinLength == *schema.MaxLength:
		add("%s", plural(schema.MinLength, "character"))
	case schema.MinLength > 0:
		add("%d to %s", schema.MinLength, plural(*schema.MaxLength, "character"))
	default:
		add("up to %s", plural(*schema.MaxLength, "character"))
	}
	switch {
	case schema.MaxItems == nil:
	case schema.MinItems > 0:
		add("%d to %s", schema.MinItems, plural(*schema.MaxItems, "entry"))
	default:
		add("up to %s", plural(*schema.MaxItems, "entry"))
	}
	if text, ok := schema.Extensions["x-form"].(string); ok {
		add("%s", text)
	}
	if schema.Default != nil {
		add("default %v", schema.Default)
	}
	return strings.Join(parts, " · ")
}

// markdown renders what the contract's descriptions use: paragraphs, lists, code, strong words.
func markdown(source string) template.HTML {
	var out strings.Builder
	for _, block := range strings.Split(strings.TrimSpace(source), "\n\n") {
		lines := strings.Split(block, "\n")
		if !strings.HasPrefix(block, "- ") {
			out.WriteString("<p>" + inline(strings.Join(lines, " ")) + "</p>")
			continue
		}
		out.WriteString("<ul>")
		for i, line := range lines {
			if item, ok := strings.CutPrefix(line, "- "); ok {
				out.WriteString(map[bool]string{true: "", false: "</li>"}[i == 0] + "<li>" + inline(item))
			} else {
				out.WriteString(" " + inline(strings.TrimSpace(line)))
			}
		}
		out.WriteString("</li></ul>")
	}
	return template.HTML(out.String()) // every text went through inline, which escapes
}

func inline(source string) string {
	text := template.HTMLEscapeString(source)
	for _, mark := range []struct{ sign, tag string }{{"`", "code"}, {"**", "strong"}} {
		parts := strings.Split(text, mark.sign)
		for i := 1; i < len(parts); i += 2 {
			parts[i] = "<" + mark.tag + ">" + parts[i] + "</" + mark.tag + ">"
		}
		text = strings.Join(parts, "")
	}
	return text
}
