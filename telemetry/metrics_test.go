package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/telemetry"
)

//go:generate go test -run TestReference -write-reference .

var writeReference = flag.Bool("write-reference", false, "write docs/reference from the catalogs in this package")

// The pages are made of the catalogs. When this fails, a metric or a field changed: go generate ./telemetry
func TestReference(t *testing.T) {
	for name, page := range map[string]string{"metrics.md": metricsPage(), "logs.md": logsPage()} {
		file := filepath.Join("..", "docs", "reference", name)
		if *writeReference {
			require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
		}
		stored, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, page, string(stored), "the page is not what the catalog says: go generate ./telemetry")
	}
}

func metricsPage() string {
	var b strings.Builder
	b.WriteString("<!-- Made from telemetry/catalog.go by `go generate ./telemetry`. Do not edit. -->\n\n# Metrics\n\n" +
		"The API serves them at `/metrics`, a worker where `--metrics-listen` says, in Prometheus' text format. `waybill dev` shows both at the API's.\n" +
		"A counter begins at 0 with its process: look at its rate.\n")
	for _, part := range []struct {
		of    telemetry.Process
		title string
	}{
		{telemetry.API, "## Of an API\n\nWhat is counted in the database is the same from every API: take the maximum over them, not the sum. Orders that are over are not\n" +
			"counted as a figure, which would grow for ever and cost more every day; `waybill_events_total` has them as they end."},
		{telemetry.Worker, "## Of a worker"},
	} {
		b.WriteString("\n" + part.title + "\n\n| Metric | Kind | What it counts | Labels |\n|---|---|---|---|\n")
		for _, m := range telemetry.Catalog() {
			if m.Of != part.of {
				continue
			}
			var labels []string
			for _, l := range m.Labels {
				labels = append(labels, fmt.Sprintf("`%s`: %s", l.Name, l.Values))
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, m.Help, strings.Join(labels, "<br>"))
		}
	}
	b.WriteString("\n## Of both, by others\n\n| Metrics | What they are |\n|---|---|\n" +
		"| `go_*`, `process_*` | The Go runtime and the process; `go_build_info` has the version. |\n" +
		"| `go_sql_*` | The pool of connections to PostgreSQL, by `db_name`: `api` or `worker`. |\n" +
		"| `temporal_*` | What Temporal's SDK measures of itself, as Temporal documents it; counters end in `_total`, latencies in `_seconds`. |\n")
	return b.String()
}

func logsPage() string {
	var b strings.Builder
	b.WriteString("<!-- Made from telemetry/fields.go by `go generate ./telemetry`. Do not edit. -->\n\n# Logs and traces\n\n" +
		"`--log-format json` writes a line as an object. These are all the fields that a line may have, besides `time`, `level` and `msg`; any\n" +
		"other is left out. Bodies, paths, queries, addresses and names of people are never logged.\n\n" +
		"A request's line and those of the activities that it caused have the same `request_id`; what a run does by itself, at a deadline, is\n" +
		"nobody's request and has none. Until it was sent its first command, a run has the one of the request that started it.\n\n| Field | What it is |\n|---|---|\n")
	for _, f := range telemetry.Fields() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.Name, f.Meaning)
	}
	b.WriteString("\n## Traces\n\nWith `--otlp-endpoint` spans go to an OpenTelemetry collector. A request's span has the operation's name and is under the caller's, when it\n" +
		"came with a W3C `traceparent`; who sends one decides whether it is traced, for the others `--trace-ratio` does.\n\n" +
		"| Span | What it is |\n|---|---|\n" +
		"| `placeOrder` … | A request, by the contract's operation. Probes and scrapes have none. |\n" +
		"| `UpdateWithStartWorkflow:place` … | What the API asks of a run. |\n" +
		"| `RunWorkflow:Order`, `RunWorkflow:Return` | A new run, until a worker took it up. It ends there: a run lives for weeks. |\n" +
		"| `HandleUpdate:place` … | A run handles a command, until its answer. |\n" +
		"| `StartActivity:Capture`, `RunActivity:Capture` … | A step, under the command that it was due for. |\n" +
		"| `SELECT`, `INSERT`, `sql.tx.commit` … | A statement, with the beginning of its text and without its arguments. What the allocator decides for many orders is under the first of them. |\n\n" +
		"An error shows its kind (`error.type`) and never its text.\n")
	return b.String()
}

// Everything in the catalog is shown by a running API and worker, everything shown is in the catalog.
func TestEveryMetricIsShownAndEveryShownOneIsInTheCatalog(t *testing.T) {
	s := open(t, nil)
	s.place("1", "tok_ok")
	require.Equal(t, "payment", s.place("2", "tok_declined")["waiting_for"])
	require.Equal(t, "warehouse", s.place("3", "tok_timeout_after")["waiting_for"])
	// On a busy machine more requests may remain without an answer than the one that has to, and be looked up.
	pages, wanted := map[telemetry.Process]string{}, map[telemetry.Process][]string{
		telemetry.API: {`waybill_orders{status="accepted"} 2`, `waybill_orders{status="received"} 1`, `waybill_orders_waiting{waiting_for="warehouse"} 2`,
			`waybill_orders_waiting{waiting_for="payment"} 1`, `waybill_orders_attention{cause="capture_refused"} 0`, `waybill_figures_up 1`,
			`waybill_events_total{type="order.received"} 3`, `waybill_events_total{type="order.accepted"} 2`, `waybill_events_total{type="payment.declined"} 1`,
			`waybill_outbox_unstamped_events 0`, `waybill_http_request_duration_seconds_count{operation="placeOrder",status="20[12]"} [1-3]`},
		telemetry.Worker: {`waybill_gateway_request_duration_seconds_count{gateway="sandbox",operation="authorize(_lookup)?",outcome="succeeded"} [1-9]`,
			`waybill_gateway_request_duration_seconds_count{gateway="sandbox",operation="authorize(_lookup)?",outcome="refused"} [1-9]`,
			`waybill_gateway_request_duration_seconds_count{gateway="sandbox",operation="authorize",outcome="unknown"} [1-9]`,
			`waybill_gateway_request_duration_seconds_count{gateway="sandbox",operation="authorize_lookup",outcome="succeeded"} [1-9]`,
			`waybill_allocator_batch_orders_count [2-9]`, `waybill_allocator_batch_orders_sum [2-9]`, `waybill_relay_runs_started_total \d`,
			`waybill_relay_sweeps_total{loop="inbox",outcome="ok"} [1-9]`, `waybill_relay_sweeps_total{loop="sweep",outcome="ok"} [1-9]`,
			`waybill_relay_sweeps_total{loop="grant",outcome="ok"} [1-9]`, `waybill_relay_sweeps_total{loop="feed",outcome="ok"} [1-9]`},
	}
	var missing []string
	require.Eventually(t, func() bool {
		_, pages[telemetry.API] = s.text(s.url + "/metrics")
		_, pages[telemetry.Worker] = s.text(s.worker.MetricsURL + "/metrics")
		missing = nil
		for of, lines := range wanted {
			missing = append(missing, slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
				return regexp.MustCompile(`(?m)^` + line).MatchString(pages[of])
			})...)
		}
		return len(missing) == 0
	}, 20*time.Second, 20*time.Millisecond, "%v", &missing)

	known := map[string]telemetry.Metric{}
	for _, m := range telemetry.Catalog() {
		require.NotContains(t, known, m.Name)
		known[m.Name] = m
		of := about(pages[m.Of], m.Name)
		require.Contains(t, of, "# HELP "+m.Name+" "+m.Help+"\n")
		require.Contains(t, of, "# TYPE "+m.Name+" "+string(m.Kind)+"\n")
		for _, l := range m.Labels {
			require.Regexp(t, `(?m)^`+m.Name+`(_count)?\{[^}]*`+l.Name+`="`, of)
		}
	}
	for of, page := range pages {
		for _, found := range regexp.MustCompile(`(?m)^# TYPE (waybill_\S+)`).FindAllStringSubmatch(page, -1) {
			require.Contains(t, known, found[1])
			require.Equal(t, of, known[found[1]].Of, found[1])
		}
		require.NotEmpty(t, about(page, "go_build_info"))
		require.Contains(t, about(page, "go_sql_open_connections"), `{db_name="`+string(of)+`"}`)
		require.NotEmpty(t, about(page, "temporal_request_latency_seconds"))
	}
}

// about is what a page says of one metric.
func about(page, metric string) (lines string) {
	for line := range strings.Lines(page) {
		if regexp.MustCompile(`^(# (HELP|TYPE) )?` + metric + `(_bucket|_sum|_count)?[ {]`).MatchString(line) {
			lines += line
		}
	}
	return lines
}

// Names, units and helps are as Prometheus wants them.
func TestMetricsAreNamedAsTheyShouldBe(t *testing.T) {
	var page bytes.Buffer
	for _, m := range telemetry.Catalog() {
		fmt.Fprintf(&page, "# HELP %s %s\n# TYPE %s %s\n", m.Name, m.Help, m.Name, m.Kind)
		if m.Kind == telemetry.Histogram {
			fmt.Fprintf(&page, "%s_bucket{le=\"+Inf\"} 1\n%s_sum 1\n%s_count 1\n", m.Name, m.Name, m.Name)
		} else {
			fmt.Fprintf(&page, "%s 1\n", m.Name)
		}
		require.Regexp(t, `^[A-Z1].*\.$`, m.Help, "one sentence")
		require.True(t, slices.IsSorted(m.Buckets), m.Name)
	}
	problems, err := promlint.New(&page).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestAWorkerSaysWhetherItCanWork(t *testing.T) {
	s := open(t, nil)
	for path, want := range map[string]string{
		"/healthz": `{"status":"ok"}`,
		"/readyz": `{"checks":[{"name":"postgresql","ok":true,"detail":"ok"},{"name":"temporal","ok":true,"detail":"ok"},` +
			`{"name":"worker","ok":true,"detail":"ok"}],"ready":true}`,
	} {
		status, body := s.text(s.worker.MetricsURL + path)
		require.Equal(t, 200, status)
		require.JSONEq(t, want, body)
	}
	require.NoError(t, s.worker.Store.Close())
	status, body := s.text(s.worker.MetricsURL + "/readyz")
	require.Equal(t, 503, status)
	require.Contains(t, body, `"name":"postgresql","ok":false,"detail":"does not work"`)
}

// counted is a database of figures: it notes after which positions it was asked for events.
type counted struct {
	asked         []int64
	fails, breaks error // of the figures; of the events
}

func (c *counted) Figures(context.Context) (telemetry.Figures, error) {
	return telemetry.Figures{Orders: map[string]int64{"accepted": 7}}, c.fails
}

func (c *counted) EventsAfter(_ context.Context, after int64, _ int) (map[string]int64, int64, error) {
	c.asked = append(c.asked, after)
	return map[string]int64{"order.completed": 2}, 10 * int64(len(c.asked)), c.breaks
}

// Many scrapes ask the database once; what cannot be counted is not shown as if it could.
func TestFiguresAreCountedOnceInAWhileAndNeverMadeUp(t *testing.T) {
	told, err := telemetry.New(t.Context(), telemetry.Options{})
	require.NoError(t, err)
	once := &counted{}
	told.Figures(t.Context(), once, time.Hour)
	for range 3 {
		require.Contains(t, scrape(t, told), `waybill_orders{status="accepted"} 7`+"\n")
	}
	require.Equal(t, []int64{-1}, once.asked, "at the start")

	each := &counted{}
	told.Figures(t.Context(), each, time.Nanosecond)
	require.Contains(t, scrape(t, told), `waybill_events_total{type="order.completed"} 4`+"\n", "what was counted stays, and is added to")
	require.Equal(t, []int64{-1, 10}, each.asked, "each round goes on where the last one ended")
	each.breaks = errors.New("slow")
	page := scrape(t, told)
	require.Contains(t, page, "waybill_figures_up 0\n")
	require.Contains(t, page, `waybill_orders{status="accepted"} 7`+"\n", "only the events are missing")
	require.NotContains(t, page, "waybill_events_total")
	each.breaks, each.fails = nil, errors.New("away")
	page = scrape(t, told)
	require.Contains(t, page, "waybill_figures_up 0\n")
	require.NotContains(t, page, "waybill_orders")
	require.Equal(t, []int64{-1, 10, 20}, each.asked, "a database that is away is not asked twice")
	each.fails = nil
	page = scrape(t, told)
	require.Contains(t, page, "waybill_figures_up 1\n")
	require.Contains(t, page, `waybill_events_total{type="order.completed"} 6`+"\n")
	require.Equal(t, []int64{-1, 10, 20, 20}, each.asked, "a round that failed is made up for")
}

// One name comes from the SDK with several sets of labels.
func TestWhatTheSDKMeasuresIsShown(t *testing.T) {
	told, err := telemetry.New(t.Context(), telemetry.Options{})
	require.NoError(t, err)
	h := told.SDK().WithTags(map[string]string{"namespace": "default"})
	h.Counter("temporal_request").Inc(1)
	told.SDK().WithTags(map[string]string{"namespace": "default"}).Counter("temporal_request").Inc(2)
	h.WithTags(map[string]string{"operation": "Poll"}).Counter("temporal_request").Inc(4)
	h.Gauge("temporal_num_pollers").Update(8)
	h.Timer("temporal_request_latency").Record(time.Second)
	for _, want := range []string{"# TYPE temporal_request_total counter", `temporal_request_total{namespace="default"} 3`,
		`temporal_request_total{namespace="default",operation="Poll"} 4`, `temporal_num_pollers{namespace="default"} 8`,
		`temporal_request_latency_seconds_sum{namespace="default"} 1`} {
		require.Contains(t, scrape(t, told), want+"\n")
	}
	var nothing *telemetry.Telemetry
	nothing.SDK().Counter("temporal_request").Inc(1)
}

// scrape is what Prometheus sees.
func scrape(t *testing.T, told *telemetry.Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(told.Registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	return w.Body.String()
}
