package core

import (
	"fmt"
	"time"

	"github.com/waybill-oms/waybill/simulation"
)

// trace is everything that happened, one line an event.
type trace struct{ lines []string }

func (t *trace) add(at time.Time, subject, what, outcome string) {
	since := at.Sub(began)
	t.lines = append(t.lines, fmt.Sprintf("%d+%02d:%02d:%02d.%03d %s %s: %s", since/(24*time.Hour), since/time.Hour%24, since/time.Minute%60,
		since/time.Second%60, since/time.Millisecond%1000, subject, what, outcome))
}

func (t *trace) hash() string { return simulation.Hash(t.lines) }
