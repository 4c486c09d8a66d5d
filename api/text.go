package api

import (
	"strings"
	"unicode"

	"github.com/waybill-oms/waybill/domain/fault"
)

// badText says what is wrong with a piece of text in any field or parameter, or returns an empty code. These rules
// stand beside the contract: they hold for every text there is, and no schema could say them.
func badText(s string) (code, detail string) {
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return "bidi_character", "must not have characters that change the direction of writing"
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\ufeff':
			return "control_character", "must not have control characters"
		}
	}
	if hasCardNumber(s) {
		return "card_number", "looks like it has a card number in it: send the gateway's token"
	}
	return "", ""
}

// hasCardNumber reports whether s has what looks like a payment card's number: 13 to 19 digits, alone or in groups
// with spaces and dashes between them, that begin as a card network's do and pass the Luhn check. The beginnings
// matter: without them every tenth long number, such as another system's order id, would be taken for a card.
func hasCardNumber(s string) bool {
	groups := digitGroups(s)
	for i := range groups {
		digits := ""
		for j := i; j < len(groups) && len(digits)+len(groups[j].digits) <= 19; j++ {
			if j > i && !groups[j].follows {
				break
			}
			digits += groups[j].digits
			if len(digits) >= 13 && cardNetwork(digits) && luhn(digits) {
				return true
			}
		}
	}
	return false
}

// digitGroup is a run of digits. It follows the group before it when only spaces and dashes are between them.
type digitGroup struct {
	digits  string
	follows bool
}

func digitGroups(s string) []digitGroup {
	var groups []digitGroup
	var current strings.Builder
	follows := false
	flush := func() {
		if current.Len() > 0 {
			groups = append(groups, digitGroup{current.String(), follows})
			current.Reset()
			follows = true
		}
	}
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			current.WriteRune(r)
		case r >= '０' && r <= '９': // full-width digits read as digits to people and to some gateways
			current.WriteRune(r - '０' + '0')
		case unicode.Is(unicode.Zs, r), unicode.Is(unicode.Pd, r):
			flush()
		default:
			flush()
			follows = false
		}
	}
	flush()
	return groups
}

// cardNetwork reports whether digits begin, and are as many, as on the cards of a network: Visa, Mastercard, American
// Express, Discover, Diners Club, JCB, UnionPay, Maestro.
func cardNetwork(digits string) bool {
	n, first, second := len(digits), digits[0], digits[1]
	switch first {
	case '4':
		return n == 13 || n == 16 || n == 19
	case '2':
		return n == 16 && digits[:4] >= "2221" && digits[:4] <= "2720"
	case '3':
		switch second {
		case '4', '7':
			return n == 15
		case '5':
			return n >= 16 && digits[:4] >= "3528" && digits[:4] <= "3589"
		}
		return n >= 14 && (second == '6' || second == '8' || second == '9' || second == '0' && digits[2] <= '5')
	case '5':
		return n == 16 && second >= '1' && second <= '5' || second == '0' || second >= '6' && second <= '8'
	}
	return first == '6'
}

// luhn checks the last digit against the others (ISO/IEC 7812-1).
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// wrongFields collects what is wrong with a request: one entry for a place, the first that was found, and no more
// entries than an answer has room for.
type wrongFields struct {
	fields fault.Fields
	seen   map[string]bool // pointers with an entry
}

const (
	maxErrors  = 100 // entries in one answer: nobody reads more, and a hostile body could ask for 100,000
	maxPointer = 500 // bytes
)

func (w *wrongFields) add(pointer, code, detail string) {
	if w.seen == nil {
		w.seen = make(map[string]bool)
	}
	if w.seen[pointer] || w.full() {
		return
	}
	w.seen[pointer] = true
	w.fields = append(w.fields, fault.Field{Pointer: pointer, Code: code, Detail: detail})
}

// full reports whether there is no room for more: the rest of the request need not be looked at.
func (w *wrongFields) full() bool { return len(w.fields) == maxErrors }

// err is nil when nothing was wrong.
func (w *wrongFields) err() error {
	err := w.fields.Err()
	if f := fault.As(err); f != nil && w.full() {
		f.Detail = "many fields are wrong; these are the first"
	}
	return err
}
