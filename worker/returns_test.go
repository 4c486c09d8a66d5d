package worker_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/workflows"
)

// back is a return of an order, as a test speaks to it.
type back struct {
	a           *app
	orderID, id string
}

// sendBack announces units of an order's first line, as the API does: written down, and the run hears of it.
func (a *app) sendBack(o *order.Order, quantity int64, reason returns.Reason) back {
	a.t.Helper()
	return a.sendBackUnits(o, order.ReturnedUnits{LineID: o.Lines[0].ID, Quantity: quantity, Reason: reason})
}

func (a *app) sendBackUnits(o *order.Order, units ...order.ReturnedUnits) back {
	a.t.Helper()
	b, at := back{a: a, orderID: o.ID}, act()
	_, err := a.Store.Change(a.t.Context(), o.ID, nil, at, func(o *order.Order) error {
		r, err := o.RequestReturn(order.ReturnRequest{Lines: units}, at)
		if err == nil {
			b.id = r.ID
		}
		return err
	})
	require.NoError(a.t, err)
	return b
}

// now is the return as it stands.
func (b back) now() *order.Return {
	b.a.t.Helper()
	r := b.a.order(b.orderID).Return(b.id)
	require.NotNil(b.a.t, r)
	return r
}

func (b back) until(wanted string, is func(*order.Return) bool) *order.Return {
	b.a.t.Helper()
	return b.a.until(b.orderID, wanted, func(o *order.Order) bool { return is(o.Return(b.id)) }).Return(b.id)
}

// settled waits for the end, which is as wanted.
func (b back) settled(status returns.Status) *order.Return {
	b.a.t.Helper()
	r := b.until("settled", func(r *order.Return) bool { return r.Settled })
	require.Equal(b.a.t, status, r.Status)
	return r
}

// command sends a command under a key of its own to the return's run.
func (b back) command(name string, build func(activities.Caller) any) error {
	b.a.t.Helper()
	key := id.New(name)
	_, err := b.a.Runs.Command(b.a.within(30*time.Second), order.ReturnRef{OrderID: b.orderID, ReturnID: b.id}, name, key,
		build(activities.Caller{Key: key, Fingerprint: name, Actor: "test"}), b.a.load(b.orderID))
	return err
}

func (b back) approve() {
	b.a.t.Helper()
	require.NoError(b.a.t, b.command(workflows.UpdateApprove, func(c activities.Caller) any { return activities.ReturnApproval{Caller: c} }))
}

func (b back) approveReturnless() {
	b.a.t.Helper()
	require.NoError(b.a.t, b.command(workflows.UpdateApprove, func(c activities.Caller) any {
		return activities.ReturnApproval{Caller: c, Returnless: true}
	}))
}

func (b back) decline(reason string) {
	b.a.t.Helper()
	require.NoError(b.a.t, b.command(workflows.UpdateDecline, func(c activities.Caller) any {
		return activities.ReturnRefusal{Caller: c, Reason: reason}
	}))
}

func (b back) cancel() {
	b.a.t.Helper()
	require.NoError(b.a.t, b.command(workflows.UpdateCancel, func(c activities.Caller) any {
		return activities.ReturnCancellation{Caller: c, Reason: "kept after all"}
	}))
}

func (b back) resume() {
	b.a.t.Helper()
	require.NoError(b.a.t, b.command(workflows.UpdateResume, func(c activities.Caller) any { return activities.ResumeCommand{Caller: c} }))
}

// receive notes units of the order's first line, and what nobody announced.
func (b back) receive(quantity int64, unexpected ...order.SKUUnits) {
	b.a.t.Helper()
	items := order.ReceivedItems{Unexpected: unexpected}
	if quantity > 0 {
		items.Lines = []order.UnitsOf{{LineID: b.line(), Quantity: quantity}}
	}
	require.NoError(b.a.t, b.command(workflows.UpdateReceive, func(c activities.Caller) any {
		return activities.ReturnReceipt{Caller: c, ReceivedItems: items}
	}))
}

// inspect grades units of the order's first line.
func (b back) inspect(quantity int64, grade returns.Grade) {
	b.a.t.Helper()
	b.inspectUnits(order.InspectedUnits{LineID: b.line(), Quantity: quantity, Grade: grade})
}

func (b back) inspectUnits(found ...order.InspectedUnits) {
	b.a.t.Helper()
	require.NoError(b.a.t, b.command(workflows.UpdateInspect, func(c activities.Caller) any {
		return activities.ReturnInspection{Caller: c, Lines: found}
	}))
}

func (b back) line() string { return b.a.order(b.orderID).Lines[0].ID }

func (b back) scan(status shipping.Tracking) {
	b.a.t.Helper()
	at := act()
	_, err := b.a.Store.Change(b.a.t.Context(), b.orderID, nil, at, func(o *order.Order) error {
		return o.ReturnScanned(b.id, shipping.Scan{Status: status, OccurredAt: at.At}, at)
	})
	require.NoError(b.a.t, err)
}

// overdue makes the time be over in which the goods have to be here. What is left of it is the run's to notice.
func (b back) overdue() {
	b.a.t.Helper()
	at := act()
	o, err := b.a.Store.Change(b.a.t.Context(), b.orderID, nil, at, func(o *order.Order) error {
		o.Return(b.id).ExpiresAt = &at.At
		return nil
	})
	require.NoError(b.a.t, err)
	require.NoError(b.a.t, b.a.Runs.WakeReturn(b.a.within(20*time.Second), o, b.id))
}

// refunded is what the payment gave back.
func (a *app) refunded(orderID string) int64 {
	a.t.Helper()
	var sum int64
	for _, p := range a.order(orderID).Payments {
		sum += p.Refunded
	}
	return sum
}

// relent makes the gateway give back from now on what it refused to: its mind is the token of the hold.
func (a *app) relent(orderID string) {
	a.t.Helper()
	a.query(`UPDATE sandbox.authorizations SET token = 'tok_ok' WHERE order_id = $1`, orderID)
}
