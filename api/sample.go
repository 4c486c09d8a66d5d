package api

import (
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Example returns an answer that the contract allows for a status, made of the examples in it, and its media type. It
// is for the page at /docs and for tests that need an API without what is behind it.
func (o *Operation) Example(status int) (media string, body any) {
	for media, content := range o.Response(status).Content {
		return media, sample(content.Schema.Value)
	}
	return "", nil
}

// sample makes a value that a schema allows, out of the examples in it.
func sample(schema *openapi3.Schema) any {
	switch {
	case len(schema.Examples) > 0:
		return schema.Examples[0]
	case len(schema.OneOf) > 0:
		return sample(notNull(&openapi3.SchemaRef{Value: schema}).Value)
	case schema.Items != nil:
		return []any{sample(schema.Items.Value)}
	case schema.Default != nil:
		return schema.Default
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Type.Is(openapi3.TypeObject):
		object := make(map[string]any)
		for name, property := range schema.Properties {
			object[name] = sample(property.Value)
		}
		return object
	case schema.Type.Is(openapi3.TypeBoolean):
		return false
	}
	return "…"
}

// formatJSON writes a value with its fields in the contract's order, as people would.
func formatJSON(schema *openapi3.Schema, value any, indent string) string {
	schema = notNull(&openapi3.SchemaRef{Value: schema}).Value
	deeper := indent + "  "
	var parts []string
	opening, closing := "{", "}"
	switch v := value.(type) {
	case map[string]any:
		for _, name := range propertiesInOrder(schema) {
			if element, there := v[name]; there {
				parts = append(parts, strconv.Quote(name)+": "+formatJSON(schema.Properties[name].Value, element, deeper))
			}
		}
	case []any:
		opening, closing = "[", "]"
		for _, element := range v {
			parts = append(parts, formatJSON(schema.Items.Value, element, deeper))
		}
	default:
		return string(mustMarshal(v))
	}
	if len(parts) == 0 {
		return opening + closing
	}
	return opening + "\n" + deeper + strings.Join(parts, ",\n"+deeper) + "\n" + indent + closing
}
