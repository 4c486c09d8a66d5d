package order_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// some chooses a fulfillment order, or none.
func (m *model) some() (order.Fulfillment, bool) {
	if len(m.o.Fulfillments) == 0 {
		return order.Fulfillment{}, false
	}
	return m.o.Fulfillments[m.dice.IntN(len(m.o.Fulfillments))], true
}

// pick, pack and ship do as they are told, or are refused; the mirror follows what was done.
func (m *model) pick(f string, units []order.PickedUnits) error {
	err := m.try(func(o *order.Order, act order.Act) error { return o.Pick(f, units, act) })
	if err == nil {
		m.follow(func(k *mirror) { k.took(f, units) })
	}
	return err
}

func (m *model) pack(f string, boxes []order.Parcel) error {
	err := m.try(func(o *order.Order, act order.Act) error { return o.Pack(f, boxes, act) })
	if err == nil {
		m.follow(func(k *mirror) { k.packed(f, boxes) })
	}
	return err
}

func (m *model) ship(f string) error {
	err := m.try(func(o *order.Order, act order.Act) error { return o.Ship(f, act) })
	if err == nil {
		m.follow(func(k *mirror) { k.sent(f) })
	}
	return err
}

// left is what is left to pick of a fulfillment order, line by line.
func left(f order.Fulfillment) []order.PickedUnits {
	var units []order.PickedUnits
	for _, u := range everything(f) {
		i := slices.IndexFunc(units, func(other order.PickedUnits) bool { return other.LineID == u.LineID })
		if i < 0 {
			units = append(units, u)
			continue
		}
		units[i].Quantity += u.Quantity
	}
	return units
}

func (m *model) pickSome() {
	f, ok := m.some()
	if !ok {
		return
	}
	units := left(f)
	if len(units) > 1 && m.chance(2) {
		units = units[:1]
	}
	for i := range units {
		if m.chance(8) {
			units[i].Quantity = m.dice.Int64N(units[i].Quantity + 1)
			units[i].Reason = one(m, order.ShortReasons()...)
		}
	}
	if len(units) > 0 && m.chance(10) {
		units[0].Quantity += one[int64](m, -2, -1, 1, 2)
	}
	_ = m.pick(f.ID, units)
}

// packSome packs a part of what is picked into up to three parcels.
func (m *model) packSome() {
	f, ok := m.some()
	if !ok {
		return
	}
	boxes := make([]order.Parcel, 1+m.dice.IntN(3))
	for _, l := range f.Lines {
		for range l.Picked - l.Packed {
			box := &boxes[m.dice.IntN(len(boxes))]
			if !m.chance(4) {
				box.Lines = append(box.Lines, order.UnitsOf{LineID: l.LineID, Quantity: 1})
			}
		}
	}
	boxes = slices.DeleteFunc(boxes, func(p order.Parcel) bool { return len(p.Lines) == 0 })
	_ = m.pack(f.ID, boxes)
}

func (m *model) shipSome() {
	if f, ok := m.some(); ok {
		_ = m.ship(f.ID)
	}
}

func (m *model) scanSome() {
	if len(m.o.Shipments) == 0 {
		return
	}
	s := m.o.Shipments[m.dice.IntN(len(m.o.Shipments))]
	status := one(m, shipping.Statuses()...)
	if m.chance(3) {
		status = one(m, shipping.Delivered, shipping.Lost, shipping.ReturnToSender)
	}
	m.scan(s, shipping.Scan{Status: status, OccurredAt: m.now.Add(time.Duration(m.dice.IntN(55)-50) * time.Hour)})
}

func (m *model) scan(s order.Shipment, scan shipping.Scan) {
	err := m.try(func(o *order.Order, act order.Act) error { return o.Scanned(s.ID, scan, act) })
	m.follow(func(k *mirror) {
		if err == nil && s.TrackingStatus.Advances(*s.TrackingAt, scan) && !k.arrived(k.box(s.ID)) {
			k.scanned(s.ID, scan.Status)
		}
	})
}

// cancel and drop are refused exactly when the mirror says that something is leaving or left.
func (m *model) cancel() {
	was := m.o.Status
	err := m.world.cancel()
	m.follow(func(k *mirror) {
		require.Equal(m.t, was == order.Cancelled || !was.Final() && !k.leaving(), err == nil, "%v", err)
		if err == nil && !was.Final() {
			k.end(order.Cancelled)
		}
	})
}

func (m *model) dropSome() {
	l := m.o.Lines[m.dice.IntN(len(m.o.Lines))]
	units := 1 + m.dice.Int64N(l.Quantity)
	var leaving int64
	m.follow(func(k *mirror) {
		for _, b := range k.boxes {
			for _, u := range b.units {
				if b.asked && u.line == l.ID {
					leaving++
				}
			}
		}
	})
	final := m.o.Status.Final()
	err := m.try(func(o *order.Order, act order.Act) error {
		return o.CancelUnits([]order.UnitsOf{{LineID: l.ID, Quantity: units}}, "changed my mind", act)
	})
	m.follow(func(k *mirror) {
		require.Equal(m.t, !final && units <= l.Open()-leaving, err == nil, "%v", err)
		if err == nil {
			k.cancelled(k.dropped(l.ID, units))
			k.conclude()
		}
	})
}

func (m *model) resume() error {
	err := m.world.resume()
	m.follow(func(k *mirror) {
		for _, b := range k.boxes {
			if err == nil && b.status == order.ShipmentLabelRefused {
				b.status = order.ShipmentPacked
			}
		}
	})
	return err
}

// look does what is due by now, of the order and of its returns.
func (m *model) look() {
	holds := m.o.Holds
	m.world.look()
	m.follow(func(k *mirror) { k.lapsed(holds, m.now) })
	for _, r := range m.o.Returns {
		m.do(func(o *order.Order, act order.Act) { o.ReturnDeadlinePassed(r.ID, act) })
		now := m.o.Return(r.ID)
		require.True(m.t, now.Deadline == nil || now.Deadline.After(m.now), "a deadline that passing does not clear is looked at for ever")
		m.follow(func(k *mirror) { k.overdue(k.back(r.ID), m.now) })
	}
}

func (m *model) holdSome() {
	r := order.HoldRequest{Reason: one(m, "fraud_check", "address"), Owner: one(m, "", order.OwnerCustomer)}
	for _, b := range []string{order.BlockCapture, order.BlockRelease, order.BlockShip} {
		if m.chance(2) {
			r.Blocks = append(r.Blocks, b)
		}
	}
	if m.chance(2) {
		until := m.now.Add(one(m, time.Minute, time.Hour, 30*time.Hour))
		r.Deadline, r.OnDeadline = &until, one(m, "", order.OnDeadlineRelease, order.OnDeadlineCancel, order.OnDeadlineAttention)
	}
	target := ""
	if f, ok := m.some(); ok && m.chance(2) {
		target = f.ID
	}
	_ = m.try(func(o *order.Order, act order.Act) error { return o.PlaceHold(target, r, act) })
}

func (m *model) releaseSome() {
	for _, h := range m.o.Holds {
		if h.Active() && h.Reason != order.HoldAwaitingPayment && (m.healing || m.chance(2)) {
			require.NoError(m.t, m.try(func(o *order.Order, act order.Act) error { return o.ReleaseHold(h.FulfillmentID, h.ID, act) }))
		}
	}
}

// rush gets something delivered, so that something may come back.
func (m *model) rush() {
	if m.chance(2) {
		m.releaseSome()
	}
	for range 3 {
		m.step()
	}
	for _, f := range m.o.Fulfillments {
		_ = m.pick(f.ID, left(f))
		m.packSome()
		m.step()
		m.step()
		_ = m.ship(f.ID)
		m.step()
	}
	for _, s := range m.o.Shipments {
		m.scan(s, shipping.Scan{Status: one(m, shipping.Delivered, shipping.Delivered, shipping.Delivered, shipping.Lost, shipping.ReturnToSender),
			OccurredAt: m.now})
	}
}

// heal lets everybody do as he is asked from now on. Then every order comes to an end, and so do its returns. Only one
// of which a gateway took another amount than it was asked for may stay with a parcel that nobody can ship: what is
// left of it can be cancelled.
func (m *model) heal() {
	m.healing = true
	for range 100 {
		if m.over() {
			break
		}
		m.settleAll()
		m.remedy()
		m.remedyReturns()
		m.compare()
	}
	if !m.o.Settled {
		require.True(m.t, m.odd, "stuck: %s waits for %q, attention %q, steps %v", m.o.Status, m.o.WaitingFor, m.o.AttentionCode, m.o.Steps())
		require.NoError(m.t, m.try(func(o *order.Order, act order.Act) error {
			var open []order.UnitsOf
			for _, l := range o.Lines {
				if l.Open() > 0 {
					open = append(open, order.UnitsOf{LineID: l.ID, Quantity: l.Open()})
				}
			}
			return o.CancelUnits(open, "it cannot be had", act)
		}))
		m.settleAll()
		for range 20 {
			m.remedy()
			m.remedyReturns()
		}
	}
	for _, r := range m.o.Returns {
		require.True(m.t, r.Settled, "stuck: return %d is %s, waits for %q, attention %q", r.Number, r.Status, r.WaitingFor, r.AttentionCode)
	}
	m.compare()
	m.reconcile()
}

func (m *model) over() bool {
	return m.o.Settled && !slices.ContainsFunc(m.o.Returns, func(r order.Return) bool { return !r.Settled })
}

// settleAll performs what is due until nothing is.
func (m *model) settleAll() {
	for range 20 {
		steps := m.due()
		if len(steps) == 0 {
			return
		}
		for _, s := range steps {
			m.performStep(s.Key)
		}
	}
	require.FailNow(m.t, "steps without end", "%v", m.due())
}

// remedy is what people do about an order that does not move by itself.
func (m *model) remedy() {
	if m.o.Settled {
		return
	}
	m.pass(time.Second)
	if m.o.Status.Final() && m.o.Deadline != nil && m.o.Deadline.After(m.now) {
		m.now = *m.o.Deadline // what was refused is tried again
	}
	m.look()
	if m.o.AttentionCode != "" {
		m.allowed(m.resume())
	}
	m.releaseSome()
	m.arrive(1000)
	m.settleAll()
	awaited := m.o.WaitingFor == order.WaitingPayment || m.o.WaitingFor == order.WaitingCustomer
	for _, s := range m.o.Shipments {
		awaited = awaited || s.Status == order.ShipmentHeld && m.o.Payments[len(m.o.Payments)-1].Status != order.PaymentAuthorized
	}
	if awaited && m.o.LatestPayment().Status != order.PaymentPending {
		m.allowed(m.pay("tok_ok"), "nothing_to_pay", "capture_in_progress", "payment_not_awaited")
		m.settleAll()
	}
	for _, f := range m.o.Fulfillments {
		m.work(f.ID)
	}
	for _, s := range m.o.Shipments {
		if s.Status == order.ShipmentShipped || s.Status == order.ShipmentLost {
			m.scan(s, shipping.Scan{Status: shipping.Delivered, OccurredAt: m.now})
		}
	}
}

// work picks, packs, labels and ships what is left of a fulfillment order.
func (m *model) work(id string) {
	f := m.o.Fulfillment(id)
	if f.Status.Ended() || m.o.Blocked(order.BlockShip) {
		return
	}
	if units := left(*f); len(units) > 0 {
		m.allowed(m.pick(id, units))
	}
	var box order.Parcel
	for _, l := range m.o.Fulfillment(id).Lines {
		if left := l.Picked - l.Packed; left > 0 {
			box.Lines = append(box.Lines, order.UnitsOf{LineID: l.LineID, Quantity: left})
		}
	}
	if len(box.Lines) > 0 {
		m.allowed(m.pack(id, []order.Parcel{box}))
	}
	m.settleAll()
	m.allowed(m.ship(id), "nothing_to_ship", "not_authorized", "gateway_mismatch")
	m.settleAll()
}

// allowed asserts that a command was done, or refused by one of these codes.
func (m *model) allowed(err error, codes ...string) {
	if err != nil {
		require.Contains(m.t, codes, fault.As(err).Code, err.Error())
	}
}
