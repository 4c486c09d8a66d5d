package inventory

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Need is what one order line asks for. Except lists locations where a picker did not find the SKU, whatever their
// books say, and when: until something arrives there, they serve no need for that SKU of the same order.
type Need struct {
	LineID   string
	SKU      string
	Quantity int64
	Except   map[string]time.Time // by location id
}

// Location is a place that ships. A lower priority is asked first; ties go by id.
type Location struct {
	ID       string
	Priority int
}

// Stock is what can be had: available units by location id and SKU, and the SKUs that any location ever had.
type Stock struct {
	Locations []Location
	Available map[string]map[string]int64     // location → SKU → units
	Arrived   map[string]map[string]time.Time // location → SKU → when units last came in, if ever
}

// Grant is some units of one line from one location.
type Grant struct {
	LineID     string
	SKU        string
	LocationID string
	Quantity   int64
}

// Short is what one line cannot get in full. Requested is all that it asks for, Available how much of that the
// locations together have for it, after the lines before it: what AllocateSome grants, and Allocate could.
type Short struct {
	LineID    string
	SKU       string
	Requested int64
	Available int64
	Known     bool // some location lists the SKU
}

// Plan is the answer: where units come from, and what is short.
type Plan struct {
	Grants []Grant
	Short  []Short
}

// Allocate plans where every unit comes from, all or nothing: either grants for every unit, or what is short and no
// grant at all. Locations are chosen as AllocateSome does.
func Allocate(needs []Need, stock Stock) Plan {
	plan := AllocateSome(needs, stock)
	if len(plan.Short) > 0 {
		plan.Grants = nil
	}
	return plan
}

// AllocateSome grants as much as there is and says what is short of the rest. One location that can serve
// everything wins over any split; among several, the first by priority. Otherwise the fewest further locations that
// the greedy choice finds: each time the location that covers most of what is left, ties by priority. It never plans
// more than a location has; several lines for one SKU are served in their order.
func AllocateSome(needs []Need, stock Stock) Plan {
	open := make([]int64, len(needs))
	for i, n := range needs {
		open[i] = n.Quantity
	}
	excepted := exceptions(needs, stock)
	locations := sorted(stock.Locations)
	used := make(map[string]bool, len(locations))
	var plan Plan
	for {
		best, covered := "", int64(0)
		for _, l := range locations {
			var units int64
			if !used[l.ID] {
				serve(needs, open, l.ID, stock, excepted, func(_ int, u int64) { units += u })
			}
			if units > covered {
				best, covered = l.ID, units
			}
		}
		if covered == 0 {
			plan.Short = shortages(needs, open, stock)
			return plan
		}
		used[best] = true
		serve(needs, open, best, stock, excepted, func(i int, u int64) {
			open[i] -= u
			plan.Grants = append(plan.Grants, Grant{LineID: needs[i].LineID, SKU: needs[i].SKU, LocationID: best, Quantity: u})
		})
	}
}

// SetAside is the stock less some units of each SKU, which are kept for others. They are taken from the locations
// that are asked last, so that whoever comes next is served from where it would have been.
func (s Stock) SetAside(units map[string]int64) Stock {
	if len(units) == 0 {
		return s
	}
	rest := Stock{Locations: s.Locations, Arrived: s.Arrived, Available: make(map[string]map[string]int64, len(s.Available))}
	for location, available := range s.Available {
		rest.Available[location] = maps.Clone(available)
	}
	locations := sorted(s.Locations)
	slices.Reverse(locations)
	for sku, left := range units {
		for _, l := range locations {
			u := min(left, rest.Available[l.ID][sku])
			if u <= 0 {
				continue
			}
			rest.Available[l.ID][sku] -= u
			left -= u
		}
	}
	return rest
}

// Take lowers the stock by what a plan grants.
func (s Stock) Take(grants []Grant) {
	for _, g := range grants {
		s.Available[g.LocationID][g.SKU] -= g.Quantity
	}
}

// level is one SKU at one location.
type level struct{ location, sku string }

func exceptions(needs []Need, stock Stock) map[level]bool {
	excepted := map[level]bool{}
	for _, n := range needs {
		for location, missed := range n.Except {
			if !stock.Arrived[location][n.SKU].After(missed) {
				excepted[level{location, n.SKU}] = true
			}
		}
	}
	return excepted
}

// shortages lists what is still open.
func shortages(needs []Need, open []int64, stock Stock) []Short {
	known := map[string]bool{}
	for _, l := range stock.Locations {
		for sku := range stock.Available[l.ID] {
			known[sku] = true
		}
	}
	var short []Short
	for i, n := range needs {
		if open[i] > 0 {
			short = append(short, Short{LineID: n.LineID, SKU: n.SKU, Requested: n.Quantity,
				Available: n.Quantity - open[i], Known: known[n.SKU]})
		}
	}
	return short
}

func sorted(locations []Location) []Location {
	out := slices.Clone(locations)
	slices.SortFunc(out, func(a, b Location) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// serve gives what one location has to what is still open, need by need.
func serve(needs []Need, open []int64, location string, stock Stock, excepted map[level]bool, give func(i int, units int64)) {
	taken := map[string]int64{}
	for i, n := range needs {
		u := min(open[i], stock.Available[location][n.SKU]-taken[n.SKU])
		if u > 0 && !excepted[level{location, n.SKU}] {
			taken[n.SKU] += u
			give(i, u)
		}
	}
}
