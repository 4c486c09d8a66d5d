package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
)

type devCmd struct {
	config.Policy
	config.Logging
	Data         string `env:"WAYBILL_DATA" help:"Folder that holds everything; kept between runs. Each folder is a Waybill of its own." placeholder:"DIR"`
	Ephemeral    bool   `help:"Keep nothing: memory and temporary files only."`
	DatabaseURL  string `name:"database-url" env:"WAYBILL_DATABASE_URL,DATABASE_URL" help:"Use this PostgreSQL instead of starting one." placeholder:"URL"`
	PostgresBin  string `name:"postgres-bin" help:"Folder with initdb and postgres, instead of looking for them." placeholder:"DIR"`
	Port         int    `help:"Port of the API; another when it is taken." default:"8080"`
	TemporalPort int    `name:"temporal-port" help:"Port of Temporal; another when it is taken." default:"7233"`
	UIPort       int    `name:"ui-port" help:"Port of Temporal's web UI; another when it is taken." default:"8233"`
	PostgresPort int    `name:"postgres-port" help:"Port of PostgreSQL; another when it is taken." default:"5433"`
}

// Help is what waybill dev --help says beyond its flags.
func (devCmd) Help() string {
	return `Works as root and as a normal user. The first start builds the Temporal dev server, which takes a few minutes, once; later ones take seconds. Ctrl-C stops everything; a kill -9 loses nothing: the next start goes on with the orders that were running. dev.json in the data folder says where everything is, with an API key.`
}

// devStack is what is running, in the order in which it was started.
type devStack struct {
	say   func(string)
	stops []func() error
}

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
	d := &devStack{say: func(line string) { fmt.Fprintln(os.Stderr, "waybill: "+line) }}
	err := c.run(ctx, d)
	if stopping := d.stop(); stopping != nil {
		err = errors.Join(err, stopping)
	}
	if err == nil || errors.Is(err, context.Canceled) {
		d.say("stopped")
		return nil
	}
	return err
}

func (c *devCmd) run(ctx context.Context, d *devStack) error {
	if err := c.folder(d); err != nil {
		return err
	}
	log, closeLog, err := c.log()
	if err != nil {
		return err
	}
	d.started(closeLog)
	pg, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{URL: c.DatabaseURL, BinDir: c.PostgresBin,
		Dir: filepath.Join(c.Data, "postgres"), Ephemeral: c.Ephemeral, Port: c.PostgresPort, Progress: d.say})
	if err != nil {
		return err
	}
	d.started(pg.Stop)
	if err := store.Migrate(ctx, pg.URL); err != nil {
		return err
	}
	temporal, err := devstack.StartTemporal(ctx, devstack.TemporalOptions{Dir: filepath.Join(c.Data, "temporal"), Ephemeral: c.Ephemeral,
		Port: c.TemporalPort, UIPort: c.UIPort, SearchAttributes: workflows.SearchAttributes(), Progress: d.say})
	if err != nil {
		return err
	}
	d.started(temporal.Stop)
	server, info, err := c.serve(ctx, d, pg, temporal, log)
	if err != nil {
		return err
	}
	if err := devstack.WriteDevInfo(c.Data, info); err != nil {
		return err
	}
	c.greet(info, pg)
	select {
	case <-ctx.Done():
		d.say("stopping")
		return nil
	case err := <-server.Failed():
		return fmt.Errorf("the API ended by itself: %w", err)
	case <-pg.Done():
		return fmt.Errorf("PostgreSQL ended by itself; its log: %s", pg.LogFile)
	case <-temporal.Done():
		return fmt.Errorf("the Temporal server ended by itself; its log: %s", temporal.LogFile)
	}
}

// folder settles the data folder and takes it for this process alone.
func (c *devCmd) folder(d *devStack) error {
	if c.Data == "" && c.Ephemeral {
		dir, err := os.MkdirTemp("", "waybill-dev-")
		if err != nil {
			return err
		}
		c.Data = dir
		d.started(func() error { return os.RemoveAll(dir) })
	}
	if c.Data == "" {
		home := os.Getenv("XDG_DATA_HOME")
		if home == "" {
			user, err := os.UserHomeDir()
			if err != nil {
				return errors.New("no home folder to keep data in: name a folder with --data")
			}
			home = filepath.Join(user, ".local", "share")
		}
		c.Data = filepath.Join(home, "waybill")
	}
	release, err := devstack.Lock(c.Data)
	if err != nil {
		return err
	}
	d.started(func() error { release(); return nil })
	return nil
}

// log goes to a file: the terminal is for what a person wants to know.
func (c *devCmd) log() (*slog.Logger, func() error, error) {
	file, err := os.OpenFile(filepath.Join(c.Data, "waybill.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, nil, err
	}
	var out io.Writer = file
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
	slog.SetDefault(log)
	return log, file.Close, nil
}

// serve starts the worker and the API on what is running.
func (c *devCmd) serve(ctx context.Context, d *devStack, pg *devstack.Postgres, temporal *devstack.Temporal, log *slog.Logger) (*api.Process, devstack.DevInfo, error) {
	var info devstack.DevInfo
	conn, err := worker.Connect(ctx, temporal.Address, temporal.Namespace, log)
	if err != nil {
		return nil, info, err
	}
	d.started(func() error { conn.Close(); return nil })
	policy := c.Order()
	w, err := worker.Start(ctx, worker.Options{DatabaseURL: pg.URL, Temporal: conn, Policy: &policy, Log: log,
		SweepEvery: 5 * time.Second})
	if err != nil {
		return nil, info, err
	}
	d.started(w.Stop)
	secret, err := devKeySecret(c.Data)
	if err != nil {
		return nil, info, err
	}
	server, err := c.startAPI(ctx, pg, conn, secret, log)
	if err != nil {
		return nil, info, err
	}
	d.started(func() error {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		return server.Stop(stopping)
	})
	key, err := devKey(ctx, c.Data, server.Keys)
	return server, devstack.DevInfo{APIURL: server.URL, APIKey: key, TemporalAddress: temporal.Address,
		TemporalUIURL: temporal.UIURL, DatabaseURL: pg.URL}, err
}

// startAPI takes another port when the wanted one is taken between looking and listening.
func (c *devCmd) startAPI(ctx context.Context, pg *devstack.Postgres, conn client.Client, secret []byte, log *slog.Logger) (*api.Process, error) {
	var server *api.Process
	var err error
	for range 5 {
		server, err = api.Start(ctx, api.ProcessOptions{Listen: fmt.Sprintf("127.0.0.1:%d", devstack.FreePort(c.Port)),
			DatabaseURL: pg.URL, Temporal: conn, TaskQueue: workflows.TaskQueue, KeySecret: secret,
			Gateways: worker.Gateways(), Policy: c.Order(), Log: log})
		if err == nil {
			return server, nil
		}
	}
	return nil, err
}

// devKeySecret reads the folder's key secret, or makes one.
func devKeySecret(dir string) ([]byte, error) {
	path := filepath.Join(dir, "key-secret")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
		return secret, os.WriteFile(path, []byte(hex.EncodeToString(secret)+"\n"), 0o600)
	}
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(strings.TrimSpace(string(text)))
}

// devKey is the folder's API key: the one of the last run as long as it opens everything, else a new one.
func devKey(ctx context.Context, dir string, keys *api.KeyRing) (string, error) {
	if last, err := devstack.ReadDevInfo(dir); err == nil {
		if _, err := keys.Authenticate(ctx, last.APIKey); err == nil {
			return last.APIKey, nil
		}
	}
	key, _, err := keys.Make(ctx, "dev", api.Scopes(), nil)
	return key, err
}

// greet says where everything is, and what to try first.
func (c *devCmd) greet(info devstack.DevInfo, pg *devstack.Postgres) {
	fmt.Printf(`
Waybill is ready. Ctrl-C stops it; the data stays.

  API          %s        docs: %s/docs
  API key      %s
  Temporal UI  %s/namespaces/default/workflows
  Temporal     %s
  PostgreSQL   %s
               (%s)
  Data         %s  (addresses and key: dev.json, log: waybill.log)
`, info.APIURL, info.APIURL, info.APIKey, strings.TrimSuffix(info.TemporalUIURL, "/"), info.TemporalAddress, info.DatabaseURL, pg.Source, c.Data)
	if pg.Dir != "" && !strings.HasPrefix(pg.Dir, c.Data) {
		fmt.Printf("               PostgreSQL cannot run as root, so its part lies in %s\n", pg.Dir)
	}
	fmt.Printf(`
Try:

  curl -s %s/v1/orders -H 'Authorization: Bearer %s'
`, info.APIURL, info.APIKey)
}
