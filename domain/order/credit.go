package order

import (
	"slices"

	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/returns"
)

// Why units, or the shipping, are credited.
const (
	CreditCancelled = "cancelled" // never shipped, and never will be
	CreditLost      = "lost"      // by the carrier
	CreditReturned  = "returned"  // came back, or need not
	CreditShipping  = "shipping"  // every unit of the order was cancelled or lost
)

// claim is what a decision just credited: what a refund may give back.
type claim struct {
	lineID   string // empty: shipping
	quantity int64
	amount   int64
}

// credit notes that the customer no longer owes some units, at a percentage of their stored worth, rounded down unit
// by unit, less what was credited for the same units before: nobody is paid for a unit twice. There is one credit
// for every run of units that get the same.
func (o *Order) credit(act Act, c Credit, spans []span, percent int64) []claim {
	l := o.line(c.LineID)
	var claims []claim
	for _, s := range spans {
		for _, p := range o.pieces(l, s) {
			c.ID, c.At, c.FirstUnit, c.Quantity = act.NewID(id.Credit), act.At, p.first, p.quantity
			c.Amount = p.quantity * max(returns.Share(p.value, percent)-p.credited, 0)
			o.Credits = append(o.Credits, c)
			l.Credited += c.Amount
			claims = append(claims, claim{lineID: l.ID, quantity: p.quantity, amount: c.Amount})
		}
	}
	return claims
}

// creditable is what credit would come to.
func (o *Order) creditable(l *Line, spans []span, percent int64) int64 {
	var sum int64
	for _, s := range spans {
		for _, p := range o.pieces(l, s) {
			sum += p.quantity * max(returns.Share(p.value, percent)-p.credited, 0)
		}
	}
	return sum
}

// piece is a run of units that are worth the same and were credited the same.
type piece struct {
	span
	value    int64 // of one unit
	credited int64 // for one unit
}

// pieces cuts units where their worth, or what was credited for them, changes.
func (o *Order) pieces(l *Line, s span) []piece {
	cuts := []int64{s.first, s.end()}
	for _, b := range l.Units {
		cuts = append(cuts, b.FirstUnit)
	}
	for _, c := range o.Credits {
		if c.LineID == l.ID {
			cuts = append(cuts, c.FirstUnit, c.FirstUnit+c.Quantity)
		}
	}
	slices.Sort(cuts)
	var out []piece
	for i := 0; i+1 < len(cuts); i++ {
		p := piece{span: span{cuts[i], cuts[i+1] - cuts[i]}}
		if p.first < s.first || p.end() > s.end() || p.quantity == 0 {
			continue
		}
		p.value = o.value(l.ID, p.first, 1)
		for _, c := range o.Credits {
			if c.LineID == l.ID && c.FirstUnit <= p.first && p.first < c.FirstUnit+c.Quantity {
				p.credited += c.Amount / c.Quantity
			}
		}
		out = append(out, p)
	}
	return out
}

// creditShipping notes that nothing is owed for shipping once every unit was cancelled or lost. What was carried there
// and could not be delivered was carried.
func (o *Order) creditShipping(act Act, reason string) []claim {
	for _, l := range o.Lines {
		if l.Cancelled+l.Lost < l.Quantity {
			return nil
		}
	}
	rest := o.shippingCharge() - o.ShippingCredited
	if rest <= 0 {
		return nil
	}
	o.ShippingCredited += rest
	o.Credits = append(o.Credits, Credit{ID: act.NewID(id.Credit), Cause: CreditShipping, Amount: rest, Reason: reason, At: act.At})
	return []claim{{amount: rest}}
}

// owed is what the customer owes for the order as it now is: its total, which never changes, less what was credited,
// and the fees of his returns.
func (o *Order) owed() int64 {
	owed := o.Total - o.ShippingCredited
	for _, l := range o.Lines {
		owed -= l.Credited
	}
	for _, r := range o.Returns {
		owed += r.FeeCharged
	}
	return max(owed, 0)
}
