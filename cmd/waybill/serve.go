package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/worker"
)

// stopLimit is how long requests that are being answered get when a process is told to stop.
const stopLimit = 20 * time.Second

type migrateCmd struct{ config.Database }

// Help is what waybill migrate --help says beyond its flags.
func (migrateCmd) Help() string {
	return `Run it before a new version of the API and the worker: these do not start on an older schema, and the version before goes on working on a newer one. To run it again, or twice at once, is harmless.`
}

func (c *migrateCmd) Run(ctx context.Context) error {
	conn, err := connections(config.Connections{Database: c.Database})
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx, conn.DatabaseURL); err != nil {
		return err
	}
	fmt.Println("the schema is up to date")
	return nil
}

type apiCmd struct {
	Listen string `env:"WAYBILL_LISTEN" help:"Address to listen on, host:port." default:"127.0.0.1:8080"`
	config.Secrets
	config.Connections
	config.Policy
	config.Logging
}

// Help is what waybill api --help says beyond its flags.
func (apiCmd) Help() string {
	return `Any number of them may run. /readyz says whether PostgreSQL, the schema, Temporal and a worker are there; /docs documents the API. SIGTERM lets requests end that are being answered, for 20 seconds at most.`
}

func (c *apiCmd) Run(ctx context.Context) error {
	outliveReaders()
	conn, err := connections(c.Connections)
	if err != nil {
		return err
	}
	log, err := c.Logger(os.Stderr)
	if err != nil {
		return err
	}
	key, err := keySecret(c.Database, c.Secrets)
	if err != nil {
		return err
	}
	if err := checkSchema(ctx, conn.DatabaseURL); err != nil {
		return err
	}
	temporal, err := worker.Connect(ctx, conn.TemporalAddress, conn.TemporalNamespace, log)
	if err != nil {
		return err
	}
	defer temporal.Close()
	p, err := api.Start(ctx, api.ProcessOptions{Listen: c.Listen, DatabaseURL: conn.DatabaseURL, Temporal: temporal,
		TaskQueue: conn.TaskQueue, KeySecret: key, Gateways: worker.Gateways(), Policy: c.Order(), Log: log})
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken by another program: choose another address with --listen", c.Listen)
	}
	if err != nil {
		return err
	}
	log.Info("api: serving", "url", p.URL, "pid", os.Getpid())
	select {
	case <-ctx.Done():
		log.Info("api: stopping")
	case err = <-p.Failed():
	}
	return errors.Join(err, stopAPI(ctx, p))
}

// stopAPI stops an API whose context has ended.
func stopAPI(ctx context.Context, p *api.Process) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		return fmt.Errorf("stop the API: %w", err)
	}
	return nil
}

type workerCmd struct {
	SandboxURL string `name:"sandbox-url" env:"WAYBILL_SANDBOX_URL" help:"Database of the sandbox gateways; the database itself when not given." placeholder:"URL"`
	config.Connections
	config.Policy
	config.Logging
}

// Help is what waybill worker --help says beyond its flags.
func (workerCmd) Help() string {
	return `Any number of them may run. SIGTERM lets it finish what it has begun, for 15 seconds at most; what takes longer, and what a kill -9 cuts off, another worker repeats without repeating its effect.`
}

func (c *workerCmd) Run(ctx context.Context) error {
	outliveReaders()
	conn, err := connections(c.Connections)
	if err != nil {
		return err
	}
	log, err := c.Logger(os.Stderr)
	if err != nil {
		return err
	}
	if err := checkSchema(ctx, conn.DatabaseURL); err != nil {
		return err
	}
	temporal, err := worker.Connect(ctx, conn.TemporalAddress, conn.TemporalNamespace, log)
	if err != nil {
		return err
	}
	defer temporal.Close()
	policy := c.Order()
	p, err := worker.Start(ctx, worker.Options{DatabaseURL: conn.DatabaseURL, SandboxURL: c.SandboxURL, Temporal: temporal,
		TaskQueue: conn.TaskQueue, Policy: &policy, Log: log})
	if err != nil {
		return err
	}
	log.Info("worker: polling", "task_queue", conn.TaskQueue, "pid", os.Getpid())
	select {
	case <-ctx.Done():
	case err = <-p.Failed():
		err = fmt.Errorf("the worker ended by itself: %w", err)
	}
	log.Info("worker: stopping")
	return errors.Join(err, p.Stop())
}
