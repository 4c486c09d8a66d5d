package api

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/waybill-oms/waybill/domain/fault"
)

const (
	maxBody  = 256 << 10 // bytes: the largest order of 500 full lines takes about 150 KiB
	maxDepth = 32        // objects and arrays within each other; the contract needs 5
)

// decodeJSON reads one JSON value, strictly: nothing around it but white space, no field twice in an object, good
// UTF-8 (also in escapes), at most maxDepth deep. Numbers stay as they were written (json.Number). Whatever is wrong
// is Malformed, and what is said of it never quotes the input.
func decodeJSON(data []byte) (any, error) {
	switch {
	case len(bytes.TrimLeft(data, " \t\r\n")) == 0:
		return nil, fault.New(fault.Malformed, "body_missing", "the body is empty: send a JSON object")
	case !utf8.Valid(data):
		return nil, fault.New(fault.Malformed, "bad_utf8", "the body is not UTF-8")
	case !json.Valid(data):
		return nil, notJSON(data)
	case loneSurrogate(data):
		return nil, fault.New(fault.Malformed, "bad_utf8", "the body has half a surrogate pair in an escape")
	}
	d := &decoder{tokens: json.NewDecoder(bytes.NewReader(data))}
	d.tokens.UseNumber()
	return d.value(0)
}

// notJSON tells a second value after a good first one from text that is no JSON at all.
func notJSON(data []byte) error {
	tokens := json.NewDecoder(bytes.NewReader(data))
	var first json.RawMessage
	if err := tokens.Decode(&first); err == nil {
		return fault.New(fault.Malformed, "trailing_data", "something follows the JSON value, at byte %d",
			tokens.InputOffset())
	}
	return fault.New(fault.Malformed, "not_json", "the body is not JSON")
}

// decoder walks the tokens of a text that is known to be valid JSON.
type decoder struct{ tokens *json.Decoder }

func (d *decoder) value(depth int) (any, error) {
	token, err := d.tokens.Token()
	if err != nil {
		return nil, fault.New(fault.Malformed, "not_json", "the body is not JSON")
	}
	delim, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	if depth == maxDepth {
		return nil, fault.New(fault.Malformed, "too_deep", "the body nests more than %d levels", maxDepth)
	}
	if delim == '{' {
		return d.object(depth)
	}
	return d.array(depth)
}

func (d *decoder) object(depth int) (any, error) {
	object := make(map[string]any)
	for d.tokens.More() {
		token, err := d.tokens.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return nil, fault.New(fault.Malformed, "not_json", "the body is not JSON")
		}
		if _, twice := object[key]; twice {
			return nil, fault.New(fault.Malformed, "duplicate_field",
				"an object has the same field twice, at byte %d", d.tokens.InputOffset())
		}
		if object[key], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := d.tokens.Token() // the closing brace
	return object, err
}

func (d *decoder) array(depth int) (any, error) {
	array := []any{}
	for d.tokens.More() {
		element, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		array = append(array, element)
	}
	_, err := d.tokens.Token() // the closing bracket
	return array, err
}

// loneSurrogate reports whether valid JSON has a \u escape that is half of a pair. encoding/json would silently put
// U+FFFD in its place, and two different names would become one.
func loneSurrogate(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++ // now at what is escaped; a backslash never ends valid JSON
		if data[i] != 'u' {
			continue
		}
		r := escapedRune(data[i:])
		i += 4 // now at the last digit
		if !utf16.IsSurrogate(r) {
			continue
		}
		if i+2 >= len(data) || data[i+1] != '\\' || data[i+2] != 'u' ||
			utf16.DecodeRune(r, escapedRune(data[i+2:])) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// escapedRune reads "uXXXX" at the beginning of data.
func escapedRune(data []byte) rune {
	n, _ := strconv.ParseUint(string(data[1:5]), 16, 32)
	return rune(n)
}
