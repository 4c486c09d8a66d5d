package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/worker"
)

// childEnv makes this test binary a worker process. Its value is an assignment, as JSON.
const childEnv = "WAYBILL_WORKER_TEST_CHILD"

// assignment is what a worker process is told.
type assignment struct {
	DatabaseURL string        `json:"database_url"`
	Temporal    string        `json:"temporal"`
	TaskQueue   string        `json:"task_queue"`
	Policy      *order.Policy `json:"policy"`
	InboxEvery  time.Duration `json:"inbox_every"`
	GrantEvery  time.Duration `json:"grant_every"`
	Receipt     *receipt      `json:"receipt"` // to be booked at once
	death
}

// receipt is goods that arrive, under the key of a command.
type receipt struct {
	Key      string `json:"key"`
	Quantity int64  `json:"quantity"`
}

// death says where a process kills itself.
type death struct {
	At     string `json:"at"`     // a point of an activity, "Order/Capture/after-effect"; "" for none
	Visit  int64  `json:"visit"`  // the how manieth time the process is there
	Marker string `json:"marker"` // a file that whoever dies makes; where it exists nobody dies
}

// another starts another worker process on the app's database and task queue.
func (a *app) another(d death, change ...func(*assignment)) *devtest.Child {
	a.t.Helper()
	as := assignment{DatabaseURL: a.options.DatabaseURL, Temporal: a.address, TaskQueue: a.options.TaskQueue,
		Policy: a.options.Policy, InboxEvery: 50 * time.Millisecond, GrantEvery: a.options.GrantEvery, death: d}
	for _, f := range change {
		f(&as)
	}
	told, err := json.Marshal(as)
	require.NoError(a.t, err)
	return devtest.StartChild(a.t, childEnv+"="+string(told))
}

// childMain makes the process a worker, if that is what it was started for.
func childMain() {
	told := os.Getenv(childEnv)
	if told == "" {
		return
	}
	if err := beWorker(told); err != nil {
		fmt.Fprintln(os.Stderr, "worker process:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func beWorker(told string) error {
	var as assignment
	if err := json.Unmarshal([]byte(told), &as); err != nil {
		return err
	}
	ctx, log := context.Background(), slog.New(slog.NewTextHandler(io.Discard, nil))
	c, err := worker.Connect(ctx, worker.Connection{Address: as.Temporal, Namespace: "default", Log: log})
	if err != nil {
		return err
	}
	defer c.Close()
	p, err := worker.Start(ctx, worker.Options{DatabaseURL: as.DatabaseURL, Temporal: c, TaskQueue: as.TaskQueue,
		Policy: as.Policy, Log: log, InboxEvery: as.InboxEvery, GrantEvery: as.GrantEvery, Reached: as.dieOnce()})
	if err != nil {
		return err
	}
	if r := as.Receipt; r != nil {
		if err := r.book(ctx, p.Store); err != nil {
			return err
		}
		as.dieOnce()(booked)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test is over
	return p.Stop()
}

// dieOnce kills this process at its point, unless somebody has died for the marker before.
func (d death) dieOnce() func(string) {
	var visits atomic.Int64
	return func(point string) {
		if point != d.At || visits.Add(1) != d.Visit {
			return
		}
		marker, err := os.OpenFile(d.Marker, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return
		}
		_, _ = marker.WriteString(point)
		_ = marker.Close()
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal may take a moment; until then nothing happens here
	}
}

// booked is where a process is that has booked its receipt, and told nobody.
const booked = "receipt/" + activities.AfterCommit

func (r receipt) book(ctx context.Context, s *store.Store) error {
	return s.ChangeStock(ctx, &store.Command{Key: r.Key, Name: "receipt", Subject: "nyc"}, inventory.Receipt, "nyc",
		[]store.StockChange{{SKU: "TEE-M", Quantity: r.Quantity}}, "", act())
}
