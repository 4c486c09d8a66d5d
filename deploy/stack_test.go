package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/devstack/devtest"
)

// built is the folder with our program.
var built string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	var err error
	if built, err = os.MkdirTemp("", "waybill-deploy-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(built) }()
	// The same flags as everywhere, so that nothing is compiled twice.
	if output, err := exec.Command("go", "build", "-o", filepath.Join(built, "waybill"), "../cmd/waybill").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, output)
		return 1
	}
	devtest.NeedTemporal()
	return devtest.Run(m)
}

// said is what a program that has ended has said.
type said struct {
	stdout, stderr string
	code           int
}

// waybill runs our program with an environment of nothing else.
func waybill(t *testing.T, environment []string, arguments ...string) said {
	t.Helper()
	return run(t, environment, filepath.Join(built, "waybill"), arguments...)
}

func run(t *testing.T, environment []string, program string, arguments ...string) said {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, arguments...)
	command.Env = append([]string{"HOME=" + built}, environment...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return said{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

// stack is the compose file, played by processes: where it names a host, there is an address of this machine.
type stack struct {
	project   *types.Project
	addresses *strings.Replacer
	path      string
}

// environment is that of a service, with our addresses.
func (s *stack) environment(service string) []string {
	list := environmentOf(s.project.Services[service])
	for i := range list {
		list[i] = s.addresses.Replace(list[i])
	}
	return append(list, "PATH="+s.path)
}

// task runs a service of ours that ends by itself.
func (s *stack) task(t *testing.T, service string) {
	t.Helper()
	done := waybill(t, s.environment(service), s.project.Services[service].Command...)
	require.Zero(t, done.code, "%s: %s%s", service, done.stdout, done.stderr)
}

// health asks a service's own health check, as the engine would.
func (s *stack) health(t *testing.T, service string, addresses ...string) said {
	t.Helper()
	test := slices.Clone(s.project.Services[service].HealthCheck.Test[2:])
	environment := s.environment(service)
	for _, list := range [][]string{test, environment} {
		for i := range list {
			list[i] = strings.NewReplacer(addresses...).Replace(list[i])
		}
	}
	return waybill(t, environment, test...)
}

// stays runs a service of ours that stays, and stops it as docker compose stop does.
func (s *stack) stays(t *testing.T, service string, addresses ...string) (stop func()) {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(built, "waybill"), s.project.Services[service].Command...)
	command.Env = s.environment(service)
	for i := range command.Env {
		command.Env[i] = strings.NewReplacer(addresses...).Replace(command.Env[i])
	}
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = time.Duration(*s.project.Services[service].StopGracePeriod)
	require.NoError(t, command.Start())
	ended := sync.OnceValue(command.Wait)
	t.Cleanup(func() {
		_ = ended()
		if t.Failed() {
			t.Logf("%s:\n%s", service, output.String())
		}
	})
	return func() {
		require.NoError(t, command.Process.Signal(syscall.SIGTERM))
		require.NoError(t, ended(), "%s does not stop in good order", service)
	}
}

// bringUp starts the servers and prepares them with the scripts of the compose file.
func bringUp(t *testing.T) *stack {
	t.Helper()
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("there is no psql to run deploy/postgres.sql with")
	}
	ctx := context.WithoutCancel(t.Context()) // they outlive what uses them
	postgres, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{Ephemeral: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, postgres.Stop()) })
	temporal := devtest.Temporal(t)
	cli, err := devstack.TemporalBinary(ctx, "", func(string) {})
	require.NoError(t, err)
	database, err := url.Parse(postgres.AdminURL)
	require.NoError(t, err)

	s := &stack{
		project:   compose(t),
		addresses: strings.NewReplacer("@postgres:5432", "@"+database.Host, "temporal:7233", temporal.Address),
		path:      filepath.Dir(cli) + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	sql := func(arguments ...string) {
		t.Helper()
		done := run(t, s.environment("postgres"), psql, append([]string{"--no-psqlrc", "-v", "ON_ERROR_STOP=1"}, arguments...)...)
		require.Zero(t, done.code, done.stderr)
	}
	// The image has no superuser and no database by our name, the development stack has.
	password := *s.project.Services["postgres"].Environment["POSTGRES_PASSWORD"]
	sql("-d", postgres.AdminURL, "-c", "CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '"+password+"'")
	database.User = url.UserPassword("postgres", password)
	sql("-d", database.String(), "-c", "ALTER DATABASE waybill RENAME TO spare", "-c", "ALTER ROLE waybill RENAME TO spare")
	sql("-d", database.String(), "-f", "postgres.sql")
	for range 2 { // as after a restart
		made := run(t, s.environment("temporal-namespace"), "sh", append([]string{"temporal.sh"}, s.project.Services["temporal-namespace"].Command...)...)
		require.Zero(t, made.code, made.stdout+made.stderr)
	}
	return s
}

// freePort is an address of this machine that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, 100*time.Millisecond, what)
}

// TestTheServicesWorkTogether is `docker compose up` without the containers: our services' own commands, environment and
// health checks, in the order in which they wait for each other, with the roles and the namespace that the scripts make.
func TestTheServicesWorkTogether(t *testing.T) {
	t.Parallel()
	s := bringUp(t)
	s.task(t, "migrate")
	s.task(t, "migrate")

	listen := freePort(t)
	onHost := []string{"0.0.0.0:8080", listen}
	stopAPI := s.stays(t, "api", onHost...)
	eventually(t, "the API misses only a worker", func() bool {
		said := s.health(t, "api", onHost...)
		return said.code == 1 && strings.Contains(said.stdout, "temporal    ok\n") && strings.Contains(said.stdout, "worker      FAILED  no worker polls")
	})
	var stops []func()
	worker := s.project.Services["worker"]
	for range worker.GetScale() {
		metrics := freePort(t)
		onHost := []string{"0.0.0.0:9464", metrics, "127.0.0.1:9464", metrics}
		stops = append(stops, s.stays(t, "worker", onHost...))
		eventually(t, "the worker is healthy", func() bool { return s.health(t, "worker", onHost...).code == 0 })
	}
	eventually(t, "the API is healthy", func() bool { return s.health(t, "api", onHost...).code == 0 })

	key := waybill(t, s.environment("api"), "keys", "create", "first")
	require.Zero(t, key.code, key.stderr)
	placeOrder(t, "http://"+listen, strings.TrimSpace(key.stdout))
	verified := waybill(t, s.environment("api"), "verify")
	require.Zero(t, verified.code, verified.stdout+verified.stderr)
	require.NotContains(t, verified.stdout+verified.stderr, "not checked")

	for _, stop := range append(stops, stopAPI) {
		stop()
	}
}

// placeOrder ships nothing: that an order is accepted takes the API, both databases, a worker and Temporal with the
// namespace's search attributes.
func placeOrder(t *testing.T, api, key string) {
	t.Helper()
	send := func(method, path, body string) map[string]any {
		request, err := http.NewRequestWithContext(t.Context(), method, api+path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+key)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", "key-of "+path)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		var answer map[string]any
		require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
		require.Less(t, response.StatusCode, 300, "%s %s: %v", method, path, answer)
		return answer
	}
	send("PUT", "/v1/locations/sf", `{"name":"San Francisco","country":"US","priority":1}`)
	send("POST", "/v1/inventory/receipts", `{"location":"sf","lines":[{"sku":"TEE-M","quantity":10}]}`)
	order := send("POST", "/v1/orders", `{"external_id":"1001","channel":"web","currency":"USD",
		"customer":{"id":"c-17","name":"Ada Lovelace","email":"ada@example.com"},
		"ship_to":{"name":"Ada Lovelace","line1":"548 Market St","city":"San Francisco","region":"CA","postal_code":"94107","country":"US"},
		"lines":[{"sku":"TEE-M","quantity":2,"unit_price":1999,"tax":330}],
		"shipping":{"service":"standard","amount":500},
		"payment":{"gateway":"sandbox","token":"tok_ok"},"total":4828}`)
	id := order["id"].(string)
	eventually(t, "the order is accepted", func() bool { return send("GET", "/v1/orders/"+id, "")["status"] == "accepted" })
}
