package telemetry

import (
	"errors"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Metric is one that Waybill measures: its name says the unit, its help in one sentence what it counts.
type Metric struct {
	Name    string
	Kind    Kind
	Help    string
	Labels  []Label
	Buckets []float64 // of a histogram
	Of      Process
}

// Kind is how a metric is read.
type Kind string

// The kinds of metrics.
const (
	Counter   Kind = "counter"   // grows from the process's start: its rate is what matters
	Gauge     Kind = "gauge"     // how it stands now
	Histogram Kind = "histogram" // how often, and how it spreads
)

// Label splits a metric by a small set of values.
type Label struct{ Name, Values string }

// Process is which process shows a metric.
type Process string

// The processes that show metrics.
const (
	API    Process = "api"
	Worker Process = "worker"
)

// What an API measures.
var (
	requestDuration = Metric{Name: "waybill_http_request_duration_seconds", Kind: Histogram, Of: API,
		Help: "Time from a request's headers to the end of its answer.",
		// From a read out of memory to the longest that a command may wait for a gateway.
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		Labels: []Label{{"operation", "as the contract names it; none for a path that it does not have"},
			{"status", "the status that was answered; 499 when the client was gone before"}}}
	requestsInFlight = Metric{Name: "waybill_http_requests_in_flight", Kind: Gauge, Of: API,
		Help: "Requests that are being answered now."}
)

// What an API counts in the database.
var (
	ordersOpen = Metric{Name: "waybill_orders", Kind: Gauge, Of: API,
		Help:   "Orders that are not over, by status.",
		Labels: []Label{{"status", "received, accepted, processing"}}}
	ordersWaiting = Metric{Name: "waybill_orders_waiting", Kind: Gauge, Of: API,
		Help:   "Orders that wait, by whom or what they wait for.",
		Labels: []Label{{"waiting_for", "payment, stock, warehouse, carrier, customer, operator, gateway"}}}
	ordersAttention = Metric{Name: "waybill_orders_attention", Kind: Gauge, Of: API,
		Help:   "Orders that call for a person, by the cause that stands on them.",
		Labels: []Label{{"cause", "the code of the attention"}}}
	returnsOpen = Metric{Name: "waybill_returns", Kind: Gauge, Of: API,
		Help:   "Returns that still need something, by status.",
		Labels: []Label{{"status", "the return's status"}}}
	returnsAttention = Metric{Name: "waybill_returns_attention", Kind: Gauge, Of: API,
		Help:   "Returns that call for a person, by the cause that stands on them.",
		Labels: []Label{{"cause", "the code of the attention"}}}
	eventsStamped = Metric{Name: "waybill_events_total", Kind: Counter, Of: API,
		Help:   "Events that got their position in the feed since this process started, by type: order.completed counts orders that came to a good end.",
		Labels: []Label{{"type", "the event's type"}}}
	outboxUnstamped = Metric{Name: "waybill_outbox_unstamped_events", Kind: Gauge, Of: API,
		Help: "Events that are written and have no position in the feed yet: no subscriber sees them."}
	outboxLag = Metric{Name: "waybill_outbox_lag_seconds", Kind: Gauge, Of: API,
		Help: "Age of the oldest event without a position in the feed, 0 when there is none."}
	inboxUnheard = Metric{Name: "waybill_inbox_unheard", Kind: Gauge, Of: API,
		Help: "Facts that came by themselves and of which no run has heard yet."}
	inboxLag = Metric{Name: "waybill_inbox_lag_seconds", Kind: Gauge, Of: API,
		Help: "Age of the oldest fact of which no run has heard, 0 when there is none."}
	figuresAge = Metric{Name: "waybill_figures_age_seconds", Kind: Gauge, Of: API,
		Help: "How long ago the figures from the database were counted; they are counted at most every 15 seconds."}
	figuresUp = Metric{Name: "waybill_figures_up", Kind: Gauge, Of: API,
		Help: "1 when all figures from the database could be counted, 0 when some are missing because the database did not answer in time."}
)

// What a worker measures.
var (
	gatewayDuration = Metric{Name: "waybill_gateway_request_duration_seconds", Kind: Histogram, Of: Worker,
		Help: "Time that one request to a payment gateway or a carrier took, until its answer or until nobody waited any more.",
		// From a sandbox in the same building to the longest request timeout of any gateway.
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		Labels: []Label{{"gateway", "the payment gateway as orders name it, or carrier"},
			{"operation", "authorize, capture, void, refund, label, void_label; with _lookup when an earlier request was looked up"},
			{"outcome", "succeeded, refused, action_required; without a last word: unknown, rate_limited, key_in_use, key_reused, not_found"}}}
	batchOrders = Metric{Name: "waybill_allocator_batch_orders", Kind: Histogram, Of: Worker,
		Help:    "Orders whose stock was decided in one transaction.",
		Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128}}
	batchDuration = Metric{Name: "waybill_allocator_batch_duration_seconds", Kind: Histogram, Of: Worker,
		Help:    "Time that one transaction of the allocator took, with its waits for locks.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}}
	sweeps = Metric{Name: "waybill_relay_sweeps_total", Kind: Counter, Of: Worker,
		Help:   "Rounds of the relay's loops, by how they ended.",
		Labels: []Label{{"loop", "the loop's name"}, {"outcome", "ok, failed"}}}
	runsStarted = Metric{Name: "waybill_relay_runs_started_total", Kind: Counter, Of: Worker,
		Help: "Runs that were missing and that the relay started: of orders and returns that were terminated, lost, or never begun."}
	runsWoken = Metric{Name: "waybill_relay_runs_woken_total", Kind: Counter, Of: Worker,
		Help: "Runs that had missed something that was due and that the relay woke."}
	backordersGranted = Metric{Name: "waybill_backorders_granted_total", Kind: Counter, Of: Worker,
		Help: "Orders that the relay gave stock to for which they had waited; what a receipt grants at once is not in it."}
)

// Catalog lists everything that Waybill measures, in the order in which it is documented.
func Catalog() []Metric {
	return []Metric{requestDuration, requestsInFlight,
		ordersOpen, ordersWaiting, ordersAttention, returnsOpen, returnsAttention, eventsStamped,
		outboxUnstamped, outboxLag, inboxUnheard, inboxLag, figuresAge, figuresUp,
		gatewayDuration, batchOrders, batchDuration, sweeps, runsStarted, runsWoken, backordersGranted}
}

func (m Metric) labels() []string {
	names := make([]string, len(m.Labels))
	for i, l := range m.Labels {
		names[i] = l.Name
	}
	return names
}

func (m Metric) desc() *prometheus.Desc { return prometheus.NewDesc(m.Name, m.Help, m.labels(), nil) }

// register registers a collector, or returns the one that was registered before: two parts of one process measure
// into the same.
func register[C prometheus.Collector](r prometheus.Registerer, c C) C {
	var before prometheus.AlreadyRegisteredError
	switch err := r.Register(c); {
	case err == nil:
		return c
	case errors.As(err, &before):
		return before.ExistingCollector.(C)
	default:
		panic(err) // a mistake in the catalog: any start shows it
	}
}

func (m Metric) histogram(r prometheus.Registerer) *prometheus.HistogramVec {
	return register(r, prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: m.Name, Help: m.Help, Buckets: slices.Clone(m.Buckets)}, m.labels()))
}

func (m Metric) counter(r prometheus.Registerer) *prometheus.CounterVec {
	return register(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.labels()))
}

func (m Metric) gauge(r prometheus.Registerer) prometheus.Gauge {
	return register(r, prometheus.NewGauge(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}))
}
