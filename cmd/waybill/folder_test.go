package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/store"
)

// TestTheFoldersKeyOpensEveryDoor, also those that came with a newer version.
func TestTheFoldersKeyOpensEveryDoor(t *testing.T) {
	books, err := store.Open(t.Context(), devtest.Database(t), store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = books.Close() })
	ring := &api.KeyRing{Store: books, Secret: []byte("secret"), Now: time.Now}
	f := devFolder{path: t.TempDir()}
	first, err := f.key(t.Context(), ring)
	require.NoError(t, err)
	again, err := f.key(t.Context(), ring)
	require.NoError(t, err)
	require.Equal(t, first, again, "it is kept")

	older, _, err := ring.Make(t.Context(), "dev", []string{"orders:read", "orders:write"}, nil)
	require.NoError(t, err)
	require.NoError(t, f.write(apiKeyFile, older))
	newer, err := f.key(t.Context(), ring)
	require.NoError(t, err)
	require.NotEqual(t, older, newer)
	owner, err := ring.Authenticate(t.Context(), newer)
	require.NoError(t, err)
	require.Equal(t, api.Scopes(), owner.Scopes)

	require.NoError(t, f.write(apiKeyFile, "wb_nonsense"))
	newest, err := f.key(t.Context(), ring)
	require.NoError(t, err)
	require.NotEqual(t, newer, newest)
}
