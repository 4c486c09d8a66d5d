package core

import (
	"fmt"
	"time"

	"github.com/waybill-oms/waybill/domain/order"
)

// command sends a command: now and then twice under one key, because its answer was lost, or again under another,
// because somebody is impatient.
func (l *life) command(actor, what string, via *run, decide func(*order.Order, order.Act) error) error {
	key := fmt.Sprintf("%s/%s/%d", l.id, what, l.nth("command"))
	err := l.change(actor, what, key, via, decide)
	if err == nil && l.fault(25, l.id, "sent_twice") {
		l.w.in(l.between(time.Second, 3*time.Hour, "sent again"), func() {
			version := l.order().Version
			if again := l.change(actor, what+" again", key, via, decide); again != nil || l.order().Version != version {
				l.w.fails("V-A1", l.id, "%s was sent twice under one key, and done twice: %v", what, again)
			}
		})
	}
	if err == nil && l.fault(15, l.id, "repeated") {
		l.w.in(l.between(time.Second, time.Hour, "repeated"), func() { _ = l.change(actor, what+" repeated", key+"/repeated", via, decide) })
	}
	return err
}

// warehouse sends somebody to every fulfillment order on which there is something to do.
func (l *life) warehouse(o *order.Order) {
	for _, f := range o.Fulfillments {
		if f.Status.Ended() || f.Status == order.FulfillmentOnHold || len(l.toPick(f))+len(l.toPack(f)) == 0 && !l.toShip(o, f.ID) {
			continue
		}
		after := l.between(10*time.Minute, 10*time.Hour, "work")
		if l.pending["work "+f.ID] {
			continue
		}
		if l.fault(30, f.ID, "slow_warehouse") {
			after = l.between(2*day, 9*day, "slow work")
		}
		id := f.ID // or every f is garbage
		l.soon("work "+id, after, func() { l.work(id) })
	}
}

// toPick is what is left to pick, line by line.
func (l *life) toPick(f order.Fulfillment) []order.PickedUnits {
	var found []order.PickedUnits
	for _, u := range units(f, func(row order.FulfillmentLine) int64 { return row.Quantity - row.Cancelled - row.Short - row.Picked }) {
		found = append(found, order.PickedUnits{LineID: u.LineID, Quantity: u.Quantity})
	}
	return found
}

// toPack is what was picked and is in no parcel.
func (l *life) toPack(f order.Fulfillment) []order.UnitsOf {
	return units(f, func(row order.FulfillmentLine) int64 { return row.Picked - row.Packed })
}

func units(f order.Fulfillment, of func(order.FulfillmentLine) int64) []order.UnitsOf {
	var found []order.UnitsOf
	for _, row := range f.Lines {
		n := of(row)
		switch {
		case n <= 0:
		case len(found) > 0 && found[len(found)-1].LineID == row.LineID: // rows are listed by line
			found[len(found)-1].Quantity += n
		default:
			found = append(found, order.UnitsOf{LineID: row.LineID, Quantity: n})
		}
	}
	return found
}

func (l *life) toShip(o *order.Order, fulfillmentID string) bool {
	for _, s := range o.Shipments {
		if s.FulfillmentID == fulfillmentID && !s.ShipRequested && (s.Status == order.ShipmentLabeled || s.Status == order.ShipmentHeld) {
			return true
		}
	}
	return false
}

// work does the next thing on a fulfillment order. Whoever is refused comes again.
func (l *life) work(fulfillmentID string) {
	o := l.order()
	f := *o.Fulfillment(fulfillmentID)
	if f.Status.Ended() {
		return
	}
	if l.fault(15, f.ID, "mistake") {
		l.mistake(f)
	}
	var err error
	picks, packs := l.toPick(f), l.toPack(f)
	switch {
	case len(picks) > 0:
		err = l.pick(f, picks)
	case len(packs) > 0:
		err = l.pack(f, packs)
	case l.toShip(o, f.ID):
		err = l.leave(f)
	}
	if err != nil {
		l.soon("work "+f.ID, l.between(3*time.Hour, 9*time.Hour, "work again"), func() { l.work(f.ID) })
	}
}

func (l *life) pick(f order.Fulfillment, left []order.PickedUnits) error {
	if len(left) > 1 && l.fault(150, f.ID, "some_lines") {
		left = left[:1]
	}
	for i := range left {
		if l.fault(80, f.ID, "short_pick") {
			left[i].Quantity = int64(l.below(int(left[i].Quantity), "found"))
			left[i].Reason = oneOf(l, "short", order.ShortReasons()...)
		}
	}
	return l.command("api:picker", "pick "+f.ID, l.run, func(o *order.Order, act order.Act) error { return o.Pick(f.ID, left, act) })
}

// pack puts what is picked into one parcel, or into several, or only some of it.
func (l *life) pack(f order.Fulfillment, picked []order.UnitsOf) error {
	var parcels []order.Parcel
	if l.fault(250, f.ID, "several_parcels") {
		for _, u := range picked {
			some := 1 + int64(l.below(int(u.Quantity), "parcel"))
			parcels = append(parcels, order.Parcel{WeightGrams: 300, Lines: []order.UnitsOf{{LineID: u.LineID, Quantity: some}}})
		}
	} else {
		parcels = []order.Parcel{{WeightGrams: 900, Lines: picked}}
	}
	return l.command("api:packer", "pack "+f.ID, l.run, func(o *order.Order, act order.Act) error { return o.Pack(f.ID, parcels, act) })
}

func (l *life) ship(f order.Fulfillment) error {
	return l.command("api:packer", "ship "+f.ID, l.run, func(o *order.Order, act order.Act) error { return o.Ship(f.ID, act) })
}

// leave hands parcels over. At times somebody wants them back at the last moment, or a moment later.
func (l *life) leave(f order.Fulfillment) error {
	if l.fault(80, f.ID, "held_at_the_door") {
		l.stop(f.ID)
	}
	err := l.ship(f)
	if err == nil && l.fault(80, f.ID, "held_while_leaving") {
		l.w.in(l.between(time.Millisecond, 1500*time.Millisecond, "while leaving"), func() { l.stop(f.ID) })
	}
	return err
}

// mistake is a command that must be refused, and must change nothing.
func (l *life) mistake(f order.Fulfillment) {
	line := f.Lines[0].LineID
	tooMany := []order.UnitsOf{{LineID: line, Quantity: 1000}}
	wrong := oneOf(l, "mistake",
		func(o *order.Order, act order.Act) error {
			return o.Pick(f.ID, []order.PickedUnits{{LineID: line, Quantity: 1000}}, act)
		},
		func(o *order.Order, act order.Act) error {
			return o.Pack(f.ID, []order.Parcel{{Lines: tooMany}}, act)
		},
		func(o *order.Order, act order.Act) error { return o.CancelUnits(tooMany, "slip", act) },
		func(o *order.Order, act order.Act) error {
			_, err := o.RequestReturn(order.ReturnRequest{Lines: []order.ReturnedUnits{{LineID: line, Quantity: 1000, Reason: "other"}}}, act)
			return err
		})
	before := l.order()
	if err := l.change("api:picker", "mistake "+f.ID, "", l.run, wrong); err == nil || l.order() != before {
		l.w.fails("mistake_accepted", f.ID, "a command for a thousand units was not refused")
	}
}
