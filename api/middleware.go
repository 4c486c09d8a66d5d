package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
)

const requestIDHeader = "X-Request-Id"

// saneRequestID is a request id that may stand in our logs, headers and URNs as it came.
var saneRequestID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$`)

// requestID takes the caller's id for the request, so that its logs and ours can be put together, or makes one.
func requestID(h http.Header) string {
	given := h.Get(requestIDHeader)
	if saneRequestID.MatchString(given) && !hasCardNumber(given) {
		return given
	}
	return id.New(id.Request)
}

// metrics are what is measured of requests.
type metrics struct {
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "waybill_http_request_duration_seconds",
			Help: "Time from a request's headers to the end of its answer.",
			// From a read out of memory to the longest that a command may wait for a gateway.
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"operation", "status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "waybill_http_requests_in_flight",
			Help: "Requests that are being answered now.",
		}),
	}
	for _, collector := range []prometheus.Collector{m.duration, m.inFlight} {
		if err := registry.Register(collector); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// observe is around everything else: it names the request, catches panics, and measures and logs what became of it.
func (r *router) observe(c *gin.Context) {
	x := &exchange{id: requestID(c.Request.Header), started: time.Now()}
	c.Set(exchangeKey, x)
	header := c.Writer.Header()
	header.Set(requestIDHeader, x.id)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	r.metrics.inFlight.Inc()
	defer r.metrics.inFlight.Dec()
	defer r.record(c, x)
	defer r.recover(c, x)
	c.Next()
}

// recover turns a panic into a 500. http.ErrAbortHandler is how a handler asks for the connection to be cut.
func (r *router) recover(c *gin.Context, x *exchange) {
	switch cause := recover(); cause {
	case nil:
	case http.ErrAbortHandler:
		panic(cause)
	default:
		r.options.Log.LogAttrs(c.Request.Context(), slog.LevelError, "panic in a handler",
			slog.String("request_id", x.id), slog.String("panic", loggable(fmt.Sprint(cause))),
			slog.String("stack", string(debug.Stack())))
		fail(c, r.options.Log, errInternal)
	}
}

// record measures and logs. Only what is named here is logged: no path, query, body, address or user agent, as all
// of these may have somebody's personal data in them.
func (r *router) record(c *gin.Context, x *exchange) {
	operation, level := "none", slog.LevelInfo
	if x.operation != nil {
		operation = x.operation.ID
		if x.operation.Public() {
			level = slog.LevelDebug // probes and scrapes, every few seconds
		}
	}
	status, took := c.Writer.Status(), time.Since(x.started)
	if c.Request.Context().Err() != nil && !c.Writer.Written() {
		status = statusClientGone
	}
	r.metrics.duration.WithLabelValues(operation, strconv.Itoa(status)).Observe(took.Seconds())
	if status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	r.options.Log.LogAttrs(c.Request.Context(), level, "request",
		slog.String("request_id", x.id),
		slog.String("method", knownMethod(c.Request.Method)),
		slog.String("operation", operation),
		slog.Int("status", status),
		slog.String("code", x.problem),
		slog.String("caller", x.caller.ID),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.Int64("bytes_in", max(c.Request.ContentLength, 0)),
		slog.Int("bytes_out", max(c.Writer.Size(), 0)),
	)
}

// statusClientGone is logged and measured, never sent: the client hung up before there was an answer.
const statusClientGone = 499

// knownMethod keeps what a client made up out of the logs.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "other"
}

func (r *router) notFound(c *gin.Context) { fail(c, r.options.Log, errNotFound) }

// methodNotAllowed answers for a path that has other methods; gin has set the Allow header.
func (r *router) methodNotAllowed(c *gin.Context) {
	fail(c, r.options.Log, fault.New(fault.Method, "method_not_allowed", "this path has only the methods in the Allow header"))
}
