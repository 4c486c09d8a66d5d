// Package demo plays everybody around Waybill: customers, the checkout, pickers, packers, the carrier, the returns desk
// and the operator. It knows Waybill only as its clients do, through the API.
//
// It owns the scenarios, what each has to come to, and the report of a run, which is read back through the API and not
// added up from what was played. It does not own anything of Waybill: neither its rules, nor its books, nor its runs.
package demo

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// OrdersMax bounds a run: it is for looking at, not for measuring.
const OrdersMax = 5000

// playLimit bounds one order's whole story. A scenario that takes longer is stuck.
const playLimit = 5 * time.Minute

// Options say what to play. UI, Patience, Played and Enough may be left out.
type Options struct {
	API      *client.ClientWithResponses
	Orders   int
	Parallel int    // how many orders are played at a time
	Seed     int64  // whatever is random comes from it
	UI       string // Temporal's web UI with the namespace, such as http://localhost:8233/namespaces/default

	// Patience is how long a request is sent again, and an order looked at, before the demo gives up on it; a minute.
	Patience time.Duration

	// Played is called after each order, never twice at once.
	Played func(failed bool)

	// Enough ends the run early when it is closed: orders that were begun are played to their end, others are not begun.
	Enough <-chan struct{}
}

// Failure is an order that did not go as its scenario says.
type Failure struct {
	Scenario   string `json:"scenario"`
	ExternalID string `json:"external_id"`
	OrderID    string `json:"order_id"` // empty when there is no order
	Step       string `json:"step"`
	Expected   string `json:"expected"`
	Got        string `json:"got"`
}

// run is one run of the demo.
type run struct {
	Options
	code  string // in every name that the run gives: what it makes is its own
	began time.Time
}

// Run plays the scenarios in turn until the orders are used up, and reports what Waybill says has become of them. When
// ctx ends, the report is about what was played so far. An error means that nothing could be played, or that Waybill
// went away; what went otherwise than it should is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Patience <= 0 {
		o.Patience = time.Minute
	}
	patient, err := patiently(o.API, o.Patience)
	if err != nil {
		return nil, err
	}
	o.API = patient
	r := &run{Options: o, code: codeOf(o.Seed), began: time.Now()}
	if err := r.open(ctx); err != nil {
		return nil, readably(err)
	}
	plays, err := r.playAll(ctx)
	if err != nil {
		return nil, readably(err)
	}
	took := time.Since(r.began)
	report, err := r.report(context.WithoutCancel(ctx), plays) // also of a run that was interrupted
	if err != nil {
		return nil, readably(err)
	}
	report.Seconds = took.Seconds()
	return report, nil
}

// playAll plays every order, a few at a time, and returns those that were begun.
func (r *run) playAll(ctx context.Context) ([]*play, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		begun   []*play
		mu      sync.Mutex
		workers sync.WaitGroup
		next    = make(chan *play)
	)
	for range max(1, r.Parallel) {
		workers.Go(func() {
			for p := range next {
				p.perform(ctx)
				if lost := (*unreachable)(nil); errors.As(p.err, &lost) {
					stop(lost)
				}
				mu.Lock()
				begun = append(begun, p)
				if r.Played != nil && !p.cutShort {
					r.Played(p.failure != nil)
				}
				mu.Unlock()
			}
		})
	}
	for i := 0; i < r.Orders && ctx.Err() == nil && !r.enough(); i++ {
		select {
		case next <- r.newPlay(i):
		case <-r.Enough:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	if lost := (*unreachable)(nil); errors.As(context.Cause(ctx), &lost) {
		return nil, lost
	}
	return begun, nil
}

// enough tells whether no further orders are wanted.
func (r *run) enough() bool {
	select {
	case <-r.Enough:
		return true
	default:
		return false
	}
}

// perform plays one order and notes what went otherwise.
func (p *play) perform(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, playLimit)
	defer cancel()
	for _, take := range p.scenario.script() {
		if p.err = take(within, p); p.err != nil {
			break
		}
	}
	if p.err == nil {
		return
	}
	if ctx.Err() != nil {
		p.cutShort = true
		return
	}
	f := &Failure{Scenario: p.scenario.Name, ExternalID: p.externalID(), OrderID: p.orderID(), Step: p.at,
		Expected: "it works", Got: readably(p.err).Error()}
	var other *unexpected
	if errors.As(p.err, &other) {
		f.Expected, f.Got = other.expected, other.got
	}
	p.failure = f
}

// unexpected is an outcome that the scenario does not allow.
type unexpected struct{ expected, got string }

func (e *unexpected) Error() string { return fmt.Sprintf("expected %s, got %s", e.expected, e.got) }

// readably says what somebody can do about a refusal that is not about any scenario.
func readably(err error) error {
	var refusal *client.Error
	if !errors.As(err, &refusal) {
		return err
	}
	switch refusal.Status {
	case http.StatusUnauthorized:
		return errors.New("the API does not know this API key: set WAYBILL_API_KEY (waybill keys create makes one)")
	case http.StatusForbidden:
		return fmt.Errorf("%s: the demo plays everybody and needs a key with every scope (waybill keys create)", refusal.Detail)
	}
	if len(refusal.Errors) > 0 {
		return fmt.Errorf("%w (%s %s)", err, refusal.Errors[0].Pointer, refusal.Errors[0].Detail)
	}
	return err
}

// codeOf names a run: short, the same for the same seed, and without letters that look like digits.
func codeOf(seed int64) string {
	const letters, length = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 6
	h := fnv.New64a()
	fmt.Fprint(h, seed)
	sum := h.Sum64()
	var code strings.Builder
	for range length {
		code.WriteByte(letters[sum%uint64(len(letters))])
		sum /= uint64(len(letters))
	}
	return code.String()
}
