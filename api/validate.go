package api

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybill-oms/waybill/domain/money"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// maxOffset is how far, in seconds, any place's clock is from UTC. RFC 3339 would let a whole day pass, PostgreSQL 16 hours.
const maxOffset = 14 * 60 * 60

// formats are the contract's formats, checked with the domain's own tables.
var formats = map[string]openapi3.StringFormatValidator{
	"date-time": openapi3.NewCallbackValidator(func(s string) error {
		at, err := time.Parse(time.RFC3339, s)
		if _, offset := at.Zone(); err == nil && (at.UTC().Year() < 1 || at.UTC().Year() > 9999 || max(offset, -offset) > maxOffset) {
			return errors.New("a time that neither the database nor JSON can write")
		}
		return err
	}),
	"currency": openapi3.NewCallbackValidator(func(s string) error {
		if _, ok := money.Exponent(s); !ok {
			return errors.New("unknown currency")
		}
		return nil
	}),
	"country": openapi3.NewCallbackValidator(func(s string) error {
		if !shipping.KnownCountry(s) {
			return errors.New("unknown country")
		}
		return nil
	}),
}

// scalarRules are what the validator is called with: everything that is wrong, by our own formats.
var scalarRules = []openapi3.SchemaValidationOption{
	openapi3.MultiErrors(), openapi3.VisitAsRequest(), openapi3.WithStringFormatValidators(formats),
}

// validate notes everything in value that the schema, or the rules for all text and numbers, do not allow. Where is
// the JSON pointer of value itself.
//
// Objects and arrays are walked here, and the validator is asked about what is inside them, piece by piece: given a
// hostile body as a whole it goes on for minutes (20,000 unknown fields took 93 s), and here the walk ends when the
// answer is full.
func validate(schema *openapi3.Schema, value any, where string, wrong *wrongFields) {
	switch v := value.(type) {
	case map[string]any:
		if schema.Type.Is(openapi3.TypeObject) {
			validateObject(schema, v, where, wrong)
			return
		}
	case []any:
		if schema.Type.Is(openapi3.TypeArray) {
			validateArray(schema, v, where, wrong)
			return
		}
	}
	validateScalar(schema, value, where, wrong)
}

func validateObject(schema *openapi3.Schema, object map[string]any, where string, wrong *wrongFields) {
	for _, name := range schema.Required {
		if _, there := object[name]; !there {
			wrong.add(child(where, name), "required", "is required")
		}
	}
	for _, name := range sortedKeys(object) {
		if wrong.full() {
			return
		}
		switch property := schema.Properties[name]; {
		case property != nil:
			validate(property.Value, object[name], child(where, name), wrong)
		case plainName.MatchString(name) && !hasCardNumber(name):
			wrong.add(child(where, name), "unknown_field", "is not a field here"+similar(schema, name))
		default:
			wrong.add(where, "unknown_field", "has a field that the contract does not know")
		}
	}
}

func validateArray(schema *openapi3.Schema, array []any, where string, wrong *wrongFields) {
	switch n := uint64(len(array)); {
	case n < schema.MinItems:
		wrong.add(where, "too_few", "must have at least "+plural(schema.MinItems, "entry"))
	case schema.MaxItems != nil && n > *schema.MaxItems:
		wrong.add(where, "too_many", "must have at most "+plural(*schema.MaxItems, "entry"))
		return // whatever else is wrong in it, it is too long to list
	}
	for i, element := range array {
		if wrong.full() {
			return
		}
		validate(schema.Items.Value, element, child(where, strconv.Itoa(i)), wrong)
	}
}

// validateScalar asks the validator, whose own messages quote what they refuse: none of its text is used.
func validateScalar(schema *openapi3.Schema, value any, where string, wrong *wrongFields) {
	switch err := schema.VisitJSON(value, scalarRules...).(type) { //nolint:errorlint // the outermost is what counts
	case nil:
	case *openapi3.SchemaError:
		code, detail := explain(err)
		wrong.add(where, code, detail)
	case openapi3.MultiError:
		code, detail := "not_allowed", "is not what the contract allows here"
		if first, ok := err[0].(*openapi3.SchemaError); ok { //nolint:errorlint // as above
			code, detail = explain(first)
		}
		wrong.add(where, code, detail)
	default:
		wrong.add(where, "not_allowed", "is not what the contract allows here")
	}
	switch v := value.(type) {
	case string:
		if code, detail := badText(v); code != "" {
			wrong.add(where, code, detail)
		}
	case json.Number:
		if !wholeNumber.MatchString(v.String()) {
			wrong.add(where, "not_whole", wantsWhole)
		}
	}
}

// plainName is a field name that may be said back to whoever sent it.
var plainName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_.$-]{0,63}$`)

// similar helps with a name in another case or style: unitPrice, UNIT_PRICE.
func similar(schema *openapi3.Schema, name string) string {
	flat := func(s string) string { return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)) }
	for _, known := range sortedKeys(schema.Properties) {
		if flat(known) == flat(name) {
			return ": it is written " + known
		}
	}
	return ""
}

// wholeNumber is an integer as the API takes it. 1.0 and 1e3 are integers to JSON Schema, and are how a float slips in.
var wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

const wantsWhole = "must be a whole number, written without a point or an exponent"

// explain says in our words what a schema did not allow.
func explain(err *openapi3.SchemaError) (code, detail string) {
	s := err.Schema
	switch err.SchemaField {
	case "nullable":
		return "null", "must not be null: leave it out, or give it a value"
	case "type":
		if _, number := err.Value.(float64); number && s.Type.Is(openapi3.TypeInteger) {
			return "not_whole", wantsWhole
		}
		return "wrong_type", "must be " + typeName(s)
	case "enum":
		return "unknown_value", "must be one of: " + enumText(s)
	case "minimum":
		return "out_of_range", "must be at least " + wholeText(*s.Min)
	case "maximum":
		return "out_of_range", "must be at most " + wholeText(*s.Max)
	case "minLength":
		if s.MinLength == 1 {
			return "too_short", "must not be empty"
		}
		return "too_short", "must have at least " + plural(s.MinLength, "character")
	case "maxLength":
		return "too_long", "must have at most " + plural(*s.MaxLength, "character")
	case "pattern":
		return "bad_format", "must be " + form(s)
	case "format":
		return formatText(s)
	}
	return "not_allowed", "is not what the contract allows here"
}

func formatText(s *openapi3.Schema) (code, detail string) {
	switch s.Format {
	case "currency":
		return "unknown_currency", "is not an ISO 4217 currency code"
	case "country":
		return "unknown_country", "is not an ISO 3166-1 alpha-2 country code"
	}
	return "bad_format", "must be a time such as 2026-01-02T15:04:05Z"
}

// form is how the contract describes a pattern to people.
func form(s *openapi3.Schema) string {
	if text, ok := s.Extensions["x-form"].(string); ok {
		return text
	}
	return "of another form"
}

func typeName(s *openapi3.Schema) string {
	switch {
	case s.Type.Is(openapi3.TypeObject):
		return "an object"
	case s.Type.Is(openapi3.TypeArray):
		return "an array"
	case s.Type.Is(openapi3.TypeInteger):
		return "a whole number"
	case s.Type.Is(openapi3.TypeBoolean):
		return "true or false"
	}
	return "text"
}

func enumText(s *openapi3.Schema) string {
	words := make([]string, len(s.Enum))
	for i, word := range s.Enum {
		words[i], _ = word.(string)
	}
	return strings.Join(words, ", ")
}

func wholeText(f float64) string { return strconv.FormatInt(int64(f), 10) }

func plural(n uint64, noun string) string {
	text := strconv.FormatUint(n, 10) + " "
	switch {
	case n == 1:
		return text + noun
	case strings.HasSuffix(noun, "y"):
		return text + strings.TrimSuffix(noun, "y") + "ies"
	}
	return text + noun + "s"
}

// pointerEscapes are those of RFC 6901. Making a replacer costs far more than using it.
var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// child appends a token to a JSON pointer.
func child(pointer, token string) string {
	pointer += "/" + pointerEscapes.Replace(token)
	if len(pointer) > maxPointer {
		return pointer[:maxPointer]
	}
	return pointer
}

// fillDefaults puts the contract's defaults where a valid value leaves a field out.
func fillDefaults(schema *openapi3.Schema, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, property := range schema.Properties {
			if _, there := v[name]; !there && property.Value.Default != nil {
				v[name] = property.Value.Default
			}
			fillDefaults(property.Value, v[name])
		}
	case []any:
		for _, element := range v {
			fillDefaults(schema.Items.Value, element)
		}
	}
}
