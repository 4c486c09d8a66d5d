package demo_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	temporal "go.temporal.io/sdk/client"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/api/apitest"
	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/store/verify"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
	"github.com/waybill-oms/waybill/workflows/runs"
)

func TestMain(m *testing.M) {
	devtest.Migrate = store.Migrate
	devtest.SearchAttributes = workflows.SearchAttributes()
	devtest.NeedTemporal()
	os.Exit(devtest.Run(m))
}

// waybill is the whole of it, behind a real HTTP server.
type waybill struct {
	t        *testing.T
	database string
	temporal temporal.Client
	api      *client.ClientWithResponses
}

// start starts a Waybill of the test's own. Every answer is checked against the contract before spoil, if any, gets it.
func start(t *testing.T, spoil func(http.Handler) http.Handler) *waybill {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	w := &waybill{t: t, database: devtest.Database(t)}
	var err error
	w.temporal, err = worker.Connect(t.Context(), worker.Connection{Address: devtest.Temporal(t).Address, Namespace: "default", Log: log})
	require.NoError(t, err)
	t.Cleanup(w.temporal.Close)
	books, err := store.Open(t.Context(), w.database, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = books.Close() })
	policy := order.DefaultPolicy()
	p, err := worker.Start(t.Context(), worker.Options{DatabaseURL: w.database, Temporal: w.temporal, TaskQueue: t.Name(), Log: log, Policy: &policy,
		InboxEvery: 20 * time.Millisecond, SweepEvery: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Stop() })

	keys := &api.KeyRing{Store: books, Secret: []byte("secret"), Now: time.Now}
	key, _, err := keys.Make(t.Context(), "demo", api.Scopes(), nil)
	require.NoError(t, err)
	service := &api.Service{Store: books, Runs: runs.New(w.temporal, t.Name()), Gateways: worker.Gateways(), Policy: policy, NewID: id.New, Now: time.Now}
	engine, err := api.New(api.Options{Handlers: service.Handlers(), Keys: keys, Log: log, Metrics: prometheus.NewRegistry()})
	require.NoError(t, err)
	handler := apitest.Wrap(t, engine)
	if spoil != nil {
		handler = spoil(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w.api, err = client.Connect(server.URL, key)
	require.NoError(t, err)
	return w
}

// books looks whether every promise holds.
func (w *waybill) books() {
	w.t.Helper()
	findings, err := verify.Run(w.t.Context(), verify.Options{DatabaseURL: w.database, Temporal: w.temporal, TaskQueue: w.t.Name()})
	require.NoError(w.t, err)
	require.Zero(w.t, verify.NotChecked(findings))
	for _, f := range findings {
		require.Empty(w.t, f.Violations, "%s %s", f.ID, f.Protects)
	}
}
