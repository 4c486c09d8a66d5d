package telemetry_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/telemetry"
)

// The catalog says which values its labels have. It imports nothing of the domain, so this compares them with it.
func TestLabelsHaveTheDomainsValues(t *testing.T) {
	var open []string
	for _, s := range order.Statuses() {
		if !s.Final() {
			open = append(open, string(s))
		}
	}
	operations := append(constants(t, "payment", "Kind"), constants(t, "shipping", "Kind")...)
	outcomes := constants(t, "payment", "Outcome")
	require.Subset(t, outcomes, constants(t, "shipping", "Outcome"))
	for of, values := range map[[2]string]string{
		{"waybill_orders", "status"}:                              strings.Join(open, ", "),
		{"waybill_orders_waiting", "waiting_for"}:                 strings.Join(constants(t, "order", "WaitingFor"), ", "),
		{"waybill_gateway_request_duration_seconds", "operation"}: strings.Join(operations, ", ") + "; with _lookup when an earlier request was looked up",
		{"waybill_gateway_request_duration_seconds", "outcome"}: strings.Join(outcomes, ", ") +
			"; without a last word: " + strings.Join(unanswered(t), ", "),
	} {
		require.Equal(t, values, label(t, of[0], of[1]), of)
	}
}

// label is what the catalog says of a label.
func label(t *testing.T, metric, name string) (values string) {
	t.Helper()
	for _, m := range telemetry.Catalog() {
		for _, l := range m.Labels {
			if m.Name == metric && l.Name == name {
				return l.Values
			}
		}
	}
	require.Fail(t, "missing", "%s has no label %s", metric, name)
	return ""
}

// constants reads the values of a type's constants in a package of the domain, but for the empty one.
func constants(t *testing.T, pkg, typeName string) (values []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "domain", pkg, "*.go"))
	require.NoError(t, err)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			kind, _ := spec.Type.(*ast.Ident)
			literal, _ := spec.Values[0].(*ast.BasicLit)
			if kind != nil && literal != nil && kind.Name == typeName && literal.Value != `""` {
				value, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				values = append(values, value)
			}
			return true
		})
	}
	require.NotEmpty(t, values)
	return values
}

// failing is a payment gateway that never has the last word.
type failing struct {
	activities.PaymentGateway
	err error
}

func (f failing) Perform(context.Context, payment.Request) (payment.Answer, error) {
	return payment.Answer{}, f.err
}

// unanswered is what is measured of requests without a last word.
func unanswered(t *testing.T) (outcomes []string) {
	t.Helper()
	for _, err := range []error{payment.ErrUnknown, &payment.RateLimited{}, payment.ErrKeyInUse, payment.ErrKeyReused, payment.ErrNotFound} {
		gateway := activities.MeasuredGateway("sandbox", failing{err: err}, func(_, _, outcome string, _ time.Duration) {
			outcomes = append(outcomes, outcome)
		})
		_, _ = gateway.Perform(t.Context(), payment.Request{})
	}
	return outcomes
}
