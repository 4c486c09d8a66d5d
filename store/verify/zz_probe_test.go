package verify_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/store"
)

func probe(t *testing.T, f func(w *world, p order.Placement)) {
	db := open(t)
	w := &world{ctx: t.Context()}
	w.store, _ = store.Open(t.Context(), db.url, store.Options{})
	t.Cleanup(func() { w.store.Close() })
	w.box, _ = sandbox.Open(t.Context(), db.url, sandbox.Options{Clock: func() time.Time { return w.clock }, Hang: time.Millisecond})
	t.Cleanup(func() { w.box.Close() })
	w.ago(time.Hour)
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("ERROR: %v", r)
		}
		for id, v := range violated(db.verify()) {
			t.Error(id, v)
		}
	}()
	f(w, placement("probe"))
}

// B1: a new token for the rest gives back what was captured for a parcel that left.
func TestProbeB1(t *testing.T) {
	probe(t, func(w *world, p order.Placement) {
		o := w.twoParcels(paidBy(oddAmounts(p), "tok_capture_refused_once"))
		o = w.perform(w.ship(o, 0)) // the first parcel is refused, the second leaves
		o = w.perform(w.newToken(o, "tok_ok"))
		fmt.Println(o.Payments[0].Balances, o.Payments[1].Balances, o.PaymentAxis)
	})
}

// B2: a second hold stays open when the first was captured after all.
func TestProbeB2(t *testing.T) {
	probe(t, func(w *world, p order.Placement) {
		o := w.shipped(paidBy(p, "tok_capture_refused_once")) // held
		o = w.newToken(o, "tok_ok")                            // authorize pending
		o = w.ship(o, 0)                                       // the first payment is tried again: capture/…/2 pending
		var auth, capture order.Operation
		for _, op := range o.Operations {
			if op.State.Open() && op.Kind == "authorize" {
				auth = op
			} else if op.State.Open() {
				capture = op
			}
		}
		o = w.send(o, auth)
		o = w.send(o, capture)
		o = w.scan(o, shipping.Delivered)
		fmt.Println(o.Status, o.Settled, o.AttentionCode, o.Payments[0].Balances, o.Payments[1].Balances)
	})
}

// B64: writing off a lapsed hold.
func TestProbeB64(t *testing.T) {
	probe(t, func(w *world, p order.Placement) {
		o := w.accept(paidBy(p, "tok_short_window"))
		w.later(61 * time.Minute)
		w.deadlinePassed(o)
	})
}

// cancel of a lapsed hold
func TestProbeLapsedCancel(t *testing.T) {
	probe(t, func(w *world, p order.Placement) {
		o := w.accept(paidBy(p, "tok_short_window"))
		w.later(61 * time.Minute)
		o = w.perform(w.cancel(o))
		fmt.Println(o.Status, o.Settled, o.AttentionCode, o.AttentionDetail, o.Payments[0].Balances)
		func() {
			defer func() { fmt.Println("resume:", recover()) }()
			w.change(o, func(o *order.Order, act order.Act) error { return o.Resume(act) })
		}()
	})
}

// Two lost, one turns up.
func TestProbeTwoLost(t *testing.T) {
	probe(t, func(w *world, p order.Placement) {
		o := w.perform(w.ship(w.twoParcels(oddAmounts(p)), 0))
		for i := range 2 {
			w.later(time.Minute)
			o = w.change(o, func(o *order.Order, act order.Act) error {
				return o.Scanned(o.Shipments[i].ID, shipping.Scan{Status: shipping.Lost, OccurredAt: act.At}, act)
			})
		}
		w.later(time.Minute)
		o = w.scan(o, shipping.Delivered)
		fmt.Println(o.Status, o.AttentionCode, o.WaitingFor, o.Shipments[1].Status)
	})
}

func TestProbeTrackingCancelled(t *testing.T) {
	probe(t, func(w *world, p order.Placement) {
		o := w.scan(w.shipped(p), shipping.TrackingCancelled)
		fmt.Println(o.Status, o.AttentionCode, o.WaitingFor, o.Shipments[0].Status, o.Shipments[0].TrackingStatus)
	})
}

// wrong capture (4827 of 4828), customer gives another token for the missing 1
func TestProbeWrongCaptureToken(t *testing.T) {
	probe(t, func(w *world, p order.Placement) {
		o := w.shipped(paidBy(p, "tok_capture_wrong_amount"))
		o = w.perform(w.newToken(o, "tok_ok"))
		fmt.Println(o.Payments[0].Balances, o.Payments[1].Balances, o.PaymentAxis, o.WaitingFor)
		o = w.ship(o, 0)
	})
}

func TestProbePackNothing(t *testing.T) {
	probe(t, func(w *world, p order.Placement) {
		o := w.pick(w.accept(p))
		o = w.change(o, func(o *order.Order, act order.Act) error {
			return o.Pack(o.Fulfillments[0].ID, []order.Parcel{{WeightGrams: 1}}, act)
		})
		o = w.perform(o)
		o = w.perform(w.ship(o, 0))
		fmt.Println(o.Status, o.Shipments[0].Status, o.Shipments[0].Amount, o.Payments[0].Balances)
	})
}
