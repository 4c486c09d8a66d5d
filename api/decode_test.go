package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
)

func TestDecodeKeepsWhatWasWritten(t *testing.T) {
	value, err := decodeJSON([]byte(" {\"a\":[1,-2,{}],\"é\":\"\\ud83d\\ude00 \\\\ud83d\",\"n\":null,\"t\":true,\"big\":123456789012345678901234567890}\r\n"))
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"a": []any{json.Number("1"), json.Number("-2"), map[string]any{}}, "é": "😀 \\ud83d", "n": nil, "t": true,
		"big": json.Number("123456789012345678901234567890"),
	}, value)
}

// FuzzDecode holds the decoder against encoding/json: it never panics, never accepts what the library refuses, reads
// the same value, and what it refuses beyond the library it refuses for a reason that the library ignores.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", " ", "{}", "[]", "null", "0", `"x"`, `{"a":1}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"a":{"a":1}}}`,
		`{"a":1}{}`, `{"a":1} x`, `{"a":1,}`, `[1,]`, `[1 2]`, `{"a" 1}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `"\\ud83d"`,
		`"\ude00\ud83d"`, `"\ud83d\u0061"`, `"\u0000"`, "\"\x00\"", "\"\xff\"", "\xef\xbb\xbf{}", `{"a":1.0,"b":1e3,"c":-0}`,
		`{"a":1e400}`, strings.Repeat("[", 40) + strings.Repeat("]", 40), strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33),
		`{"` + strings.Repeat("k", 100) + `":"` + strings.Repeat("v", 100) + `"}`, "\"\u2028\"", `{"":""}`, `{"\"":"\/"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeJSON(data)
		library := json.NewDecoder(bytes.NewReader(data))
		library.UseNumber()
		var want any
		libraryErr := library.Decode(&want)
		if err == nil {
			require.NoError(t, libraryErr)
			require.True(t, json.Valid(data) && utf8.Valid(data))
			require.True(t, reflect.DeepEqual(got, want), "%v is not %v", got, want)
			return
		}
		refused := fault.As(err)
		require.NotNil(t, refused, "an error that is not a fault")
		require.Equal(t, fault.Malformed, refused.Kind)
		require.Contains(t, problems, refused.Code)
		switch refused.Code {
		case "body_missing", "not_json", "trailing_data":
			require.False(t, json.Valid(data))
		case "bad_utf8", "duplicate_field", "too_deep":
		default:
			t.Fatalf("an unknown code: %s", refused.Code)
		}
	})
}

// FuzzValidate sends whatever decodes through the contract of an order: it never panics, stays within an answer, and
// what passes reads into the generated type.
func FuzzValidate(f *testing.F) {
	op := contractOf(f).Operation("placeOrder")
	example := mustMarshal(op.Spec.RequestBody.Value.Content.Get("application/json").Example)
	f.Add(example)
	f.Add(bytes.Replace(example, []byte(`"US"`), []byte(`null`), 1))
	f.Add(bytes.Replace(example, []byte(`4828`), []byte(`4828.0`), 1))
	f.Add([]byte(`{"lines":[{"lines":[[]]}],"x":{"y":1e999}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := decodeJSON(data)
		if err != nil {
			return
		}
		var wrong wrongFields
		validate(op.Body().Value, value, "", &wrong)
		require.LessOrEqual(t, len(wrong.fields), maxErrors)
		for _, field := range wrong.fields {
			require.NotEmpty(t, field.Code)
			require.NotEmpty(t, field.Detail)
			require.True(t, utf8.ValidString(field.Pointer) && len(field.Pointer) <= maxPointer)
		}
		if wrong.err() == nil {
			fillDefaults(op.Body().Value, value)
			require.NotPanics(t, func() { convert[client.OrderRequest](value) })
		}
	})
}

func TestCardNumbers(t *testing.T) {
	for _, card := range []string{
		"4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "4111  1111--1111 1111", "5555555555554444",
		"378282246310005", "3782 822463 10005", "6011111111111117", "30569309025904", "3530111333300000", "2223003122003222",
		"6200000000000005", "4222222222222", "pay with 4111111111111111, please", "tok_4111111111111111", "12 4111111111111111",
		"4111111111111111 12/29 123", "４１１１１１１１１１１１１１１１", "4111\u00a01111\u00a01111\u00a01111", "4111‑1111‑1111‑1111",
	} {
		require.True(t, hasCardNumber(card), card)
	}
	for _, other := range []string{
		"", "1001", "4111111111111112", "411111111111", "5012345678901", "0000000000000000", "9780306406157", "20260102150405",
		"+1 415 555 0100", "41111111111111111111111111", "ord_06ask8m1f4q93r7v0h2knctd1o", "4111x1111x1111x1111",
		"019b7e2c-6a1f-7c55-9d0e-3f1b2a4c5d6e", "1Z9999W99999999999", "2026-01-02 2026-01-03",
	} {
		require.False(t, hasCardNumber(other), other)
	}
}

func TestBadText(t *testing.T) {
	for _, good := range []string{"", "Zoë", "株式会社", "👩\u200d👩\u200d👧 family", "می\u200cخواهم", "O'Brien & Söhne <b>", "a\u00a0b"} {
		code, _ := badText(good)
		require.Empty(t, code, good)
	}
	for bad, want := range map[string]string{
		"\x00": "control_character", "a\tb": "control_character", "\x7f": "control_character", "\u009b": "control_character",
		"\u2028": "control_character", "\ufeff": "control_character", "\u200e": "bidi_character", "\u202e": "bidi_character",
		"\u2066": "bidi_character", "\u061c": "bidi_character",
	} {
		code, _ := badText(bad)
		require.Equal(t, want, code, "%q", bad)
	}
}

// BenchmarkLargestOrder is what the border costs for 500 lines.
func BenchmarkLargestOrder(b *testing.B) {
	op := contractOf(b).Operation("placeOrder")
	example := mustMarshal(op.Spec.RequestBody.Value.Content.Get("application/json").Example)
	line := `{"discount":0,"external_id":"1","quantity":2,"sku":"TEE-M","tax":330,"unit_price":1999}`
	data := bytes.Replace(example, []byte(line), []byte(strings.Repeat(line+",", 499)+line), 1)
	require.Greater(b, len(data), 499*len(line))
	for b.Loop() {
		value, err := decodeJSON(data)
		require.NoError(b, err)
		var wrong wrongFields
		validate(op.Body().Value, value, "", &wrong)
		require.NoError(b, wrong.err())
	}
}
