package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-oms/waybill/domain/lifecycle"
	"github.com/waybill-oms/waybill/domain/order"
)

// promise is one invariant, and the question whose answer is every violation of it.
type promise struct {
	id, protects string
	// sql asks our own database. Each row is (subject, detail, excuse): a violation when the excuse is empty. It may
	// read clock.now, and {open}, {final} and {edges} stand for what the domain knows of states.
	sql string
	// check asks whatever else there is to be asked, where sql is empty.
	check func(context.Context, *inquiry, *Finding) error
	// log names the file of somebody else that check reads, where it is about one. Without the file nothing is asked.
	log func(Options) string
}

// What excuses a row from being a violation, for the time being.
const (
	excuseInFlight  = "in_flight"
	excuseAttention = "attention"
)

// facts lists the invariants that are answered from PostgreSQL, in one moment.
func facts() []promise {
	return slices.Concat(money(), stock(), orders(), goods(), events())
}

// Invariant is something that holds on every database, at any time.
type Invariant struct {
	ID       string
	Protects string // one sentence
}

// asked are those of them that can be asked with what was given.
func asked(o Options) []promise {
	return slices.DeleteFunc(facts(), func(i promise) bool { return i.log != nil && i.log(o) == "" })
}

// Invariants lists everything that Run can check, in the order of its findings.
func Invariants() []Invariant {
	var table []Invariant
	for _, i := range slices.Concat(facts(), runs()) {
		table = append(table, Invariant{ID: i.id, Protects: i.protects})
	}
	return table
}

// states puts what the domain knows of states into a question.
var states = strings.NewReplacer(
	"{open}", "('pending', 'unknown')",
	"{final}", quoted(finalStatuses()),
	"{edges}", quoted(edges(order.Edges())),
)

func finalStatuses() []string {
	var final []string
	for _, s := range order.Statuses() {
		if s.Final() {
			final = append(final, string(s))
		}
	}
	return final
}

// edges lists what may follow what, as "from>to".
func edges(all []lifecycle.Edge[order.Status]) []string {
	var steps []string
	for _, e := range all {
		for _, from := range e.From {
			steps = append(steps, fmt.Sprintf("%s>%s", from, e.To))
		}
	}
	return steps
}

func quoted(words []string) string { return "('" + strings.Join(words, "', '") + "')" }
