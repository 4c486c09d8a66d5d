package telemetry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.temporal.io/sdk/client"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/telemetry"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

func TestMain(m *testing.M) {
	devtest.Migrate = store.Migrate
	devtest.SearchAttributes = workflows.SearchAttributes()
	devtest.NeedTemporal()
	os.Exit(devtest.Run(m))
}

// lines is a log that several parts write to at once.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits for lines with this message, and these values: a request's is written after its answer.
func (l *lines) await(t testing.TB, message string, with ...any) (found []map[string]any) {
	t.Helper()
	require.Eventually(t, func() bool { found = l.read(t, message, with...); return len(found) > 0 }, 20*time.Second, 20*time.Millisecond,
		"no line %q with %v in\n%s", message, with, l)
	return found
}

// read returns the lines with this message, and these values.
func (l *lines) read(t testing.TB, message string, with ...any) (found []map[string]any) {
	t.Helper()
	for text := range strings.Lines(l.String()) {
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &line), text)
		matches := line["msg"] == message
		for i := 0; i < len(with); i += 2 {
			matches = matches && line[with[i].(string)] == with[i+1]
		}
		if matches {
			found = append(found, line)
		}
	}
	return found
}

// shop is a real API and a real worker, each with a telemetry of its own, as two processes have.
type shop struct {
	t      testing.TB
	url    string
	key    string
	log    *lines
	worker *worker.Process
	client client.Client
	seq    int
}

func open(t testing.TB, spans sdktrace.SpanExporter) *shop {
	t.Helper()
	s := &shop{t: t, log: &lines{}}
	log := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	database, policy := devtest.Database(t), order.DefaultPolicy()
	queue := path.Base(database) // two shops of one test are two
	part := func(service string) (*telemetry.Telemetry, worker.Connection) {
		told, err := telemetry.New(t.Context(), telemetry.Options{Service: service, Ratio: 1, Log: log, Exporter: spans})
		require.NoError(t, err)
		return told, worker.Connection{Address: devtest.Temporal(t).Address, Namespace: "default", Log: log, Telemetry: told}
	}
	told, to := part("waybill-worker")
	c, err := worker.Connect(t.Context(), to)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	s.worker, err = worker.Start(t.Context(), worker.Options{DatabaseURL: database, Temporal: c, TaskQueue: queue, Policy: &policy, Log: log,
		InboxEvery: 20 * time.Millisecond, SweepEvery: 200 * time.Millisecond, Telemetry: told, MetricsListen: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.worker.Stop() })
	told, to = part("waybill-api")
	c, err = worker.Connect(t.Context(), to)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	p, err := api.Start(t.Context(), api.ProcessOptions{Listen: "127.0.0.1:0", DatabaseURL: database, Temporal: c, TaskQueue: queue,
		KeySecret: []byte("secret"), Gateways: worker.Gateways(), Policy: policy, Log: log, Telemetry: told, FiguresEvery: time.Nanosecond})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Stop(t.Context()) })
	s.url, s.client = p.URL, c
	s.key, _, err = p.Keys.Make(t.Context(), "test", api.Scopes(), nil)
	require.NoError(t, err)
	s.must(201, "PUT", "/v1/locations/sf", `{"name":"San Francisco","country":"US","priority":1}`)
	s.must(201, "POST", "/v1/inventory/receipts", `{"location":"sf","lines":[{"sku":"TEE-M","quantity":100}]}`)
	return s
}

// send sends a request; header has names and values in turn.
func (s *shop) send(method, path, body string, header ...string) (status int, answer map[string]any) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	s.seq++
	r.Header.Set("Authorization", "Bearer "+s.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPost {
		r.Header.Set("Idempotency-Key", fmt.Sprintf("key-%d", s.seq))
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer res.Body.Close()
	require.NoError(s.t, json.NewDecoder(res.Body).Decode(&answer))
	return res.StatusCode, answer
}

func (s *shop) must(status int, method, path, body string, header ...string) map[string]any {
	s.t.Helper()
	got, answer := s.send(method, path, body, header...)
	require.Equal(s.t, status, got, "%s %s: %v", method, path, answer)
	return answer
}

func (s *shop) text(url string) (status int, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	require.NoError(s.t, err)
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return res.StatusCode, string(text)
}

// canaries are what must be nowhere but in the database.
var canaries = []string{"Kanarienvogel", "kanarie@example.com", "Voliere 7", "tok_ok"}

func orderBody(externalID, token string) string {
	return fmt.Sprintf(`{"external_id":%q,"channel":"web","currency":"USD",
		"customer":{"id":"c-17","name":"Kanarienvogel","email":"kanarie@example.com"},
		"ship_to":{"name":"Kanarienvogel","line1":"Voliere 7","city":"San Francisco","region":"CA","postal_code":"94107","country":"US"},
		"lines":[{"sku":"TEE-M","quantity":2,"unit_price":1999,"tax":330}],"shipping":{"service":"standard","amount":500},
		"payment":{"gateway":"sandbox","token":%q},"total":4828}`, externalID, token)
}

// place places an order and returns it decided. On a busy machine that may be after its answer.
func (s *shop) place(externalID, token string, header ...string) (o map[string]any) {
	s.t.Helper()
	status, answer := s.send("POST", "/v1/orders", orderBody(externalID, token), header...)
	require.Contains(s.t, []int{http.StatusCreated, http.StatusAccepted, http.StatusPaymentRequired}, status, "%v", answer)
	id := answer["id"]
	if status == http.StatusPaymentRequired {
		id = answer["order_id"]
	}
	require.Eventually(s.t, func() bool {
		_, o = s.send("GET", fmt.Sprintf("/v1/orders/%s", id), "")
		return o["waiting_for"] == "warehouse" || o["waiting_for"] == "payment"
	}, 20*time.Second, 20*time.Millisecond, "%v", &o)
	return o
}

// pick takes the order's goods off the shelf.
func (s *shop) pick(o map[string]any, header ...string) {
	s.t.Helper()
	f := o["fulfillments"].([]any)[0].(map[string]any)
	line := o["lines"].([]any)[0].(map[string]any)["id"]
	s.must(200, "POST", fmt.Sprintf("/v1/fulfillments/%s/pick", f["id"]), fmt.Sprintf(`{"lines":[{"line_id":%q,"quantity":2}]}`, line), header...)
}

// pack puts the order's goods into a parcel, and returns when it has its label. On a busy machine that may be after the
// answer.
func (s *shop) pack(o map[string]any, header ...string) {
	s.t.Helper()
	f := o["fulfillments"].([]any)[0].(map[string]any)
	line := o["lines"].([]any)[0].(map[string]any)["id"]
	status, answer := s.send("POST", fmt.Sprintf("/v1/fulfillments/%s/pack", f["id"]),
		fmt.Sprintf(`{"parcels":[{"weight_grams":500,"lines":[{"line_id":%q,"quantity":2}]}]}`, line), header...)
	require.Contains(s.t, []int{http.StatusOK, http.StatusAccepted}, status, "%v", answer)
	require.Eventually(s.t, func() bool {
		_, now := s.send("GET", fmt.Sprintf("/v1/orders/%s", o["id"]), "")
		parcels, _ := now["shipments"].([]any)
		return len(parcels) == 1 && parcels[0].(map[string]any)["status"] == "labeled"
	}, 20*time.Second, 20*time.Millisecond)
}
