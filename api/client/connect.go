// Package client is how Go programs talk to Waybill, and the types of what is said.
//
// It owns nothing by itself: client.gen.go is generated from the contract (../openapi.yaml), for the client and the
// server alike, and this file adds what a generator cannot know: how a key is sent, and how a refusal is read.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

//go:generate go tool -modfile=../../tools/oapi-codegen.mod oapi-codegen -config oapi-codegen.yaml ../openapi.yaml
//go:generate sh -c "cat ../openapi.yaml oapi-codegen.yaml overlay.yaml | sha256sum > client.gen.sha256"

// Connect makes a client for the API at address, such as http://localhost:8080, that sends an API key. A refusal, which
// is every answer from 400 on, comes back as an *Error from the method that was called:
//
//	placed, err := c.PlaceOrderWithResponse(ctx, &client.PlaceOrderParams{IdempotencyKey: "place-1001"}, order)
//	if client.CodeOf(err) == "out_of_stock" { … }
func Connect(address, apiKey string, options ...ClientOption) (*ClientWithResponses, error) {
	c, err := NewClient(address, options...)
	if err != nil {
		return nil, err
	}
	c.RequestEditors = append(c.RequestEditors, func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+apiKey)
		return nil
	})
	c.Client = refusing{c.Client}
	return &ClientWithResponses{c}, nil
}

// Error is a refusal.
type Error struct {
	Problem
	RetryAfter time.Duration // on 429 and 503: how long to wait before the same request, with the same key
}

func (e *Error) Error() string {
	return fmt.Sprintf("waybill: %d %s: %s", e.Status, e.Code, e.Detail)
}

// CodeOf returns the code of the refusal in err's chain, or "".
func CodeOf(err error) string {
	var refusal *Error
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// refusing turns problems into errors.
type refusing struct{ HttpRequestDoer }

// longestProblem is more than the contract's largest problem, with 1,000 holders, takes.
const longestProblem = 1 << 20 // bytes

func (c refusing) Do(r *http.Request) (*http.Response, error) {
	res, err := c.HttpRequestDoer.Do(r)
	if err != nil || res.StatusCode < http.StatusBadRequest {
		return res, err
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if kind == "application/json" {
		return res, nil // /readyz says in its own words what is not ready
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, longestProblem))
	refusal := &Error{}
	if err != nil || kind != "application/problem+json" || json.Unmarshal(body, &refusal.Problem) != nil {
		return nil, fmt.Errorf("waybill: %s, and no problem that says why", res.Status) // a proxy in between, perhaps
	}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		refusal.RetryAfter = time.Duration(seconds) * time.Second
	}
	return nil, refusal
}
