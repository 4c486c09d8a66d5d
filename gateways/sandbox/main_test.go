package sandbox

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/payment"
)

// childEnv makes this test binary a process that sends one payment and waits for an answer that does not
// come: something to kill. Its value is the database URL.
const childEnv = "WAYBILL_SANDBOX_TEST_CHILD"

func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		os.Exit(child(url))
	}
	os.Exit(devtest.Run(m))
}

// childRequest is what the child sends.
var childRequest = payment.Request{Key: "authorize/killed", Kind: payment.Authorize, OrderID: "order-1", Amount: 1000,
	Currency: "EUR", Token: "tok_timeout_after"}

func child(url string) int {
	ctx := context.Background()
	s, err := Open(ctx, url, Options{RequestTimeout: time.Hour})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	answer, err := s.Payments().Perform(ctx, childRequest)
	fmt.Fprintln(os.Stderr, "the child was answered:", answer, err)
	return 1
}

// quick makes the faults short, and leaves the requests themselves time on a busy machine.
var quick = Options{RequestTimeout: time.Minute, Hang: 10 * time.Millisecond, Slow: 50 * time.Millisecond,
	Busy: 50 * time.Millisecond, RetryAfter: 10 * time.Millisecond}

func open(t *testing.T, url string, options Options) *Sandbox {
	t.Helper()
	s, err := Open(t.Context(), url, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// clock is a time that a test moves. It starts with a fraction that the database cannot keep.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock {
	return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("east", 3600))}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// count gives the number that a query selects.
func count(t *testing.T, s *Sandbox, query string, args ...any) int64 {
	t.Helper()
	var n int64
	require.NoError(t, s.db.GetContext(t.Context(), &n, query, args...))
	return n
}

// eventually waits until done, and fails when that takes a minute.
func eventually(t *testing.T, done func() bool, about string) {
	t.Helper()
	require.Eventually(t, done, time.Minute, 5*time.Millisecond, about)
}
