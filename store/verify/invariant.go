package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-oms/waybill/domain/lifecycle"
	"github.com/waybill-oms/waybill/domain/order"
)

// invariant is one promise about facts, and the question whose answer is every violation of it.
type invariant struct {
	id, protects string
	// sql asks our own database. Each row is (subject, detail, excuse): a violation when the excuse is empty. It may
	// read clock.now, and {open}, {final} and {edges} stand for what the domain knows of states.
	sql string
	// check asks whatever else there is to be asked, where sql is empty.
	check func(context.Context, *inquiry, *Finding) error
}

// What excuses a row from being a violation, for the time being.
const (
	excuseInFlight  = "in_flight"
	excuseAttention = "attention"
)

// facts lists the invariants that are answered from PostgreSQL, in one moment.
func facts() []invariant {
	return slices.Concat(money(), stock(), orders(), events())
}

// Protects lists what each invariant protects, in the order of the table: its id and one sentence.
func Protects() [][2]string {
	var table [][2]string
	for _, i := range facts() {
		table = append(table, [2]string{i.id, i.protects})
	}
	for _, i := range runs() {
		table = append(table, [2]string{i.id, i.protects})
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
