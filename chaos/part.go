//go:build unix

package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// instance is one life of a part.
type instance interface {
	pids() []int // the first is the parent of the others
	ended() <-chan struct{}
	stop() error // in good order, and again without effect
}

// part is something that runs, and that is brought back when it has ended, as any supervisor would.
type part struct {
	name  string
	begin func(ctx context.Context) (instance, error)
	// lead makes every way to it end there.
	lead func(instance) error
	// tell hears of what happened to it.
	tell func(format string, args ...any)

	changing sync.Mutex // whoever puts another instance in its place has it
	mu       sync.Mutex
	now      instance
	back     time.Duration // after which it is brought back
	starts   atomic.Int64
	kept     chan struct{} // closed when nobody looks after it any more
}

// backWithin bounds how long a part takes to be there again, whatever else is broken meanwhile.
const backWithin = 2 * time.Minute

// backAfter is how soon something comes back that has ended by itself.
const backAfter = 500 * time.Millisecond

// up starts it for the first time, and looks after it until ctx ends.
func (p *part) up(ctx context.Context) error {
	now, err := p.begin(ctx)
	if err == nil {
		err = p.lead(now)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.now, p.back, p.kept = now, backAfter, make(chan struct{})
	p.starts.Add(1)
	go func() {
		defer close(p.kept)
		for ctx.Err() == nil {
			p.keep(ctx)
		}
	}()
	return nil
}

// keep waits until the instance has ended, and brings another one up.
func (p *part) keep(ctx context.Context) {
	now := p.instance()
	select {
	case <-ctx.Done():
		return
	case <-now.ended():
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	if p.instance() != now {
		return // another has taken over
	}
	_ = now.stop() // what it still holds, such as a lock on its folder
	for wait := p.backAgain(); client.Pause(ctx, wait) == nil; wait = time.Second {
		another, err := p.begin(ctx)
		if err != nil {
			p.tell("%s does not start: %v", p.name, err)
			continue
		}
		p.become(another)
		return
	}
}

// backAgain is after how long it comes back this time.
func (p *part) backAgain() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	after := p.back
	p.back = backAfter
	return after
}

func (p *part) instance() instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *part) become(another instance) {
	p.mu.Lock()
	p.now = another
	p.mu.Unlock()
	p.starts.Add(1)
	if err := p.lead(another); err != nil {
		p.tell("%v", err)
	}
}

// kill ends it without any warning. It comes back after a while.
func (p *part) kill(back time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.back = back
	return signal(p.now.pids(), syscall.SIGKILL)
}

// freeze stops it from doing anything until thaw is called.
func (p *part) freeze() (thaw func() error, err error) {
	pids := p.instance().pids()
	return func() error { return signal(pids, syscall.SIGCONT) }, signal(pids, syscall.SIGSTOP)
}

// replace lets another instance take over: it is there before the old one is told to stop. One that ends while it starts,
// because what it needs is away, is started again.
func (p *part) replace(ctx context.Context, ready func(context.Context, instance) error) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	var another instance
	err := until(ctx, backWithin, func(ctx context.Context) (err error) {
		if another, err = p.begin(ctx); err != nil {
			return err
		}
		if err := ready(ctx, another); err != nil {
			return errors.Join(err, another.stop())
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s of the next build does not get ready: %w", p.name, err)
	}
	old := p.instance()
	p.become(another)
	return old.stop()
}

// down ends it for good. Its context has ended before, so nobody brings it back.
func (p *part) down() error {
	if p.kept == nil {
		return nil
	}
	<-p.kept
	return p.instance().stop()
}
