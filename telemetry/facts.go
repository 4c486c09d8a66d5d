package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Figures are what the database itself counts.
type Figures struct {
	Orders           map[string]int64 // that are not over, by status
	Waiting          map[string]int64 // orders, by what they wait for
	Attention        map[string]int64 // orders, by cause
	Returns          map[string]int64 // that still need something, by status
	ReturnsAttention map[string]int64 // by cause
	Unstamped        int64            // events without a position
	OldestUnstamped  time.Duration    // its age; 0 when there is none
	Unheard          int64            // rows of the inbox
	OldestUnheard    time.Duration
	Position         int64            // of the newest event that has one
	Events           map[string]int64 // after the position that was asked for, up to Position, by type
}

// Count counts. Events are counted from after a position on; before the first time, when it is negative, not at all.
type Count func(ctx context.Context, after int64) (Figures, error)

const (
	// factsEvery is how often the database is asked at most, however many scrapes there are.
	factsEvery = 15 * time.Second
	// factsLimit is under the 10 seconds that Prometheus gives a scrape.
	factsLimit = 4 * time.Second
)

// facts shows what the database counts. It asks when it is asked itself, and remembers the answer for a while.
type facts struct {
	count  Count
	every  time.Duration
	limits context.Context

	mu      sync.Mutex
	asked   time.Time
	counted time.Time
	figures Figures
	events  map[string]int64
	up      bool
}

// Facts shows the figures that count counts, until ctx ends. It counts at once: events are counted from now on. Every of 0
// is 15 seconds.
func (t *Telemetry) Facts(ctx context.Context, count Count, every time.Duration) {
	if t == nil {
		return
	}
	if every == 0 {
		every = factsEvery
	}
	f := &facts{count: count, every: every, limits: ctx, figures: Figures{Position: -1}, events: map[string]int64{}}
	f.ask()
	replace(t.Registry, f)
}

// Describe is prometheus.Collector's.
func (f *facts) Describe(to chan<- *prometheus.Desc) {
	for _, m := range []Metric{ordersOpen, ordersWaiting, ordersAttention, returnsOpen, returnsAttention, eventsStamped,
		outboxUnstamped, outboxLag, inboxUnheard, inboxLag, factsAge, factsUp} {
		to <- m.desc()
	}
}

// Collect is prometheus.Collector's. What could not be counted is not shown: a figure of an hour ago looks like one of
// now.
func (f *facts) Collect(to chan<- prometheus.Metric) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.asked) >= f.every {
		f.ask()
	}
	show := func(m Metric, value float64, labels ...string) {
		kind := prometheus.GaugeValue
		if m.Kind == Counter {
			kind = prometheus.CounterValue
		}
		to <- prometheus.MustNewConstMetric(m.desc(), kind, value, labels...)
	}
	if !f.up {
		show(factsUp, 0)
		return
	}
	each := func(m Metric, values map[string]int64) {
		for label, value := range values {
			show(m, float64(value), label)
		}
	}
	show(factsUp, 1)
	show(factsAge, time.Since(f.counted).Seconds())
	each(ordersOpen, f.figures.Orders)
	each(ordersWaiting, f.figures.Waiting)
	each(ordersAttention, f.figures.Attention)
	each(returnsOpen, f.figures.Returns)
	each(returnsAttention, f.figures.ReturnsAttention)
	each(eventsStamped, f.events)
	show(outboxUnstamped, float64(f.figures.Unstamped))
	show(outboxLag, f.figures.OldestUnstamped.Seconds())
	show(inboxUnheard, float64(f.figures.Unheard))
	show(inboxLag, f.figures.OldestUnheard.Seconds())
}

func (f *facts) ask() {
	ctx, cancel := context.WithTimeout(f.limits, factsLimit)
	defer cancel()
	f.asked = time.Now()
	figures, err := f.count(ctx, f.figures.Position)
	if f.up = err == nil; !f.up {
		return
	}
	for kind, n := range figures.Events {
		f.events[kind] += n
	}
	f.figures, f.counted = figures, time.Now()
}
