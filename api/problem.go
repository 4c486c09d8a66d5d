package api

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/domain/fault"
)

// statuses says which HTTP status a kind of fault has.
var statuses = map[fault.Kind]int{
	fault.Malformed:     http.StatusBadRequest,
	fault.Unauthorized:  http.StatusUnauthorized,
	fault.Payment:       http.StatusPaymentRequired,
	fault.Forbidden:     http.StatusForbidden,
	fault.NotFound:      http.StatusNotFound,
	fault.Method:        http.StatusMethodNotAllowed,
	fault.Conflict:      http.StatusConflict,
	fault.Precondition:  http.StatusPreconditionFailed,
	fault.TooLarge:      http.StatusRequestEntityTooLarge,
	fault.MediaType:     http.StatusUnsupportedMediaType,
	fault.Invalid:       http.StatusUnprocessableEntity,
	fault.TooMany:       http.StatusTooManyRequests,
	fault.Unavailable:   http.StatusServiceUnavailable,
	fault.Unimplemented: http.StatusNotImplemented,
}

// What a 429 or 503 says when the fault does not say it: a wait too short only costs another request.
const (
	tooManyRetry     = 1 * time.Second
	unavailableRetry = 2 * time.Second
	longestRetry     = time.Hour
)

// errNotFound is the one answer for what is absent, never was, or belongs to somebody else.
var errNotFound = fault.NotFoundf("there is no such thing here")

// errInternal is all that a client hears of an error that nobody expected.
var errInternal = &fault.Fault{Kind: "internal", Code: "internal",
	Detail: "something is broken on our side; the instance finds it in our logs"}

// fail answers with the problem that err is. The text of an error that is not a fault goes to the log and nowhere else.
func fail(c *gin.Context, log *slog.Logger, err error) {
	x := exchangeOf(c)
	f := fault.As(err)
	if f != errInternal && (f == nil || statuses[f.Kind] == 0) {
		log.LogAttrs(c.Request.Context(), slog.LevelError, "request failed",
			slog.String("error", loggable(err.Error())))
		f = errInternal
	}
	c.Abort()
	if c.Writer.Written() {
		return // too late to say anything else
	}
	x.problem = f.Code
	status := problemStatus(f)
	switch f.Kind {
	case fault.TooMany:
		setRetryAfter(c, f.RetryAfter, tooManyRetry)
	case fault.Unavailable:
		setRetryAfter(c, f.RetryAfter, unavailableRetry)
	case fault.Unauthorized:
		c.Header("WWW-Authenticate", challenge(f.Code, ""))
	case fault.Forbidden:
		c.Header("WWW-Authenticate", challenge("insufficient_scope", x.operation.Scope))
	}
	c.Data(status, "application/problem+json", mustMarshal(problemOf(f, status, x.id)))
}

func problemStatus(f *fault.Fault) int {
	if status := statuses[f.Kind]; status != 0 {
		return status
	}
	return http.StatusInternalServerError
}

func setRetryAfter(c *gin.Context, asked, otherwise time.Duration) {
	if asked <= 0 {
		asked = otherwise
	}
	seconds := (min(asked, longestRetry) + time.Second - 1) / time.Second
	c.Header("Retry-After", strconv.FormatInt(int64(seconds), 10))
}

// problemOf writes a fault as the contract's Problem.
func problemOf(f *fault.Fault, status int, requestID string) client.Problem {
	p := client.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: f.Detail, Code: f.Code,
		Instance: "urn:waybill:request:" + requestID, OrderID: f.OrderID, Errors: []client.FieldError{},
	}
	if known, ok := problems[f.Code]; ok {
		p.Type, p.Title = "/docs#problem-"+f.Code, known.title
	}
	for _, field := range f.Fields[:min(len(f.Fields), maxErrors)] {
		p.Errors = append(p.Errors, client.FieldError{Pointer: field.Pointer, Code: field.Code, Detail: field.Detail})
	}
	if f.NextAction != nil {
		p.NextAction = &client.NextAction{Type: f.NextAction.Type, URL: f.NextAction.URL}
	}
	for _, s := range f.Shortages {
		p.Shortages = append(p.Shortages, client.Shortage{LineID: s.LineID, SKU: s.SKU, Requested: s.Requested,
			Available: s.Available, Known: s.Known})
	}
	for _, h := range f.Holders {
		p.Holders = append(p.Holders, client.Holder{OrderID: h.OrderID, LineID: h.LineID, SKU: h.SKU,
			Location: h.LocationID, Quantity: h.Quantity})
	}
	return p
}

// loggable cuts an unexpected error down to what may stand in a log.
func loggable(text string) string {
	if hasCardNumber(text) {
		return "(withheld: looks like it has a card number in it)"
	}
	const most = 500
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}
