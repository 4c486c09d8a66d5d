package shopify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-oms/waybill/domain/order"
)

// Result is what became of one thing in a file.
type Result string

// What can become of an order.
const (
	Imported Result = "imported" // taken in
	Held     Result = "held"     // taken in, and somebody has to look into it before it goes on
	Rejected Result = "rejected" // taken in and turned away
	Existing Result = "existing" // imported before: nothing changed
	Skipped  Result = "skipped"  // not for us
	Failed   Result = "failed"   // cannot be taken in as it is
)

// Results lists what can become of an order.
func Results() []Result { return []Result{Imported, Held, Rejected, Existing, Skipped, Failed} }

// Outcome is one line of an import's report. It has no personal data.
type Outcome struct {
	File       string        `json:"file"`
	Number     int           `json:"number"` // of the order in the file, from 1; 0 is the file itself
	Name       string        `json:"name"`   // the order's in Shopify
	ExternalID string        `json:"external_id"`
	Total      string        `json:"total"` // as Shopify says it, with its currency
	Financial  string        `json:"financial_status"`
	Result     Result        `json:"result"`
	OrderID    string        `json:"order_id"` // ours; empty when there is none
	Status     order.Status  `json:"status"`
	Holds      []OutcomeHold `json:"holds"`
	Notes      []string      `json:"notes"` // why, and what else a person should know
}

// OutcomeHold is what somebody has to look into.
type OutcomeHold struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// Complete reports whether every order that is for us is with us: none failed, and none was turned away. A held one
// is with us.
func Complete(outcomes []Outcome) bool {
	return !slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.Result == Failed || o.Result == Rejected })
}

// label names the order to a person.
func (o Outcome) label() string {
	switch {
	case o.Name != "":
		return o.Name
	case o.ExternalID != "":
		return o.ExternalID
	case o.Number > 0:
		return fmt.Sprintf("no. %d", o.Number)
	}
	return "(file)"
}

// become takes over how the order stands with us.
func (o *Outcome) become(now *order.Order, fresh bool) {
	o.Status, o.Result = now.Status, Imported
	for _, h := range now.Holds {
		if h.Active() {
			o.Result = Held
			o.Holds = append(o.Holds, OutcomeHold{Reason: h.Reason, Detail: h.Detail})
		}
	}
	var notes []string
	if now.Decision == order.Undecided && !now.Status.Final() {
		notes = append(notes, "it is stored and has not been decided yet: that goes on by itself")
	}
	if now.Status == order.Rejected {
		o.Result = Rejected
		notes = append(notes, rejection(now))
	}
	if !fresh {
		o.Result = Existing
	}
	o.Notes = append(notes, o.Notes...)
}

// rejection says what is short, and where the money is that nobody here can give back.
func rejection(o *order.Order) string {
	var short []string
	for _, s := range o.Shortages {
		short = append(short, shortage(s.Requested, s.SKU, s.Available, s.Known))
	}
	s := "out of stock: " + strings.Join(short, ", ")
	switch {
	case o.Total == 0:
	case strings.HasPrefix(o.Token, "paid:"):
		s += "; paid elsewhere: REFUND IT THERE"
	case strings.HasPrefix(o.Token, "authorized:"):
		s += "; authorized elsewhere: VOID IT THERE"
	}
	return s
}

// differences names what an order's placement then and now tell otherwise.
func differences(then, now order.Placement) []string {
	var names []string
	add := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	add("currency", then.Currency == now.Currency)
	add("total", then.Total == now.Total)
	add("lines", slices.Equal(then.Lines, now.Lines))
	add("discount", then.Discount == now.Discount)
	add("shipping", then.Shipping == now.Shipping)
	add("taxes_included", then.PricesIncludeTax == now.PricesIncludeTax)
	add("payment", then.Payment == now.Payment)
	add("shipping address", then.ShipTo == now.ShipTo)
	add("customer", then.Customer == now.Customer)
	return names
}

// Count says how many orders had each result.
func Count(outcomes []Outcome) map[Result]int {
	n := map[Result]int{}
	for _, o := range outcomes {
		n[o.Result]++
	}
	return n
}
