package devtest

import (
	"context"
	"sync"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/waybill-oms/waybill/devstack"
)

// SearchAttributes and DynamicConfig are those of the servers that Temporal and NewTemporal start. They must
// be set before the first of those calls.
var (
	SearchAttributes map[string]enumspb.IndexedValueType
	DynamicConfig    map[string]string
)

var (
	// binary finds or builds the dev server. It has no deadline of its own: a first build takes minutes, and a
	// test's time only begins to count in m.Run.
	binary = sync.OnceValues(func() (string, error) {
		return devstack.TemporalBinary(context.Background(), "", tell)
	})
	sharedTemporal = sync.OnceValues(func() (*devstack.Temporal, error) {
		temporal, err := startTemporal()
		if err == nil {
			atEnd(temporal.Stop)
			onFailure(temporal.LastWords)
		}
		return temporal, err
	})
)

// NeedTemporal builds the dev server if this machine does not have it yet. A package whose tests use Temporal
// calls it in TestMain before Run, because the first build takes minutes and the time limit of go test
// counts from there on. If it fails, so do the tests that ask for Temporal, saying why.
func NeedTemporal() {
	if _, err := binary(); err != nil {
		tell(err.Error())
	}
}

// Temporal returns the dev server that the tests of this process share, without UI and with everything in
// memory. Tests keep apart by their workflow ids and task queues.
func Temporal(t testing.TB) *devstack.Temporal {
	t.Helper()
	temporal, err := sharedTemporal()
	if err != nil {
		t.Fatalf("devtest: %v", err)
	}
	return temporal
}

// NewTemporal returns a dev server of the test's own, for tests that stop it or count what it does.
func NewTemporal(t testing.TB) *devstack.Temporal {
	t.Helper()
	temporal, err := startTemporal()
	if err != nil {
		t.Fatalf("devtest: %v", err)
	}
	t.Cleanup(func() {
		if err := temporal.Stop(); err != nil {
			t.Errorf("devtest: %v", err)
		}
	})
	return temporal
}

func startTemporal() (*devstack.Temporal, error) {
	if _, err := binary(); err != nil {
		return nil, err
	}
	return devstack.StartTemporal(context.Background(), devstack.TemporalOptions{
		Ephemeral: true, Headless: true, SearchAttributes: SearchAttributes, DynamicConfig: DynamicConfig, Progress: tell,
	})
}
