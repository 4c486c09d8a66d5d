// Package apitest checks the API's answers against its contract.
//
// It owns what an answer must be: declared, of its declared media type, closed, complete, with the headers that its
// status asks for, and without a word of what is inside. It does not own requests; tests send what they like, through
// Wrap, so that no answer in any test goes unchecked.
package apitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybill-oms/waybill/api"
)

// Wrap returns handler with a check of every answer against the contract. An answer that breaks it fails the test and
// reaches the client all the same. It works under httptest.NewServer as well as with a recorder.
func Wrap(t testing.TB, handler http.Handler) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		handler.ServeHTTP(recorded, r)
		body := recorded.Body.Bytes()
		if err := Check(r, recorded.Code, recorded.Header(), body); err != nil {
			t.Errorf("%s %s answered %d, against the contract:\n%v\n%s", r.Method, r.URL.EscapedPath(), recorded.Code, err, body)
		}
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(body)
	})
}

// Do sends one request through Wrap and returns the answer.
func Do(t testing.TB, handler http.Handler, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	Wrap(t, handler).ServeHTTP(w, r)
	return w
}

// Check says everything that is wrong with an answer, or nil.
func Check(r *http.Request, status int, header http.Header, body []byte) error {
	contract, err := api.LoadContract()
	if err != nil {
		return err
	}
	wrong := []error{checkHeaders(status, header), checkLeak(status, body)}
	if status >= http.StatusBadRequest && header.Get("Content-Type") == "application/problem+json" {
		wrong = append(wrong, checkProblem(status, header, body))
	}
	op := contract.Match(r)
	switch {
	case op != nil:
		wrong = append(wrong, checkDeclared(op, status, header, body))
	case status != http.StatusNotFound && status != http.StatusMethodNotAllowed:
		wrong = append(wrong, errors.New("the contract has no such operation, and this is neither 404 nor 405"))
	default:
		problem := contract.Doc.Components.Schemas["Problem"].Value
		wrong = append(wrong, checkBody(problem, header, "application/problem+json", body))
	}
	return errors.Join(wrong...)
}

func checkDeclared(op *api.Operation, status int, header http.Header, body []byte) error {
	response := op.Response(status)
	if response == nil {
		return fmt.Errorf("%s does not declare %d", op.ID, status)
	}
	for name, declared := range response.Headers {
		if declared.Value.Required && header.Get(name) == "" {
			return fmt.Errorf("%s declares the header %s for %d", op.ID, name, status)
		}
	}
	for media, content := range response.Content { // one at most
		return checkBody(content.Schema.Value, header, media, body)
	}
	if len(body) > 0 {
		return fmt.Errorf("%s declares no body for %d", op.ID, status)
	}
	return nil
}

func checkBody(schema *openapi3.Schema, header http.Header, media string, body []byte) error {
	got, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || got != media {
		return fmt.Errorf("the media type is %q, the contract has %q", header.Get("Content-Type"), media)
	}
	if media != "application/json" && media != "application/problem+json" {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows the body")
	}
	return schema.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsResponse(), openapi3.EnableJSONSchema2020())
}

func checkHeaders(status int, header http.Header) error {
	var wrong []error
	need := func(name string) {
		if header.Get(name) == "" {
			wrong = append(wrong, fmt.Errorf("%d without %s", status, name))
		}
	}
	need("X-Request-Id")
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		need("WWW-Authenticate")
	case http.StatusMethodNotAllowed:
		need("Allow")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if seconds, err := strconv.Atoi(header.Get("Retry-After")); err != nil || seconds < 1 {
			wrong = append(wrong, fmt.Errorf("%d without a Retry-After of a second or more", status))
		}
	}
	return errors.Join(wrong...)
}

func checkProblem(status int, header http.Header, body []byte) error {
	var problem struct {
		Status         int
		Instance, Code string
	}
	if err := json.Unmarshal(body, &problem); err != nil {
		return fmt.Errorf("the problem is not JSON: %w", err)
	}
	if problem.Status != status {
		return fmt.Errorf("the problem says %d", problem.Status)
	}
	if want := "urn:waybill:request:" + header.Get("X-Request-Id"); problem.Instance != want {
		return fmt.Errorf("the problem's instance is %q, not %q", problem.Instance, want)
	}
	return nil
}

// inside is what only comes from a database, a stack or a library.
var inside = regexp.MustCompile(`\bpq: |\bsql: |goroutine \d|\.go:\d|runtime error|(?i)\b(select|insert into|update) .*\b(from|values|set)\b|json: |strconv\.`)

func checkLeak(status int, body []byte) error {
	if slices.Contains([]int{http.StatusOK, http.StatusCreated, http.StatusAccepted}, status) {
		return nil
	}
	if found := inside.Find(body); found != nil {
		return fmt.Errorf("the answer shows something of the inside: %q", found)
	}
	return nil
}
