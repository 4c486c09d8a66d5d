package id_test

import (
	"net/url"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/domain/id"
)

func TestIdsSortByTheTimeTheyWereMade(t *testing.T) {
	const n = 20_000 // some share a millisecond, some do not
	made := make([]string, n)
	for i := range made {
		made[i] = id.New(id.Order)
	}
	require.True(t, sort.StringsAreSorted(made))
	for i := 1; i < n; i++ {
		require.NotEqual(t, made[i-1], made[i])
	}
}

func TestIdsAreDistinctAcrossGoroutines(t *testing.T) {
	const workers, each = 8, 2_000
	found := make([][]string, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				found[w] = append(found[w], id.New(id.Line))
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, list := range found {
		for _, s := range list {
			seen[s] = true
		}
	}
	require.Len(t, seen, workers*each)
}

func TestNewIsValidForItsPrefixOnly(t *testing.T) {
	prefixes := []string{id.Order, id.Line, id.Hold, id.Payment, id.Fulfillment, id.Shipment, id.Allocation, id.APIKey, id.Request}
	for i, prefix := range prefixes {
		s := id.New(prefix)
		require.True(t, strings.HasPrefix(s, prefix+"_"))
		require.Equal(t, s, url.PathEscape(s), "safe in a URL")
		require.Equal(t, s, strings.ToLower(s))
		for j, other := range prefixes {
			require.Equal(t, i == j, id.Valid(other, s), "%s as %s", s, other)
		}
	}
}

func TestValidRefuses(t *testing.T) {
	good := "ord_01jd3k00000000000000000000"
	require.True(t, id.Valid("ord", good))
	for name, s := range map[string]string{
		"nothing":              "",
		"only the prefix":      "ord_",
		"no prefix":            good[4:],
		"too short":            good[:len(good)-1],
		"too long":             good + "0",
		"upper case":           "ord_" + strings.ToUpper(good[4:]),
		"a letter beyond v":    "ord_w1jd3k00000000000000000000",
		"a newline at the end": "ord_01jd3k0000000000000000000\n",
		"newlines in between":  "ord_01jd3k000000\r\n000000000000",
		"a space":              "ord_01jd3k0000000000000 000000",
	} {
		require.False(t, id.Valid("ord", s), name)
	}
}
