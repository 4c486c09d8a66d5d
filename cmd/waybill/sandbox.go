package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/waybill-oms/waybill/gateways/sandbox"
)

type sandboxCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help is what waybill sandbox --help says beyond its flags.
func (sandboxCmd) Help() string {
	return `Pay with a token (payment.token of an order, with the gateway "sandbox") or ship to a postal code (ship_to.postal_code) to see what Waybill does when a gateway declines, hangs, or loses its answer or a parcel. Any other token is refused (invalid_token); to any other postal code a parcel is delivered after two days.`
}

// effect is one test value.
type effect struct {
	Value  string `json:"value"`
	Effect string `json:"effect"`
}

func (c *sandboxCmd) Run() error {
	var tokens, codes []effect
	for _, t := range sandbox.Tokens() {
		tokens = append(tokens, effect{t.Name, t.Effect})
	}
	for _, p := range sandbox.PostalCodes() {
		codes = append(codes, effect{p.Code, p.Effect})
	}
	if c.JSON {
		return printJSON(map[string][]effect{"tokens": tokens, "postal_codes": codes})
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOKEN\tEFFECT")
	for _, t := range tokens {
		fmt.Fprintf(w, "%s\t%s\n", t.Value, t.Effect)
	}
	fmt.Fprintln(w, "\t\nPOSTAL CODE\tEFFECT")
	for _, p := range codes {
		fmt.Fprintf(w, "%s\t%s\n", p.Value, p.Effect)
	}
	return w.Flush()
}
