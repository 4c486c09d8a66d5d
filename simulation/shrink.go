package simulation

import (
	"context"
	"fmt"
	"slices"
)

// Shrink finds a smaller scope that is red for the same reason: fewer orders, then fewer faults. It plays the world at
// most so many times, and tells of what it gained.
func Shrink(ctx context.Context, world World, red Scope, tries int, tell func(string)) Scope {
	s := &shrinking{ctx: ctx, world: world, left: tries, tell: tell}
	first, ok := s.play(red)
	if !ok || !first.Red() {
		return red
	}
	for _, v := range first.Violations {
		s.ids = append(s.ids, v.ID)
	}
	s.least, s.faults = red, first.Faults
	s.fewerOrders()
	s.fewerFaults()
	return s.least
}

// shrinking is a search for the least scope that is still red.
type shrinking struct {
	ctx    context.Context
	world  World
	left   int
	tell   func(string)
	ids    []string // what the first run violated: another one would be another story
	least  Scope
	faults []string // that happened in it
}

func (s *shrinking) play(scope Scope) (Result, bool) {
	if s.left <= 0 || s.ctx.Err() != nil {
		return Result{}, false
	}
	s.left--
	result, err := s.world(s.ctx, scope)
	return result, err == nil
}

// red plays a scope, and keeps it when it is still red for the same reason.
func (s *shrinking) red(scope Scope) bool {
	result, ok := s.play(scope)
	if !ok || !slices.ContainsFunc(result.Violations, func(v Violation) bool { return slices.Contains(s.ids, v.ID) }) {
		return false
	}
	s.least, s.faults = scope, result.Faults
	s.tell(fmt.Sprintf("still red with %d orders and %d faults", len(scope.Played()), len(result.Faults)))
	return true
}

func (s *shrinking) fewerOrders() {
	reduce(s.least.Played(), func(orders []int) bool {
		scope := s.least
		scope.Only = orders
		return len(orders) > 0 && s.red(scope)
	})
}

// fewerFaults mutes what is not needed. A world without a fault may come to have others: those are tried again.
func (s *shrinking) fewerFaults() {
	for before := -1; before != len(s.least.Mute); {
		before = len(s.least.Mute)
		muted, all := s.least.Mute, slices.Clone(s.faults)
		reduce(all, func(kept []string) bool {
			scope := s.least
			scope.Mute = slices.Clone(muted)
			for _, fault := range all {
				if !slices.Contains(kept, fault) {
					scope.Mute = append(scope.Mute, fault)
				}
			}
			return s.red(scope)
		})
	}
}

// reduce is delta debugging: it looks for a small part of a list that still has what was asked, leaving out ever
// smaller pieces of it. still is asked of a part, never of the whole.
func reduce[T any](list []T, still func([]T) bool) {
	for pieces := 1; len(list) > 0; {
		size, smaller := (len(list)+pieces-1)/pieces, false
		for at := 0; at < len(list); {
			rest := slices.Concat(list[:at], list[min(at+size, len(list)):])
			if still(rest) {
				list, smaller = rest, true
				continue
			}
			at += size
		}
		switch {
		case size > 1:
			pieces = min(pieces*2, len(list))
		case !smaller:
			return
		}
		if len(list) > 0 {
			pieces = max(1, min(pieces, len(list)))
		}
	}
}
