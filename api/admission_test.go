package api_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	orders "github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
)

// full is a store in which whatever is begun goes on until it is let go.
type full struct {
	api.Store
	begun atomic.Int64
	done  chan struct{}
}

func (f *full) Place(context.Context, orders.Placement, string, string, orders.Act) (*orders.Order, bool, error) {
	f.begun.Add(1)
	<-f.done
	return nil, false, fault.Conflictf("external_id_taken", "taken")
}

func (f *full) Subject(_ context.Context, _, subjectID, _ string) (store.Subject, error) {
	if subjectID == "ord_quick" {
		return store.Subject{}, fault.NotFoundf("there is no such order")
	}
	f.begun.Add(1)
	<-f.done
	return store.Subject{}, fault.NotFoundf("there is no such order")
}

// crowd sends one request so many times at once, and keeps what was answered so far.
type crowd struct {
	sync.Mutex
	answers map[string]int // by status and code
	all     sync.WaitGroup
}

func (c *crowd) come(t *testing.T, b *border, n int, r request) {
	for range n {
		c.all.Go(func() {
			res, problem := b.send(t, r)
			c.Lock()
			defer c.Unlock()
			if problem.Code == "overloaded" && res.Header.Get("Retry-After") == "" {
				problem.Code = "overloaded, without Retry-After"
			}
			c.answers[http.StatusText(res.StatusCode)+" "+problem.Code]++
		})
	}
	synctest.Wait()
}

func (c *crowd) got(answer string) int {
	c.Lock()
	defer c.Unlock()
	return c.answers[answer]
}

const (
	tooBusy = "Service Unavailable overloaded"
	many    = 300
)

// TestMoreThanCanBeDone: who is too much is told so at once, or after less than a second in the queue, and nothing is done for him.
// Commands get through while placings queue, and the other way round.
func TestMoreThanCanBeDone(t *testing.T) {
	placing := request{method: http.MethodPost, path: "/v1/orders", body: order}
	cancelling := func(orderID string) request {
		return request{method: http.MethodPost, path: "/v1/orders/" + orderID + "/cancel", body: `{}`}
	}
	for name, test := range map[string]struct {
		too, other request
		done, got  string
	}{
		"placings": {placing, cancelling("ord_quick"), "Conflict external_id_taken", "not_found"},
		"commands": {cancelling("ord_slow"), request{method: http.MethodPost, path: "/v1/orders", body: with(`"total":4828`, `"total":1`)},
			"Not Found not_found", "invalid_fields"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				books := &full{done: make(chan struct{})}
				b := newBorder(t, (&api.Service{Store: books, Gateways: []string{"sandbox"}, NewID: id.New, Now: time.Now}).Handlers())
				c := &crowd{answers: map[string]int{}}
				c.come(t, b, many, test.too)
				atWork, refused := int(books.begun.Load()), c.got(tooBusy)
				require.Positive(t, atWork)
				require.Positive(t, refused, "at once")
				require.Less(t, atWork+refused, many, "some wait")

				_, problem := b.send(t, test.other)
				require.Equal(t, test.got, problem.Code)

				time.Sleep(time.Second)
				synctest.Wait()
				require.Equal(t, map[string]int{tooBusy: many - atWork}, c.answers, "no longer than that")
				require.EqualValues(t, atWork, books.begun.Load(), "nothing was begun for them")

				c.come(t, b, 1, test.too) // has to wait, and gets its turn
				require.Equal(t, many-atWork, c.got(tooBusy))
				close(books.done)
				c.all.Wait()
				require.Equal(t, map[string]int{tooBusy: many - atWork, test.done: atWork + 1}, c.answers)
			})
		})
	}
}
