// Command screenshots takes the pictures of docs/operators.md from a running `waybill dev`, so that they can be made
// again when the Temporal UI, or what Waybill shows in it, is another.
//
// It owns which pages are shown and what is pointed out on them. It does not own the orders in them: those are whatever
// is there, so let it be a `waybill dev` with sandbox data, never one with customers.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

const usage = `usage: go run ./tools/screenshots [-ui URL] [-out DIR] [-only NAME] [-chromium PATH]

Takes the pictures of docs/operators.md in headless Chromium from the Temporal UI of a running waybill dev.

It needs orders to show, of the sandbox and nobody else's:

  make dev                                     in one terminal
  ./bin/waybill demo -n 50                     in another: orders and returns of every kind

and, for the picture of a gateway in trouble, one that is in trouble at this moment. This makes the sandbox silent for
ten minutes; place an order meanwhile:

  eval "$(./bin/waybill env)"
  psql "$(jq -r .database_url "$WAYBILL_DATA/dev.json")" -c \
    'BEGIN; LOCK TABLE sandbox.payment_ledger, sandbox.requests; SELECT pg_sleep(600)'

A picture of which there is no run is reported and left as it is. The one of a refused cancellation presses Request
Cancellation on the newest order that was shipped and not delivered.

`

// width is that of every picture; docs are read in a column.
const width = 1400

func main() {
	ui := flag.String("ui", "http://127.0.0.1:8233", "address of the Temporal UI")
	out := flag.String("out", filepath.Join("docs", "images"), "folder of the pictures")
	only := flag.String("only", "", "take only this picture")
	chromium := flag.String("chromium", "", "the browser's program, when it is not found by itself")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *ui, *out, *only, *chromium)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, ui, out, only, chromium string) error {
	profile, err := os.MkdirTemp("", "screenshots")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(profile) }()
	ctx, stop := browser(ctx, profile, chromium)
	defer stop()
	// The columns of the list are kept by the browser, so that the UI's own page has to be open to set them.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(ui)); err != nil {
		return fmt.Errorf("the Temporal UI at %s: %w", ui, err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](columns())); err != nil {
		return err
	}
	var missing []error
	for _, s := range shots() {
		if only != "" && only != s.name {
			continue
		}
		if err := take(ctx, ui, filepath.Join(out, s.name+".png"), s); err != nil {
			missing = append(missing, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return errors.Join(missing...)
}

func browser(ctx context.Context, profile, program string) (context.Context, func()) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	if program != "" {
		options = append(options, chromedp.ExecPath(program))
	}
	ctx, quit := chromedp.NewExecAllocator(ctx, options...)
	ctx, closeTab := chromedp.NewContext(ctx)
	return ctx, func() { closeTab(); quit() }
}

// take makes one picture.
func take(ctx context.Context, ui, file string, s shot) error {
	page, err := s.address(ctx, ui)
	if err != nil {
		return err
	}
	err = chromedp.Do(ctx, chromedp.EmulateViewport(width, s.height), chromedp.Navigate(page))
	if err != nil {
		return err
	}
	for _, step := range append([]string{s.ready}, s.steps...) {
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](step, chromedp.WithPollingInterval(300*time.Millisecond), chromedp.WithPollingTimeout(15*time.Second))); err != nil {
			return fmt.Errorf("%s never became true: %w", step, err)
		}
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](still+marked(s.marks))); err != nil {
		return err
	}
	drawn, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	small, err := shrink(drawn)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: %d kB, %s\n", file, (len(small)+999)/1000, page)
	return os.WriteFile(file, small, 0o644)
}

// address is the page to show: the list that a query finds, or a page of the newest run that it finds.
func (s shot) address(ctx context.Context, ui string) (string, error) {
	list := ui + "/namespaces/default/workflows"
	if s.page == "" {
		return list + "?query=" + url.QueryEscape(s.query), nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, ui+"/api/v1/namespaces/default/workflows?query="+url.QueryEscape(s.query), nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	var found struct {
		Executions []struct {
			Execution struct{ WorkflowID, RunID string }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		return "", err
	}
	if len(found.Executions) == 0 {
		return "", fmt.Errorf("no run is found by %s", s.query)
	}
	run := found.Executions[0].Execution
	return strings.Join([]string{list, url.PathEscape(run.WorkflowID), run.RunID, s.page}, "/"), nil
}
