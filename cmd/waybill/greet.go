package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/waybill-oms/waybill/devstack"
)

// greet says where everything is, and what to try first.
func (d *devStack) greet(info devstack.DevInfo) {
	kept := "the data stays"
	if d.folder.remove {
		kept = "nothing is kept"
	}
	fmt.Printf(`
Waybill is ready. Ctrl-C stops it; %s.

  API          %s    documentation: %s/docs
  API key      %s
  Temporal UI  %s/namespaces/%s/workflows
  Temporal     %s
  PostgreSQL   %s
               %s
  Data         %s    addresses and key: dev.json; log: %s
`, kept, info.APIURL, info.APIURL, info.APIKey, info.TemporalUIURL, d.temporal.Namespace, info.TemporalAddress,
		info.DatabaseURL, d.postgres.Source, d.folder.path, logFile)
	if own := d.postgres.Dir; own != "" && !d.folder.remove && !strings.HasPrefix(own, d.folder.path) {
		fmt.Printf("               %s, since PostgreSQL cannot run as root and its user cannot enter the folder above\n", own)
	}
	fmt.Printf(`
Try in another terminal, for some stock and a first order:

  eval "$(%s)"
%s  curl -sS "$API/v1/orders" -H "Authorization: Bearer $KEY"

`, d.envCommand(), firstRequests())
}

// envCommand is the command that prints this stack's addresses from wherever it is typed.
func (d *devStack) envCommand() string {
	self := os.Args[0]
	if strings.Contains(self, "/") { // else it is found in PATH
		if path, err := filepath.Abs(self); err == nil {
			self = word(path)
		}
	}
	if usual, err := defaultData(); err == nil && usual == d.folder.path {
		return self + " env"
	}
	return self + " env --data " + word(d.folder.path)
}

// word quotes a path only where a shell would not take it as it is.
func word(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@%:,=") == "" {
		return path
	}
	return quote(path)
}

// request is one thing to try.
type request struct{ method, path, key, body string }

// first is an order that works as soon as there is stock, and the stock.
var first = []request{
	{"PUT", "/v1/locations/sf", "", `{"name":"San Francisco","country":"US","priority":1}`},
	{"POST", "/v1/inventory/receipts", "first-stock", `{"location":"sf","lines":[{"sku":"TEE-M","quantity":10}]}`},
	{"POST", "/v1/orders", "first-order", `{"external_id":"1001","channel":"web","currency":"USD",
    "customer":{"id":"c-17","name":"Ada Lovelace","email":"ada@example.com"},
    "ship_to":{"name":"Ada Lovelace","line1":"548 Market St","city":"San Francisco","region":"CA","postal_code":"94107","country":"US"},
    "lines":[{"sku":"TEE-M","quantity":2,"unit_price":1999,"tax":330}],"shipping":{"service":"standard","amount":500},
    "payment":{"gateway":"sandbox","token":"tok_ok"},"total":4828}`},
}

// firstRequests are those as commands. They use no option that a curl of some years ago lacks.
func firstRequests() string {
	var text strings.Builder
	for _, r := range first {
		fmt.Fprintf(&text, "  curl -sS -X %s \"$API%s\" -H \"Authorization: Bearer $KEY\"", r.method, r.path)
		if r.key != "" {
			fmt.Fprintf(&text, " -H 'Idempotency-Key: %s'", r.key)
		}
		fmt.Fprintf(&text, " \\\n    -H 'Content-Type: application/json' -d '%s'\n", r.body)
	}
	return text.String()
}
