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
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// The first cause is called out and hides the next. Once it is mended, the next is called out.
func TestAHiddenCauseIsNotForgotten(t *testing.T) {
	t.Run("a refused label behind a refused capture", func(t *testing.T) {
		w := accepted(t, tees(2))
		w.pick(0).pack(0, w.box(1)).ship(0)
		w.answers(payment.Capture, refused("capture_refused"))
		require.NoError(t, w.tryPack(0, w.box(1)))
		w.carrierAnswers(shipping.BuyLabel, labelRefused("address_rejected"))
		require.Equal(t, order.AttentionCaptureRefused, w.o.AttentionCode)
		require.NoError(t, w.pay("tok_2"))
		w.answers(payment.Authorize)
		require.Equal(t, order.AttentionLabelRefused, w.o.AttentionCode)
	})
	t.Run("a refused void behind a parcel that turned back", func(t *testing.T) {
		w := accepted(t, tees(2))
		w.pick(0).pack(0, w.box(1), w.box(1)).ship(0)
		w.answers(payment.Capture)
		w.answers(payment.Capture, refused("capture_refused"))
		require.NoError(t, w.pay("tok_2"))
		w.answers(payment.Authorize)
		w.scan(0, shipping.ReturnToSender, time.Hour)
		w.answers(payment.Void, refused("try_later"))
		require.Equal(t, order.AttentionParcelReturning, w.o.AttentionCode)
		w.scan(0, shipping.Delivered, 2*time.Hour)
		require.Equal(t, order.AttentionVoidRefused, w.o.AttentionCode)
	})
	t.Run("a refused void behind a gateway that gave no answer", func(t *testing.T) {
		w := accepted(t, readme())
		w.pick(0).pack(0, w.box(2))
		require.NoError(t, w.cancel())
		label := w.due(shipping.VoidLabel)
		w.pass(w.policy.AttentionAfter)
		w.do(func(o *order.Order, act order.Act) { o.Unanswered(label, "no answer", act) })
		w.answers(payment.Void, refused("try_later"))
		require.Equal(t, order.AttentionGatewayUnknown, w.o.AttentionCode)
		w.carrierAnswers(shipping.VoidLabel)
		require.False(t, w.o.Settled, "it is tried again")
		require.Equal(t, order.AttentionVoidRefused, w.o.AttentionCode)
	})
	t.Run("a held parcel behind a refused label", func(t *testing.T) {
		w := accepted(t, tees(2))
		w.pick(0).pack(0, w.box(1))
		require.NoError(t, w.tryPack(0, w.box(1)))
		label := w.due(shipping.BuyLabel)
		w.pass(w.policy.AttentionAfter)
		w.do(func(o *order.Order, act order.Act) { o.Unanswered(label, "no answer", act) })
		w.ship(0)
		w.answers(payment.Capture, refused("capture_refused"))
		require.Equal(t, order.AttentionGatewayUnknown, w.o.AttentionCode)
		w.carrierAnswers(shipping.BuyLabel)
		require.Equal(t, order.AttentionCaptureRefused, w.o.AttentionCode)
	})
	t.Run("a label that cannot be voided behind one that gave no answer", func(t *testing.T) {
		w := accepted(t, tees(2))
		w.pick(0).pack(0, w.box(1), w.box(1))
		require.NoError(t, w.cancel())
		void := w.due(payment.Void)
		w.pass(w.policy.AttentionAfter)
		w.do(func(o *order.Order, act order.Act) { o.Unanswered(void, "no answer", act) })
		w.carrierAnswers(shipping.VoidLabel, labelRefused("already_scanned"))
		w.carrierAnswers(shipping.VoidLabel)
		w.answers(payment.Void)
		require.Equal(t, order.AttentionLabelVoidRefused, w.o.AttentionCode)
	})
	t.Run("a refused refund behind a void that gave no answer", func(t *testing.T) {
		w := accepted(t, readme())
		w.odd = true
		w.pick(0).pack(0, w.box(2)).ship(0)
		w.answers(payment.Capture, amounting(4000))
		require.NoError(t, w.cancel())
		w.carrierAnswers(shipping.VoidLabel)
		void := w.due(payment.Void)
		w.pass(w.policy.AttentionAfter)
		w.do(func(o *order.Order, act order.Act) { o.Unanswered(void, "no answer", act) })
		w.answers(payment.Refund, refused("try_later"))
		w.answers(payment.Void)
		require.Equal(t, order.AttentionRefundRefused, w.o.AttentionCode)
	})
}

// What is mended hides nothing.
func TestTheLastCauseLeavesNoCall(t *testing.T) {
	w := held(t)
	w.ship(0)
	w.answers(payment.Capture)
	require.Empty(t, w.o.AttentionCode)
	require.Contains(t, w.types(0), order.EventAttentionCleared)
}

// Whoever adds a cause says what it means and what to do: in the details of runs, and in docs/operators.md.
func TestEveryCauseOfAttentionHasItsGuide(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "attention.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var codes []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Attention") {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		codes = append(codes, code)
		return false
	})
	require.Greater(t, len(codes), 15)
	var guided []string
	for _, g := range order.Guides() {
		guided = append(guided, g.Code)
		require.NotEmpty(t, g.Meaning, g.Code)
		for _, advice := range []string{g.For("ord_1", ""), g.For("ord_1", "ret_1")} {
			require.NotEmpty(t, advice, g.Code)
			require.NotRegexp(t, `\{(order|return|resume)\}`, advice, g.Code)
		}
		require.NotContains(t, g.For("ord_1", ""), "/v1/returns/", g.Code)
		require.Less(t, len(g.Meaning)+len(g.For("ord_1", "ret_1")), 1_000, g.Code)
	}
	require.ElementsMatch(t, codes, guided)
}

var writeOperators = flag.Bool("write-operators", false, "write what to do for each attention into docs/operators.md")

//go:generate go test -run TestOperatorsAreTold -write-operators .

// What to do for each cause stands in docs/operators.md as it does here. When this fails: go generate ./domain/order
func TestOperatorsAreTold(t *testing.T) {
	const begin, end = "<!-- Written from domain/order/attention.go by `go generate ./domain/order`. Do not edit. -->\n", "<!-- End of what is written. -->"
	file := filepath.Join("..", "..", "docs", "operators.md")
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(page), begin)
	require.True(t, found, "the page has no place for it")
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, "the page has no place for it")
	var b strings.Builder
	resumes := strings.NewReplacer("{order}", "{id}", "{return}", "{id}", "`{resume}`", "[resume](#resume)")
	for _, g := range order.Guides() {
		fmt.Fprintf(&b, "\n### `%s`\n\n%s\n\n**What to do:** %s\n", g.Code, g.Meaning, resumes.Replace(g.Action))
		if g.Return != "" {
			fmt.Fprintf(&b, "\n**Of a return:** %s\n", resumes.Replace(g.Return))
		}
	}
	want := before + begin + b.String() + "\n" + end + after
	if *writeOperators {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(page), "docs/operators.md is not what the table says: go generate ./domain/order")
}
