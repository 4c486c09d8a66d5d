package order_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/domain/shipping"
)

// The mirror is a second, much simpler memory of one order: for every single unit where it is and what was credited
// for it, and two sums of money. It follows the commands that were accepted by rules of its own and shares no
// arithmetic with the order, whose units, money and states are compared with it after every command. It borrows ids,
// clocks and the gateways' answers.
type mirror struct {
	t       tb
	o       func() *order.Order
	policy  *order.Policy
	status  order.Status
	lines   []string
	units   map[string][]*unit // by line
	picked  map[[2]string]int  // taken off the shelf and not gone, by fulfillment order and line
	boxes   []*box             // in the order in which they were packed
	returns []*sentBack
	settled map[string]bool // refunds that the gateway made
	missed  []*unit         // not found, and no remedy yet
	total   int64           // of the order, and what of it is for shipping
	charge  int64
	taken   int64 // captured, ever
	repaid  int64 // given back or on its way back
	shipped bool  // the charge for shipping is credited
	fees    int64
}

// unit is one unit of a line.
type unit struct {
	line            string
	number          int64
	fate            string // open, served, boxed, gone, delivered, lost, undelivered, cancelled
	by              string // the fulfillment order that serves it
	worth, credited int64
	in              *sentBack // the return that counts on it
}

// box is one parcel.
type box struct {
	id, by  string
	units   []*unit
	status  order.ShipmentStatus
	asked   bool // its capture is under way
	carries bool
	paid    int64 // captured for it while it is still here
}

func newMirror(w *world) *mirror {
	k := &mirror{t: w.t, settled: map[string]bool{}, o: func() *order.Order { return w.o }, policy: &w.policy, status: order.Received, units: map[string][]*unit{},
		picked: map[[2]string]int{}, total: w.o.Total, charge: w.charge()}
	for _, l := range w.o.Lines {
		k.lines = append(k.lines, l.ID)
		for n := range l.Quantity {
			k.units[l.ID] = append(k.units[l.ID], &unit{line: l.ID, number: n, fate: "open", worth: unitWorth(w.o, l.ID, n)})
		}
	}
	return k
}

// all lists the units, line by line, that a rule holds for.
func (k *mirror) all(rule func(*unit) bool) []*unit {
	var found []*unit
	for _, line := range k.lines {
		for _, u := range k.units[line] {
			if rule(u) {
				found = append(found, u)
			}
		}
	}
	return found
}

func (u *unit) here() bool { return u.fate == "open" || u.fate == "served" || u.fate == "boxed" }
func (u *unit) left() bool { return !u.here() && u.fate != "cancelled" }

func (k *mirror) final() bool { return k.status.Final() }

// granted gives a line's first units that nobody serves to the newest fulfillment order at a location.
func (k *mirror) granted(grants []inventory.Grant) {
	for _, g := range grants {
		by := ""
		for _, f := range k.o().Fulfillments {
			if f.LocationID == g.LocationID {
				by = f.ID
			}
		}
		for n := range g.Quantity {
			u := k.all(func(u *unit) bool { return u.line == g.LineID && u.fate == "open" })
			require.NotEmpty(k.t, u, "grant %d", n)
			u[0].fate, u[0].by = "served", by
		}
	}
}

// allocated follows an allocation that was due: of an order that was just placed, or after a short pick.
func (k *mirror) allocated(plan inventory.Plan, onShortage string) {
	open := func(u *unit) bool { return u.fate == "open" }
	if k.status == order.Received {
		if len(plan.Short) > 0 && onShortage == order.OnShortageReject || len(plan.Grants) == 0 && onShortage == order.OnShortagePartial {
			k.end(order.Rejected)
			return
		}
		k.status = order.Accepted
		k.granted(plan.Grants)
		if onShortage == order.OnShortagePartial {
			k.cancelled(k.all(open))
		}
		return
	}
	k.granted(plan.Grants)
	missed := k.missed
	k.missed = nil
	if onShortage != order.OnShortageBackorder {
		k.cancelled(slices.DeleteFunc(missed, func(u *unit) bool { return u.fate != "open" }))
	}
	k.conclude()
}

// took follows a picker: what he does not bring of a line is missing, from the back.
func (k *mirror) took(by string, taken []order.PickedUnits) {
	if k.status == order.Accepted {
		k.status = order.Processing
	}
	for _, p := range taken {
		at := [2]string{by, p.LineID}
		k.picked[at] += int(p.Quantity)
		if p.Reason == "" {
			continue
		}
		for k.unpicked(by, p.LineID) > 0 {
			loose := k.loose(by, p.LineID)
			u := loose[len(loose)-1]
			u.fate, u.by = "open", ""
			k.missed = append(k.missed, u)
		}
	}
}

// loose are a line's units that a fulfillment order serves and that are in no box.
func (k *mirror) loose(by, line string) []*unit {
	return k.all(func(u *unit) bool { return u.line == line && u.by == by && u.fate == "served" })
}

func (k *mirror) unpicked(by, line string) int {
	return len(k.all(func(u *unit) bool { return u.line == line && u.by == by && (u.fate == "served" || u.fate == "boxed") })) - k.picked[[2]string{by, line}]
}

// packed follows a packer: the first loose units go into the box.
func (k *mirror) packed(by string, parcels []order.Parcel) {
	shipments := k.o().Shipments
	for i, p := range parcels {
		b := &box{id: shipments[len(shipments)-len(parcels)+i].ID, by: by, status: order.ShipmentPacked}
		for _, l := range p.Lines {
			for range l.Quantity {
				u := k.loose(by, l.LineID)[0]
				u.fate = "boxed"
				b.units = append(b.units, u)
			}
		}
		k.boxes = append(k.boxes, b)
	}
}

func (k *mirror) box(id string) *box {
	return k.boxes[slices.IndexFunc(k.boxes, func(b *box) bool { return b.id == id })]
}

func (k *mirror) labeled(shipmentID string, ok bool) {
	b := k.box(shipmentID)
	switch {
	case b.status != order.ShipmentPacked:
	case ok:
		b.status = order.ShipmentLabeled
	default:
		b.status = order.ShipmentLabelRefused
	}
}

// sent follows an order to ship: a parcel leaves when nothing is to be taken for it, else its capture is asked for.
func (k *mirror) sent(by string) {
	for _, b := range k.boxes {
		if b.by != by || b.asked || b.status != order.ShipmentLabeled && b.status != order.ShipmentHeld {
			continue
		}
		if !slices.ContainsFunc(k.boxes, func(other *box) bool { return other.carries && other.status != order.ShipmentCancelled }) {
			b.carries = true
		}
		due := k.amount(b) - max(k.free(b), 0)
		if due <= 0 {
			k.gone(b)
			continue
		}
		b.asked = true
		asked := k.capture(b.id)
		require.Equal(k.t, due, asked.Amount, "what is to be captured for a parcel")
	}
}

func (k *mirror) capture(shipmentID string) order.Operation {
	var last order.Operation
	for _, op := range k.o().Operations {
		if op.Kind == "capture" && op.ShipmentID == shipmentID {
			last = op
		}
	}
	return last
}

func (k *mirror) amount(b *box) int64 {
	var sum int64
	for _, u := range b.units {
		sum += u.worth
	}
	if b.carries {
		sum += k.charge
	}
	return sum
}

// free is the money that was taken and that no parcel which left, is leaving, or is paid for and waits, has a claim
// to; but for one.
func (k *mirror) free(but *box) int64 {
	rest := k.taken - k.repaid - k.fees
	for _, b := range k.boxes {
		switch {
		case b == but, b.status == order.ShipmentCancelled:
		case b.asked: // its money is not taken yet, but what it need not ask for is its own
			rest -= k.amount(b) - k.capture(b.id).Amount
		case b.status == order.ShipmentHeld:
			rest -= b.paid
		case b.units[0].left():
			rest -= k.amount(b)
			for _, u := range b.units {
				rest += u.credited
			}
			if b.carries && k.shipped {
				rest += k.charge
			}
		}
	}
	return rest
}

// captured follows a capture that was answered. A parcel that somebody held meanwhile stays.
func (k *mirror) captured(shipmentID string, ok bool, amount int64, holds []order.Hold) {
	b := k.box(shipmentID)
	b.asked = false
	stays := slices.ContainsFunc(holds, func(h order.Hold) bool {
		return h.Active() && h.Reason != order.HoldAwaitingPayment && slices.Contains(h.Blocks, order.BlockShip) &&
			(h.FulfillmentID == "" || h.FulfillmentID == b.by)
	})
	if ok {
		k.taken += amount
	}
	if !ok || stays {
		b.status = order.ShipmentHeld
		if ok {
			b.paid = amount
		}
		return
	}
	k.gone(b)
}

// surplus gives back what was taken and is not owed.
func (k *mirror) surplus() { k.repaid += max(k.taken-k.repaid-k.owed(), 0) }

func (k *mirror) gone(b *box) {
	defer k.surplus()
	b.status, b.paid = order.ShipmentShipped, 0
	for _, u := range b.units {
		u.fate = "gone"
		k.picked[[2]string{b.by, u.line}]--
	}
}

// unbox takes a parcel apart that never leaves.
func (k *mirror) unbox(b *box) {
	b.status = order.ShipmentCancelled
	for _, u := range b.units {
		u.fate = "served"
	}
}

// dropped cancels n units of a line where the least was done: open ones, then those that nobody picked, then picked
// ones, and last those in boxes; always the last ones.
func (k *mirror) dropped(line string, n int64) []*unit {
	var gone []*unit
	drop := func(from []*unit, most int) {
		for len(from) > 0 && most > 0 && n > 0 {
			u := from[len(from)-1]
			from, most, n = from[:len(from)-1], most-1, n-1
			gone = append(gone, u)
			k.release(u)
		}
	}
	open := k.all(func(u *unit) bool { return u.line == line && u.fate == "open" })
	drop(open, len(open))
	by := k.o().Fulfillments
	for i := len(by) - 1; i >= 0; i-- {
		drop(k.loose(by[i].ID, line), k.unpicked(by[i].ID, line))
	}
	for i := len(by) - 1; i >= 0; i-- {
		drop(k.loose(by[i].ID, line), len(k.loose(by[i].ID, line)))
	}
	for i := len(by) - 1; i >= 0; i-- {
		for j := len(k.boxes) - 1; j >= 0; j-- {
			b := k.boxes[j]
			has := slices.ContainsFunc(b.units, func(u *unit) bool { return u.line == line })
			if b.by == by[i].ID && k.waits(b) && has && int64(len(k.loose(b.by, line))) < n {
				k.unbox(b)
			}
		}
		drop(k.loose(by[i].ID, line), len(k.loose(by[i].ID, line)))
	}
	return gone
}

// release takes a unit off its fulfillment order: when all that are left were picked, one of those goes.
func (k *mirror) release(u *unit) {
	at, spare := [2]string{u.by, u.line}, 0
	if u.by != "" {
		spare = k.unpicked(u.by, u.line)
	}
	if u.fate = "cancelled"; u.by != "" && spare == 0 {
		k.picked[at]--
	}
}

// waits reports whether a box is still here and not about to leave.
func (k *mirror) waits(b *box) bool {
	return !b.asked && (b.status == order.ShipmentPacked || b.status == order.ShipmentLabelRefused || b.status == order.ShipmentLabeled || b.status == order.ShipmentHeld)
}

// cancelled credits units that never leave, and gives back what was taken for them and is not needed for the rest.
func (k *mirror) cancelled(units []*unit) {
	var credits int64
	for _, u := range units {
		if u.fate != "cancelled" {
			k.release(u)
		}
		credits += u.worth - u.credited
		u.credited = u.worth
	}
	credits += k.creditShipping()
	k.repaid += max(min(credits, k.taken-k.repaid-k.owed()), 0)
}

func (k *mirror) owed() int64 {
	owed := k.total + k.fees
	for _, u := range k.all(func(*unit) bool { return true }) {
		owed -= u.credited
	}
	if k.shipped {
		owed -= k.charge
	}
	return owed
}

// creditShipping credits the shipping when nothing of the order arrived or will.
func (k *mirror) creditShipping() int64 {
	if k.shipped || len(k.all(func(u *unit) bool { return u.fate != "cancelled" && u.fate != "lost" })) > 0 {
		return 0
	}
	k.shipped = true
	return k.charge
}

// end cancels everything: all that was taken is given back.
func (k *mirror) end(status order.Status) {
	k.status = status
	for _, b := range k.boxes {
		if k.waits(b) {
			k.unbox(b)
		}
	}
	k.cancelled(k.all((*unit).here))
	k.repaid = k.taken
}

// conclude ends an order of which nothing is left to be done.
func (k *mirror) conclude() {
	switch {
	case k.final():
	case len(k.all(func(u *unit) bool { return u.fate != "cancelled" })) == 0:
		k.end(order.Cancelled)
	case len(k.all(func(u *unit) bool { return u.here() || u.fate == "gone" })) == 0:
		k.status = order.Completed
	}
}

// leaving reports whether a parcel left, or is about to.
func (k *mirror) leaving() bool {
	return slices.ContainsFunc(k.boxes, func(b *box) bool { return b.asked || b.units[0].left() && b.status != order.ShipmentCancelled })
}

// lapsed follows the holds that nobody answered by now.
func (k *mirror) lapsed(holds []order.Hold, now time.Time) {
	for _, h := range holds {
		if k.final() || !h.Active() || h.Deadline == nil || now.Before(*h.Deadline) {
			continue
		}
		switch h.OnDeadline {
		case order.OnDeadlineExpire:
			if !k.leaving() {
				k.end(order.Expired)
			}
		case order.OnDeadlineCancel:
			k.lapse(h.FulfillmentID)
		}
	}
}

// lapse cancels what a hold kept: of one fulfillment order its own units, else all that are left.
func (k *mirror) lapse(by string) {
	kept := func(b *box) bool { return by == "" || b.by == by }
	if slices.ContainsFunc(k.boxes, func(b *box) bool { return b.asked && kept(b) }) {
		return // they are leaving: it is for a person
	}
	if by == "" && !k.leaving() {
		k.end(order.Cancelled)
		return
	}
	for _, b := range k.boxes {
		if k.waits(b) && kept(b) {
			k.unbox(b)
		}
	}
	k.cancelled(k.all(func(u *unit) bool { return u.here() && (by == "" || u.by == by) }))
	k.conclude()
}

// scanned follows a carrier's scan that moved a parcel.
func (k *mirror) scanned(shipmentID string, status shipping.Tracking) {
	b := k.box(shipmentID)
	was := b.status
	fate := map[shipping.Tracking]string{shipping.Delivered: "delivered", shipping.Lost: "lost", shipping.ReturnToSender: "undelivered"}[status]
	if fate == "" {
		return
	}
	for _, u := range b.units {
		u.fate = fate
	}
	b.status = map[string]order.ShipmentStatus{"delivered": order.ShipmentDelivered, "lost": order.ShipmentLost, "undelivered": order.ShipmentReturning}[fate]
	if was == order.ShipmentReturning {
		k.elsewhere(b)
	}
	switch fate {
	case "lost":
		var credits int64
		for _, u := range b.units {
			credits += u.worth - u.credited
			u.credited = u.worth
		}
		k.repay(credits + k.creditShipping())
	case "undelivered":
		k.expected(b)
	}
	k.conclude()
}

// repay gives back what was credited for units that left, as far as it was taken.
func (k *mirror) repay(most int64) { k.repaid += max(min(most, k.free(nil)), 0) }
