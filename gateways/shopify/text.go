package shopify

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What an order's texts may be long, in characters. They are the contract's: an imported order is read by the
// same clients as any other.
const (
	nameMax     = 200
	lineMax     = 200
	cityMax     = 100
	regionMax   = 10
	postalMax   = 20
	idMax       = 128
	skuMax      = 64
	serviceMax  = 64
	detailMax   = 2000
	emailMax    = 254
	orderMax    = 64  // of the order's name in the channel, in a report
	linesMax    = 500 // so that sums of amounts stay far inside an int64
	quantityMax = 1_000_000
)

// clean makes one line of a text, without what cannot be stored, or would change how a line reads on a screen.
func clean(t text) string {
	return strings.Join(strings.FieldsFunc(string(t), func(r rune) bool {
		return unicode.IsSpace(r) || unreadable(r)
	}), " ")
}

func unreadable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

func long(s string, limit int) bool { return utf8.RuneCountInString(s) > limit }

// shorten cuts a text to limit characters, the last of which then says so.
func shorten(s string, limit int) string {
	if !long(s, limit) {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// digits takes the number out of an id: "450789469", or the end of "gid://shopify/Order/450789469".
func digits(t text) string {
	s := string(t[strings.LastIndexByte(string(t), '/')+1:])
	if s == "" || long(s, 20) || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// slug turns a carrier service's code or title into a name as the rest of the system uses them.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	out := strings.TrimLeft(b.String(), "_")
	return strings.Trim(out[:min(len(out), serviceMax)], "-")
}

func firstOf(texts ...text) string {
	for _, t := range texts {
		if s := clean(t); s != "" {
			return s
		}
	}
	return ""
}
