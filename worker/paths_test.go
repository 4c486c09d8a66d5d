package worker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

// path is one way through the workflows. Its histories are recorded once, and replayed for ever after: see
// workflows/testdata/histories.
type path struct {
	name string
	walk func(t *testing.T, a *app) []string // returns the runs that it is about, by workflow id
}

// TestPaths walks every path on a real server. WAYBILL_RECORD_HISTORIES=1 records the histories of paths that have
// none yet; it never replaces one. Without, a path that has none fails.
func TestPaths(t *testing.T) {
	t.Parallel()
	soon := order.DefaultPolicy()
	soon.PaymentGrace, soon.RetryRefused = 5*time.Second, 3*time.Second
	a := start(t, func(o *worker.Options) { o.Policy = &soon })
	a.stock("nyc", "TEE-M", 1000)
	paths := slices.Concat(paymentPaths, orderPaths, backorderPaths, pickPaths, cancelPaths, holdPaths, shipmentPaths,
		returnPaths, gradePaths, returnRunPaths)
	const atOnce = 6 // more of them and gateways look slow on a small machine, which is another path
	turns := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for _, p := range paths {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			t.Run(p.name, func(t *testing.T) {
				b := a.in(t)
				b.record(p.name, p.walk(t, b))
			})
		})
	}
	all.Wait()
	if !t.Failed() {
		a.books()
	}
}

// run is the workflow id of an order's run.
func run(o *order.Order) []string { return []string{workflows.WorkflowID(o.ID)} }

// run is the workflow id of a return's run.
func (b back) run() []string { return []string{workflows.ReturnWorkflowID(b.id)} }

func (a *app) record(name string, runs []string) {
	a.t.Helper()
	seen := map[string]int{}
	for _, runID := range runs {
		kind, _, _ := strings.Cut(runID, "/")
		seen[kind]++
		title := name
		if kind == "return" {
			title += " return"
		}
		if n := seen[kind]; n > 1 {
			title += fmt.Sprint(" ", n)
		}
		a.keep(title, func() []*historypb.HistoryEvent { return a.historyOf(runID) })
	}
}

// keep records a history, if that is asked for and there is none under this title. There has to be one.
func (a *app) keep(title string, history func() []*historypb.HistoryEvent) {
	a.t.Helper()
	file := filepath.Join("..", "workflows", "testdata", "histories", strings.ReplaceAll(title, " ", "-")+".json")
	_, err := os.Stat(file)
	if err == nil {
		return
	}
	require.NotEmpty(a.t, os.Getenv("WAYBILL_RECORD_HISTORIES"), "%v: a new path is recorded once, with WAYBILL_RECORD_HISTORIES=1", err)
	body, err := protojson.Marshal(&historypb.History{Events: history()})
	require.NoError(a.t, err)
	require.NoError(a.t, os.WriteFile(file, body, 0o644))
}

// over waits for a run to end: nothing is left to be done, and it has noticed.
func (a *app) over(runs []string) []string {
	a.t.Helper()
	for _, runID := range runs {
		require.NoError(a.t, a.client.GetWorkflow(a.within(30*time.Second), runID, "").Get(a.t.Context(), nil), runID)
	}
	return runs
}

// on is the README's order of another SKU, by what is to become of it when units are short.
func on(t testing.TB, shortage string) order.Placement {
	p := placement(t.Name(), "tok_ok")
	p.Lines[0].SKU, p.OnShortage = skuOf(t), shortage
	return p
}

// skuOf is a SKU that nobody else sells.
func skuOf(t testing.TB) string {
	return strings.ToUpper(strings.ReplaceAll(filepath.Base(t.Name()), ",", ""))
}

// bought is an order that arrived.
func (a *app) bought(p order.Placement) *order.Order {
	a.t.Helper()
	o := a.place(p)
	a.delivered(o)
	return a.order(o.ID)
}

// promised places an order under a return policy of its own.
func (a *app) promised(p order.Placement, promise func(*returns.Policy)) *order.Order {
	a.t.Helper()
	at := act()
	promise(&at.Policy.Returns)
	o, _, err := a.Store.Place(a.t.Context(), p, id.New(id.Order), "key-"+p.ExternalID, at)
	require.NoError(a.t, err)
	a.decided(o)
	return a.order(o.ID)
}

// delivered takes an accepted order through the warehouse to the customer.
func (a *app) delivered(o *order.Order) {
	a.t.Helper()
	a.fulfill(o)
	require.Equal(a.t, order.Completed, a.settled(o.ID).Status)
}

func (a *app) pay(o *order.Order, token, key string) error {
	c := caller(o, key)
	return a.command(o, workflows.UpdatePayment, key, activities.PaymentCommand{Caller: c, Gateway: "sandbox", Token: token})
}

func (a *app) resume(o *order.Order) error {
	key := id.New("resume")
	return a.command(o, workflows.UpdateResume, key, activities.ResumeCommand{Caller: caller(o, key)})
}

func requireCode(t testing.TB, err error, code string) {
	t.Helper()
	require.Error(t, err)
	require.NotNil(t, fault.As(err), "%v", err)
	require.Equal(t, code, fault.As(err).Code)
}
