package order_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

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
	if op.Amount > 1 && !m.lenient && m.chance(10) {
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
