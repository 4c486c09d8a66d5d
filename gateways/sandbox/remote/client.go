package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
)

const (
	// requestTimeout is the longest that a request may live. The sandbox itself gives one four seconds.
	requestTimeout = 4 * time.Second
	// localAttempt is the sandbox's own: shorter than the longest request, so that a slow answer is seen as a retried
	// activity.
	localAttempt = time.Second
	// margin is by how much a request ends before its time is up: what it came to has to be noted, too.
	margin = 250 * time.Millisecond
	// dialTimeout leaves time for another attempt to reach somebody who is starting.
	dialTimeout = time.Second
)

// Gateways are sandbox gateways that another process serves.
type Gateways struct {
	base, secret string
	http         *http.Client
}

// Connect names the gateways at address, host:port, which are asked with the secret. It asks nothing yet: gateways that
// are away are no reason not to start.
func Connect(address, secret string) *Gateways {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	return &Gateways{base: "http://" + address, secret: secret, http: &http.Client{
		// Straight there, whatever proxy the environment names: the secret is for nobody else.
		Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second,
			DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close ends the connections that nobody uses.
func (g *Gateways) Close() error {
	g.http.CloseIdleConnections()
	return nil
}

// Payments is the payment gateway.
func (g *Gateways) Payments() *Payments { return &Payments{g} }

// Carrier is the carrier.
func (g *Gateways) Carrier() *Carrier { return &Carrier{g} }

// vocabulary is by which errors a gateway of the domain answers.
type vocabulary struct{ unknown, notFound, keyInUse, keyReused error }

var (
	paymentErrors = vocabulary{payment.ErrUnknown, payment.ErrNotFound, payment.ErrKeyInUse, payment.ErrKeyReused}
	carrierErrors = vocabulary{shipping.ErrUnknown, shipping.ErrNotFound, shipping.ErrKeyInUse, shipping.ErrKeyReused}
)

// post sends a question and gives its answer. Every error is one of the vocabulary's, or a *payment.RateLimited.
func post[Q, A any](ctx context.Context, g *Gateways, path string, question Q, says vocabulary) (answer A, err error) {
	var nothing A
	ctx, cancel := context.WithTimeout(ctx, requestTimeout-margin)
	defer cancel()
	response, err := g.send(ctx, path, question)
	if err != nil {
		return nothing, fmt.Errorf("%w: sandbox gateways: %w", says.unknown, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nothing, says.refusal(response)
	}
	if err := only(response.Body, &answer); err != nil {
		return nothing, fmt.Errorf("%w: sandbox gateways: an answer that makes no sense: %w", says.unknown, err)
	}
	return answer, nil
}

func (g *Gateways) send(ctx context.Context, path string, question any) (*http.Response, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the address cannot be used")
	}
	request.Header.Set("Authorization", "Bearer "+g.secret)
	request.Header.Set("Content-Type", "application/json")
	return g.http.Do(request)
}

// refusal is what a status other than 200 means. A status alone means nothing: whatever stands in between has its own.
func (v vocabulary) refusal(response *http.Response) error {
	var said refusal
	if err := only(response.Body, &said); err != nil {
		return fmt.Errorf("%w: sandbox gateways: %s", v.unknown, response.Status)
	}
	switch said.Code {
	case codeNotFound:
		return v.notFound
	case codeKeyInUse:
		return v.keyInUse
	case codeKeyReused:
		return v.keyReused
	case codeRateLimited:
		return &payment.RateLimited{RetryAfter: retryAfter(response.Header)}
	case codeSecret:
		return fmt.Errorf("%w: the sandbox gateways know another secret: set WAYBILL_SANDBOX_SECRET alike for both", v.unknown)
	}
	return fmt.Errorf("%w: sandbox gateways: %s", v.unknown, response.Status)
}

func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 1 || seconds > 3600 {
		return time.Second
	}
	return time.Duration(seconds) * time.Second
}
