package telemetry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// SDK shows what Temporal's SDK measures of itself: requests, polls, how long tasks waited for a worker, the cache of
// runs. Temporal documents them; here counters end in _total and latencies in _seconds. Nil shows nothing.
func (t *Telemetry) SDK() client.MetricsHandler {
	if t == nil {
		return client.MetricsNopHandler
	}
	return &sdkHandler{all: t.sdk}
}

// sdkMetrics are made as the SDK asks for them.
type sdkMetrics struct {
	mu    sync.RWMutex
	known map[string]prometheus.Collector
}

// Describe is prometheus.Collector's. It says nothing: one name comes with several sets of labels, and nobody knows
// beforehand which.
func (*sdkMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect is prometheus.Collector's.
func (s *sdkMetrics) Collect(to chan<- prometheus.Metric) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.known {
		c.Collect(to)
	}
}

// measured returns the metric of a name and labels, made the first time.
func measured[C prometheus.Collector](s *sdkMetrics, name string, labels map[string]string, create func(help string) C) C {
	key := name
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		key += "\x00" + label + "\x00" + labels[label]
	}
	s.mu.RLock()
	c, known := s.known[key]
	s.mu.RUnlock()
	if !known {
		s.mu.Lock()
		defer s.mu.Unlock()
		if c, known = s.known[key]; !known {
			c = create(fmt.Sprintf("Of Temporal's SDK, which documents %s.", strings.TrimSuffix(strings.TrimSuffix(name, "_total"), "_seconds")))
			s.known[key] = c
		}
	}
	return c.(C)
}

// sdkHandler is client.MetricsHandler with some labels.
type sdkHandler struct {
	all    *sdkMetrics
	labels map[string]string
}

// WithTags is client.MetricsHandler's.
func (h *sdkHandler) WithTags(tags map[string]string) client.MetricsHandler {
	labels := maps.Clone(tags)
	for label, value := range h.labels {
		if _, newer := labels[label]; !newer {
			labels[label] = value
		}
	}
	return &sdkHandler{h.all, labels}
}

// Counter is client.MetricsHandler's.
func (h *sdkHandler) Counter(name string) client.MetricsCounter {
	name += "_total"
	return sdkCounter{measured(h.all, name, h.labels, func(help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: h.labels})
	})}
}

// Gauge is client.MetricsHandler's.
func (h *sdkHandler) Gauge(name string) client.MetricsGauge {
	return sdkGauge{measured(h.all, name, h.labels, func(help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: h.labels})
	})}
}

// sdkBuckets reach from a local activity to a poll that found nothing.
var sdkBuckets = []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 60}

// Timer is client.MetricsHandler's.
func (h *sdkHandler) Timer(name string) client.MetricsTimer {
	name += "_seconds"
	return sdkTimer{measured(h.all, name, h.labels, func(help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, ConstLabels: h.labels, Buckets: sdkBuckets})
	})}
}

type sdkCounter struct{ prometheus.Counter }

// Inc is client.MetricsCounter's.
func (c sdkCounter) Inc(n int64) { c.Add(float64(n)) }

type sdkGauge struct{ prometheus.Gauge }

// Update is client.MetricsGauge's.
func (g sdkGauge) Update(value float64) { g.Set(value) }

type sdkTimer struct{ prometheus.Histogram }

// Record is client.MetricsTimer's.
func (t sdkTimer) Record(took time.Duration) { t.Observe(took.Seconds()) }
