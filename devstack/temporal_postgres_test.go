//go:build unix

package devstack

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/waybill-oms/waybill/tools"
)

func TestTemporalOnPostgresKeepsWorkflows(t *testing.T) {
	t.Parallel()
	postgres := startPostgres(t, PostgresOptions{Ephemeral: true})
	options := TemporalOptions{
		Dir: filepath.Join(reachableDir(t), "temporal"), Headless: true,
		Postgres: &TemporalPostgres{AdminURL: postgres.AdminURL},
	}
	first := startTemporal(t, options)
	require.Equal(t, "default", first.Namespace)
	require.Empty(t, first.UIURL)
	startWorkflow(t, first.Address, "before-stop")
	require.NoError(t, first.Stop())
	<-first.Done()

	// The namespace exists now, and does not have them.
	options.SearchAttributes = testAttributes
	second := startTemporal(t, options)
	workflowIsThere(t, second.Address, "before-stop")
	workflowWithAttribute(t, second.Address, "before-kill")
	require.NoError(t, syscall.Kill(second.PID(), syscall.SIGKILL))
	<-second.Done()
	require.NoError(t, second.Stop(), "the server of a crashed one is stopped")

	orphan := startTemporal(t, options)
	workflowIsThere(t, orphan.Address, "before-stop")
	workflowIsThere(t, orphan.Address, "before-kill")
	var members int
	database := strings.Replace(postgres.AdminURL, "/postgres?", "/temporal?", 1)
	require.NoError(t, open(t, database).QueryRowContext(t.Context(), "SELECT count(*) FROM cluster_membership").Scan(&members))
	require.Equal(t, 4, members, "for services that were killed the new ones would wait most of a minute")
	abandon(orphan.cleanup)

	fourth := startTemporal(t, options)
	require.True(t, orphan.proc.ended(), "two servers with one store would each believe that it is theirs alone")
	workflowIsThere(t, fourth.Address, "before-kill")
}

func TestTemporalOnPostgresWithItsUI(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	// The port is taken between looking and listening, once for the server and once for its UI.
	choices := 0
	late := func(preferred int) int {
		if choices++; choices%2 == 1 {
			return listener.Addr().(*net.TCPAddr).Port
		}
		return FreePort(preferred)
	}
	postgres := startPostgres(t, PostgresOptions{Ephemeral: true})
	server := startTemporal(t, TemporalOptions{
		Ephemeral: true, SearchAttributes: testAttributes, Retention: 100 * time.Hour, choose: late,
		DynamicConfig: map[string]string{"system.enableActivityEagerExecution": "true"},
		Postgres:      &TemporalPostgres{AdminURL: postgres.AdminURL},
	})
	require.Equal(t, 4, choices)
	require.NotContains(t, server.Address+server.UIURL, listener.Addr().String())
	workflowWithAttribute(t, server.Address, "priced")
	for _, name := range []string{"server", "ui", "dynamic"} {
		info, err := os.Stat(filepath.Join(server.Dir, temporalConfigDir, name+".yaml"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "the password is in it")
	}

	// The UI asks the server for its namespaces, and not only for itself.
	for path, text := range map[string]string{"": "<!doctype html>", "/api/v1/namespaces/default": `"default"`} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.UIURL+path, nil)
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		page, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Contains(t, strings.ToLower(string(page)), text)
	}
	described, err := dial(t, server.Address).WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "default"})
	require.NoError(t, err)
	require.Equal(t, 100*time.Hour, described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())

	require.NoError(t, server.Stop())
	gone(t, server.PID(), server.ui.pid)
	require.NoDirExists(t, server.Dir)
	require.Empty(t, temporalDatabases(t, postgres.AdminURL))
}

// Databases belong to one launcher, and only those that were made here are touched.
func TestDatabasesOfTemporal(t *testing.T) {
	t.Parallel()
	postgres := startPostgres(t, PostgresOptions{Ephemeral: true})
	admin := open(t, postgres.AdminURL)
	options := func() TemporalOptions {
		return TemporalOptions{Dir: filepath.Join(reachableDir(t), "temporal"), Headless: true, Postgres: &TemporalPostgres{AdminURL: postgres.AdminURL}}
	}
	require.NoError(t, execute(t.Context(), admin, "CREATE DATABASE temporal"))
	_, err := StartTemporal(t.Context(), options())
	require.ErrorContains(t, err, "database temporal: it is there and was not made by waybill dev: use another PostgreSQL, or rename that database")

	// A first start was interrupted: the tables may be there in part.
	require.NoError(t, execute(t.Context(), admin, comment("temporal", unfinishedDatabase)))
	address := strings.Replace(postgres.AdminURL, "/postgres?", "/temporal?", 1)
	require.NoError(t, execute(t.Context(), open(t, address), "CREATE TABLE executions ()"))
	first := startTemporal(t, options())
	startWorkflow(t, first.Address, "kept")
	require.Equal(t, []string{
		"temporal: Temporal of waybill dev " + tools.TemporalServer.Version(),
		"temporal_visibility: Temporal of waybill dev " + tools.TemporalServer.Version(),
	}, temporalDatabases(t, postgres.AdminURL))

	_, err = StartTemporal(t.Context(), options())
	require.ErrorContains(t, err, "another process runs a Temporal server on the database temporal: stop that one first, or use another PostgreSQL")
	require.NoError(t, first.Stop())

	// They are those of another version: the schema tool finds nothing to do here.
	require.NoError(t, execute(t.Context(), admin, comment("temporal", databaseMark+"1.0.0")))
	workflowIsThere(t, startTemporal(t, options()).Address, "kept")
	require.Len(t, temporalDatabases(t, postgres.AdminURL), 2)

	require.NoError(t, execute(t.Context(), admin, "CREATE ROLE poor LOGIN PASSWORD 'p@ss'"))
	poor := options()
	poor.Postgres = &TemporalPostgres{AdminURL: "postgres://poor:p%40ss@" + address[strings.LastIndexByte(address, '@')+1:], Database: "own"}
	_, err = StartTemporal(t.Context(), poor)
	require.ErrorContains(t, err, "Temporal's databases need a role with CREATEDB, and poor is none")
}

func TestAddressesOfPostgresForTemporal(t *testing.T) {
	t.Parallel()
	role, err := parseRole("postgres://ada:p%40ss@db.example.com/shop?sslmode=verify-full&sslrootcert=/ca.pem")
	require.NoError(t, err)
	require.Equal(t, pgRole{host: "db.example.com", port: "5432", user: "ada", password: "p@ss", tls: true, verified: true, authority: "/ca.pem"}, role)
	role, err = parseRole("postgres://ada@127.0.0.1:5433/shop?sslmode=disable")
	require.NoError(t, err)
	require.Equal(t, pgRole{host: "127.0.0.1", port: "5433", user: "ada"}, role)
	_, err = parseRole("postgres://ada:secret@/shop?host=/var/run/postgresql")
	require.ErrorContains(t, err, "with a host and a user in it")
	_, err = parseRole("postgres://ada:se%cret@db/shop")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "cret")
}

// temporalDatabases lists what is there, with their comments.
func temporalDatabases(t *testing.T, adminURL string) (found []string) {
	t.Helper()
	rows, err := open(t, adminURL).QueryContext(t.Context(), "SELECT datname || ': ' || coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE starts_with(datname, 'temporal') ORDER BY 1")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		found = append(found, line)
	}
	require.NoError(t, rows.Err())
	return found
}
