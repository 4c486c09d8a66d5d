package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/domain/fault"
)

// readPath unescapes and checks the path's variables. An id that cannot be one names nothing, so it is simply not
// found; only PUT, which makes what the path names, says what is wrong with the name.
func readPath(c *gin.Context, op *Operation, wrong *wrongFields) error {
	for i := range c.Params {
		value, err := url.PathUnescape(c.Params[i].Value)
		switch bad := err != nil || !utf8.ValidString(value); {
		case bad && op.Method == http.MethodPut:
			return fault.New(fault.Malformed, "bad_utf8", "the path is not UTF-8")
		case bad:
			return errNotFound
		}
		c.Params[i].Value = value
	}
	for _, p := range op.parameters(openapi3.ParameterInPath) {
		var bad wrongFields
		validate(p.Schema.Value, c.Param(p.Name), "/"+p.Name, &bad)
		if len(bad.fields) > 0 && op.Method != http.MethodPut {
			return errNotFound
		}
		for _, f := range bad.fields {
			wrong.add(f.Pointer, f.Code, f.Detail)
		}
	}
	return nil
}

// readQuery checks the query against the contract and returns its values by name, defaults included. A parameter that
// the contract does not know is refused: a filter that is misspelled would otherwise select everything.
func readQuery(raw string, op *Operation, wrong *wrongFields) (map[string]any, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fault.New(fault.Malformed, "bad_query", "the query cannot be decoded")
	}
	values := make(map[string]any)
	parameters := op.parameters(openapi3.ParameterInQuery)
	for _, name := range sortedKeys(query) {
		i := slices.IndexFunc(parameters, func(p *openapi3.Parameter) bool { return p.Name == name })
		switch {
		case !utf8.ValidString(name) || !utf8.ValidString(query.Get(name)):
			return nil, fault.New(fault.Malformed, "bad_utf8", "the query is not UTF-8")
		case i < 0 && (!plainName.MatchString(name) || hasCardNumber(name)):
			wrong.add("", "unknown_parameter", "the query has a parameter that the contract does not know")
		case i < 0:
			wrong.add("/"+name, "unknown_parameter", "is not a parameter here")
		case len(query[name]) > 1:
			wrong.add("/"+name, "repeated", "must be given once")
		default:
			values[name] = readParameter(parameters[i], query.Get(name), wrong)
		}
	}
	for _, p := range parameters {
		if _, there := values[p.Name]; !there && p.Schema.Value.Default != nil {
			values[p.Name] = p.Schema.Value.Default
		}
	}
	return values, nil
}

// readParameter turns a parameter's text into the JSON value that its schema is about.
func readParameter(p *openapi3.Parameter, text string, wrong *wrongFields) any {
	schema, where := p.Schema.Value, "/"+p.Name
	var value any = text
	switch {
	case schema.Type.Is(openapi3.TypeInteger):
		if !wholeNumber.MatchString(text) {
			wrong.add(where, "not_whole", wantsWhole)
			return nil
		}
		value = json.Number(text)
	case schema.Type.Is(openapi3.TypeBoolean):
		if text != "true" && text != "false" {
			wrong.add(where, "wrong_type", "must be true or false")
			return nil
		}
		value = text == "true"
	}
	validate(schema, value, where, wrong)
	return value
}

// maxKey is the length of the longest Idempotency-Key.
const maxKey = 255

var printable = regexp.MustCompile(`^[ -~]+$`)

// readIdempotencyKey returns the request's Idempotency-Key. It is read before the body: without a key there is no
// telling whether the body was seen before.
func readIdempotencyKey(header http.Header) (string, error) {
	values := header.Values(idempotencyKey)
	switch {
	case len(values) == 0 || values[0] == "":
		return "", fault.New(fault.Malformed, "idempotency_key_missing",
			"every POST carries an Idempotency-Key header: choose one for each thing that you want done, and repeat it on a retry")
	case len(values) > 1:
		return "", fault.New(fault.Malformed, "idempotency_key_invalid", "the Idempotency-Key header is there more than once")
	case len(values[0]) > maxKey:
		return "", fault.New(fault.Malformed, "idempotency_key_too_long",
			"the Idempotency-Key has at most %d characters", maxKey)
	case !printable.MatchString(values[0]):
		return "", fault.New(fault.Malformed, "idempotency_key_invalid", "the Idempotency-Key is printable ASCII")
	}
	return values[0], nil
}
