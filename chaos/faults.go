//go:build unix

package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// Done is a fault that was done, and undone.
type Done struct {
	Fault
	Healed time.Time `json:"healed"`
	// Recovery is the time from then to the first command that worked; negative when none did.
	Recovery time.Duration `json:"recovery"`
	Trouble  string        `json:"trouble,omitempty"` // what kept it from being done as it should
}

// breaker does what the schedule says.
type breaker struct {
	stack  *stack
	next   string // the binary of the next build
	mu     sync.Mutex
	active map[string]bool
	done   []Done
	under  sync.WaitGroup
}

// play does every fault at its time and returns when all are undone. When window ends no more are begun, and what is done
// is undone at once.
func (b *breaker) play(ctx, window context.Context, faults []Fault) {
	began := time.Now()
	for _, f := range faults {
		if client.Pause(window, time.Until(began.Add(f.At))) != nil {
			break
		}
		b.under.Go(func() { b.one(ctx, window, f) })
	}
	b.under.Wait()
}

func (b *breaker) one(ctx, window context.Context, f Fault) {
	b.mu.Lock()
	b.active[f.String()] = true
	b.mu.Unlock()
	b.stack.note("begin " + f.String() + " for " + f.For.String())
	err := b.apply(ctx, window, f)
	b.stack.note("end " + f.String())
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.active, f.String())
	d := Done{Fault: f, Healed: time.Now()}
	if err != nil && ctx.Err() == nil {
		d.Trouble = err.Error()
		b.stack.note(f.String() + ": " + d.Trouble)
	}
	b.done = append(b.done, d)
}

// apply does a fault, and undoes it in its time.
func (b *breaker) apply(ctx, window context.Context, f Fault) error {
	switch f.Kind {
	case Deploy:
		return b.deploy(ctx)
	case Kill:
		p := b.stack.parts[f.Target]
		lives := p.starts.Load()
		if err := p.kill(f.For); err != nil {
			return err
		}
		return until(ctx, backWithin, func(context.Context) error {
			if p.starts.Load() == lives {
				return errors.New("it does not come back")
			}
			return nil
		})
	case Freeze:
		thaw, err := b.stack.parts[f.Target].freeze()
		_ = client.Pause(window, f.For)
		return errors.Join(err, thaw())
	}
	r := b.stack.net.ways[f.Target]
	err := r.breaks(f.Kind)
	_ = client.Pause(window, f.For)
	return errors.Join(err, r.heals(context.WithoutCancel(ctx)))
}

// deploy has the next build take over, worker by worker and then API by API: for a while both run side by side.
func (b *breaker) deploy(ctx context.Context) error {
	b.stack.mu.Lock()
	b.stack.binary = b.next
	b.stack.mu.Unlock()
	var errs []error
	for _, name := range append(append([]string{}, workers...), apis...) {
		if err := b.stack.parts[name].replace(ctx, answers); err != nil {
			errs = append(errs, fmt.Errorf("deploy: %w", err))
		}
	}
	return errors.Join(errs...)
}

// counts are the faults that are done right now, and those that were.
func (b *breaker) counts() (active, done int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.active), len(b.done)
}
