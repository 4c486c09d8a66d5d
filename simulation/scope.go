package simulation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Scope is what of a seed's world is played. The zero lists mean everything.
type Scope struct {
	Seed   Seed
	Orders int      // how many orders the world has
	Only   []int    // the orders that are played, from 0; nil: all of them
	Mute   []string // faults that do not happen, by their ids in Result.Faults
}

// Plays reports whether this order is part of what is played.
func (s Scope) Plays(order int) bool {
	return order < s.Orders && (s.Only == nil || slices.Contains(s.Only, order))
}

// Fault reports whether the fault with this id may happen. The world asks before it applies one.
func (s Scope) Fault(id string) bool { return !slices.Contains(s.Mute, id) }

// Played lists the orders that are played.
func (s Scope) Played() []int {
	var played []int
	for i := range s.Orders {
		if s.Plays(i) {
			played = append(played, i)
		}
	}
	return played
}

// Command is what repeats this scope by hand.
func (s Scope) Command(layer string) string {
	command := fmt.Sprintf("waybill simulate --layer %s --seed %d --orders %d", layer, s.Seed, s.Orders)
	if s.Only != nil {
		var orders []string
		for _, n := range s.Only {
			orders = append(orders, strconv.Itoa(n))
		}
		command += " --only " + strings.Join(orders, ",")
	}
	if len(s.Mute) > 0 {
		command += " --mute " + strings.Join(s.Mute, ",")
	}
	return command
}

// FaultID names one fault: what it happened to (an operation's key, a parcel …), at which attempt, from 1, and what it
// was. Subject and kind are words without a space, a comma or a colon.
func FaultID(subject string, attempt int, kind string) string {
	return subject + "#" + strconv.Itoa(attempt) + ":" + kind
}

// FaultKind is the last part of a fault's id.
func FaultKind(id string) string { return id[strings.LastIndexByte(id, ':')+1:] }
