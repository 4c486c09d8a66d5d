package relay_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/relay"
)

// unstarted is so many orders that were stored, and no returns.
type unstarted struct {
	relay.Facts
	orders int
}

func (u unstarted) Unsettled(_ context.Context, after string, _ time.Time, _ int) (ids []string, err error) {
	for i := 0; i < u.orders && after == ""; i++ {
		ids = append(ids, fmt.Sprintf("ord_%03d", i))
	}
	return ids, nil
}

func (unstarted) UnsettledReturns(context.Context, string, time.Time, int) ([]order.ReturnRef, error) {
	return nil, nil
}

func (unstarted) Order(_ context.Context, orderID string) (*order.Order, error) {
	return &order.Order{ID: orderID}, nil
}

// slowRuns has no runs, and takes a second to begin one, or to say that it cannot.
type slowRuns struct {
	relay.Runs
	asked   atomic.Int64
	refuses func(orderID string) error
}

func (r *slowRuns) Running(context.Context, string) (bool, error) { return false, nil }

func (r *slowRuns) Ensure(_ context.Context, o *order.Order) error {
	r.asked.Add(1)
	time.Sleep(time.Second)
	return r.refuses(o.ID)
}

type unmeasured struct{}

func (unmeasured) Swept(string, error) {}
func (unmeasured) Started(int)         {}
func (unmeasured) Woken()              {}
func (unmeasured) Granted(int)         {}

func sweep(t *testing.T, refuses func(orderID string) error) (started, asked int, took time.Duration, err error) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowRuns{refuses: refuses}
		began := time.Now()
		started, err = (&relay.Relay{Facts: unstarted{orders: 100}, Runs: r, Act: act, Measure: unmeasured{}}).Sweep(t.Context())
		took, asked = time.Since(began), int(r.asked.Load())
	})
	return started, asked, took, err
}

// What was stored and not started is started several at a time: a hundred while seven are started one after the other.
func TestSeveralRunsAreStartedAtATime(t *testing.T) {
	started, asked, took, err := sweep(t, func(string) error { return nil })
	require.NoError(t, err)
	require.Equal(t, 100, started)
	require.Equal(t, 100, asked)
	require.Equal(t, 7*time.Second, took, "by the clock of the bubble")
}

func TestOneThatCannotBeStartedDoesNotStopTheRest(t *testing.T) {
	started, asked, _, err := sweep(t, func(orderID string) error {
		if orderID == "ord_050" {
			return errors.New("refused")
		}
		return nil
	})
	require.ErrorContains(t, err, "refused")
	require.Equal(t, 99, started)
	require.Equal(t, 100, asked)
}

func TestWhenNothingCanBeStartedTheRestIsLeftAlone(t *testing.T) {
	started, asked, _, err := sweep(t, func(string) error { return errors.New("away") })
	require.ErrorContains(t, err, "away")
	require.Zero(t, started)
	require.Less(t, asked, 50)
}
