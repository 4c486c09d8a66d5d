package order

import (
	"cmp"
	"slices"
)

// span is the units [first, first+quantity) of a line. Which units a parcel, a cancellation or a return is about
// decides what they are worth, so that every unit is paid for, and paid back, once.
type span struct{ first, quantity int64 }

func (s span) end() int64 { return s.first + s.quantity }

// units adds up spans.
func units(spans []span) int64 {
	var sum int64
	for _, s := range spans {
		sum += s.quantity
	}
	return sum
}

// without is what is left of spans when others are taken away, in order.
func without(spans, others []span) []span {
	left := slices.Clone(spans)
	for _, o := range others {
		for i := 0; i < len(left); i++ {
			s := left[i]
			before := span{s.first, min(s.end(), o.first) - s.first}
			after := span{max(s.first, o.end()), s.end() - max(s.first, o.end())}
			switch {
			case before.quantity > 0 && after.quantity > 0:
				left[i] = before
				i++
				left = slices.Insert(left, i, after)
			case before.quantity > 0:
				left[i] = before
			case after.quantity > 0:
				left[i] = after
			default:
				left = slices.Delete(left, i, i+1)
				i--
			}
		}
	}
	return joined(left)
}

// joined sorts spans and makes one of those that touch. It does so in place: the caller's list is used up.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && out[n-1].end() == s.first {
			out[n-1].quantity += s.quantity
			continue
		}
		out = append(out, s)
	}
	return out
}

// front takes n units from the front of spans.
func front(spans []span, n int64) []span {
	var taken []span
	for _, s := range spans {
		if n <= 0 {
			break
		}
		s.quantity = min(s.quantity, n)
		n -= s.quantity
		taken = append(taken, s)
	}
	return taken
}

// back takes n units from the back of spans.
func back(spans []span, n int64) []span { return without(spans, front(spans, units(spans)-n)) }

// common is what is in both.
func common(spans, others []span) []span { return without(spans, without(spans, others)) }

// cancelled are the units of a line that were cancelled.
func (o *Order) cancelled(lineID string) []span {
	var spans []span
	for _, c := range o.Credits {
		if c.Cause == CreditCancelled && c.LineID == lineID {
			spans = append(spans, span{c.FirstUnit, c.Quantity})
		}
	}
	return joined(spans)
}

// held are the units of a line that a fulfillment order is to serve, or served: those it was opened with, less what
// its picker did not find and what was cancelled.
func (o *Order) held(f *Fulfillment, lineID string) []span {
	if f.Status == FulfillmentCancelled {
		return nil
	}
	var spans []span
	for _, l := range f.Lines {
		if l.LineID == lineID {
			spans = append(spans, span{l.FirstUnit, l.Quantity})
		}
	}
	return without(without(spans, o.missing(f, lineID)), o.cancelled(lineID))
}

// missing are the units of a line that a fulfillment order's picker did not find.
func (o *Order) missing(f *Fulfillment, lineID string) []span {
	var spans []span
	for _, p := range o.ShortPicks {
		if p.FulfillmentID == f.ID && p.LineID == lineID {
			spans = append(spans, span{p.FirstUnit, p.Quantity})
		}
	}
	return joined(spans)
}

// gone are the units of a line that a fulfillment order handed over.
func (o *Order) gone(f *Fulfillment, lineID string) []span {
	var spans []span
	for _, s := range o.Shipments {
		if s.FulfillmentID == f.ID && s.HandedOverAt != nil {
			spans = append(spans, s.spans(lineID)...)
		}
	}
	return joined(spans)
}

// boxed are the units of a line in parcels of a fulfillment order that were not cancelled.
func (o *Order) boxed(f *Fulfillment, lineID string) []span {
	var spans []span
	for _, s := range o.Shipments {
		if s.FulfillmentID == f.ID && s.Status != ShipmentCancelled {
			spans = append(spans, s.spans(lineID)...)
		}
	}
	return joined(spans)
}

func (s Shipment) spans(lineID string) []span {
	var spans []span
	for _, l := range s.Lines {
		if l.LineID == lineID {
			spans = append(spans, span{l.FirstUnit, l.Quantity})
		}
	}
	return spans
}

// unpacked are the units of a line that a fulfillment order serves and that are in no parcel.
func (o *Order) unpacked(f *Fulfillment, lineID string) []span {
	return without(o.held(f, lineID), o.boxed(f, lineID))
}

// unallocated are the units of a line that nobody cancelled and no fulfillment order serves.
func (o *Order) unallocated(l *Line) []span {
	spans := without([]span{{0, l.Quantity}}, o.cancelled(l.ID))
	for i := range o.Fulfillments {
		spans = without(spans, o.held(&o.Fulfillments[i], l.ID))
	}
	return spans
}
