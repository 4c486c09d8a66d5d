package chaos

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/simulation"
)

// Kind is what is done to a process or to a way between two.
type Kind string

const (
	Kill    Kind = "kill"    // kill -9; it is started again a moment later
	Freeze  Kind = "freeze"  // SIGSTOP, then SIGCONT
	Cut     Kind = "cut"     // connections break, new ones are refused
	Silence Kind = "silence" // connections stay, and nothing comes through
	Slow    Kind = "slow"    // everything takes up to a second longer, each way
	Reset   Kind = "reset"   // connections are reset when something is sent on them
	Narrow  Kind = "narrow"  // a few kilobytes a second
	Deploy  Kind = "deploy"  // the next build takes over, one process after the other
)

// Kinds lists every kind of fault.
func Kinds() []Kind { return []Kind{Kill, Freeze, Cut, Silence, Slow, Reset, Narrow, Deploy} }

// Fault is one thing that is done, and undone after a while.
type Fault struct {
	At     time.Duration `json:"at"` // after the first order
	For    time.Duration `json:"for"`
	Kind   Kind          `json:"kind"`
	Target string        `json:"target"` // a process, "worker-1", or a way, "worker-1 to postgres"; of a deploy everything
}

// String says it in a word and a place.
func (f Fault) String() string {
	if f.Target == "" {
		return string(f.Kind)
	}
	return fmt.Sprintf("%s %s", f.Kind, f.Target)
}

// What is there to be broken.
var (
	apis      = []string{"api-1", "api-2"}
	workers   = []string{"worker-1", "worker-2"}
	processes = slices.Concat(apis, workers, []string{sandboxPart, temporalPart, postgresPart})
	ways      = waysBetween()
)

const (
	clients      = "clients"
	sandboxPart  = "sandbox"
	temporalPart = "temporal"
	postgresPart = "postgres"
)

func way(from, to string) string { return from + " to " + to }

// waysBetween are all ways that a message takes.
func waysBetween() (list []string) {
	for _, api := range apis {
		list = append(list, way(clients, api), way(api, postgresPart), way(api, temporalPart))
	}
	for _, worker := range workers {
		list = append(list, way(worker, postgresPart), way(worker, temporalPart), way(worker, sandboxPart))
	}
	return append(list, way(temporalPart, postgresPart), way(sandboxPart, postgresPart))
}

// Plan is when faults are to happen.
type Plan struct {
	Seed   simulation.Seed
	Window time.Duration // faults begin and end within it
	// A fault begins between EveryMin and EveryMax after the one before: after its end in the first third of the window,
	// so that each is seen alone, and later after its beginning, so that they overlap.
	EveryMin, EveryMax time.Duration
	Kinds              []Kind
}

// aloneShare of the window has one fault at a time.
const aloneShare = 3

// Schedule is a function of the plan alone. No two faults hit the same target at once.
func (p Plan) Schedule() (faults []Fault) {
	free := map[string]time.Duration{} // from when on a target may be hit again
	if slices.Contains(p.Kinds, Deploy) {
		faults = append(faults, Fault{At: p.Window / 2, Kind: Deploy})
	}
	kinds := slices.DeleteFunc(slices.Clone(p.Kinds), func(k Kind) bool { return k == Deploy })
	if len(kinds) == 0 {
		return faults
	}
	at := p.between(p.EveryMin, p.EveryMax, "first")
	for i := 0; ; i++ {
		f := Fault{At: at, Kind: p.kind(kinds, i)}
		f.For = p.duration(f.Kind, i)
		if f.At+f.For > p.Window {
			break
		}
		if f.Target = p.target(f, free, i); f.Target != "" {
			free[f.Target] = f.At + f.For + recovery
			faults = append(faults, f)
		}
		gap := p.between(p.EveryMin, p.EveryMax, "gap", i)
		if at += gap; f.At < p.Window/aloneShare {
			at += f.For
		}
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return faults
}

// recovery is left to a target between two faults.
const recovery = 2 * time.Second

// kind deals the kinds out like cards, so that a short run has every one of them.
func (p Plan) kind(kinds []Kind, i int) Kind {
	round, place := i/len(kinds), i%len(kinds)
	deck := slices.Clone(kinds)
	for n := len(deck) - 1; n > 0; n-- {
		other := p.Seed.Below(n+1, "deck", round, n)
		deck[n], deck[other] = deck[other], deck[n]
	}
	return deck[place]
}

// duration of a fault. The longest stays well under the 30 seconds after which a request to a gateway that nobody wants any
// more counts as lost: it must not arrive later than that.
func (p Plan) duration(k Kind, i int) time.Duration {
	switch k {
	case Kill:
		return p.between(200*time.Millisecond, 3*time.Second, "for", i)
	case Freeze, Silence:
		return p.between(2*time.Second, 10*time.Second, "for", i)
	}
	return p.between(time.Second, 6*time.Second, "for", i)
}

// target chooses among those that are left alone at that time, or nothing.
func (p Plan) target(f Fault, free map[string]time.Duration, i int) string {
	among := ways
	if f.Kind == Kill || f.Kind == Freeze {
		among = processes
	}
	among = slices.DeleteFunc(slices.Clone(among), func(t string) bool { return free[t] > f.At })
	if len(among) == 0 {
		return ""
	}
	return among[p.Seed.Below(len(among), "target", i)]
}

func (p Plan) between(from, to time.Duration, names ...any) time.Duration {
	steps := int((to-from)/time.Millisecond) + 1
	return from + time.Duration(p.Seed.Below(steps, names...))*time.Millisecond
}

// ParseKinds reads a list of kinds, separated by commas.
func ParseKinds(text string) (kinds []Kind, err error) {
	for name := range strings.SplitSeq(text, ",") {
		k := Kind(strings.TrimSpace(name))
		if !slices.Contains(Kinds(), k) {
			return nil, fmt.Errorf("there is no fault %q: choose among %v", name, Kinds())
		}
		kinds = append(kinds, k)
	}
	return kinds, nil
}
