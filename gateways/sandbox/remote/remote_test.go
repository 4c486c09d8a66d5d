package remote_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/gatewaytest"
	"github.com/waybill-oms/waybill/gateways/sandbox"
	"github.com/waybill-oms/waybill/gateways/sandbox/remote"
	"github.com/waybill-oms/waybill/gateways/sandbox/sandboxtest"
)

func TestMain(m *testing.M) { os.Exit(devtest.Run(m)) }

const secret = "open-sesame"

// quick makes the faults short. A rate limit of less than a second is told as one.
var quick = sandbox.Options{RequestTimeout: time.Minute, Hang: 10 * time.Millisecond, Slow: 50 * time.Millisecond,
	Busy: 50 * time.Millisecond, RetryAfter: 10 * time.Millisecond}

// serve serves the sandbox of a database, and gives who asks it.
func serve(t *testing.T, url string, options sandbox.Options) *remote.Gateways {
	t.Helper()
	box, err := sandbox.Open(t.Context(), url, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, box.Close()) })
	return connect(t, remote.Handler(box, secret), secret)
}

func connect(t *testing.T, handler http.Handler, secret string) *remote.Gateways {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	gateways := remote.Connect(strings.TrimPrefix(server.URL, "http://"), secret)
	t.Cleanup(func() { require.NoError(t, gateways.Close()) })
	return gateways
}

func TestPaymentsContract(t *testing.T) {
	gateways := serve(t, devtest.Database(t), quick)
	gatewaytest.Payments(t, func(*testing.T) gatewaytest.PaymentsUnderTest { return sandboxtest.Payments(gateways.Payments()) })
}

func TestCarrierContract(t *testing.T) {
	url := devtest.Database(t)
	gatewaytest.Carrier(t, func(t *testing.T) gatewaytest.CarrierUnderTest {
		var skipped atomic.Int64
		options := quick
		options.Clock = func() time.Time { return time.Now().Add(time.Duration(skipped.Load())) }
		return sandboxtest.Carrier(serve(t, url, options).Carrier(), func() { skipped.Add(int64(30 * 24 * time.Hour)) })
	})
}

var (
	hold   = payment.Request{Key: "authorize/1", Kind: payment.Authorize, OrderID: "o", Amount: 100, Currency: "EUR", Token: "tok_ok"}
	parcel = shipping.Request{Key: "label/1", Kind: shipping.BuyLabel, OrderID: "o", ShipmentID: "s", Service: "standard"}
)

// Whatever is not an answer of ours leaves the outcome open, also where it looks like one.
func TestTroubleOnTheWayLeavesTheOutcomeUnknown(t *testing.T) {
	for about, answer := range map[string]http.HandlerFunc{
		"a page of somebody else": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>welcome</html>")) },
		"nothing":                 func(http.ResponseWriter, *http.Request) {},
		"an empty answer":         func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
		"an unknown outcome":      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"Outcome":"perhaps"}`)) },
		"more than an answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"Outcome":"succeeded"}{"Outcome":"refused"}`))
		},
		"another program's 404": http.NotFound,
		"a proxy's 503":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"a conflict of nobody":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", http.StatusConflict) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"a connection that breaks": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(about, func(t *testing.T) {
			gateways := connect(t, answer, secret)
			_, err := gateways.Payments().Perform(t.Context(), hold)
			require.ErrorIs(t, err, payment.ErrUnknown)
			_, err = gateways.Payments().Find(t.Context(), hold)
			require.ErrorIs(t, err, payment.ErrUnknown)
			_, err = gateways.Carrier().Perform(t.Context(), parcel)
			require.ErrorIs(t, err, shipping.ErrUnknown)
			_, err = gateways.Carrier().Find(t.Context(), parcel)
			require.ErrorIs(t, err, shipping.ErrUnknown)
		})
	}
}

// A request ends before its time is up, however long the other side is silent.
func TestASilentGatewayIsNotWaitedForLongerThanPromised(t *testing.T) {
	gateways := connect(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the end of the request is not noticed
		<-r.Context().Done()
	}), secret)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := gateways.Payments().Perform(ctx, hold)
	require.ErrorIs(t, err, payment.ErrUnknown)
	require.NoError(t, ctx.Err(), "it ended by itself")
}

func TestNobodyIsServedWithoutTheSecret(t *testing.T) {
	box, err := sandbox.Open(t.Context(), devtest.Database(t), quick)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, box.Close()) })
	for _, c := range []struct{ served, said string }{{secret, "another"}, {secret, ""}, {"", ""}} {
		gateways := connect(t, remote.Handler(box, c.served), c.said)
		_, err := gateways.Payments().Perform(t.Context(), hold)
		require.ErrorIs(t, err, payment.ErrUnknown)
		require.ErrorContains(t, err, "WAYBILL_SANDBOX_SECRET")
		require.NotContains(t, err.Error(), secret)
	}
	_, err = box.Payments().Find(t.Context(), hold)
	require.ErrorIs(t, err, payment.ErrNotFound, "nothing was done")
}
