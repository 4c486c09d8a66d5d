package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/config"
)

const (
	// healthLimit is how long the whole question may take. Who answers gives each of its checks two seconds.
	healthLimit = 3 * time.Second
	// healthBytes bounds an answer: a handful of checks with a sentence each.
	healthBytes = 64 << 10
)

type healthCmd struct {
	URL  string `name:"url" help:"Whom to ask, as http://host:port; the API at --listen when not given." placeholder:"URL"`
	Live bool   `help:"Ask only whether the process answers, not whether it can work."`
	JSON bool   `name:"json" help:"Print JSON: {ready, checks: [{name, ok, detail}]}."`
	config.Server
}

// Help is what waybill health --help says beyond its flags.
func (healthCmd) Help() string {
	return `For health checks in containers, where there is no curl. Takes three seconds at most. The exit code is 0 when everything is well, 1 when anything is not or nobody answers.

A worker is asked where its --metrics-listen says:

    waybill health --url http://127.0.0.1:9464`
}

// Validate refuses addresses that cannot be asked.
func (c *healthCmd) Validate() error {
	_, err := c.address()
	return err
}

// address is whom to ask. What listens on every address of the machine is asked on its own.
func (c *healthCmd) address() (string, error) {
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
			return "", errors.New("--url must be of the form http://host:port")
		}
		return strings.TrimSuffix(u.Scheme+"://"+u.Host+u.Path, "/"), nil
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil || port == "" || port == "0" {
		return "", errors.New("--listen (WAYBILL_LISTEN) must be host:port with the port that the API listens on")
	}
	switch host {
	case "0.0.0.0":
		host = "127.0.0.1"
	case "", "::":
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

func (c *healthCmd) Run(ctx context.Context) error {
	address, err := c.address()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	ask := askReady
	if c.Live {
		ask = askLive
	}
	health, err := ask(ctx, address)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(health)
	} else {
		err = printChecks(os.Stdout, health)
	}
	if err == nil && !health.Ready {
		err = exitError(1)
	}
	return err
}

func printChecks(to io.Writer, health client.Readiness) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, check := range health.Checks {
		state := "ok"
		if !check.Ok {
			state = "FAILED\t" + printable(check.Detail)
		}
		fmt.Fprintf(w, "%s\t%s\n", printable(check.Name), state)
	}
	return w.Flush()
}

// printable is a text of somebody else's without what a terminal would take for a command.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// askReady asks for everything that the process needs. One check that is not well is enough, whatever the sum says.
func askReady(ctx context.Context, address string) (client.Readiness, error) {
	var health client.Readiness
	status, err := getJSON(ctx, address, "/readyz", &health)
	if err != nil {
		return health, err
	}
	if len(health.Checks) == 0 {
		return health, notWaybill(address, "/readyz")
	}
	health.Ready = health.Ready && status == http.StatusOK
	for _, check := range health.Checks {
		health.Ready = health.Ready && check.Ok
	}
	return health, nil
}

// askLive asks the process itself, in the shape of the other question.
func askLive(ctx context.Context, address string) (client.Readiness, error) {
	var answer client.Health
	status, err := getJSON(ctx, address, "/healthz", &answer)
	if err != nil {
		return client.Readiness{}, err
	}
	live := client.Check{Name: "process", Ok: status == http.StatusOK && answer.Status == client.HealthStatusOk, Detail: "ok"}
	if !live.Ok {
		live.Detail = "does not call itself well"
	}
	return client.Readiness{Ready: live.Ok, Checks: []client.Check{live}}, nil
}

// getJSON answers with the status of an answer that was understood: 200 and 503 are, with the same body.
func getJSON(ctx context.Context, address, path string, into any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, nil)
	if err != nil {
		return 0, err
	}
	asker := http.Client{
		// No proxy: this is about the process at that address, and a proxy's answer would be about the proxy.
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := asker.Do(request)
	if err != nil {
		return 0, unanswered(address, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusServiceUnavailable {
		return 0, notWaybill(address, path)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, healthBytes))
	if err != nil {
		return 0, unanswered(address, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return 0, notWaybill(address, path)
	}
	return response.StatusCode, nil
}

func notWaybill(address, path string) error {
	return fmt.Errorf("%s%s does not tell a state of health: ask a waybill api, or a waybill worker at its --metrics-listen", address, path)
}

func unanswered(address string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s did not answer within %s", address, healthLimit)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("nobody answers at %s: %w", address, err)
}
