package api

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCursorsComeBack(t *testing.T) {
	for _, p := range []Position{
		{At: time.Date(2026, 1, 2, 15, 4, 5, 123456000, time.UTC), Key: "ord_06ask8m1f4q93r7v0h2knctd1o"},
		{Key: "4711"}, {Key: "TEE-M", SubKey: "sf"}, {Key: strings.Repeat("é", 64), SubKey: strings.Repeat("x", 64)},
	} {
		text := formatCursor("listOrders", p)
		require.Regexp(t, `^[A-Za-z0-9_-]{1,512}$`, text, "what the contract lets in")
		got, ok := parseCursor("listOrders", text)
		require.True(t, ok)
		require.Equal(t, p, got)
		_, ok = parseCursor("listFulfillments", text)
		require.False(t, ok, "a cursor of another list")
	}
}

func TestBadCursors(t *testing.T) {
	good := formatCursor("listOrders", Position{Key: "x"})
	for name, text := range map[string]string{
		"empty":              "",
		"not base64":         "!!!",
		"not JSON":           raw("x"),
		"another version":    raw(`{"v":2,"l":"listOrders","k":"x"}`),
		"an unknown field":   raw(`{"v":1,"l":"listOrders","k":"x","z":1}`),
		"something after it": raw(`{"v":1,"l":"listOrders","k":"x"} `),
		"another order":      raw(`{"l":"listOrders","v":1,"k":"x"}`),
		"a NUL":              raw(`{"v":1,"l":"listOrders","k":"\u0000"}`),
		"a time not in UTC":  raw(`{"v":1,"l":"listOrders","t":"2026-01-02T15:04:05+23:59","k":"x"}`),
		"a wrong time":       raw(`{"v":1,"l":"listOrders","t":"yesterday","k":"x"}`),
		"a long key":         raw(`{"v":1,"l":"listOrders","k":"` + strings.Repeat("x", 257) + `"}`),
		"cut":                good[:len(good)-1],
		"padded":             good + "=",
		"spare bits":         good[:len(good)-1] + "R",
	} {
		_, ok := parseCursor("listOrders", text)
		require.False(t, ok, name)
	}
}

func raw(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func FuzzCursor(f *testing.F) {
	f.Add(formatCursor("listOrders", Position{At: time.Unix(1, 0).UTC(), Key: "x", SubKey: "y"}))
	f.Add(raw(`{"v":1,"l":"listOrders","t":"2026-01-02T15:04:05+01:00","k":"x"}`))
	f.Fuzz(func(t *testing.T, text string) {
		if p, ok := parseCursor("listOrders", text); ok {
			require.Equal(t, text, formatCursor("listOrders", p))
		}
	})
}
