package sandbox

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocumentation: the package's page lists every test value with the words of the tables, and no other.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	var want []string
	for _, token := range Tokens() {
		want = append(want, token.Name+" "+token.Effect)
	}
	for _, place := range PostalCodes() {
		want = append(want, place.Code+" "+place.Effect)
	}
	var got []string
	entry := regexp.MustCompile(`^//\t((?:tok_|\d{5}).*)$`)
	for line := range strings.Lines(string(text)) {
		if found := entry.FindStringSubmatch(strings.TrimRight(line, "\n")); found != nil {
			got = append(got, strings.Join(strings.Fields(found[1]), " "))
		}
	}
	require.Equal(t, want, got)
}

// TestScriptsAreWhole: a value that refuses says by which code, and no other does.
func TestScriptsAreWhole(t *testing.T) {
	whole := func(name string, refuses bool, code string) {
		require.Equal(t, refuses, code != "", "%s: %q", name, code)
	}
	for _, token := range Tokens() {
		refuses := false
		for _, f := range token.on {
			refuses = refuses || f == refuse || f == refuseOnce
		}
		whole(token.Name, refuses, token.code)
	}
	for _, place := range PostalCodes() {
		refuses := false
		for _, f := range place.on {
			refuses = refuses || f == refuse
		}
		whole(place.Code, refuses, place.code)
	}
}

// TestFingerprintHasEveryField sets the fields of a request one at a time, so that a field that is added to the
// domain and forgotten here is found. The key is not part of its own payload.
func TestFingerprintHasEveryField(t *testing.T) {
	everyField(t, paymentFingerprint)
	everyField(t, shippingFingerprint)
	require.NotEqual(t, fingerprint("a", "bc"), fingerprint("ab", "c"))
	require.NotEqual(t, fingerprint("a\n\"b"), fingerprint("a", "b"))
}

func everyField[R any](t *testing.T, print func(R) string) {
	t.Helper()
	seen := map[string]string{}
	var walk func(request, field reflect.Value, name string)
	walk = func(request, field reflect.Value, name string) {
		switch field.Kind() {
		case reflect.Struct:
			for i := range field.NumField() {
				walk(request, field.Field(i), name+"."+field.Type().Field(i).Name)
			}
			return
		case reflect.String:
			field.SetString("x")
		case reflect.Int64:
			field.SetInt(7)
		case reflect.Bool:
			field.SetBool(true)
		default:
			t.Fatalf("%s is a %s: teach this test, and the fingerprint", name, field.Kind())
		}
		sum := print(request.Interface().(R))
		if name != ".Key" {
			require.NotContains(t, seen, sum, "%s is not in the fingerprint, or as good as %s", name, seen[sum])
		}
		seen[sum] = name
		field.SetZero()
	}
	request := reflect.New(reflect.TypeFor[R]()).Elem()
	seen[print(request.Interface().(R))] = "nothing"
	walk(request, request, "")
}
