package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	temporal "go.temporal.io/sdk/client"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/telemetry"
	"github.com/waybill-oms/waybill/worker"
)

// devValues are what a data folder says about the waybill dev that runs there, by the names of flags.
func devValues(dir string) (map[string]string, error) {
	info, err := runningDev(dir)
	if err != nil {
		return nil, err
	}
	secret, err := os.ReadFile(filepath.Join(dir, keySecretFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // without one, the commands that need it say so
		return nil, fmt.Errorf("key secret: %w", err)
	}
	return map[string]string{"database-url": info.DatabaseURL, "temporal-address": info.TemporalAddress, "api-url": info.APIURL,
		"api-key": info.APIKey, "key-secret": strings.TrimSpace(string(secret))}, nil
}

// needDatabase is for commands that cannot work without one.
func needDatabase(db config.Database) error {
	if db.DatabaseURL == "" {
		return errors.New("no database: set WAYBILL_DATABASE_URL, or --data to the folder of a waybill dev")
	}
	return nil
}

// connectTemporal opens a connection to the Temporal that is configured.
func connectTemporal(ctx context.Context, t config.Temporal, log *slog.Logger) (temporal.Client, error) {
	return connectTraced(ctx, t, log, nil)
}

// connectTraced opens a connection for a process that tells what it does.
func connectTraced(ctx context.Context, t config.Temporal, log *slog.Logger, told *telemetry.Telemetry) (temporal.Client, error) {
	encryption, err := t.TLS()
	if err != nil {
		return nil, err
	}
	return worker.Connect(ctx, worker.Connection{Address: t.TemporalAddress, Namespace: t.TemporalNamespace, TLS: encryption,
		APIKey: t.TemporalAPIKey, Log: log, Telemetry: told})
}

// connectAPI returns a client of the API that was configured, or, when none was, of the waybill dev on this machine,
// with what is known of that.
func connectAPI(c config.API) (api *client.ClientWithResponses, dev devstack.DevInfo, err error) {
	dir := c.Data
	if dir == "" && c.APIURL == "" {
		if dir, err = defaultData(); err != nil {
			return nil, dev, err
		}
	}
	if dir != "" {
		if dev, err = runningDev(dir); err != nil {
			return nil, dev, err
		}
		c.APIURL, c.APIKey = cmp.Or(c.APIURL, dev.APIURL), cmp.Or(c.APIKey, dev.APIKey)
	}
	if c.APIKey == "" {
		return nil, dev, errors.New("no API key: set WAYBILL_API_KEY (waybill keys create makes one)")
	}
	api, err = client.Connect(c.APIURL, c.APIKey)
	return api, dev, err
}

// runningDev says where the waybill dev of a folder is.
func runningDev(dir string) (devstack.DevInfo, error) {
	info, err := devstack.ReadDevInfo(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return info, err
	}
	address, invalid := url.Parse(info.APIURL)
	if err != nil || invalid != nil || !answers(address.Host) {
		return info, fmt.Errorf("no waybill dev is running in %s: start it there, or name another folder with --data", dir)
	}
	return info, nil
}

// answers tells whether anything listens at an address of this machine.
func answers(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second) //nolint:noctx // it is a matter of milliseconds
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// openStore opens the database for a command, which needs few connections, and only if the schema is right: what
// came of another schema would be hard to read.
func openStore(ctx context.Context, db config.Database) (*store.Store, error) {
	if err := needDatabase(db); err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, db.DatabaseURL, store.Options{MaxConns: 2})
	if err != nil {
		return nil, err
	}
	if err := schemaFits(ctx, s); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// checkSchema is for processes that open the database themselves.
func checkSchema(ctx context.Context, databaseURL string) error {
	s, err := store.Open(ctx, databaseURL, store.Options{MaxConns: 1})
	if err != nil {
		return err
	}
	return errors.Join(schemaFits(ctx, s), s.Close())
}

func schemaFits(ctx context.Context, s *store.Store) error {
	fits, err := s.Migrated(ctx)
	if err == nil && !fits {
		err = errors.New("the database's schema is older than this binary: run waybill migrate")
	}
	return err
}

// keySecretFile lies in the data folder of a waybill dev.
const keySecretFile = "key-secret"
