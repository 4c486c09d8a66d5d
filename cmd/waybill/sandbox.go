package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"text/tabwriter"

	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/gateways/sandbox/remote"
	"github.com/waybill-oms/waybill/telemetry"
)

type sandboxCmd struct {
	List  sandboxListCmd  `cmd:"" default:"withargs" help:"List the test tokens and postal codes. This is what waybill sandbox does by itself."`
	Serve sandboxServeCmd `cmd:"" help:"Serve the sandbox gateways over HTTP, as a process of their own."`
}

type sandboxListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help is what waybill sandbox list --help says beyond its flags.
func (sandboxListCmd) Help() string {
	return `Pay with a token (payment.token of an order, with the gateway "sandbox") or ship to a postal code (ship_to.postal_code) to see what Waybill does when a gateway declines, hangs, or loses its answer or a parcel. Any other token is refused (invalid_token); to any other postal code a parcel is delivered after two days.`
}

// effect is one test value.
type effect struct {
	Value  string `json:"value"`
	Effect string `json:"effect"`
}

func (c *sandboxListCmd) Run() error {
	var tokens, codes []effect
	for _, t := range sandbox.Tokens() {
		tokens = append(tokens, effect{t.Name, t.Effect})
	}
	for _, p := range sandbox.PostalCodes() {
		codes = append(codes, effect{p.Code, p.Effect})
	}
	if c.JSON {
		return printJSON(map[string][]effect{"tokens": tokens, "postal_codes": codes})
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOKEN\tEFFECT")
	for _, t := range tokens {
		fmt.Fprintf(w, "%s\t%s\n", t.Value, t.Effect)
	}
	fmt.Fprintln(w, "\t\nPOSTAL CODE\tEFFECT")
	for _, p := range codes {
		fmt.Fprintf(w, "%s\t%s\n", p.Value, p.Effect)
	}
	return w.Flush()
}

// sandboxAddress is where the sandbox gateways are served when nobody says where.
const sandboxAddress = "127.0.0.1:8090"

type sandboxServeCmd struct {
	config.Sandbox
	config.SandboxAddress
	config.SandboxSecret
	config.Logging
}

// Help is what waybill sandbox serve --help says beyond its flags.
func (sandboxServeCmd) Help() string {
	return `The payment gateway and the carrier that a worker otherwise has inside, as a process of their own, the way real ones are other people's: it can be slow, away or killed by itself. Their ledgers are in the database of --sandbox-url. Any number of them may run on one database.

    export WAYBILL_SANDBOX_SECRET=$(openssl rand -hex 16)
    waybill sandbox serve --sandbox-url postgres://…       on 127.0.0.1:8090, unless --sandbox-address says otherwise
    waybill worker --sandbox-address 127.0.0.1:8090 …      asks there

The secret and everything else travel unencrypted: for this machine, or a network of your own.`
}

func needSandboxSecret(s config.SandboxSecret) error {
	if s.SandboxSecret == "" {
		return errors.New("no sandbox secret: set WAYBILL_SANDBOX_SECRET, the same for waybill sandbox serve and its workers (openssl rand -hex 16)")
	}
	return nil
}

func (c *sandboxServeCmd) Run(ctx context.Context) error {
	outliveReaders()
	if c.SandboxURL == "" {
		return errors.New("no database for the ledgers: set WAYBILL_SANDBOX_URL, or --sandbox-url")
	}
	if err := needSandboxSecret(c.SandboxSecret); err != nil {
		return err
	}
	log, err := c.Logger(os.Stderr)
	if err != nil {
		return err
	}
	log = telemetry.Logger(log)
	address := cmp.Or(c.SandboxAddress.SandboxAddress, sandboxAddress)
	box, err := sandbox.Open(ctx, c.SandboxURL, sandbox.Options{})
	if err != nil {
		return err
	}
	defer box.Close()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken by another program: choose another address with --sandbox-address", address)
	}
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	server := remote.Server(remote.Handler(box, c.SandboxSecret.SandboxSecret))
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Info("sandbox: serving", "url", "http://"+listener.Addr().String(), "pid", os.Getpid())
	select {
	case <-ctx.Done():
		log.Info("sandbox: stopping")
	case err = <-failed:
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	return errors.Join(err, server.Shutdown(stopping))
}
