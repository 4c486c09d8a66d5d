//go:build unix

package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	temporal "go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/demo"
	"github.com/waybill-oms/waybill/worker"
)

// Options say what to run, and how it is broken.
type Options struct {
	Plan
	Orders   int // at most; a quarter as many units are on sale besides, for twice as many buyers
	Parallel int // how many orders are played at a time

	Binary string   // waybill
	Next   string   // the build that takes over in the middle; Binary when empty
	Env    []string // added to the environment of its processes

	SQLite bool // keep Temporal's runs in SQLite instead of PostgreSQL
	Fsync  bool // have PostgreSQL wait for the disk, which only matters when the machine itself dies

	Tell     func(line string) // hears of what takes long; never twice at once
	Progress func(Progress)    // hears every second how far it is
}

// Progress is how far a run is.
type Progress struct {
	Phase        string
	Elapsed, Of  time.Duration // of the faults' window
	Orders       int           // played to their end
	Active, Done int           // faults
}

// run is one run.
type run struct {
	Options
	stack      *stack
	people     *people
	subscriber *subscriber
	sale       *sale
	breaker    *breaker
	book       *book
	answers    *witness
	arrivals   *witness
	runs       temporal.Client
	healed     time.Time // when the last fault was undone
}

// patience is how long somebody repeats a request, or waits for an order, before it counts as wrong. Faults follow each
// other, so it is much longer than any of them.
const patience = 2 * time.Minute

// endLimit bounds what comes after the window: people who finish what they have begun, settling, verifying. Before it,
// startLimit bounds bringing everything up, without building anything.
const (
	endLimit   = 2*patience + settleLimit
	startLimit = 5 * time.Minute
)

// Run plays a whole run and reports. An error means that it could not be played; what did not hold is in the report. The
// folder with the logs is removed unless something was wrong: the report, or the error, says where it is.
func Run(ctx context.Context, o Options) (*Report, error) {
	dir, err := os.MkdirTemp("", "waybill-chaos-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // the user that PostgreSQL runs as has to pass through
		return nil, err
	}
	o.Next = cmp.Or(o.Next, o.Binary)
	r := &run{Options: o, stack: &stack{options: o, dir: dir}, book: &book{began: time.Now()}}
	report, err := r.whole(ctx)
	err = errors.Join(err, r.end())
	if err == nil && report.Passed() {
		return report, os.RemoveAll(dir)
	}
	if ctx.Err() != nil {
		return report, errors.Join(ctx.Err(), os.RemoveAll(dir))
	}
	if report != nil {
		report.Logs = dir
		return report, err
	}
	return nil, fmt.Errorf("%w\nthe logs are in %s", err, dir)
}

func (r *run) whole(ctx context.Context) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit+r.Window+endLimit)
	defer cancel()
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	stop := r.watch()
	defer stop()
	played, err := r.play(ctx)
	if err != nil {
		return nil, err
	}
	return r.judge(ctx, played)
}

// open brings everything up, and everybody who has to do with it.
func (r *run) open(ctx context.Context) (err error) {
	if err := r.stack.raise(ctx); err != nil {
		return err
	}
	if r.answers, err = openWitness(r.clientLog()); err != nil {
		return err
	}
	if r.arrivals, err = openWitness(r.receiverLog()); err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if r.runs, err = worker.Connect(ctx, worker.Connection{Address: r.stack.temporalAddress(), Namespace: "default", Log: log}); err != nil {
		return err
	}
	r.people = newPeople(r.Seed, []string{r.stack.net.to(clients, apis[0]), r.stack.net.to(clients, apis[1])}, r.answers)
	api, err := client.Connect("http://"+loopback, r.stack.apiKey, client.WithHTTPClient(r.people))
	if err != nil {
		return err
	}
	units := max(1, r.Orders/4)
	r.subscriber = &subscriber{api: api, arrivals: r.arrivals}
	r.sale = &sale{api: api, code: fmt.Sprintf("SALE%d", r.Seed), units: units, buyers: 2 * units}
	r.breaker = &breaker{stack: r.stack, next: r.Next, active: map[string]bool{}}
	return nil
}

func (r *run) clientLog() string   { return filepath.Join(r.stack.dir, "clients.jsonl") }
func (r *run) receiverLog() string { return filepath.Join(r.stack.dir, "receiver.jsonl") }

// end ends everything that was started.
func (r *run) end() error {
	r.book.phase("stopping")
	if r.runs != nil {
		r.runs.Close()
	}
	err := r.stack.lower()
	for _, w := range []*witness{r.answers, r.arrivals} {
		if w != nil && w.file != nil {
			err = errors.Join(err, w.close())
		}
	}
	return err
}

// play has people work while everything is broken, and returns when all is healed and everybody has come to an end.
func (r *run) play(ctx context.Context) (*demo.Report, error) {
	window, over := context.WithTimeout(ctx, r.Window)
	defer over()
	following, unfollow := context.WithCancel(ctx)
	subscribed := make(chan struct{})
	go func() {
		defer close(subscribed)
		r.subscriber.follow(following)
	}()
	defer func() {
		unfollow()
		<-subscribed
	}()
	r.book.phase("faults")
	healed := make(chan struct{})
	go func() {
		defer close(healed)
		r.breaker.play(ctx, window, r.Schedule())
		r.healed = time.Now()
	}()
	report, err := r.work(ctx, window, over)
	over()
	<-healed
	r.people.late.Wait()
	return report, err
}

// work is what people do: orders of every kind, and a sale. When they are done before the window is, it is over.
func (r *run) work(ctx, window context.Context, over func()) (report *demo.Report, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.Window+patience) // whoever is stuck is reported, not waited for
	defer cancel()
	working, ctx := errgroup.WithContext(ctx)
	working.Go(func() error {
		report, err = demo.Run(ctx, demo.Options{API: r.subscriber.api, Orders: r.Orders, Parallel: r.Parallel,
			Seed: int64(r.Seed), Patience: patience, Played: r.book.played, Enough: window.Done()}) //nolint:gosec // any number will do
		return err
	})
	working.Go(func() error { r.sale.hold(ctx); return nil })
	go func() {
		<-window.Done()
		r.book.phase("coming to an end")
	}()
	err = working.Wait()
	over()
	return report, err
}

// watch tells how far it is, every second, until it is stopped.
func (r *run) watch() (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p := r.book.progress()
				p.Of = r.Window
				p.Active, p.Done = r.breaker.counts()
				r.Progress(p)
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-stopped
	}
}
