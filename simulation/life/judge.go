package life

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/store/verify"
)

// account writes down how everybody ended.
func (w *world) account() {
	for _, n := range w.scope.Played() {
		o, err := w.store.Order(w.ctx, orderID(n))
		if err != nil {
			w.violated("L1-error", orderID(n), err.Error())
			continue
		}
		w.outcomes[string(o.Status)]++
		w.tell(o.ID, "ended as", fmt.Sprintf("%s %s %s version %d, %d events, attention %q", o.Status, o.PaymentAxis, o.FulfillmentAxis, o.Version, o.Sequence, o.AttentionCode))
		for _, p := range o.Payments {
			w.tell(p.ID, "ended as", fmt.Sprintf("%s %+v", p.Status, p.Balances))
		}
		if !o.Settled {
			w.violated("L1-unsettled", o.ID, stateOf(o))
		}
		for _, r := range o.Returns {
			w.outcomes["return "+string(r.Status)]++
			w.tell(r.ID, "ended as", string(r.Status))
			if !r.Settled {
				w.violated("L1-unsettled", r.ID, fmt.Sprintf("%s, waits for %q, attention %q", r.Status, r.WaitingFor, r.AttentionCode))
			}
		}
	}
	for id, r := range w.runs {
		if !r.ended() {
			w.violated("L1-unsettled", id, "it still runs")
		}
	}
	levels, err := w.store.Levels(w.ctx, store.LevelFilter{})
	w.check("stock", err)
	for _, l := range levels {
		w.tell(l.SKU+" at "+l.LocationID, "ended as", fmt.Sprintf("%d %d %d %d", l.OnHand, l.Committed, l.Unavailable, l.Damaged))
	}
}

func stateOf(o *order.Order) string {
	return fmt.Sprintf("%s, waits for %q, attention %q: %s", o.Status, o.WaitingFor, o.AttentionCode, o.AttentionDetail)
}

// A world is judged every week before its end, so many times: each costs as much as the last one, and whoever waits for
// goods waits in the first weeks.
const (
	glanceEvery = 7 // days
	glances     = 3
)

// late are the invariants that say how soon something is done or called for, by a run or a sweeper. A world loses both for
// longer than that: it has to keep these only in the end.
var late = []string{"V-E4", "V-E5", "V-M3", "V-M8", "V-M16", "V-O3", "V-O7", "V-O8", "V-R5"}

func (w *world) verify(now time.Time) ([]verify.Finding, error) {
	return verify.Run(w.ctx, verify.Options{DatabaseURL: w.databaseURL, Now: func() time.Time { return now }})
}

// glance asks in the middle of everything for what holds at every moment. What heals by itself is not to be seen in the end.
func (w *world) glance() {
	findings, err := w.verify(w.now())
	w.check("verify", err)
	for _, f := range findings {
		if slices.Contains(late, f.ID) {
			continue
		}
		for _, v := range f.Violations {
			known := slices.ContainsFunc(w.violations, func(k simulation.Violation) bool { return k.ID == f.ID && k.Subject == v.Subject })
			if !known {
				w.violated(f.ID, v.Subject, w.now().Format(time.RFC3339)+": "+v.Detail)
			}
		}
	}
}

// judge asks what is left whether everything is as promised.
func (w *world) judge() (simulation.Result, error) {
	if err := w.ctx.Err(); err != nil {
		return simulation.Result{}, err
	}
	findings, err := w.verify(w.ended)
	if err != nil {
		return simulation.Result{}, err
	}
	for _, f := range findings {
		for _, v := range f.Violations {
			w.violated(f.ID, v.Subject, v.Detail)
		}
	}
	slices.SortStableFunc(w.violations, func(a, b simulation.Violation) int {
		return strings.Compare(a.ID+" "+a.Subject, b.ID+" "+b.Subject)
	})
	return w.result(), nil
}
