package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/devstack"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
)

// attributesLimit bounds the wait until a server knows new search attributes: one with several nodes hears of them
// within ten seconds or so.
const attributesLimit = time.Minute

type migrateCmd struct {
	SearchAttributes bool `name:"search-attributes" help:"Also create the search attributes that the Temporal namespace lacks."`
	config.Connections
}

// Help is what waybill migrate --help says beyond its flags.
func (migrateCmd) Help() string {
	return `Run it before a new version of the API and the worker: these do not start on an older schema, and the version before goes on working on a newer one. To run it again, or twice at once, is harmless.

Temporal is asked only with --search-attributes. On Temporal Cloud they are created in its web UI or with its command line tool: docs/how-to/temporal-cloud.md lists them.`
}

func (c *migrateCmd) Run(ctx context.Context) error {
	if err := needDatabase(c.Database); err != nil {
		return err
	}
	if err := store.Migrate(ctx, c.DatabaseURL); err != nil {
		return err
	}
	fmt.Println("the schema is up to date")
	if !c.SearchAttributes {
		return nil
	}
	temporal, err := connectTemporal(ctx, c.Temporal, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer temporal.Close()
	ctx, cancel := context.WithTimeout(ctx, attributesLimit)
	defer cancel()
	if err := devstack.EnsureSearchAttributes(ctx, temporal, c.TemporalNamespace, workflows.SearchAttributes()); err != nil {
		return fmt.Errorf("search attributes in Temporal at %s: %w", c.TemporalAddress, err)
	}
	fmt.Printf("the search attributes are in the namespace %s\n", c.TemporalNamespace)
	return nil
}
