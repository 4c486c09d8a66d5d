package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/telemetry"
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

// observe is around everything else: it names the request, catches panics, and measures and logs what became of it.
func (r *router) observe(c *gin.Context) {
	x := &exchange{id: requestID(c.Request.Header), started: time.Now(), traced: func(int) {}}
	c.Set(exchangeKey, x)
	c.Request = c.Request.WithContext(telemetry.About(c.Request.Context(), map[telemetry.ID]string{telemetry.RequestID: x.id}))
	header := c.Writer.Header()
	header.Set(requestIDHeader, x.id)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	defer r.metrics.Begin()()
	defer r.record(c, x)
	defer r.recover(c, x)
	c.Next()
}

// trace begins the span of a request to an operation. Probes and scrapes have none: every few seconds, and of no use.
func (r *router) trace(c *gin.Context, op *Operation) {
	if op.Public() {
		return
	}
	ctx, ended := r.options.Telemetry.Request(c.Request.Context(), c.Request.Header, op.ID, op.Method, op.Path)
	c.Request = c.Request.WithContext(ctx)
	exchangeOf(c).traced = ended
}

// about notes whose request it is, by an id that has the form of one.
func about(c *gin.Context, subject string) {
	switch {
	case strings.HasPrefix(subject, id.Order+"_"):
		telemetry.Note(c.Request.Context(), telemetry.OrderID, subject)
	case strings.HasPrefix(subject, id.Return+"_"):
		telemetry.Note(c.Request.Context(), telemetry.ReturnID, subject)
	}
}

// recover turns a panic into a 500. http.ErrAbortHandler is how a handler asks for the connection to be cut.
func (r *router) recover(c *gin.Context, x *exchange) {
	switch cause := recover(); cause {
	case nil:
	case http.ErrAbortHandler:
		panic(cause)
	default:
		r.options.Log.LogAttrs(c.Request.Context(), slog.LevelError, "panic in a handler",
			slog.String("panic", loggable(fmt.Sprint(cause))),
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
	r.metrics.Answered(operation, status, took)
	x.traced(status)
	if status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	r.options.Log.LogAttrs(c.Request.Context(), level, "request",
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
