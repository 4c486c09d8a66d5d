package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"github.com/waybill-oms/waybill/api/client"
	"github.com/waybill-oms/waybill/config"
)

type orderCmd struct {
	Show orderShowCmd `cmd:"" help:"Draw an order's life: what happened, its parcels, its money, what it waits for."`
}

type orderShowCmd struct {
	ID   string `arg:"" name:"order" help:"The order's id (ord_…), or its external id, if need be with its channel before it: web/1001."`
	JSON bool   `name:"json" help:"Print JSON: {order, progress, returns, timeline}, each as the API has it."`
	config.API
}

// Help is what waybill order show --help says beyond its flags.
func (orderShowCmd) Help() string {
	return `Times are UTC. In the time line the second column says how long after the event before it something happened.

    waybill order show 1001
    waybill order show ord_06h0fk31phosbbp5k6790tntsc --json | jq .timeline[].type`
}

// life is what is known of an order.
type life struct {
	Order    client.Order           `json:"order"`
	Progress *client.Progress       `json:"progress"` // null when the run cannot be asked
	Returns  []client.Return        `json:"returns"`
	Timeline []client.TimelineEntry `json:"timeline"`
}

func (c *orderShowCmd) Run(ctx context.Context) error {
	api, dev, err := connectAPI(c.API)
	if err != nil {
		return err
	}
	id, err := orderID(ctx, api, c.ID)
	if err != nil {
		return err
	}
	l, err := readLife(ctx, api, id)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(l)
	}
	d := &drawing{to: os.Stdout, life: l, color: os.Getenv("NO_COLOR") == "" && isatty.IsTerminal(os.Stdout.Fd()), ui: dev.TemporalUIURL}
	return d.draw()
}

// orderID finds an order by what a person calls it.
func orderID(ctx context.Context, api *client.ClientWithResponses, name string) (string, error) {
	if strings.HasPrefix(name, "ord_") {
		return name, nil
	}
	orders, err := called(ctx, api, client.ListOrdersParams{ExternalID: &name})
	if channel, external, both := strings.Cut(name, "/"); err == nil && len(orders) == 0 && both {
		orders, err = called(ctx, api, client.ListOrdersParams{ExternalID: &external, Channel: &channel})
	}
	if err != nil {
		return "", err
	}
	switch len(orders) {
	case 0:
		return "", fmt.Errorf("there is no order %s", name)
	case 1:
		return orders[0].ID, nil
	default:
		text := fmt.Sprintf("%d orders are called %s; which one?", len(orders), name)
		for _, o := range orders {
			text += fmt.Sprintf("\n  %s  %s/%s  %s  %s", o.ID, o.Channel, o.ExternalID, o.Status, o.CreatedAt.UTC().Format("2006-01-02 15:04"))
		}
		return "", errors.New(text)
	}
}

func called(ctx context.Context, api *client.ClientWithResponses, filter client.ListOrdersParams) ([]client.OrderSummary, error) {
	found, err := api.ListOrdersWithResponse(ctx, &filter)
	if err != nil {
		return nil, err
	}
	return found.JSON200.Data, nil
}

func readLife(ctx context.Context, api *client.ClientWithResponses, id string) (l life, err error) {
	o, err := api.GetOrderWithResponse(ctx, id)
	if err != nil {
		return l, err
	}
	l.Order = *o.JSON200
	progress, err := api.GetOrderProgressWithResponse(ctx, id)
	var refusal *client.Error
	switch {
	case err == nil:
		l.Progress = progress.JSON200
	case !errors.As(err, &refusal) || refusal.Status != http.StatusServiceUnavailable:
		return l, err
	}
	if l.Timeline, err = readTimeline(ctx, api, id); err != nil {
		return l, err
	}
	l.Returns = []client.Return{}
	known := map[string]bool{}
	for _, entry := range l.Timeline {
		if entry.ReturnID == nil || known[*entry.ReturnID] {
			continue
		}
		known[*entry.ReturnID] = true
		r, err := api.GetReturnWithResponse(ctx, *entry.ReturnID)
		if err != nil {
			return l, err
		}
		l.Returns = append(l.Returns, *r.JSON200)
	}
	return l, nil
}

func readTimeline(ctx context.Context, api *client.ClientWithResponses, id string) (all []client.TimelineEntry, err error) {
	limit := 200
	for page := (client.GetOrderTimelineParams{Limit: &limit}); ; {
		entries, err := api.GetOrderTimelineWithResponse(ctx, id, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, entries.JSON200.Data...)
		if page.Cursor = entries.JSON200.NextCursor; page.Cursor == nil {
			return all, nil
		}
	}
}
