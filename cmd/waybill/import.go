package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/gateways/shopify"
	"github.com/waybill-oms/waybill/workflows/runs"
)

type importCmd struct {
	Shopify importShopifyCmd `cmd:"" help:"Take in orders from Shopify's order JSON."`
}

type importShopifyCmd struct {
	Files []string `arg:"" type:"existingfile" help:"Files with one order, a list of orders, or an order a line."`
	JSON  bool     `name:"json" help:"Print JSON."`
	config.Connections
	config.Policy
}

// Help is what waybill import shopify --help says beyond its flags.
func (importShopifyCmd) Help() string {
	return `Orders go the same way as those of a checkout. Importing a file again changes nothing: an order is known by its Shopify id. What is paid is taken as captured elsewhere. An order whose totals do not foot, or without an address, is taken in under a hold that says what is wrong; test, voided and cancelled orders are named and skipped. The exit code is 1 when an order could not be taken in.`
}

func (c *importShopifyCmd) Run(ctx context.Context) error {
	s, err := openStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer s.Close()
	temporal, err := connectTemporal(ctx, c.Temporal, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer temporal.Close()
	policy := c.Order()
	outcomes, err := shopify.Import(ctx, shopify.Deps{
		Orders: s,
		Runs:   runs.New(temporal, c.TaskQueue),
		Act: func() order.Act {
			return order.Act{At: time.Now().UTC().Truncate(time.Microsecond), Actor: "import", NewID: id.New, Policy: policy}
		},
		NewID: func() string { return id.New(id.Order) },
	}, c.Files, func(line string) { fmt.Fprintln(os.Stderr, line) })
	show := shopify.WriteTable
	if c.JSON {
		show = shopify.WriteJSON
	}
	if showing := show(os.Stdout, outcomes); err == nil {
		err = showing
	}
	if err == nil && !shopify.Complete(outcomes) {
		return exitError(1)
	}
	return err
}
