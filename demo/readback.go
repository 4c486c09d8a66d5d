package demo

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-oms/waybill/api/client"
)

// pageMax is the largest page that the API gives.
const pageMax = 200

// readBack finds the run's orders, as anybody would who knows nothing but how their external ids begin, and everything
// about them, in the order in which they were placed.
func (r *run) readBack(ctx context.Context) ([]tale, error) {
	var ids []string
	prefix, limit := r.code+"-", pageMax
	params := client.ListOrdersParams{Q: &prefix, Limit: &limit}
	for more := true; more; {
		answer, err := r.API.ListOrdersWithResponse(ctx, &params)
		if err != nil {
			return nil, err
		}
		page, err := only(answer.JSON200)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Data {
			ids = append(ids, o.ID)
		}
		params.Cursor, more = page.NextCursor, page.NextCursor != nil
	}
	slices.Reverse(ids) // the list has the newest first
	tales := make([]tale, len(ids))
	readers, ctx := errgroup.WithContext(ctx)
	readers.SetLimit(max(1, r.Parallel))
	for i, id := range ids {
		readers.Go(func() (err error) {
			tales[i], err = r.tale(ctx, id)
			return err
		})
	}
	return tales, readers.Wait()
}

// readings is how often an order is read that changes meanwhile. Clocks that differ may make one look so for ever.
const readings = 5

func (r *run) tale(ctx context.Context, orderID string) (t tale, err error) {
	for n := 0; n == 0 || n < readings && !t.settled(); n++ {
		o, err := r.API.GetOrderWithResponse(ctx, orderID)
		if err != nil {
			return t, err
		}
		if t.order, err = only(o.JSON200); err != nil {
			return t, err
		}
		if t.timeline, err = r.timeline(ctx, orderID); err != nil {
			return t, err
		}
	}
	if number, err := strconv.Atoi(strings.TrimPrefix(t.order.ExternalID, r.code+"-")); err == nil {
		t.kind = (number - firstNumber) % len(scenarios)
	}
	t.returns, err = r.returnsOf(ctx, t.order)
	return t, err
}

// settled tells whether the timeline, which was read after the order, knows no more than the order does.
func (t tale) settled() bool {
	return len(t.timeline) == 0 || !t.timeline[len(t.timeline)-1].At.After(t.order.UpdatedAt)
}

func (r *run) timeline(ctx context.Context, orderID string) (all []client.TimelineEntry, err error) {
	limit := pageMax
	params := client.GetOrderTimelineParams{Limit: &limit}
	for more := true; more; {
		answer, err := r.API.GetOrderTimelineWithResponse(ctx, orderID, &params)
		if err != nil {
			return nil, err
		}
		page, err := only(answer.JSON200)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		params.Cursor, more = page.NextCursor, page.NextCursor != nil
	}
	return all, nil
}

// returnsOf are the returns of an order, the oldest first. No scenario has more than a page of them.
func (r *run) returnsOf(ctx context.Context, o *client.Order) (list []*client.Return, err error) {
	if o.ReturnStatus == client.ReturnStatusNone {
		return nil, nil
	}
	answer, err := r.API.ListReturnsWithResponse(ctx, &client.ListReturnsParams{OrderID: &o.ID})
	if err != nil {
		return nil, err
	}
	page, err := only(answer.JSON200)
	if err != nil {
		return nil, err
	}
	for _, summary := range page.Data {
		got, err := r.API.GetReturnWithResponse(ctx, summary.ID)
		if err != nil {
			return nil, err
		}
		back, err := only(got.JSON200)
		if err != nil {
			return nil, err
		}
		list = append(list, back)
	}
	slices.Reverse(list)
	return list, nil
}
