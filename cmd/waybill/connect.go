package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/store"
)

// connections completes what was configured from the data folder of a waybill dev, when one is named.
func connections(c config.Connections) (config.Connections, error) {
	if c.Data != "" {
		info, err := runningDev(c.Data)
		if err != nil {
			return c, err
		}
		c.Take("database-url", &c.DatabaseURL, info.DatabaseURL)
		c.Take("temporal-address", &c.TemporalAddress, info.TemporalAddress)
	}
	if c.DatabaseURL == "" {
		return c, errors.New("no database: set WAYBILL_DATABASE_URL, or --data to the folder of a waybill dev")
	}
	return c, config.CheckDatabaseURL(c.DatabaseURL)
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
	c, err := connections(config.Connections{Database: db})
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, c.DatabaseURL, store.Options{MaxConns: 2})
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

// keySecret is the configured one, or that of a waybill dev, whose API knows no other.
func keySecret(db config.Database, secrets config.Secrets) ([]byte, error) {
	if db.Data == "" {
		return secrets.Key()
	}
	path := filepath.Join(db.Data, keySecretFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("key secret: %w", err)
	}
	db.Take("key-secret", &secrets.KeySecret, strings.TrimSpace(string(text)))
	return secrets.Key()
}
