package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What cannot be meant is said before anything is started.
func TestChaosRefusesWhatNobodyCanMean(t *testing.T) {
	for want, args := range map[string][]string{
		"--orders must be from 1":          {"--orders", "0"},
		"--parallel must be from 1":        {"--parallel", "0"},
		"--for must be from 10s":           {"--for", "1s"},
		"--every must be a time":           {"--every", "5s-2s"},
		`there is no fault "flood"`:        {"--faults", "kill,flood"},
		"--next-binary: stat /nonexistent": {"--next-binary", "/nonexistent"},
	} {
		p := start(t, nil, append([]string{"chaos"}, args...)...)
		require.Equal(t, 1, p.exitCode(t))
		require.Contains(t, p.stderr.String(), want)
		require.NotContains(t, p.stderr.String(), "starting")
	}
}

// The sandbox gateways are not served to anybody, nor asked, without a secret.
func TestTheSandboxIsNotServedWithoutASecret(t *testing.T) {
	for _, args := range [][]string{
		{"sandbox", "serve", "--sandbox-url", "postgres://localhost/none"},
		{"worker", "--database-url", "postgres://localhost/none", "--sandbox-address", "127.0.0.1:1"},
	} {
		p := start(t, nil, args...)
		require.Equal(t, 1, p.exitCode(t))
		require.Contains(t, p.stderr.String(), "WAYBILL_SANDBOX_SECRET")
	}
	p := start(t, nil, "sandbox", "serve", "--sandbox-url", "postgres://localhost/none", "--sandbox-secret", "guess me")
	require.Equal(t, 2, p.exitCode(t))
	require.NotContains(t, p.stderr.String(), "guess me")
	require.Contains(t, p.stderr.String(), "16 characters")
}

func TestTheSandboxListsItsTokensByItself(t *testing.T) {
	for _, args := range [][]string{{"sandbox"}, {"sandbox", "list"}, {"sandbox", "--json"}} {
		p := start(t, nil, args...)
		require.Equal(t, 0, p.exitCode(t))
		require.Contains(t, p.stdout.String(), "tok_capture_timeout_after")
	}
}
