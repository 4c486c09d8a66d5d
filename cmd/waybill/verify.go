package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/store/verify"
)

type verifyCmd struct {
	JSON        bool   `name:"json" help:"Print JSON: a list of {id, protects, violations …}."`
	ClientLog   string `name:"client-log" help:"What clients were answered, by their own log: a JSON object {at, method, path, key, status, order_id} a line." placeholder:"FILE"`
	ReceiverLog string `name:"receiver-log" help:"Which events a subscriber received, by its own log: a JSON object {at, position, type, order_id, sequence} a line." placeholder:"FILE"`
	config.Sandbox
	config.Connections
}

// Help is what waybill verify --help says beyond its flags.
func (verifyCmd) Help() string {
	return `Changes nothing and may run at any time, on a database at work: it looks at one consistent moment, and what is still under way is counted apart. The sandbox gateways' own ledgers and Temporal are asked as witnesses; what cannot be asked is listed as not checked. The logs that clients and subscribers keep themselves are witnesses of three more invariants, which are asked when they are given. The exit code is 0 when everything that could be checked holds, 1 when anything is violated.`
}

func (c *verifyCmd) Run(ctx context.Context) error {
	if err := needDatabase(c.Database); err != nil {
		return err
	}
	options := verify.Options{DatabaseURL: c.DatabaseURL, SandboxURL: c.SandboxURL, TaskQueue: c.TaskQueue,
		ClientLog: c.ClientLog, ReceiverLog: c.ReceiverLog}
	temporal, unreachable := connectTemporal(ctx, c.Temporal, slog.New(slog.DiscardHandler))
	if unreachable == nil {
		defer temporal.Close()
		options.Temporal = temporal
	}
	findings, err := verify.Run(ctx, options)
	if findings == nil {
		return err
	}
	show := verify.Table
	if c.JSON {
		show = verify.JSON
	}
	if err := show(os.Stdout, findings); err != nil {
		return err
	}
	if err := errors.Join(unreachable, err); err != nil {
		fmt.Fprintln(os.Stderr, "waybill: not everything could be asked:", err)
	}
	if verify.Violated(findings) > 0 {
		return exitError(1)
	}
	return nil
}
