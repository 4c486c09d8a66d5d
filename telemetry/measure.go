package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Requests measures the requests to an API.
type Requests struct {
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

// NewRequests registers what is measured of requests.
func NewRequests(r prometheus.Registerer) *Requests {
	return &Requests{duration: requestDuration.histogram(r), inFlight: requestsInFlight.gauge(r)}
}

// Begin counts a request in flight until it is ended.
func (m *Requests) Begin() (end func()) {
	m.inFlight.Inc()
	return m.inFlight.Dec
}

// Answered notes an answer.
func (m *Requests) Answered(operation string, status int, took time.Duration) {
	m.duration.WithLabelValues(operation, strconv.Itoa(status)).Observe(took.Seconds())
}

// Work measures what a worker does besides its runs. Nil measures nothing.
type Work struct {
	gateways                    *prometheus.HistogramVec
	batchOrders, batchDuration  *prometheus.HistogramVec
	sweeps                      *prometheus.CounterVec
	started, woken, backordered prometheus.Counter
}

// Work registers what a worker measures. What has not happened yet is there as 0.
func (t *Telemetry) Work() *Work {
	if t == nil {
		return nil
	}
	r := t.Registry
	w := &Work{gateways: gatewayDuration.histogram(r), batchOrders: batchOrders.histogram(r), batchDuration: batchDuration.histogram(r),
		sweeps:  sweeps.counter(r),
		started: runsStarted.counter(r).WithLabelValues(), woken: runsWoken.counter(r).WithLabelValues(),
		backordered: backordersGranted.counter(r).WithLabelValues()}
	w.batchOrders.WithLabelValues()
	w.batchDuration.WithLabelValues()
	return w
}

// Asked notes one request to a gateway or a carrier.
func (w *Work) Asked(gateway, operation, outcome string, took time.Duration) {
	if w != nil {
		w.gateways.WithLabelValues(gateway, operation, outcome).Observe(took.Seconds())
	}
}

// Batch notes one transaction of the allocator.
func (w *Work) Batch(orders int, took time.Duration) {
	if w != nil {
		w.batchOrders.WithLabelValues().Observe(float64(orders))
		w.batchDuration.WithLabelValues().Observe(took.Seconds())
	}
}

// Swept notes one round of one of the relay's loops.
func (w *Work) Swept(loop string, err error) {
	if w == nil {
		return
	}
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	w.sweeps.WithLabelValues(loop, outcome).Inc()
}

// Started notes runs that the relay started.
func (w *Work) Started(runs int) {
	if w != nil {
		w.started.Add(float64(runs))
	}
}

// Woken notes a run that the relay woke.
func (w *Work) Woken() {
	if w != nil {
		w.woken.Inc()
	}
}

// Granted notes orders that got stock for which they had waited.
func (w *Work) Granted(orders int) {
	if w != nil {
		w.backordered.Add(float64(orders))
	}
}
