package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
	"github.com/waybill-oms/waybill/domain/id"
	"github.com/waybill-oms/waybill/store"
)

// Scopes are all that a key may be given.
func Scopes() []string {
	return []string{"orders:read", "orders:write", "refunds:write", "fulfillments:read", "fulfillments:write", "returns:read",
		"returns:write", "inventory:read", "inventory:write", "events:read"}
}

// KeyStore is where keys are kept, without their secrets.
type KeyStore interface {
	APIKeys(ctx context.Context, id string) ([]store.APIKey, error)
	AddAPIKey(ctx context.Context, k store.APIKey) error
}

// KeyRing makes and recognizes API keys. A key is "wb_<id>_<secret>"; kept is only a hash of it, keyed by Secret, so
// that neither a copy of the database nor of the configuration opens anything.
type KeyRing struct {
	Store  KeyStore
	Secret []byte
	Now    func() time.Time

	mu    sync.Mutex
	known map[string]knownKey
}

type knownKey struct {
	key   store.APIKey
	until time.Time
}

// keyMemory is how long a key is believed without asking the database: so long a revoked one may still work.
const keyMemory = 2 * time.Second

// Make makes a new key and returns its text, which cannot be had again. Errors: Invalid for an unknown scope.
func (r *KeyRing) Make(ctx context.Context, name string, scopes []string, expires *time.Time) (key string, kept store.APIKey, err error) {
	for _, scope := range scopes {
		if !(Principal{Scopes: Scopes()}).May(scope) {
			return "", store.APIKey{}, fault.New(fault.Invalid, "unknown_scope", "there is no scope %q: choose from %s", scope, strings.Join(Scopes(), ", "))
		}
	}
	secret := make([]byte, 24)
	_, _ = rand.Read(secret) // never fails
	kept = store.APIKey{ID: id.New(id.APIKey), Name: name, Scopes: scopes, CreatedAt: r.Now().UTC(), ExpiresAt: expires}
	key = "wb_" + strings.TrimPrefix(kept.ID, id.APIKey+"_") + "_" + base64.RawURLEncoding.EncodeToString(secret)
	kept.Hash = r.hash(key)
	return key, kept, r.Store.AddAPIKey(ctx, kept)
}

func (r *KeyRing) hash(key string) []byte {
	mac := hmac.New(sha256.New, r.Secret)
	mac.Write([]byte(key))
	return mac.Sum(nil)
}

// Authenticate implements Keys.
func (r *KeyRing) Authenticate(ctx context.Context, key string) (Principal, error) {
	parts := strings.SplitN(key, "_", 3)
	if len(parts) != 3 || parts[0] != "wb" || !id.Valid(id.APIKey, id.APIKey+"_"+parts[1]) {
		return Principal{}, ErrKeyInvalid
	}
	kept, err := r.kept(ctx, id.APIKey+"_"+parts[1])
	if err != nil {
		return Principal{}, err
	}
	if !hmac.Equal(kept.Hash, r.hash(key)) || !kept.Live(r.Now()) {
		return Principal{}, ErrKeyInvalid
	}
	return Principal{ID: kept.ID, Name: kept.Name, Scopes: kept.Scopes}, nil
}

// kept reads a key, or remembers it.
func (r *KeyRing) kept(ctx context.Context, keyID string) (store.APIKey, error) {
	now := r.Now()
	r.mu.Lock()
	known, ok := r.known[keyID]
	r.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.key, nil
	}
	found, err := r.Store.APIKeys(ctx, keyID)
	if err != nil {
		return store.APIKey{}, err
	}
	if len(found) == 0 {
		return store.APIKey{}, ErrKeyInvalid
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) > 1000 {
		r.known = map[string]knownKey{}
	}
	r.known[keyID] = knownKey{key: found[0], until: now.Add(keyMemory)}
	return found[0], nil
}
