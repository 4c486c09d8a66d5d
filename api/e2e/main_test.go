package e2e_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/activities"
	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/api/apitest"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/worker"
	"github.com/waybill-oms/waybill/workflows"
	"github.com/waybill-oms/waybill/workflows/runs"
)

func TestMain(m *testing.M) {
	devtest.Migrate = store.Migrate
	devtest.SearchAttributes = workflows.SearchAttributes()
	devtest.NeedTemporal()
	os.Exit(devtest.Run(m))
}

// shop is the whole of Waybill behind its HTTP API. Every answer is checked against the contract.
type shop struct {
	t       testing.TB
	handler http.Handler
	key     string
	keys    *api.KeyRing
	store   *store.Store
	url     string // of the database
	work    func() // starts the worker, where it was left out
	runs    *switched
	ahead   *atomic.Int64 // how far the API's clock is
	feeds   *atomic.Int64 // how often the feed was read
	loads   *atomic.Int64 // how often a whole order was read
	left    *atomic.Int64 // how many orders were left to the relay to start
	sweeps  time.Duration // how often the worker looks for what has no run
	seq     *atomic.Int64
}

func open(t testing.TB) *shop { return openWith(t, order.DefaultPolicy()) }

func openWith(t testing.TB, policy order.Policy) *shop {
	s := closedWith(t, policy)
	s.work()
	s.must(201, "PUT", "/v1/locations/sf", `{"name":"San Francisco","country":"US","priority":1}`)
	s.stock("TEE-M", 100)
	return s
}

// closed is a shop in which nobody works.
func closed(t testing.TB) *shop { return closedWith(t, order.DefaultPolicy()) }

func closedWith(t testing.TB, policy order.Policy) *shop {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	database := devtest.Database(t)
	c, err := worker.Connect(t.Context(), worker.Connection{Address: devtest.Temporal(t).Address, Namespace: "default", Log: log})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	books, err := store.Open(t.Context(), database, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = books.Close() })
	s := &shop{t: t, store: books, url: database, ahead: new(atomic.Int64), feeds: new(atomic.Int64), loads: new(atomic.Int64), left: new(atomic.Int64),
		sweeps: 200 * time.Millisecond, seq: new(atomic.Int64), keys: &api.KeyRing{Store: books, Secret: []byte("secret"), Now: time.Now}}
	s.key, _, err = s.keys.Make(t.Context(), "test", api.Scopes(), nil)
	require.NoError(t, err)
	s.runs = &switched{Runs: runs.New(c, t.Name())}
	service := &api.Service{Store: counting{books, s.feeds, s.loads, s.left}, Runs: s.runs, Gateways: worker.Gateways(),
		Policy: policy, NewID: id.New, Now: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }}
	handler, err := api.New(api.Options{Handlers: service.Handlers(), Keys: s.keys, Log: log, Metrics: prometheus.NewRegistry()})
	require.NoError(t, err)
	s.handler = apitest.Wrap(t, handler)
	s.work = func() {
		p, err := worker.Start(t.Context(), worker.Options{DatabaseURL: database, Temporal: c, TaskQueue: t.Name(), Log: log, Policy: &policy,
			InboxEvery: 20 * time.Millisecond, SweepEvery: s.sweeps})
		require.NoError(t, err)
		t.Cleanup(func() { _ = p.Stop() })
	}
	return s
}

// later is the shop whose API thinks that so much time has passed.
func (s *shop) later(by time.Duration) *shop {
	s.ahead.Store(int64(by))
	return s
}

// switched is Temporal, which a test can send away, or have lose a command after it was done.
type switched struct {
	api.Runs
	away  atomic.Bool
	late  atomic.Bool // placings are not answered in time; when away, not begun either
	loses atomic.Pointer[func(command any)]
	early atomic.Bool // the next command is answered from before the database was put back, and not done
	woken sync.Map    // ids of orders and returns whose runs were told to look
	asked sync.Map    // by a command's name, the id of the order or return whose run had it last
}

func (r *switched) Place(ctx context.Context, o *order.Order) (order.Facts, error) {
	if !r.late.Load() {
		return r.Runs.Place(ctx, o)
	}
	if !r.away.Load() {
		if err := r.Runs.(*runs.Runs).Ensure(ctx, o); err != nil {
			return order.Facts{}, err
		}
	}
	return order.Facts{}, fault.New(fault.Unavailable, "outcome_unknown", "no answer in time")
}

func (r *switched) Command(ctx context.Context, to order.ReturnRef, name, key string, command any, load runs.Load) (order.Facts, error) {
	if does := r.loses.Load(); does != nil {
		(*does)(command)
		return order.Facts{}, fault.New(fault.Unavailable, "outcome_unknown", "the run was lost")
	}
	if r.early.CompareAndSwap(true, false) {
		_, err := r.Runs.Command(ctx, to, "resume", key, activities.ResumeCommand{Caller: activities.Caller{Key: "early/" + key}}, load)
		return order.Facts{Version: 1_000}, err
	}
	r.asked.Store(name, cmp.Or(to.ReturnID, to.OrderID))
	return r.Runs.Command(ctx, to, name, key, command, load)
}

func (r *switched) Running(ctx context.Context, orderID string) (bool, error) {
	if r.away.Load() {
		return false, errors.New("temporal is away")
	}
	return r.Runs.Running(ctx, orderID)
}

func (r *switched) Wake(ctx context.Context, o *order.Order) error {
	r.woken.Store(o.ID, true)
	return r.Runs.Wake(ctx, o)
}

func (r *switched) WakeReturn(ctx context.Context, o *order.Order, returnID string) error {
	r.woken.Store(returnID, true)
	return r.Runs.WakeReturn(ctx, o, returnID)
}

func (r *switched) EnsureReturn(ctx context.Context, o *order.Order, returnID string) error {
	if r.away.Load() {
		return errors.New("temporal is away")
	}
	return r.Runs.EnsureReturn(ctx, o, returnID)
}

type answer struct {
	status int
	header http.Header
	body   map[string]any
}

// at reads a member: at("lines", 0, "id").
func (a answer) at(path ...any) any {
	var v any = a.body
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (a answer) text(path ...any) string { return fmt.Sprint(a.at(path...)) }

// send sends a request under a key of its own.
func (s *shop) send(method, path, body string) answer {
	return s.sendAs(fmt.Sprintf("k-%d", s.seq.Add(1)), method, path, body)
}

func (s *shop) sendAs(key, method, path, body string) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), method, path, bytes.NewBufferString(body))
	r.Header.Set("Authorization", "Bearer "+s.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if method == "POST" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header()}
	if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
		s.t.Errorf("%s %s: %v", method, path, err)
	}
	return a
}

func (s *shop) must(status int, method, path, body string) answer {
	s.t.Helper()
	a := s.send(method, path, body)
	require.Equal(s.t, status, a.status, "%s %s: %v", method, path, a.body)
	return a
}

func (s *shop) get(path string) answer {
	s.t.Helper()
	return s.must(200, "GET", path, "")
}

func (s *shop) stock(sku string, quantity int) {
	s.t.Helper()
	s.must(201, "POST", "/v1/inventory/receipts", fmt.Sprintf(`{"location":"sf","lines":[{"sku":%q,"quantity":%d}]}`, sku, quantity))
}

// orderBody is the README's order: two of a SKU for 48.28 USD.
func orderBody(externalID, sku, token string) string {
	return fmt.Sprintf(`{"external_id":%q,"channel":"web","currency":"USD",
		"customer":{"id":"c-17","name":"Ada Lovelace","email":"ada@example.com"},
		"ship_to":{"name":"Ada Lovelace","line1":"548 Market St","city":"San Francisco","region":"CA","postal_code":"94107","country":"US"},
		"lines":[{"sku":%q,"quantity":2,"unit_price":1999,"tax":330}],"shipping":{"service":"standard","amount":500},
		"payment":{"gateway":"sandbox","token":%q},"total":4828}`, externalID, sku, token)
}

func (s *shop) place(externalID, token string) answer {
	s.t.Helper()
	return s.must(201, "POST", "/v1/orders", orderBody(externalID, "TEE-M", token))
}

// warehouse takes an accepted order as far as a step: pick, pack, ship.
func (s *shop) warehouse(o answer, to string) answer {
	s.t.Helper()
	path := "/v1/fulfillments/" + o.text("fulfillments", 0, "id")
	line := fmt.Sprintf(`{"line_id":%q,"quantity":2}`, o.text("lines", 0, "id"))
	a := s.must(200, "POST", path+"/pick", `{"lines":[`+line+`]}`)
	if to == "pick" {
		return a
	}
	a = s.must(200, "POST", path+"/pack", `{"parcels":[{"weight_grams":500,"lines":[`+line+`]}]}`)
	if to == "pack" {
		return a
	}
	return s.must(200, "POST", path+"/ship", `{}`)
}

func (s *shop) until(path string, is func(answer) bool) answer {
	s.t.Helper()
	var last answer
	require.Eventually(s.t, func() bool { last = s.get(path); return is(last) }, 30*time.Second, 20*time.Millisecond)
	return last
}
