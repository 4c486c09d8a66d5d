package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An order that was stored while Temporal was away is not left to the sweeper, which comes by now and then: a relay
// starts it as soon as it can. One whose run is only slow has one already.
func TestAnOrderThatCouldNotBeStarted(t *testing.T) {
	s := closed(t)
	s.sweeps = time.Hour
	s.must(201, "PUT", "/v1/locations/sf", `{"name":"San Francisco","country":"US","priority":1}`)
	s.stock("TEE-M", 100)
	s.runs.late.Store(true)
	slow := s.must(202, "POST", "/v1/orders", orderBody("slow", "TEE-M", "tok_ok"))
	require.EqualValues(t, 0, s.left.Load())

	s.runs.away.Store(true)
	for range 2 { // the second time it was left already
		o := s.sendAs("lost", "POST", "/v1/orders", orderBody("lost", "TEE-M", "tok_ok"))
		require.Equal(t, 202, o.status)
		require.EqualValues(t, 1, s.left.Load())
	}
	s.work()
	lost := s.get("/v1/orders?external_id=lost")
	for _, path := range []string{"/v1/orders/" + slow.text("id"), "/v1/orders/" + lost.text("data", 0, "id")} {
		s.until(path, func(o answer) bool { return o.text("status") == "accepted" })
	}
}

// A command reads its order once: afterwards, for the answer.
func TestACommandReadsItsOrderOnce(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_ok")
	before := s.loads.Load()
	s.must(200, "POST", "/v1/fulfillments/"+o.text("fulfillments", 0, "id")+"/pick", fmt.Sprintf(`{"lines":[{"line_id":%q,"quantity":2}]}`, o.text("lines", 0, "id")))
	require.EqualValues(t, 1, s.loads.Load()-before)
	s.must(201, "POST", "/v1/orders/"+o.text("id")+"/holds", `{"reason":"asked"}`)
	require.EqualValues(t, 2, s.loads.Load()-before)
}

// What the path names has to be of its kind: an order is not cancelled by the id of its fulfillment order.
func TestACommandForAnotherKindOfThing(t *testing.T) {
	s := open(t)
	o := s.place("1", "tok_ok")
	order, fulfillment := o.text("id"), o.text("fulfillments", 0, "id")
	for _, path := range []string{"/v1/orders/" + fulfillment + "/cancel", "/v1/fulfillments/" + order + "/ship", "/v1/returns/" + order + "/cancel",
		"/v1/returns/" + fulfillment + "/resume", "/v1/orders/ord_0/cancel", "/v1/fulfillments/ful_0/ship", "/v1/returns/ret_0/cancel"} {
		require.Equal(t, "not_found", s.must(404, "POST", path, `{}`).text("code"), path)
	}
}

// However long Temporal is away, orders are taken; when it is back, they are decided again while one waits.
func TestOrdersAreTakenWhileTemporalIsAway(t *testing.T) {
	s := open(t)
	s.runs.away.Store(true)
	s.runs.late.Store(true)
	for i := range 10 { // more than may be at work at once
		s.must(202, "POST", "/v1/orders", orderBody(fmt.Sprint("away-", i), "TEE-M", "tok_ok"))
	}
	require.EqualValues(t, 10, s.left.Load())
	s.runs.away.Store(false)
	s.runs.late.Store(false)
	require.Eventually(t, func() bool {
		n := time.Now().UnixNano()
		return s.sendAs(fmt.Sprint("back-", n), "POST", "/v1/orders", orderBody(fmt.Sprint("back-", n), "TEE-M", "tok_ok")).status == 201
	}, time.Minute, 10*time.Millisecond)
	s.must(201, "POST", "/v1/orders", orderBody("after", "TEE-M", "tok_ok"))
}
