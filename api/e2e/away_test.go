package e2e_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/api"
)

// Nobody works: an order is a stored fact all the same, and a command says that its outcome is not known.
func TestNobodyWorks(t *testing.T) {
	s := closed(t)
	s.must(201, "PUT", "/v1/locations/sf", `{"name":"San Francisco","country":"US","priority":1}`)
	s.stock("TEE-M", 100)
	a := s.sendAs("key-1", "POST", "/v1/orders", orderBody("1", "TEE-M", "tok_ok"))
	require.Equal(t, 202, a.status)
	require.Equal(t, "received", a.text("status"))
	path := "/v1/orders/" + a.text("id")

	// Eight commands wait for an answer; the ninth is told to come back.
	answers := make(chan answer, 9)
	var wait sync.WaitGroup
	for i := range 9 {
		wait.Go(func() { answers <- s.sendAs(fmt.Sprintf("cancel-%d", i), "POST", path+"/cancel", `{}`) })
	}
	wait.Wait()
	close(answers)
	count := map[string]int{}
	for a := range answers {
		count[fmt.Sprint(a.status, " ", a.text("code"))]++
		require.NotEmpty(t, a.header.Get("Retry-After"))
	}
	require.Equal(t, map[string]int{"503 outcome_unknown": 8, "429 too_many_commands": 1}, count)

	s.work()
	o := s.until(path, func(a answer) bool { return a.text("status") != "received" })
	require.Contains(t, []string{"accepted", "cancelled"}, o.text("status"), "updates that nobody took are not durable, or were taken late")
	a = s.sendAs("cancel-0", "POST", path+"/cancel", `{}`)
	require.Equal(t, 200, a.status, "%v", a.body)
	require.Equal(t, "cancelled", a.text("status"))
}

func TestKeyRing(t *testing.T) {
	s := closed(t)
	_, err := s.keys.Authenticate(t.Context(), s.key)
	require.NoError(t, err)
	for _, wrong := range []string{"", "wb_", s.key + "x", s.key[:len(s.key)-1], "wb_00000000000000000000000000_x"} {
		_, err := s.keys.Authenticate(t.Context(), wrong)
		require.ErrorIs(t, err, api.ErrKeyInvalid, wrong)
	}
	_, _, err = s.keys.Make(t.Context(), "wrong", []string{"orders:everything"}, nil)
	require.ErrorContains(t, err, "there is no scope")

	past := time.Now().Add(-time.Minute)
	expired, _, err := s.keys.Make(t.Context(), "expired", api.Scopes(), &past)
	require.NoError(t, err)
	_, err = s.keys.Authenticate(t.Context(), expired)
	require.ErrorIs(t, err, api.ErrKeyInvalid)

	key, kept, err := s.keys.Make(t.Context(), "revoked", api.Scopes(), nil)
	require.NoError(t, err)
	require.NoError(t, s.store.RevokeAPIKey(t.Context(), kept.ID, time.Now()))
	_, err = s.keys.Authenticate(t.Context(), key)
	require.ErrorIs(t, err, api.ErrKeyInvalid)

	other := &api.KeyRing{Store: s.store, Secret: []byte("another secret"), Now: time.Now}
	_, err = other.Authenticate(t.Context(), s.key)
	require.ErrorIs(t, err, api.ErrKeyInvalid, "a copy of the database opens nothing")
}
