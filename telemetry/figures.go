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
}

// Source counts in the database.
type Source interface {
	Figures(ctx context.Context) (Figures, error)
	// EventsAfter counts events by type from after a position of the feed on, up to limit of them, and says up to which
	// position. After one that is negative it counts none, and says where the feed ends.
	EventsAfter(ctx context.Context, after int64, limit int) (events map[string]int64, upTo int64, err error)
}

const (
	// figuresEvery is how often the database is asked at most, however many scrapes there are.
	figuresEvery = 15 * time.Second
	// figuresLimit is how long each of two questions may take: together they are under the 10 seconds that Prometheus
	// gives a scrape.
	figuresLimit = 4 * time.Second
	// eventsMax is how many events one round counts: well within the limit, however long nobody has asked. The next
	// rounds catch up.
	eventsMax = 500_000
)

// figures shows what the database counts. It asks when it is asked itself, and remembers the answer for a while.
type figures struct {
	source Source
	every  time.Duration
	limits context.Context

	mu       sync.Mutex
	asked    time.Time
	counted  time.Time
	open     *Figures         // nil: they could not be counted
	events   map[string]int64 // since the process started
	position int64            // up to which events are counted
	tallied  bool             // the last time they could be
}

// Figures shows what source counts, until ctx ends. It counts at once: events are counted from now on. Every of 0 is 15
// seconds.
func (t *Telemetry) Figures(ctx context.Context, source Source, every time.Duration) {
	if t == nil {
		return
	}
	if every == 0 {
		every = figuresEvery
	}
	f := &figures{source: source, every: every, limits: ctx, position: -1, events: map[string]int64{}}
	f.ask()
	replace(t.Registry, f)
}

// Describe is prometheus.Collector's.
func (f *figures) Describe(to chan<- *prometheus.Desc) {
	for _, m := range []Metric{ordersOpen, ordersWaiting, ordersAttention, returnsOpen, returnsAttention, eventsStamped,
		outboxUnstamped, outboxLag, inboxUnheard, inboxLag, figuresAge, figuresUp} {
		to <- m.desc()
	}
}

// Collect is prometheus.Collector's. What could not be counted is not shown: a figure of an hour ago looks like one of
// now.
func (f *figures) Collect(to chan<- prometheus.Metric) {
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
	each := func(m Metric, values map[string]int64) {
		for label, value := range values {
			show(m, float64(value), label)
		}
	}
	up := 0.0
	if f.open != nil && f.tallied {
		up = 1
	}
	show(figuresUp, up)
	if f.tallied {
		each(eventsStamped, f.events)
	}
	if f.open == nil {
		return
	}
	show(figuresAge, time.Since(f.counted).Seconds())
	each(ordersOpen, f.open.Orders)
	each(ordersWaiting, f.open.Waiting)
	each(ordersAttention, f.open.Attention)
	each(returnsOpen, f.open.Returns)
	each(returnsAttention, f.open.ReturnsAttention)
	show(outboxUnstamped, float64(f.open.Unstamped))
	show(outboxLag, f.open.OldestUnstamped.Seconds())
	show(inboxUnheard, float64(f.open.Unheard))
	show(inboxLag, f.open.OldestUnheard.Seconds())
}

// ask counts again. A database that does not even say what is open is not asked for its events too.
func (f *figures) ask() {
	f.asked, f.open, f.tallied = time.Now(), nil, false
	if f.count() == nil {
		f.tallied = f.tally() == nil
	}
}

func (f *figures) count() error {
	ctx, cancel := context.WithTimeout(f.limits, figuresLimit)
	defer cancel()
	open, err := f.source.Figures(ctx)
	if err != nil {
		return err
	}
	f.open, f.counted = &open, time.Now()
	return nil
}

// tally goes on where the last round ended.
func (f *figures) tally() error {
	ctx, cancel := context.WithTimeout(f.limits, figuresLimit)
	defer cancel()
	events, upTo, err := f.source.EventsAfter(ctx, f.position, eventsMax)
	if err != nil {
		return err
	}
	for kind, n := range events {
		f.events[kind] += n
	}
	f.position = upTo
	return nil
}
