package order_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/lifecycle"
	"github.com/waybill-oms/waybill/domain/order"
)

//go:generate go test -run TestCharts -write-charts .

var writeCharts = flag.Bool("write-charts", false, "write docs/states from the edges in this package")

// The charts in docs/states are drawn from the edges. When this fails, the life cycle changed: go generate ./domain/order
func TestCharts(t *testing.T) {
	for name, chart := range map[string]string{
		"order": draw(t, "Order", "Status", order.Statuses(), order.Edges(),
			"Payment and fulfillment have axes of their own, which are derived. A hold is not a status: an order may have several."),
		"fulfillment": draw(t, "Fulfillment order", "FulfillmentStatus", named(order.FulfillmentEdges()), order.FulfillmentEdges(),
			"A fulfillment order is what one location is to pick, pack and ship of an order."),
		"shipment": draw(t, "Shipment", "ShipmentStatus", named(order.ShipmentEdges()), order.ShipmentEdges(),
			"A shipment is one parcel. Where it is on its way is its tracking status, which carriers report."),
		"payment": draw(t, "Payment", "PaymentStatus", named(order.PaymentEdges()), order.PaymentEdges(),
			"A payment is one attempt to be paid. What was captured, voided or refunded of it is in its balances."),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("..", "..", "docs", "states", name+".md")
			if *writeCharts {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, []byte(chart), 0o644))
			}
			stored, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, chart, string(stored), "the chart is not what the edges say: go generate ./domain/order")
		})
	}
}

// draw makes a page of a life cycle: a chart of its edges and a table of its statuses. The first status is where
// it begins; it ends wherever no edge leaves.
func draw[S ~string](t *testing.T, title, typeName string, statuses []S, edges []lifecycle.Edge[S], note string) string {
	meanings := meanings(t, typeName)
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Drawn from domain/order/status.go by `go generate ./domain/order`. Do not edit. -->\n\n# %s\n\n%s\n\n", title, note)
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	fmt.Fprintf(&b, "    [*] --> %s\n", statuses[0])
	for _, from := range statuses {
		end := true
		for _, e := range edges {
			if e.Allows(from) {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, e.To, e.Name)
				end = false
			}
		}
		if end {
			fmt.Fprintf(&b, "    %s --> [*]\n", from)
		}
	}
	b.WriteString("```\n\n| Status | Meaning |\n|---|---|\n")
	for _, s := range statuses {
		meaning, ok := meanings[string(s)]
		require.True(t, ok, "no constant for %s", s)
		fmt.Fprintf(&b, "| `%s` | %s |\n", s, meaning)
	}
	require.Len(t, meanings, len(statuses), "a constant that no edge knows")
	return b.String()
}

// meanings reads the comments beside the constants of a type.
func meanings(t *testing.T, typeName string) map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), "status.go", nil, parser.ParseComments)
	require.NoError(t, err)
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != typeName {
			return false
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		require.True(t, ok)
		value, err := strconv.Unquote(literal.Value)
		require.NoError(t, err)
		found[value] = strings.TrimSpace(spec.Comment.Text())
		return false
	})
	return found
}
