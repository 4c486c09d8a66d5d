package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/worker"
)

// stopLimit is how long requests that are being answered get when a process is told to stop.
const stopLimit = 20 * time.Second

// connections completes what was configured from the dev.json of a waybill dev, when one is named.
func connections(c config.Connections) (config.Connections, error) {
	if c.Data != "" && c.DatabaseURL == "" {
		info, err := devstack.ReadDevInfo(c.Data)
		if err != nil {
			return c, fmt.Errorf("no waybill dev has run in %s: %w", c.Data, err)
		}
		c.DatabaseURL, c.TemporalAddress = info.DatabaseURL, info.TemporalAddress
	}
	if c.DatabaseURL == "" {
		return c, errors.New("no database: set WAYBILL_DATABASE_URL, or --data to the folder of a waybill dev")
	}
	return c, nil
}

type migrateCmd struct{ config.Connections }

func (c *migrateCmd) Run(ctx context.Context) error {
	conn, err := connections(c.Connections)
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
	config.Connections
	config.Policy
	config.Secrets
	config.Logging
	Listen string `env:"WAYBILL_LISTEN" help:"Address to listen on." default:"127.0.0.1:8080"`
}

func (c *apiCmd) Run(ctx context.Context) error {
	conn, err := connections(c.Connections)
	if err != nil {
		return err
	}
	log, err := c.Logger()
	if err != nil {
		return err
	}
	key, err := c.Key()
	if err != nil {
		return err
	}
	temporal, err := worker.Connect(ctx, conn.TemporalAddress, conn.TemporalNamespace, log)
	if err != nil {
		return err
	}
	defer temporal.Close()
	p, err := api.Start(ctx, api.ProcessOptions{Listen: c.Listen, DatabaseURL: conn.DatabaseURL, Temporal: temporal,
		TaskQueue: conn.TaskQueue, KeySecret: key, Gateways: worker.Gateways(), Policy: c.Order(), Log: log})
	if err != nil {
		return err
	}
	log.Info("api: serving", "url", p.URL)
	select {
	case <-ctx.Done():
	case err = <-p.Failed():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	return errors.Join(err, p.Stop(stopping))
}

type workerCmd struct {
	config.Connections
	config.Policy
	config.Logging
	SandboxURL string `name:"sandbox-url" env:"WAYBILL_SANDBOX_URL" help:"Database of the sandbox gateways; the database itself when not given." placeholder:"URL"`
}

func (c *workerCmd) Run(ctx context.Context) error {
	conn, err := connections(c.Connections)
	if err != nil {
		return err
	}
	log, err := c.Logger()
	if err != nil {
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
	<-ctx.Done()
	return p.Stop()
}
