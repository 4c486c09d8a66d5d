package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybill-oms/waybill/health"
	"github.com/waybill-oms/waybill/telemetry"
)

// Handlers has a handler for each operation of the contract that is not the border's own, by operationId.
type Handlers map[string]Handler

// Options is what the border leans on.
type Options struct {
	Handlers Handlers
	Keys     Keys
	Checks   []health.Check // what /readyz asks
	Log      *slog.Logger
	Metrics  *prometheus.Registry // where requests are measured, and what /metrics shows
	// Telemetry traces requests; nil does not.
	Telemetry *telemetry.Telemetry
}

type router struct {
	options  Options
	contract *Contract
	metrics  *telemetry.Requests
}

// New makes the API's HTTP handler. The routes are the contract's: it fails when an operation has no handler or a
// handler no operation.
func New(options Options) (*gin.Engine, error) {
	contract, err := LoadContract()
	if err != nil {
		return nil, err
	}
	if options.Keys == nil || options.Log == nil || options.Metrics == nil {
		return nil, errors.New("api: Keys, Log and Metrics must be given")
	}
	options.Log = telemetry.Logger(options.Log)
	r := &router{options: options, contract: contract, metrics: telemetry.NewRequests(options.Metrics)}
	handlers, err := r.handlers()
	if err != nil {
		return nil, err
	}
	engine := newEngine()
	engine.Use(r.observe)
	engine.NoRoute(r.notFound)
	engine.NoMethod(r.methodNotAllowed)
	for _, op := range contract.Operations {
		engine.Handle(op.Method, op.ginPath(), r.serve(op, handlers[op.ID]))
	}
	return engine, nil
}

// handlers puts the border's own operations and those passed in together.
func (r *router) handlers() (Handlers, error) {
	own := r.system()
	all := make(Handlers, len(r.contract.Operations))
	for id, handler := range own {
		all[id] = handler
	}
	var wrong []error
	for _, id := range sortedKeys(r.options.Handlers) {
		switch {
		case r.contract.Operation(id) == nil:
			wrong = append(wrong, fmt.Errorf("api: the contract has no operation %q", id))
		case own[id] != nil:
			wrong = append(wrong, fmt.Errorf("api: %q is answered by the border itself", id))
		}
		all[id] = r.options.Handlers[id]
	}
	for _, op := range r.contract.Operations {
		if all[op.ID] == nil {
			wrong = append(wrong, fmt.Errorf("api: nothing answers %q", op.ID))
		}
	}
	return all, errors.Join(wrong...)
}

// newEngine is gin without what it would do by itself: log, recover, redirect, guess, and believe whoever says whose
// address a request comes from.
func newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	engine.RedirectFixedPath = false
	engine.RemoveExtraSlash = false
	engine.HandleMethodNotAllowed = true
	engine.ForwardedByClientIP = false
	engine.UseEscapedPath = true      // a SKU with an escaped slash in it is one path segment
	engine.UnescapePathValues = false // gin would turn a plus into a space; readPath unescapes
	if err := engine.SetTrustedProxies(nil); err != nil {
		panic(err) // an empty list always parses
	}
	return engine
}

// serve puts the border in front of an operation's handler.
func (r *router) serve(op *Operation, handler Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		exchangeOf(c).operation = op
		r.trace(c, op)
		for _, step := range []Handler{r.authenticate, readKey, readInput, handler} {
			if err := step(c); err != nil {
				fail(c, r.options.Log, err)
				return
			}
		}
	}
}

// readKey notes the Idempotency-Key of an operation that needs one.
func readKey(c *gin.Context) (err error) {
	if x := exchangeOf(c); x.operation.needsKey() {
		x.key, err = readIdempotencyKey(c.Request.Header)
	}
	return err
}

// Server is an HTTP server for handler with limits on everything that a client could make long. The program sets its
// address and ends it.
func Server(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second, // 256 KiB at 17 KiB/s
		WriteTimeout:      60 * time.Second, // longer than any command waits
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
