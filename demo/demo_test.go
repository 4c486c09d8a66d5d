package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/demo"
)

const ui = "http://localhost:8233/namespaces/default"

// TestEveryKindEndsAsItSays plays every scenario on a Waybill whose every 25th answer is lost, and in its place somebody
// is told to come back: what was done is done once.
func TestEveryKindEndsAsItSays(t *testing.T) {
	lossy := &loser{every: 25}
	w := start(t, lossy.wrap)
	kinds := demo.Scenarios()
	played := 0
	r, err := demo.Run(t.Context(), demo.Options{API: w.api, Orders: len(kinds), Parallel: 8, Seed: 1, UI: ui, Played: func(failed bool) {
		played++
		if failed {
			t.Error("an order failed")
		}
	}})
	require.NoError(t, err)
	require.Empty(t, r.Failures)
	require.Equal(t, []int{len(kinds), len(kinds), len(kinds), 0}, []int{played, r.Played, r.Read, r.CutShort})
	require.Greater(t, lossy.lost.Load(), int64(5))
	require.Equal(t, lossy.lost.Load(), lossy.again.Load(), "each was asked for again")
	require.Zero(t, lossy.otherKeys.Load(), "a request that is sent again has the key that it had")
	requireTellsAll(t, r, kinds)
	requireFoots(t, r)
	requireReadable(t, r)
	w.books()

	again, err := demo.Run(t.Context(), demo.Options{API: w.api, Orders: 1, Parallel: 1, Seed: 1})
	require.Nil(t, again)
	require.ErrorContains(t, err, "seed 1 was played here before")
	other, err := demo.Run(t.Context(), demo.Options{API: w.api, Orders: 3, Parallel: 2, Seed: 2})
	require.NoError(t, err)
	require.Empty(t, other.Failures)
	require.Equal(t, 3, other.Read, "the orders of other runs are not its own")
	require.Empty(t, other.Kinds[0].Links, "nobody said where the UI is")
}

// requireTellsAll looks for every kind, with its link.
func requireTellsAll(t *testing.T, r *demo.Report, kinds []demo.Scenario) {
	t.Helper()
	require.Len(t, r.Kinds, len(kinds))
	orders := 0
	for _, o := range r.Outcomes {
		orders += o.Orders
	}
	require.Equal(t, len(kinds), orders)
	for i, k := range r.Kinds {
		require.Equal(t, kinds[i].Name, k.Name)
		require.Equal(t, kinds[i].Ends, k.Stands)
		switch {
		case k.Name == "out-of-stock":
			require.Empty(t, k.Links, "it never had a run")
		case strings.Contains(k.Stands, "; return "):
			require.Len(t, k.Links, 2)
			require.Contains(t, k.Links[1], ui+"/workflows/return%2Fret_")
		default:
			require.Equal(t, []string{ui + "/workflows/order%2F" + k.OrderID}, k.Links)
		}
	}
	for _, s := range r.Stages {
		require.Positive(t, s.Times, s.Name)
		require.Positive(t, s.Median, s.Name)
		require.GreaterOrEqual(t, s.Slowest, s.Median)
	}
}

// requireFoots adds up again, with nothing but what is printed.
func requireFoots(t *testing.T, r *demo.Report) {
	t.Helper()
	require.True(t, r.Foots(), "%+v %+v", r.Money, r.Units)
	for _, m := range r.Money {
		require.Equal(t, m.Authorized, m.Held+m.Captured+m.Voided, m.Currency)
		require.Equal(t, m.Kept, m.Captured-m.Refunded, m.Currency)
		require.Positive(t, m.Captured, m.Currency)
	}
	u := r.Units
	require.Equal(t, u.Ordered, u.Cancelled+u.Open+u.Shipped)
	require.Equal(t, u.Shipped, u.OnTheWay+u.Delivered+u.Lost+u.Undelivered)
	for name, n := range map[string]int64{"cancelled": u.Cancelled, "backordered": u.Backordered, "lost": u.Lost, "returned": u.Returned, "turned away": u.TurnedAway} {
		require.Positive(t, n, name)
	}
}

func requireReadable(t *testing.T, r *demo.Report) {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, r.Write(&text))
	for line := range strings.Lines(text.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), 120, line)
	}
	for _, part := range []string{"ORDERS BY OUTCOME", "MONEY", "It foots to the cent", "UNITS", "TIME PER STAGE", "ONE ORDER OF EACH KIND", "needed no run"} {
		require.Contains(t, text.String(), part)
	}
	require.NotContains(t, text.String(), "NOT AS EXPECTED")
	body, err := json.Marshal(r)
	require.NoError(t, err)
	require.NotContains(t, string(body), "null", "lists are lists, also when they are empty")
}

// TestWhatGoesOtherwiseIsTold: a Waybill that forgets deliveries, and one that cannot ship.
func TestWhatGoesOtherwiseIsTold(t *testing.T) {
	var broken atomic.Bool
	w := start(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/tracking") && !broken.Load():
				_, _ = io.Copy(io.Discard, r.Body)
				r = r.Clone(r.Context())
				r.Method, r.URL.Path, r.Body, r.ContentLength = http.MethodGet, strings.TrimSuffix(r.URL.Path, "/tracking"), http.NoBody, 0
				r.Header.Del("Content-Type")
			case strings.HasSuffix(r.URL.Path, "/ship") && broken.Load():
				out.Header().Set("Content-Type", "application/problem+json")
				out.WriteHeader(http.StatusInternalServerError)
				_, _ = io.WriteString(out, `{"status":500,"code":"internal_error","detail":"something is broken"}`)
				return
			}
			next.ServeHTTP(out, r)
		})
	})
	told := func(seed int64) demo.Failure {
		t.Helper()
		r, err := demo.Run(t.Context(), demo.Options{API: w.api, Orders: 1, Parallel: 1, Seed: seed, Patience: 2 * time.Second})
		require.NoError(t, err)
		require.Len(t, r.Failures, 1)
		require.Equal(t, r.Kinds[0].OrderID, r.Failures[0].OrderID)
		var text bytes.Buffer
		require.NoError(t, r.Write(&text))
		require.Contains(t, text.String(), "0 as their scenarios say, 1 not")
		require.Contains(t, text.String(), r.Failures[0].OrderID)
		return r.Failures[0]
	}
	f := told(1)
	require.Equal(t, []string{"plain", "end", "completed, paid, delivered", "processing, paid, shipped, waits for carrier"}, []string{f.Scenario, f.Step, f.Expected, f.Got})
	broken.Store(true)
	f = told(2)
	require.Equal(t, []string{"ship", "waybill: 500 internal_error: something is broken"}, []string{f.Step, f.Got})
	w.books()
}

// TestAnInterruptedRunReportsWhatItPlayed, and takes what it left in the middle for no failure.
func TestAnInterruptedRunReportsWhatItPlayed(t *testing.T) {
	w := start(t, nil)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	played := 0
	r, err := demo.Run(ctx, demo.Options{API: w.api, Orders: 500, Parallel: 3, Seed: 1, Played: func(bool) {
		if played++; played == 4 {
			interrupt()
		}
	}})
	require.NoError(t, err)
	require.Empty(t, r.Failures)
	require.GreaterOrEqual(t, r.Played, 4)
	require.Less(t, r.Played, 10)
	require.Equal(t, played, r.Played)
	require.GreaterOrEqual(t, r.Read, r.Played)
	var text bytes.Buffer
	require.NoError(t, r.Write(&text))
	require.Contains(t, text.String(), "Interrupted: ")
}

func TestNobodyThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	api, err := client.Connect(server.URL, "key")
	require.NoError(t, err)
	_, err = demo.Run(t.Context(), demo.Options{API: api, Orders: 1, Seed: 1, Patience: time.Millisecond})
	require.ErrorContains(t, err, "the API does not answer")
}

// loser loses answers to POSTs: the request is done, and its caller told to ask again.
type loser struct {
	every      int64
	seen, lost atomic.Int64
	asked      sync.Map // by what is asked for, with its body: the Idempotency-Key
	again      atomic.Int64
	otherKeys  atomic.Int64
}

func (l *loser) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(out, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		asks, key := r.URL.Path+string(body), r.Header.Get("Idempotency-Key")
		if before, known := l.asked.LoadAndDelete(asks); known {
			l.again.Add(1)
			if before != key {
				l.otherKeys.Add(1)
			}
		} else if l.seen.Add(1)%l.every == 0 {
			l.asked.Store(asks, key)
			l.lost.Add(1)
			next.ServeHTTP(httptest.NewRecorder(), r)
			out.Header().Set("Content-Type", "application/problem+json")
			out.Header().Set("Retry-After", "1")
			out.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(out, `{"status":503,"code":"outcome_unknown","detail":"ask again"}`)
			return
		}
		next.ServeHTTP(out, r)
	})
}
