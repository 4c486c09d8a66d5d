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

// judge asks what is left whether everything is as promised.
func (w *world) judge(databaseURL string) (simulation.Result, error) {
	if err := w.ctx.Err(); err != nil {
		return simulation.Result{}, err
	}
	findings, err := verify.Run(w.ctx, verify.Options{DatabaseURL: databaseURL, Now: func() time.Time { return w.ended }})
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
