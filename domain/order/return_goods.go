package order

import (
	"fmt"
	"slices"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/returns"
)

// skuMax is the longest SKU that can be ordered.
const skuMax = 64

// ReceivedItems is what was found in a parcel that came back. LocationID is where; empty: where it was sent from.
type ReceivedItems struct {
	LocationID string     `json:"location_id"`
	Lines      []UnitsOf  `json:"lines"`
	Unexpected []SKUUnits `json:"unexpected"`
}

// SKUUnits is some units of a SKU.
type SKUUnits struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// InspectedUnits is some units of an order line, and what was found of them.
type InspectedUnits struct {
	LineID   string        `json:"line_id"`
	Quantity int64         `json:"quantity"`
	Grade    returns.Grade `json:"grade"`
	NoRefund bool          `json:"no_refund"` // the stock is decided, and nothing is given back
}

// ReceiveReturn notes what came, in as many parcels as it takes: announced units, and what nobody announced, which
// is kept apart and calls for a person. The goods are on hand and, until they are inspected, not for sale. What turns
// up late opens a return again that expired, was called off or closed.
func (o *Order) ReceiveReturn(returnID string, items ReceivedItems, act Act) error {
	r, err := o.returnOf(returnID)
	if err != nil {
		return err
	}
	if err := items.validate(); err != nil {
		return err
	}
	if !returns.Receive.Allows(r.Status) {
		return returns.Receive.Take(&r.Status, "return")
	}
	if err := o.arrivals(r, items); err != nil {
		return err
	}
	if r.Status.Final() && len(items.Lines) > 0 {
		o.noteReturn(act, r, EventReturnReopened, "it was "+string(r.Status), EventData{})
		if !r.counts() {
			for _, l := range r.Lines {
				o.turnedUp(act, o.Shipment(l.ShipmentID))
				o.line(l.LineID).ReturnRequested += l.Quantity
			}
		}
		if r.ClosedAt = nil; r.ExpiresAt == nil {
			expires := o.policy().Expires(act.At) // it was called off before anybody said until when
			r.ExpiresAt = &expires
		}
	}
	if !r.Status.Final() || len(items.Lines) > 0 {
		_ = returns.Receive.Take(&r.Status, "return")
	}
	received, _ := sum(items.Lines)
	var arrived int64
	for _, u := range received {
		o.arrive(r, items.LocationID, u)
		arrived += u.Quantity
	}
	for _, u := range items.Unexpected {
		o.unexpected(act, r, items.LocationID, u)
	}
	o.noteReturn(act, r, EventReturnReceived, count(arrived, "unit"), EventData{Units: arrived})
	if arrived > 0 {
		o.clearFor(act, r.ID, AttentionParcelLost)
	}
	if s := o.Shipment(r.Lines[0].ShipmentID); r.Origin == OriginCarrier && s.trouble().code == AttentionParcelReturning {
		standing, here := cause{o.AttentionCode, o.AttentionDetail}, s.trouble()
		if s.Acknowledged = true; standing == here {
			o.clear(act)
			o.recall(act, standing.code)
		}
	}
	o.endInspection(act, r)
	return nil
}

func (items ReceivedItems) validate() error {
	var wrong fault.Fields
	if len(items.Lines)+len(items.Unexpected) == 0 {
		wrong.Add("/lines", "too_few", "something came: name announced lines, or unexpected goods")
	} else if len(items.Lines) > 0 {
		countable(&wrong, "/lines", items.Lines)
	}
	for i, u := range items.Unexpected {
		if u.SKU == "" {
			wrong.Add(pointer("unexpected", i, "sku"), "required", "what came has a SKU")
		}
		if u.Quantity < 1 || u.Quantity > quantityMax {
			wrong.Add(pointer("unexpected", i, "quantity"), "out_of_range", "a quantity is from 1 to %d", quantityMax)
		}
	}
	return wrong.Err()
}

// arrivals checks what came against what may.
func (o *Order) arrivals(r *Return, items ReceivedItems) error {
	var wrong fault.Fields
	whole, at := sum(items.Lines)
	for n, u := range whole {
		var free int64
		known := false
		for _, l := range r.Lines {
			if l.LineID != u.LineID {
				continue
			}
			known = true
			free += l.Quantity - l.Received
			if items.LocationID != "" && l.Received > 0 && l.LocationID != items.LocationID {
				return fault.Conflictf("received_elsewhere", "units of line %s were received at %s: receive the rest there too", l.LineID, l.LocationID)
			}
		}
		switch {
		case !known:
			wrong.Add(pointer("lines", at[n], "line_id"), "unknown_line", "the return has no such line: list what nobody announced as unexpected")
		case u.Quantity > free:
			return fault.Conflictf("too_many", "line %s: %d came where %d are left to come: list the rest as unexpected", u.LineID, u.Quantity, free)
		}
	}
	if err := wrong.Err(); err != nil || r.counts() {
		return err
	}
	for _, l := range r.Lines {
		if units(common([]span{{l.FirstUnit, l.Quantity}}, o.returning(l.LineID))) > 0 {
			return fault.Conflictf("return_superseded", "the units of line %s were announced again, in another return: receive them there", l.LineID)
		}
	}
	return nil
}

// arrive counts units for the first rows of the line that expect some; then for what was given up.
func (o *Order) arrive(r *Return, locationID string, u UnitsOf) {
	line, left := o.line(u.LineID), u.Quantity
	line.Returned += u.Quantity
	for _, late := range []bool{false, true} {
		for i := range r.Lines {
			l := &r.Lines[i]
			if l.LineID != u.LineID || left == 0 {
				continue
			}
			n := min(left, l.Outstanding())
			if late {
				n = min(left, l.Dismissed)
				l.Dismissed -= n
				line.Dismissed -= n
			}
			if n == 0 {
				continue
			}
			if locationID != "" {
				l.LocationID = locationID
			}
			l.Received += n
			left -= n
			o.move(inventory.Movement{SKU: l.SKU, LocationID: l.LocationID, Kind: inventory.ReturnReceipt, Quantity: n,
				OnHand: n, Unavailable: n, LineID: l.LineID, ReturnID: r.ID, Reference: r.ID})
		}
	}
}

func (o *Order) unexpected(act Act, r *Return, locationID string, u SKUUnits) {
	if locationID == "" {
		locationID = r.Lines[0].LocationID
	}
	r.Unexpected = append(r.Unexpected, UnexpectedItem{Number: len(r.Unexpected) + 1, SKU: u.SKU, Quantity: u.Quantity,
		LocationID: locationID, At: act.At})
	o.move(inventory.Movement{SKU: u.SKU, LocationID: locationID, Kind: inventory.ReturnReceipt, Quantity: u.Quantity,
		OnHand: u.Quantity, Unavailable: u.Quantity, ReturnID: r.ID, Reference: r.ID, Reason: "unexpected"})
	o.callFor(act, r.ID, cause{AttentionReturnUnexpected, fmt.Sprintf("%s of %s came that nobody announced: decide what becomes of them", count(u.Quantity, "unit"), u.SKU)})
}

// InspectReturn grades units that came, or gives up units that did not (grade X). The grade decides what becomes of
// the goods and, apart from that, what is given back; a refund is for exactly the units that are named.
func (o *Order) InspectReturn(returnID string, found []InspectedUnits, act Act) error {
	r, err := o.returnOf(returnID)
	if err != nil {
		return err
	}
	if r.Status != returns.Received {
		return returns.Inspect.Take(&r.Status, "return")
	}
	if err := r.inspectable(found); err != nil {
		return err
	}
	var claims []claim
	var graded int64
	for _, u := range found {
		claims = append(claims, o.inspect(act, r, u)...)
		graded += u.Quantity
	}
	o.noteReturn(act, r, EventReturnInspected, count(graded, "unit"), EventData{Units: graded})
	var total int64
	for _, c := range claims {
		total += c.amount
	}
	fee := min(r.LabelFee-r.FeeCharged, total)
	r.FeeCharged += fee
	o.repayAtMost(act, Refund{Cause: CreditReturned, ReturnID: r.ID, ShipmentID: r.Lines[0].ShipmentID}, claims, total-fee)
	o.endInspection(act, r)
	return nil
}

func (r *Return) inspectable(found []InspectedUnits) error {
	var wrong fault.Fields
	asked := make([]UnitsOf, len(found))
	for i, u := range found {
		asked[i] = UnitsOf{LineID: u.LineID, Quantity: u.Quantity}
		if !slices.Contains(returns.Grades(), u.Grade) {
			wrong.Add(pointer("lines", i, "grade"), "unknown_value", "A, B, C, D, or X for what is missing")
		}
	}
	countable(&wrong, "/lines", asked)
	if err := wrong.Err(); err != nil {
		return err
	}
	here, expected := map[string]int64{}, map[string]int64{}
	known := map[string]bool{}
	for _, l := range r.Lines {
		here[l.LineID] += l.Received - l.Inspected
		expected[l.LineID] += l.Outstanding()
		known[l.LineID] = true
	}
	for i, u := range found {
		left := here
		if u.Grade == returns.GradeX {
			left = expected
		}
		if !known[u.LineID] {
			wrong.Add(pointer("lines", i, "line_id"), "unknown_line", "the return has no such line")
			continue
		}
		if u.Quantity > left[u.LineID] {
			return notHere(u, left[u.LineID])
		}
		left[u.LineID] -= u.Quantity
	}
	return wrong.Err()
}

func notHere(u InspectedUnits, left int64) error {
	if u.Grade == returns.GradeX {
		return fault.Conflictf("too_many", "line %s: %d said to be missing where %d have not come", u.LineID, u.Quantity, left)
	}
	return fault.Conflictf("not_received", "line %s: %d to grade where %d are here and not graded: receive them first", u.LineID, u.Quantity, left)
}

func (o *Order) inspect(act Act, r *Return, u InspectedUnits) []claim {
	var claims []claim
	left := u.Quantity
	for i := range r.Lines {
		l := &r.Lines[i]
		if l.LineID != u.LineID || left == 0 {
			continue
		}
		if u.Grade == returns.GradeX {
			n := min(left, l.Outstanding())
			left -= n
			claims = append(claims, o.dismiss(act, r, l, n)...)
			continue
		}
		if n := min(left, l.Received-l.Inspected); n > 0 {
			left -= n
			claims = append(claims, o.grade(act, r, l, n, u)...)
		}
	}
	return claims
}

// dismiss no longer expects units. What of a parcel that could not be delivered does not come back either is credited:
// the customer never had it.
func (o *Order) dismiss(act Act, r *Return, l *ReturnLine, n int64) []claim {
	last := l.FirstUnit + l.Quantity - l.Dismissed
	l.Dismissed += n
	o.line(l.LineID).Dismissed += n
	if r.Origin != OriginCarrier || n == 0 {
		return nil
	}
	return o.credit(act, Credit{Cause: CreditLost, LineID: l.LineID, ShipmentID: l.ShipmentID, ReturnID: r.ID,
		Reason: "neither delivered nor brought back"}, []span{{last - n, n}}, 100)
}

// grade decides the stock, and then the money, of n units of a row.
func (o *Order) grade(act Act, r *Return, l *ReturnLine, n int64, u InspectedUnits) []claim {
	rule, spans := o.policy().Grades[u.Grade], []span{{l.FirstUnit + l.Inspected, n}}
	if len(l.SKU)+len(rule.SKUSuffix) > skuMax {
		rule.Stock = returns.StockQualityControl // no SKU of that length could ever be ordered
	}
	l.Inspected += n
	found := Inspection{LineID: l.LineID, SKU: l.SKU, FirstUnit: spans[0].first, Quantity: n, Grade: u.Grade, Stock: rule.Stock,
		LocationID: l.LocationID, At: act.At}
	o.dispose(r, *l, n, rule)
	var claims []claim
	if !u.NoRefund {
		found.Percent = o.policy().Percent(u.Grade, l.Reason)
		found.Amount = o.creditable(o.line(l.LineID), spans, found.Percent)
		claims = o.credit(act, Credit{Cause: CreditReturned, LineID: l.LineID, ShipmentID: l.ShipmentID, ReturnID: r.ID,
			Reason: "grade " + string(u.Grade)}, spans, found.Percent)
	}
	r.Inspections = append(r.Inspections, found)
	return claims
}

// dispose moves graded goods to where the grade says.
func (o *Order) dispose(r *Return, l ReturnLine, n int64, rule returns.Rule) {
	m := inventory.Movement{SKU: l.SKU, LocationID: l.LocationID, Kind: inventory.Disposition, Quantity: n, LineID: l.LineID,
		ReturnID: r.ID, Reference: r.ID, Reason: string(rule.Stock)}
	switch rule.Stock {
	case returns.StockAvailable:
		m.Unavailable = -n
	case returns.StockDamaged:
		m.Damaged = n
	case returns.StockOpenBox:
		in := m
		m.Kind, m.OnHand, m.Unavailable = inventory.TransferOut, -n, -n
		in.Kind, in.OnHand, in.SKU = inventory.TransferIn, n, l.SKU+rule.SKUSuffix
		o.move(in)
	}
	o.move(m)
}

func (r *Return) uninspected() int64 {
	var sum int64
	for _, l := range r.Lines {
		sum += l.Received - l.Inspected
	}
	return sum
}

// endInspection goes on once everything that came is graded and nothing else is expected.
func (o *Order) endInspection(act Act, r *Return) {
	if r.Status != returns.Received || r.uninspected() > 0 || r.outstanding() > 0 {
		return
	}
	_ = returns.Inspect.Take(&r.Status, "return")
	o.closeReturn(act, r)
}
