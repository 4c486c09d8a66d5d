package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/gateways/external"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/relay"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
	"github.com/waybill-oms/waybill/workflows/runs"
)

// Options say where a worker process finds what it needs. Zero values take the defaults.
type Options struct {
	DatabaseURL  string
	SandboxURL   string // the sandbox gateways' database; DatabaseURL when empty
	Temporal     client.Client
	TaskQueue    string
	Policy       *order.Policy
	Sandbox      sandbox.Options
	InboxEvery   time.Duration
	SweepEvery   time.Duration
	GrantEvery   time.Duration
	StalledAfter time.Duration // see relay.Relay
	Log          *slog.Logger
	Reached      func(point string) // see activities.Activities
}

// Gateways are the names of the payment gateways that orders may use.
func Gateways() []string { return []string{"sandbox", "external"} }

// Process is a running worker with its relay.
type Process struct {
	Store   *store.Store
	Runs    *runs.Runs
	Relay   *relay.Relay
	sandbox *sandbox.Sandbox
	failed  chan error
	stop    func()
}

// Failed tells when the worker ended by itself.
func (p *Process) Failed() <-chan error { return p.failed }

// Start brings a worker process up on an open Temporal connection, which stays the caller's.
func Start(ctx context.Context, o Options) (*Process, error) {
	o = o.withDefaults()
	s, err := store.Open(ctx, o.DatabaseURL, store.Options{})
	if err != nil {
		return nil, err
	}
	box, err := sandbox.Open(ctx, o.SandboxURL, o.Sandbox)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox gateways: %w", err), s.Close())
	}
	acts := &activities.Activities{Orders: s, Carrier: box.Carrier(), Policy: *o.Policy, NewID: id.New, Reached: o.Reached,
		Payments: map[string]activities.PaymentGateway{"sandbox": box.Payments(), "external": external.New()}}
	failed := make(chan error, 1)
	w := New(o.Temporal, o.TaskQueue, acts, func(err error) {
		select {
		case failed <- err:
		default:
		}
	})
	if err := w.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the Temporal worker: %w", err), box.Close(), s.Close())
	}
	p := &Process{Store: s, Runs: runs.New(o.Temporal, o.TaskQueue), sandbox: box, failed: failed}
	p.Relay = &relay.Relay{Facts: s, Runs: p.Runs, Log: o.Log, InboxEvery: o.InboxEvery, SweepEvery: o.SweepEvery,
		GrantEvery: o.GrantEvery, StalledAfter: o.StalledAfter, Act: func() order.Act {
			return order.Act{At: time.Now().UTC().Truncate(time.Microsecond), Actor: "relay", NewID: id.New, Policy: *o.Policy}
		}}
	relaying, stopRelay := context.WithCancel(context.WithoutCancel(ctx))
	relayed := make(chan struct{})
	go func() {
		defer close(relayed)
		p.Relay.Run(relaying)
	}()
	p.stop = func() {
		stopRelay()
		<-relayed
		w.Stop()
	}
	return p, nil
}

// Stop drains the worker: what it has begun is finished, what takes too long another one repeats.
func (p *Process) Stop() error {
	p.stop()
	return errors.Join(p.sandbox.Close(), p.Store.Close())
}

func (o Options) withDefaults() Options {
	if o.SandboxURL == "" {
		o.SandboxURL = o.DatabaseURL
	}
	if o.TaskQueue == "" {
		o.TaskQueue = workflows.TaskQueue
	}
	if o.Policy == nil {
		policy := order.DefaultPolicy()
		o.Policy = &policy
	}
	if o.InboxEvery == 0 {
		o.InboxEvery = 250 * time.Millisecond
	}
	if o.SweepEvery == 0 {
		o.SweepEvery = 15 * time.Second
	}
	if o.GrantEvery == 0 {
		o.GrantEvery = time.Second
	}
	if o.StalledAfter == 0 {
		o.StalledAfter = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Connect opens a connection to Temporal that logs through slog.
func Connect(ctx context.Context, address, namespace string, log *slog.Logger) (client.Client, error) {
	c, err := client.DialContext(ctx, client.Options{HostPort: address, Namespace: namespace, Logger: sdklog.NewStructuredLogger(log)})
	if err != nil {
		return nil, fmt.Errorf("connect to Temporal at %s: %w", address, err)
	}
	return c, nil
}
