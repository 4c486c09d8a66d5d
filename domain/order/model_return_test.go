package order_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// returnPolicy is the default, or one with fees, returnless refunds, no labels …
func (m *model) returnPolicy() returns.Policy {
	p := returns.Default()
	p.AutoApprove, p.Label = m.chance(4), !m.chance(4)
	if m.chance(3) {
		p.LabelFee = map[string]int64{"USD": m.dice.Int64N(900)}
	}
	if m.chance(3) {
		p.RestockingPercent = m.dice.Int64N(101)
	}
	if m.chance(5) {
		p.ReturnlessUpTo = map[string]int64{"USD": m.dice.Int64N(3000)}
	}
	return p
}

// returnSome lets something happen to the order's returns.
func (m *model) returnSome() {
	if len(m.o.Returns) == 0 || m.chance(4) {
		m.requestSome()
		return
	}
	r := m.o.Returns[m.dice.IntN(len(m.o.Returns))]
	switch one(m, "approve", "approve", "decline", "cancel", "receive", "receive", "receive", "inspect", "inspect", "inspect", "scan", "resume") {
	case "approve":
		m.approve(r, m.chance(6))
	case "decline":
		if m.chance(3) {
			m.endInVain(r, returns.Declined, func(o *order.Order, act order.Act) error { return o.DeclineReturn(r.ID, "worn", act) })
		}
	case "cancel":
		if m.chance(3) {
			m.endInVain(r, returns.Cancelled, func(o *order.Order, act order.Act) error { return o.CancelReturn(r.ID, "kept", act) })
		}
	case "receive":
		m.receiveSome(r)
	case "inspect":
		m.inspectSome(r)
	case "scan":
		m.scanReturn(r)
	case "resume":
		_ = m.try(func(o *order.Order, act order.Act) error { return o.ResumeReturn(r.ID, act) })
	}
}

// requestSome announces units of a line or two, perhaps more than were delivered, or in another return already, or
// too late. It is refused exactly when the mirror knows of too few.
func (m *model) requestSome() {
	var asked []order.ReturnedUnits
	for _, l := range m.o.Lines {
		if m.chance(2) && len(asked) < 2 {
			asked = append(asked, order.ReturnedUnits{LineID: l.ID, Quantity: 1 + m.dice.Int64N(l.Quantity), Reason: one(m, returns.Reasons()...)})
		}
	}
	if len(asked) == 0 {
		return
	}
	possible := map[string][]*unit{}
	var presumed []*box
	m.follow(func(k *mirror) {
		presumed = k.presumed(m.now)
		for _, a := range asked {
			possible[a.LineID] = k.returnable(m.now, a.LineID)
		}
	})
	err := m.try(func(o *order.Order, act order.Act) error {
		_, err := o.RequestReturn(order.ReturnRequest{Lines: asked}, act)
		return err
	})
	m.follow(func(k *mirror) {
		possibly := true
		for _, a := range asked {
			sold := false
			for _, l := range m.o.Lines {
				sold = sold || l.ID == a.LineID && l.FinalSale && !k.fault(a.Reason)
			}
			possibly = possibly && !sold && int64(len(possible[a.LineID])) >= a.Quantity
		}
		require.Equal(m.t, possibly, err == nil, "%v", err)
		if err == nil {
			k.requested(m.now, asked, possible, presumed)
		}
	})
}

func (m *model) approve(r order.Return, returnless bool) {
	if m.try(func(o *order.Order, act order.Act) error { return o.ApproveReturn(r.ID, returnless, act) }) == nil {
		m.follow(func(k *mirror) { k.approved(k.back(r.ID), m.now, returnless) })
	}
}

func (m *model) endInVain(r order.Return, as returns.Status, decide func(*order.Order, order.Act) error) {
	if m.try(decide) == nil && r.Status != as {
		m.follow(func(k *mirror) { k.vain(k.back(r.ID), as) })
	}
}

// receiveSome receives some of what may still come, at times too many, and at times what nobody announced.
func (m *model) receiveSome(r order.Return) {
	free := map[string]int64{}
	for _, l := range r.Lines {
		free[l.LineID] += l.Quantity - l.Received
	}
	var items order.ReceivedItems
	for _, l := range m.o.Lines {
		if free[l.ID] > 0 && !m.chance(3) {
			items.Lines = append(items.Lines, order.UnitsOf{LineID: l.ID, Quantity: 1 + m.dice.Int64N(free[l.ID])})
		}
	}
	if len(items.Lines) > 0 && m.chance(10) {
		items.Lines[0].Quantity += 4
	}
	if m.chance(10) {
		items.Unexpected = []order.SKUUnits{{SKU: "SOCK", Quantity: 1}}
	}
	items.LocationID = one(m, "", "", "nyc", "lax")
	m.receive(r, items)
}

func (m *model) receive(r order.Return, items order.ReceivedItems) {
	if m.try(func(o *order.Order, act order.Act) error { return o.ReceiveReturn(r.ID, items, act) }) == nil {
		m.follow(func(k *mirror) { k.came(k.back(r.ID), items.Lines, m.now) })
	}
}

// inspectSome grades some of what is here, and at times gives up what is not.
func (m *model) inspectSome(r order.Return) {
	var found []order.InspectedUnits
	for _, l := range r.Lines {
		if n := l.Received - l.Inspected; n > 0 && !m.chance(4) {
			found = append(found, order.InspectedUnits{LineID: l.LineID, Quantity: 1 + m.dice.Int64N(n),
				Grade: one(m, returns.GradeA, returns.GradeB, returns.GradeC, returns.GradeD), NoRefund: m.chance(6)})
		}
		if n := l.Outstanding(); n > 0 && m.chance(4) {
			found = append(found, order.InspectedUnits{LineID: l.LineID, Quantity: 1 + m.dice.Int64N(n), Grade: returns.GradeX})
		}
	}
	if len(found) > 0 && m.chance(10) {
		found[0].Quantity += 3
	}
	m.inspect(r, found)
}

func (m *model) inspect(r order.Return, found []order.InspectedUnits) {
	if m.try(func(o *order.Order, act order.Act) error { return o.InspectReturn(r.ID, found, act) }) == nil {
		m.follow(func(k *mirror) { k.graded(k.back(r.ID), found) })
	}
}

func (m *model) scanReturn(r order.Return) {
	scan := shipping.Scan{Status: one(m, shipping.Statuses()...), OccurredAt: m.now.Add(time.Duration(m.dice.IntN(20)-10) * time.Hour)}
	err := m.try(func(o *order.Order, act order.Act) error { return o.ReturnScanned(r.ID, scan, act) })
	m.follow(func(k *mirror) {
		last := r.ApprovedAt
		if r.TrackingAt != nil {
			last = r.TrackingAt
		}
		if back := k.back(r.ID); err == nil && r.TrackingStatus.Advances(*last, scan) && back.status == returns.Approved {
			back.status = returns.InTransit
		}
	})
}

// remedyReturns is what people do about returns that do not move by themselves.
func (m *model) remedyReturns() {
	for _, was := range m.o.Returns {
		r := func() order.Return { return *m.o.Return(was.ID) }
		if r().AttentionCode != "" {
			m.allowed(m.try(func(o *order.Order, act order.Act) error { return o.ResumeReturn(was.ID, act) }))
			m.settleAll()
		}
		switch r().Status {
		case returns.Requested:
			m.approve(r(), false)
		case returns.Approved, returns.InTransit:
			if !r().Returnless {
				m.receive(r(), m.allOf(r()))
			}
		case returns.Received:
			m.finishReturn(r())
		}
		m.settleAll()
		if now := r(); !now.Settled && now.Deadline != nil && now.Deadline.After(m.now) && len(m.due()) == 0 && now.Status != returns.Requested {
			m.now = *now.Deadline
			m.look()
		}
	}
}

func (m *model) allOf(r order.Return) order.ReceivedItems {
	var items order.ReceivedItems
	for _, l := range r.Lines {
		if n := l.Outstanding(); n > 0 {
			items.Lines = append(items.Lines, order.UnitsOf{LineID: l.LineID, Quantity: n})
		}
	}
	return items
}

// finishReturn grades what is here, and gives the rest up.
func (m *model) finishReturn(r order.Return) {
	var found []order.InspectedUnits
	for _, l := range r.Lines {
		if n := l.Received - l.Inspected; n > 0 {
			found = append(found, order.InspectedUnits{LineID: l.LineID, Quantity: n, Grade: returns.GradeA})
		}
		if n := l.Outstanding(); n > 0 {
			found = append(found, order.InspectedUnits{LineID: l.LineID, Quantity: n, Grade: returns.GradeX})
		}
	}
	m.inspect(r, found)
}
