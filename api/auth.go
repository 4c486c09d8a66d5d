package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/waybill-oms/waybill/domain/fault"
)

// Keys says whose an API key is. The program passes in what implements it.
type Keys interface {
	// Authenticate returns the owner of a key. It answers an Unauthorized fault for a key that is unknown, expired or
	// revoked, without saying which, and any other error when it cannot tell.
	Authenticate(ctx context.Context, key string) (Principal, error)
}

// Principal is who a request speaks for.
type Principal struct {
	ID     string // of the key; not secret
	Name   string
	Scopes []string
}

// May reports whether the principal has a scope.
func (p Principal) May(scope string) bool { return slices.Contains(p.Scopes, scope) }

// longestKey is the most that is looked at: anything longer is no key of ours, and hashing it would be work for nothing.
const longestKey = 256

// authenticate finds out who asks, and whether they may. It runs before anything of the request is read.
func (r *router) authenticate(c *gin.Context) error {
	x := exchangeOf(c)
	if x.operation.Public() {
		return nil
	}
	key, err := bearer(c.Request.Header)
	if err != nil {
		return err
	}
	if x.caller, err = r.options.Keys.Authenticate(c.Request.Context(), key); err != nil {
		return err
	}
	if !x.caller.May(x.operation.Scope) {
		return fault.New(fault.Forbidden, "scope_missing", "this operation needs a key with the scope %s", x.operation.Scope)
	}
	return nil
}

// bearer takes the key out of "Authorization: Bearer <key>".
func bearer(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) == 0 {
		return "", fault.New(fault.Unauthorized, "key_missing", "send an API key: Authorization: Bearer <key>")
	}
	scheme, key, _ := strings.Cut(values[0], " ")
	key = strings.TrimSpace(key)
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || key == "" || len(key) > longestKey ||
		!printable.MatchString(key) || strings.Contains(key, " ") {
		return "", ErrKeyInvalid
	}
	return key, nil
}

// ErrKeyInvalid is what Keys answers for a key that does not open anything.
var ErrKeyInvalid = fault.New(fault.Unauthorized, "key_invalid", "the API key is not valid")

// challenge is the WWW-Authenticate header (RFC 6750). A request without any key is told nothing but the scheme.
func challenge(code, scope string) string {
	text := `Bearer realm="waybill"`
	switch {
	case scope != "":
		text += `, error="insufficient_scope", scope="` + scope + `"`
	case code != "key_missing":
		text += `, error="invalid_token"`
	}
	return text
}
