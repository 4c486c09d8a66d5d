//go:build unix

package devstack

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

func TestTemporalKeepsWorkflowsBetweenStarts(t *testing.T) {
	t.Parallel()
	options := TemporalOptions{Dir: filepath.Join(reachableDir(t), "temporal"), Headless: true}
	first := startTemporal(t, options)
	require.Equal(t, "default", first.Namespace)
	startWorkflow(t, first.Address, "before-stop")
	require.NoError(t, first.Stop())
	require.NoError(t, first.Stop(), "stopping twice is stopping once")
	<-first.Done()

	second := startTemporal(t, options)
	workflowIsThere(t, second.Address, "before-stop")
	startWorkflow(t, second.Address, "before-kill")
	require.NoError(t, syscall.Kill(second.proc.pid, syscall.SIGKILL))
	<-second.Done()
	require.NoError(t, second.Stop(), "the server of a crashed one is stopped")

	third := startTemporal(t, options)
	workflowIsThere(t, third.Address, "before-stop")
	workflowIsThere(t, third.Address, "before-kill")
}

func TestSearchAttributesAreThereAtOnce(t *testing.T) {
	t.Parallel()
	options := TemporalOptions{Dir: filepath.Join(reachableDir(t), "temporal"), Headless: true}
	require.NoError(t, startTemporal(t, options).Stop())

	// The file exists now, so that the server's own flag does nothing.
	options.SearchAttributes = testAttributes
	second := startTemporal(t, options)
	workflowWithAttribute(t, second.Address, "priced")
	require.NoError(t, second.Stop())

	third := startTemporal(t, options)
	c := dial(t, third.Address)
	require.NoError(t, EnsureSearchAttributes(t.Context(), c, third.Namespace, testAttributes), "repeating it is harmless")
	err := EnsureSearchAttributes(t.Context(), c, third.Namespace, map[string]enumspb.IndexedValueType{"WaybillTotal": enumspb.INDEXED_VALUE_TYPE_DOUBLE})
	require.ErrorContains(t, err, "search attribute WaybillTotal is Int in namespace default, and has to be Double")
}

func TestTemporalWithItsUI(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	taken := listener.Addr().(*net.TCPAddr).Port

	server := startTemporal(t, TemporalOptions{
		Ephemeral: true, Port: taken, UIPort: taken, SearchAttributes: testAttributes, Retention: 100 * time.Hour,
		DynamicConfig: map[string]string{"system.enableActivityEagerExecution": "true"},
	})
	require.NotContains(t, server.Address+server.UIURL, listener.Addr().String())
	workflowWithAttribute(t, server.Address, "priced")

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.UIURL, nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Contains(t, strings.ToLower(string(page)), "<!doctype html>")

	described, err := dial(t, server.Address).WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "default"})
	require.NoError(t, err)
	require.Equal(t, 100*time.Hour, described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
}

// A link to the UI is told only when it works.
func TestUIIsWaitedFor(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	ui := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer ui.Close()
	require.NoError(t, (&Temporal{UIURL: ui.URL}).awaitUI(t.Context()))
	require.EqualValues(t, 3, asked.Load())

	asked.Store(-1 << 40)
	ctx, cancel := context.WithTimeout(t.Context(), 10*pollEvery)
	defer cancel()
	require.ErrorContains(t, (&Temporal{UIURL: ui.URL}).awaitUI(ctx), "the UI answers 503")
}

// Two servers on one file would each believe that it is theirs alone.
func TestLeftOverTemporalIsStopped(t *testing.T) {
	t.Parallel()
	options := TemporalOptions{Dir: filepath.Join(reachableDir(t), "temporal"), Headless: true}
	orphan := startTemporal(t, options)
	startWorkflow(t, orphan.Address, "kept")
	abandon(orphan.cleanup)

	second := startTemporal(t, options)
	require.True(t, orphan.proc.ended())
	workflowIsThere(t, second.Address, "kept")
}

func TestInterruptedFirstStartOfTemporal(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachableDir(t), "temporal")
	require.NoError(t, os.Mkdir(dir, 0o700))
	// A file without tables, as it is a moment after the server has made it.
	require.NoError(t, os.WriteFile(filepath.Join(dir, temporalDatabase), nil, 0o600))

	first := startTemporal(t, TemporalOptions{Dir: dir, Headless: true})
	startWorkflow(t, first.Address, "kept")
	require.FileExists(t, filepath.Join(dir, temporalDatabase+".unfinished"))
	require.NoError(t, first.Stop())
	workflowIsThere(t, startTemporal(t, TemporalOptions{Dir: dir, Headless: true}).Address, "kept")
}

func TestEphemeralTemporalLeavesNothing(t *testing.T) {
	t.Parallel()
	server := startTemporal(t, TemporalOptions{Ephemeral: true, Headless: true})
	startWorkflow(t, server.Address, "short-lived")
	require.Empty(t, server.UIURL)
	require.NoError(t, server.Stop())
	require.NoDirExists(t, server.Dir)
}

// A server that cannot start says why, instead of keeping everybody waiting.
func TestTemporalThatEndsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := StartTemporal(t.Context(), TemporalOptions{Ephemeral: true, Headless: true, DynamicConfig: map[string]string{"no": "json:"}})
	require.ErrorContains(t, err, "temporal ended at once (exit status 1)")
	require.ErrorContains(t, err, "invalid dynamic config values")
}

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startWithin)
	defer cancel()
	c, err := dialTemporal(ctx, address, "default")
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// startWorkflow starts a workflow that stays open, since no worker takes it.
func startWorkflow(t *testing.T, address, id string) {
	t.Helper()
	_, err := dial(t, address).ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: id, TaskQueue: "nobody-listens"}, "Waiting")
	require.NoError(t, err)
}

func workflowIsThere(t *testing.T, address, id string) {
	t.Helper()
	described, err := dial(t, address).DescribeWorkflowExecution(t.Context(), id, "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, described.GetWorkflowExecutionInfo().GetStatus())
}

// workflowWithAttribute starts a workflow with a search attribute and finds it by that.
func workflowWithAttribute(t *testing.T, address, id string) {
	t.Helper()
	c := dial(t, address)
	_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: id, TaskQueue: "nobody-listens",
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword("WaybillStatus").ValueSet("placed"),
			temporal.NewSearchAttributeKeyInt64("WaybillTotal").ValueSet(4200),
		),
	}, "Waiting")
	require.NoError(t, err)
	eventually(t, "the workflow is found by its attributes", func() bool {
		found, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: "default", Query: `WaybillStatus = "placed" AND WaybillTotal > 4000`,
		})
		return err == nil && found.GetCount() == 1
	})
}
