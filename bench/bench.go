package bench

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"
	"go.temporal.io/sdk/client"

	waybill "github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/workflows"
)

// Stack is what is measured: a Waybill with everything that it needs.
type Stack struct {
	APIURL, APIKey string
	DatabaseURL    string
	Temporal       client.Client
	// Store is what keeps Temporal's runs, for the report.
	Store string
	// Others says that the stack's processes are not this one's children: CPU time is then that of every process of the
	// machine that has the name of one.
	Others bool
}

// Options say what is to be measured.
type Options struct {
	InFlight []int         // one after the other
	For      time.Duration // how long each of them is measured, both sides together
	Orders   int           // how many orders each of them places at most; 0: as many as there is time for
	Slice    time.Duration // how long one side is counted before the other has its turn
	WarmUp   time.Duration // how long each side runs before anything is counted: connections prepare their statements then
	Lines    int           // of each order
	Preload  int           // orders that are to be in the database beforehand
	// Progress hears what is under way, a few times a second at most. It may be nil.
	Progress func(line string)
}

// runner is one benchmark.
type runner struct {
	Options
	stack Stack
	code  string
	db    *sql.DB
	meter *meter
	bare  *bare
}

// newRunner makes one, with a connection to the stack's database.
func newRunner(stack Stack, o Options) (*runner, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	r := &runner{Options: o, stack: stack, code: "bench-" + strings.ToLower(rand.Text()[:6])}
	connector, err := pq.NewConnector(stack.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	r.db = sql.OpenDB(connector)
	return r, nil
}

// Preload has so many orders in the database, and measures nothing.
func Preload(ctx context.Context, stack Stack, o Options) error {
	r, err := newRunner(stack, o)
	if err != nil {
		return err
	}
	defer r.db.Close()
	return r.prepare(ctx)
}

// Run measures a stack. It ends what it has begun, also when ctx ends before.
func Run(ctx context.Context, stack Stack, o Options) (*Report, error) {
	r, err := newRunner(stack, o)
	if err != nil {
		return nil, err
	}
	defer r.db.Close()
	r.meter = newMeter(ctx, r.db, stack.Others)
	if r.bare, err = startBare(stack.Temporal, r.code); err != nil {
		return nil, err
	}
	defer r.bare.stop()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	report := &Report{TemporalStore: stack.Store, Lines: o.Lines}
	if err := r.db.QueryRowContext(ctx, `SELECT count(*) FROM orders`).Scan(&report.OrdersBefore); err != nil {
		return nil, err
	}
	if err := r.warmUp(ctx); err != nil {
		return nil, err
	}
	for _, inFlight := range o.InFlight {
		level, err := r.level(ctx, inFlight)
		if err != nil {
			return nil, err
		}
		report.Levels = append(report.Levels, level)
	}
	report.conclude()
	return report, nil
}

// prepare makes the warehouse, and fills the database.
func (r *runner) prepare(ctx context.Context) error {
	shop, err := r.shop(1)
	if err != nil {
		return err
	}
	if err := shop.open(ctx); err != nil || r.Preload == 0 {
		return err
	}
	var there int
	if err := r.db.QueryRowContext(ctx, `SELECT count(*) FROM orders`).Scan(&there); err != nil || there >= r.Preload {
		return err
	}
	ids, err := r.originals(ctx)
	if err != nil {
		return err
	}
	p := &preloader{db: r.db, tell: func(done, of int) { r.Progress(fmt.Sprintf("preload: %d of %d orders", done, of)) }}
	return p.run(ctx, ids, r.Preload)
}

// originals has some orders made by the real thing, of one, two and three lines, one of them cancelled, and waits until
// nothing of them is under way any more.
func (r *runner) originals(ctx context.Context) (ids []string, err error) {
	const whole = 7
	t := newTally()
	for i := range whole {
		shop, err := r.shop(1 + i%len(goods))
		if err != nil {
			return nil, err
		}
		shop.code = fmt.Sprintf("%so%d", r.code, i)
		play := shop.play
		if i == whole-1 {
			play = shop.cancelled
		}
		if err := play(ctx, t); err != nil {
			return nil, err
		}
	}
	for {
		var open int
		err := r.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM events WHERE position IS NULL) + (SELECT count(*) FROM inbox WHERE heard_at IS NULL)
			+ (SELECT count(*) FROM orders WHERE NOT settled AND starts_with(external_id, $1))`, r.code).Scan(&open)
		if err != nil {
			return nil, err
		}
		if open == 0 {
			break
		}
		if err := waybill.Pause(ctx, lookEvery); err != nil {
			return nil, err
		}
	}
	err = r.db.QueryRowContext(ctx, `SELECT array_agg(id) FROM orders WHERE starts_with(external_id, $1)`, r.code+"o").Scan((*pq.StringArray)(&ids))
	return ids, err
}

func (r *runner) shop(lines int) (*shop, error) {
	most := 1
	for _, n := range r.InFlight {
		most = max(most, n)
	}
	api, err := connect(r.stack.APIURL, r.stack.APIKey, most)
	return &shop{api: api, code: r.code, lines: lines}, err
}

// level measures both sides at a number in flight, in turns.
func (r *runner) level(ctx context.Context, inFlight int) (level Level, err error) {
	shop, err := r.shop(r.Lines)
	if err != nil {
		return level, err
	}
	shop.code = fmt.Sprintf("%sl%d", r.code, inFlight)
	sides := []*side{newSide("bare", r.bare.play), newSide("waybill", shop.play)}
	budgets := []*budget{nil, nil}
	if r.Orders > 0 {
		for i := range budgets {
			budgets[i] = &budget{}
			budgets[i].left.Store(int64(r.Orders))
		}
	}
	until := time.Now().Add(r.For)
	for slice := 1; slice == 1 || time.Now().Before(until) && r.enough(budgets, inFlight); slice++ {
		for i, s := range sides {
			r.Progress(fmt.Sprintf("%d in flight, slice %d: %s%s", inFlight, slice, s.name, soFar(sides)))
			if err := s.turn(ctx, r.meter, inFlight, r.Slice, budgets[i]); err != nil {
				return level, fmt.Errorf("%s: %w", s.name, err)
			}
			if err := r.quiet(ctx); err != nil {
				return level, err
			}
		}
	}
	return r.sumUp(ctx, inFlight, sides)
}

// warmUp has each side run for a while, and forgets it.
func (r *runner) warmUp(ctx context.Context) error {
	if r.WarmUp == 0 {
		return nil
	}
	shop, err := r.shop(r.Lines)
	if err != nil {
		return err
	}
	shop.code = r.code + "w"
	for _, s := range []*side{newSide("bare", r.bare.play), newSide("waybill", shop.play)} {
		r.Progress("warming up: " + s.name)
		if err := s.turn(ctx, r.meter, r.InFlight[0], r.WarmUp, nil); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := r.quiet(ctx); err != nil {
			return err
		}
	}
	return nil
}

// enough tells whether another slice would be counted at all.
func (r *runner) enough(budgets []*budget, inFlight int) bool {
	return budgets[0] == nil || min(budgets[0].left.Load(), budgets[1].left.Load()) > int64(inFlight)
}

// soFar is what has come of it, for the one who waits.
func soFar(sides []*side) (text string) {
	for _, s := range sides {
		if s.seconds > 0 {
			text += fmt.Sprintf("; %s %.1f orders/s", s.name, float64(s.orders())/s.seconds)
		}
	}
	return text
}

// quiet waits until runs have heard what they have to: one side's turn is not to be spent on the other's work.
func (r *runner) quiet(ctx context.Context) error {
	for {
		var left int
		if err := r.db.QueryRowContext(ctx, `SELECT count(*) FROM inbox WHERE heard_at IS NULL`).Scan(&left); err != nil || left == 0 {
			return err
		}
		if err := waybill.Pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

func (r *runner) sumUp(ctx context.Context, inFlight int, sides []*side) (level Level, err error) {
	r.Progress(fmt.Sprintf("%d in flight: reading histories", inFlight))
	level.InFlight = inFlight
	for i, into := range []*Figures{&level.Bare, &level.Waybill} {
		ids := sides[i].tally.ids
		if sides[i].name == "waybill" {
			ids = make([]string, len(ids))
			for n, id := range sides[i].tally.ids {
				ids[n] = workflows.WorkflowID(id)
			}
		}
		mean, err := costs(ctx, r.stack.Temporal, ids)
		if err != nil {
			return level, err
		}
		*into = sides[i].figures(mean, r.meter.statements)
	}
	level.compare()
	return level, nil
}
