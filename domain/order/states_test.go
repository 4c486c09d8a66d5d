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
	"github.com/waybill-oms/waybill/domain/returns"
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
		"refund": draw(t, "Refund", "RefundStatus", named(order.RefundEdges()), order.RefundEdges(),
			"A refund is money to be given back on one payment. Its amount is reserved from the moment it is asked for."),
		"return": draw(t, "Return", "returns.Status", returns.Statuses(), returns.Edges(),
			"A return is goods that are to come back, or came. What was paid for them is given back by refunds of their own."),
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
// it begins; it ends wherever no edge leaves, or, if the type says which statuses are final, there.
func draw[S ~string](t *testing.T, title, typeName string, statuses []S, edges []lifecycle.Edge[S], note string) string {
	folder, typeName := source(typeName)
	meanings := meanings(t, folder, typeName)
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Drawn from domain/%s/status.go by `go generate ./domain/order`. Do not edit. -->\n\n# %s\n\n%s\n\n", folder, title, note)
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
		if final, ok := any(from).(interface{ Final() bool }); end || ok && final.Final() {
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

// source tells in which package's status.go a type stands: this one's, unless it is named with another.
func source(typeName string) (folder, name string) {
	if folder, name, elsewhere := strings.Cut(typeName, "."); elsewhere {
		return folder, name
	}
	return "order", typeName
}

// meanings reads the comments beside the constants of a type.
func meanings(t *testing.T, folder, typeName string) map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", folder, "status.go"), nil, parser.ParseComments)
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
