package shopify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/inventory"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/gateways/shopify"
)

func openText(files map[string]string) func(string) (io.ReadCloser, error) {
	return func(name string) (io.ReadCloser, error) {
		text, ok := files[name]
		if !ok {
			return nil, &os.PathError{Op: "open", Path: name, Err: errors.New("no such file")}
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}
}

func replace(t *testing.T, file, old, with string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(data), old)
	return strings.Replace(string(data), old, with, 1)
}

// broken is a store and a Temporal that do what no real one does on demand: answer late, or not at all.
type broken struct {
	orders  map[string]*order.Order // by idempotency key
	fail    func(p order.Placement) error
	place   func(ctx context.Context) error
	ensure  func(ctx context.Context) error
	placed  int
	ensured int
}

func (b *broken) Place(ctx context.Context, p order.Placement, orderID, key string, act order.Act) (*order.Order, bool, error) {
	if b.fail != nil {
		if err := b.fail(p); err != nil {
			return nil, false, err
		}
	}
	if o := b.orders[key]; o != nil {
		return o, false, nil
	}
	o := order.Place(p, orderID, act)
	b.orders[key] = o
	return o, true, nil
}

func (b *broken) Order(_ context.Context, orderID string) (*order.Order, error) {
	for _, o := range b.orders {
		if o.ID == orderID {
			return o, nil
		}
	}
	return nil, fault.NotFoundf("there is no such order")
}

func (b *broken) Stock(ctx context.Context, skus []string) (inventory.Stock, error) {
	return plenty{}.Stock(ctx, skus)
}

type brokenRuns struct{ *broken }

func (b brokenRuns) Place(ctx context.Context, _ *order.Order) (order.Facts, error) {
	b.placed++
	return order.Facts{}, b.place(ctx)
}

func (b brokenRuns) Ensure(ctx context.Context, _ *order.Order) error {
	b.ensured++
	return b.ensure(ctx)
}

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func newBroken() (*broken, shopify.Deps) {
	b := &broken{orders: map[string]*order.Order{}, place: hang, ensure: func(context.Context) error { return nil }}
	return b, shopify.Deps{Orders: b, Runs: brokenRuns{b}, Act: act, NewID: func() string { return id.New(id.Order) }}
}

// Five orders, and nobody decides: the first wait is bounded, there is no second, and whoever waits is told.
func TestNobodyDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, deps := newBroken()
		begun := time.Now()
		var lines []string
		outcomes, err := shopify.Import(t.Context(), deps, []string{"testdata/paid-kwd.json", "testdata/many.json"},
			func(line string) { lines = append(lines, fmt.Sprint(time.Since(begun), " ", line)) })
		require.NoError(t, err)
		require.Equal(t, 10*time.Second, time.Since(begun))
		require.NotEmpty(t, lines)
		require.Equal(t, "2s testdata/paid-kwd.json: 0 of 1 done, now #4001", lines[0])
		require.GreaterOrEqual(t, len(lines), 4)
		require.Equal(t, 1, b.placed)
		require.Equal(t, 4, b.ensured)
		require.Equal(t, shopify.Imported, outcomes[0].Result)
		require.Equal(t, order.Received, outcomes[0].Status)
		require.Equal(t, []string{"it is stored and has not been decided yet: that goes on by itself"}, outcomes[0].Notes)
		require.True(t, b.orders["import/shopify/7000000000001"] != nil)
	})
}

func TestTemporalIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, deps := newBroken()
		b.ensure = hang
		begun := time.Now()
		outcomes, err := shopify.Import(t.Context(), deps, []string{"testdata/paid-kwd.json", "testdata/many.json"}, nil)
		require.NoError(t, err)
		require.Equal(t, 12*time.Second, time.Since(begun))
		require.Equal(t, 1, b.ensured)
		require.Len(t, outcomes, 9)
		require.Len(t, b.orders, 5, "every order is stored all the same")
	})
}

func TestTheDatabaseGoesAway(t *testing.T) {
	b, deps := newBroken()
	b.place = func(context.Context) error { return nil }
	b.fail = func(p order.Placement) error {
		if p.ExternalID == "8000000000003" {
			return &fault.Fault{Kind: fault.Unavailable, Code: "database_unavailable", Detail: "the database does not answer"}
		}
		return nil
	}
	outcomes, err := shopify.Import(t.Context(), deps, []string{"testdata/many.json"}, nil)
	require.ErrorContains(t, err, "stopped at order 3 of testdata/many.json: import the same again to go on: ")
	require.Len(t, outcomes, 2)
	b.fail = nil
	outcomes, err = shopify.Import(t.Context(), deps, []string{"testdata/many.json"}, nil)
	require.NoError(t, err)
	require.Equal(t, shopify.Existing, outcomes[0].Result)
	require.Equal(t, shopify.Held, outcomes[2].Result)
}

// One order that the database will not have is no reason to lose the others.
func TestAnOrderCannotBeStored(t *testing.T) {
	b, deps := newBroken()
	b.place = func(context.Context) error { return nil }
	b.fail = func(p order.Placement) error {
		if p.ExternalID == "8000000000001" {
			return errors.New("violates a check constraint")
		}
		return nil
	}
	outcomes, err := shopify.Import(t.Context(), deps, []string{"testdata/many.json"}, nil)
	require.NoError(t, err)
	require.Equal(t, shopify.Failed, outcomes[0].Result)
	require.Equal(t, []string{"it could not be stored", "violates a check constraint"}, outcomes[0].Notes)
	require.Equal(t, shopify.Held, outcomes[1].Result)
}

func TestStopped(t *testing.T) {
	b, deps := newBroken()
	ctx, cancel := context.WithCancel(t.Context())
	b.place = func(context.Context) error { cancel(); return ctx.Err() }
	outcomes, err := shopify.Import(ctx, deps, []string{"testdata/many.json"}, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "stopped before order 2 of testdata/many.json")
	require.Len(t, outcomes, 1)
}

func TestFilesThatCannotBeRead(t *testing.T) {
	b, deps := newBroken()
	b.place = func(context.Context) error { return nil }
	deps.Open = openText(map[string]string{"empty": " ", "cut": replace(t, "testdata/paid-kwd.json", `"fulfillments"`, `x`)})
	outcomes, err := shopify.Import(t.Context(), deps, []string{"none", "empty", "cut"}, nil)
	require.NoError(t, err)
	require.Len(t, outcomes, 3)
	for i, why := range []string{"it cannot be opened: no such file", "there is no order in it", "it is not JSON from line"} {
		require.Equal(t, shopify.Failed, outcomes[i].Result)
		require.Contains(t, outcomes[i].Notes[0], why)
		require.Equal(t, []string{"none", "empty", "cut"}[i], outcomes[i].File)
	}
}
