package order_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// One order, and everything that may happen to it in any sequence: commands at the wrong time, gateways that refuse,
// keep silent, answer late, twice, or do another amount, holds that lapse, parcels that are lost. After every
// decision the books must add up; in the end, once everybody does as he is asked, the order must come to an end.
func TestAnySequenceOfEventsAddsUp(t *testing.T) {
	for range 4 { // each a hundred orders
		rapid.Check(t, anySequence)
	}
}

func anySequence(t *rapid.T) {
	p := placements.Draw(t, "placement")
	for i := range p.Lines {
		l := &p.Lines[i]
		l.Quantity = min(l.Quantity, 3)
		l.Discount = min(l.Discount, l.UnitPrice*l.Quantity)
	}
	p.Discount = 0
	m := &model{world: place(t, footed(p)), t: t, books: map[string]*hold{}, done: map[string]payment.Answer{},
		labels: map[string]shipping.Answer{}, stock: plenty}
	// Drawn numbers tend to be small, and a sequence of small choices never gets far: what happens is thrown with
	// dice that a drawn seed fills. How much happens is drawn, so that a failure shrinks to its last step.
	for _, b := range rapid.SliceOfN(rapid.Byte(), 12, 12).Draw(t, "seed") {
		m.seed = m.seed*257 + uint64(b)
	}
	m.dice = rand.New(rand.NewPCG(m.seed, 1))
	m.elsewhere = m.chance(8)
	if m.chance(8) {
		m.stock = levels.Draw(t, "stock")
	}
	for range rapid.IntRange(1, 60).Draw(t, "steps") + m.dice.IntN(30) {
		m.now = m.now.Add(time.Duration(m.dice.IntN(3)) * time.Millisecond)
		m.happen()
	}
	m.heal()
}

// plenty is stock for most orders, at two locations that only have it all together.
var plenty = []inventory.Grant{level("nyc", "A", 1000), level("nyc", "B", 1000), level("lax", "B", 1), level("lax", "C", 1000)}

// model is an order in a world where anything may happen.
type model struct {
	*world
	t         *rapid.T
	stock     []inventory.Grant
	elsewhere bool
	books     map[string]*hold           // what the gateway holds, by payment
	done      map[string]payment.Answer  // what the gateway did, by key: asked again, it says the same
	labels    map[string]shipping.Answer // what the carrier did, by key
	healing   bool
	seed      uint64
	dice      *rand.Rand
}

// hold is the gateway's own record of a payment.
type hold struct {
	authorized, captured, voided, refunded int64
	until                                  time.Time
}

func (h *hold) rest() int64 { return h.authorized - h.captured - h.voided }

func (h *hold) lapsed(now time.Time) bool { return !h.until.IsZero() && !now.Before(h.until) }

// chance is true one time in n.
func (m *model) chance(n int) bool { return !m.healing && m.dice.IntN(n) == 0 }

func one[T any](m *model, of ...T) T { return of[m.dice.IntN(len(of))] }

// happen lets one thing happen. What is refused changes nothing, which the world sees to.
func (m *model) happen() {
	switch one(m, "step", "step", "step", "step", "step", "step", "pick", "pick", "pack", "pack", "ship", "ship", "scan", "scan",
		"again", "late", "pay", "cancel", "resume", "wait", "look", "fail") {
	case "step":
		m.step()
	case "pick":
		m.pickSome()
	case "pack":
		m.packSome()
	case "ship":
		m.shipSome()
	case "scan":
		m.scanSome()
	case "again":
		m.repeatAnswer()
	case "late":
		m.lateArrival()
	case "pay":
		_ = m.pay("tok_" + fmt.Sprint(len(m.o.Payments)))
	case "cancel":
		if m.chance(3) {
			_ = m.cancel()
		}
	case "resume":
		_ = m.resume()
	case "wait":
		m.pass(one(m, time.Second, time.Minute, 11*time.Minute, time.Hour, 25*time.Hour))
	case "look":
		m.look()
	case "fail":
		if m.chance(5) {
			m.do(func(o *order.Order, act order.Act) { o.StepFailed("step", "it fails every time", act) })
		}
	}
}

// step performs one of the steps that are due, as an activity would.
func (m *model) step() {
	steps := m.o.Steps()
	if len(steps) == 0 {
		return
	}
	key := steps[m.dice.IntN(len(steps))].Key
	op := m.o.Operation(key)
	switch {
	case op == nil:
		m.allocate(m.stock...)
	case op.Kind == string(shipping.BuyLabel), op.Kind == string(shipping.VoidLabel):
		m.carry(*op)
	case m.o.Settling(*op):
		m.find(*op)
	default:
		m.perform(*op)
	}
}

// perform sends an operation. The answer may be lost, whether the gateway did it or not.
func (m *model) perform(op order.Operation) {
	if m.chance(6) {
		m.unanswered(op.Key)
		return
	}
	answer := m.apply(op)
	if m.chance(6) {
		m.unanswered(op.Key)
		return
	}
	m.answer(op.Key, answer)
}

func (m *model) unanswered(key string) {
	m.do(func(o *order.Order, act order.Act) { o.Unanswered(key, "no answer", act) })
}

// find looks up what nobody sends any more.
func (m *model) find(op order.Operation) {
	if answer, ok := m.done[op.Key]; ok {
		m.answer(op.Key, answer)
		return
	}
	if m.chance(6) {
		m.unanswered(op.Key)
		return
	}
	m.do(func(o *order.Order, act order.Act) { o.NotFound(op.Key, act) })
}

// lateArrival lets a request arrive that was sent before its order ended, and whose sender still waits for it.
func (m *model) lateArrival() {
	for _, op := range m.o.Operations {
		_, done := m.done[op.Key]
		if op.Kind == string(payment.Authorize) && !done && (op.State == payment.Abandoned || m.o.Settling(op)) {
			m.answer(op.Key, m.apply(op))
			return
		}
	}
}

// repeatAnswer delivers an answer again, or one that was lost.
func (m *model) repeatAnswer() {
	for _, op := range m.o.Operations {
		if answer, ok := m.done[op.Key]; ok && m.chance(3) {
			m.answer(op.Key, answer)
			return
		}
		if answer, ok := m.labels[op.Key]; ok && m.chance(3) {
			m.carrierAnswer(op.Key, answer)
			return
		}
	}
}

// apply is the gateway doing an operation once, however often it is asked.
func (m *model) apply(op order.Operation) payment.Answer {
	if answer, ok := m.done[op.Key]; ok {
		return answer
	}
	answer := m.decide(op)
	m.done[op.Key] = answer
	return answer
}

func (m *model) decide(op order.Operation) payment.Answer {
	no := payment.Answer{Outcome: payment.Refused, Reference: "no/" + op.Key, Code: "refused"}
	if m.chance(6) {
		return no
	}
	yes := payment.Answer{Outcome: payment.Succeeded, Reference: "ref/" + op.Key, Amount: op.Amount, Currency: m.o.Currency}
	if op.Amount > 1 && m.chance(25) {
		m.odd = true
		yes.Amount--
	}
	h := m.books[op.PaymentID]
	switch payment.Kind(op.Kind) {
	case payment.Authorize:
		if m.chance(8) {
			return payment.Answer{Outcome: payment.ActionRequired, Reference: "no/" + op.Key, NextURL: "https://bank.example"}
		}
		h = &hold{authorized: yes.Amount}
		if yes.Captured = m.elsewhere; yes.Captured {
			h.captured = yes.Amount
		} else if !m.chance(8) {
			h.until = m.now.Add(one(m, time.Hour, 7*24*time.Hour))
			yes.CaptureBefore = h.until
		}
		m.books[op.PaymentID] = h
	case payment.Capture:
		if h.voided > 0 || h.lapsed(m.now) || op.Amount > h.rest() {
			return no
		}
		h.captured += yes.Amount
	case payment.Void: // of the whole rest
		if h.rest() == 0 || h.lapsed(m.now) {
			return no
		}
		yes.Amount = h.rest()
		h.voided += yes.Amount
	case payment.Refund:
		yes.Amount = op.Amount
		require.LessOrEqual(m.t, op.Amount, h.captured-h.refunded, "more asked back than was taken")
		h.refunded += yes.Amount
	}
	return yes
}

// carry is perform for the carrier.
func (m *model) carry(op order.Operation) {
	answer, done := m.labels[op.Key]
	if !done && m.chance(6) {
		m.unanswered(op.Key)
		return
	}
	if !done {
		answer = shipping.Answer{Outcome: shipping.Succeeded, Reference: "ref/" + op.Key, Carrier: "Sandbox Parcel", TrackingNumber: "SBX1"}
		if m.chance(5) {
			answer = shipping.Answer{Outcome: shipping.Refused, Reference: "no/" + op.Key, Code: "refused"}
		}
		m.labels[op.Key] = answer
	}
	if m.chance(6) {
		m.unanswered(op.Key)
		return
	}
	m.carrierAnswer(op.Key, answer)
}

// some chooses a fulfillment order, or none.
func (m *model) some() (order.Fulfillment, bool) {
	if len(m.o.Fulfillments) == 0 {
		return order.Fulfillment{}, false
	}
	return m.o.Fulfillments[m.dice.IntN(len(m.o.Fulfillments))], true
}

func (m *model) pickSome() {
	f, ok := m.some()
	if !ok {
		return
	}
	units := everything(f)
	if len(units) > 1 && m.chance(2) {
		units = units[:1]
	}
	if len(units) > 0 && m.chance(10) {
		units[0].Quantity += one[int64](m, -2, -1, 1, 2)
	}
	_ = m.try(func(o *order.Order, act order.Act) error { return o.Pick(f.ID, units, act) })
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
	_ = m.try(func(o *order.Order, act order.Act) error { return o.Pack(f.ID, boxes, act) })
}

func (m *model) shipSome() {
	if f, ok := m.some(); ok {
		_ = m.try(func(o *order.Order, act order.Act) error { return o.Ship(f.ID, act) })
	}
}

func (m *model) scanSome() {
	if len(m.o.Shipments) == 0 {
		return
	}
	s := m.o.Shipments[m.dice.IntN(len(m.o.Shipments))]
	scan := shipping.Scan{Status: one(m, shipping.Statuses()...),
		OccurredAt: m.now.Add(time.Duration(m.dice.IntN(55)-50) * time.Hour)}
	_ = m.try(func(o *order.Order, act order.Act) error { return o.Scanned(s.ID, scan, act) })
}

// heal lets everybody do as he is asked from now on. Then every order comes to an end. Only one of which a gateway
// took another amount than it was asked for may stay with a parcel that nobody can ship: it can be cancelled, unless
// another of its parcels left.
func (m *model) heal() {
	m.healing = true
	for range 100 {
		if m.o.Settled {
			break
		}
		m.settleAll()
		m.remedy()
	}
	if !m.o.Settled {
		require.True(m.t, m.odd, "stuck: %s waits for %q, attention %q, steps %v", m.o.Status, m.o.WaitingFor, m.o.AttentionCode, m.o.Steps())
		m.allowed(m.cancel(), "already_shipped")
		m.settleAll()
	}
	m.reconcile()
}

// settleAll performs what is due until nothing is.
func (m *model) settleAll() {
	for range 20 {
		steps := m.o.Steps()
		if len(steps) == 0 {
			return
		}
		for _, s := range steps {
			op := m.o.Operation(s.Key)
			switch {
			case op == nil:
				m.allocate(m.stock...)
			case !op.State.Open():
			case op.Kind == string(shipping.BuyLabel), op.Kind == string(shipping.VoidLabel):
				m.carry(*op)
			case m.o.Settling(*op):
				m.pass(m.policy.AbandonAfter)
				m.find(*op)
			default:
				m.perform(*op)
			}
		}
	}
	require.FailNow(m.t, "steps without end", "%v", m.o.Steps())
}

// remedy is what people do about an order that does not move by itself.
func (m *model) remedy() {
	if m.o.Settled {
		return
	}
	m.pass(time.Second).look()
	if m.o.AttentionCode != "" {
		m.allowed(m.resume())
	}
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
	for i, s := range m.o.Shipments {
		if s.HandedOverAt != nil && s.Status != order.ShipmentDelivered {
			m.scan(i, shipping.Delivered, m.now.Sub(morning))
		}
	}
}

// work picks, packs, labels and ships what is left of a fulfillment order.
func (m *model) work(id string) {
	f := m.o.Fulfillment(id)
	if f.Status == order.FulfillmentClosed || f.Status == order.FulfillmentCancelled || m.o.Blocked(order.BlockShip) {
		return
	}
	if units := everything(*f); len(units) > 0 {
		m.allowed(m.try(func(o *order.Order, act order.Act) error { return o.Pick(id, units, act) }))
	}
	var box order.Parcel
	for _, l := range m.o.Fulfillment(id).Lines {
		if left := l.Picked - l.Packed; left > 0 {
			box.Lines = append(box.Lines, order.UnitsOf{LineID: l.LineID, Quantity: left})
		}
	}
	if len(box.Lines) > 0 {
		m.allowed(m.try(func(o *order.Order, act order.Act) error { return o.Pack(id, []order.Parcel{box}, act) }))
	}
	m.settleAll()
	m.allowed(m.try(func(o *order.Order, act order.Act) error { return o.Ship(id, act) }), "nothing_to_ship", "not_authorized", "gateway_mismatch")
	m.settleAll()
}

// allowed asserts that a command was done, or refused by one of these codes.
func (m *model) allowed(err error, codes ...string) {
	if err != nil {
		require.Contains(m.t, codes, fault.As(err).Code, err.Error())
	}
}

// reconcile compares our books with the gateway's.
func (m *model) reconcile() {
	for _, p := range m.o.Payments {
		h := m.books[p.ID]
		if h == nil {
			require.Zero(m.t, p.Balances, "money that the gateway never had")
			continue
		}
		require.Equal(m.t, []int64{h.authorized, h.captured, h.voided, h.refunded}, []int64{p.Authorized, p.Captured, p.Voided, p.Refunded})
		if m.o.Settled && m.o.AttentionCode == "" && !h.lapsed(m.now) {
			require.Zero(m.t, h.rest(), "the gateway still holds money of a settled order")
		}
	}
}
