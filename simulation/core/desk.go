package core

import (
	"time"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
)

// desk is whoever decides about returns, unpacks them and grades what came.
func (l *life) desk(o *order.Order) {
	for _, r := range o.Returns {
		switch {
		case r.Status == returns.Requested:
			l.soon("decide "+r.ID, l.between(time.Hour, 3*day, "decide"), func() { l.decide(r.ID) })
		case r.Status == returns.InTransit && r.Origin == order.OriginCarrier && l.counts[drawn{"comes", r.ID}] == 0:
			l.count(drawn{"comes", r.ID})
			if !l.fault(150, r.ID, "never_came") {
				l.w.in(l.between(day, 20*day, "comes back"), func() { l.receive(r.ID) })
			}
		case r.Status == returns.Received && ungraded(r) > 0:
			l.soon("grade "+r.ID, l.between(time.Hour, 2*day, "grade"), func() { l.grade(r.ID) })
		}
		if r.Status == returns.Approved && l.counts[drawn{"after thought", r.ID}] == 0 {
			l.count(drawn{"after thought", r.ID})
			l.afterthoughts(r.ID)
		}
	}
}

// afterthoughts are what may become of a return that was approved, beside that it comes.
func (l *life) afterthoughts(returnID string) {
	if l.fault(70, returnID, "called_off") {
		l.w.in(l.between(time.Minute, 6*day, "called off"), func() {
			_ = l.command("api:customer", "cancel return "+returnID, l.runOf(returnID), func(o *order.Order, act order.Act) error {
				return o.CancelReturn(returnID, "kept", act)
			})
		})
	}
	if l.fault(60, returnID, "waived") {
		l.w.in(l.between(time.Minute, 20*day, "waived"), func() { l.approve(returnID, true) })
	}
	if l.fault(70, returnID, "came_late") {
		l.w.in(l.between(40*day, 60*day, "came late"), func() { l.receive(returnID) })
	}
}

func ungraded(r order.Return) int64 {
	var sum int64
	for _, line := range r.Lines {
		sum += line.Received - line.Inspected
	}
	return sum
}

func (l *life) decide(returnID string) {
	if l.fault(90, returnID, "declined") {
		_ = l.command("api:desk", "decline "+returnID, l.runOf(returnID), func(o *order.Order, act order.Act) error {
			return o.DeclineReturn(returnID, "worn", act)
		})
		return
	}
	l.approve(returnID, l.fault(80, returnID, "returnless"))
}

func (l *life) approve(returnID string, returnless bool) {
	_ = l.command("api:desk", "approve "+returnID, l.runOf(returnID), func(o *order.Order, act order.Act) error {
		return o.ApproveReturn(returnID, returnless, act)
	})
}

// receive unpacks what came of a return: all of it, or some, and perhaps what nobody announced.
func (l *life) receive(returnID string) {
	var items order.ReceivedItems
	some := l.fault(150, returnID, "some_came")
	last := ""
	for _, line := range l.order().Return(returnID).Lines {
		n := line.Quantity - line.Received - line.Dismissed
		if some && n > 0 {
			n = int64(l.below(int(n)+1, "came"))
		}
		switch {
		case n <= 0:
		case line.LineID == last:
			items.Lines[len(items.Lines)-1].Quantity += n
		default:
			items.Lines = append(items.Lines, order.UnitsOf{LineID: line.LineID, Quantity: n})
			last = line.LineID
		}
	}
	if l.fault(60, returnID, "unexpected_items") {
		items.Unexpected = []order.SKUUnits{{SKU: oneOf(l, "unexpected", "SOCK", "MUG"), Quantity: 1}}
	}
	if l.fault(80, returnID, "received_elsewhere") {
		items.LocationID = oneOf(l, "elsewhere", "east", "south", "west")
	}
	if len(items.Lines)+len(items.Unexpected) == 0 {
		return
	}
	_ = l.command("api:desk", "receive "+returnID, l.runOf(returnID), func(o *order.Order, act order.Act) error {
		return o.ReceiveReturn(returnID, items, act)
	})
	if some && !l.fault(400, returnID, "rest_never_came") {
		l.w.in(l.between(day, 9*day, "rest comes"), func() { l.receive(returnID) })
	}
}

// grade says what was found of what is here, and at times gives up what is not.
func (l *life) grade(returnID string) {
	var found []order.InspectedUnits
	missing := l.fault(150, returnID, "missing")
	for _, line := range l.order().Return(returnID).Lines {
		if n := line.Received - line.Inspected; n > 0 {
			found = append(found, order.InspectedUnits{LineID: line.LineID, Quantity: 1 + int64(l.below(int(n), "graded")),
				Grade:    oneOf(l, "grade", returns.GradeA, returns.GradeA, returns.GradeB, returns.GradeC, returns.GradeD),
				NoRefund: l.fault(80, returnID, "no_refund")})
		}
		if n := line.Quantity - line.Received - line.Dismissed; n > 0 && missing {
			found = append(found, order.InspectedUnits{LineID: line.LineID, Quantity: n, Grade: returns.GradeX})
		}
	}
	if len(found) == 0 {
		return
	}
	_ = l.command("api:desk", "inspect "+returnID, l.runOf(returnID), func(o *order.Order, act order.Act) error {
		return o.InspectReturn(returnID, found, act)
	})
}
