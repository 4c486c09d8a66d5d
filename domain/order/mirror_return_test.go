package order_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/returns"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// sentBack is one return in the mirror.
type sentBack struct {
	id           string
	status       returns.Status
	carrier      bool // the carrier brings it
	returnless   bool
	rows         []*row
	fee, charged int64
	expires      *time.Time
}

// row is units of one line that went out in one parcel, next to each other.
type row struct {
	line                           string
	units                          []*unit
	box                            *box
	reason                         returns.Reason
	received, inspected, dismissed int
}

func (r *row) expected() int { return len(r.units) - r.received - r.dismissed }

func (r *sentBack) counts() bool {
	return r.status != returns.Declined && r.status != returns.Cancelled && r.status != returns.Expired
}

func (r *sentBack) sum(of func(*row) int) int {
	n := 0
	for _, row := range r.rows {
		n += of(row)
	}
	return n
}

func (k *mirror) back(id string) *sentBack {
	return k.returns[slices.IndexFunc(k.returns, func(r *sentBack) bool { return r.id == id })]
}

// runs cuts units of a parcel into rows of neighbors.
func runs(b *box, units []*unit, reason returns.Reason) []*row {
	var rows []*row
	for i, u := range units {
		if i == 0 || units[i-1].line != u.line || units[i-1].number+1 != u.number {
			rows = append(rows, &row{line: u.line, box: b, reason: reason})
		}
		last := rows[len(rows)-1]
		last.units = append(last.units, u)
	}
	return rows
}

// open adds a return, its rows in the order of their units: that is how arrivals are counted.
func (k *mirror) open(r *sentBack) {
	slices.SortStableFunc(r.rows, func(a, b *row) int {
		if a.line != b.line {
			return slices.Index(k.lines, a.line) - slices.Index(k.lines, b.line)
		}
		return int(a.units[0].number - b.units[0].number)
	})
	for _, row := range r.rows {
		for _, u := range row.units {
			u.in = r
		}
	}
	r.id = k.o().Returns[len(k.returns)].ID
	k.returns = append(k.returns, r)
}

// expected opens the return of a parcel that turned back.
func (k *mirror) expected(b *box) {
	expires := k.o().UpdatedAt.AddDate(0, 0, k.promised().ExpiresAfterDays)
	free := slices.DeleteFunc(slices.Clone(b.units), func(u *unit) bool { return u.in != nil })
	if len(free) > 0 {
		k.open(&sentBack{status: returns.InTransit, carrier: true, rows: runs(b, free, returns.Undeliverable), expires: &expires})
	}
}

func (k *mirror) promised() returns.Policy { return k.o().ReturnPolicy }

// elsewhere calls the return of a parcel off that went elsewhere after all.
func (k *mirror) elsewhere(b *box) {
	for _, r := range k.returns {
		if r.carrier && r.rows[0].box == b && r.status == returns.InTransit {
			k.vain(r, returns.Cancelled)
		}
	}
}

// vain ends a return of which nothing came: its units are free.
func (k *mirror) vain(r *sentBack, status returns.Status) {
	r.status = status
	for _, row := range r.rows {
		for _, u := range row.units {
			u.in = nil
		}
	}
}

// arrived reports whether goods of a parcel that turned back are here.
func (k *mirror) arrived(b *box) bool {
	return slices.ContainsFunc(k.returns, func(r *sentBack) bool {
		return r.carrier && r.rows[0].box == b && (r.returnless || r.status == returns.Received || r.status == returns.Inspected || r.status == returns.Closed)
	})
}

// presumed takes parcels for delivered that were under way for longer than any is.
func (k *mirror) presumed(now time.Time) []*box {
	var found []*box
	for _, b := range k.boxes {
		if b.status == order.ShipmentShipped && !now.Before(k.o().Shipment(b.id).HandedOverAt.AddDate(0, 0, k.promised().TransitDays)) {
			found = append(found, b)
		}
	}
	return found
}

// returnable lists the units of each line that may be announced as coming back now, in the order in which they are
// taken. It is asked before the command.
func (k *mirror) returnable(now time.Time, line string) []*unit {
	presumed := k.presumed(now)
	var found []*unit
	for _, b := range k.boxes {
		s := k.o().Shipment(b.id)
		at := s.DeliveredAt
		switch {
		case slices.Contains(presumed, b):
			by := s.HandedOverAt.AddDate(0, 0, k.promised().TransitDays)
			at = &by
		case b.status != order.ShipmentDelivered:
			continue
		}
		if now.After(at.AddDate(0, 0, k.promised().WindowDays)) {
			continue
		}
		for _, u := range b.units {
			if u.line == line && u.in == nil {
				found = append(found, u)
			}
		}
	}
	return found
}

// requested follows a request that was accepted, of units that were returnable.
func (k *mirror) requested(now time.Time, asked []order.ReturnedUnits, units map[string][]*unit, presumed []*box) {
	for _, b := range presumed {
		b.status = order.ShipmentDelivered
		for _, u := range b.units {
			u.fate = "delivered"
		}
	}
	k.conclude()
	r, ours := &sentBack{status: returns.Requested}, true
	for _, a := range asked {
		for _, b := range k.boxes {
			in := slices.DeleteFunc(slices.Clone(units[a.LineID][:a.Quantity]), func(u *unit) bool { return !slices.Contains(b.units, u) || b.status == order.ShipmentCancelled })
			r.rows = append(r.rows, runs(b, in, a.Reason)...)
		}
		ours = ours && k.fault(a.Reason)
	}
	if p := k.promised(); p.Label && !ours {
		r.fee = p.LabelFee[k.o().Currency]
	}
	k.open(r)
	if k.promised().AutoApprove {
		k.approved(r, now, false)
	}
}

func (k *mirror) fault(reason returns.Reason) bool {
	return slices.Contains([]returns.Reason{returns.Damaged, returns.Defective, returns.WrongItem, returns.NotAsDescribed, returns.ArrivedLate, returns.Undeliverable}, reason)
}

// share is what is given back of a unit, in hundredths.
func (k *mirror) share(grade returns.Grade, reason returns.Reason) int64 {
	if k.fault(reason) {
		return 100
	}
	return max(map[returns.Grade]int64{returns.GradeA: 100, returns.GradeB: 80, returns.GradeC: 50}[grade]-k.promised().RestockingPercent, 0)
}

// creditShare credits a unit with a share of its worth, less what it was credited with before.
func creditShare(u *unit, percent int64) int64 {
	more := max(u.worth*percent/100-u.credited, 0)
	u.credited += more
	return more
}

func (k *mirror) approved(r *sentBack, now time.Time, returnless bool) {
	r.status = returns.Approved
	var worth, credits int64
	for _, row := range r.rows {
		for _, u := range row.units {
			worth += u.worth - u.credited
		}
	}
	upTo, bound := k.promised().ReturnlessUpTo[k.o().Currency]
	if !returnless && (!bound || worth > upTo) {
		expires := now.AddDate(0, 0, k.promised().ExpiresAfterDays)
		r.expires = &expires
		return
	}
	r.returnless, r.fee, r.expires = true, 0, nil
	for _, row := range r.rows {
		row.dismissed = len(row.units)
		for _, u := range row.units {
			credits += creditShare(u, k.share(returns.GradeA, row.reason))
		}
	}
	k.repay(credits)
	k.progress(r)
}

// progress goes on with a return when nothing more is expected, nothing waits to be graded, and everything was paid.
func (k *mirror) progress(r *sentBack) {
	if r.status == returns.Received && r.sum((*row).expected) == 0 && r.sum(func(w *row) int { return w.received - w.inspected }) == 0 {
		r.status = returns.Inspected
	}
	paid := !slices.ContainsFunc(k.o().Refunds, func(f order.Refund) bool { return f.ReturnID == r.id && !k.settled[f.ID] })
	if paid && (r.status == returns.Inspected || r.status == returns.Approved && r.returnless) {
		r.status = returns.Closed
	}
}

// came follows an arrival: for the first rows that expect some, then for what was given up.
func (k *mirror) came(r *sentBack, lines []order.UnitsOf, now time.Time) {
	if len(lines) == 0 && r.status.Final() {
		return // what nobody announced does not bring it back to life
	}
	if !r.counts() {
		for _, row := range r.rows {
			if row.box.status == order.ShipmentLost { // it was given up, and is here
				row.box.status = order.ShipmentReturning
				for _, u := range row.box.units {
					u.fate = "undelivered"
				}
			}
			for _, u := range row.units {
				u.in = r
			}
		}
	}
	if r.expires == nil {
		expires := now.AddDate(0, 0, k.promised().ExpiresAfterDays)
		r.expires = &expires
	}
	r.status = returns.Received
	for _, l := range lines {
		n := int(l.Quantity)
		for _, late := range []bool{false, true} {
			for _, row := range r.rows {
				more := min(n, row.expected())
				if late {
					more = min(n, row.dismissed)
				}
				if row.line != l.LineID || more == 0 {
					continue
				}
				if late {
					row.dismissed -= more
				}
				row.received, n = row.received+more, n-more
			}
		}
	}
	k.progress(r)
}

// graded follows an inspection: the first units of each row that came are those that are graded.
func (k *mirror) graded(r *sentBack, found []order.InspectedUnits) {
	var credits int64
	for _, f := range found {
		n := int(f.Quantity)
		for _, row := range r.rows {
			switch {
			case row.line != f.LineID:
			case f.Grade == returns.GradeX:
				more := min(n, row.expected())
				n -= more
				credits += k.dismiss(r, row, more)
			default:
				for n > 0 && row.inspected < row.received {
					if !f.NoRefund {
						credits += creditShare(row.units[row.inspected], k.share(f.Grade, row.reason))
					}
					row.inspected, n = row.inspected+1, n-1
				}
			}
		}
	}
	fee := min(r.fee-r.charged, credits)
	r.charged, k.fees = r.charged+fee, k.fees+fee
	k.repay(credits - fee)
	k.progress(r)
}

// dismiss gives the last units of a row up. What of a parcel that turned back never comes is paid back.
func (k *mirror) dismiss(r *sentBack, row *row, n int) (credits int64) {
	end := len(row.units) - row.dismissed
	row.dismissed += n
	if r.carrier {
		for _, u := range row.units[end-n : end] {
			credits += creditShare(u, 100)
		}
	}
	return credits
}

// overdue follows a deadline of a return: what did not come in time is no longer expected.
func (k *mirror) overdue(r *sentBack, now time.Time) {
	switch {
	case r.expires == nil || now.Before(*r.expires):
	case r.status == returns.Approved && !r.returnless, r.status == returns.InTransit:
		k.vain(r, returns.Expired)
		if b := r.rows[0].box; r.carrier && b.status == order.ShipmentReturning {
			k.scanned(b.id, shipping.Lost) // neither there nor here
		}
	case r.status == returns.Received:
		var credits int64
		for _, row := range r.rows {
			credits += k.dismiss(r, row, row.expected())
		}
		k.repay(credits)
		k.progress(r)
	}
}

func (k *mirror) compareReturns() {
	o := k.o()
	require.Len(k.t, o.Returns, len(k.returns))
	announced, back, dismissed := map[string]int{}, map[string]int{}, map[string]int{}
	for i, r := range k.returns {
		ret := o.Returns[i]
		require.Equal(k.t, []any{r.id, r.status, r.fee, r.charged, r.returnless}, []any{ret.ID, ret.Status, ret.LabelFee, ret.FeeCharged, ret.Returnless}, "return %d", ret.Number)
		require.Len(k.t, ret.Lines, len(r.rows))
		for j, row := range r.rows {
			l := ret.Lines[j]
			require.Equal(k.t, []int{len(row.units), row.received, row.inspected, row.dismissed}, []int{int(l.Quantity), int(l.Received), int(l.Inspected), int(l.Dismissed)})
			require.Equal(k.t, []any{row.line, row.units[0].number, row.box.id}, []any{l.LineID, l.FirstUnit, l.ShipmentID})
			if r.counts() {
				announced[row.line] += len(row.units)
			}
			back[row.line] += row.received
			dismissed[row.line] += row.dismissed
		}
	}
	for _, l := range o.Lines {
		require.Equal(k.t, []int{announced[l.ID], back[l.ID], dismissed[l.ID]}, []int{int(l.ReturnRequested), int(l.Returned), int(l.Dismissed)})
	}
}
