package e2e_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
)

// feed reads events page by page from a position on, each held against the schema that subscribers were given.
func (s *shop) feed(after int64, until func(e answer) bool) (events []answer) {
	s.t.Helper()
	schemas := jsonschema.NewCompiler()
	for {
		page := s.get(fmt.Sprintf("/v1/events?after=%d&limit=3&wait=30", after))
		data, _ := page.at("data").([]any)
		for _, body := range data {
			e := answer{body: body.(map[string]any)}
			schema, err := schemas.Compile(filepath.Join("..", "..", "docs", "events", e.text("type")+".json"))
			require.NoError(s.t, err)
			require.NoError(s.t, schema.Validate(body), e.body)
			after++
			require.EqualValues(s.t, after, e.at("position"))
			if events = append(events, e); until(e) {
				return events
			}
		}
		require.EqualValues(s.t, after, page.at("next_after"))
		require.GreaterOrEqual(s.t, page.at("last_position"), page.at("next_after"))
	}
}

func is(kind string) func(answer) bool { return func(e answer) bool { return e.text("type") == kind } }

func TestEvents(t *testing.T) {
	s := open(t)
	o := s.deliver("1")
	all := s.feed(0, is("order.completed"))
	var types []string
	for i, e := range all {
		require.EqualValues(t, i+1, e.at("sequence"))
		require.Equal(t, o.text("id"), e.text("order_id"))
		require.Equal(t, fmt.Sprintf("%s/%d", o.text("id"), i+1), e.text("id"))
		types = append(types, e.text("type"))
	}
	require.Equal(t, []string{"order.received", "payment.authorized", "order.accepted", "fulfillment.opened", "fulfillment.picked",
		"order.processing", "fulfillment.packed", "shipment.labeled", "payment.captured", "shipment.shipped", "fulfillment.closed",
		"shipment.delivered", "order.completed"}, types)
	captured := all[8]
	require.Equal(t, map[string]any{"amount": 4828.0, "payment_id": captured.text("data", "payment_id"), "shipment_id": captured.text("data", "shipment_id")}, captured.at("data"))
	require.Equal(t, []any{"1", "web", "USD", false}, []any{captured.at("external_id"), captured.at("channel"), captured.at("currency"), captured.at("test")})

	r := s.must(201, "POST", "/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "changed_mind"))
	s.must(200, "POST", "/v1/returns/"+r.text("id")+"/approve", `{}`)
	s.must(200, "POST", "/v1/returns/"+r.text("id")+"/receive", units(r, 1, ""))
	s.must(200, "POST", "/v1/returns/"+r.text("id")+"/inspect", units(r, 1, `,"grade":"A"`))
	s.must(402, "POST", "/v1/orders", orderBody("2", "TEE-M", "tok_declined"))
	s.feed(int64(len(all)), is("order.hold_placed"))
}

// counting counts how often the feed is read.
type counting struct {
	*store.Store
	feeds *atomic.Int64
	loads *atomic.Int64
	left  *atomic.Int64
}

func (c counting) Order(ctx context.Context, orderID string) (*order.Order, error) {
	c.loads.Add(1)
	return c.Store.Order(ctx, orderID)
}

func (c counting) LeaveToRelay(ctx context.Context, orderID string, at time.Time) error {
	c.left.Add(1)
	return c.Store.LeaveToRelay(ctx, orderID, at)
}

func (c counting) Feed(ctx context.Context, after int64, limit int) ([]store.FeedEvent, int64, error) {
	c.feeds.Add(1)
	return c.Store.Feed(ctx, after, limit)
}

// A reader that has everything waits, and is answered as soon as there is something.
func TestEventsAreWaitedFor(t *testing.T) {
	s := open(t)
	require.Empty(t, s.get("/v1/events").at("data"))
	s.place("1", "tok_ok")
	last := len(s.feed(0, is("fulfillment.opened")))
	path := fmt.Sprintf("/v1/events?after=%d&wait=", last)
	require.Empty(t, s.get(path+"1").at("data"), "when the wait is over")

	before := s.feeds.Load()
	answered := make(chan answer, 1)
	go func() { answered <- s.send("GET", path+"30", "") }()
	require.Eventually(t, func() bool { return s.feeds.Load() >= before+2 }, 20*time.Second, 5*time.Millisecond, "it found nothing, and looks again")
	select {
	case early := <-answered:
		require.Fail(t, "answered", "%v", early)
	default:
	}
	s.place("2", "tok_ok")
	first := <-answered
	require.Equal(t, "order.received", first.text("data", 0, "type"))
	require.EqualValues(t, last+1, first.at("data", 0, "position"))
}

func TestEventsBeyondTheLastPosition(t *testing.T) {
	s := open(t)
	s.place("1", "tok_ok")
	s.feed(0, is("fulfillment.opened"))
	a := s.must(409, "GET", "/v1/events?after=1000&wait=30", "")
	require.Equal(t, "position_ahead", a.text("code"))
	for _, wrong := range []string{"after=-1", "limit=0", "limit=1001", "wait=31", "after=x", "from=1"} {
		require.Contains(t, []int{400, 422}, s.send("GET", "/v1/events?"+wrong, "").status, wrong)
	}
}
