package main

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-oms/waybill/config"
)

// answering is a process whose every path answers the same.
func answering(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const (
	allWell = `{"ready":true,"checks":[{"name":"postgresql","ok":true,"detail":"ok"},{"name":"worker","ok":true,"detail":"ok"}]}`
	oneDown = `{"ready":false,"checks":[{"name":"postgresql","ok":true,"detail":"ok"},{"name":"temporal","ok":false,"detail":"Temporal does not answer"}]}`
	denying = `{"ready":true,"checks":[{"name":"postgresql","ok":false,"detail":"does not work"}]}`
)

func TestHealthIsOneLinePerCheckAndAnExitCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		flags  string
		code   int
		stdout string
		stderr string
	}{
		"well":                         {200, allWell, "", 0, "postgresql  ok\nworker      ok\n", ""},
		"not well":                     {503, oneDown, "", 1, "postgresql  ok\ntemporal    FAILED  Temporal does not answer\n", ""},
		"well by a sum that is off":    {200, denying, "", 1, "postgresql  FAILED  does not work\n", ""},
		"well by a status that is not": {503, allWell, "", 1, "postgresql  ok\nworker      ok\n", ""},
		"json":                         {503, oneDown, "--json", 1, `"detail": "Temporal does not answer"`, ""},
		"alive":                        {200, `{"status":"ok"}`, "--live", 0, "process  ok\n", ""},
		"alive in doubt":               {200, `{}`, "--live", 1, "process  FAILED  does not call itself well\n", ""},
		"another program":              {404, "nothing here", "", 1, "", "does not tell a state of health"},
		"a web site":                   {200, "<html>", "", 1, "", "does not tell a state of health"},
		"a problem":                    {503, `{"title":"overloaded"}`, "", 1, "", "does not tell a state of health"},
		"elsewhere":                    {302, allWell, "", 1, "", "does not tell a state of health"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, nil, append([]string{"health", "--url", answering(t, c.status, c.body)}, strings.Fields(c.flags)...)...)
			require.Equal(t, c.code, p.exitCode(t))
			require.Contains(t, p.stdout.String(), c.stdout)
			require.Contains(t, p.stderr.String(), c.stderr)
			if c.stdout == "" {
				require.Empty(t, p.stdout.String())
			}
		})
	}
}

func TestHealthAsksWhereTheAPIListens(t *testing.T) {
	t.Parallel()
	for listen, address := range map[string]string{
		"0.0.0.0:8080":   "http://127.0.0.1:8080",
		":8080":          "http://localhost:8080",
		"[::]:8080":      "http://localhost:8080",
		"127.0.0.1:9000": "http://127.0.0.1:9000",
		"[::1]:9000":     "http://[::1]:9000",
	} {
		asked, err := (&healthCmd{Server: config.Server{Listen: listen}}).address()
		require.NoError(t, err, listen)
		require.Equal(t, address, asked)
	}
	listening := strings.TrimPrefix(answering(t, 200, allWell), "http://")
	p := start(t, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Environ(), "WAYBILL_LISTEN="+listening, "HTTP_PROXY=http://127.0.0.1:1")
	}, "health")
	require.Equal(t, 0, p.exitCode(t), p.stderr.String())
}

func TestHealthSaysWhatItWasNotTold(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"--url=postgres://x", "--url=127.0.0.1:8080", "--url=http://user:secret@127.0.0.1", "--listen=8080", "--listen=127.0.0.1:0"} {
		p := start(t, nil, "health", flags)
		require.Equal(t, 2, p.exitCode(t), flags)
		require.Contains(t, p.stderr.String(), "must be")
		require.NotContains(t, p.stderr.String(), "secret")
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	p := start(t, nil, "health", "--url", gone.URL)
	require.Equal(t, 1, p.exitCode(t))
	require.Contains(t, p.stderr.String(), "nobody answers at "+gone.URL+": ")
	require.Contains(t, p.stderr.String(), "connection refused")
}

func TestHealthDoesNotWaitForWhoNeverAnswers(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-ended }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(ended) })
	p := start(t, nil, "health", "--url", silent.URL)
	require.Equal(t, 1, p.exitCode(t))
	require.Contains(t, p.stderr.String(), silent.URL+" did not answer within 3s")
}
