package order

import (
	"reflect"
	"slices"
)

// Clone returns a copy to decide on: whatever decisions do to it, o stays as it is. What decisions noted is not copied.
// Times and the return policy are shared, since they are only ever replaced.
func (o *Order) Clone() *Order {
	c := *o
	c.effects = Effects{}
	c.Shortages = slices.Clone(o.Shortages)
	c.Lines = slices.Clone(o.Lines)
	for i := range c.Lines {
		c.Lines[i].Units = slices.Clone(c.Lines[i].Units)
	}
	c.Holds = slices.Clone(o.Holds)
	for i := range c.Holds {
		c.Holds[i].Blocks = slices.Clone(c.Holds[i].Blocks)
	}
	c.Payments = slices.Clone(o.Payments)
	c.Operations = slices.Clone(o.Operations)
	c.Fulfillments = slices.Clone(o.Fulfillments)
	for i := range c.Fulfillments {
		c.Fulfillments[i].Lines = slices.Clone(c.Fulfillments[i].Lines)
	}
	c.Shipments = slices.Clone(o.Shipments)
	for i := range c.Shipments {
		c.Shipments[i].Lines = slices.Clone(c.Shipments[i].Lines)
	}
	c.Allocations = slices.Clone(o.Allocations)
	c.ShortPicks = slices.Clone(o.ShortPicks)
	c.Credits = slices.Clone(o.Credits)
	c.Refunds = slices.Clone(o.Refunds)
	for i := range c.Refunds {
		c.Refunds[i].Lines = slices.Clone(c.Refunds[i].Lines)
	}
	c.Returns = slices.Clone(o.Returns)
	for i := range c.Returns {
		r := &c.Returns[i]
		r.Lines, r.Inspections, r.Unexpected = slices.Clone(r.Lines), slices.Clone(r.Inspections), slices.Clone(r.Unexpected)
	}
	return &c
}

// Same reports whether two orders are stored alike. What decisions noted is no part of that.
func (o *Order) Same(other *Order) bool {
	if !alike(o.Operations, other.Operations) || !alike(o.Allocations, other.Allocations) || !alike(o.Payments, other.Payments) ||
		!alike(o.Credits, other.Credits) || !alike(o.ShortPicks, other.ShortPicks) {
		return false
	}
	a, b := *o, *other
	a.effects, b.effects = Effects{}, Effects{}
	for _, c := range []*Order{&a, &b} { // compared above: what is left goes through reflection, which takes its time
		c.Operations, c.Allocations, c.Payments, c.Credits, c.ShortPicks = nil, nil, nil, nil, nil
	}
	return reflect.DeepEqual(&a, &b)
}

// alike reports whether two lists are equal. A clone shares its times with the original, so that most often a look at
// their addresses says it.
func alike[R comparable](a, b []R) bool {
	return len(a) == len(b) && (slices.Equal(a, b) || reflect.DeepEqual(a, b))
}
