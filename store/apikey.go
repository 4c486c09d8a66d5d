package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/waybill-oms/waybill/domain/fault"
)

// APIKey is what is kept of a key: never the key itself, only a keyed hash of its secret.
type APIKey struct {
	ID        string
	Name      string
	Hash      []byte
	Scopes    []string
	CreatedAt time.Time
	ExpiresAt *time.Time
	RevokedAt *time.Time
}

// Live reports whether the key opens anything at this time.
func (k APIKey) Live(at time.Time) bool {
	return k.RevokedAt == nil && (k.ExpiresAt == nil || at.Before(*k.ExpiresAt))
}

// AddAPIKey stores a new key.
func (s *Store) AddAPIKey(ctx context.Context, k APIKey) error {
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `INSERT INTO api_keys (id, name, hash, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		k.ID, k.Name, k.Hash, string(scopes), k.CreatedAt, k.ExpiresAt)
	return classify(err)
}

// APIKeys lists every key, newest first. With an id, only that one.
func (s *Store) APIKeys(ctx context.Context, id string) ([]APIKey, error) {
	var found []struct {
		ID        string     `db:"id"`
		Name      string     `db:"name"`
		Hash      []byte     `db:"hash"`
		Scopes    []byte     `db:"scopes"`
		CreatedAt time.Time  `db:"created_at"`
		ExpiresAt *time.Time `db:"expires_at"`
		RevokedAt *time.Time `db:"revoked_at"`
	}
	err := s.db.SelectContext(ctx, &found, `
		SELECT id, name, hash, scopes, created_at, expires_at, revoked_at FROM api_keys
		WHERE $1 = '' OR id = $1 ORDER BY created_at DESC, id DESC`, id)
	if err != nil {
		return nil, classify(err)
	}
	keys := make([]APIKey, len(found))
	for i, f := range found {
		keys[i] = APIKey{ID: f.ID, Name: f.Name, Hash: f.Hash, CreatedAt: f.CreatedAt, ExpiresAt: f.ExpiresAt, RevokedAt: f.RevokedAt}
		if err := json.Unmarshal(f.Scopes, &keys[i].Scopes); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// RevokeAPIKey ends a key's life. Errors: NotFound.
func (s *Store) RevokeAPIKey(ctx context.Context, id string, at time.Time) error {
	res, err := s.db.ExecContext(ctx, `UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1`, id, at)
	if err != nil {
		return classify(err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		return fault.NotFoundf("there is no such key")
	}
	return nil
}
