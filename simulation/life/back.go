package life

import (
	"go.temporal.io/sdk/workflow"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/workflows"
)

// returnDeeds is what everybody may do about a return.
func (l *life) returnDeeds(o *order.Order, r *order.Return) []deed {
	deeds := l.returnCalls(o, r)
	switch r.Status {
	case returns.Requested:
		return append(deeds, l.decide(r))
	case returns.Approved, returns.InTransit:
		return append(deeds, l.sendBack(o, r)...)
	case returns.Received:
		return append(deeds, l.inspect(r)...)
	}
	if l.turnsUpLate(r) {
		return append(deeds, l.receive(o, r, true))
	}
	return deeds
}

// turnsUpLate reports whether goods are on their way that nobody expects any more.
func (l *life) turnsUpLate(r *order.Return) bool {
	over := r.Status == returns.Expired || r.Status == returns.Cancelled || r.Status == returns.Closed
	return over && l.attempts["late "+r.ID] == 0 && l.seed.Chance(80, "turns up late", r.ID)
}

func (l *life) command(who, what string, r *order.Return, name string, build func(activities.Caller) any) deed {
	return deed{who, what + " " + r.ID, func(ctx workflow.Context) error {
		return l.send(ctx, who, command{name: name, returnID: r.ID, build: build})
	}}
}

func (l *life) resumeReturn(r *order.Return) deed {
	return l.command("operator", "resume", r, workflows.UpdateResume, func(c activities.Caller) any { return activities.ResumeCommand{Caller: c} })
}

func (l *life) approve(r *order.Return, returnless bool) deed {
	return l.command("operator", "approve", r, workflows.UpdateApprove, func(c activities.Caller) any {
		return activities.ReturnApproval{Caller: c, Returnless: returnless}
	})
}

// returnCalls answer a return's call for a person.
func (l *life) returnCalls(o *order.Order, r *order.Return) []deed {
	switch r.AttentionCode {
	case "":
		return nil
	case order.AttentionStepFailed, order.AttentionGatewayContradict:
		l.violated("L1-attention", r.ID, r.AttentionCode+": "+r.AttentionDetail)
	case order.AttentionRefundRefused:
		return []deed{l.settle(o, r.ID), l.resumeReturn(r)}
	case order.AttentionParcelLost:
		if r.Status == returns.InTransit || r.Status == returns.Approved {
			return []deed{l.approve(r, true)}
		}
	case order.AttentionGatewayUnknown:
		return nil
	case order.AttentionLabelRefused:
		if l.seed.Chance(600, "the customer sends it himself", r.ID, l.step) {
			return nil
		}
	}
	return []deed{l.resumeReturn(r)}
}

// decide is the answer to a return.
func (l *life) decide(r *order.Return) deed {
	switch n := l.seed.Below(100, "decides", r.ID); {
	case n < 8:
		return l.command("operator", "decline", r, workflows.UpdateDecline, func(c activities.Caller) any {
			return activities.ReturnRefusal{Caller: c, Reason: "worn"}
		})
	case n < 16:
		return l.approve(r, true)
	case n < 22:
		return l.callOff(r)
	}
	return l.approve(r, false)
}

func (l *life) callOff(r *order.Return) deed {
	return l.command("customer", "call off", r, workflows.UpdateCancel, func(c activities.Caller) any {
		return activities.ReturnCancellation{Caller: c, Reason: "kept after all"}
	})
}

// sendBack is what may happen to a parcel that is to come back, or that nobody sends.
func (l *life) sendBack(o *order.Order, r *order.Return) []deed {
	switch n := l.seed.Below(100, "sends", r.ID); {
	case r.Returnless, n < 15:
		return nil // nobody ever sends it: it expires
	case n < 20 && r.Origin == order.OriginCustomer:
		return []deed{l.callOff(r)}
	case n < 30 && r.TrackingStatus != shipping.Lost:
		return []deed{l.scanBack(r, shipping.Lost)}
	case n < 60 && r.Status == returns.Approved:
		return []deed{l.scanBack(r, shipping.InTransit)}
	}
	return []deed{l.receive(o, r, false)}
}

// scanBack writes down what the carrier says of the parcel.
func (l *life) scanBack(r *order.Return, status shipping.Tracking) deed {
	return deed{"carrier", "scan " + string(status) + " of " + r.ID, func(workflow.Context) error {
		act := l.act("carrier", scopeOf(l.orderID))
		_, err := l.change("return_tracking", act, func(o *order.Order) error {
			return o.ReturnScanned(r.ID, shipping.Scan{Status: status, OccurredAt: act.At}, act)
		})
		return err
	}}
}

// outstanding is what of each line is still to come; late, also what was given up.
func outstanding(r *order.Return, late bool) []order.UnitsOf {
	var units []order.UnitsOf
	at := map[string]int{}
	for _, line := range r.Lines {
		left := line.Outstanding()
		if late {
			left += line.Dismissed
		}
		i, known := at[line.LineID]
		if !known {
			i = len(units)
			at[line.LineID] = i
			units = append(units, order.UnitsOf{LineID: line.LineID})
		}
		units[i].Quantity += left
	}
	var some []order.UnitsOf
	for _, u := range units {
		if u.Quantity > 0 {
			some = append(some, u)
		}
	}
	return some
}

// receive has goods arrive at the returns desk: all of them, some of them, and perhaps others.
func (l *life) receive(o *order.Order, r *order.Return, late bool) deed {
	items := order.ReceivedItems{Lines: outstanding(r, late)}
	if l.seed.Chance(200, "not everything came", r.ID, r.Status) && len(items.Lines) > 0 {
		items.Lines = items.Lines[:1]
		items.Lines[0].Quantity = 1
	}
	if l.seed.Chance(100, "unexpected", r.ID, r.Status) || len(items.Lines) == 0 {
		items.Unexpected = []order.SKUUnits{{SKU: skus[l.seed.Below(len(skus), "unexpected sku", r.ID)], Quantity: 1}}
	}
	if l.seed.Chance(200, "elsewhere", r.ID) && !late && r.Status != returns.Received {
		items.LocationID = "nyc"
	}
	d := l.command("returns desk", "receive", r, workflows.UpdateReceive, func(c activities.Caller) any {
		return activities.ReturnReceipt{Caller: c, ReceivedItems: items}
	})
	return deed{d.who, d.what, func(ctx workflow.Context) error {
		if late {
			l.attempts["late "+r.ID]++
		}
		return d.do(ctx)
	}}
}

// inspect grades what is here. What never came is given up, or waited for.
func (l *life) inspect(r *order.Return) []deed {
	var found []order.InspectedUnits
	for i, line := range r.Lines {
		if here := line.Received - line.Inspected; here > 0 {
			found = append(found, order.InspectedUnits{LineID: line.LineID, Quantity: here,
				Grade: returns.Grades()[l.seed.Below(4, "grade", r.ID, i)], NoRefund: l.seed.Chance(50, "no refund", r.ID, i)})
		}
	}
	if len(found) == 0 {
		missing := outstanding(r, false)
		if len(missing) == 0 || l.seed.Chance(300, "waits for the rest", r.ID) {
			return nil
		}
		if l.seed.Chance(400, "the rest comes", r.ID) {
			return []deed{l.receive(nil, r, false)}
		}
		for _, u := range missing {
			found = append(found, order.InspectedUnits{LineID: u.LineID, Quantity: u.Quantity, Grade: returns.GradeX})
		}
	}
	return []deed{l.command("returns desk", "inspect", r, workflows.UpdateInspect, func(c activities.Caller) any {
		return activities.ReturnInspection{Caller: c, Lines: found}
	})}
}
