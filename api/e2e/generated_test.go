package e2e_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	_ "github.com/lib/pq" // what the checksum is asked through
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/api/apitest"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/domain/order"
	"github.com/waybill-oms/waybill/worker"
)

// examined is a shop whose API is sent generated requests. Every answer is held against the contract.
type examined struct {
	*shop
	*generator
	contract *api.Contract
	real     http.Handler
	hollow   http.Handler   // the same API with nothing behind its border: whoever gets past it meets a panic
	reached  map[string]int // how often each operation's handler was asked
	good     map[string]int // requests that the contract allows, by operation
	refused  map[string]int // requests that it does not allow, by operation
	answers  map[string]int
	db       *sql.DB
	sums     string // the statement that sums up every table
}

// TestGeneratedRequests sends requests made out of the contract to every operation of a shop with everything behind it.
//
// Good ones get to their handler, and are never answered with 500, nor with 503 however often they are repeated. What a
// decision refuses changes nothing. Spoiled ones are refused for what was spoiled, by the border alone: an API that has
// neither books nor runs refuses them with the same words, and nothing in the database changes. Every refusal is a problem
// as the contract has it.
//
// WAYBILL_REQUESTS says how many rounds of good requests there are (2), and has every operation meet every way to be spoiled
// instead of every third (but for keys and other headers, which each always meets all of). WAYBILL_REQUESTS_SEED says which requests they are (1).
func TestGeneratedRequests(t *testing.T) {
	x := examine(t, setting(t, "WAYBILL_REQUESTS_SEED", 1))
	x.furnish()
	for range setting(t, "WAYBILL_REQUESTS", 2) {
		for _, op := range x.contract.Operations {
			x.sendGood(op)
		}
	}
	x.forgeCursors()
	x.settle()
	for range setting(t, "WAYBILL_REQUESTS", 2) {
		for _, op := range x.contract.Operations {
			if op.Method != http.MethodGet {
				x.sendAgainstTheState(op)
			}
		}
	}
	x.settle()
	every := 3
	if os.Getenv("WAYBILL_REQUESTS") != "" {
		every = 1
	}
	for i, op := range x.contract.Operations {
		x.sendSpoiled(op, i, every)
	}
	for _, op := range x.contract.Operations {
		require.Positive(t, x.good[op.ID], "no good request for %s", op.ID)
		require.Positive(t, x.refused[op.ID], "no bad request for %s", op.ID)
	}
	t.Logf("answers: %v", x.answers)
}

func setting(t *testing.T, name string, usual uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, name)
	return n
}

func examine(t *testing.T, seed uint64) *examined {
	s := open(t)
	contract, err := api.LoadContract()
	require.NoError(t, err)
	without := map[string]string{}
	for _, scope := range api.Scopes() {
		others := slices.DeleteFunc(slices.Clone(api.Scopes()), func(other string) bool { return other == scope })
		without[scope], _, err = s.keys.Make(t.Context(), "without "+scope, others, nil)
		require.NoError(t, err)
	}
	db, err := sql.Open("postgres", s.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	x := &examined{shop: s, generator: newGenerator(seed, s.key, without), contract: contract, db: db, reached: map[string]int{},
		good: map[string]int{}, refused: map[string]int{}, answers: map[string]int{}}
	service := &api.Service{Store: s.store, Runs: s.runs, Gateways: worker.Gateways(), Policy: order.DefaultPolicy(), NewID: id.New, Now: time.Now}
	handlers := service.Handlers()
	for operation, handler := range handlers {
		handlers[operation] = func(c *gin.Context) error {
			x.reached[operation]++
			return handler(c)
		}
	}
	x.real = apitest.Wrap(t, x.router(handlers))
	x.hollow = x.router((&api.Service{Gateways: service.Gateways, NewID: id.New, Now: time.Now}).Handlers())
	return x
}

func (x *examined) router(handlers api.Handlers) http.Handler {
	engine, err := api.New(api.Options{Handlers: handlers, Keys: x.keys, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: prometheus.NewRegistry()})
	require.NoError(x.t, err)
	return engine
}

// furnish takes orders to where each command has something to do.
func (x *examined) furnish() {
	x.must(201, "PUT", "/v1/locations/nyc", `{"name":"New York","country":"US","priority":2}`)
	x.stock("MUG", 50)
	for _, stage := range []string{"place", "pick", "pack", "ship", "deliver", "approve", "receive"} {
		x.furnishUntil(stage)
	}
	held := x.done("/v1/orders", orderBody(x.name("furnished"), "TEE-M", "tok_ok"))
	x.done("/v1/orders/"+held.text("id")+"/holds", `{"reason":"address_check"}`)
	x.done("/v1/orders", orderBody(x.name("furnished"), "TEE-M", "tok_declined"))
}

// furnishUntil places an order and takes it as far as a stage. From where it was delivered a unit of it comes back.
func (x *examined) furnishUntil(stage string) {
	o := x.done("/v1/orders", orderBody(x.name("furnished"), "TEE-M", "tok_ok"))
	of, line := o.text("fulfillments", 0, "id"), o.text("lines", 0, "id")
	fulfillment, two := "/v1/fulfillments/"+of, fmt.Sprintf(`{"line_id":%q,"quantity":2}`, line)
	parcel, back := "", ""
	for _, step := range []struct {
		stage string
		does  func()
		then  []string // the commands that it waits for afterwards
		of    *string
	}{
		{"place", func() {}, []string{"pickFulfillment", "holdFulfillment"}, &of},
		{"pick", func() { x.done(fulfillment+"/pick", `{"lines":[`+two+`]}`) }, []string{"packFulfillment"}, &of},
		{"pack", func() { x.done(fulfillment+"/pack", `{"parcels":[{"weight_grams":500,"lines":[`+two+`]}]}`) }, []string{"shipFulfillment"}, &of},
		{"ship", func() { parcel = x.done(fulfillment+"/ship", `{}`).text("shipments", 0, "id") }, []string{"recordTracking"}, &parcel},
		{"deliver", func() {
			x.done("/v1/shipments/"+parcel+"/tracking", scan("delivered"))
			back = x.done("/v1/orders/"+o.text("id")+"/returns", asking(o, 1, "changed_mind")).text("id")
		}, []string{"declineReturn", "approveReturn"}, &back},
		{"approve", func() { x.done("/v1/returns/"+back+"/approve", `{}`) }, []string{"receiveReturn"}, &back},
		{"receive", func() {
			x.done("/v1/returns/"+back+"/receive", fmt.Sprintf(`{"lines":[{"line_id":%q,"quantity":1}]}`, line))
		},
			[]string{"inspectReturn"}, &back},
	} {
		if step.does(); step.stage == stage {
			for _, operation := range step.then {
				x.ready[operation] = append(x.ready[operation], *step.of)
			}
			break
		}
	}
	x.learn(x.get("/v1/orders/" + o.text("id")).body)
	if back != "" {
		x.learn(x.get("/v1/returns/" + back).body)
	}
}

// done posts until the request is answered for good, as a client does.
func (x *examined) done(path, body string) (a answer) {
	x.t.Helper()
	key := x.name("done")
	require.Eventually(x.t, func() bool {
		a = x.sendAs(key, "POST", path, body)
		return a.status != 202 && a.status < 429
	}, 2*time.Minute, 20*time.Millisecond)
	require.Contains(x.t, []int{200, 201, 402}, a.status, "%s: %v", path, a.body)
	x.learn(a.body)
	return a
}

// answered is what came back for a generated request.
type answered struct {
	status int
	code   string
	body   map[string]any
}

func (x *examined) ask(handler http.Handler, r request) answered {
	x.t.Helper()
	target := r.path
	if r.query != "" {
		target += "?" + r.query
	}
	sent := httptest.NewRequestWithContext(x.t.Context(), r.method, target, bytes.NewReader(r.body))
	sent.Header = r.header.Clone()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, sent)
	a := answered{status: w.Code}
	_ = json.Unmarshal(w.Body.Bytes(), &a.body) // the contract's check says what has to be JSON
	a.code, _ = a.body["code"].(string)
	x.answers[fmt.Sprint(a.status)]++
	if a.status < 300 {
		x.answers[r.operation.ID]++
	}
	if x.t.Failed() {
		x.t.Fatalf("the request was %s", r)
	}
	return a
}

// repeated asks until the outcome is known, as a client does.
func (x *examined) repeated(r request) answered {
	x.t.Helper()
	a := x.ask(x.real, r)
	for n := 0; n < 10 && (a.status == 503 || a.status == 429); n++ {
		a = x.ask(x.real, r)
	}
	require.Contains(x.t, []int{200, 201, 202, 402, 404, 409, 422}, a.status, "%v\n%s", a.body, r)
	require.NotEqual(x.t, "facts_refused", a.code, "the database had to refuse what the border let in: %v\n%s", a.body, r)
	x.learn(a.body)
	return a
}

func (x *examined) sendGood(op *api.Operation) answered {
	x.t.Helper()
	r := x.generator.good(op)
	before := x.reached[op.ID]
	a := x.repeated(r)
	if !op.Public() {
		require.Greater(x.t, x.reached[op.ID], before, "the border refused a good request: %v\n%s", a.body, r)
	}
	x.good[op.ID]++
	return a
}

// sendAgainstTheState sends a command when nothing else happens. One that is refused has changed nothing.
func (x *examined) sendAgainstTheState(op *api.Operation) {
	x.t.Helper()
	before := x.checksum()
	a := x.sendGood(op)
	if _, stored := a.body["order_id"]; a.status < 400 || stored && op.ID == "placeOrder" || a.status == 402 {
		x.settle() // it changed something, or it is an order or a payment that did not work and is kept
		return
	}
	x.unchanged(before, "%s was refused with %v, and something changed", op.ID, a.body)
}

// sendSpoiled spoils requests to an operation, in every way or in some, and then in others than the operation before.
func (x *examined) sendSpoiled(op *api.Operation, from, every int) {
	x.t.Helper()
	before := x.checksum()
	for i, s := range spoilings() {
		r := x.generator.good(op)
		turn := (i+from)%every == 0 || i < len(spoiledHeaders()) || op.Public() // who may do what is each operation's own
		if !s.spoil(x.generator, &r) || !turn {
			continue
		}
		x.refused[op.ID]++
		alone := x.ask(x.hollow, r)
		require.Contains(x.t, s.status, alone.status, "%s: %v\n%s", s.name, alone.body, r)
		require.NotEmpty(x.t, alone.code, "%s\n%s", s.name, r)
		a := x.ask(x.real, r)
		for _, body := range []map[string]any{alone.body, a.body} {
			delete(body, "instance")
		}
		require.Equal(x.t, alone, a, "%s: somebody behind the border was asked\n%s", s.name, r)
	}
	x.unchanged(before, "a refused request to %s changed something", op.ID)
}

// forgeCursors sends cursors that are written just as ours, and are about nothing: they find nothing, or are refused.
func (x *examined) forgeCursors() {
	for _, op := range x.contract.Operations {
		if op.Spec.Parameters.GetByInAndName("query", "cursor") == nil {
			continue
		}
		for _, inside := range []string{`"k":"x"`, `"k":""`, `"k":"-1"`, `"k":"9223372036854775808"`, `"k":"1e9"`, `"k":"';--"`, `"k":"x","s":"y"`,
			`"t":"0001-01-01T00:00:00.000001Z","k":"x"`, `"t":"9999-12-31T23:59:59.999999999Z","k":"x"`, `"t":"0000-01-01T00:00:00Z","k":"x"`,
			`"t":"2026-01-02T15:04:05+23:59","k":"1"`, `"k":"` + strings.Repeat("é", 128) + `"`} {
			r := x.generator.good(op)
			r.query = "cursor=" + base64.RawURLEncoding.EncodeToString([]byte(`{"v":1,"l":"`+op.ID+`",`+inside+`}`))
			x.repeated(r)
		}
	}
}

// checksum is of every row of every table.
func (x *examined) checksum() (sums map[string]string) {
	x.t.Helper()
	if x.sums == "" {
		const statement = `SELECT string_agg(format('SELECT %L, count(*) || '' '' || coalesce(sum(hashtextextended(r::text, 0)), 0) FROM %I r',
			tablename, tablename), ' UNION ALL ') FROM pg_tables WHERE schemaname = 'public'`
		require.NoError(x.t, x.db.QueryRowContext(x.t.Context(), statement).Scan(&x.sums))
	}
	rows, err := x.db.QueryContext(x.t.Context(), x.sums)
	require.NoError(x.t, err)
	defer func() { _ = rows.Close() }()
	sums = map[string]string{}
	for rows.Next() {
		var table, sum string
		require.NoError(x.t, rows.Scan(&table, &sum))
		sums[table] = sum
	}
	require.NoError(x.t, rows.Err())
	return sums
}

// unchanged fails when any table is not what it was.
func (x *examined) unchanged(before map[string]string, format string, args ...any) {
	x.t.Helper()
	changed := map[string]string{}
	for table, sum := range x.checksum() {
		if sum != before[table] {
			changed[table] = before[table] + " became " + sum
		}
	}
	require.Empty(x.t, changed, fmt.Sprintf(format, args...))
}

// settle waits until every event is published, every run has heard what came by itself, and nothing changes any more.
func (x *examined) settle() {
	x.t.Helper()
	const underWay = `SELECT (SELECT count(*) FROM events WHERE position IS NULL) + (SELECT count(*) FROM inbox WHERE heard_at IS NULL)`
	last := map[string]string{}
	require.Eventually(x.t, func() bool {
		var open int
		require.NoError(x.t, x.db.QueryRowContext(x.t.Context(), underWay).Scan(&open))
		now := x.checksum()
		same := open == 0 && maps.Equal(now, last)
		last = now
		return same
	}, time.Minute, 20*time.Millisecond, "something changes all the time")
}
