package remote

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-oms/waybill/domain/payment"
	"github.com/waybill-oms/waybill/domain/shipping"
	"github.com/waybill-oms/waybill/gateways/sandbox"
)

// Handler serves the sandbox gateways to whoever knows the secret, which must not be empty.
func Handler(box *sandbox.Sandbox, secret string) http.Handler {
	payments, carrier := box.Payments(), box.Carrier()
	mux := http.NewServeMux()
	mux.Handle("POST /payments/perform", ask(payments.Perform))
	mux.Handle("POST /payments/find", ask(payments.Find))
	mux.Handle("POST /carrier/perform", ask(carrier.Perform))
	mux.Handle("POST /carrier/find", ask(carrier.Find))
	mux.Handle("POST /carrier/track", ask(carrier.Track))
	return guarded(secret, mux)
}

// Server is an HTTP server with limits that suit the gateways: the longest answer takes four seconds.
func Server(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 20 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
}

// guarded turns away who does not know the secret. Hashes are compared, so that the time it takes tells nothing, not
// even how long the secret is.
func guarded(secret string, next http.Handler) http.Handler {
	wanted := sha256.Sum256([]byte(secret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		given := sha256.Sum256([]byte(said))
		if !ok || secret == "" || subtle.ConstantTimeCompare(given[:], wanted[:]) != 1 {
			reply(w, http.StatusUnauthorized, refusal{codeSecret})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ask passes one kind of request on. It ends with its caller: a request that nobody waits for any more is not begun.
func ask[Q, A any](of func(context.Context, Q) (A, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if err := only(r.Body, &q); err != nil {
			reply(w, http.StatusBadRequest, refusal{codeUnreadable})
			return
		}
		answer, err := of(r.Context(), q)
		if err != nil {
			refuse(w, err)
			return
		}
		reply(w, http.StatusOK, answer)
	})
}

// refuse says why there is no answer. The text of the cause stays here.
func refuse(w http.ResponseWriter, err error) {
	var limited *payment.RateLimited
	switch {
	case errors.As(err, &limited):
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(limited.RetryAfter.Seconds()))))
		reply(w, http.StatusTooManyRequests, refusal{codeRateLimited})
	case errors.Is(err, payment.ErrNotFound), errors.Is(err, shipping.ErrNotFound):
		reply(w, http.StatusNotFound, refusal{codeNotFound})
	case errors.Is(err, payment.ErrKeyInUse), errors.Is(err, shipping.ErrKeyInUse):
		reply(w, http.StatusConflict, refusal{codeKeyInUse})
	case errors.Is(err, payment.ErrKeyReused), errors.Is(err, shipping.ErrKeyReused):
		reply(w, http.StatusUnprocessableEntity, refusal{codeKeyReused})
	default:
		reply(w, http.StatusBadGateway, refusal{codeUnknown})
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked may be gone
}
