package order

import (
	"slices"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// returnLabelAnswered writes a carrier's answer about the label for the way back.
func (o *Order) returnLabelAnswered(op *Operation, r *Return, a shipping.Answer, act Act) {
	done := a.Outcome == shipping.Succeeded
	switch {
	case op.Kind == string(shipping.VoidLabel) && done:
		o.noteReturn(act, r, EventReturnLabelVoided, "", EventData{})
	case op.Kind == string(shipping.VoidLabel):
		o.callFor(act, r.ID, cause{AttentionLabelVoidRefused, "the label for the way back cannot be voided: " + a.Code})
	case done:
		r.Carrier, r.TrackingNumber, r.LabelReference, r.LabelCode = a.Carrier, a.TrackingNumber, a.Reference, ""
		o.noteReturn(act, r, EventReturnLabeled, a.Carrier+" "+a.TrackingNumber,
			EventData{Carrier: a.Carrier, TrackingNumber: a.TrackingNumber})
		o.clearFor(act, r.ID, AttentionLabelRefused)
		if !r.counts() || r.Returnless {
			o.voidReturnLabel(act, r)
		}
	default:
		r.LabelCode = a.Code
		o.noteReturn(act, r, EventReturnLabelRefused, a.Code, EventData{Code: a.Code})
		if r.Status != returns.Approved && r.Status != returns.InTransit {
			return // nobody needs it any more
		}
		o.callFor(act, r.ID, cause{AttentionLabelRefused, "no label for the way back: " + a.Code + "; the customer may send it himself, or resume the return when the cause is mended"})
	}
}

// expectBack opens the return of a parcel that could not be delivered.
func (o *Order) expectBack(act Act, s *Shipment) {
	at, expires := act.At, o.policy().Expires(act.At)
	r := Return{ID: act.NewID(id.Return), Number: len(o.Returns) + 1, Status: returns.InTransit, Origin: OriginCarrier,
		ApprovedAt: &at, ExpiresAt: &expires, Carrier: s.Carrier, TrackingNumber: s.TrackingNumber,
		TrackingStatus: shipping.InTransit, TrackingAt: s.TrackingAt, CreatedAt: act.At, UpdatedAt: act.At}
	for _, l := range s.Lines {
		line := o.line(l.LineID)
		for _, free := range without([]span{{l.FirstUnit, l.Quantity}}, o.returning(l.LineID)) {
			r.Lines = append(r.Lines, o.returnLine(*s, line, free, returns.Undeliverable))
			line.ReturnRequested += free.quantity
		}
	}
	if len(r.Lines) == 0 {
		return // they are in a return already, which the carrier's word does not change
	}
	o.Returns = append(o.Returns, r)
	o.noteReturn(act, &r, EventReturnRequested, "parcel could not be delivered", EventData{Units: r.units()})
	o.effects.WakeReturns = append(o.effects.WakeReturns, r.ID)
}

// noLongerExpected calls the return of a parcel off that went elsewhere after all, unless some of it is here.
func (o *Order) noLongerExpected(act Act, s *Shipment) {
	for i := range o.Returns {
		r := &o.Returns[i]
		if r.Origin == OriginCarrier && !r.Returnless && r.Lines[0].ShipmentID == s.ID && returns.Cancel.Allows(r.Status) {
			_ = returns.Cancel.Take(&r.Status, "return")
			o.release(r)
			o.noteReturn(act, r, EventReturnCancelled, "the parcel is not on its way back", EventData{})
			o.effects.WakeReturns = append(o.effects.WakeReturns, r.ID)
		}
	}
}

// ReturnScanned notes a carrier's scan of a parcel that comes back.
func (o *Order) ReturnScanned(returnID string, scan shipping.Scan, act Act) error {
	r, err := o.returnOf(returnID)
	if err != nil {
		return err
	}
	if r.ApprovedAt == nil || r.Returnless {
		return fault.Conflictf("return_"+string(r.Status), "no parcel is expected of the return: it is %s", r.Status)
	}
	last := *r.ApprovedAt
	if r.TrackingAt != nil {
		last = *r.TrackingAt
	}
	if !r.TrackingStatus.Advances(last, scan) {
		return nil
	}
	at := scan.OccurredAt
	r.TrackingStatus, r.TrackingAt = scan.Status, &at
	news := returns.Dispatch.Take(&r.Status, "return") == nil
	o.noteReturn(act, r, EventReturnMoved, string(scan.Status), EventData{TrackingStatus: string(scan.Status)})
	if scan.Status == shipping.Lost {
		news = true
		o.callFor(act, r.ID, cause{AttentionParcelLost, "the carrier lost the parcel on its way back"})
	}
	if news { // where a parcel is on its way changes nothing that the run knows of, and waking it costs
		o.effects.WakeReturns = append(o.effects.WakeReturns, r.ID)
	}
	return nil
}

// ReturnDeadlinePassed does what is due by now: what was refused is tried again, and goods that did not come in
// time are no longer expected.
func (o *Order) ReturnDeadlinePassed(returnID string, act Act) {
	r := o.Return(returnID)
	if r == nil {
		return
	}
	o.retryDue(act, false, func(op *Operation) bool { return op.ReturnID == r.ID })
	if r.ExpiresAt == nil || act.At.Before(*r.ExpiresAt) {
		return
	}
	if returns.Expire.Take(&r.Status, "return") == nil {
		o.release(r)
		o.noteReturn(act, r, EventReturnExpired, "nothing came in time", EventData{})
		o.voidReturnLabel(act, r)
		o.neverCameBack(act, r)
		return
	}
	if r.Status == returns.Received && r.outstanding() > 0 {
		var claims []claim
		for i := range r.Lines {
			claims = append(claims, o.dismiss(act, r, &r.Lines[i], r.Lines[i].Outstanding())...)
		}
		o.repay(act, Refund{Cause: CreditLost, ReturnID: r.ID, ShipmentID: r.Lines[0].ShipmentID}, claims)
		o.noteReturn(act, r, EventReturnInspected, "the rest did not come in time", EventData{})
		o.endInspection(act, r)
	}
}

// neverCameBack gives a parcel up as lost that could not be delivered and did not come back either: the customer has
// neither the goods nor, until now, his money.
func (o *Order) neverCameBack(act Act, r *Return) {
	s := o.Shipment(r.Lines[0].ShipmentID)
	if r.Origin != OriginCarrier || s.Status != ShipmentReturning {
		return
	}
	at := act.At
	s.TrackingStatus, s.TrackingAt, s.Acknowledged = shipping.Lost, &at, false
	o.effects.Scans = append(o.effects.Scans, Scan{ShipmentID: s.ID, Status: shipping.Lost, OccurredAt: at, Moved: true, At: at})
	o.lost(act, s)
	o.heed(act, s)
	o.complete(act)
	o.effects.Wake = true // its refund is the order's
}

// ResumeReturn takes a call for a person back and tries again what was refused.
func (o *Order) ResumeReturn(returnID string, act Act) error {
	r, err := o.returnOf(returnID)
	if err != nil {
		return err
	}
	if r.Settled && r.AttentionCode == "" {
		return fault.Conflictf("return_"+string(r.Status), "the return is %s and nothing is left to be done", r.Status)
	}
	o.takeOn(r.ID)
	o.clearFor(act, r.ID)
	if r.LabelCode != "" && (r.Status == returns.Approved || r.Status == returns.InTransit) {
		r.LabelCode = ""
		o.begin(act, Operation{Kind: string(shipping.BuyLabel), ReturnID: r.ID})
	}
	o.retryDue(act, true, func(op *Operation) bool { return op.ReturnID == r.ID })
	return nil
}

// ReturnStepFailed calls for a person when a step of a return failed in a way that repeating will not mend.
func (o *Order) ReturnStepFailed(returnID, step, detail string, act Act) {
	o.giveUp(act, returnID, step, detail)
}

// closeReturn ends a return whose goods are graded, or need not come, once everything owed for them was paid back:
// nobody is told of a refund that did not settle.
func (o *Order) closeReturn(act Act, r *Return) {
	if r.Status != returns.Inspected && (r.Status != returns.Approved || !r.Returnless) {
		return
	}
	if slices.ContainsFunc(o.Refunds, func(f Refund) bool { return f.ReturnID == r.ID && f.Status != RefundSucceeded }) {
		return
	}
	at := act.At
	_ = returns.Close.Take(&r.Status, "return")
	r.ClosedAt = &at
	o.noteReturn(act, r, EventReturnClosed, "", EventData{})
}

// refundSettled goes on with what waited for a refund.
func (o *Order) refundSettled(act Act, f *Refund) {
	if r := o.Return(f.ReturnID); r != nil {
		o.closeReturn(act, r)
	}
}

// projectReturn derives what a return waits for, its deadline and whether it is settled.
func (o *Order) projectReturn(r *Return) {
	retry, due := o.retry(r.ID), len(o.operationsDue(r.ID)) > 0
	r.Deadline = o.returnAlarm(r).at
	r.Settled = r.Status.Final() && !due && retry.at == nil
	r.WaitingFor = o.returnWaiting(r, due)
}

// returnAlarm is the next time at which something happens by itself to a return.
func (o *Order) returnAlarm(r *Return) alarm {
	next := o.retry(r.ID)
	if r.Status == returns.Approved || r.Status == returns.InTransit {
		next = next.or(r.ExpiresAt, "the return expires")
	}
	if r.Status == returns.Received && r.outstanding() > 0 {
		next = next.or(r.ExpiresAt, "what has not come back is given up")
	}
	return next
}

func (o *Order) returnWaiting(r *Return, due bool) WaitingFor {
	switch {
	case due:
		return WaitingGateway
	case r.AttentionCode != "" && !r.Settled, r.Status == returns.Requested:
		return WaitingOperator
	case r.Status == returns.Approved:
		return WaitingCustomer
	case r.Status == returns.InTransit:
		return WaitingCarrier
	case r.Status == returns.Received && r.uninspected() == 0:
		return WaitingCustomer // what is here is graded; the rest is expected
	case r.Status == returns.Received:
		return WaitingWarehouse
	case r.Status == returns.Inspected:
		return WaitingGateway
	}
	return WaitingNothing
}

// Estimate is what a return is still to give back when everything comes back as new, and what is taken off.
type Estimate struct {
	Goods         int64 // what the units were sold for that are neither graded nor given up, less what was credited for them
	RestockingFee int64
	LabelFee      int64
	Refund        int64 // Goods less the fees
}

// Estimate tells what a return will give back, before anybody confirms it.
func (o *Order) Estimate(r Return) Estimate {
	var e Estimate
	for _, l := range r.Lines {
		spans := []span{{l.FirstUnit + l.Inspected, l.Quantity - l.Inspected - l.Dismissed}}
		goods := o.creditable(o.line(l.LineID), spans, 100)
		e.Goods += goods
		e.RestockingFee += goods - o.creditable(o.line(l.LineID), spans, o.policy().Percent(returns.GradeA, l.Reason))
	}
	e.LabelFee = min(r.LabelFee-r.FeeCharged, e.Goods-e.RestockingFee)
	e.Refund = e.Goods - e.RestockingFee - e.LabelFee
	return e
}
