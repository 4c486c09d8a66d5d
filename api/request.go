package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/domain/fault"
)

// Handler answers one operation of the contract. It is called with a request that passed the contract, and either
// writes its answer with Reply or returns an error: a fault becomes the problem that it describes, any other error
// a 500 without text.
type Handler func(c *gin.Context) error

// exchange is what the border knows of a request.
type exchange struct {
	id        string
	started   time.Time
	operation *Operation
	caller    Principal
	key       string         // Idempotency-Key
	query     map[string]any // by name, with defaults
	body      any            // decoded, with defaults
	problem   string         // the code of the problem that was answered
	traced    func(status int)
}

const exchangeKey = "waybill/exchange"

func exchangeOf(c *gin.Context) *exchange { return c.MustGet(exchangeKey).(*exchange) }

// RequestID returns the request's id, which is in its logs, its answer and its events.
func RequestID(c *gin.Context) string { return exchangeOf(c).id }

// Caller returns whose key the request carries.
func Caller(c *gin.Context) Principal { return exchangeOf(c).caller }

// IdempotencyKey returns the request's Idempotency-Key: 1 to 255 printable ASCII characters on a POST, else empty.
func IdempotencyKey(c *gin.Context) string { return exchangeOf(c).key }

// Body returns the request's body as T, a type of api/client, with the contract's defaults filled in. The body
// passed the contract, so it panics when T is not the operation's type.
func Body[T any](c *gin.Context) T { return convert[T](exchangeOf(c).body) }

// Params returns the query's parameters as T, such as client.ListOrdersParams, with the contract's defaults filled in.
func Params[T any](c *gin.Context) T { return convert[T](exchangeOf(c).query) }

// Canonical returns the body in one form for all ways to write it: defaults filled in, fields sorted, no white space.
// Requests with the same canonical body ask for the same thing, so it is what a fingerprint is made of.
func Canonical(c *gin.Context) []byte { return mustMarshal(exchangeOf(c).body) }

// Reply answers with a body of the contract.
func Reply(c *gin.Context, status int, body any) {
	c.Data(status, "application/json", append(mustMarshal(body), '\n'))
}

func convert[T any](value any) T {
	var t T
	if err := json.Unmarshal(mustMarshal(value), &t); err != nil {
		panic(err) // the contract and the generated types differ
	}
	return t
}

func mustMarshal(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // generated types always marshal
	}
	return data
}

// readInput checks everything of a request that the contract describes, and reports all wrong fields at once.
func readInput(c *gin.Context) error {
	x := exchangeOf(c)
	if x.operation.Public() {
		return nil // these read nothing, and answer a probe whatever it adds to its address
	}
	var wrong wrongFields
	var err error
	if err = readPath(c, x.operation, &wrong); err != nil {
		return err
	}
	about(c, c.Param("id"))
	if x.query, err = readQuery(c.Request.URL.RawQuery, x.operation, &wrong); err != nil {
		return err
	}
	schema := x.operation.Body()
	if schema == nil {
		return wrong.err()
	}
	data, err := readBody(c.Writer, c.Request)
	if err != nil {
		return err
	}
	if x.body, err = decodeJSON(data); err != nil {
		return err
	}
	validate(schema.Value, x.body, "", &wrong)
	if err := wrong.err(); err != nil {
		return err
	}
	fillDefaults(schema.Value, x.body)
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength != 0 && !isJSON(r.Header) {
		return nil, fault.New(fault.MediaType, "not_json_media_type",
			"the body must be application/json, in UTF-8, not compressed")
	}
	tooLarge := fault.New(fault.TooLarge, "body_too_large", "the body is over %d bytes", maxBody)
	if r.ContentLength > maxBody {
		return nil, tooLarge
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		return nil, fault.New(fault.Malformed, "body_incomplete", "the body could not be read to its end")
	}
	return data, nil
}

// isJSON reports whether the headers say plain application/json. A charset is allowed when it is the only one there is.
func isJSON(h http.Header) bool {
	if len(h.Values("Content-Type")) != 1 || h.Get("Content-Encoding") != "" {
		return false
	}
	kind, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind != "application/json" || len(parameters) > 1 {
		return false
	}
	charset, given := parameters["charset"]
	return len(parameters) == 0 || given && strings.EqualFold(charset, "utf-8")
}

// sortedKeys makes walking a map give the same answer every time.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
