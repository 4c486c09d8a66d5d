package core

import (
	"slices"
	"strings"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// auditEnd judges the world when nothing is left to happen in it.
func (w *world) auditEnd() {
	for _, l := range w.lives {
		a := l.audit()
		if a.o == nil {
			w.fails("V-O1", l.id, "the order was placed, and is not there")
			continue
		}
		a.count()
		a.over(l)
		a.labels()
		if ended[a.o.Status] {
			a.letGo()
		}
		a.witnesses()
	}
	w.strangers()
	w.shelves()
}

// over: V-O3, V-O8, V-R5. Whoever was called came, and everybody did what he was asked.
func (a *audit) over(l *life) {
	o := a.o
	if !o.Settled || o.AttentionCode != "" {
		a.fails("V-O3", o.ID, "in the end it is %s, waits for %q, attention %q %s, steps %v", o.Status, o.WaitingFor, o.AttentionCode, o.AttentionDetail, o.Steps())
	}
	for _, r := range o.Returns {
		if !r.Settled || r.AttentionCode != "" {
			a.fails("V-R5", r.ID, "in the end it is %s, waits for %q, attention %q", r.Status, r.WaitingFor, r.AttentionCode)
		}
	}
	for _, p := range o.ShortPicks {
		if !p.Decided && !ended[o.Status] {
			a.fails("V-O8", p.ID, "nobody decided about %d of %s", p.Quantity, p.SKU)
		}
	}
	if len(l.run.steps) > 0 {
		a.fails("V-W2", o.ID, "its run still performs %d steps", len(l.run.steps))
	}
}

// letGo: V-M3, V-M11, V-M16, and what the customer paid in the end is what he owes.
func (a *audit) letGo() {
	var fees, credits int64
	for _, p := range a.o.Payments {
		if rest := p.Authorized - p.Capturing - p.Captured - p.Voided - p.Expired; rest > 0 || p.Capturing > 0 {
			a.fails("V-M3", p.ID, "%d is still held of an order that is %s", rest+p.Capturing, a.o.Status)
		}
		if a.o.Status != "completed" && p.Captured != p.Refunded {
			a.fails("V-M11", p.ID, "the order is %s: %d captured, %d given back", a.o.Status, p.Captured, p.Refunded)
		}
	}
	for _, r := range a.o.Refunds {
		if r.Status != order.RefundSucceeded {
			a.fails("V-M16", r.ID, "the refund of %d is %s in the end", r.Amount, r.Status)
		}
	}
	for _, r := range a.o.Returns {
		fees += r.FeeCharged
	}
	for _, c := range a.o.Credits {
		credits += c.Amount
	}
	owed := a.o.Total - credits + fees
	left := func(s order.Shipment) bool { return s.CarriesShipping && s.HandedOverAt != nil }
	forgone := a.shipping() - a.o.ShippingCredited // perhaps: it was to be taken with a parcel that never left, after others had
	if slices.ContainsFunc(a.o.Shipments, left) {
		forgone = 0
	}
	if a.o.Status == "completed" && (kept(a.o) > owed || kept(a.o) < owed-forgone) {
		a.fails("V-M10", a.o.ID, "in the end %d was captured and kept, and %d is owed", kept(a.o), owed)
	}
}

// witnesses: V-M6. Every operation that was answered is in the other side's ledger, as we have it.
func (a *audit) witnesses() {
	for _, op := range a.o.Operations {
		var outcome, reference string
		var amount int64
		var known bool
		if op.Kind == string(shipping.BuyLabel) || op.Kind == string(shipping.VoidLabel) {
			var said shipping.Answer
			said, known = a.w.carrier.answers[op.Key]
			outcome, reference = string(said.Outcome), said.Reference
		} else {
			var said payment.Answer
			said, known = a.w.gateway.answers[op.Key]
			outcome, reference, amount = string(said.Outcome), said.Reference, said.Amount
		}
		done := op.State == payment.Done
		switch {
		case op.Code == order.SettledElsewhere, op.State == payment.Abandoned && !known, open(op):
		case !known:
			a.fails("V-M6", op.Key, "%s by our books, and the other side has never heard of it", op.State)
		case done != (outcome == "succeeded") || done && amount != op.Applied || op.State != payment.Abandoned && reference != op.Reference:
			a.fails("V-M6", op.Key, "%s with %d as %q; by the other side %s with %d as %q", op.State, op.Applied, op.Reference, outcome, amount, reference)
		}
	}
}

// strangers: V-M6 and V-M7. What the other sides did is known to our books, and was done once.
func (w *world) strangers() {
	applied := map[string]int{}
	note := func(key, orderID string) {
		if l := w.byID[orderID]; l == nil || l.order() == nil || l.order().Operation(key) == nil {
			w.fails("V-M6", key, "our books know nothing of it")
		}
		parts := strings.SplitN(key, "/", 3) // the number at the end is its epoch: only a refusal opens the next
		subject := parts[0] + "/" + parts[1]
		if applied[subject]++; applied[subject] > 1 {
			w.fails("V-M7", subject, "done %d times", applied[subject])
		}
	}
	type sums struct{ authorized, captured, voided, refunded int64 }
	byHold := map[string]sums{}
	for _, b := range w.gateway.ledger {
		if b.answer.Outcome != payment.Succeeded {
			continue
		}
		note(b.request.Key, b.request.OrderID)
		reference := b.request.Authorization
		if b.request.Kind == payment.Authorize {
			reference = b.answer.Reference
		}
		s := byHold[reference]
		switch b.request.Kind {
		case payment.Authorize:
			s.authorized += b.answer.Amount
			if b.answer.Captured {
				s.captured += b.answer.Amount
			}
		case payment.Capture:
			s.captured += b.answer.Amount
		case payment.Void:
			s.voided += b.answer.Amount
		case payment.Refund:
			s.refunded += b.answer.Amount
		}
		byHold[reference] = s
	}
	for reference, h := range w.gateway.holds {
		if (sums{h.authorized, h.captured, h.voided, h.refunded}) != byHold[reference] {
			w.fails("V-M7", reference, "the hold is %+v, by its ledger %+v", *h, byHold[reference])
		}
	}
	for _, r := range w.carrier.ledger {
		note(r.Key, r.OrderID)
	}
}

// shelves: V-S2, V-S3, V-S5.
func (w *world) shelves() {
	ledger, received, shipped, held := map[place]level{}, map[place]int64{}, map[place]int64{}, map[place]int64{}
	for _, m := range w.books.movements {
		p := place{m.SKU, m.LocationID}
		l := ledger[p]
		ledger[p] = level{onHand: l.onHand + m.OnHand, committed: l.committed + m.Committed, unavailable: l.unavailable + m.Unavailable, damaged: l.damaged + m.Damaged}
		if m.Kind != "shipment" {
			received[p] += m.OnHand
		}
	}
	for _, f := range w.books.folios {
		for _, a := range f.order.Allocations {
			held[place{a.SKU, a.LocationID}] += a.Quantity - a.Released - a.Consumed
		}
		for _, s := range f.order.Shipments {
			for _, l := range s.Lines {
				if s.HandedOverAt != nil {
					shipped[place{l.SKU, f.order.Fulfillment(s.FulfillmentID).LocationID}] += l.Quantity
				}
			}
		}
	}
	for _, p := range w.books.places {
		l := *w.books.levels[p]
		l.arrived = nil
		if l != ledger[p] {
			w.fails("V-S2", p.String(), "the level is %+v, by its ledger %+v", l, ledger[p])
		}
		if l.committed != held[p] {
			w.fails("V-S3", p.String(), "%d committed, and open allocations hold %d", l.committed, held[p])
		}
		if shipped[p] > received[p] || l.onHand != received[p]-shipped[p] {
			w.fails("V-S5", p.String(), "%d handed over, %d ever received, %d on hand", shipped[p], received[p], l.onHand)
		}
	}
	for p, n := range held {
		if n != 0 && !slices.Contains(w.books.places, p) {
			w.fails("V-S3", p.String(), "%d are held of what never was there", n)
		}
	}
}
