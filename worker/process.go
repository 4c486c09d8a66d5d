package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/gateways/external"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/gateways/sandbox/remote"
	"github.com/waybill-oms/waybill/health"
	"github.com/waybill-oms/waybill/relay"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/telemetry"
	"github.com/waybill-oms/waybill/workflows"
	"github.com/waybill-oms/waybill/workflows/runs"
)

// Options say where a worker process finds what it needs. Zero values take the defaults.
type Options struct {
	DatabaseURL string
	SandboxURL  string // the sandbox gateways' database; DatabaseURL when empty
	Temporal    client.Client
	TaskQueue   string
	Policy      *order.Policy
	Sandbox     sandbox.Options
	// SandboxAddress, host:port, is where another process serves the sandbox gateways, which are asked with SandboxSecret;
	// empty: they are in this one.
	SandboxAddress, SandboxSecret string
	InboxEvery                    time.Duration
	SweepEvery                    time.Duration
	GrantEvery                    time.Duration
	StampEvery                    time.Duration
	StalledAfter                  time.Duration // see relay.Relay
	Log                           *slog.Logger
	// Telemetry is the process's; nil: one of its own, without traces.
	Telemetry *telemetry.Telemetry
	// MetricsListen is the host:port on which metrics and health are served; empty: nowhere.
	MetricsListen string
	Reached       func(point string) // see activities.Activities
}

// Gateways are the names of the payment gateways that orders may use.
func Gateways() []string { return []string{"sandbox", "external"} }

// Process is a running worker with its relay.
type Process struct {
	Store *store.Store
	Runs  *runs.Runs
	Relay *relay.Relay
	// MetricsURL is where metrics and health are served, if they are.
	MetricsURL string
	sandbox    io.Closer
	monitor    *monitor
	working    atomic.Bool
	failed     chan error
	stop       func()
}

// Failed tells when the worker ended by itself.
func (p *Process) Failed() <-chan error { return p.failed }

// Start brings a worker process up on an open Temporal connection, which stays the caller's.
func Start(ctx context.Context, o Options) (*Process, error) {
	o, err := o.withDefaults(ctx)
	if err != nil {
		return nil, err
	}
	work := o.Telemetry.Work()
	s, err := store.Open(ctx, o.DatabaseURL, store.Options{Telemetry: o.Telemetry, Name: "worker", Batch: work.Batch})
	if err != nil {
		return nil, err
	}
	box, err := o.openSandbox(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox gateways: %w", err), s.Close())
	}
	acts := &activities.Activities{Orders: s, Carrier: activities.MeasuredCarrier(box.carrier, work.Asked), Policy: *o.Policy,
		NewID: id.New, Reached: o.Reached, Payments: map[string]activities.PaymentGateway{}}
	for name, gateway := range map[string]activities.PaymentGateway{"sandbox": box.payments, "external": external.New()} {
		acts.Payments[name] = activities.MeasuredGateway(name, gateway, work.Asked)
	}
	failed := make(chan error, 1)
	w := New(o.Temporal, o.TaskQueue, acts, func(err error) {
		select {
		case failed <- err:
		default:
		}
	})
	p := &Process{Store: s, Runs: runs.New(o.Temporal, o.TaskQueue), sandbox: box, failed: failed}
	if err := p.watch(o); err != nil {
		return nil, errors.Join(err, box.Close(), s.Close())
	}
	if err := w.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the Temporal worker: %w", err), p.monitor.stop(), box.Close(), s.Close())
	}
	p.Relay = &relay.Relay{Facts: s, Runs: p.Runs, Log: o.Log, Measure: work, InboxEvery: o.InboxEvery, SweepEvery: o.SweepEvery,
		GrantEvery: o.GrantEvery, StampEvery: o.StampEvery, StalledAfter: o.StalledAfter, Act: func() order.Act {
			return order.Act{At: time.Now().UTC().Truncate(time.Microsecond), Actor: "relay", NewID: id.New, Policy: *o.Policy}
		}}
	relaying, stopRelay := context.WithCancel(context.WithoutCancel(ctx))
	relayed := make(chan struct{})
	go func() {
		defer close(relayed)
		p.Relay.Run(relaying)
	}()
	p.working.Store(true)
	p.stop = func() {
		p.working.Store(false)
		stopRelay()
		<-relayed
		w.Stop()
	}
	return p, nil
}

// gateways are those of the sandbox, wherever that is.
type gateways struct {
	payments activities.PaymentGateway
	carrier  activities.Carrier
	io.Closer
}

// openSandbox opens the sandbox gateways here, or names those of another process.
func (o Options) openSandbox(ctx context.Context) (gateways, error) {
	if o.SandboxAddress != "" {
		there := remote.Connect(o.SandboxAddress, o.SandboxSecret)
		return gateways{there.Payments(), there.Carrier(), there}, nil
	}
	here, err := sandbox.Open(ctx, o.SandboxURL, o.Sandbox)
	if err != nil {
		return gateways{}, err
	}
	return gateways{here.Payments(), here.Carrier(), here}, nil
}

// Stop drains the worker: what it has begun is finished, what takes too long another one repeats.
func (p *Process) Stop() error {
	p.stop()
	return errors.Join(p.monitor.stop(), p.sandbox.Close(), p.Store.Close())
}

// watch serves metrics and health where that was asked for. It comes before the worker takes anything: an address that
// is taken is told while nothing has begun.
func (p *Process) watch(o Options) (err error) {
	if o.MetricsListen == "" {
		return nil
	}
	p.monitor, err = watch(o.MetricsListen, o.Telemetry.Registry, []health.Check{
		{Name: "postgresql", Run: p.Store.Ping},
		{Name: "temporal", Run: func(ctx context.Context) error {
			if _, err := p.Runs.Ping(ctx); err != nil {
				return health.Down("Temporal does not answer")
			}
			return nil
		}},
		{Name: "worker", Run: func(context.Context) error {
			if !p.working.Load() {
				return health.Down("the worker has not started, or is stopping")
			}
			return nil
		}},
	}, o.Log)
	if err == nil {
		p.MetricsURL = p.monitor.url
	}
	return err
}

func (o Options) withDefaults(ctx context.Context) (Options, error) {
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
	if o.StampEvery == 0 {
		o.StampEvery = 100 * time.Millisecond
	}
	if o.StalledAfter == 0 {
		o.StalledAfter = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.Log = telemetry.Logger(o.Log)
	var err error
	if o.Telemetry == nil {
		o.Telemetry, err = telemetry.New(ctx, telemetry.Options{})
	}
	return o, err
}
