package bench

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Latency is how long something took, in milliseconds.
type Latency struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// tally is what one side did while it was counted.
type tally struct {
	open atomic.Bool // outside of its windows nothing is counted

	mu      sync.Mutex
	took    map[string][]time.Duration // by what was asked
	counts  map[string]int             // what else happened
	ids     []string                   // of what was completed
	failed  int
	failure error // the first
}

func newTally() *tally {
	return &tally{took: map[string][]time.Duration{}, counts: map[string]int{}}
}

// note keeps how long something took.
func (t *tally) note(what string, took time.Duration) {
	if !t.open.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took[what] = append(t.took[what], took)
}

// count keeps that something happened.
func (t *tally) count(what string) {
	if !t.open.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[what]++
}

// completed keeps an order, from its first request to its last answer.
func (t *tally) completed(id string, took time.Duration) {
	t.note(endToEnd, took)
	if !t.open.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ids = append(t.ids, id)
}

// fail keeps what went wrong, whenever it did.
func (t *tally) fail(err error) (failed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed++; t.failure == nil {
		t.failure = err
	}
	return t.failed
}

// endToEnd is from the first request for an order to the answer that completed it.
const endToEnd = "end to end"

// latencies sums up what was asked.
func (t *tally) latencies() map[string]Latency {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(map[string]Latency, len(t.took))
	for what, took := range t.took {
		all[what] = latency(took)
	}
	return all
}

// latency sums up durations. Each percentile is a measured value: the smallest that so many percent do not exceed.
func latency(took []time.Duration) Latency {
	if len(took) == 0 {
		return Latency{}
	}
	sorted := slices.Sorted(slices.Values(took))
	at := func(percent int) float64 { return millis(sorted[(len(sorted)*percent+99)/100-1]) }
	return Latency{Count: len(sorted), P50: at(50), P99: at(99), Max: at(100)}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
