package inventory_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-oms/waybill/domain/inventory"
)

// stock makes a Stock of "location: SKU units", asked in the order in which they are written.
func stock(levels ...inventory.Grant) inventory.Stock {
	s := inventory.Stock{Available: map[string]map[string]int64{}}
	for _, l := range levels {
		if s.Available[l.LocationID] == nil {
			s.Available[l.LocationID] = map[string]int64{}
			s.Locations = append(s.Locations, inventory.Location{ID: l.LocationID, Priority: len(s.Locations)})
		}
		s.Available[l.LocationID][l.SKU] = l.Quantity
	}
	return s
}

func at(location, sku string, units int64) inventory.Grant {
	return inventory.Grant{LocationID: location, SKU: sku, Quantity: units}
}

func need(line, sku string, units int64) inventory.Need {
	return inventory.Need{LineID: line, SKU: sku, Quantity: units}
}

func grant(line, sku, location string, units int64) inventory.Grant {
	return inventory.Grant{LineID: line, SKU: sku, LocationID: location, Quantity: units}
}

func TestAllocate(t *testing.T) {
	for _, c := range []struct {
		name   string
		needs  []inventory.Need
		stock  inventory.Stock
		grants []inventory.Grant
	}{
		{"one location has it", []inventory.Need{need("a", "TEE", 2)}, stock(at("nyc", "TEE", 2)),
			[]inventory.Grant{grant("a", "TEE", "nyc", 2)}},
		{"the first of those that have it all", []inventory.Need{need("a", "TEE", 2)},
			stock(at("nyc", "TEE", 1), at("lax", "TEE", 2), at("sfo", "TEE", 99)),
			[]inventory.Grant{grant("a", "TEE", "lax", 2)}},
		{"ten of six and eight: never six and eight", []inventory.Need{need("a", "TEE", 10)},
			stock(at("nyc", "TEE", 6), at("lax", "TEE", 8)),
			[]inventory.Grant{grant("a", "TEE", "lax", 8), grant("a", "TEE", "nyc", 2)}},
		{"two lines of one SKU are summed", []inventory.Need{need("a", "TEE", 3), need("b", "TEE", 3)},
			stock(at("nyc", "TEE", 4), at("lax", "TEE", 6)),
			[]inventory.Grant{grant("a", "TEE", "lax", 3), grant("b", "TEE", "lax", 3)}},
		{"a line is split where no location has it all", []inventory.Need{need("a", "TEE", 3), need("b", "MUG", 1)},
			stock(at("nyc", "TEE", 2), at("lax", "TEE", 2), at("lax", "MUG", 1)),
			[]inventory.Grant{grant("a", "TEE", "lax", 2), grant("b", "MUG", "lax", 1), grant("a", "TEE", "nyc", 1)}},
		{"a negative level lowers nobody else's", []inventory.Need{need("a", "TEE", 5)},
			stock(at("nyc", "TEE", -7), at("lax", "TEE", 5)),
			[]inventory.Grant{grant("a", "TEE", "lax", 5)}},
		{"nothing asked, nothing given", nil, stock(at("nyc", "TEE", 5)), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, inventory.Plan{Grants: c.grants}, inventory.Allocate(c.needs, c.stock))
		})
	}
}

func TestTiesGoByIdNotByTheOrderOfTheList(t *testing.T) {
	available := map[string]map[string]int64{"b": {"TEE": 5}, "a": {"TEE": 5}, "c": {"TEE": 5}}
	levels := inventory.Stock{Available: available, Locations: []inventory.Location{{ID: "c", Priority: 1}, {ID: "b", Priority: 1}, {ID: "a", Priority: 1}}}
	require.Equal(t, []inventory.Grant{grant("x", "TEE", "a", 5)}, inventory.Allocate([]inventory.Need{need("x", "TEE", 5)}, levels).Grants)
	levels.Locations[0].Priority = 0
	require.Equal(t, []inventory.Grant{grant("x", "TEE", "c", 5)}, inventory.Allocate([]inventory.Need{need("x", "TEE", 5)}, levels).Grants)
}

// except names locations that may not serve a need.
func except(n inventory.Need, locations ...string) inventory.Need {
	n.Except = map[string]time.Time{}
	for _, l := range locations {
		n.Except[l] = noon
	}
	return n
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestWhatArrivedSinceIsAskedFor(t *testing.T) {
	levels := stock(at("nyc", "TEE", 3))
	needs := []inventory.Need{except(need("x", "TEE", 3), "nyc")}
	for arrived, granted := range map[time.Time]bool{{}: false, noon.Add(-time.Hour): false, noon: false, noon.Add(time.Second): true} {
		levels.Arrived = map[string]map[string]time.Time{"nyc": {"TEE": arrived, "MUG": noon.Add(time.Hour)}}
		require.Equal(t, granted, len(inventory.Allocate(needs, levels).Grants) == 1, arrived)
	}
}

func TestWhereAPickerFoundNothingServesNobodyOfTheOrder(t *testing.T) {
	levels := stock(at("nyc", "TEE", 9), at("nyc", "MUG", 9), at("lax", "TEE", 3))
	for _, c := range []struct {
		name   string
		needs  []inventory.Need
		grants []inventory.Grant
		short  []inventory.Short
	}{
		{"the next one serves it", []inventory.Need{except(need("a", "TEE", 3), "nyc")}, []inventory.Grant{grant("a", "TEE", "lax", 3)}, nil},
		{"the location still lists the SKU", []inventory.Need{except(need("a", "TEE", 1), "nyc", "lax")}, nil,
			[]inventory.Short{{LineID: "a", SKU: "TEE", Requested: 1, Known: true}}},
		{"another line for the SKU is not sent there either", []inventory.Need{need("a", "TEE", 2), except(need("b", "TEE", 2), "nyc")},
			[]inventory.Grant{grant("a", "TEE", "lax", 2), grant("b", "TEE", "lax", 1)},
			[]inventory.Short{{LineID: "b", SKU: "TEE", Requested: 2, Available: 1, Known: true}}},
		{"another SKU is", []inventory.Need{except(need("a", "TEE", 1), "nyc"), need("b", "MUG", 1)},
			[]inventory.Grant{grant("b", "MUG", "nyc", 1), grant("a", "TEE", "lax", 1)}, nil},
		{"a location that there is none of", []inventory.Need{except(need("a", "TEE", 1), "sfo")}, []inventory.Grant{grant("a", "TEE", "nyc", 1)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, inventory.Plan{Grants: c.grants, Short: c.short}, inventory.AllocateSome(c.needs, levels))
			if c.short != nil {
				require.Equal(t, inventory.Plan{Short: c.short}, inventory.Allocate(c.needs, levels))
			}
		})
	}
}

func TestAllocateSome(t *testing.T) {
	for _, c := range []struct {
		name  string
		needs []inventory.Need
		stock inventory.Stock
		plan  inventory.Plan
	}{
		{"all there is of one line, and all of the other", []inventory.Need{need("a", "TEE", 5), need("b", "MUG", 1)},
			stock(at("nyc", "TEE", 3), at("nyc", "MUG", 4)), inventory.Plan{
				Grants: []inventory.Grant{grant("a", "TEE", "nyc", 3), grant("b", "MUG", "nyc", 1)},
				Short:  []inventory.Short{{LineID: "a", SKU: "TEE", Requested: 5, Available: 3, Known: true}}}},
		{"from whoever has most of it first", []inventory.Need{need("a", "TEE", 9)}, stock(at("nyc", "TEE", 2), at("lax", "TEE", 4)),
			inventory.Plan{Grants: []inventory.Grant{grant("a", "TEE", "lax", 4), grant("a", "TEE", "nyc", 2)},
				Short: []inventory.Short{{LineID: "a", SKU: "TEE", Requested: 9, Available: 6, Known: true}}}},
		{"the line that asked first is served first", []inventory.Need{need("a", "TEE", 2), need("b", "TEE", 2)}, stock(at("nyc", "TEE", 3)),
			inventory.Plan{Grants: []inventory.Grant{grant("a", "TEE", "nyc", 2), grant("b", "TEE", "nyc", 1)},
				Short: []inventory.Short{{LineID: "b", SKU: "TEE", Requested: 2, Available: 1, Known: true}}}},
		{"nobody has any", []inventory.Need{need("a", "TEE", 2), need("b", "HAT", 1)}, stock(at("nyc", "TEE", 0)),
			inventory.Plan{Short: []inventory.Short{{LineID: "a", SKU: "TEE", Requested: 2, Known: true},
				{LineID: "b", SKU: "HAT", Requested: 1}}}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.plan, inventory.AllocateSome(c.needs, c.stock)) })
	}
}

func TestWhatIsSetAsideComesFromWhoeverIsAskedLast(t *testing.T) {
	levels := stock(at("nyc", "TEE", 4), at("lax", "TEE", -2), at("sfo", "TEE", 3), at("sfo", "MUG", 1))
	rest := levels.SetAside(map[string]int64{"TEE": 5, "HAT": 9})
	require.Equal(t, map[string]map[string]int64{"nyc": {"TEE": 2}, "lax": {"TEE": -2}, "sfo": {"TEE": 0, "MUG": 1}}, rest.Available)
	require.EqualValues(t, 3, levels.Available["sfo"]["TEE"], "the stock itself is as it was")
	require.Equal(t, levels, levels.SetAside(nil))
}

func TestTakeLowersTheStock(t *testing.T) {
	levels := stock(at("nyc", "TEE", 4), at("lax", "TEE", 2))
	levels.Take(inventory.AllocateSome([]inventory.Need{need("a", "TEE", 5)}, levels).Grants)
	require.Equal(t, map[string]map[string]int64{"nyc": {"TEE": 0}, "lax": {"TEE": 1}}, levels.Available)
}

func TestAllocateNamesWhatIsShort(t *testing.T) {
	levels := stock(at("nyc", "TEE", 4), at("lax", "TEE", -2), at("lax", "MUG", 0))
	plan := inventory.Allocate([]inventory.Need{need("a", "TEE", 3), need("b", "TEE", 2), need("c", "MUG", 1),
		need("d", "HAT", 1), need("e", "TEE", 1)}, levels)
	require.Empty(t, plan.Grants, "all or nothing")
	require.Equal(t, []inventory.Short{
		{LineID: "b", SKU: "TEE", Requested: 2, Available: 1, Known: true}, // what the line before it left
		{LineID: "c", SKU: "MUG", Requested: 1, Available: 0, Known: true},
		{LineID: "d", SKU: "HAT", Requested: 1, Available: 0, Known: false},
		{LineID: "e", SKU: "TEE", Requested: 1, Available: 0, Known: true},
	}, plan.Short)
}

// problem is any order against any stock: few SKUs and locations, so that they meet.
type problem struct {
	needs []inventory.Need
	stock inventory.Stock
}

var problems = rapid.Custom(func(t *rapid.T) problem {
	sku := rapid.SampledFrom([]string{"A", "B", "C"})
	p := problem{stock: inventory.Stock{Available: map[string]map[string]int64{}}}
	for i := range rapid.IntRange(1, 5).Draw(t, "lines") {
		n := need(fmt.Sprint("line", i), sku.Draw(t, "sku"), rapid.Int64Range(1, 12).Draw(t, "quantity"))
		if rapid.IntRange(0, 3).Draw(t, "was short") == 0 {
			n = except(n, rapid.SliceOfN(rapid.SampledFrom([]string{"loc0", "loc1", "loc2"}), 1, 2).Draw(t, "except")...)
		}
		p.needs = append(p.needs, n)
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "locations") {
		l := inventory.Location{ID: fmt.Sprint("loc", i), Priority: rapid.IntRange(0, 1).Draw(t, "priority")}
		p.stock.Locations = append(p.stock.Locations, l)
		p.stock.Available[l.ID] = map[string]int64{}
		for _, sku := range []string{"A", "B", "C"} {
			if n := rapid.Int64Range(-6, 20).Draw(t, sku); n > -5 { // else it never had any
				p.stock.Available[l.ID][sku] = n
			}
		}
	}
	return p
})

// check runs a property often: these are cheap, and what they look for takes a coincidence.
func check(t *testing.T, property func(*rapid.T)) {
	for range 10 {
		rapid.Check(t, property)
	}
}

func (p problem) demand() map[string]int64 {
	sum := map[string]int64{}
	for _, n := range p.needs {
		sum[n.SKU] += n.Quantity
	}
	return sum
}

// has is what a location can give of a SKU: nothing when it owes some, or when a picker did not find it there.
func (p problem) has(location, sku string) int64 {
	for _, n := range p.needs {
		if _, missed := n.Except[location]; missed && n.SKU == sku {
			return 0
		}
	}
	return max(p.stock.Available[location][sku], 0)
}

// supply is what all locations together have of a SKU.
func (p problem) supply(sku string) int64 {
	var sum int64
	for location := range p.stock.Available {
		sum += p.has(location, sku)
	}
	return sum
}

// servers lists the locations that have everything, first by priority, then by id.
func (p problem) servers() []inventory.Location {
	var able []inventory.Location
	for _, l := range p.stock.Locations {
		serves := true
		for sku, units := range p.demand() {
			serves = serves && p.has(l.ID, sku) >= units
		}
		if serves {
			able = append(able, l)
		}
	}
	slices.SortFunc(able, func(a, b inventory.Location) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.ID, b.ID))
	})
	return able
}

func TestAllocateIsAllOrNothing(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := problems.Draw(t, "problem")
		some, all := inventory.AllocateSome(p.needs, p.stock), inventory.Allocate(p.needs, p.stock)
		require.Equal(t, some.Short, all.Short)
		if len(some.Short) > 0 {
			require.Empty(t, all.Grants)
		} else {
			require.Equal(t, some, all, "where there is enough, the two are one")
		}
	})
}

func TestNobodyGivesMoreThanHeHas(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := problems.Draw(t, "problem")
		perLevel := map[[2]string]int64{}
		for _, g := range inventory.AllocateSome(p.needs, p.stock).Grants {
			require.Positive(t, g.Quantity)
			perLevel[[2]string{g.LocationID, g.SKU}] += g.Quantity
		}
		for level, units := range perLevel {
			require.LessOrEqual(t, units, p.has(level[0], level[1]), "%s of %s", level[1], level[0])
		}
	})
}

func TestGrantedAndShortIsAsked(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := problems.Draw(t, "problem")
		plan := inventory.AllocateSome(p.needs, p.stock)
		granted, short := map[string]int64{}, map[string]inventory.Short{}
		for _, g := range plan.Grants {
			granted[g.LineID] += g.Quantity
		}
		for _, s := range plan.Short {
			short[s.LineID] = s
		}
		for _, n := range p.needs {
			s, isShort := short[n.LineID]
			require.Equal(t, isShort, granted[n.LineID] < n.Quantity)
			if isShort {
				require.Equal(t, n.Quantity, s.Requested)
				require.Equal(t, granted[n.LineID], s.Available)
			}
		}
	})
}

func TestAllocateSomeLeavesNothingThatAnybodyWants(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := problems.Draw(t, "problem")
		granted := map[string]int64{}
		for _, g := range inventory.AllocateSome(p.needs, p.stock).Grants {
			granted[g.SKU] += g.Quantity
		}
		for sku, units := range p.demand() {
			require.Equal(t, min(units, p.supply(sku)), granted[sku], sku)
		}
	})
}

func TestSetAsideTakesWhatThereIsAndNoMore(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := problems.Draw(t, "problem")
		for i := range p.needs {
			p.needs[i].Except = nil
		}
		rest := problem{stock: p.stock.SetAside(p.demand())}
		for sku, units := range p.demand() {
			require.Equal(t, max(p.supply(sku)-units, 0), rest.supply(sku), sku)
		}
		require.Equal(t, p.stock.Locations, rest.stock.Locations)
		require.Equal(t, rest, problem{stock: p.stock.SetAside(p.demand())}, "the stock itself is as it was")
	})
}

func TestAllocateRefusesOnlyWhatIsShort(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := problems.Draw(t, "problem")
		enough := true
		for sku, units := range p.demand() {
			enough = enough && p.supply(sku) >= units
		}
		plan := inventory.Allocate(p.needs, p.stock)
		require.Equal(t, enough, len(plan.Short) == 0)
		require.Equal(t, enough, len(plan.Grants) > 0)
		for _, s := range plan.Short {
			require.Less(t, s.Available, s.Requested)
			require.LessOrEqual(t, s.Available, p.supply(s.SKU))
		}
	})
}

func TestOneLocationThatHasItAllWins(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := problems.Draw(t, "problem")
		able := p.servers()
		plan := inventory.Allocate(p.needs, p.stock)
		used := map[string]bool{}
		for _, g := range plan.Grants {
			used[g.LocationID] = true
		}
		if len(able) == 0 { // as everywhere where it is short
			require.NotEqual(t, 1, len(used), "one location cannot serve it")
			return
		}
		require.Equal(t, map[string]bool{able[0].ID: true}, used)
	})
}

// A split takes nothing from a location that it could do without at the moment of choosing: each but the last is
// emptied of what is still wanted.
func TestASplitEmptiesEachLocationBeforeTheNext(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := problems.Draw(t, "problem")
		open := p.demand()
		plan := inventory.AllocateSome(p.needs, p.stock)
		for i := 0; i < len(plan.Grants); {
			location, taken := plan.Grants[i].LocationID, map[string]int64{}
			for ; i < len(plan.Grants) && plan.Grants[i].LocationID == location; i++ {
				taken[plan.Grants[i].SKU] += plan.Grants[i].Quantity
			}
			for sku, units := range open {
				require.Equal(t, min(units, p.has(location, sku)), taken[sku], "%s at %s", sku, location)
				open[sku] -= taken[sku]
			}
		}
	})
}

func TestAllocateDoesNotDependOnTheOrderOfLocations(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := problems.Draw(t, "problem")
		plan := inventory.AllocateSome(p.needs, p.stock)
		given := append([]inventory.Location(nil), p.stock.Locations...)
		p.stock.Locations = rapid.Permutation(p.stock.Locations).Draw(t, "shuffled")
		shuffled := append([]inventory.Location(nil), p.stock.Locations...)
		require.Equal(t, plan, inventory.AllocateSome(p.needs, p.stock))
		require.Equal(t, shuffled, p.stock.Locations, "the caller's list is left alone")
		require.ElementsMatch(t, given, shuffled)
	})
}

// What one location owes is its own affair.
func TestANegativeLevelIsAsGoodAsNone(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := problems.Draw(t, "problem")
		plan := inventory.AllocateSome(p.needs, p.stock)
		for _, available := range p.stock.Available {
			for sku, units := range available {
				available[sku] = max(units, 0)
			}
		}
		require.Equal(t, plan, inventory.AllocateSome(p.needs, p.stock))
	})
}
