package inventory

import "sort"

// Need is what one order line asks for.
type Need struct {
	LineID   string
	SKU      string
	Quantity int64
}

// Location is a place that ships. A lower priority is asked first; ties go by id.
type Location struct {
	ID       string
	Priority int
}

// Stock is what can be had: available units by location id and SKU, and the SKUs that any location ever had.
type Stock struct {
	Locations []Location
	Available map[string]map[string]int64 // location → SKU → units
}

// Grant is some units of one line from one location.
type Grant struct {
	LineID     string
	SKU        string
	LocationID string
	Quantity   int64
}

// Short is what one line cannot get in full. Available is what all locations together have for it.
type Short struct {
	LineID    string
	SKU       string
	Requested int64
	Available int64
	Known     bool // some location lists the SKU
}

// Plan is the answer: either grants for every unit, or what is short and no grant at all.
type Plan struct {
	Grants []Grant
	Short  []Short
}

// Allocate plans where every unit comes from, all or nothing. One location that can serve everything wins over
// any split; among several, the first by priority. Otherwise the fewest further locations that the greedy choice
// finds: each time the location that covers most of what is left, ties by priority. It never plans more than a
// location has, and demand of several lines for one SKU is summed.
func Allocate(needs []Need, stock Stock) Plan {
	if short := shortages(needs, stock); len(short) > 0 {
		return Plan{Short: short}
	}
	open := make([]int64, len(needs))
	var left int64
	for i, n := range needs {
		open[i] = n.Quantity
		left += n.Quantity
	}
	locations := sorted(stock.Locations)
	used := make(map[string]bool, len(locations))
	var plan Plan
	for left > 0 {
		best, covered := -1, int64(0)
		for i, l := range locations {
			if used[l.ID] {
				continue
			}
			if c := coverage(needs, open, stock.Available[l.ID]); c > covered {
				best, covered = i, c
			}
		}
		if best < 0 {
			break // cannot be: shortages said that there is enough
		}
		id := locations[best].ID
		used[id] = true
		plan.Grants = append(plan.Grants, take(needs, open, id, stock.Available[id])...)
		left -= covered
	}
	return plan
}

// shortages compares the demand of each SKU, summed over lines, with what all locations have of it.
func shortages(needs []Need, stock Stock) []Short {
	total, known := map[string]int64{}, map[string]bool{}
	for _, l := range stock.Locations {
		for sku, n := range stock.Available[l.ID] {
			known[sku] = true
			total[sku] += max(n, 0) // one location's negative number never lowers another's availability
		}
	}
	rest := map[string]int64{}
	for sku, n := range total {
		rest[sku] = n
	}
	var short []Short
	for _, n := range needs {
		if rest[n.SKU] < n.Quantity {
			short = append(short, Short{LineID: n.LineID, SKU: n.SKU, Requested: n.Quantity,
				Available: rest[n.SKU], Known: known[n.SKU]})
		}
		rest[n.SKU] = max(rest[n.SKU]-n.Quantity, 0)
	}
	return short
}

func sorted(locations []Location) []Location {
	out := append([]Location(nil), locations...)
	sort.Slice(out, func(i, j int) bool {
		if out[i].Priority != out[j].Priority {
			return out[i].Priority < out[j].Priority
		}
		return out[i].ID < out[j].ID
	})
	return out
}

func coverage(needs []Need, open []int64, available map[string]int64) int64 {
	var units int64
	taken := map[string]int64{}
	for i, n := range needs {
		u := min(open[i], max(available[n.SKU]-taken[n.SKU], 0))
		taken[n.SKU] += u
		units += u
	}
	return units
}

func take(needs []Need, open []int64, location string, available map[string]int64) []Grant {
	var grants []Grant
	taken := map[string]int64{}
	for i, n := range needs {
		u := min(open[i], max(available[n.SKU]-taken[n.SKU], 0))
		if u == 0 {
			continue
		}
		taken[n.SKU] += u
		open[i] -= u
		grants = append(grants, Grant{LineID: n.LineID, SKU: n.SKU, LocationID: location, Quantity: u})
	}
	return grants
}
