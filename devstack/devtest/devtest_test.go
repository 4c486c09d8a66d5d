package devtest_test

import (
	"context"
	"database/sql"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/devstack/devtest"
)

var migrations atomic.Int64

func TestMain(m *testing.M) {
	devtest.Migrate = func(ctx context.Context, url string) error {
		migrations.Add(1)
		db, err := sql.Open("postgres", url)
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.ExecContext(ctx, "CREATE TABLE things (name text PRIMARY KEY)")
		return err
	}
	devtest.SearchAttributes = map[string]enumspb.IndexedValueType{"WaybillStatus": enumspb.INDEXED_VALUE_TYPE_KEYWORD}
	devtest.NeedTemporal()
	os.Exit(devtest.Run(m))
}

func connect(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", url)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func TestEveryTestHasADatabaseOfItsOwn(t *testing.T) {
	var urls sync.Map
	t.Run("users", func(t *testing.T) {
		for i := range 6 {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				url := devtest.Database(t)
				_, others := urls.LoadOrStore(url, true)
				require.False(t, others)
				db := connect(t, url)
				_, err := db.ExecContext(t.Context(), "INSERT INTO things VALUES ('mine')")
				require.NoError(t, err, "the template's table is there, and empty")
			})
		}
	})
	require.EqualValues(t, 1, migrations.Load(), "the template is prepared once")

	urls.Range(func(address, _ any) bool {
		err := connect(t, address.(string)).PingContext(t.Context())
		require.ErrorContains(t, err, "does not exist", "databases of tests that have ended are gone")
		return true
	})
}

func TestADatabaseIsDroppedWhileAClientStillHoldsIt(t *testing.T) {
	var held *sql.DB
	t.Run("careless", func(t *testing.T) {
		var err error
		held, err = sql.Open("postgres", devtest.Database(t))
		require.NoError(t, err)
		require.NoError(t, held.PingContext(t.Context()))
	})
	defer held.Close()
	require.Error(t, held.PingContext(t.Context()))
}

func TestTheServerIsSharedAndTheTestsOwnIsNot(t *testing.T) {
	shared := devtest.Temporal(t)
	require.Same(t, shared, devtest.Temporal(t))
	var own string
	t.Run("own", func(t *testing.T) {
		server := devtest.NewTemporal(t)
		require.NotEqual(t, shared.Address, server.Address)
		own = server.Dir
		require.DirExists(t, own)
	})
	require.NoDirExists(t, own)
}

func TestAWorkflowRunsToItsEnd(t *testing.T) {
	server := devtest.Temporal(t)
	c, err := client.DialContext(t.Context(), client.Options{HostPort: server.Address, Namespace: server.Namespace})
	require.NoError(t, err)
	defer c.Close()
	w := worker.New(c, t.Name(), worker.Options{})
	w.RegisterWorkflowWithOptions(func(workflow.Context) (string, error) { return "shipped", nil }, workflow.RegisterOptions{Name: "Ship"})
	require.NoError(t, w.Start())
	defer w.Stop()

	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: t.Name(), TaskQueue: t.Name(),
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword("WaybillStatus").ValueSet("open")),
	}, "Ship")
	require.NoError(t, err)
	var outcome string
	require.NoError(t, run.Get(t.Context(), &outcome))
	require.Equal(t, "shipped", outcome)
	_, err = c.WorkflowService().CountWorkflowExecutions(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: server.Namespace, Query: `WaybillStatus = "open"`,
	})
	require.NoError(t, err)
}

func BenchmarkDatabase(b *testing.B) {
	for b.Loop() {
		devtest.Database(b)
	}
}
