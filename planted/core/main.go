// Core plays one seed of simulation/core, as `waybill simulate --layer core --seed N --json` does, and prints what it
// left. It imports nothing else of Waybill than the domain, so that a bug is built into it in seconds.
//
// It owns nothing. The exit code is 1 when something did not hold.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"

	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/simulation/core"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	red, err := play(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "planted/core:", err)
		os.Exit(2)
	}
	if red {
		os.Exit(1)
	}
}

func play(ctx context.Context, args []string) (red bool, err error) {
	if len(args) != 1 {
		return false, fmt.Errorf("go run ./planted/core SEED")
	}
	seed, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return false, fmt.Errorf("a seed is a number: %w", err)
	}
	result, err := core.Run(ctx, simulation.Scope{Seed: simulation.Seed(seed), Orders: core.DefaultOrders})
	if err != nil {
		return false, err
	}
	return result.Red(), json.NewEncoder(os.Stdout).Encode(result)
}
