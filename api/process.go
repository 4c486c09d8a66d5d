package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/health"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/telemetry"
	"github.com/waybill-oms/waybill/workflows/runs"
)

// ProcessOptions say where an API process finds what it needs.
type ProcessOptions struct {
	Listen      string // host:port; port 0 takes any
	DatabaseURL string
	Temporal    client.Client
	TaskQueue   string
	KeySecret   []byte
	Gateways    []string
	Policy      order.Policy
	Log         *slog.Logger
	// Telemetry is the process's; nil: one of its own, without traces.
	Telemetry *telemetry.Telemetry
	// FiguresEvery is how often metrics count in the database at most; 0: every 15 seconds.
	FiguresEvery time.Duration
}

// Process is a running API.
type Process struct {
	URL      string
	Keys     *KeyRing
	server   *http.Server
	store    *store.Store
	failed   chan error
	stopping chan struct{} // closed when it begins to stop
}

// Start brings an API up on an open Temporal connection, which stays the caller's.
func Start(ctx context.Context, o ProcessOptions) (*Process, error) {
	if o.Telemetry == nil {
		var err error
		if o.Telemetry, err = telemetry.New(ctx, telemetry.Options{}); err != nil {
			return nil, err
		}
	}
	s, err := store.Open(ctx, o.DatabaseURL, store.Options{Telemetry: o.Telemetry, Name: "api"})
	if err != nil {
		return nil, err
	}
	o.Telemetry.Figures(ctx, s, o.FiguresEvery)
	p := &Process{store: s, failed: make(chan error, 1), stopping: make(chan struct{}), Keys: &KeyRing{Store: s, Secret: o.KeySecret, Now: time.Now}}
	if err := p.serve(o, runs.New(o.Temporal, o.TaskQueue)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return p, nil
}

func (p *Process) serve(o ProcessOptions, r *runs.Runs) error {
	service := &Service{Store: p.store, Runs: r, Gateways: o.Gateways, Policy: o.Policy, NewID: id.New, Now: time.Now, Stopping: p.stopping}
	handler, err := New(Options{Handlers: service.Handlers(), Keys: p.Keys, Checks: checks(p.store, r), Log: o.Log,
		Metrics: o.Telemetry.Registry, Telemetry: o.Telemetry})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", o.Listen, err)
	}
	p.URL = "http://" + listener.Addr().String()
	p.server = Server(handler, o.Log)
	p.server.RegisterOnShutdown(sync.OnceFunc(func() { close(p.stopping) })) // Shutdown waits for who waits for an event
	go func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- err
		}
	}()
	return nil
}

// Failed tells when the server ended by itself.
func (p *Process) Failed() <-chan error { return p.failed }

// Stop lets requests end that are being answered, for as long as ctx allows.
func (p *Process) Stop(ctx context.Context) error {
	return errors.Join(p.server.Shutdown(ctx), p.store.Close())
}

// checks is what readiness asks.
func checks(s *store.Store, r *runs.Runs) []health.Check {
	return []health.Check{
		{Name: "postgresql", Run: s.Ping},
		{Name: "migrations", Run: func(ctx context.Context) error {
			done, err := s.Migrated(ctx)
			if err == nil && !done {
				return health.Down("the schema is older than this binary: run waybill migrate")
			}
			return err
		}},
		{Name: "temporal", Run: func(ctx context.Context) error {
			if _, err := r.Ping(ctx); err != nil {
				return health.Down("Temporal does not answer")
			}
			return nil
		}},
		{Name: "worker", Run: func(ctx context.Context) error {
			polled, err := r.Ping(ctx)
			if err == nil && !polled {
				return health.Down("no worker polls the task queue: start waybill worker")
			}
			return err
		}},
	}
}
