package api

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed openapi.yaml
var contractYAML []byte

// idempotencyKey is the header that every POST carries.
const idempotencyKey = "Idempotency-Key"

// Contract is openapi.yaml, read once.
type Contract struct {
	Doc        *openapi3.T
	Operations []*Operation // in the order in which the document writes them
	byID       map[string]*Operation
}

// Operation is one method of one path.
type Operation struct {
	ID     string
	Method string
	Path   string // as the contract writes it: /v1/orders/{id}
	Scope  string // what a key needs; empty for a public operation
	Spec   *openapi3.Operation
}

// LoadContract reads the embedded contract. It is read once in a process; the result is not to be changed.
var LoadContract = sync.OnceValues(func() (*Contract, error) { return readContract(false) })

// readContract reads the document. Only the page at /docs wants to know on which line everything stands: it doubles
// the time to read it.
func readContract(lines bool) (*Contract, error) {
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = lines
	doc, err := loader.LoadFromData(contractYAML)
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	if err := doc.Validate(context.TODO()); err != nil {
		return nil, fmt.Errorf("check openapi.yaml: %w", err)
	}
	c := &Contract{Doc: doc, byID: make(map[string]*Operation)}
	for path, item := range doc.Paths.Map() {
		for method, spec := range item.Operations() {
			op := &Operation{ID: spec.OperationID, Method: method, Path: path, Spec: spec}
			op.Scope, _ = spec.Extensions["x-scope"].(string)
			if c.byID[op.ID] != nil {
				return nil, fmt.Errorf("openapi.yaml: two operations are called %q", op.ID)
			}
			c.byID[op.ID] = op
			c.Operations = append(c.Operations, op)
		}
	}
	sort.Slice(c.Operations, func(i, j int) bool {
		return c.Operations[i].offset() < c.Operations[j].offset()
	})
	return c, nil
}

// offset is where the document writes the operation: the loader keeps paths in a map, and people read them in order.
func (o *Operation) offset() int {
	return bytes.Index(contractYAML, []byte("operationId: "+o.ID+"\n"))
}

// Operation returns the operation with this id, or nil.
func (c *Contract) Operation(id string) *Operation { return c.byID[id] }

// Public reports whether the operation needs no key.
func (o *Operation) Public() bool { return o.Scope == "" }

// Body is the schema of the operation's request body, or nil when it takes none.
func (o *Operation) Body() *openapi3.SchemaRef {
	if o.Spec.RequestBody == nil {
		return nil
	}
	return o.Spec.RequestBody.Value.Content.Get("application/json").Schema
}

// parameters lists the operation's parameters of one kind: "path", "query" or "header".
func (o *Operation) parameters(in string) []*openapi3.Parameter {
	var found []*openapi3.Parameter
	for _, p := range o.Spec.Parameters {
		if p.Value.In == in {
			found = append(found, p.Value)
		}
	}
	return found
}

// needsKey reports whether the operation needs an Idempotency-Key.
func (o *Operation) needsKey() bool {
	return o.Spec.Parameters.GetByInAndName(openapi3.ParameterInHeader, idempotencyKey) != nil
}

// ginPath is the path as gin writes it: /v1/orders/:id.
func (o *Operation) ginPath() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(o.Path)
}

// Response returns what the operation declares for a status, or nil.
func (o *Operation) Response(status int) *openapi3.Response {
	if ref := o.Spec.Responses.Status(status); ref != nil {
		return ref.Value
	}
	return nil
}

// Match finds the operation that a request is for, as the router does. It is for those who look at the API from
// outside, such as a test that checks every answer.
func (c *Contract) Match(r *http.Request) *Operation {
	got := strings.Split(r.URL.EscapedPath(), "/")
	var best *Operation
	for _, op := range c.Operations {
		want := strings.Split(op.Path, "/")
		if op.Method != r.Method || len(want) != len(got) {
			continue
		}
		matches := true
		for i := range want {
			variable := strings.HasPrefix(want[i], "{")
			matches = matches && (variable && got[i] != "" || want[i] == got[i])
		}
		if matches && (best == nil || !strings.Contains(op.Path, "{")) {
			best = op
		}
	}
	return best
}
