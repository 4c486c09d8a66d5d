package life

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/store"
)

// DefaultOrders is how many orders a world has when its scope does not say.
const DefaultOrders = 5

// Worlds plays scopes, each in a database of its own on one PostgreSQL server. It is safe for concurrent use.
type Worlds struct {
	admin    *sql.DB // makes and drops databases
	url      *url.URL
	template string // a database with everything that a world begins with
	made     atomic.Int64

	// Trace, when set, hears of everything that happened in a world, sorted. Worlds that are played at once tell at once.
	Trace func(lines []string)

	// What a test puts between activities and the rest, so that it goes wrong.
	orders   func(activities.Orders) activities.Orders
	payments func(activities.PaymentGateway) activities.PaymentGateway
}

// Open prepares a database on the server at databaseURL, of which every world gets a copy. The user has to be allowed to
// create databases; the one in the URL is only connected to.
func Open(ctx context.Context, databaseURL string) (*Worlds, error) {
	address, err := url.Parse(databaseURL)
	if err != nil || address.Host == "" {
		return nil, errors.New("the database URL is not of the form postgres://user:password@host:port/database")
	}
	admin, err := sql.Open("postgres", databaseURL)
	if err != nil {
		return nil, fmt.Errorf("simulation: %w", err)
	}
	admin.SetMaxOpenConns(4)
	w := &Worlds{admin: admin, url: address, template: "waybill_simulation_" + strings.ToLower(rand.Text()[:10])}
	if err := w.prepare(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// prepare makes the template. Its connections are closed when it returns: one that is open keeps copies waiting.
func (w *Worlds) prepare(ctx context.Context) error {
	if _, err := w.admin.ExecContext(ctx, "CREATE DATABASE "+w.template+" TEMPLATE template0"); err != nil {
		return fmt.Errorf("simulation: create a database, which the user in the URL has to be allowed to: %w", err)
	}
	if err := store.Migrate(ctx, w.urlOf(w.template)); err != nil {
		return fmt.Errorf("simulation: %w", err)
	}
	box, err := sandbox.Open(ctx, w.urlOf(w.template), sandbox.Options{})
	if err != nil {
		return fmt.Errorf("simulation: %w", err)
	}
	return box.Close()
}

// Close drops what Open made.
func (w *Worlds) Close() error {
	return errors.Join(w.drop(w.template), w.admin.Close())
}

// Run plays a scope to its end. It is a simulation.World.
func (w *Worlds) Run(ctx context.Context, scope simulation.Scope) (simulation.Result, error) {
	if scope.Orders <= 0 {
		scope.Orders = DefaultOrders
	}
	name := fmt.Sprintf("%s_%d", w.template, w.made.Add(1))
	if _, err := w.admin.ExecContext(ctx, "CREATE DATABASE "+name+" TEMPLATE "+w.template); err != nil {
		return simulation.Result{}, fmt.Errorf("simulation: copy the template: %w", err)
	}
	result, err := w.play(ctx, scope, w.urlOf(name))
	return result, errors.Join(err, w.drop(name))
}

func (w *Worlds) play(ctx context.Context, scope simulation.Scope, databaseURL string) (simulation.Result, error) {
	facts, err := store.Open(ctx, databaseURL, store.Options{MaxConns: 4})
	if err != nil {
		return simulation.Result{}, err
	}
	defer func() { _ = facts.Close() }()
	p := newWorld(ctx, scope, facts)
	p.databaseURL = databaseURL
	box, err := sandbox.Open(ctx, databaseURL, p.sandboxOptions())
	if err != nil {
		return simulation.Result{}, err
	}
	defer func() { _ = box.Close() }()
	p.inhabit(box, w.orders, w.payments)
	p.play()
	result, err := p.judge()
	if w.Trace != nil {
		w.Trace(p.lines)
	}
	return result, err
}

// drop is for the end, when the context may have ended.
func (w *Worlds) drop(name string) error {
	if _, err := w.admin.Exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
		return fmt.Errorf("simulation: drop database %s: %w", name, err)
	}
	return nil
}

func (w *Worlds) urlOf(name string) string {
	address := *w.url
	address.Path = "/" + name
	q := address.Query()
	q.Set("jit", "off")
	q.Set("synchronous_commit", "off")
	address.RawQuery = q.Encode()
	return address.String()
}
