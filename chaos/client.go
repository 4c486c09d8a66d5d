//go:build unix

package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/waybill-oms/waybill/simulation"
	"github.com/waybill-oms/waybill/store/verify"
)

// requestLimit is longer than the API itself waits for anything.
const requestLimit = 20 * time.Second

// people send everybody's requests, now to one API and now to the other, and write down every answer before anybody acts
// on it. Now and then they do what networks and carriers do: send a request twice at once, a scan again, or an old one
// late.
type people struct {
	seed     simulation.Seed
	http     *http.Client
	to       []string // addresses of the APIs
	answers  *witness
	sent     atomic.Int64
	late     sync.WaitGroup // what is sent beside
	mu       sync.Mutex
	statuses map[int]int
	worked   []time.Time       // when commands worked
	wrong    []string          // answers that nobody may get
	before   map[string][]byte // by shipment: the scan before
}

func newPeople(seed simulation.Seed, to []string, answers *witness) *people {
	// Connections are not kept for long: people come and go.
	transport := &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: 5 * time.Second}
	return &people{seed: seed, to: to, answers: answers, http: &http.Client{Transport: transport, Timeout: requestLimit},
		statuses: map[int]int{}, before: map[string][]byte{}}
}

// Do sends a request, and whatever is sent beside it.
func (p *people) Do(r *http.Request) (*http.Response, error) {
	key := r.Header.Get("Idempotency-Key")
	body, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	if key != "" && p.seed.Chance(100, "twice", key) {
		p.beside(r, key, body) // the same, at the same time
	}
	response, err := p.send(r, p.sent.Add(1))
	if err == nil && strings.HasSuffix(r.URL.Path, "/tracking") && response.StatusCode == http.StatusOK {
		p.scanAgain(r, key, body)
	}
	return response, err
}

func bodyOf(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// scanAgain sends a scan once more under another key, and the one before it late: carriers do both.
func (p *people) scanAgain(r *http.Request, key string, body []byte) {
	p.mu.Lock()
	before := p.before[r.URL.Path]
	p.before[r.URL.Path] = body
	p.mu.Unlock()
	if p.seed.Chance(200, "again", key) {
		p.beside(r, key+"-again", body)
	}
	if before != nil && p.seed.Chance(200, "late", key) {
		p.beside(r, key+"-late", before)
	}
}

// beside sends a copy of a request, whose answer nobody waits for.
func (p *people) beside(r *http.Request, key string, body []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), requestLimit)
	twin := r.Clone(ctx)
	twin.Header.Set("Idempotency-Key", key)
	twin.Body = io.NopCloser(bytes.NewReader(body))
	p.late.Go(func() {
		defer cancel()
		response, err := p.send(twin, p.sent.Add(1))
		if err == nil {
			_ = response.Body.Close()
		}
	})
}

// send sends a request to the n-th API, and notes the answer. Its body can be read again.
func (p *people) send(r *http.Request, n int64) (*http.Response, error) {
	r.URL.Host = p.to[int(n)%len(p.to)]
	r.Host = ""
	response, err := p.http.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, p.note(r, response, body)
}

// note writes an answer down. What cannot be written down was not answered.
func (p *people) note(r *http.Request, response *http.Response, body []byte) error {
	a := verify.Answer{At: time.Now().UTC(), Method: r.Method, Path: r.URL.Path, Key: r.Header.Get("Idempotency-Key"),
		Status: response.StatusCode, OrderID: orderIn(body)}
	p.mu.Lock()
	p.statuses[a.Status]++
	if r.Method != http.MethodGet && a.Status < http.StatusMultipleChoices {
		p.worked = append(p.worked, a.At)
	}
	if wrong := judge(response); wrong != "" && len(p.wrong) < wrongMax {
		p.wrong = append(p.wrong, fmt.Sprintf("%s %s at %s: %s", a.Method, a.Path, a.At.Format(time.RFC3339Nano), wrong))
	}
	p.mu.Unlock()
	return p.answers.write(a)
}

// wrongMax bounds how many wrong answers are spelled out.
const wrongMax = 50

// judge says what is wrong with an answer, whatever was asked and whatever was broken.
func judge(response *http.Response) string {
	status := response.StatusCode
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		if response.Header.Get("Retry-After") == "" {
			return fmt.Sprintf("%d without Retry-After", status)
		}
	case status >= http.StatusInternalServerError:
		return fmt.Sprintf("%d", status)
	}
	return ""
}

// orderIn is the id of the order that an answer is about.
func orderIn(body []byte) string {
	var said struct {
		ID      string `json:"id"`
		OrderID string `json:"order_id"`
	}
	if json.Unmarshal(body, &said) != nil { // it is not about one
		return ""
	}
	if said.OrderID == "" && strings.HasPrefix(said.ID, "ord_") {
		return said.ID
	}
	return said.OrderID
}

// workedAfter is when the first command worked after a time.
func (p *people) workedAfter(t time.Time) (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.worked {
		if at.After(t) {
			return at, true
		}
	}
	return time.Time{}, false
}
