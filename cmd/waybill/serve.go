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
	"github.com/waybill-oms/waybill/telemetry"
	"github.com/waybill-oms/waybill/worker"
)

// stopLimit is how long requests that are being answered get when a process is told to stop.
const stopLimit = 20 * time.Second

type apiCmd struct {
	config.Server
	config.Secrets
	config.Connections
	config.Policy
	config.Logging
	config.Tracing
}

// Help is what waybill api --help says beyond its flags.
func (apiCmd) Help() string {
	return `Any number of them may run. /readyz says whether PostgreSQL, the schema, Temporal and a worker are there; /docs documents the API. SIGTERM lets requests end that are being answered, for 20 seconds at most.`
}

func (c *apiCmd) Run(ctx context.Context, configured *config.Parser) error {
	outliveReaders()
	if err := needDatabase(c.Database); err != nil {
		return err
	}
	log, err := c.Logger(os.Stderr)
	if err != nil {
		return err
	}
	log = telemetry.Logger(log)
	warnOfUnknown(log, configured)
	key, err := c.Key()
	if err != nil {
		return err
	}
	if err := checkSchema(ctx, c.DatabaseURL); err != nil {
		return err
	}
	told, err := startTelemetry(ctx, "waybill-api", c.Tracing, log)
	if err != nil {
		return err
	}
	defer stopTelemetry(ctx, told, log)
	temporal, err := connectTraced(ctx, c.Temporal, log, told)
	if err != nil {
		return err
	}
	defer temporal.Close()
	p, err := api.Start(ctx, api.ProcessOptions{Listen: c.Listen, DatabaseURL: c.DatabaseURL, Temporal: temporal,
		TaskQueue: c.TaskQueue, KeySecret: key, Gateways: worker.Gateways(), Policy: c.Order(), Log: log, Telemetry: told})
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
	config.Sandbox
	config.SandboxAddress
	config.SandboxSecret
	config.Connections
	config.Policy
	config.Logging
	config.Telemetry
}

// Help is what waybill worker --help says beyond its flags.
func (workerCmd) Help() string {
	return `Any number of them may run. SIGTERM lets it finish what it has begun, for 15 seconds at most; what takes longer, and what a kill -9 cuts off, another worker repeats without repeating its effect.`
}

func (c *workerCmd) Run(ctx context.Context, configured *config.Parser) error {
	outliveReaders()
	if err := needDatabase(c.Database); err != nil {
		return err
	}
	if c.SandboxAddress.SandboxAddress != "" {
		if err := needSandboxSecret(c.SandboxSecret); err != nil {
			return err
		}
	}
	log, err := c.Logger(os.Stderr)
	if err != nil {
		return err
	}
	log = telemetry.Logger(log)
	warnOfUnknown(log, configured)
	if err := checkSchema(ctx, c.DatabaseURL); err != nil {
		return err
	}
	told, err := startTelemetry(ctx, "waybill-worker", c.Tracing, log)
	if err != nil {
		return err
	}
	defer stopTelemetry(ctx, told, log)
	temporal, err := connectTraced(ctx, c.Temporal, log, told)
	if err != nil {
		return err
	}
	defer temporal.Close()
	policy := c.Order()
	p, err := worker.Start(ctx, worker.Options{DatabaseURL: c.DatabaseURL, SandboxURL: c.SandboxURL,
		SandboxAddress: c.SandboxAddress.SandboxAddress, SandboxSecret: c.SandboxSecret.SandboxSecret, Temporal: temporal, TaskQueue: c.TaskQueue, Policy: &policy, Log: log, Telemetry: told, MetricsListen: c.MetricsListen})
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken by another program: choose another address with --metrics-listen", c.MetricsListen)
	}
	if err != nil {
		return err
	}
	log.Info("worker: polling", "task_queue", c.TaskQueue, "pid", os.Getpid(), "address", p.MetricsURL)
	select {
	case <-ctx.Done():
	case err = <-p.Failed():
		err = fmt.Errorf("the worker ended by itself: %w", err)
	}
	log.Info("worker: stopping")
	return errors.Join(err, p.Stop())
}
